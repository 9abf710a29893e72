"""torch.compile for a run's networks, where it makes them faster.

Penalties go back twice, which a compiled network cannot: `gankit/core/step.py` takes them from the
networks as they are written. There is no mode with CUDA graphs (`reduce-overhead`): D judges two
batches before it goes back, and a recorded graph would overwrite what it said of the first.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch

from gankit.core import randomness
from gankit.core.errors import GankitError

if TYPE_CHECKING:
    from gankit.core.gan import Gan
    from gankit.core.settings import Run

log = logging.getLogger("gankit")
BACKEND = "inductor"  # torch's own; on a CPU it needs a C++ compiler
WARMING, TURNS = 3, 5  # passes before they are timed, and those that are
GAIN = 1.05  # times as fast at least, or it is noise
SHAPES = 256  # of one class of networks, in one process; each is used in three ways or more


def compile_networks(run: Run, gan: Gan) -> Run:
    """Compile both networks if `run.compile` is "yes", or "auto" and it helps; returns the run.

    Copies of the networks are timed for that, plain and compiled, and the run that is returned
    says "yes" or "no". What comes out differs from plain networks by rounding; layers that draw
    (dropout) draw other numbers. With "yes", GankitError where torch cannot compile.
    """
    if run.compile == "no":
        return run
    count = run.batch_size // (gan.process_group.world_size * run.accumulate)
    z = randomness.latents(run.seed, 0, count, run.latent_dim, "compiling").to(gan.machine.device)
    try:
        with _quietly():
            plain, compiled = _best(_a_pass(gan, z, False), _a_pass(gan, z, True))
    except Exception as error:  # compilers differ, and so do their errors
        why = " ".join(str(error).partition("\n\n")[0].split()) or type(error).__name__
        if run.compile == "yes":
            raise GankitError(f"--compile yes: torch cannot: {why}; --compile no trains") from error
        log.warning("--compile auto: the networks stay plain; torch cannot: %s", why)
        helps = False
    else:
        helps = run.compile == "yes" or plain > GAIN * compiled
        times = f"{1e3 * compiled:.3g} ms forth and back compiled, {1e3 * plain:.3g} ms plain"
        if not gan.process_group.rank:
            then = "are compiled" if helps else "stay plain"
            log.warning("--compile %s: %s; the networks %s", run.compile, times, then)
    helps = gan.process_group.broadcast(helps)  # the first process decides
    if helps:
        _compile(gan.G.net, gan.D.net)
    return dataclasses.replace(run, compile="yes" if helps else "no")


def _a_pass(gan: Gan, z: torch.Tensor, compiled: bool) -> Callable[[], None]:
    """Copies of both networks, forth and back: fakes of z, D's opinion of them, all gradients."""
    G, D = (copy.deepcopy(player.net) for player in (gan.G, gan.D))
    if compiled:
        _compile(G, D)

    def there_and_back() -> None:
        with gan.machine.autocast():
            opinion = D(G(z).float()).float().mean()
        opinion.backward()
        float(opinion)  # waits for a GPU

    return there_and_back


def _compile(*nets: torch.nn.Module) -> None:
    """Compile networks at their next use, once for each shape.

    Torch counts what it compiled by code, not by network, and leaves a class plain after 8 shapes.
    """
    torch._dynamo.config.recompile_limit = max(SHAPES, torch._dynamo.config.recompile_limit)
    for net in nets:
        net.compile(backend=BACKEND, dynamic=False)


def _best(*passes: Callable[[], None]) -> list[float]:
    """The least seconds that each takes, in turns, so that a busy moment hits all alike."""
    best = [float("inf")] * len(passes)
    for turn in range(WARMING + TURNS):
        for number, one in enumerate(passes):
            started = time.perf_counter()
            one()
            if turn >= WARMING:
                best[number] = min(best[number], time.perf_counter() - started)
    return best


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """While open, torch's remarks on compiling are not shown: gankit says what matters."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
