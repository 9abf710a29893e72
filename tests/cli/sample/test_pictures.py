"""`gankit sample`: pictures by seed, by cell and near a seed; enlarged, and with numbers."""

import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gankit
from gankit.cli.sample.pictures import Seeds, read_numbers, write_numbers
from gankit.runs.provenance import read_provenance


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def cell(grid, index, columns, side=16, gap=2):
    """A picture of a grid."""
    row, column = divmod(index, columns)
    y, x = gap + row * (side + gap), gap + column * (side + gap)
    return grid[y : y + side, x : x + side]


def test_seeds_and_cells_are_the_same_pictures(sample, sampler, trained):
    assert sample("--seeds", "5,12,0-1", "--out", "a.png") == (0, "a.png\n", "")
    assert np.array_equal(pixels("a.png"), np.asarray(sampler.grid(seeds=[5, 12, 0, 1])))
    assert sample("--cells", "5,12,0-1", "--out", "b.png").code == 0
    assert np.array_equal(pixels("a.png"), pixels("b.png"))
    of_training = pixels(trained / "samples" / "000008.png")
    for index, seed in enumerate((5, 12, 0, 1)):
        picture = cell(pixels("a.png"), index, 2).astype(int)
        assert np.abs(picture - cell(of_training, seed, 8)).max() <= 1  # other rounding in batches


def test_a_single_picture_has_no_frame_and_its_own_file(gankit_cli, trained, sampler, here):
    run = shutil.copytree(trained, here / "run")
    assert gankit_cli("sample", "run", "--seeds", 7) == (0, "run/picture-7.png\n", "")
    assert np.array_equal(pixels(run / "picture-7.png"), np.asarray(sampler.sample(7)))
    assert gankit_cli("sample", "run", "--seeds", "7,9") == (0, "run/grid-7,9.png\n", "")


@pytest.mark.parametrize(
    ("options", "file"),
    [
        (("--loop", "--count", 2), "loop.mp4"),
        (("--loop", "--count", 2, "--seed", 7), "loop-7.mp4"),
        (("--loop", "--near", 12, "--spread", 0.3), "loop-near-12.mp4"),
        (("--loop", "--near", 12, "--spread", 0.1), "loop-near-12-spread-0.1.mp4"),
        (("--seeds", "3,4", "--seconds", 1, "--checkpoint", 4), "walk-3,4-step-4.mp4"),
        (("--count", 2, "--checkpoint", 4), "grid-0-step-4.png"),
        (("--count", 2, "--checkpoint", "last"), "grid-0.png"),
        (("--near", 3, "--count", 2, "--spread", 1), "grid-near-3-spread-1.png"),
        (("--files", "--count", 2, "--checkpoint", 4), "pictures-step-4"),
        (("--files", "--count", 2, "--near", 3, "--spread", 0.5),
         "pictures/near-3-spread-0.5-000001.png"),
        (("--strip", "--checkpoint", 4), "strip-0-step-4.png"),
    ],
)  # fmt: skip
def test_the_name_of_a_file_says_what_was_chosen(gankit_cli, trained, here, options, file):
    run = shutil.copytree(trained, here / "run")
    code, out, _ = gankit_cli("sample", "run", *options)
    assert code == 0
    assert out.startswith(f"run/{Path(file).parts[0]}\n")
    assert (run / file).exists()


def test_long_lists_of_numbers_have_names_of_their_own():
    odd = range(1, 99, 2)
    names = {Seeds((*odd, last)).name() for last in (200, 202)}
    assert len(names) == 2
    assert {len(name) for name in names} == {40}


def test_a_cell_of_an_old_run_is_the_one_in_its_grid(gankit_cli, trained, registry, here):
    run = shutil.copytree(trained, here / "run")
    record = json.loads((run / "run.json").read_text())
    del record["grid_cells"]
    (run / "run.json").write_text(json.dumps(record))
    assert gankit_cli("sample", "run", "--cells", "3,4").out == "run/grid-cells-3,4.png\n"
    sampler = gankit.load(run, registry=registry)
    z = sampler.latents_of_cells([3, 4])
    assert np.array_equal(pixels(run / "grid-cells-3,4.png"), np.asarray(sampler.draw(z)))
    assert not np.array_equal(np.asarray(sampler.draw(z)), np.asarray(sampler.grid(2, seed=3)))
    assert "--cells" in gankit_cli("sample", "run", "--seeds", "3").err
    assert gankit_cli("sample", "run", "--cells", "3,4", "--files", "--out", "f").code == 0
    assert [path.name for path in sorted(Path("f").iterdir())] == [
        *("cell-000003.png", "cell-000004.png")
    ]


def test_near_begins_with_the_picture_itself(sample, sampler):
    assert sample("--near", 12, "--out", "a.png").code == 0
    grid = pixels("a.png").astype(int)
    assert grid.shape == (4 * 18 + 2, 4 * 18 + 2, 3)
    assert np.array_equal(grid, np.asarray(sampler.near(12)))
    assert np.abs(cell(grid, 0, 4) - np.asarray(sampler.sample(12))).max() <= 1
    assert sample("--near", 12, "--cells", 7, "--out", "b.png").code == 0
    assert np.abs(cell(grid, 7, 4) - pixels("b.png")).max() <= 1


