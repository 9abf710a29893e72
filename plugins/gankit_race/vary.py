"""`--vary NAME=A,B`: what differs between the variants of a race."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from gankit.core.errors import GankitError, did_you_mean
from gankit.core.settings import Run, option
from gankit.core.specs import KINDS

# Settings that decide which pictures a run learns from.
PICTURES = ("dataset", "data", "classes", "fit", "background", "subset", "holdout", "data_seed",
            "image_size", "channels", "fingerprint")  # fmt: skip
# Settings in which two runs of one variant may differ.
FREE = {"out", "seed", "length", "steps", "log_every", "draw_every", "save_every", "keep",
        "metrics", "measure_every", "tensorboard"}  # fmt: skip

SEVERAL = ("tricks", "classes")  # one variant may have several of these: `+` joins them
SELF_EVIDENT = {*KINDS, *SEVERAL}  # a name such as `hinge` says what it is, 64 does not
OF_A_RUN = {"out", "config", "resume", "dry_run", "preview", "metrics", "measure_every"}
ELSEWHERE = {
    "seed": "--seeds 3 takes three of them",
    "budget": "it is the same for all: --budget 5m; lengths that differ are --vary epochs=5,40",
}


@dataclass(frozen=True)
class VariedValue:
    """One value of one varied option."""

    label: str
    setting: Any  # words of a command line, or a field of Run with its value


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One of the runs that race; its seed and folder are filled in for each start."""

    label: str
    folder: str  # inside the race's
    run: Run
    step_seconds: float = 0.0  # of training, as measured before the start


def split_values(text: str) -> list[str]:
    """`none,noisy-d:sigma=0.1,until=0.5` is two values: no part's name holds a `=`."""
    values: list[str] = []
    for part in text.split(","):
        if values and ":" in values[-1] and re.match(r"\s*[\w-]+=", part):
            values[-1] += f",{part.strip()}"
        else:
            values.append(part.strip())
    return values


def split_several(text: str) -> list[str]:
    """`noisy-d:p=1e+3+ema` is two parts: a part's name begins with a letter."""
    return re.split(r"\+(?=[A-Za-z_])", text)


def read_vary(texts: Iterable[str], command: click.Command) -> dict[str, list[VariedValue]]:
    """The values of each varied option of `gankit run`; repeating a name adds to its values."""
    options = {
        name.removeprefix("--"): parameter
        for parameter in command.params
        for name in parameter.opts
        if isinstance(parameter, click.Option) and parameter.name not in OF_A_RUN
    }
    varied: dict[str, list[VariedValue]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.strip().removeprefix("--").replace("_", "-")
        name = {"tricks": "trick"}.get(name, name)
        if name in ELSEWHERE:
            raise GankitError(f"--vary {name}: {ELSEWHERE[name]}")
        if name not in options:
            hint = did_you_mean(name, options)
            raise GankitError(f"--vary: gankit run has no option {name!r} to vary.{hint}")
        texts_of_values = split_values(values) if equals else []
        if not all(texts_of_values) or not texts_of_values:
            raise GankitError(f"--vary {text}: write --vary {name}=A,B")
        varied.setdefault(name, []).extend(
            _value_of_option(options[name], value) for value in texts_of_values
        )
    return varied


def _value_of_option(parameter: click.Option, value: str) -> VariedValue:
    name = parameter.opts[0]
    if parameter.is_flag:
        words = {"yes": parameter.opts, "no": parameter.secondary_opts}.get(value.lower())
        if not words:
            raise GankitError(f"--vary {name[2:]}={value}: write --vary {name[2:]}=yes,no")
        return VariedValue(words[0][2:], (words[0],))
    parts = split_several(value) if parameter.name in SEVERAL else [value]
    label = value if parameter.name in SELF_EVIDENT else f"{name[2:]} {value}"
    label = "no trick" if (parameter.name, value) == ("tricks", "none") else label
    return VariedValue(label, tuple(word for part in parts for word in (name, part)))


def read_fields(vary: Mapping[str, Sequence[Any]]) -> list[list[VariedValue]]:
    """The same from Python: fields of Run, each with the values it takes."""
    varied = []
    for key, values in vary.items():
        if not values or isinstance(values, str):
            raise GankitError(f"vary[{key!r}] is {values!r}; it should be a list of values")
        varied.append([_value_of_field(key, value) for value in values])
    return varied


def _value_of_field(key: str, value: Any) -> VariedValue:
    if key in SEVERAL:
        value = split_several(value) if isinstance(value, str) else list(value)
        label = "+".join(map(str, value))
        label = "no trick" if key == "tricks" and label in ("", "none") else label
        return VariedValue(label, (key, value))
    name = option(key)[2:]
    if isinstance(value, bool):
        return VariedValue(name if value else f"no-{name}", (key, value))
    return VariedValue(str(value) if key in SELF_EVIDENT else f"{name} {value}", (key, value))


def cross(
    varied: Iterable[Sequence[VariedValue]], build: Callable[[list[Any]], Run]
) -> list[Variant]:
    """Every combination as a variant, the last option varying fastest; the first is the baseline.

    `build` makes the run of what a combination asks for. Its error names the variant, unless the
    run without any variant has the same.
    """
    variants: list[Variant] = []
    for combination in itertools.product(*varied):
        label = ", ".join(value.label for value in combination)
        try:
            run = build([value.setting for value in combination])
        except (GankitError, click.UsageError) as error:
            why = _message(error)
            if why == _error_without_variant(build):
                raise
            raise GankitError(f"variant {label!r}: {why}") from error
        for other in variants:
            if other.run == run:
                raise GankitError(f"variants {other.label!r} and {label!r} are the same run")
        taken = {variant.folder for variant in variants}
        variants.append(Variant(label=label, folder=_folder(label, taken), run=run))
    if len(variants) < 2:
        raise GankitError("a race needs two variants or more: --vary trick=none,ema")
    return variants


def _error_without_variant(build: Callable[[list[Any]], Run]) -> str:
    try:
        build([])
    except (GankitError, click.UsageError) as error:
        return _message(error)
    return ""


def _message(error: GankitError | click.UsageError) -> str:
    return error.format_message() if isinstance(error, click.UsageError) else str(error)


def _folder(label: str, taken: set[str]) -> str:
    """The label as a name that every file system takes."""
    name = re.sub(r"[^\w.=+-]+", "-", label.replace(", ", "_")).strip("-.")[:80]
    if name not in taken:
        return name
    numbered = (f"{name}-{number}" for number in itertools.count(2))
    return next(candidate for candidate in numbered if candidate not in taken)


def differing(runs: Sequence[Run]) -> list[str]:
    """The settings in which runs differ, except those in which runs of one variant may."""
    names = [name for name in vars(runs[0]) if name not in FREE]
    return [name for name in names if len({getattr(run, name) for run in runs}) > 1]
