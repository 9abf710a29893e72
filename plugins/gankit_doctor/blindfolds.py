"""Tricks that hide pictures or labels from D: how strong is too strong, and how D sees more."""

from __future__ import annotations

from gankit.core.choice import Choice
from gankit.core.seen import Seen
from gankit.core.settings import Run
from gankit_doctor.cures import MILD_RATE, Options, drop_tricks, option_of
from gankit_doctor.signs import d_rate

BLINDFOLDS = ("noisy-d", "flip-labels", "dropout-d", "blur", "diffaugment", "ada", "replay")
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


def strengthen_d(run: Run, hidden: str) -> tuple[str, Options]:
    """How D sees more, in words and as settings. `hidden`: what hides nearly everything, if any."""
    blindfolds = [trick.name for trick in run.tricks if trick.name in BLINDFOLDS]
    is_faster = d_rate(run) >= 2 * run.lr_g
    if hidden or (blindfolds and is_faster):
        culprits = [Choice.parse(hidden).name] if hidden else blindfolds
        cure = f"Omit what hides the pictures from D: {', '.join(culprits)}."
        return cure, drop_tricks(run, *culprits)
    channels = option_of(run.discriminator, "base_channels", NARROW)
    if is_faster or channels < NARROW:
        width = {**run.discriminator.options, "base_channels": max(2 * NARROW, int(2 * channels))}
        discriminator = Choice(run.discriminator.name, width)
        return "Give D a wider network.", {"discriminator": discriminator}
    rate = min(run.lr_g, MILD_RATE)
    return "Let D learn faster than G.", {"lr_d": max(run.lr_d, 2 * rate), "lr_g": rate}


def hidden_by(seen: Seen) -> str:
    """The trick of the run that hides nearly everything from D, at this step; else empty."""
    return next((str(trick) for trick in seen.run.tricks if _hides(seen, trick)), "")


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
