"""`gankit.testing`, the conformance kit: check a part in a test of three lines.

    from gankit import testing

    def test_my_trick():
        testing.check_trick("my-trick:sigma=0.3", off="sigma=0")

Name a part as on the command line, or pass its spec. If its plugin is not installed, pass it as
`plugin`: a module or class with hooks. BrokenContract, an AssertionError, names the part, its
plugin, what is wrong and how to fix it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

from gankit.testing.errors import BrokenContract as BrokenContract

if TYPE_CHECKING:
    from torch import Tensor

    from gankit.core.registry import Registry
    from gankit.core.settings import Run
    from gankit.core.specs import (
        DatasetSpec,
        DiscriminatorSpec,
        GeneratorSpec,
        LossSpec,
        MetricSpec,
        ModelSpec,
        RecipeSpec,
        Spec,
        TrickSpec,
    )
    from gankit.core.stop import Progress

Kind = Literal[
    "trick", "generator", "discriminator", "model", "loss", "dataset", "metric", "recipe"
]
Setting = str | int | float | PathLike[str] | Sequence[str] | None  # of a run, as in gankit.compose


def check_trick(
    part: TrickSpec | str,
    *,
    plugin: object | None = None,
    off: str = "",
    beside: Iterable[str] | None = None,
    **run: Setting,
) -> None:
    """It trains, reports what it did, can be repeated and resumed, and works with other tricks.

    off: options that switch it off, such as `sigma=0`; with them it must not change anything.
    beside: tricks to combine it with; by default all that are bundled with gankit, () for none.
    run: settings that it needs, as in `gankit.compose`: loss="wasserstein", model="mine".
    """
    from gankit.testing import tricks
    from gankit.testing.harness import open_harness

    with open_harness("trick", part, plugin, run) as harness:
        tricks.check(harness, off, beside)


def check_together(
    part: TrickSpec | str, *others: str, plugin: object | None = None, **run: Setting
) -> None:
    """These tricks train together, in this order, and each acts."""
    from gankit.testing.harness import open_harness
    from gankit.testing.tricks import check_trained_together

    with open_harness("trick", part, plugin, run) as harness:
        harness.check(check_trained_together, harness.text, *others)


def check_penalty(
    part: TrickSpec | str,
    expected: Callable[[Tensor, Tensor, Tensor], Tensor | float],
    *,
    plugin: object | None = None,
    player: Literal["D", "G"] = "D",
    **run: Setting,
) -> None:
    """The trick's penalty is `expected(slope, real, fake)` for a linear D.

    D(x) is the sum of slope * x over a picture, so its gradient is `slope` (C, H, W) everywhere.
    player: the player in whose update the penalty is computed.
    """
    from gankit.testing import tricks
    from gankit.testing.harness import open_harness

    with open_harness("trick", part, plugin, run) as harness:
        tricks.check_penalty(harness, expected, player)


def check_generator(
    part: GeneratorSpec | str,
    *,
    plugin: object | None = None,
    sizes: Iterable[int] = (16, 32, 64),
    **run: Setting,
) -> None:
    """It returns images in [-1, 1], trains, and can be copied and saved.

    sizes: image sizes to try; those that it does not support are skipped.
    """
    from gankit.testing import networks
    from gankit.testing.harness import open_harness

    with open_harness("generator", part, plugin, run) as harness:
        networks.check_generator(harness, sizes)


def check_discriminator(
    part: DiscriminatorSpec | str,
    *,
    plugin: object | None = None,
    sizes: Iterable[int] = (16, 32, 64),
    **run: Setting,
) -> None:
    """It returns logits, trains, can be saved, and has second derivatives.

    sizes: image sizes to try; those that it does not support are skipped.
    """
    from gankit.testing import networks
    from gankit.testing.harness import open_harness

    with open_harness("discriminator", part, plugin, run) as harness:
        networks.check_discriminator(harness, sizes)


def check_model(part: ModelSpec | str, *, plugin: object | None = None, **run: Setting) -> None:
    """Its networks train together with its settings, in small batches."""
    from gankit.testing import networks
    from gankit.testing.harness import open_harness

    with open_harness("model", part, plugin, run) as harness:
        networks.check_model(harness)


def check_loss(part: LossSpec | str, *, plugin: object | None = None, **run: Setting) -> None:
    """Losses are finite scalars, gradients have the right signs, and its flags are right."""
    from gankit.testing import losses
    from gankit.testing.harness import open_harness

    with open_harness("loss", part, plugin, run) as harness:
        losses.check(harness)


def check_dataset(
    part: DatasetSpec | str,
    *,
    plugin: object | None = None,
    data: str | PathLike[str] | Iterable[str | PathLike[str]] = (),
    channels: Iterable[int] = (1, 3),
) -> None:
    """It is a sequence of pictures, which are the same each time.

    data: files and folders, for a data set that reads them.
    channels: 1 for grey and 3 for colour pictures; all of them are tried.
    """
    from gankit.testing import datasets
    from gankit.testing.harness import open_harness

    paths = [data] if isinstance(data, str | PathLike) else data
    with open_harness("dataset", part, plugin, {}) as harness:
        datasets.check(harness, [str(path) for path in paths], channels)


def check_metric(part: MetricSpec | str, *, plugin: object | None = None) -> None:
    """Scores are finite and the same each time, and no set scores better than the reference."""
    from gankit.testing import metrics
    from gankit.testing.harness import open_harness

    with open_harness("metric", part, plugin, {}) as harness:
        metrics.check(harness)


def check_recipe(part: RecipeSpec | str, *, plugin: object | None = None, **run: Setting) -> None:
    """Its parts exist, and it trains."""
    from gankit.testing import networks
    from gankit.testing.harness import open_harness

    with open_harness("recipe", part, plugin, run) as harness:
        networks.check_recipe(harness)


def check(kind: Kind, part: Spec | str, **options: Any) -> None:
    """Check a part of any kind: `check("trick", "r1")` is `check_trick("r1")`, and so on."""
    checks: dict[str, Callable[..., None]] = {
        "trick": check_trick,
        "generator": check_generator,
        "discriminator": check_discriminator,
        "model": check_model,
        "loss": check_loss,
        "dataset": check_dataset,
        "metric": check_metric,
        "recipe": check_recipe,
    }
    checks[kind](part, **options)


def try_external_parts(
    run: Run, registry: Registry, progress: Progress = lambda done, total: None
) -> None:
    """Try parts of a run in a trial step, as `gankit run` does; GankitError names a broken one.

    Parts that are bundled with gankit are not tried: gankit's tests check them.
    """
    from gankit.testing import trial_step

    trial_step.try_external_parts(run, registry, progress)
