"""In the kernel of a notebook, a run shows one picture of itself, updated in place."""

import base64
import io
import re
import sys
import types
from itertools import count

import pytest
from PIL import Image

from gankit import compose, train


class Handle:
    """An output of a cell; it keeps all that it has shown."""

    def __init__(self, content):
        self.shown = [content]

    def update(self, content, raw):
        assert raw
        self.shown.append(content)


@pytest.fixture
def notebook(monkeypatch):
    """A module IPython that says that this is a kernel, and the outputs of its cell."""
    outputs = []

    def display(content, raw, display_id):
        assert raw
        assert display_id
        outputs.append(Handle(content))
        return outputs[-1]

    kernel = types.SimpleNamespace(kernel=object())
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: kernel
    ipython.display = types.ModuleType("IPython.display")
    ipython.display.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    return types.SimpleNamespace(outputs=outputs, ipython=ipython)


def pictures(content):
    """The pictures in an output of a cell."""
    data = re.findall(r"data:image/png;base64,([^\"]+)", content["text/html"])
    return [Image.open(io.BytesIO(base64.b64decode(text))) for text in data]


@pytest.fixture
def run(tiny, here):
    return compose(**tiny(tricks=["ema"], length="8 steps", log_every=1, draw_every=4), out="run")


def test_a_notebook_shows_the_step_the_curves_and_the_grid_in_two_outputs(
    run, notebook, monkeypatch, capsys
):
    clock = count(100, 2)
    monkeypatch.setattr("gankit.cli.console.notebook.time.monotonic", lambda: next(clock))
    train(run)
    status, grid = notebook.outputs
    texts = [content["text/plain"] for content in status.shown]
    assert ["step 3/8" in text for text in texts] == [False] * 3 + [True] + [False] * 6
    assert "d_loss" in texts[3]
    assert "ema" in texts[3]
    assert "finished" in texts[-1]
    (curves,) = pictures(status.shown[3])
    assert curves.width > 300
    assert [content["text/plain"][-1] for content in grid.shown] == ["0", "4", "8"]
    assert all(max(picture.size) <= 400 for c in grid.shown for picture in pictures(c))
    assert "step" not in capsys.readouterr().out  # no lines


def test_a_notebook_is_updated_at_most_once_a_second(run, notebook, monkeypatch):
    monkeypatch.setattr("gankit.cli.console.notebook.time.monotonic", lambda: 100.0)
    train(run)
    assert len(notebook.outputs[0].shown) == 3  # the start, one step, the end


def test_what_others_write_is_escaped(run, notebook):
    class Ender:
        def step_done(self, control):
            control.stop("<b>\x1b[31mred")

    train(run, observers=[Ender()])
    last = notebook.outputs[0].shown[-1]
    assert "<b>" not in last["text/html"]
    assert "\x1b" not in last["text/html"]
    assert "&lt;b&gt;" in last["text/html"]


@pytest.mark.parametrize("shell", [None, object()])
def test_ipython_without_a_kernel_gets_lines(run, notebook, capsys, shell):
    notebook.ipython.get_ipython = lambda: shell
    train(run)
    assert "step 8/8" in capsys.readouterr().out
    assert notebook.outputs == []


def test_plain_lines_can_be_chosen_in_a_notebook(run, notebook, capsys, monkeypatch):
    monkeypatch.setenv("GANKIT_PLAIN", "1")
    train(run)
    assert "step 8/8" in capsys.readouterr().out
    assert notebook.outputs == []