def test_near_keeps_the_length_of_z_and_grows_apart_with_spread(sampler):
    z = sampler.latents([12])
    for spread in (0.1, 0.5, 1):
        near = sampler.latents_near(12, range(1, 65), spread)
        assert near.std() == pytest.approx(1, abs=0.1)
        distance = (near - z).norm(dim=1).mean() / z.norm()
        assert distance == pytest.approx((2 - 2 * (1 - spread**2) ** 0.5) ** 0.5, abs=0.1)


def test_size_enlarges_each_picture_and_says_so(sample, sampler):
    code, out, _ = sample("--seeds", 5, "--size", 1024, "--out", "a.png")
    assert code == 0
    for fact in ("a.png", "enlarged", "16", "1,024"):
        assert fact in out
    assert pixels("a.png").shape == (1024, 1024, 3)
    assert np.array_equal(pixels("a.png"), np.asarray(sampler.sample(5, size=1024)))
    small = np.asarray(Image.fromarray(pixels("a.png")).resize((16, 16), Image.Resampling.BOX))
    assert np.abs(small.astype(int) - np.asarray(sampler.sample(5))).mean() < 8
    assert sample("--count", 4, "--size", 32, "--out", "b.png").code == 0
    assert pixels("b.png").shape == (2 * 36 + 4, 2 * 36 + 4, 3)  # the gap grows, too


def test_numbers_are_written_on_the_cells(sample):
    for name, options in {"a.png": (), "b.png": ("--numbers",)}.items():
        assert sample("--seeds", "5,12,40,41", "--size", 64, *options, "--out", name).code == 0
    changed = (pixels("a.png") != pixels("b.png")).any(axis=2)
    for index in range(4):
        corner = cell(changed, index, 2, side=64, gap=8)
        assert corner[40:, :32].any()
        assert not corner[:32].any()


@pytest.mark.parametrize(
    ("options", "file"),
    [
        (("--seeds", "5,12"), "out.png"),
        (("--near", 4, "--count", 3, "--numbers"), "out.webp"),
        (("--near", 4, "--cells", "0,2", "--spread", 0.45), "out.png"),
        (("--seeds", 5, "--size", 40), "out.jpg"),
        (("--strip", "--seeds", "5,9,2", "--count", 7), "out.png"),
        (("--near", 4, "--files", "--count", 3), "out/near-4-000002.png"),
        (("--seeds", "6,8", "--files", "--size", 20), "out/000008.png"),
    ],
)
def test_the_command_in_a_file_draws_it_again(sample, gankit_cli, here, options, file):
    assert sample(*options, "--out", Path(file).parts[0]).code == 0
    words = shlex.split(read_provenance(here / file).command)
    again = here / f"again{Path(file).suffix}"
    assert gankit_cli(*words[1:], "--out", again).code == 0
    assert again.read_bytes() == (here / file).read_bytes()


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        (("--seeds", "5,x"), ("--seeds", "5,x", "0-15")),
        (("--seeds", "9-3"), ("--seeds", "9-3")),
        (("--seeds", "0-99999999999"), ("--seeds", "10,000", "--count")),
        (("--seeds", "5", "--seed", 0), ("--seeds", "--seed ")),
        (("--seeds", "5", "--near", 0), ("--seeds", "--near")),
        (("--seeds", "5,6", "--count", 2), ("--seeds", "--count")),
        (("--cells", "64"), ("--cells", "64", "63")),
        (("--near", -1), ("--near", "-1")),
        (("--near", 1, "--spread", 1.5), ("--spread", "1.5")),
        (("--spread", 0.5), ("--spread", "--near")),
        (("--near", 1, "--strip"), ("--strip", "--cells")),
        (("--strip", "--seeds", 4), ("--seeds", "two")),
        (("--size", 0), ("--size", "0")),
        (("--size", 4000, "--count", 9), ("14,000 x 14,000", "--size", "--files")),
        (("--files", "--numbers"), ("--files", "--numbers")),
        (("--history", "--near", 3), ("--history", "--near")),
    ],
)
def test_what_contradicts_is_refused_by_name(sample, here, options, facts):
    code, out, err = sample(*options)
    assert (code, out, list(here.iterdir())) == (2, "", [])
    (line,) = err.splitlines()
    assert [fact for fact in facts if fact not in line] == [], line


def test_numbers_are_written_as_they_are_read():
    for text, numbers in {
        "5,12,40": (5, 12, 40),
        "0-15": tuple(range(16)),
        "3,1-2,7": (3, 1, 2, 7),
        "4,4": (4, 4),
    }.items():
        assert read_numbers("--seeds", text) == numbers
        assert read_numbers("--seeds", write_numbers(numbers)) == numbers
