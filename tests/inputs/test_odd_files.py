"""Every kind of file, in a folder, a zip and a tar: the right outcome of each is in kinds.py."""

import pytest
from kinds import KINDS, NAMED, TAKEN
from odd_sets import OddFile, OddSet
from trial import judge, look
from writers import Picture

PHOTO = OddFile((), "a photo", ".jpg", "jpeg", Picture(40, 30, "noise", 1))
SIZES = ((1, 1), (200, 3), (17, 31))  # width and height, px


def files_of(kind):
    """A file of this kind for each of its endings."""
    return tuple(
        OddFile((), f"file {number}", ending, kind, Picture(*size, "noise", number))
        for number, ending in enumerate(KINDS[kind].endings)
        for size in [SIZES[number % len(SIZES)]]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_file_has_its_outcome(kind, gankit_cli, here):
    odd_set = OddSet((PHOTO, *files_of(kind)))
    odd_set.write_folder(here / "folder")
    odd_set.write_zip(here / "set.zip")
    odd_set.write_tar(here / "set.tar")
    in_folder = look(gankit_cli, "folder")
    judge(odd_set, in_folder)
    for archive in ("set.zip", "set.tar"):
        in_archive = look(gankit_cli, archive)
        assert in_archive.taken == in_folder.taken
        assert sorted(in_archive.listed) == sorted(in_folder.listed)
        assert in_archive.pixels == in_folder.pixels


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].outcome == NAMED])
def test_a_single_file_that_is_no_picture_is_refused_by_its_name(kind, gankit_cli, here):
    file = files_of(kind)[0]
    (here / file.path).write_bytes(file.data)
    answer = gankit_cli("run", "--data", file.path, "--steps", 1)
    assert answer.code == 2
    assert file.path in answer.err
    assert "unexpected" not in answer.err


def test_every_outcome_has_its_kinds():
    outcomes = [kind.outcome for kind in KINDS.values()]
    assert outcomes.count(TAKEN) > 50
    assert outcomes.count(NAMED) > 30
