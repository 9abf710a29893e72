"""A grid's cells are seeds; a run that began before that keeps its own z."""

import json
import shutil

import numpy as np
import torch
from PIL import Image

import gankit
from gankit.core.randomness import latents
from gankit.runs.grids import grid_path
from gankit.training.run_folder.grid_latents import grid_latents
from gankit.training.run_folder.run_file import load_run, read_notes


def forget_cells(folder):
    """Make a run as gankit wrote it before cells were seeds."""
    record = json.loads((folder / "run.json").read_text())
    del record["grid_cells"]
    (folder / "run.json").write_text(json.dumps(record))
    return folder


def grid_of(folder, step):
    with Image.open(grid_path(folder, step)) as grid:
        return np.asarray(grid)


def test_cell_k_of_a_grid_is_seed_k_at_that_checkpoint(trained, registry):
    for step in (4, 8):
        sampler = gankit.load(trained, step, registry)
        assert np.array_equal(grid_of(trained, step), np.asarray(sampler.grid(64, seed=0)))
    assert torch.equal(sampler.latents(range(64)), grid_latents(sampler.run))


def test_an_old_run_goes_on_with_its_z(trained, registry, tmp_path):
    folder = forget_cells(shutil.copytree(trained, tmp_path / "old"))
    run = load_run(folder)
    old_z = latents(run.seed, 0, 64, run.latent_dim, "grid")
    assert torch.equal(grid_latents(run), old_z)
    gankit.train(load_run(folder, steps=10), registry, resume=True)
    assert "grid_cells" not in read_notes(folder)
    expected = gankit.load(folder, registry=registry).draw(old_z)
    assert np.array_equal(grid_of(folder, 10), np.asarray(expected))


def test_a_resumed_run_goes_on_with_seeds(trained, registry, tmp_path):
    folder = shutil.copytree(trained, tmp_path / "new")
    gankit.train(load_run(folder, steps=10), registry, resume=True)
    sampler = gankit.load(folder, registry=registry)
    assert np.array_equal(grid_of(folder, 10), np.asarray(sampler.grid(64)))


def test_a_new_run_of_an_old_run_json_shows_seeds(trained, gankit_cli, tmp_path):
    folder = forget_cells(shutil.copytree(trained, tmp_path / "old"))
    assert gankit_cli("run", "--config", folder / "run.json", "--out", "new").code == 0
    assert read_notes(tmp_path / "new")["grid_cells"] == "seeds"
    same = [
        np.array_equal(grid_of(trained, step), grid_of(tmp_path / "new", step)) for step in (0, 8)
    ]
    assert same == [True, True]
