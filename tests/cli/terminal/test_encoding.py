"""Names that the output cannot spell: every command prints, and every file is valid UTF-8."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from gankit import compose, load_registry, train
from gankit.cli.console.live import LiveView
from gankit.cli.main import main
from gankit.cli.page.render import render_page
from gankit.core.files.atomic_write import write_atomically

RUN = ("--image-size", "16", "--model", "dcgan64:base_channels=4", "--batch-size", "8",
       "--device", "cpu", "--precision", "32", "--steps", "4")  # fmt: skip
ENCODINGS = ["cp1252", "ascii", "utf-8"]
UNICODE = "日本-\U0001f33c"
NOT_UTF_8 = "kaf\udce9"  # the name b"kaf\xe9", as Python reads it
NAMES = [UNICODE, NOT_UTF_8]
if sys.platform in ("win32", "darwin"):  # every name is Unicode there
    NAMES = [UNICODE]


@pytest.fixture
def call(here, monkeypatch):
    """`call("cp1252", "list")` -> (code, out, err): the command line in this process, with output
    in this encoding, which is strict as in a pipe."""

    def run(encoding, *args):
        streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2)]
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", streams[0])
            patch.setattr(sys, "stderr", streams[1])
            with pytest.raises(SystemExit) as stopped:
                main([str(arg) for arg in args])
        for stream in streams:
            stream.flush()
        # click writes UTF-8 instead of ASCII
        written = "utf-8" if encoding == "ascii" else encoding
        out, err = (stream.buffer.getvalue().decode(written) for stream in streams)
        assert "unexpected" not in out + err
        assert "UnicodeEncodeError" not in out + err
        return SimpleNamespace(code=stopped.value.code or 0, out=out, err=err)

    return run


@pytest.fixture(params=NAMES, ids=["unicode", "bytes"][: len(NAMES)])
def pictures(request, pictures_folder):
    """A folder with such a name, a class folder and a broken picture with such names."""
    folder = pictures_folder.with_name(request.param)
    pictures_folder.rename(folder)
    for number in range(12):
        for copy in range(4):
            noise = np.random.default_rng([number, copy]).integers(0, 255, (20, 20, 3), np.uint8)
            Image.fromarray(noise).save(folder / f"{request.param}-{copy}-{number:02d}.png")
    (folder / f"klasse-{request.param}").mkdir()
    (folder / "00.jpg").rename(folder / f"klasse-{request.param}" / "00.jpg")
    (folder / f"{request.param}.png").write_bytes(b"not a picture")
    return folder


def assert_is_utf_8(folder):
    paths = [path for ending in ("json", "csv", "html") for path in folder.rglob(f"*.{ending}")]
    for path in paths:
        text = path.read_bytes().decode("utf-8")  # raises if it is not
        if path.suffix == ".json":
            json.loads(text)
        if path.suffix == ".csv":
            assert list(csv.DictReader(io.StringIO(text)))
    return {path.name for path in paths}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_data_check_prints_everything(encoding, pictures, call):
    done = call(encoding, "data", "check", pictures)
    assert done.code == 0
    assert re.search(r"\b1 picture\b|\b1 file\b", done.out)
    assert "gankit run --data" in done.out  # the last part of the report
    page = pictures.parent / f"{pictures.name}.html"
    done = call(encoding, "data", "check", pictures, "--page", page)
    assert done.code == 0
    assert "</html>" in page.read_text(encoding="utf-8")
    done = call(encoding, "data", "check", pictures, "--json")
    report = json.loads(done.out)
    assert done.out.isascii()
    assert report["source"] == ["--data", str(pictures)]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_run_and_what_follows_print_everything(encoding, pictures, call):
    out = pictures.parent / f"run-{pictures.name}"
    done = call(encoding, "run", "--data", pictures, *RUN, "--out", out, "--metric", "swd")
    assert done.code == 0
    assert "console" not in done.err
    for line in ("gankit run --dataset folder", "training: 4 steps", "finished after", "video:"):
        assert line in done.out
    assert "skipped 1 file" in done.err
    assert (out / "progress.mp4").exists()
    assert json.loads((out / "run.json").read_bytes())["data"] == [f"../{pictures.name}"]
    done = call(encoding, "run", "--resume", out, "--steps", 6)
    assert done.code == 0
    assert "step 6 of 6" in done.out
    assert call(encoding, "sample", out).code == 0
    done = call(encoding, "evaluate", out, "--metric", "swd")
    assert done.code == 0
    assert "swd" in done.out
    assert {"run.json", "log.csv", "metrics.json", "metrics.csv"} <= assert_is_utf_8(out)


def test_a_race_prints_everything_and_writes_utf_8(pictures, call):
    races = [pictures.parent / f"{kind}-{pictures.name}" for kind in ("race", "compared")]
    options = ("--budget", "4steps", "--seeds", "1", "--metric", "swd", "--out", races[0])
    fewer = pictures.with_name(f"fewer-{pictures.name}")
    shutil.copytree(pictures, fewer)
    (fewer / "01.png").unlink()
    vary = f"data={pictures},{fewer}"
    done = call("cp1252", "race", *RUN[:-2], "--vary", vary, *options)
    assert done.code == 0
    assert "race.html" in done.out
    folders = sorted(path.parent for path in races[0].rglob("run.json"))
    done = call("cp1252", "compare", *folders, "--metric", "swd", "--out", races[1])
    assert done.code == 0
    for race in races:
        assert {"results.json", "results.csv", "race.html"} <= assert_is_utf_8(race)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_errors_name_what_was_given(encoding, name, call):
    for args in (
        ("run", "--data", name),
        ("run", "--recipe", name),
        ("run", "--trick", f"{name}:a=1"),
        ("run", "--config", name),
        ("run", "--resume", name),
        ("-p", f"{name}.py", "list"),
        ("show", name),
        ("sample", name),
        ("evaluate", name),
        ("compare", name),
        ("race", "--resume", name),
        ("data", "check", name),
        ("new", "plugin", name),
        (name,),
    ):
        done = call(encoding, *args)
        assert done.code == 2, args
        assert done.err.count("\n") == 1
        assert done.err.startswith("gankit: ")
        assert any(part in done.err for part in ("-\U0001f33c", "kaf", "?-?"))


def test_a_program_that_trains_prints_everything(tiny, tmp_path, monkeypatch):
    """Not only the command line: a script whose output is piped, on Windows."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", stream)
    train(compose(**tiny(out=str(tmp_path / UNICODE))), load_registry())
    stream.flush()
    text = stream.buffer.getvalue().decode("cp1252")
    assert "training: 4 steps" in text
    assert "finished after" in text


