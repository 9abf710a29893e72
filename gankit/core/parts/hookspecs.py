"""The hooks that a plugin can implement.

Registration hooks run for every command, so they must not import torch, read files or use the
network. Observer hooks are called after something happened in a run. Their return values are
ignored; an observer that raises is ignored for the rest of the run, unless it comes with gankit. An
implementation may take fewer arguments than its specification. With `control` an observer can warn,
report numbers for the log, and end the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from gankit.core.parts import specs

if TYPE_CHECKING:
    import click
    import torch

    from gankit.core.contracts.prepared import PreparedDataset
    from gankit.core.control import Control
    from gankit.core.gan import Gan
    from gankit.core.recorder import StepRecord
    from gankit.core.run.settings import Run

hookspec = pluggy.HookspecMarker("gankit")
hookimpl = pluggy.HookimplMarker("gankit")


@hookspec
def register_datasets(register: Callable[[specs.DatasetSpec], None]) -> None:
    """Call `register` once for each data set of the plugin."""


@hookspec
def register_generators(register: Callable[[specs.GeneratorSpec], None]) -> None:
    """Call `register` once for each generator of the plugin."""


@hookspec
def register_discriminators(register: Callable[[specs.DiscriminatorSpec], None]) -> None:
    """Call `register` once for each discriminator of the plugin."""


@hookspec
def register_models(register: Callable[[specs.ModelSpec], None]) -> None:
    """Call `register` once for each model: the names of two networks, and settings for them."""


@hookspec
def register_losses(register: Callable[[specs.LossSpec], None]) -> None:
    """Call `register` once for each adversarial loss of the plugin."""


@hookspec
def register_tricks(register: Callable[[specs.TrickSpec], None]) -> None:
    """Call `register` once for each trick of the plugin."""


@hookspec
def register_metrics(register: Callable[[specs.MetricSpec], None]) -> None:
    """Call `register` once for each metric of the plugin."""


@hookspec
def register_rules(register: Callable[[specs.RuleSpec], None]) -> None:
    """Call `register` once for each rule of the plugin: what `gankit doctor` looks for."""


@hookspec
def register_recipes(register: Callable[[specs.RecipeSpec], None]) -> None:
    """Call `register` once for each recipe: named settings of a run."""


@hookspec
def register_commands(cli: click.Group) -> None:
    """Add commands to `gankit`: `@cli.command()`, or `cli.later(name, "module:attr", summary)`."""


@hookspec
def register_explorers(register: Callable[[Callable[[Any], Any]], None]) -> None:
    """Call `register` with a function that shows a `gankit.Sampler`; `sampler.explore()` calls it.

    The first one that is registered is used."""


@hookspec
def run_started(
    run: Run, gan: Gan, registry: Any, prepared: PreparedDataset, control: Control
) -> None:
    """A run of parts from `registry` begins, or is resumed: then `gan.step` is above 0.

    `prepared` has its real pictures."""


@hookspec
def step_taken(run: Run, gan: Gan, step: int, record: StepRecord, control: Control) -> None:
    """A step was taken, logged or not. `step` is the number of steps that are done.

    Called at every step; with an attribute `watch_every = 50`, at each 50th; `run_started` may set
    it. With `watch_updates = True`, `record` has the sizes of the updates, which takes a copy of
    the weights.
    """


@hookspec
def step_done(run: Run, step: int, scalars: dict[str, Any], control: Control) -> None:
    """A logged step is done. `scalars`: `d_loss` and `g_loss` without penalties, `d_real`,
    `d_fake`, D's `penalty`, and `seconds` since the run started or resumed (floats); `activity`:
    what each trick did since the last logged step, as text; and `numbers`: what tricks and
    observers reported, as `ada.p`."""


@hookspec
def measured(run: Run, step: int, measurements: Sequence[Any], best: Any, control: Control) -> None:
    """The metrics of `--metric` were measured: a `gankit.Measurement` for each, in their order.

    `best`: with `--keep-best`, the best so far, with `metric`, `step`, `value`, `low` and `high`;
    else None."""


@hookspec
def samples_drawn(run: Run, step: int, images: torch.Tensor, control: Control) -> None:
    """Images of the run's fixed latents were sampled: (N, C, H, W), float32 in [-1, 1], on CPU."""


@hookspec
def checkpoint_saved(run: Run, step: int, path: Path, control: Control) -> None:
    """A checkpoint was saved as the folder `path`."""


@hookspec
def run_finished(run: Run, outcome: dict[str, Any], control: Control) -> None:
    """The run is over. `outcome`: `state`, `step`, `seconds`, `message`, `reason` (if an observer
    or `stop` ended the run), `tricks`: what each trick did last, or None if it never acted; and
    `best`: with `--keep-best`, what `measured` gets.

    `state` is `finished`, `stopped` or `failed`; or `stage`, if the run goes on at once with other
    settings: `run_started` follows, with another `gan`."""
