"""`gankit.compose`: make a checked Run in Python. Every setting is a named, typed parameter."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Never, TypeAlias, TypeVar

from gankit.core.errors import GankitError, quote_value
from gankit.core.parts.registry import Registry, load_registry
from gankit.core.parts.specs import ModelSpec, Spec
from gankit.core.run.carried import NOTHING, Carried
from gankit.core.run.setting_help import SETTINGS
from gankit.core.run.settings import CHOICES, Run, unknown_setting
from gankit.core.run.stage import Stage
from gankit.training.settings.combine import combine_settings, expand_shorthands
from gankit.training.settings.python_words import errors_in_python

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import nn

    from gankit.core.contracts.loss import Loss
    from gankit.core.contracts.metric import Metric
    from gankit.core.contracts.trick import Trick

    Made = TypeVar("Made")
    # A name with options, an object, a class or a function that makes one, or a spec.
    Part: TypeAlias = str | Made | Callable[..., Made] | Spec
    Network: TypeAlias = Part[nn.Module]
    Pictures: TypeAlias = NDArray[np.uint8] | torch.Tensor | Sequence[Any]
    Dataset: TypeAlias = Part[Pictures | torch.utils.data.Dataset[Any]]
    Paths: TypeAlias = str | Path | Sequence[str | Path]

PARTS = set(CHOICES) - {"fit"}  # settings that take objects


def compose(
    registry: Registry | None = None,
    recipe: str | None = None,
    *,
    plugins: Sequence[Any] | str | Path = (),
    dataset: Dataset | None = None,
    data: Paths | None = None,
    classes: str | Sequence[str] | None = None,
    class_labels: bool | None = None,
    balance_classes: bool | None = None,
    class_names: Sequence[str] | None = None,
    fit: str | None = None,
    background: str | None = None,
    resample: str | None = None,
    subset: int | None = None,
    holdout: float | None = None,
    data_seed: int | None = None,
    flip: bool | None = None,
    dihedral: bool | None = None,
    zoom: float | Literal["auto"] | None = None,
    model: str | ModelSpec | tuple[Network, Network] | None = None,
    generator: Network | None = None,
    discriminator: Network | None = None,
    loss: Part[Loss] | None = None,
    tricks: Part[Trick] | Sequence[Part[Trick]] | None = None,
    init: str | Path | None = None,
    image_size: int | str | None = None,
    channels: int | Literal["auto"] | None = None,
    latent_dim: int | None = None,
    length: str | None = None,
    epochs: float | None = None,
    kimg: float | None = None,
    budget: str | None = None,
    steps: int | None = None,
    earlier_plans: Sequence[str] | None = None,
    batch_size: int | None = None,
    accumulate: int | None = None,
    d_steps: int | None = None,
    lr: float | None = None,
    lr_g: float | None = None,
    lr_d: float | None = None,
    beta1: float | None = None,
    beta2: float | None = None,
    seed: int | None = None,
    device: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    compile: str | None = None,
    memory_format: str | None = None,
    convolutions: str | None = None,
    optimizer: str | None = None,
    log_every: int | None = None,
    draw_every: int | None = None,
    save_every: int | None = None,
    keep: int | None = None,
    metrics: Part[Metric] | Sequence[Part[Metric]] | None = None,
    measure_every: int | None = None,
    keep_best: str | None = None,
    patience: int | None = None,
    sync_batch_norm: bool | None = None,
    tensorboard: bool | None = None,
    report: bool | None = None,
    out: str | Path | None = None,
    fingerprint: str | None = None,
    stages: Sequence[Stage] | None = None,
    **unknown: Never,
) -> Run:
    """Make a checked Run. Each setting that you omit has the default of the recipe or the model.

    `compose(dataset="petals", model="dcgan64", tricks=["r1:gamma=1"], steps=500)`, or
    `compose(recipe="small-data", seed=1)`: your settings override those of the recipe. If you use
    your own pictures and name neither a recipe nor a network, you get the default recipe.
    GankitError if a name, an option or a value is wrong.

    A part is a name with options, as on the command line, or your own object, class or function:
    `tricks=["ema", MyTrick(0.2)]`, `loss=MyLoss`, `model=(G, D)`. Objects are copied now, and
    again for each training, so your object itself does not change, and training a run twice gives
    the same twice. A class or a function gets the values of the run that its parameters name, such
    as `image_size`. `dataset` takes an array of pictures, uint8 (N, H, W, C); a tensor of them,
    float (N, C, H, W) in [-1, 1]; or any data set of torch, of pictures or of (picture, label).

    plugins: the path of a .py file, as after `gankit -p`; or a list of such paths, and of modules
    or objects with hooks.
    """
    settings = {name: value for name, value in locals().items() if value is not None}
    for name in ("registry", "recipe", "plugins", "unknown"):
        settings.pop(name, None)
    with errors_in_python():
        for name in unknown:
            raise unknown_setting(name)
        return _compose(registry or load_registry(), recipe, plugins, settings)


# For `help`: the same texts as those of `gankit run --help`.
compose.__doc__ = f"{compose.__doc__}\n    Settings:\n\n" + "".join(
    f"    - {name}: {text}\n" for name, text in SETTINGS.items()
)


def _compose(
    registry: Registry,
    recipe: str | None,
    plugins: Sequence[Any] | str | Path,
    settings: dict[str, Any],
) -> Run:
    if hasattr(settings.get("data"), "shape"):
        shown = quote_value(settings["data"])
        raise GankitError(f"data is {shown}; it takes paths: give pictures as dataset=...")
    settings, carried = name_objects(registry, plugins, settings)
    carried = dataclasses.replace(carried, budget=settings.get("budget", ""))
    with_objects = registry.with_plugins(carried.plugins)
    return combine_settings(with_objects, recipe, expand_shorthands(settings), carried)


def name_objects(
    registry: Registry, plugins: Sequence[Any] | str | Path, settings: dict[str, Any]
) -> tuple[dict[str, Any], Carried]:
    """The settings with a name for each object, and what a run of them carries. GankitError."""
    if isinstance(plugins, str | Path):
        plugins = [plugins]
    if not plugins and are_plain(settings):
        return settings, NOTHING
    from gankit.training.settings.given_parts import take_objects  # imports torch

    return take_objects(registry, plugins, settings)


def are_plain(settings: Mapping[str, Any]) -> bool:
    """Whether all parts in the settings are named by texts, so that none is an object."""
    values = [settings[name] for name in PARTS & settings.keys()]
    items = [v for value in values for v in (value if isinstance(value, list | tuple) else [value])]
    return all(isinstance(item, str) for item in items)
