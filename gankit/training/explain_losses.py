"""Find the first loss that is not finite, and the player that caused it."""

import math
from collections.abc import Sequence

from gankit.core.gan import Gan, Player
from gankit.training.checkpoints.finite import find_non_finite, numbers_of_networks

LOSSES = ("d_loss", "penalty", "g_loss")  # in the order in which a step computes them
Step = tuple[int, dict[str, float]]  # its number, counted from 1; its losses, and D's mean scores


def explain_losses(steps: Sequence[Step], gan: Gan) -> str:
    """Why the first loss of these steps that is not finite is so; empty if all are finite.

    If an update makes a weight NaN, the losses computed after it show that: after G's update, those
    of the next step; after D's update, the g_loss of the same step.
    """
    for index, (step, scalars) in enumerate(steps):
        for name in LOSSES:
            value = scalars.get(name, 0.0)
            if not math.isfinite(value):
                next_step = steps[index + 1] if index + 1 < len(steps) else None
                cause = _find_cause(name, steps[index], next_step, gan)
                return f"{cause}{name} became {value} at step {step}"
    return ""


def _find_cause(name: str, failed: Step, next_step: Step | None, gan: Gan) -> str:
    """The start of the message: whose numbers failed, or nothing if the loss itself did."""
    step, scalars = failed
    if name == "g_loss":  # D was updated before, and judged real pictures again in the next step
        if next_step is None:
            is_broken = bool(_find_tensor(gan.D))
        else:
            first = "first_d_real" if "first_d_real" in next_step[1] else "d_real"
            is_broken = not _is_finite(next_step[1], first)
        return _blame(gan.D, "answers", step) if is_broken else ""
    # D judges real pictures first, and G's pictures may have spoilt D in the first of its updates.
    for prefix in ("first_", ""):
        if not _is_finite(scalars, f"{prefix}d_real"):
            is_later = not prefix and "first_d_real" in scalars
            return _blame(gan.D, "answers", step if is_later else step - 1)
        if not _is_finite(scalars, f"{prefix}d_fake"):
            return _blame(gan.G, "pictures", step - 1)
    return ""


def _blame(player: Player, output: str, update: int) -> str:
    after = f" after its update at step {update}" if update else ""
    tensor = _find_tensor(player)
    shown = f" ({tensor})" if tensor else ""
    return f"{player.name}'s {output} were not finite{after}{shown}: "


def _find_tensor(player: Player) -> str:
    """The player's first tensor that is not finite now, such as "main.0.weight of G is nan"."""
    numbers = numbers_of_networks({player.name: player.net.state_dict()})
    return next((f"{label} is {kind}" for label, kind in find_non_finite(numbers).items()), "")


def _is_finite(scalars: dict[str, float], name: str) -> bool:
    return math.isfinite(scalars.get(name, 0.0))
