"""The page of a run, or of two runs side by side: one HTML file that needs no other file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gankit.cli.check_output import write_page
from gankit.cli.page.render import render_page
from gankit.core.files.portable_path import hide_home
from gankit.core.parts.registry import Registry
from gankit.core.printable import printable
from gankit.core.run.all_stages import tricks_of_all_stages
from gankit.core.run.settings import command_line
from gankit.training.checkpoints.named_checkpoint import Step
from gankit_report.draw import BOTTOM, HEIGHT, LEFT, WIDTH, draw_panels, x_axis
from gankit_report.film import MAX_LETTERS, Film, make_film
from gankit_report.findings import Stretch, stretches
from gankit_report.headline import Number, facts, measuring_command, three_numbers
from gankit_report.moments import page_moments
from gankit_report.panels import make_panels
from gankit_report.recorded import Recorded, read_recorded
from gankit_report.settings_table import settings_tables

if TYPE_CHECKING:
    from gankit_report.opened import Opened

MAX_ACTIVITIES = 200  # texts of a trick
ROUGH_STOPS = 60  # of the slider, for runs without grids


@dataclass(frozen=True)
class RunOnPage:
    """One run as the template shows it."""

    name: str
    recorded: Recorded
    numbers: Sequence[Number]
    facts: Sequence[str]
    not_measured: str  # the command that measures it; empty if it was measured
    film: Film
    stretches: Sequence[Stretch]
    moments: Sequence[dict[str, Any]]
    command: str  # that repeats it


def render_report(
    folders: Sequence[Path],
    registry: Registry | None = None,
    *,
    examine: bool = False,
    follows: bool = False,
    has_grids: bool = True,
    checkpoint: Step = None,
) -> str:
    """The page of the runs in one or two folders, as HTML. GankitError if one is not a run.

    `examine`: let the doctor look at runs that were trained without it, which takes some seconds.
    `follows`: the page asks its server for what is new. `has_grids`: it holds all grids, not only
    the last one. `checkpoint`: of a single run, at which the page opens.
    """
    opened = _open_at(folders[0], checkpoint, registry)
    recorded = [read_recorded(folder, registry, examine=examine) for folder in folders]
    last_step = max(run.last_step for run in recorded)
    if opened:
        last_step = max(last_step, opened.step)
    max_letters = MAX_LETTERS // len(recorded)
    runs = [
        _prepare(
            run,
            name,
            last_step,
            max_letters,
            page_moments(run.run.folder, registry, examine=examine),
            opened,
        )
        for run, name in zip(recorded, names_of(folders), strict=True)
    ]
    values = _values_of(recorded, runs, last_step)
    values |= {"follows": follows, "has_grids": has_grids}
    values["start"] = opened.step if opened else last_step
    return hide_home(render_page("gankit_report", "report.html", **values))


def _open_at(folder: Path, checkpoint: Step, registry: Registry | None) -> Opened | None:
    """The checkpoint at which the page opens; None for the end of the run. GankitError."""
    if checkpoint is None:
        return None
    from gankit_report.opened import open_at  # imports torch

    return open_at(folder, checkpoint, registry)


def _values_of(
    recorded: Sequence[Recorded], runs: Sequence[RunOnPage], last_step: int
) -> dict[str, Any]:
    """What the template shows of the runs: name -> value."""
    drawings, numbers = draw_panels(make_panels(recorded), last_step, [run.run for run in recorded])
    different, common = settings_tables(recorded)
    axis = x_axis(last_step)
    return {
        "title": " and ".join(run.name for run in runs),
        "runs": runs,
        "drawings": drawings,
        "different": different if len(runs) > 1 else [],
        "settings": common if len(runs) > 1 else [*different, *common],
        "chart": {"width": WIDTH, "height": HEIGHT, "left": LEFT, "bottom": HEIGHT - BOTTOM},
        "x_ticks": [(f"{step:,.0f}", x) for step, x in axis.ticks() if step == int(step)],
        "last_step": last_step,
        "data": {
            "last": last_step,
            "left": axis.px(0),
            "right": axis.px(last_step),
            "runs": [_for_script(run, series) for run, series in zip(runs, numbers, strict=True)],
        },
    }


def write_report(
    folders: Sequence[Path],
    out: Path,
    registry: Registry | None = None,
    *,
    examine: bool = False,
    checkpoint: Step = None,
) -> Path:
    """Write the page of the runs in one or two folders; returns `out`. GankitError."""
    page = render_report(folders, registry, examine=examine, checkpoint=checkpoint)
    return write_page(out, page)


def names_of(folders: Sequence[Path]) -> list[str]:
    """The names of folders, with as many folders around them as it takes to tell them apart."""
    paths = [folder.resolve().parts for folder in folders]
    for length in range(1, max(map(len, paths)) + 1):
        names = ["/".join(parts[-length:]) for parts in paths]
        if len(set(names)) == len(set(paths)):
            break
    return names


def _prepare(
    recorded: Recorded,
    name: str,
    last_step: int,
    max_letters: int,
    moments: Sequence[dict[str, Any]],
    opened: Opened | None,
) -> RunOnPage:
    film = make_film(recorded.grids, max_letters)
    return RunOnPage(
        name=name,
        recorded=recorded,
        numbers=three_numbers(recorded),
        facts=facts(recorded),
        not_measured=measuring_command(recorded),
        film=opened.add_to(film) if opened else film,
        stretches=stretches(recorded.verdict, recorded.last_step, last_step),
        moments=moments,
        command=command_line(recorded.run),
    )


def _for_script(run: RunOnPage, series: list[dict[str, Any]]) -> dict[str, Any]:
    """Numbers of a run for the script: no names, which may be hostile."""
    steps = [frame.step for frame in run.film.frames]
    log_steps = run.recorded.steps
    rough = log_steps[:: -(-len(log_steps) // ROUGH_STOPS) or 1]
    return {
        "end": run.recorded.last_step,
        "grids": steps,
        "stops": steps if len(steps) > 1 else sorted({*rough, run.recorded.last_step}),
        "series": series,
        "findings": [[s.since, s.until] for s in run.stretches],
        "moments": [moment["step"] for moment in run.moments],
        "activities": _activities(run.recorded),
    }


def _activities(recorded: Recorded) -> list[dict[str, Any]]:
    """What each trick said that it did: steps and texts."""
    activities = []
    for trick in tricks_of_all_stages(recorded.run):
        texts = recorded.log.get(trick.name, ())
        pairs = [pair for pair in zip(recorded.steps, texts, strict=False) if pair[1]]
        pairs = pairs[::-1][:: -(-len(pairs) // MAX_ACTIVITIES) or 1][::-1]
        shown = [printable(text) for _, text in pairs]
        activities.append({"steps": [step for step, _ in pairs], "texts": shown})
    return activities
