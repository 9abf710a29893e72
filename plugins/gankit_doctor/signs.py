"""What the settings of a run say about it, together with its looks."""

from __future__ import annotations

from gankit.core.seen import Seen
from gankit.core.settings import Run

LONG_MOMENTUM = 0.8
JUMPS = 0.42  # change of a picture between looks, above which pictures jump
FASTER = 8.0  # times that D learns as fast as G: it is ahead in any case
STILL = 0.003  # change of a picture between looks, below which pictures are frozen
BOUNDS = ("spectral-norm", "wgan-gp", "dragan", "r1", "r2", "lecam", "weight-clipping")


def is_frozen(seen: Seen) -> bool:
    """Whether pictures are drawn with an average of G's weights that does not move."""
    return seen.trick("ema") is not None and seen.last("turnover", 5) < STILL


def has_long_momentum(seen: Seen) -> bool:
    """Whether --beta1 is so high that the players run past each other, and pictures jump."""
    return seen.run.beta1 > LONG_MOMENTUM and seen.last("turnover", 5) > JUMPS


def d_races(run: Run) -> bool:
    """Whether D learns so much faster than G that all else may come from that."""
    return run.lr_d * run.d_steps > FASTER * run.lr_g


def is_bounded(run: Run) -> bool:
    """Whether a trick, or the model, limits how steep D can be."""
    names = {trick.name for trick in run.tricks}
    return bool(names & set(BOUNDS))
