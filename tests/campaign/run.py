"""The campaign of faults: tries each kind many times, and counts what is not right.

python tests/campaign/run.py --long --write docs/reliability.md
python tests/campaign/run.py kills saves --count 20 --seed 3
python tests/campaign/run.py pictures --seed 3 --only 17
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported: forks need a single thread
sys.path.insert(0, str(Path(__file__).parent))

import report
from all_kinds import KINDS
from outcome import Kind
from workers import Tried, try_cases

KEPT = Path(tempfile.gettempdir()) / "gankit-campaign"  # inputs of cases that were not right
FAST_DISK = Path("/dev/shm")


@dataclass
class Result:
    """What came of the cases of a kind."""

    kind: Kind
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    # What is wrong, with numbers left out -> (how often, a case's number, the bytes of its files)
    complaints: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    @property
    def tried(self) -> int:
        return self.outcomes.total()


def try_kind(kind: Kind, seed: int, numbers: Iterable[int], kept: Path) -> Result:
    """Try these cases of a kind; of each complaint, the smallest input is kept."""
    result = Result(kind)
    began = time.monotonic()
    where = FAST_DISK if os.access(FAST_DISK, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=where, prefix="campaign-") as folder:
        try:
            for tried in try_cases(kind, seed, numbers, Path(folder)):
                result.outcomes[tried.outcome.what] += 1
                result.wrong += bool(tried.outcome.complaints)
                for complaint in tried.outcome.complaints:
                    _note(result, complaint, tried, kept)
        except Exception as error:  # of `prepare`; the other kinds are tried all the same
            result.outcomes["not prepared"] += 1
            result.wrong += 1
            result.complaints[f"cannot be prepared: {error}"[-2000:]] = (1, 0, 0)
    result.seconds = time.monotonic() - began
    return result


def _note(result: Result, complaint: str, tried: Tried, kept: Path) -> None:
    """Count a complaint, and keep the files of its case if they are the smallest so far."""
    shape = re.sub(r"\d+", "N", complaint)[:160]
    files = [path for path in tried.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files)
    count, number, smallest = result.complaints.get(shape, (0, -1, 0))
    if number < 0 or size < smallest:
        if number >= 0:
            shutil.rmtree(kept / f"{result.kind.name}-{number}", ignore_errors=True)
        place = kept / tried.folder.name
        if tried.folder.exists() and not place.exists():
            shutil.copytree(tried.folder, place, symlinks=True, ignore=_special_files)
        number, smallest = tried.number, size
    result.complaints[shape] = (count + 1, number, smallest)


def _special_files(folder: str, names: list[str]) -> list[str]:
    """Pipes and the like, which cannot be copied."""
    paths = [Path(folder, name) for name in names]
    return [path.name for path in paths if not (path.is_file() or path.is_dir())]


def main() -> int:
    """Run the campaign; the exit code is 1 if anything is not right."""
    args = _parse()
    for variable in [name for name in os.environ if name.startswith("GANKIT_")]:
        del os.environ[variable]
    shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.mkdir(parents=True)
    results = []
    for name, own_count in args.kinds or [(name, 0) for name in KINDS]:
        kind = KINDS[name]
        count = own_count or args.count or (kind.long if args.long else kind.short)
        numbers = range(min(count, kind.most or count)) if args.only is None else [args.only]
        result = try_kind(kind, args.seed, numbers, KEPT)
        report.show(result, args.seed, KEPT)
        results.append(result)
    if args.write:
        report.write(args.write, results, args.seed)
    return int(any(result.wrong for result in results))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "kinds", nargs="*", type=_kind_and_count, help="NAME or NAME=COUNT; default: all kinds"
    )
    parser.add_argument("--long", action="store_true", help="as many cases as the page says")
    parser.add_argument("--count", type=int, help="cases of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="only the case of this number")
    parser.add_argument("--write", type=Path, help="write the table into this page")
    return parser.parse_args()


def _kind_and_count(text: str) -> tuple[str, int]:
    name, _, count = text.partition("=")
    if name not in KINDS:
        raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(KINDS)}")
    return name, int(count or 0)


if __name__ == "__main__":
    sys.exit(main())
