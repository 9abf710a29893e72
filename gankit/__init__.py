"""gankit: a workbench for learning GANs.

These are the names for notebooks and plugins. `import gankit` is fast, because the module of a name
(and torch) is imported when the name is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gankit.core.version import __version__ as __version__

if TYPE_CHECKING:  # for editors and type checkers
    from gankit_datacheck.check import check_data as check_data
    from gankit_metrics.evaluate import evaluate as evaluate
    from gankit_metrics.measurement import Measurement as Measurement
    from gankit_race.comparing import compare as compare
    from gankit_race.racing import race as race

    from gankit import testing as testing
    from gankit.core.contracts.loss import Loss as Loss
    from gankit.core.contracts.metric import Metric as Metric
    from gankit.core.contracts.rule import Finding as Finding
    from gankit.core.contracts.rule import Rule as Rule
    from gankit.core.contracts.seen import Seen as Seen
    from gankit.core.contracts.trick import Targets as Targets
    from gankit.core.contracts.trick import Trick as Trick
    from gankit.core.control import Control as Control
    from gankit.core.errors import GankitError as GankitError
    from gankit.core.errors import RunFailed as RunFailed
    from gankit.core.errors import RunStopped as RunStopped
    from gankit.core.gan import Gan as Gan
    from gankit.core.gan import Player as Player
    from gankit.core.parts.hookspecs import hookimpl as hookimpl
    from gankit.core.parts.registry import load_registry as load_registry
    from gankit.core.parts.specs import DatasetSpec as DatasetSpec
    from gankit.core.parts.specs import DiscriminatorSpec as DiscriminatorSpec
    from gankit.core.parts.specs import Download as Download
    from gankit.core.parts.specs import GeneratorSpec as GeneratorSpec
    from gankit.core.parts.specs import LossSpec as LossSpec
    from gankit.core.parts.specs import MetricSpec as MetricSpec
    from gankit.core.parts.specs import ModelSpec as ModelSpec
    from gankit.core.parts.specs import RecipeSpec as RecipeSpec
    from gankit.core.parts.specs import RuleSpec as RuleSpec
    from gankit.core.parts.specs import TrickSpec as TrickSpec
    from gankit.core.recorder import StepRecord as StepRecord
    from gankit.core.run.settings import Run as Run
    from gankit.core.run.settings import command_line as command_line
    from gankit.data.batches import Batches as Batches
    from gankit.data.datasets import picture_files as picture_files
    from gankit.data.prepare import prepare as prepare
    from gankit.runs.log import read_log as read_log
    from gankit.runs.sampler import Sampler as Sampler
    from gankit.runs.sampler import load as load
    from gankit.training.run_folder.run_file import load_run as load_run
    from gankit.training.settings.compose import compose as compose
    from gankit.training.train import train as train

_MODULES = {  # the same names at run time; tests/house/test_face.py compares both
    "Batches": "gankit.data.batches",
    "Control": "gankit.core.control",
    "DatasetSpec": "gankit.core.parts.specs",
    "DiscriminatorSpec": "gankit.core.parts.specs",
    "Download": "gankit.core.parts.specs",
    "Finding": "gankit.core.contracts.rule",
    "Gan": "gankit.core.gan",
    "GankitError": "gankit.core.errors",
    "GeneratorSpec": "gankit.core.parts.specs",
    "Loss": "gankit.core.contracts.loss",
    "LossSpec": "gankit.core.parts.specs",
    "Measurement": "gankit_metrics.measurement",
    "Metric": "gankit.core.contracts.metric",
    "MetricSpec": "gankit.core.parts.specs",
    "ModelSpec": "gankit.core.parts.specs",
    "Player": "gankit.core.gan",
    "RecipeSpec": "gankit.core.parts.specs",
    "Rule": "gankit.core.contracts.rule",
    "RuleSpec": "gankit.core.parts.specs",
    "Run": "gankit.core.run.settings",
    "RunFailed": "gankit.core.errors",
    "RunStopped": "gankit.core.errors",
    "Sampler": "gankit.runs.sampler",
    "Seen": "gankit.core.contracts.seen",
    "StepRecord": "gankit.core.recorder",
    "Targets": "gankit.core.contracts.trick",
    "Trick": "gankit.core.contracts.trick",
    "TrickSpec": "gankit.core.parts.specs",
    "check_data": "gankit_datacheck.check",
    "command_line": "gankit.core.run.settings",
    "compare": "gankit_race.comparing",
    "compose": "gankit.training.settings.compose",
    "evaluate": "gankit_metrics.evaluate",
    "hookimpl": "gankit.core.parts.hookspecs",
    "load": "gankit.runs.sampler",
    "load_registry": "gankit.core.parts.registry",
    "load_run": "gankit.training.run_folder.run_file",
    "picture_files": "gankit.data.datasets",
    "prepare": "gankit.data.prepare",
    "race": "gankit_race.racing",
    "read_log": "gankit.runs.log",
    "testing": "gankit",
    "train": "gankit.training.train",
}
__all__ = ["__version__", *_MODULES]


if not TYPE_CHECKING:  # with __getattr__, a type checker would accept misspelt names

    def __getattr__(name: str) -> Any:
        """Import the module of a name when it is first used."""
        if name not in _MODULES:
            raise AttributeError(f"module 'gankit' has no attribute {name!r}.{_hint(name)}")
        if name == "testing":
            return import_module("gankit.testing")
        value = getattr(import_module(_MODULES[name]), name)
        globals()[name] = value  # so this is called only once for each name
        return value


def _hint(name: str) -> str:
    from gankit.core.errors import did_you_mean

    if name == "resume":
        return " To resume a run: gankit.train(folder, resume=True)."
    return did_you_mean(name, _MODULES) or " dir(gankit) has all names."


def __dir__() -> list[str]:
    return sorted(__all__)
