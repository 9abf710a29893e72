"""`gankit.testing`: does a part keep to its contract? Three lines in a test tell.

    from gankit import testing

    def test_my_trick():
        testing.check_trick("my-trick:sigma=0.3", off="sigma=0")

A part is named as on the command line, or given as its spec. One that no installed plugin brings
is found in `plugin`, a module or class with the hooks. A broken contract raises BrokenContract, an
AssertionError of one line: the part, its plugin, what is wrong and what mends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

from gankit.testing.broken import BrokenContract as BrokenContract

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
Setting = str | int | float | PathLike[str] | Sequence[str] | None  # of a run, as for compose


def check_trick(
    part: TrickSpec | str,
    *,
    plugin: object | None = None,
    off: str = "",
    beside: Iterable[str] | None = None,
    **run: Setting,
) -> None:
    """It trains, acts, says so, repeats itself, resumes bit for bit, and goes with other tricks.

    off: options under which it must change nothing at all, such as `sigma=0`.
    beside: the tricks it is paired with; all that come with gankit if not given, () for none.
    run: settings it needs, as for `gankit.compose`: loss="wasserstein", model="mine".
    """
    from gankit.testing import bench, tricks

    with bench.opened("trick", part, plugin, run) as trick_bench:
        tricks.check(trick_bench, off, beside)


def check_together(
    part: TrickSpec | str, *others: str, plugin: object | None = None, **run: Setting
) -> None:
    """These tricks, in this order, train together, and each acts."""
    from gankit.testing import bench
    from gankit.testing.tricks import trains_together

    with bench.opened("trick", part, plugin, run) as trick_bench:
        trick_bench.keep_to(trains_together, trick_bench.text, *others)


def check_penalty(
    part: TrickSpec | str,
    expected: Callable[[Tensor, Tensor, Tensor], Tensor | float],
    *,
    plugin: object | None = None,
    player: Literal["D", "G"] = "D",
    **run: Setting,
) -> None:
    """The trick's penalty is `expected(slope, real, fake)` for a D that is linear.

    D(x) is the sum of slope * x over a picture, so its gradient is `slope` (C, H, W) everywhere.
    player: whose step pays the penalty.
    """
    from gankit.testing import bench, tricks

    with bench.opened("trick", part, plugin, run) as trick_bench:
        tricks.check_penalty(trick_bench, expected, player)


def check_generator(
    part: GeneratorSpec | str,
    *,
    plugin: object | None = None,
    sizes: Iterable[int] = (16, 32, 64),
    **run: Setting,
) -> None:
    """Images in [-1, 1] at those of the sizes it takes, gradients, copies, resumes."""
    from gankit.testing import bench, networks

    with bench.opened("generator", part, plugin, run) as network_bench:
        networks.check_generator(network_bench, sizes)


def check_discriminator(
    part: DiscriminatorSpec | str,
    *,
    plugin: object | None = None,
    sizes: Iterable[int] = (16, 32, 64),
    **run: Setting,
) -> None:
    """Logits at those of the sizes it takes, gradients of gradients, resumes."""
    from gankit.testing import bench, networks

    with bench.opened("discriminator", part, plugin, run) as network_bench:
        networks.check_discriminator(network_bench, sizes)


def check_model(part: ModelSpec | str, *, plugin: object | None = None, **run: Setting) -> None:
    """Its networks suit each other and train with its own settings, in small batches."""
    from gankit.testing import bench, networks

    with bench.opened("model", part, plugin, run) as model_bench:
        networks.check_model(model_bench)


def check_loss(part: LossSpec | str, *, plugin: object | None = None, **run: Setting) -> None:
    """One number each, gradients that pull the right way, honest `reads_targets` and `pairs`."""
    from gankit.testing import bench, losses

    with bench.opened("loss", part, plugin, run) as loss_bench:
        losses.check(loss_bench)


def check_dataset(
    part: DatasetSpec | str,
    *,
    plugin: object | None = None,
    data: str | PathLike[str] | Iterable[str | PathLike[str]] = (),
    channels: Iterable[int] = (1, 3),
) -> None:
    """A sequence of pictures that are the same each time, up to the last.

    data: your own files and folders, for a set that reads them.
    channels: 1 for grey pictures, 3 for colour; each is tried.
    """
    from gankit.testing import bench, datasets

    paths = [data] if isinstance(data, str | PathLike) else data
    with bench.opened("dataset", part, plugin, {}) as dataset_bench:
        datasets.check(dataset_bench, [str(path) for path in paths], channels)


def check_metric(part: MetricSpec | str, *, plugin: object | None = None) -> None:
    """Finite numbers, the same each time; a set is nearest to itself; an honest floor."""
    from gankit.testing import bench, metrics

    with bench.opened("metric", part, plugin, {}) as metric_bench:
        metrics.check(metric_bench)


def check_recipe(part: RecipeSpec | str, *, plugin: object | None = None, **run: Setting) -> None:
    """Its settings are settings, its parts are there and train together."""
    from gankit.testing import bench, networks

    with bench.opened("recipe", part, plugin, run) as recipe_bench:
        networks.check_recipe(recipe_bench)


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


def rehearse(run: Run, registry: Registry, progress: Progress = lambda done, total: None) -> None:
    """Try a run's parts on a trainer that is thrown away; a GankitError names a broken one.

    `gankit run` does so. Parts that came with gankit are not tried; their tests did that.
    """
    from gankit.testing import rehearsal

    rehearsal.rehearse(run, registry, progress)
