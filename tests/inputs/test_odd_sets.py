"""Sets of odd files, composed by hypothesis: gankit takes or names each file, and then trains.

`pytest tests/inputs --odd-inputs 5000` tries 5,000 other sets, and lists all failures in the end.
"""

import os
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from odd_sets import OddSet, Use, odd_sets, uses
from trial import Seen, check_training, judge, judge_archive, look

IN_CI = 60  # sets
AT_A_TIME = 250  # sets that hypothesis composes from one seed
RELAXED = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="names that Windows refuses")


@pytest.fixture
def try_set(gankit_cli, tmp_path, monkeypatch):
    """`try_set(odd_set, use)`: check a set as folder, zip and tar, and take 3 training steps."""
    monkeypatch.setattr(
        "gankit.runs.video.write_video", lambda *args, **options: None
    )  # it is slow
    numbers = iter(range(10**9))

    def try_in_new_folder(odd_set: OddSet, use: Use) -> None:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        monkeypatch.setenv("GANKIT_CACHE", str(folder / "cache"))
        monkeypatch.setenv("HOME", str(folder))
        monkeypatch.chdir(folder)
        try:
            _try_set(gankit_cli, odd_set, use, folder)
        finally:
            os.chdir(tmp_path)
            shutil.rmtree(folder)

    return try_in_new_folder


def _try_set(gankit, odd_set: OddSet, use: Use, folder: Path) -> None:
    archives = {"tar": folder / "set.tar.gz"}
    odd_set.write_folder(folder / "set")
    odd_set.write_tar(folder / "set.tar.gz")
    if odd_set.is_unicode:
        odd_set.write_zip(folder / "set.zip")
        archives["zip"] = folder / "set.zip"
    source = _source(folder, use.path)
    seen = look(gankit, source)
    if seen:
        judge(odd_set, seen)
    for archive in archives.values():
        in_archive = look(gankit, str(archive))
        if in_archive:
            judge_archive(odd_set, in_archive)
        if odd_set.is_portable:
            _compare(seen, in_archive)
    trained = archives.get(use.trained, Path(source))
    code = check_training(gankit, str(trained), folder / "run", use.options)
    if _must_train(seen, use):
        assert code == 0


def _source(folder: Path, path: str) -> str:
    """The path of the set's folder, given in this way."""
    if path == "here":
        os.chdir(folder / "set")
    ways = {"relative": "set", "with a slash": "./set//", "from home": "~/set", "here": "."}
    return ways.get(path, str(folder / "set"))


def _compare(seen: Seen | None, in_archive: Seen | None) -> None:
    """An archive gives the same pictures in the same order, and names the same files."""
    assert (seen is None) == (in_archive is None)
    if seen and in_archive:
        assert seen.taken == in_archive.taken
        assert Counter(seen.listed) == Counter(in_archive.listed)
        assert seen.pixels == in_archive.pixels


def _must_train(seen: Seen | None, use: Use) -> bool:
    """Whether there is no reason to refuse: pictures for a batch, and none broken."""
    simple = set(use.options[::2]) <= {"--batch-size", "--channels", "--background", "--zoom"}
    batch_size = int(use.options[use.options.index("--batch-size") + 1])
    enough = seen is not None and seen.taken.total() >= batch_size > 1
    return use.trained == "folder" and simple and enough and not any(p == b"" for p in seen.pixels)


def test_each_file_of_an_odd_set_is_taken_or_named(try_set, request):
    count = request.config.getoption("--odd-inputs")
    if count:
        failures = _try_many(try_set, count)
        assert not failures, _list_failures(failures)
    else:
        check = given(odd_sets(), uses())(lambda odd_set, use: try_set(odd_set, use))
        settings(RELAXED, max_examples=IN_CI, derandomize=True)(check)()


def _try_many(try_set, count: int) -> dict[str, list[str]]:
    """Try other sets each time; every failure with the sets that show it, the smallest first."""
    failures: dict[str, list[str]] = {}

    def try_one(odd_set: OddSet, use: Use) -> None:
        try:
            try_set(odd_set, use)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0][:300]
            failures.setdefault(reason, []).append(f"{odd_set!r}, {use!r}")

    first = int.from_bytes(os.urandom(4), "big")
    for start in range(0, count, AT_A_TIME):
        examples = settings(
            RELAXED, max_examples=min(AT_A_TIME, count - start), phases=[Phase.generate]
        )
        seed(first + start)(examples(given(odd_sets(), uses())(try_one)))()
    return failures


def _list_failures(failures: dict[str, list[str]]) -> str:
    lines = []
    for reason, examples in sorted(failures.items(), key=lambda item: -len(item[1])):
        lines.append(f"{len(examples)} times {reason}\n    {min(examples, key=len)}")
    return "\n".join(lines)
