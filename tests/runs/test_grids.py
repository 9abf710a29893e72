"""The grids of a run are listed in the order of steps, and nothing else is."""

import os

import pytest

from gankit.runs.grids import grid_path, list_grids

STEPS = (0, 500, 999_999, 1_000_000, 2_000_000, 12_345_678)


def test_grids_are_sorted_by_step_beyond_a_million(tmp_path):
    (tmp_path / "samples").mkdir()
    for step in reversed(STEPS):
        grid_path(tmp_path, step).touch()
    assert list_grids(tmp_path) == [(step, grid_path(tmp_path, step)) for step in STEPS]


def test_only_regular_files_with_the_name_of_a_grid_are_listed(tmp_path):
    folder = tmp_path / "samples"
    (folder / "000003.png").mkdir(parents=True)
    names = ("000001.png", "0000001.png", "-00001.png", "00000\u0665.png", "film.png", "000001.jpg")
    for name in (*names, ".000001.png.ab.writing"):
        (folder / name).touch()
    if os.name == "posix":
        (folder / "000002.png").symlink_to(folder / "000001.png")
        os.mkfifo(folder / "000004.png")
    assert list_grids(tmp_path) == [(1, folder / "000001.png")]


@pytest.mark.parametrize("name", ["nothing", "file"])
def test_a_folder_without_samples_has_no_grids(tmp_path, name):
    (tmp_path / "file").touch()
    assert list_grids(tmp_path / name) == []
