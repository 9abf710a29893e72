"""Runs with --channels 4 and --resample nearest: from the command line to saved pictures."""

import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gankit
from gankit.core.parts.registry import load_registry
from gankit.core.progress import no_progress
from gankit.core.run.settings import Run, command_line
from gankit.data.alpha import checkerboard, on_checkerboard
from gankit.data.store.prepared_pictures import PixelSettings, _prepared_folder
from gankit.runs.images import to_pictures
from gankit.runs.latent_walk import film_frames
from gankit.runs.video import write_video
from gankit.training.assemble import assemble, resolve_auto
from gankit.training.run_folder.run_file import load_run

TINY_OPTIONS = ("--model", "dcgan64:base_channels=4", "--image-size", 16, "--batch-size", 8)


def settings(folder, **others):
    return {"data": str(folder), "model": "dcgan64:base_channels=4", "image_size": 16, **others}


def prepared(folder, **others):
    run = gankit.compose(**settings(folder, **others))
    return gankit.prepare(run, load_registry(), no_progress)


def open_picture(path):
    with Image.open(path) as picture:
        return picture.copy()


# ---------------------------------------------------------------- what is prepared


def test_auto_channels_are_three_as_before(sprites):
    pictures = prepared(sprites)
    assert pictures.pixels.shape == (40, 16, 16, 3)
    assert (pictures.pixels[:, 0, 0] == 255).all()
    assert not pictures.notes


def test_four_channels_hold_alpha(sprites):
    pixels = prepared(sprites, channels=4).pixels
    assert pixels.shape == (40, 16, 16, 4)
    assert (pixels[:, 0, 0] == 0).all()
    assert (pixels[..., :3] <= pixels[..., 3:]).all()
    background = prepared(sprites, channels=4, background="black")
    assert np.array_equal(background.pixels, pixels)  # nothing is laid on it


def test_pictures_without_transparency_are_noted(pixel_art, tmp_path):
    for path in pixel_art.iterdir():
        open_picture(path).convert("RGB").save(tmp_path / path.name)
    pictures = prepared(tmp_path, channels=4)
    assert (pictures.pixels[..., 3] == 255).all()
    assert any("--channels 3" in note for note in pictures.notes)


def test_art_is_prepared_pixel_by_pixel(pixel_art):
    pictures = prepared(pixel_art, channels=4, resample="nearest")
    assert len(np.unique(pictures.pixels.reshape(-1, 4), axis=0)) == 4
    smooth = prepared(pixel_art, channels=4, image_size=32)
    assert len(np.unique(smooth.pixels.reshape(-1, 4), axis=0)) > 4