class Cp1252Terminal(io.TextIOWrapper):
    def isatty(self):
        return True


def test_the_live_view_draws_curves_without_unicode(registry, tiny, tmp_path, monkeypatch):
    stream = Cp1252Terminal(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr("gankit.cli.console.live.MAX_PAUSE", 0.0)  # draw every step
    monkeypatch.setenv("TERM", "xterm")
    from rich.console import Console

    run = compose(registry, **tiny(out=str(tmp_path / "run")))
    gan = SimpleNamespace(step=0, phase=0, phases=[])
    view = LiveView(run, gan, Console(file=stream, width=80))
    for step in range(1, 30):
        numbers = {"d_loss": step / 30, "g_loss": 1.0, "d_real": 0.5, "d_fake": 0.5}
        view.step_done(step, {**numbers, "seconds": step, "activity": {}})
    view.live.stop()
    stream.flush()
    text = stream.buffer.getvalue().decode("cp1252")
    assert "_.-~=+*#" in re.sub(r"(.)\1+", r"\1", text)


def test_pages_and_files_are_utf_8(tmp_path):
    page = render_page(
        "gankit_race", "race.html", title=NOT_UTF_8, command=NOT_UTF_8, comparisons=[],
        notes=[NOT_UTF_8], grids={}, losses=[], runs=[], columns=[],
    )  # fmt: skip
    write_atomically(tmp_path / "page.html", page)
    assert "kaf?" in (tmp_path / "page.html").read_bytes().decode("utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="locales of POSIX")
def test_a_new_process_in_the_c_locale(pictures):
    """As in a container without a locale, where Python itself must not choose UTF-8."""
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    argv = [sys.executable, "-m", "gankit", "data", "check", os.fsencode(pictures)]
    done = subprocess.run(argv, env=environment, capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stderr == b""
    assert b"gankit run --data" in done.stdout
