"""In which settings the variants of a race or a comparison differ, in words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from gankit.core.run.settings import Run, option
from gankit.core.run.stage import Stage
from gankit_race.variants import PICTURES, SELF_EXPLANATORY, differing_settings

SET_BY_MODEL = ("generator", "discriminator")
IMAGES = "images"  # the number of pictures that D was shown, among the names of settings


def compared_settings(runs: Sequence[Run]) -> list[str]:
    """The settings in which the runs differ, without those that follow from another of them."""
    names = differing_settings(runs)
    implied = set(SET_BY_MODEL) if "model" in names else set()
    if set(names) & set(PICTURES) - {"fingerprint"}:
        implied.add("fingerprint")
    return [name for name in names if name not in implied]


def setting_label(name: str, value: Any) -> str:
    """`ema+r1`, `no-flip`, `hinge`, `batch-size 64` or `40 kimg`."""
    if name == IMAGES:
        return f"{value / 1000:,.10g} kimg"
    if name == "tricks":
        return "+".join(value) or "no trick"
    if name in _HISTORY:
        return _HISTORY[name](value)
    if isinstance(value, bool):
        return option(name if value else f"no_{name}").removeprefix("--")
    text = "+".join(map(str, value)) if isinstance(value, tuple) else str(value)
    if not text:
        return f"{option(name).removeprefix('--')} none"
    return text if name in SELF_EXPLANATORY else f"{option(name).removeprefix('--')} {text}"


def warn_if_confounded(
    variants: Sequence[tuple[str, Run]], ignored: Collection[str] = ()
) -> list[str]:
    """A warning for each variant that differs from the baseline in more than one setting."""
    warnings = []
    (_, baseline), *others = variants
    for label, run in others:
        names = [name for name in compared_settings([baseline, run]) if name not in ignored]
        if len(names) > 1:
            settings = ", ".join(
                _difference(name, getattr(baseline, name), getattr(run, name)) for name in names
            )
            warnings.append(
                f"{label} differs from the baseline in {len(names)} settings, so any of them may "
                f"be the cause: {settings}."
            )
    return warnings


def warn_of_bases(variants: Sequence[tuple[str, Run]]) -> list[str]:
    """The same for a race, whose variants differ on purpose, but for what a base brings along."""
    first, *others = variants
    with_another_base = [each for each in others if each[1].init != first[1].init]
    return warn_if_confounded([first, *with_another_base])


def _difference(name: str, first: Any, second: Any) -> str:
    """`--lr-g 0.0002 / 0.0004`."""
    if name in _HISTORY:
        return f"{_HISTORY[name](first)} / {_HISTORY[name](second)}"
    return f"{option(name)} {_value_text(first)} / {_value_text(second)}"


def _describe_stages(stages: Sequence[Stage]) -> str:
    """`(until step 300: lr-g 0.0002)`: what a run with stages changed."""
    return " ".join(f"({stage})" for stage in stages) or "no stages"


def _describe_plans(plans: Sequence[str]) -> str:
    """`(until step 75: its length was 1,200)`: a run that was made longer or shorter."""
    pairs = [map(int, plan.split(":")) for plan in plans]
    texts = [f"(until step {until:,}: its length was {steps:,})" for until, steps in pairs]
    return " ".join(texts) or "one length"


# What a run went through; there is no option that sets it.
_HISTORY: dict[str, Callable[[Any], str]] = {
    "stages": _describe_stages,
    "earlier_plans": _describe_plans,
}


def _value_text(value: Any) -> str:
    return (", ".join(map(str, value)) if isinstance(value, tuple) else str(value)) or "none"
