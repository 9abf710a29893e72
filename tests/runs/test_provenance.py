"""Pictures and videos say where they come from, and files of others are read with care."""

import json
import os
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from gankit_metrics.metrics_file import save_metric_picture
from gankit_race.report.grids_picture import write_grids_picture
from gankit_race.report.report import Report
from gankit_race.results import Row
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from gankit import GankitError
from gankit.core.parts.choice import Choice
from gankit.data.find.kinds import is_own_picture
from gankit.runs.grids import list_grids
from gankit.runs.images import save_picture
from gankit.runs.provenance import MAX_LETTERS, Provenance, read_provenance
from gankit.runs.video import write_video
from gankit.training.run_folder.run_file import recorded_run

FULL = Provenance("gankit run --data '\u2603 {kittens}' --seed 7", "gankit run " + "x" * 3000, 7, 9)
COMMENT = 'made by gankit {"version": "9", "command": "%s", "seed": 7}'
PNG = "a.png"


def picture():
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    "name", [PNG, "a.jpg", "a.gif", "a.webp", "film.gif", "film.webp", "film.mp4"]
)
def test_each_format_keeps_it_and_the_mark(tmp_path, name):
    path = tmp_path / name
    if name.startswith("film"):
        write_video([picture(), picture().rotate(90)], path, 8, FULL)
    else:
        save_picture(picture(), path, FULL)
    assert read_provenance(path) == FULL
    if path.suffix != ".mp4":  # which --data does not read
        assert is_own_picture(name, path, path.read_bytes()[:1024])


def test_what_is_too_long_is_left_out(tmp_path):
    save_picture(picture(), tmp_path / PNG, Provenance("x" * (MAX_LETTERS + 1), seed=2**128 - 1))
    read = read_provenance(tmp_path / PNG)
    assert (read.command, read.seed) == ("", 2**128 - 1)


def test_grids_and_the_video_of_a_run_name_its_command(trained):
    command = json.loads((trained / "run.json").read_text())["command"]
    for step, path in list_grids(trained):
        assert read_provenance(path) == Provenance(command, "", 0, step)
    assert read_provenance(trained / "progress.mp4") == Provenance(command, "", 0, 8)


@pytest.mark.parametrize(
    ("options", "file", "seed"),
    [
        (("--count", 4, "--seed", 3), "out.png", 3),
        (("--count", 4, "--checkpoint", 4), "out.webp", 0),
        (("--strip", "--count", 3), "out.jpg", 0),
        (("--loop", "--count", 2), "out.mp4", 0),
        (("--history",), "out.mp4", 0),
        (("--files", "--count", 2, "--seed", 5), "out/000006.png", 6),
    ],
)
def test_the_command_of_a_sample_draws_it_again(gankit_cli, trained, here, options, file, seed):
    out = here / Path(file).parts[0]
    answer = gankit_cli("sample", trained, *options, "--out", out)
    assert answer.code == 0
    assert out.exists(), (answer, Path.cwd())
    provenance = read_provenance(here / file)
    assert provenance.run == read_provenance(trained / "progress.mp4").command
    assert (provenance.seed, provenance.step) == (seed, 4 if 4 in options[3:] else 8)
    again = here / f"again{Path(file).suffix}"
    words = shlex.split(provenance.command)
    assert gankit_cli(*words[1:], "--out", again).code == 0
    assert read_provenance(again) == provenance
    if again.suffix != ".mp4":  # a busy computer encodes in another order
        assert again.read_bytes() == (here / file).read_bytes()


def test_previews_races_and_measurements_say_it_too(gankit_run, trained, here):
    assert gankit_run("--preview", "p.png", "--seed", 4).code == 0
    preview = read_provenance(here / "p.png")
    assert preview.command.endswith("--preview p.png")
    assert (preview.seed, preview.step) == (4, 0)
    rows = [Row(variant="a", seed=5, folder=str(trained), steps=8)]
    variants = [("a", recorded_run(trained))]
    write_grids_picture(Report("", "gankit race 1", variants, rows, 1, here), here / "r.png")
    assert read_provenance(here / "r.png") == Provenance("gankit race 1", "", 5, 8)
    run = shutil.copytree(trained, here / "run")
    path = save_metric_picture(np.zeros((9, 9, 3), np.uint8), run, 8, Choice.parse("swd"), 20)
    measured = read_provenance(Path(path))
    assert measured.command.split()[:5] == ["gankit", "evaluate", "run", "--metric", "swd"]
    assert (measured.run, measured.step) == (read_provenance(run / "progress.mp4").command, 8)


