"""torch.compile for a run's networks, where it makes them faster.

Penalties need second gradients, which a compiled network does not have: `gankit/core/step.py` takes
them from the plain networks. There is no mode with CUDA graphs (`reduce-overhead`): D judges two
batches before the backward pass, and a recorded graph would overwrite its outputs for the first.
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
WARMUP_ROUNDS = 3
TIMED_ROUNDS = 5
MIN_SPEEDUP = 1.05  # less is noise
# Graphs of one class of networks in one process; a network has three or more, one for each shape
# and each use. Torch's own limit is 8.
MAX_GRAPHS = 256


def compile_networks(run: Run, gan: Gan) -> Run:
    """Compile both networks if `run.compile` is "yes", or "auto" and it helps; returns the run.

    Copies of the networks are timed for that, plain and compiled, and the run that is returned
    says "yes" or "no". Results differ from plain networks by rounding; layers that draw (dropout)
    draw other numbers. With "yes", GankitError where torch cannot compile.
    """
    if run.compile == "no":
        return run
    try:
        helps = _is_worth_compiling(run, gan)
    except Exception as error:  # compilers differ, and so do their errors
        why = " ".join(str(error).partition("\n\n")[0].split()) or type(error).__name__
        if run.compile == "yes":
            raise GankitError(f"--compile yes: torch cannot: {why}; --compile no trains") from error
        log.warning("--compile auto: the networks stay plain; torch cannot: %s", why)
        helps = False
    helps = gan.process_group.broadcast(helps)  # rank 0 decides for all processes
    if helps:
        _compile(gan.G.net, gan.D.net)
    return dataclasses.replace(run, compile="yes" if helps else "no")


def _is_worth_compiling(run: Run, gan: Gan) -> bool:
    """Time both networks plain and compiled, and say what that means for the run."""
    micro_batch = run.batch_size // (gan.process_group.world_size * run.accumulate)
    z = randomness.latents(run.seed, 0, micro_batch, run.latent_dim, "compiling")
    z = z.to(gan.machine.device)
    with _silence_torch():
        passes = [_training_pass(gan, z, compiled) for compiled in (False, True)]
        plain, compiled = _time_in_turns(*passes)
    helps = run.compile == "yes" or plain > MIN_SPEEDUP * compiled
    if gan.process_group.rank == 0:
        times = f"{1e3 * compiled:.3g} ms forward and backward compiled, {1e3 * plain:.3g} ms plain"
        decision = "are compiled" if helps else "stay plain"
        log.warning("--compile %s: %s; the networks %s", run.compile, times, decision)
    return helps


def _training_pass(gan: Gan, z: torch.Tensor, compiled: bool) -> Callable[[], None]:
    """A forward and a backward pass through copies of G and D."""
    G = copy.deepcopy(gan.G.net)
    D = copy.deepcopy(gan.D.net)
    if compiled:
        _compile(G, D)

    def forward_and_backward() -> None:
        with gan.machine.autocast():
            score = D(G(z).float()).float().mean()
        score.backward()
        float(score)  # waits for a GPU

    return forward_and_backward


def _compile(*nets: torch.nn.Module) -> None:
    """Compile networks at their next use, once for each shape.

    Torch counts what it compiled by code, not by network, and leaves a class plain at its limit.
    """
    torch._dynamo.config.recompile_limit = max(MAX_GRAPHS, torch._dynamo.config.recompile_limit)
    for net in nets:
        net.compile(backend=BACKEND, dynamic=False)


def _time_in_turns(*functions: Callable[[], None]) -> list[float]:
    """The least seconds that each function takes, in turns, so that a busy moment slows all."""
    least = [float("inf")] * len(functions)
    for round_number in range(WARMUP_ROUNDS + TIMED_ROUNDS):
        for index, function in enumerate(functions):
            started = time.perf_counter()
            function()
            seconds = time.perf_counter() - started
            if round_number >= WARMUP_ROUNDS:
                least[index] = min(least[index], seconds)
    return least


@contextlib.contextmanager
def _silence_torch() -> Iterator[None]:
    """While open, torch's warnings on compiling are not shown: gankit says what matters."""
    disabled_before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled_before)
