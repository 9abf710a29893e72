"""Changes of a run's settings that cure it: fields of Run and their new values."""

from __future__ import annotations

import dataclasses
from typing import Any

from gankit.core.parts.choice import Choice
from gankit.core.run.settings import Run
from gankit.training.settings import combine

Options = dict[str, Any]
SMALL_Z = 8  # numbers in z, below which they limit how many pictures there are
USUAL_RATE = 4e-4  # the default of gankit run
MILD_RATE = 2e-4  # DCGAN's
FAR_APART = 4.0  # times: one learning rate and the other
UNEVEN = ("dcgan", "mathworks", "tf-dcgan")  # generators of transposed convolutions
POLICIES = {  # tricks that may change colours, and what they change by default
    "diffaugment": "color+translation+cutout",
    "ada": "flip+rotate+translate+scale+color",
}
SHIFTS = "diffaugment:policy=translation"
ZOOM = 1.5
VARIANTS = (
    "Show D more variants of each picture: shifted, mirrored, and a random part of it. And draw "
    "with an average of G. More pictures help most."
)
EVEN = "The command also takes a G without transposed convolutions, which leave patterns."
MORE_PICTURES = (
    "Collect more pictures, or begin with a run that has seen others (--init RUN): this run shows "
    "D many variants of each picture already."
)


def scale_rate(run: Run, factor: float, *players: str) -> Options:
    """Other learning rates for these players, "d" and "g", rounded to two digits.

    A rate of 0 that is to be raised becomes a usual one.
    """
    rates = {f"lr_{player}": getattr(run, f"lr_{player}") for player in players}
    raised = {name: MILD_RATE for name, rate in rates.items() if not rate and factor > 1}
    scaled = {name: _rounded(min(rate * factor, 0.05)) for name, rate in rates.items()}
    return {**scaled, **raised}


def d_rate(run: Run) -> float:
    """D's learning rate, as the trick ttur makes it."""
    ttur = next((trick for trick in run.tricks if trick.name == "ttur"), None)
    return run.lr_d * (option_of(ttur, "factor", 4.0) if ttur else 1.0)


def set_rates(run: Run, *, g: float, d: float) -> Options:
    """These learning rates, rounded to two digits, without ttur, which would change D's."""
    rates = {"lr_g": _rounded(g), "lr_d": _rounded(d)}
    has_ttur = any(trick.name == "ttur" for trick in run.tricks)
    return {**rates, **drop_tricks(run, "ttur")} if has_ttur else rates


def _rounded(rate: float) -> float:
    return float(f"{rate:.2g}")


def add_tricks(run: Run, *texts: str) -> Options:
    """The run's tricks and more; one of the same name is replaced."""
    if not texts:
        return {}
    tricks = combine.add_tricks(run.tricks, [f"+{text}" for text in texts])
    return {"tricks": tuple(map(Choice.parse, tricks))}


def add_missing(run: Run, *texts: str, changed: Options | None = None) -> Options:
    """Settings that `changed`, and these tricks, of which the run keeps those that it has."""
    options = changed or {}
    run = dataclasses.replace(run, **options)
    names = {trick.name for trick in run.tricks}
    missing = [text for text in texts if Choice.parse(text).name not in names]
    return {**options, **add_tricks(run, *missing)}


def drop_tricks(run: Run, *names: str) -> Options:
    """The run's tricks without those of these names."""
    return {"tricks": tuple(trick for trick in run.tricks if trick.name not in names)}


def without_colours(run: Run) -> tuple[str, Options]:
    """What to do about a trick that changes colours, and the tricks then; empty without one."""
    for trick in run.tricks:
        if trick.name not in POLICIES:
            continue
        changes = str(trick.options.get("policy", POLICIES[trick.name])).split("+")
        kept = "+".join(change for change in changes if change != "color")
        if not kept:
            cure = f"Omit {trick.name}, which only changes colours"
            return cure, drop_tricks(run, trick.name)
        colourless = Choice(trick.name, {**trick.options, "policy": kept})
        return f"Let {trick.name} leave colours as they are", add_tricks(run, str(colourless))
    return "", {}