def test_a_run_without_its_run_json_still_says_the_step(tmp_path):
    from gankit.runs.provenance import of_run

    assert of_run(tmp_path, 3) == Provenance("", "", None, 3)


# ------------------------------------------------------------------------------ gankit show FILE


def test_show_prints_all_of_it(gankit_cli, here):
    save_picture(picture(), here / PNG, FULL)
    code, out, err = gankit_cli("show", PNG)
    assert (code, err) == (0, "")
    assert {FULL.command, FULL.run, "7", "9", f"gankit {FULL.version}"} <= {
        line[16:] for line in out.splitlines()
    }


def with_text(path, **texts):
    chunks = PngInfo()
    for key, text in texts.items():
        chunks.add_text(key, text)
    picture().save(path, pnginfo=chunks)


def test_a_part_comes_before_a_file_of_its_name(gankit_cli, here):
    save_picture(picture(), here / "ema.png")
    (here / "ema.png").rename("ema")
    assert "trick ema" in gankit_cli("show", "ema").out
    assert "made by" in gankit_cli("show", "./ema").out


OTHERS = {
    "nothing": {},
    "another comment": {"Comment": "made by hand {}"},
    "another program": {"Software": "gankit", "command": "rm", "parameters": "seed: 7"},
    "no json": {"Comment": "made by gankit {command}"},
    "a list": {"Comment": "made by gankit [7]"},
    "too deep": {"Comment": 'made by gankit {"a":' + "[" * 50_000},
    "too long": {"Comment": COMMENT % ("x" * 200_000)},
}


@pytest.mark.parametrize("texts", OTHERS.values(), ids=OTHERS)
def test_texts_of_other_programs_are_not_shown(gankit_cli, here, texts):
    with_text(here / PNG, **texts)
    code, out, err = gankit_cli("show", PNG)
    assert (code, err) == (0, "")
    (line,) = out.splitlines()
    assert PNG in line


def test_an_older_picture_says_who_made_it(gankit_cli, here):
    with_text(here / PNG, Comment="made by gankit")
    assert gankit_cli("show", PNG).out.split() == [PNG, "made", "by", "gankit"]


def test_hostile_text_is_shown_harmless(gankit_cli, here):
    with_text(here / PNG, Comment=COMMENT % r"\u001b]0;x\u0007\r\nseed 5\u202e")
    out = gankit_cli("show", PNG).out
    assert len(out.splitlines()) == 4  # the file, gankit, the command, the seed
    assert not set("\x1b\x07\r\u202e") & set(out)
    wrong_types = '{"seed": "7", "step": true, "version": ["9"], "command": {"a": 1}, "more": 1}'
    with_text(here / PNG, Comment=f"made by gankit {wrong_types}")
    assert read_provenance(here / PNG) == Provenance(version="")
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "\x1b[2J"
    picture().save(here / "a.webp", exif=exif)
    assert read_provenance(here / "a.webp") is None


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\x89PNG\r\n\x1a\n\0", b"\0\0\0\x20ftypisom", b"%!PS-Adobe-3.0"]
)
def test_a_file_that_is_no_picture_is_an_error(gankit_cli, here, content):
    (here / PNG).write_bytes(content)
    code, out, err = gankit_cli("show", PNG)
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert {PNG, ".mp4"} <= set(line.replace(":", "").split())


def test_a_missing_file_is_named(gankit_cli, here):
    code, _, err = gankit_cli("show", "nowhere.png")
    assert code == 2
    assert "nowhere.png: No such file" in err


@pytest.mark.skipif(os.name != "posix", reason="needs a pipe with a name")
def test_a_pipe_is_not_read(here):
    os.mkfifo(here / PNG)
    with pytest.raises(GankitError, match=PNG):
        read_provenance(here / PNG)