def test_a_jpeg_is_not_read_at_a_reduced_scale_for_nearest(tmp_path):
    random = np.random.default_rng(0)
    for number in range(3):
        pixels = random.integers(0, 256, (160, 160, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.jpg", quality=95)
    pictures = prepared(tmp_path, resample="nearest", channels=3).pixels
    whole = np.asarray(open_picture(tmp_path / "0.jpg"))
    assert np.array_equal(pictures[0], whole[5::10, 5::10])


def test_settings_of_before_find_their_old_files():
    """Prepared files of pictures that are resized smoothly keep their names."""
    settings = PixelSettings("folder /a", 64, 3, "crop", "white", label="a")
    assert _prepared_folder(settings, 10, "x").name == "e2763efe770b837c6dd7"
    nearest = PixelSettings("folder /a", 64, 3, "crop", "white", "nearest", "a")
    assert _prepared_folder(nearest, 10, "x") != _prepared_folder(settings, 10, "x")


def test_arrays_of_rgba_can_be_trained_on(sprites):
    pixels = np.stack([np.asarray(open_picture(path)) for path in sorted(sprites.iterdir())])
    run = gankit.compose(dataset=pixels, channels=4, model="dcgan64:base_channels=4", image_size=16)
    from_array = gankit.prepare(run, load_registry(), no_progress).pixels
    assert np.array_equal(from_array, prepared(sprites, channels=4).pixels)


def test_shards_keep_alpha(sprites, tmp_path):
    pytest.importorskip("webdataset")
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for path in sorted(sprites.iterdir()):
            tar.add(path, path.name)
    run = gankit.compose(**settings(tmp_path / "a.tar", dataset="shards", channels=4, batch_size=4))
    pictures = gankit.prepare(run, load_registry(), no_progress)
    assert np.array_equal(pictures.pixels, prepared(sprites, channels=4).pixels)
    trainer = assemble(resolve_auto(run, pictures), load_registry(), pictures)
    batch = trainer.batches[0]
    assert batch.shape == (4, 4, 16, 16)
    assert (batch[:, :, 0, 0] == -1).all()


@pytest.mark.parametrize("flags", [(), ("--zoom", 1.5, "--dihedral")])
def test_a_resumed_run_goes_on_exactly(gankit_cli, pixel_art, flags):
    options = ("run", "--data", pixel_art, *TINY_OPTIONS, "--channels", 4, "--resample", "nearest")
    options += (*flags, "--trick", "ada:target=-1,kimg=0.05", "--no-report", "--threads", 1)
    assert gankit_cli(*options, "--steps", 6, "--out", "whole").code == 0
    assert gankit_cli(*options, "--steps", 3, "--out", "parts").code == 0
    assert gankit_cli("run", "--resume", "parts", "--steps", 6).code == 0
    grids = [open_picture(Path(run, "samples", "000006.png")) for run in ("whole", "parts")]
    assert np.array_equal(*map(np.asarray, grids))


# ---------------------------------------------------------------- settings


def test_the_command_repeats_the_settings(sprites):
    run = gankit.compose(**settings(sprites, channels=4, resample="nearest"))
    words = command_line(run).split()
    assert words[words.index("--channels") + 1] == "4"
    assert words[words.index("--resample") + 1] == "nearest"
    assert "--resample" not in command_line(gankit.compose(**settings(sprites)))


def test_a_run_of_before_has_the_smooth_filter(transparent_run, tmp_path):
    run = shutil.copytree(transparent_run, tmp_path / "run")
    record = json.loads((run / "run.json").read_text())
    assert record.pop("resample") == "lanczos"
    (run / "run.json").write_text(json.dumps(record))
    assert load_run(run).resample == Run.resample == "lanczos"


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        (("--channels", 2), ("--channels", "4")),
        (("--channels", "rgba"), ("--channels", "4")),
        (("--resample", "nearst"), ("--resample", "lanczos", "nearest")),
        (("--resample", ""), ("--resample", "give a value")),
        (("--channels", 4, "--fit", "patches:size=99"), ("smaller than a patch",)),
    ],
)
def test_mistakes_are_named(gankit_cli, sprites, options, facts):
    answer = gankit_cli("run", "--data", sprites, *TINY_OPTIONS, *options, "--dry-run")
    assert answer.code == 2
    for fact in facts:
        assert fact in answer.err
    assert "Traceback" not in answer.err


def test_python_names_the_settings_without_dashes():
    with pytest.raises(gankit.GankitError, match=r"channels is 5.*4 \(with transparency\)"):
        gankit.compose(channels=5)
    with pytest.raises(gankit.GankitError, match="resample is 'nearst'"):
        gankit.compose(resample="nearst")


def test_a_dry_run_names_transparency(gankit_cli, sprites):
    answer = gankit_cli("run", "--data", sprites, *TINY_OPTIONS, "--channels", 4, "--dry-run")
    assert answer.code == 0
    assert "16x16, colour with transparency" in answer.out


def test_the_preview_shows_a_checkerboard(gankit_cli, sprites):
    options = ("--channels", 4, "--trick", "diffaugment", "--preview", "seen.png")
    assert gankit_cli("run", "--data", sprites, *TINY_OPTIONS, *options).code == 0
    corner = np.asarray(open_picture("seen.png"))[2:4, 2:18].astype(int)
    assert np.abs(corner - checkerboard(16, 16)[:2]).max() <= 1


# ---------------------------------------------------------------- pictures of a run


@pytest.fixture(scope="module")
def sampler(transparent_run, registry):
    return gankit.load(transparent_run, registry=registry)


