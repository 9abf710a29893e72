"""`gankit.testing`, the conformance kit: check a part in a test of three lines.

    from gankit import testing

    def test_my_trick():
        testing.check_trick("my-trick:sigma=0.3", off="sigma=0")

Name a part as on the command line, or pass its spec, or an object, a class or a function, as to
`gankit.compose`: `check_loss(MyLoss())`. If you name it and its plugin is not installed, pass the
plugin as `plugin`: a module or class with hooks, or the path of a .py file. BrokenContract, an
AssertionError, names the part, its plugin, what is wrong and how to fix it.
"""

from collections.abc import Callable
from typing import Any, Literal

from gankit.core.errors import GankitError, did_you_mean, quote_value
from gankit.testing.datasets import check_dataset
from gankit.testing.harness import BrokenContract
from gankit.testing.harness import Setting as Setting
from gankit.testing.losses import check_loss
from gankit.testing.metrics import check_metric
from gankit.testing.networks import (
    check_discriminator,
    check_generator,
    check_model,
    check_recipe,
)
from gankit.testing.rules import check_rule
from gankit.testing.tricks import check_penalty, check_together, check_trick
from gankit.training.trial.trial_step import try_external_parts

__all__ = [  # noqa: RUF022 - in the order of the API page
    "check_trick",
    "check_together",
    "check_penalty",
    "check_generator",
    "check_discriminator",
    "check_model",
    "check_loss",
    "check_dataset",
    "check_metric",
    "check_recipe",
    "check_rule",
    "check",
    "try_external_parts",
    "BrokenContract",
]

Kind = Literal[
    "trick", "generator", "discriminator", "model", "loss", "dataset", "metric", "recipe", "rule"
]


def check(kind: Kind, part: Any, **options: Any) -> None:
    """Check a part of any kind: `check("trick", "r1")` is `check_trick("r1")`, and so on.

    GankitError if there is no such kind.
    """
    checks: dict[str, Callable[..., None]] = {
        "trick": check_trick,
        "generator": check_generator,
        "discriminator": check_discriminator,
        "model": check_model,
        "loss": check_loss,
        "dataset": check_dataset,
        "metric": check_metric,
        "recipe": check_recipe,
        "rule": check_rule,
    }
    if kind not in checks:
        raise GankitError(f"there is no kind {quote_value(kind)}.{did_you_mean(kind, checks)}")
    if kind == "rule" and "fires_on" not in options:
        what = "the log of a run that it finds, or None if there is none yet"
        raise TypeError(f'check("rule", ...) needs fires_on=...: {what}')
    checks[kind](part, **options)
