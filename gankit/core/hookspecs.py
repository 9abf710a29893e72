"""Every sentence gankit and a plugin can say to each other.

Registration hooks run for every command: no torch, no files, no network. Observer hooks are told
what has just happened; what they return is ignored, and one that raises is left out for the rest of
the run. An implementation may take fewer arguments than its specification.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from gankit.core import specs

if TYPE_CHECKING:
    import click
    import torch

    from gankit.core.gan import Gan
    from gankit.core.settings import Run

hookspec = pluggy.HookspecMarker("gankit")
hookimpl = pluggy.HookimplMarker("gankit")


@hookspec
def register_datasets(register: Callable[[specs.DatasetSpec], None]) -> None:
    """Call `register` once for each data set the plugin brings."""


@hookspec
def register_generators(register: Callable[[specs.GeneratorSpec], None]) -> None:
    """Call `register` once for each generator the plugin brings."""


@hookspec
def register_discriminators(register: Callable[[specs.DiscriminatorSpec], None]) -> None:
    """Call `register` once for each discriminator the plugin brings."""


@hookspec
def register_models(register: Callable[[specs.ModelSpec], None]) -> None:
    """Call `register` once for each model: two networks by name, with the settings they want."""


@hookspec
def register_losses(register: Callable[[specs.LossSpec], None]) -> None:
    """Call `register` once for each adversarial loss the plugin brings."""


@hookspec
def register_tricks(register: Callable[[specs.TrickSpec], None]) -> None:
    """Call `register` once for each trick the plugin brings."""


@hookspec
def register_metrics(register: Callable[[specs.MetricSpec], None]) -> None:
    """Call `register` once for each metric the plugin brings."""


@hookspec
def register_recipes(register: Callable[[specs.RecipeSpec], None]) -> None:
    """Call `register` once for each recipe: a whole run by name."""


@hookspec
def register_commands(cli: click.Group) -> None:
    """Add commands to `gankit`: `@cli.command()`, or `cli.later(name, "module:attr", summary)`."""


@hookspec
def run_started(run: Run, gan: Gan, registry: Any) -> None:
    """A run of `registry`'s parts begins; after a resume `gan.step` says where it stands."""


@hookspec
def step_done(run: Run, step: int, scalars: dict[str, Any]) -> None:
    """A logged step is over: `d_loss`, `g_loss`, `d_real`, `d_fake`, `penalty`, `seconds` since
    the run started or resumed (floats), and `activity`: what each trick did since the last log."""


@hookspec
def samples_drawn(run: Run, step: int, images: torch.Tensor) -> None:
    """The sampler drew the run's fixed latents: images (N, C, H, W) float32 in [-1, 1], on CPU."""


@hookspec
def checkpoint_saved(run: Run, step: int, path: Path) -> None:
    """A whole checkpoint lies in the folder `path`."""


@hookspec
def run_finished(run: Run, outcome: dict[str, Any]) -> None:
    """The run is over: `state` (`finished`, `stopped` or `failed`), `step`, `seconds`, `message`,
    and `tricks`: what each trick did, or None for one that never acted."""
