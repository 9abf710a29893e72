"""The variants of a race: `--vary NAME=A,B` becomes a run for each combination of values."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from gankit.core.errors import GankitError, did_you_mean
from gankit.core.files.portable_path import hide_home
from gankit.core.parts.choice import split_at_commas
from gankit.core.parts.specs import KINDS
from gankit.core.run.settings import Run, option
from gankit.data.find.names import RESERVED

# Settings that decide which pictures a run trains on.
PICTURES = ("dataset", "data", "classes", "fit", "background", "subset", "holdout", "data_seed",
            "image_size", "channels", "resample", "fingerprint")  # fmt: skip
OF_LABELS = ("class_labels", "balance_classes")  # add labels to the same pictures
# Settings in which two runs of one variant may differ.
NOT_COMPARED = {"out", "seed", "length", "steps", "log_every", "draw_every", "save_every", "keep",
                "metrics", "measure_every", "keep_best", "patience", "tensorboard",
                "report"}  # fmt: skip
# Settings that gankit chooses by itself, for the computer or to end within --budget.
CHOSEN = ("device", "precision", "threads", "compile", "memory_format", "convolutions",
          "earlier_plans")  # fmt: skip

LENGTHS = ("steps", "epochs", "kimg")  # options of gankit run, each of which is a length
REPEATABLE = ("tricks", "classes")  # one variant may have several of these, joined by `+`
SELF_EXPLANATORY = {*KINDS, *REPEATABLE}  # a label such as `hinge` needs no name before it, 64 does
# Parameters of gankit run that cannot be varied.
NOT_VARIED = {"out", "config", "resume", "dry_run", "preview", "metrics", "measure_every",
              "keep_best"}  # fmt: skip
SAME_LENGTH = "a race does not end the runs of some variants early"
HINTS = {
    "seed": "use --seeds 3 to train each variant with three seeds",
    "patience": SAME_LENGTH,
    "budget": "use --budget 5m for all variants, or --vary epochs=5,40 for different lengths",
}


@dataclass(frozen=True)
class VariedValue:
    """One value of one varied option."""

    label: str
    setting: Any  # arguments of a command line, or a field of Run and its value


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A run to be compared with others; its seed and folder are filled in when it is trained."""

    label: str
    folder: str  # relative to the race's folder
    run: Run
    step_seconds: float = 0.0  # of a training step, measured before the race

    def run_folder(self, seed: int) -> str:
        """The folder of the run with this seed, relative to the race's folder."""
        return f"{self.folder}/seed-{seed}"


def split_values(text: str) -> list[str]:
    """Split at commas, but not at those between the options of a part.

    `none,noisy-d:sigma=0.1,until=0.5` is `none` and `noisy-d:sigma=0.1,until=0.5`.
    """
    values: list[str] = []
    for part in split_at_commas(text):
        if values and ":" in values[-1] and re.match(r"\s*[\w-]+=", part):
            values[-1] += f",{part.strip()}"
        else:
            values.append(part.strip())
    return values


def split_parts(text: str) -> list[str]:
    """Split at `+`, but not inside a number: `noisy-d:p=1e+3+ema` is `noisy-d:p=1e+3` and `ema`.

    If the text begins with `+`, so do all parts: `+r1+ema` adds two tricks to the model's.
    """
    sign = "+" if text.startswith("+") else ""
    parts = re.split(r"\+(?=[A-Za-z_])", text.removeprefix("+"))
    return [sign + part for part in parts]