def slower_g(run: Run, at_most: float = USUAL_RATE) -> Options:
    """Half of G's learning rate, or this one; D's is a usual one at most, but no slower than G's.

    A D that learns slower than G does not see what is wrong with its pictures.
    """
    rate = min(run.lr_g / 2, at_most)
    return set_rates(run, g=rate, d=max(rate, min(d_rate(run), USUAL_RATE)))


def lower_rates(run: Run) -> tuple[str, Options]:
    """What to do about rates that are too high, and the learning rates then.

    Of two that are far apart, only one is too high.
    """
    lower, higher = sorted((run.lr_g, d_rate(run)))
    if higher > FAR_APART * lower:
        rate = min(MILD_RATE, higher / FAR_APART)
        return "Give both players the same low learning rate.", set_rates(run, g=rate, d=rate)
    factor = min(0.25, MILD_RATE / max(run.lr_g, run.lr_d, 1e-9))
    return "Lower both learning rates.", scale_rate(run, factor, "d", "g")


def hold_d_back(run: Run) -> tuple[str, Options]:
    """What to do about a D that is far ahead of G, and the learning rates and steps then."""
    cure = "Hold D back: give it a lower learning rate."
    options = scale_rate(run, 0.25, "d")
    if run.lr_g < d_rate(run) / FAR_APART:
        rate = min(d_rate(run), USUAL_RATE if run.d_steps > 1 else MILD_RATE)
        options = set_rates(run, g=rate, d=rate)
        cure = "Hold D back: give both players the same learning rate."
    if run.d_steps > 1:
        options |= one_d_step(run)
        cure = f"{cure[:-1]}, and give D one update in each step. Steps are shorter then, so take "
        cure += "more of them."
    return cure, options


def one_d_step(run: Run) -> Options:
    """One update of D in each step, and as many updates of both players in all."""
    return {"d_steps": 1, "steps": round(run.steps * (run.d_steps + 1) / 2)}


def for_few_pictures(run: Run) -> Options:
    """What helps most with few pictures: more variants of each, an average of G, an even G.

    Shifts and zoom are enough in most cases, and G learns faster than with all of `diffaugment`.
    `ada` shifts pictures, too, and excludes `diffaugment`.
    """
    options = add_missing(run, "ema:decay=0.99")
    policies = {t.name: str(t.options.get("policy", SHIFTS)) for t in run.tricks}
    if not ("ada" in policies or "translation" in policies.get("diffaugment", "")):
        changed = dataclasses.replace(run, **options)
        options |= add_tricks(changed, _with_shifts(policies.get("diffaugment", "")))
    return {**options, **even_generator(run), "flip": True, "zoom": max(run.zoom, ZOOM)}


def _with_shifts(policy: str) -> str:
    """`diffaugment` with shifts, and with what its policy has; colours are left as they are."""
    kept = [change for change in policy.split("+") if change not in ("", "color")]
    return "+".join([SHIFTS, *kept])


def few_pictures_cure(run: Run) -> str:
    """The changes of `for_few_pictures` in words."""
    changes = for_few_pictures(run)
    if dataclasses.replace(run, **changes) == run:
        return MORE_PICTURES
    return f"{VARIANTS} {EVEN}" if "generator" in changes else VARIANTS


def even_generator(run: Run, at_least: int = 0) -> Options:
    """A G whose kernels overlap evenly; nothing if the run has one, or begins from a base.

    It has as many base channels as the run names, if these are more than `at_least`; else its
    default, 24.
    """
    if run.generator.name not in UNEVEN or run.init:  # the weights of a base fit its own G only
        return {}
    width = int(option_of(run.generator, "base_channels", 0))
    options = {"base_channels": width} if width > at_least else {}
    return {"generator": Choice("dcgan-skip", options)}


def option_of(trick: Choice, name: str, default: float) -> float:
    """The value of a trick's option; the default if it was not given, or is not a number."""
    value = trick.options.get(name, default)
    return float(value) if isinstance(value, int | float) else default
