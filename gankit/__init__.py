"""gankit: the workbench people learn GANs on.

These are the names a plugin or a notebook needs. Importing gankit never imports torch.
"""

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

from gankit.errors import GankitError as GankitError
from gankit.hookspecs import hookimpl as hookimpl
from gankit.specs import DatasetSpec as DatasetSpec
from gankit.specs import DiscriminatorSpec as DiscriminatorSpec
from gankit.specs import Download as Download
from gankit.specs import GeneratorSpec as GeneratorSpec
from gankit.specs import LossSpec as LossSpec
from gankit.specs import MetricSpec as MetricSpec
from gankit.specs import ModelSpec as ModelSpec
from gankit.specs import RecipeSpec as RecipeSpec
from gankit.specs import TrickSpec as TrickSpec
from gankit.trick import Targets as Targets
from gankit.trick import Trick as Trick

if TYPE_CHECKING:  # at run time these are looked up on first use: they import torch
    from gankit.composing import compose as compose
    from gankit.losses import Loss as Loss
    from gankit.training import train as train

__version__ = "0.1.0"
_HEAVY = {"compose": "composing", "Loss": "losses", "train": "training"}


def __getattr__(name: str) -> Any:
    """The names that import torch, and verbs of plugins (group `gankit.api`): load, prepare."""
    if name in _HEAVY:
        return getattr(import_module(f"gankit.{_HEAVY[name]}"), name)
    for verb in () if name.startswith("_") else metadata.entry_points(group="gankit.api"):
        if verb.name == name:
            return globals().setdefault(name, verb.load())  # found once, here from then on
    raise AttributeError(f"module 'gankit' has no attribute {name!r}")
