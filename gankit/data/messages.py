"""Parts of messages that several files use, so that each is written once."""

READS = (
    "gankit reads avif, bmp, gif, jp2, jpg, png, ppm, psd, tga, tif, webp and some others, "
    "in a folder, a zip or a tar"
)
NOT_FOUND = "does not exist; check the path given with --data"
NOT_A_FILE = "is not a regular file"  # a link, a pipe or a device
NO_CLASS_FOLDERS = "has no class folders; omit --classes"
MORE_SHARDS = "split the pictures into more shards"
MOVE_CACHE = "set GANKIT_CACHE to use another cache folder"


def skipped_line(name: str, error: Exception) -> str:
    """`name: what is wrong`, on one line, for a picture that is skipped."""
    return " ".join(f"{name}: {error}".split())


def format_is_missing(name: str) -> str:
    """Why a picture in an optional format of Pillow cannot be read, and the cure."""
    return f"is in the format {name}, which your Pillow cannot read: pip install --upgrade pillow"


def kind_not_read(name: str) -> str:
    """Why a picture that starts like a known format cannot be read, and the cure."""
    return f"is broken, cut off, or a kind of {name} that gankit does not read: save it as png"
