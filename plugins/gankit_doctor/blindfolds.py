"""Tricks that hide pictures or labels from D: how strong is too strong, and how D sees more."""

from __future__ import annotations

from collections.abc import Sequence

from gankit.core.contracts.seen import Seen
from gankit.core.parts.choice import Choice
from gankit.core.run.settings import Run
from gankit_doctor.cures import MILD_RATE, Options, d_rate, drop_tricks, option_of, set_rates

BLINDFOLDS = ("noisy-d", "flip-labels", "dropout-d", "blur", "diffaugment", "ada", "replay")
WIDTHS = {  # discriminator -> its default of base_channels
    "dcgan": 64, "dcgan-grow": 24, "mathworks": 64, "tf-dcgan": 64, "modern": 24, "light": 16,
}  # fmt: skip
NARROW = 8  # channels of D's first layer, below which it can hardly see
LIMITS = {  # trick -> its option, its default, and what hides nearly everything
    "flip-labels": ("p", 0.35, 0.45),
    "dropout-d": ("p", 0.5, 0.9),
    "noisy-d": ("sigma", 0.1, 1.0),
    "noisy-labels": ("amount", 0.05, 0.8),
    "replay": ("share", 0.5, 0.9),
    "blur": ("sigma", 10.0, 4.0),  # for pictures of 32 px; in proportion for others
}
FADES = {"noisy-d": 1.0, "blur": 0.1}  # trick -> the default share of the run until which it fades


def strengthen_d(run: Run, hiding: Sequence[Choice]) -> tuple[str, Options]:
    """How D sees more, in words and as settings. `hiding`: tricks that hide nearly everything."""
    blindfolds = [trick.name for trick in run.tricks if trick.name in BLINDFOLDS]
    is_faster = d_rate(run) >= 2 * run.lr_g
    if hiding or (blindfolds and is_faster):
        culprits = [trick.name for trick in hiding] or blindfolds
        cure = f"Omit what hides pictures or labels from D: {', '.join(culprits)}."
        return cure, drop_tricks(run, *culprits)
    width = int(
        option_of(run.discriminator, "base_channels", WIDTHS.get(run.discriminator.name, 0))
    )
    if width and not run.init and (is_faster or width < NARROW):  # a base fits its own D only
        wider = {**run.discriminator.options, "base_channels": max(2 * NARROW, 2 * width)}
        discriminator = Choice(run.discriminator.name, wider)
        return "Give D a wider network.", {"discriminator": discriminator}
    rate = min(run.lr_g, MILD_RATE)
    faster = max(2 * rate, 2 * d_rate(run) if is_faster else d_rate(run))
    return "Let D learn faster than G.", set_rates(run, g=rate, d=faster)


def find_hiding(seen: Seen) -> list[Choice]:
    """The tricks of the run that hide nearly everything from D, at this step."""
    return [trick for trick in seen.run.tricks if _hides(seen, trick)]


def _hides(seen: Seen, trick: Choice) -> bool:
    """Whether a trick hides nearly everything from D, at this step."""
    if trick.name not in LIMITS:
        return False
    name, default, limit = LIMITS[trick.name]
    strength = option_of(trick, name, default)
    if trick.name in FADES:
        until = option_of(trick, "until", FADES[trick.name])
        strength *= 1 - seen.share / max(until, 1e-9)
    if trick.name == "blur":
        limit *= seen.run.size.shorter / 32
    return strength >= limit