def parse_vary(texts: Iterable[str], command: click.Command) -> dict[str, list[VariedValue]]:
    """Option -> its values, from the texts after --vary; `command` is `gankit run`.

    A name that is given twice has the values of both.
    """
    options = {
        name.removeprefix("--"): parameter
        for parameter in command.params
        for name in parameter.opts
        if isinstance(parameter, click.Option) and parameter.name not in NOT_VARIED
    }
    varied: dict[str, list[VariedValue]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = option_name(name)
        if name in HINTS:
            raise GankitError(f"--vary {name} is not possible: {HINTS[name]}")
        if name not in options:
            hint = did_you_mean(name, options)
            raise GankitError(f"--vary: gankit run has no option {name!r} to vary.{hint}")
        value_texts = split_values(values) if equals else []
        if not value_texts or not all(value_texts):
            raise GankitError(f"--vary {text}: write --vary {name}=A,B")
        varied.setdefault(name, []).extend(
            _value_of_option(options[name], value) for value in value_texts
        )
    return varied


def option_name(text: str) -> str:
    """The option's name as in `--batch-size`, without dashes, however the user wrote it."""
    name = text.strip().removeprefix("--").replace("_", "-")
    return "trick" if name == "tricks" else name


def _value_of_option(parameter: click.Option, value: str) -> VariedValue:
    flag = parameter.opts[0]
    name = flag.removeprefix("--")
    if parameter.is_flag:
        flags = {"yes": parameter.opts, "no": parameter.secondary_opts}.get(value.lower())
        if not flags:
            raise GankitError(f"--vary {name}={value}: write --vary {name}=yes,no")
        return VariedValue(flags[0].removeprefix("--"), (flags[0],))
    if parameter.name == "tricks" and value == "none":
        label = "no trick"
    elif parameter.name in SELF_EXPLANATORY:
        label = value
    else:
        label = f"{name} {hide_home(value)}"
    parts = split_parts(value) if parameter.name in REPEATABLE else [value]
    arguments: list[str] = []
    for part in parts:
        arguments += [flag, part]
    return VariedValue(label, tuple(arguments))


def parse_fields(vary: Mapping[str, Sequence[Any]]) -> list[list[VariedValue]]:
    """The values of each varied field of Run, for races from Python."""
    varied = []
    for key, values in vary.items():
        if not values or isinstance(values, str):
            raise GankitError(f"vary[{key!r}] is {values!r}; it must be a list of values")
        varied.append([_value_of_field(key, value) for value in values])
    return varied


def _value_of_field(key: str, value: Any) -> VariedValue:
    if key in REPEATABLE:
        label = value if isinstance(value, str) else "+".join(map(str, value))
        value = split_parts(value) if isinstance(value, str) else list(value)
        label = "no trick" if key == "tricks" and label in ("", "none") else label
        return VariedValue(label, (key, value))
    name = option(key).removeprefix("--")
    if isinstance(value, bool):
        return VariedValue(name if value else f"no-{name}", (key, value))
    return VariedValue(str(value) if key in SELF_EXPLANATORY else f"{name} {value}", (key, value))


def make_variants(
    varied: Iterable[Sequence[VariedValue]], build: Callable[[list[Any]], Run]
) -> list[Variant]:
    """A variant for each combination of values; the first is the baseline.

    `build` makes a run from the settings of a combination. An error of `build` names the variant,
    unless it occurs without any varied setting too.
    """
    variants: list[Variant] = []
    for combination in itertools.product(*varied):  # the last option varies fastest
        label = ", ".join(value.label for value in combination)
        try:
            run = build([value.setting for value in combination])
        except (GankitError, click.UsageError) as error:
            message = _message(error)
            if message == _error_without_variant(build):
                raise
            raise GankitError(f"variant {label!r}: {message}") from error
        for other in variants:
            if other.run == run:
                raise GankitError(f"variants {other.label!r} and {label!r} are the same run")
        used_folders = {variant.folder for variant in variants}
        variants.append(Variant(label=label, folder=_folder_name(label, used_folders), run=run))
    if len(variants) < 2:
        raise GankitError("a race needs at least two variants: --vary trick=none,ema")
    return variants


def _error_without_variant(build: Callable[[list[Any]], Run]) -> str:
    try:
        build([])
    except (GankitError, click.UsageError) as error:
        return _message(error)
    return ""


def _message(error: GankitError | click.UsageError) -> str:
    return error.format_message() if isinstance(error, click.UsageError) else str(error)


def _folder_name(label: str, used: set[str]) -> str:
    """The label as a folder name that is valid on every file system, and not in `used`."""
    name = re.sub(r"[^\w.=+-]+", "-", label.replace(", ", "_"))[:80].strip("-.") or "variant"
    if RESERVED.fullmatch(name.partition(".")[0]):
        name = f"_{name}"
    folded = {folder.casefold() for folder in used}  # Windows does not distinguish A from a
    if name.casefold() not in folded:
        return name
    numbered = (f"{name}-{number}" for number in itertools.count(2))
    return next(candidate for candidate in numbered if candidate.casefold() not in folded)


def differing_settings(runs: Sequence[Run]) -> list[str]:
    """The settings in which runs differ, except for NOT_COMPARED."""
    names = [f.name for f in dataclasses.fields(Run) if f.name not in NOT_COMPARED]
    differing = [name for name in names if len({getattr(run, name) for run in runs}) > 1]
    fingerprints = {run.fingerprint for run in runs}
    if len(fingerprints - {""}) < 2:  # a run that was never trained has none
        differing = [name for name in differing if name != "fingerprint"]
    if len(fingerprints) == 1 and "" not in fingerprints:  # the same pictures at two places
        differing = [name for name in differing if name != "data"]
    if set(differing) & set(OF_LABELS):  # the names of classes and the fingerprint follow from them
        differing = [name for name in differing if name not in ("class_names", "fingerprint")]
    return differing
