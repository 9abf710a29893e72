"""The page that one plays with: one HTML file that draws a run's pictures itself."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from gankit.cli import check_output
from gankit.cli.page.render import render_page
from gankit.cli.sample.output import sample_words
from gankit.core.files.portable_path import hide_home
from gankit.core.printable import printable
from gankit.core.run.settings import Run, command_about, command_line
from gankit.core.shell import quote_word
from gankit.core.version import __version__
from gankit.data.alpha import ALPHA
from gankit.runs.provenance import of_run
from gankit.runs.sampler import Sampler
from gankit.training.checkpoints.checkpoint import list_checkpoints, step_of
from gankit_explore import engine
from gankit_explore.directions import REACH, Direction, find_directions
from gankit_explore.program.check import require_same_pictures
from gankit_explore.program.class_inputs import with_class_inputs
from gankit_explore.program.lower import lower_sampler
from gankit_explore.program.program import Program

Checkpoint = TypeVar("Checkpoint")  # a sampler, or a step
MAX_CHECKPOINTS = 8  # on a page; each adds G's weights to it
TOOLS = {
    "garden": "Garden",
    "walk": "Walk",
    "sliders": "Sliders",
    "arithmetic": "Arithmetic",
    "map": "Map",
    "units": "Units",
}
SCRIPTS = (  # in the order of the page; each is a file of templates/explore
    *("elements", "spot", "place", "drawer", "png", "record", "stage", "classes", "tray"),
    *("garden", "walk", "sliders", "arithmetic", "map", "travel", "units", "tools"),
)


def render(samplers: Sequence[Sampler], *, title: str, follow: bool = False) -> str:
    """The HTML of the page for checkpoints of one run, in the order of their steps.

    With `follow`, the page asks its server for new checkpoints. Of more than eight checkpoints,
    eight are on the page. GankitError if G has an operation that the page cannot draw.
    """
    chosen = thin_out(samplers)
    programs = [lower_sampler(sampler) for sampler in chosen]
    return _render(chosen, programs, title, describe_thinning(len(chosen), len(samplers)), follow)


def write_page(samplers: Sequence[Sampler], path: Path, available: int = 0) -> list[str]:
    """Write the page of checkpoints of one run; returns what is worth telling, as sentences.

    `available`: how many checkpoints the run has, if these are fewer. GankitError if it cannot be
    written, or would draw other pictures than PyTorch.
    """
    chosen = thin_out(samplers)
    programs = [lower_sampler(sampler) for sampler in chosen]
    pairs = zip(programs, chosen, strict=True)
    levels = max(_compare(program, sampler) for program, sampler in pairs)
    title = samplers[-1].run.folder.resolve().name
    thinned = describe_thinning(len(chosen), available or len(samplers))
    check_output.write_page(path, _render(chosen, programs, title, thinned, follow=False))
    size = path.stat().st_size
    sentences = [
        f"The page has {size / 1e6:.1f} MB.",
        f"Its pictures differ from PyTorch's by at most {levels:.1f} of 255 levels.",
        thinned,
    ]
    return [sentence for sentence in sentences if sentence]


def thin_out(checkpoints: Sequence[Checkpoint]) -> list[Checkpoint]:
    """At most eight checkpoints, evenly over the given ones; the first and the last are kept."""
    last = len(checkpoints) - 1
    places = np.linspace(0, last, min(len(checkpoints), MAX_CHECKPOINTS)).round().astype(int)
    return [checkpoints[place] for place in places]


def describe_thinning(shown: int, available: int) -> str:
    """A sentence that says how many checkpoints are left out; empty if none is."""
    if shown == available:
        return ""
    return f"The page holds {shown} of {available} checkpoints, so that it stays small."


def _compare(program: Program, sampler: Sampler) -> float:
    net, _ = with_class_inputs(sampler)
    return require_same_pictures(program, net, len(sampler.run.class_names))


def _render(
    chosen: Sequence[Sampler],
    programs: Sequence[Program],
    title: str,
    thinned: str,
    follow: bool,
) -> str:
    run = chosen[-1].run
    directions = [_show(place, each) for place, each in enumerate(find_directions(chosen[-1]))]
    steps = [sampler.step for sampler in chosen]
    data = {
        **_words_of(run),
        **_classes_of(run),
        "follow": follow,
        "newest": None if follow else _newest_step(run),
        "latent_dim": run.latent_dim,
        "directions": [direction["z"] for direction in directions],
        "checkpoints": [
            {"step": step, "description": program.describe()}
            for step, program in zip(steps, programs, strict=True)
        ],
    }
    page = render_page(
        "gankit_explore",
        "explore.html",
        title=title,
        about=f"The generator of {run.folder.resolve().name}, trained on {_describe_data(run)}.",
        data=data,
        size=run.size,
        transparent=run.channels == ALPHA,
        sharp=run.resample == "nearest",
        tools=TOOLS.items(),
        scripts=SCRIPTS,
        engine=_engine_texts(),
        thinned=thinned,
        directions=directions,
        weights=zip(steps, map(_encode_weights, programs), strict=True),
    )
    return hide_home(page)


def _words_of(run: Run) -> dict[str, str]:
    """What the page writes into commands and files."""
    return {
        "version": __version__,
        "command": printable(command_about(run, *sample_words(run.folder))),
        "run": printable(of_run(run.folder, 0).command or command_line(run)),
    }


def _classes_of(run: Run) -> dict[str, Any]:
    """The classes as the page shows them, writes them into files, and into commands."""
    return {
        "class_names": [printable(name) for name in run.class_names],
        "class_keys": [
            name if printable(name) == name else number
            for number, name in enumerate(run.class_names)
        ],
        "class_words": [printable(quote_word(name)) for name in run.class_names],
    }


def _encode_weights(program: Program) -> str:
    return base64.b64encode(program.weights()).decode()


def _describe_data(run: Run) -> str:
    """What the run was trained on, in a few words."""
    return str(run.dataset.name) if not run.data else "pictures of your own"


def _newest_step(run: Run) -> int | None:
    """The step that `gankit sample` uses if no checkpoint is named."""
    checkpoints = list_checkpoints(run.folder / "checkpoints")
    return step_of(checkpoints[0]) if checkpoints else None


def _engine_texts() -> dict[str, Any]:
    texts: dict[str, Any] = engine.texts()
    return {**texts, "wasm": base64.b64encode(texts["wasm"]).decode()}


def _show(place: int, direction: Direction) -> dict[str, Any]:
    """What the template shows of a direction."""
    about = f"From {direction.source}. From {-REACH:g} to {REACH:g}, a pixel changes by "
    about += f"{direction.change:.0f} of 255 levels on average"
    if direction.factor:
        about += f". What changes most: {direction.factor}, by {direction.strength:.1f} standard "
        about += "deviations"
    name = f"Direction {place + 1}"
    return {
        "name": f"{name}: {direction.factor}" if direction.factor else name,
        "about": f"{about}.",
        "factor": direction.factor,
        "z": [round(float(number), 5) for number in direction.z],
    }
