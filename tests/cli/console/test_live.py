"""The live view in a terminal: a row of pictures where there is room, and few redrawings."""

import io
import re
from types import SimpleNamespace

import pytest
import torch

from gankit.cli.console import live
from gankit.cli.terminal.half_blocks import BLOCK
from gankit.cli.terminal.rich_console import OutputConsole
from gankit.training.checkpoints.best import Score
from gankit.training.settings.compose import compose

CLEAR = "\x1b[2J"


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def view_of(registry, tiny, here, monkeypatch):
    """`view_of(width=80, height=24)`: the view of a run that has drawn its first grid."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")

    def make(width=80, height=24):
        console = OutputConsole(file=Terminal(), width=width, height=height)
        run = compose(registry, **tiny(tricks=["ema"], out="run"))
        view = live.LiveView(run, SimpleNamespace(step=0, phase=0, phases=[]), console)
        view.samples_drawn(here / "run" / "samples" / "000000.png", torch.zeros(64, 3, 32, 32))
        return view

    return make


def log(view, step):
    scalars = {"d_loss": 1.0, "g_loss": 2.0, "d_real": 0.5, "d_fake": 0.5, "seconds": step}
    view.step_done(step, {**scalars, "activity": {"ema": "decay 0.9"}})


def new_output(view):
    terminal = view.console.file
    text = terminal.getvalue()
    terminal.seek(0)
    terminal.truncate()
    return text


def end(view):
    view.finished({"state": "finished", "step": 4, "seconds": 1.0, "tricks": {}})
    return new_output(view)


@pytest.mark.parametrize(
    ("width", "height", "pictures"),
    [(80, 24, 4), (200, 50, 8), (60, 24, 3), (40, 30, 2), (80, 12, 0), (20, 5, 0)],
)
def test_a_row_of_pictures_fits_the_terminal(view_of, width, height, pictures):
    view = view_of(width, height)
    log(view, 1)
    lines = view.live.get_renderable().renderables
    rows = view.console.render_lines(view.live.get_renderable(), pad=False)
    drawn = [line for line in rows if any(BLOCK in segment.text for segment in line)]
    assert len(lines) == (6 if pictures else 5)
    assert len(drawn) == (9 if pictures else 0)
    for line in drawn:
        assert sum(BLOCK in segment.text for segment in line) == pictures * 18
    if pictures:
        assert len(rows) < height
    assert (BLOCK in new_output(view)) is bool(pictures)
    end(view)


def test_a_new_grid_is_drawn_at_once_and_steps_seldom(view_of, monkeypatch):
    view = view_of()
    now = iter(range(10**6))
    monkeypatch.setattr(live.time, "monotonic", lambda: next(now) / 1000)  # a drawing takes 1 ms
    log(view, 1)
    new_output(view)
    for step in range(2, 90):  # in the next 0.1 s
        log(view, step)
    assert new_output(view) == ""
    view.samples_drawn(view.grid, torch.ones(64, 3, 32, 32))
    assert "step 89/" in new_output(view)
    assert "step 89/" in end(view)


def test_the_last_step_is_shown(view_of, monkeypatch):
    view = view_of()
    monkeypatch.setattr(view, "next_draw", float("inf"))
    log(view, 3)
    assert "step 3/" in end(view)


def test_a_narrower_terminal_is_cleared_before_the_view_is_drawn(view_of):
    view = view_of(80)
    log(view, 1)
    new_output(view)
    for width, is_cleared in ((60, True), (60, False), (100, False)):
        view.console.size = (width, 24)
        view.samples_drawn(view.grid, torch.zeros(64, 3, 32, 32))
        text = new_output(view)
        assert (CLEAR in text) is is_cleared
        shown = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in text.split("\n")]
        assert max(map(len, shown)) <= width
    end(view)


def test_the_best_measurement_so_far_is_shown(view_of):
    view = view_of()
    log(view, 1)
    assert "best:" not in new_output(view)
    view.best = Score("swd", 1200, 0.31, 0.29, 0.33, "lower")
    assert "best: swd 0.31 (0.29 to 0.33) at step 1,200" in end(view)
