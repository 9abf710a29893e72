"""What every test may use: a cache of its own, the command line in process, runs of a moment."""

import importlib
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image

import gankit
from gankit.cli.main import main
from gankit.core.registry import load_registry
from gankit.training.assemble import assemble, resolve_auto
from gankit.training.compose import compose
from gankit.training.loop import train

DOCS = Path(__file__).parents[1] / "docs"
TINY = {
    "dataset": "petals:count=64",
    "model": "dcgan64:base_channels=4",
    "image_size": 16,
    "batch_size": 8,
    "length": "4 steps",
    "device": "cpu",
    "precision": "32",
}


class Answer(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session", autouse=True)
def apart(tmp_path_factory):
    """One thread, a picture cache of the tests' own, no settings from the environment."""
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("GANKIT_")]:
            patch.delenv(name)
        # other tests keep the cores busy
        patch.setattr("gankit.cli.console.busy.load", lambda: 0.0)
        place = tmp_path_factory.getbasetemp()
        place = place.parent if "PYTEST_XDIST_WORKER" in os.environ else place  # shared by all
        patch.setenv("GANKIT_CACHE", str(place / "cache"))
        yield


class Torchrun:
    """`torchrun("a.py", cwd=here)`: what two processes said, and how they ended."""

    two = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    # A thread of a group still there at Python's end may abort it: 10 times in 40, measured.
    leave = "\ntorch.distributed.barrier()\ntorch.distributed.destroy_process_group()\n"

    def __init__(self):
        self.environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def __call__(self, *words, cwd):
        how = {"env": self.environment, "capture_output": True, "text": True, "timeout": 100}
        return subprocess.run([*self.two, *words], cwd=cwd, check=False, **how)


@pytest.fixture(scope="session")
def torchrun(apart):
    """Runs a program as two processes that talk through gloo."""
    return Torchrun()


@pytest.fixture(scope="session")
def registry():
    """The parts that come with gankit."""
    return load_registry()


@pytest.fixture(scope="session")
def tiny():
    """`compose(**tiny(loss="hinge"))`: a run that trains in a fraction of a second."""
    return lambda **asked: {**TINY, **asked}


@pytest.fixture(scope="session")
def trainer_of(registry, tiny):
    """`trainer_of("ema", "r1", loss="hinge")`: the tiny run with these tricks, ready to step."""

    def build(*tricks, **asked):
        run = compose(registry, **tiny(tricks=tricks or ("none",), **asked))
        prepared = gankit.prepare(run, registry, lambda done, total: None)
        return assemble(resolve_auto(run, prepared), registry, prepared)

    return build


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The test's own folder, which is the working directory too."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def gankit_cli(here, capsys):
    """`gankit_cli("list", "trick")` -> (code, out, err): the command line, in this process."""

    def call(*args):
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Answer(left.value.code or 0, out, err)

    return call


@pytest.fixture
def gankit_run(gankit_cli):
    """`gankit_run("--loss", "hinge")`: `gankit run` with the tiny run's options before yours."""
    options = {"--" + k.replace("_", "-"): str(v) for k, v in TINY.items() if k != "length"}

    def call(*args, before=()):
        given = {word for word in args if str(word).startswith("--")}
        length = () if given & {"--epochs", "--kimg", "--budget"} else ("--steps", 4)
        words = [word for pair in options.items() if pair[0] not in given for word in pair]
        return gankit_cli(*before, "run", *words, *length, *args)

    return call


@pytest.fixture(scope="session")
def trained(tmp_path_factory, registry):
    """The folder of a finished run of 8 steps with a checkpoint at 4 and 8; only to be read."""
    folder = tmp_path_factory.mktemp("runs") / "trained"
    asked = {**TINY, "length": "8 steps", "save_every": 4, "draw_every": 2, "log_every": 2}
    return train(compose(registry, **asked, tricks=["ema", "smooth-labels"], out=str(folder)))


@pytest.fixture
def pictures_folder(tmp_path):
    """A folder of twelve small random pictures, some PNG and some JPEG."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    random = np.random.default_rng(7)
    for index in range(12):
        pixels = random.integers(0, 256, (20 + index, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:02d}.{'png' if index % 2 else 'jpg'}")
    return folder


@pytest.fixture
def plugin_file(tmp_path):
    """`plugin_file(source)`: a one-file plugin for `gankit -p FILE`."""

    def write(source, name="mine"):
        path = tmp_path / f"{name}.py"
        path.write_text("from gankit import *\n" + textwrap.dedent(source), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="module")
def docs_script():
    """`docs_script("write_races")`: a script in docs/ as a module, which its tests may change."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))
        yield importlib.import_module
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or "").parent == DOCS:
            del sys.modules[name]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """`installed("foreign", source)`: a plugin that looks as if pip had installed it."""

    def install(name, source, version="1.2.3"):
        site = tmp_path / "site"
        info = site / f"{name}_dist-{version}.dist-info"
        info.mkdir(parents=True)
        header = "from gankit import *\n" if source.strip() else ""
        (site / f"{name}_module.py").write_text(header + textwrap.dedent(source), encoding="utf-8")
        about = f"Metadata-Version: 2.1\nName: {name}-dist\nVersion: {version}\n"
        (info / "METADATA").write_text(about, encoding="utf-8")
        points = f"[gankit]\n{name} = {name}_module\n"
        (info / "entry_points.txt").write_text(points, encoding="utf-8")
        monkeypatch.syspath_prepend(site)
        return site

    return install


def pytest_addoption(parser):
    help_text = "How many runs the resume test kills with SIGKILL, each until it ends by itself."
    parser.addoption("--killed-runs", type=int, default=1, help=help_text)
