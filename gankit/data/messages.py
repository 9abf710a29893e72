"""Parts of messages that several files use, so that each is written once."""

import textwrap
from collections import defaultdict
from collections.abc import Sequence

from gankit.core.errors import describe_error, error_text

READS = (
    "gankit reads avif, bmp, gif, jp2, jpg, png, ppm, psd, tga, tif, webp and some others, "
    "in a folder, a zip or a tar, arrays (npy, npz) and films"
)
NOT_FOUND = "does not exist; check the path given with --data"
NOT_A_FILE = "is not a regular file"  # a link, a pipe or a device
NO_PIXELS = "has no pixels"
OWN_PICTURES = "has its own pictures; omit --data"
NO_CLASS_FOLDERS = "has no class folders; omit --classes"
MORE_SHARDS = "split the pictures into more shards"
NOT_TRANSPARENT = "no picture is transparent, so --channels 3 is enough"
MOVE_CACHE = "set GANKIT_CACHE to use another cache folder"


def group_by_reason(lines: Sequence[str]) -> list[tuple[str, list[str]]]:
    """(reason, names) of lines "name: reason", the most frequent reason first."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for line in lines:
        name, _, reason = line.partition(": ")
        groups[reason].append(name)
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def summarise(lines: Sequence[str], limit: int = 3) -> str:
    """`a.mp4 is a film: ... (8 times); b.7z is ...` of lines "name: reason": counts by reason."""
    groups = group_by_reason(lines)
    parts = []
    for reason, names in groups[:limit]:
        count = f" ({len(names):,} times)" if len(names) > 1 else ""
        parts.append(f"{names[0]} {reason}{count}")
    others = sum(len(names) for _, names in groups[limit:])
    if others:
        parts.append(f"and {others:,} for other reasons")
    return "; ".join(parts)


def skipped_line(name: str, error: BaseException) -> str:
    """`name: what is wrong`, on one line, for a picture that is skipped."""
    text = error_text(error) if isinstance(error, Exception) else ""
    return " ".join(f"{name}: {text or describe_error(error)}".split())


def mostly_broken(name: str, broken: int, total: int, first: str) -> str:
    """Why a data set is refused of which more than half cannot be read."""
    line = f"most pictures of {shorten(name)!r} are broken, {broken:,} of {total:,}"
    return f"{line}; the first: {first}; list them all with gankit data check"


def count_noun(number: int, noun: str = "picture") -> str:
    """`1 picture`, `2,500 pictures`, `2 classes`."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def name_tables(tables: Sequence[str]) -> str:
    """` (labels of train.csv)`, to follow classes that are from tables; "" without tables."""
    more = f" and {count_noun(len(tables) - 3, 'more table')}" if len(tables) > 3 else ""
    return f" (labels of {', '.join(tables[:3])}{more})" if tables else ""


def shorten(name: str) -> str:
    """The name of a data set, which may be the paths of thousands of files, in 100 characters."""
    return textwrap.shorten(name, 100, placeholder=" ...") if len(name) > 100 else name


def format_is_missing(name: str) -> str:
    """Why a picture in an optional format of Pillow cannot be read, and the cure."""
    cure = "pip install --upgrade pillow, then gankit data clean"
    return f"is in the format {name}, which your Pillow cannot read: {cure}"


def kind_not_read(name: str) -> str:
    """Why a picture that starts like a known format cannot be read, and the cure."""
    return f"is broken, cut off, or a kind of {name} that gankit does not read: save it as png"


def nearly_grey(tint: float) -> str:
    """Why pictures whose channels differ a little are trained in grey, and how to keep them."""
    differ = f"their channels differ by {tint:.1f} levels of 255 or less on average, like noise"
    return f"no picture has a colour ({differ}), so one channel is used; --channels 3 keeps all"