def test_a_grid_of_training_is_opaque(transparent_run):
    grid = open_picture(transparent_run / "samples" / "000004.png")
    assert grid.mode == "RGB"


def test_pictures_of_python_are_rgba(sampler):
    picture = sampler.sample(7)
    assert (picture.mode, picture.size) == ("RGBA", (16, 16))
    frames = sampler.frames(sampler.latents([7, 8]))
    assert frames.shape == (2, 16, 16, 4)
    assert np.array_equal(frames[0], np.asarray(picture))
    images = sampler.images(sampler.latents([7]))
    assert np.array_equal(to_pictures(images)[0], frames[0])
    assert sampler.grid(4).mode == "RGB"
    assert sampler.sample(7, size=48).mode == "RGBA"


def test_a_single_picture_is_saved_as_rgba(gankit_cli, transparent_run, sampler):
    answer = gankit_cli("sample", transparent_run, "--seeds", 7, "--out", "a.png")
    assert answer == (0, "a.png\n", "")
    assert np.array_equal(np.asarray(open_picture("a.png")), np.asarray(sampler.sample(7)))
    sample = ("sample", transparent_run, "--files", "--seeds", "3,4", "--size", 32, "--out", "f")
    assert gankit_cli(*sample).code == 0
    assert [open_picture(path).mode for path in sorted(Path("f").iterdir())] == ["RGBA"] * 2
    numbered = ("sample", transparent_run, "--seeds", 7, "--numbers", "--out", "n.png")
    assert gankit_cli(*numbered).code == 0
    assert open_picture("n.png").mode == "RGBA"


def test_a_jpg_lies_on_the_background_and_says_so(gankit_cli, transparent_run, sampler):
    answer = gankit_cli("sample", transparent_run, "--seeds", 7, "--out", "a.jpg")
    assert answer.code == 0
    assert "on white" in answer.out
    assert open_picture("a.jpg").mode == "RGB"
    grid = gankit_cli("sample", transparent_run, "--seeds", "7,8", "--out", "b.jpg")
    assert "on white" not in grid.out


def test_films_and_strips_lie_on_a_checkerboard(gankit_cli, transparent_run, sampler):
    frames = list(film_frames(sampler, sampler.latents([7, 8]), 32))
    expected = [on_checkerboard(sampler.sample(seed, size=32)) for seed in (7, 8)]
    assert [frame.mode for frame in frames] == ["RGB", "RGB"]
    pairs = zip(frames, expected, strict=True)
    assert all(np.abs(np.asarray(a).astype(int) - np.asarray(b)).max() <= 3 for a, b in pairs)
    film = ("sample", transparent_run, "--loop", "--count", 2, "--fps", 4, "--out", "a.webp")
    assert gankit_cli(*film).code == 0
    assert open_picture("a.webp").convert("RGBA").getchannel("A").getextrema() == (255, 255)
    assert (
        gankit_cli("sample", transparent_run, "--strip", "--count", 3, "--out", "s.png").code == 0
    )
    assert open_picture("s.png").mode == "RGB"


def test_pixel_art_is_enlarged_sharply(pixel_art, tmp_path, registry):
    run = gankit.compose(
        **settings(pixel_art, channels=4, resample="nearest", steps=2, batch_size=8),
        out=tmp_path / "run",
        report=False,
        tricks=[],
    )
    folder = gankit.train(run, registry=registry)
    sampler = gankit.load(folder, registry=registry)
    small = np.asarray(sampler.sample(3))
    assert np.array_equal(np.asarray(sampler.sample(3, size=64)), small.repeat(4, 0).repeat(4, 1))


def test_to_rgb_is_what_a_video_gets(tmp_path):
    """A video of RGBA pictures, as a plugin may give them, does not fail."""
    frames = [Image.new("RGBA", (16, 16), (255, 0, 0, 255))] * 2
    write_video(frames, tmp_path / "a.gif", 4)
    assert torch.tensor(np.asarray(open_picture(tmp_path / "a.gif").convert("RGB")))[0, 0, 0] > 200
