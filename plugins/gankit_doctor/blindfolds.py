"""Tricks that hide pictures or labels from D, and how strong is too strong."""

from __future__ import annotations

from gankit.core.choice import Choice
from gankit.core.seen import Seen
from gankit_doctor.cures import option_of

BLINDFOLDS = ("noisy-d", "flip-labels", "dropout-d", "blur", "noisy-labels", "smooth-labels",
              "diffaugment", "ada", "replay")  # fmt: skip
LIMITS = {  # trick -> its option, its default, and what hides nearly everything
    "flip-labels": ("p", 0.35, 0.45),
    "dropout-d": ("p", 0.5, 0.9),
    "noisy-d": ("sigma", 0.1, 1.0),
    "noisy-labels": ("amount", 0.05, 0.8),
    "replay": ("share", 0.5, 0.9),
    "blur": ("sigma", 10.0, 4.0),  # for pictures of 32 px; in proportion for others
}
FADES = {"noisy-d": 1.0, "blur": 0.1}  # trick -> the default share of the run until which it fades


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
