"""Compile a run's networks with torch.compile, if that makes them faster.

Penalties need second derivatives, which compiled networks do not support: `gankit/core/step.py`
runs the plain networks for them. CUDA graphs (`reduce-overhead`) are not used: D judges two batches
before the backward pass, and the second would overwrite D's outputs for the first.
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
from gankit.core.class_labels import without_labels
from gankit.core.errors import GankitError

if TYPE_CHECKING:
    from gankit.core.gan import Gan
    from gankit.core.run.settings import Run

log = logging.getLogger("gankit")
BACKEND = "inductor"  # torch's default; on a CPU it needs a C++ compiler
FAILED = "torch.compile failed"
WARMUP_ROUNDS = 3
TIMED_ROUNDS = 5
MIN_SPEEDUP = 1.05  # less is noise
# Compiled graphs of one class in one process. A network needs three or more: one for each shape and
# use. Torch's default is 8.
MAX_GRAPHS = 256


def compile_networks(run: Run, gan: Gan) -> Run:
    """Compile both networks if `run.compile` is "yes", or if it is "auto" and compiling helps.

    Times copies of the networks, plain and compiled. Returns the run with `compile` set to "yes" or
    "no". Results differ from plain networks by rounding; layers such as dropout draw other numbers.
    With "yes", GankitError if torch.compile fails.
    """
    if run.compile == "no":
        return run
    if run.compile == "auto" and gan.machine.device.type == "mps":
        log.warning("--compile auto: torch.compile is new on mps, so the networks stay plain")
        return dataclasses.replace(run, compile="no")
    if getattr(gan.G.net, "halvings", 0) or getattr(gan.D.net, "halvings", 0):
        return _refuse_to_compile(run)
    try:
        helps = _is_worth_compiling(run, gan)
    except Exception as error:  # compilers differ, and so do their errors
        why = " ".join(str(error).partition("\n\n")[0].split()) or type(error).__name__
        if run.compile == "yes":
            raise GankitError(f"--compile yes: {FAILED}: {why}; use --compile no") from error
        log.warning("--compile auto: %s, so the networks stay plain: %s", FAILED, why)
        helps = False
    helps = gan.process_group.broadcast(helps)  # rank 0 decides for all processes
    if helps:
        _compile(gan.G.net, gan.D.net)
    return dataclasses.replace(run, compile="yes" if helps else "no")


def _refuse_to_compile(run: Run) -> Run:
    """The run with `compile` set to "no", because its networks grow; GankitError if it is "yes"."""
    why = "networks that grow would be compiled again at each size"
    if run.compile == "yes":
        raise GankitError(f"--compile yes: {why}; use --compile no")
    log.warning("--compile auto: %s, so the networks stay plain", why)
    return dataclasses.replace(run, compile="no")


def _is_worth_compiling(run: Run, gan: Gan) -> bool:
    """Time both networks, plain and compiled, and log the decision."""
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
    """Return a function that runs forward and backward through copies of G and D."""
    G = without_labels(copy.deepcopy(gan.G.net), gan.num_classes)
    D = without_labels(copy.deepcopy(gan.D.net), gan.num_classes)
    if compiled:
        _compile(G, D)

    def forward_and_backward() -> None:
        with gan.machine.autocast():
            score = D(G(z).float()).float().mean()
        score.backward()
        float(score)  # reading a number waits for a GPU

    return forward_and_backward


def _compile(*nets: torch.nn.Module) -> None:
    """Compile networks at their next call, once for each shape.

    Torch counts graphs by class, not by network, and stops compiling a class at its limit.
    """
    torch._dynamo.config.recompile_limit = max(MAX_GRAPHS, torch._dynamo.config.recompile_limit)
    for net in nets:
        net.compile(backend=BACKEND, dynamic=False)


def _time_in_turns(*functions: Callable[[], None]) -> list[float]:
    """The minimum seconds of each function, called in turns, so that a busy moment slows all."""
    minimum = [float("inf")] * len(functions)
    for round_number in range(WARMUP_ROUNDS + TIMED_ROUNDS):
        for index, function in enumerate(functions):
            started = time.perf_counter()
            function()
            seconds = time.perf_counter() - started
            if round_number >= WARMUP_ROUNDS:
                minimum[index] = min(minimum[index], seconds)
    return minimum


@contextlib.contextmanager
def _silence_torch() -> Iterator[None]:
    """While open, hide torch's warnings about compiling; gankit logs the result."""
    disabled_before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled_before)
