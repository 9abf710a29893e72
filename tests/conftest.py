"""Fixtures for all tests: their own cache, the command line in this process, tiny runs."""

import gc
import importlib
import os
import shutil
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
from gankit.cli.console import Console
from gankit.cli.main import main
from gankit.cli.terminal.live_terminal import NOTEBOOK_VARIABLES
from gankit.core.parts.registry import load_registry
from gankit.training.assemble import assemble, resolve_auto
from gankit.training.settings.compose import compose
from gankit.training.train import train

DOCS = Path(__file__).parents[1] / "docs"
sys.path.insert(0, str(Path(__file__).parent))  # for browsing.py and sprites.py
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
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session", autouse=True)
def isolated(tmp_path_factory):
    """One thread, an own picture cache, no settings from the environment."""
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        chosen = ("GANKIT_", "CI", *NOTEBOOK_VARIABLES)  # some choose plain lines
        for name in [name for name in os.environ if name.startswith(chosen)]:
            patch.delenv(name)
        # other tests keep the cores busy
        patch.setattr("gankit.cli.console.busy.other_load", lambda: 0.0)
        folder = tmp_path_factory.getbasetemp()
        if "PYTEST_XDIST_WORKER" in os.environ:  # all workers share the cache
            folder = folder.parent
        patch.setenv("GANKIT_CACHE", str(folder / "cache"))
        yield


@pytest.fixture(scope="module", autouse=True)
def frozen():
    """One thread; and what modules created when they were imported is not collected as garbage.

    imageio collects garbage twice for each video.
    """
    torch.set_num_threads(1)  # whatever the module before has left
    gc.collect()
    gc.freeze()


class Torchrun:
    """`torchrun("a.py", cwd=folder)`: run a script in two processes; returns its output."""

    command = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    # A thread of a process group may abort Python if it still runs at exit: in 10 of 40 trials.
    leave_group = "\ntorch.distributed.barrier()\ntorch.distributed.destroy_process_group()\n"

    def __init__(self):
        self.environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def __call__(self, *words, cwd):
        options = {"env": self.environment, "capture_output": True, "text": True, "timeout": 100}
        return subprocess.run([*self.command, *words], cwd=cwd, check=False, **options)


@pytest.fixture(scope="session")
def torchrun(isolated):
    """Runs a script in two processes that communicate through gloo."""
    return Torchrun()


@pytest.fixture(scope="session")
def registry():
    """The parts that come with gankit."""
    return load_registry()


@pytest.fixture(scope="session")
def tiny():
    """`compose(**tiny(loss="hinge"))`: a run that trains in a fraction of a second."""
    return lambda **settings: {**TINY, **settings}


@pytest.fixture(scope="session")
def trainer_of(registry, tiny):
    """`trainer_of("ema", "r1", loss="hinge")`: the tiny run with these tricks, ready to step."""

    def build(*tricks, **settings):
        if "grow" in tricks:  # needs networks that can, and pictures above its first size
            settings = {"model": "grow64:base_channels=4", **settings}
            tricks = ["grow:start=8" if trick == "grow" else trick for trick in tricks]
        run = compose(registry, **tiny(tricks=tricks or ("none",), **settings))
        prepared = gankit.prepare(run, registry, lambda done, total: None)
        return assemble(resolve_auto(run, prepared), registry, prepared)

    return build


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The test's temporary folder, which is also the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def gankit_cli(here, capsys):
    """`gankit_cli("list", "trick")` -> (code, out, err): the command line, in this process."""

    def call(*args):
        capsys.readouterr()
        Console.warned.clear()  # each call stands for a new process
        with pytest.raises(SystemExit) as exit_info:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Answer(exit_info.value.code or 0, out, err)

    return call


@pytest.fixture
def gankit_run(gankit_cli):
    """`gankit_run("--loss", "hinge")`: `gankit run` with the tiny run's options and yours."""
    options = {"--" + k.replace("_", "-"): str(v) for k, v in TINY.items() if k != "length"}

    def call(*args, before=()):
        given = {arg for arg in args if str(arg).startswith("--")}
        length = () if given & {"--epochs", "--kimg", "--budget"} else ("--steps", 4)
        defaults = [arg for pair in options.items() if pair[0] not in given for arg in pair]
        return gankit_cli(*before, "run", *defaults, *length, *args)

    return call


@pytest.fixture(scope="session")
def trained(tmp_path_factory, registry):
    """The folder of a finished run of 8 steps, with checkpoints at 4 and 8; do not change it."""
    folder = tmp_path_factory.mktemp("runs") / "trained"
    settings = {**TINY, "length": "8 steps", "save_every": 4, "draw_every": 2, "log_every": 2}
    return train(compose(registry, **settings, tricks=["ema", "smooth-labels"], out=str(folder)))


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
def browser():
    """A Chromium without a window, for tests of pages; they are skipped where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("there is no Chromium: install the package chromium of your system")
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def docs_script():
    """`docs_script("write_races")`: a script in docs/ as a module, which tests may patch."""
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
    help_text = "How many generated sets of odd files to try; 0: the same few each time."
    parser.addoption("--odd-inputs", type=int, default=0, help=help_text)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Replace bytes of names that are not UTF-8: pytest-xdist could not send such a report."""
    report = yield
    report.sections = [(name, _to_utf_8(text)) for name, text in report.sections]
    if report.failed and _to_utf_8(str(report.longrepr)) != str(report.longrepr):
        report.longrepr = _to_utf_8(str(report.longrepr))
    return report


def _to_utf_8(text):
    return text.encode(errors="replace").decode()


@pytest.fixture(scope="session")
def sprites(tmp_path_factory):
    """A folder of 40 soft sprites of 24 px with hidden colours."""
    folder = tmp_path_factory.mktemp("sprites")
    from sprites import draw_sprites

    for number, pixels in enumerate(draw_sprites(40)):
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
    return folder


@pytest.fixture(scope="session")
def pixel_art(tmp_path_factory):
    """A folder of 40 figures of 16 px, each pixel saved as a square of 8."""
    folder = tmp_path_factory.mktemp("art")
    from sprites import draw_pixel_art

    for number, pixels in enumerate(draw_pixel_art(40)):
        Image.fromarray(pixels.repeat(8, 0).repeat(8, 1)).save(folder / f"{number:02}.png")
    return folder


@pytest.fixture(scope="session")
def transparent_run(sprites, tmp_path_factory, registry):
    """The folder of a tiny run of sprites with --channels 4."""
    out = tmp_path_factory.mktemp("runs") / "transparent"
    settings = {**TINY, "dataset": None, "data": str(sprites), "channels": 4, "out": out}
    settings |= {"tricks": ["diffaugment"], "flip": False}
    train(compose(registry, **settings), registry=registry)
    return out
