"""What the settings of a run say about it, together with its looks.

A function that returns a text says which setting explains a finding.
"""

from __future__ import annotations

from gankit.core.contracts.seen import Seen
from gankit.core.parts.choice import Choice
from gankit.core.run.settings import Run
from gankit_doctor.cures import SMALL_Z, d_rate

LONG_MOMENTUM = 0.8
JUMPS = 0.42  # change of a picture between looks, above which pictures jump
FASTER = 8.0  # times that D learns as fast as G: it is ahead in any case
G_FASTER = 9.0  # times that G learns as fast as D: it runs to what D believes
LONG_STEPS = 9e-4  # a learning rate, from which on G cannot even out a pattern
UNEVEN_KERNELS = ("mathworks", "tf-dcgan")  # generators: 5 pixels wide, with a stride of 2
FEW = 1000  # training pictures, which a D can learn by heart, if it sees each often
MOST = 0.5  # share of pictures whose colours are changed, from which on D cannot know true ones
OFTEN = 50.0  # times in the whole run
STILL = 0.003  # change of a picture between looks, below which pictures are frozen
BOUNDS = ("spectral-norm", "wgan-gp", "dragan", "r1", "r2", "lecam", "weight-clipping")


def is_frozen(seen: Seen) -> bool:
    """Whether pictures are drawn with an average of G's weights that does not move."""
    return seen.trick("ema") is not None and seen.last("turnover", 5) < STILL


def long_momentum(seen: Seen) -> str:
    """A --beta1 so high that the players run past each other, if pictures jump; else empty."""
    run = seen.run
    is_long = run.beta1 > LONG_MOMENTUM and seen.last("turnover", 5) > JUMPS
    return f"--beta1 is {run.beta1:g}" if is_long else ""


def d_races(run: Run) -> str:
    """That D learns so much faster than G that all else may come from that; else empty."""
    times = d_rate(run) * run.d_steps / max(run.lr_g, 1e-12)
    by = f"{_d_rate_in_words(run)} times --d-steps" if run.d_steps > 1 else _d_rate_in_words(run)
    return f"{by} is {times:.0f} times --lr-g" if times > FASTER else ""


def g_races(run: Run) -> str:
    """That G learns so much faster than D that all else may come from that; else empty.

    Of a D that never sees true colours, that is not known.
    """
    times = run.lr_g / max(d_rate(run) * run.d_steps, 1e-12)
    is_known = times > G_FASTER and not any(map(policy_of_colours, run.tricks))
    return f"--lr-g is {times:.0f} times {_d_rate_in_words(run)}" if is_known else ""


def _d_rate_in_words(run: Run) -> str:
    return "--lr-d" if d_rate(run) == run.lr_d else "--lr-d with ttur"


def small_z(run: Run) -> str:
    """That z is too small for varied pictures; else empty."""
    return f"--latent-dim is {run.latent_dim}" if run.latent_dim < SMALL_Z else ""


def draws_patterns(run: Run) -> str:
    """That G's kernels overlap unevenly, and steps are too long to even that out; else empty."""
    is_fast = run.lr_g > LONG_STEPS and run.beta1 <= LONG_MOMENTUM
    if not is_fast or run.generator.name not in UNEVEN_KERNELS:
        return ""
    return f"the kernels of --generator {run.generator.name} overlap unevenly, and --lr-g is high"


def policy_of_colours(trick: Choice) -> bool:
    """Whether the options of a trick say that it changes colours."""
    return "color" in str(trick.options.get("policy", ""))


def hides_colours(seen: Seen) -> str:
    """A trick that changes the colours of most of what D sees; else empty.

    `ada` changes a share p of the pictures, which it reports.
    """
    for trick in filter(policy_of_colours, seen.run.tricks):
        if trick.name != "ada" or seen.series("ada.p").last(5) > MOST:
            return f"--trick {trick} hides true colours from D"
    return ""


def passes(seen: Seen) -> float:
    """How often D sees each training picture in the whole run; NaN if it is not known."""
    return seen.run.steps * seen.run.batch_size * seen.run.d_steps / seen.last("pictures")


def few_pictures(seen: Seen) -> str:
    """That D sees each of few pictures so often that it can know them by heart; else empty."""
    pictures = seen.last("pictures")
    if pictures < FEW and passes(seen) > OFTEN:
        return (
            f"there are {pictures:.0f} training pictures, and D sees each {passes(seen):.0f} times"
        )
    return ""


def is_bounded(run: Run) -> bool:
    """Whether a trick, or the model, limits how steep D can be."""
    names = {trick.name for trick in run.tricks}
    return bool(names & set(BOUNDS))
