"""Check a trick in the order of a step: what it does between the methods that gankit calls.

The conformance kit refuses what is found here, and `gankit run` warns of it.
"""

from __future__ import annotations

import contextlib
import functools
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer, register_optimizer_step_pre_hook

from gankit.core.contracts.trick import Trick
from gankit.core.gan import Gan
from gankit.core.random_state import all_random_states
from gankit.core.step import d_backward
from gankit.training.assemble import Trainer

WATCHED = ("begin_batch", "reals", "fakes", "d_input", "targets", "logits", "penalty",
           "before_update", "after_update")  # fmt: skip
USE_GAN_DRAW = "take random numbers from gan.draw('some purpose')"
TELLS_REALS_FROM_FAKES = (
    "d_input changes the same images in one way as reals and in another as fakes, so D learns that "
    "difference: treat all images alike (docs/hooks.md, d_input)"
)


class TrickWatch:
    """Collects what a trick's methods do that only gankit may do."""

    def __init__(self, trick: Trick, gan: Gan) -> None:
        self.found: dict[str, None] = {}  # messages, each once
        self.method = ""  # the method of the trick that runs
        self.states: tuple[Any, ...] = ()
        self.gan = gan
        self.weights = {*gan.G.net.parameters(), *gan.D.net.parameters()}
        for name in filter(trick.overrides, WATCHED):
            method = getattr(trick, name)
            watched = self._wrap(name, method)
            setattr(trick, name, watched)
            gan.d_inputs = [watched if called == method else called for called in gan.d_inputs]
        self.passes = 0  # of D, that gankit makes now
        for name in ("judge", "look"):
            setattr(gan, name, self._wrap_pass(getattr(gan, name)))
        gan.D.net.register_forward_pre_hook(lambda *_: self._require_pass(), prepend=True)
        for net in (gan.G.net, gan.D.net):
            # A trick may call D, whose layers, such as dropout, draw from the global state.
            net.register_forward_pre_hook(lambda *_: self._compare_states(), prepend=True)
            net.register_forward_hook(lambda *_: self._remember_states())

    def _wrap(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def watched(*args: Any, **kwargs: Any) -> Any:
            outer = self.method
            self.method = name
            self._remember_states()
            try:
                return method(*args, **kwargs)
            finally:
                self._compare_states()
                self.method = outer
                self._remember_states()

        return watched

    def _wrap_pass(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.passes += 1
            try:
                return method(*args, **kwargs)
            finally:
                self.passes -= 1

        return watched

    def _require_pass(self) -> None:
        if self.method and not self.passes:
            wrong = (
                f"{self.method} calls gan.D.net, so D gets images without what tricks do to them"
            )
            self.found[f"{wrong}: call gan.judge(images)"] = None

    def _remember_states(self) -> None:
        if self.method:
            self.states = random_states(self.gan)

    def _compare_states(self) -> None:
        if self.method and random_states(self.gan) != self.states:
            self.found[uses_global_state(self.method)] = None

    def optimizer_steps(self, optimizer: Optimizer, *_: Any) -> None:
        """Called before the step of any optimiser."""
        groups = optimizer.param_groups
        if self.method and any(p in self.weights for group in groups for p in group["params"]):
            wrong = f"{self.method} calls an optimiser, which updates a network once more"
            self.found[f"{wrong}: return a value, and gankit takes the step"] = None


@contextlib.contextmanager
def watch_trick(trick: Trick, gan: Gan) -> Iterator[TrickWatch]:
    """While open, steps of `gan` are watched; the trick cannot be used elsewhere afterwards."""
    watch = TrickWatch(trick, gan)
    handle = register_optimizer_step_pre_hook(watch.optimizer_steps)
    try:
        yield watch
    finally:
        handle.remove()


def uses_global_state(method: str) -> str:
    """The message about a method that draws from a global random state."""
    return f"{method} uses a global random state: {USE_GAN_DRAW}"


def random_states(gan: Gan) -> tuple[Any, ...]:
    """The global random states of torch, NumPy and Python, for comparison."""
    twister = np.random.get_state(legacy=False)["state"]
    numpy_state = (twister["key"].tolist(), twister["pos"])
    of_devices = all_random_states(gan.machine.device).values()
    torch_states = [state.tolist() for state in of_devices]
    return torch_states, numpy_state, random.getstate()


def tells_reals_from_fakes(trainer: Trainer, other: Trainer, position: int) -> bool:
    """Whether `d_input` of the trick at `position` treats reals and fakes differently.

    Both trainers are of the same run, and new. In one, D gets the images A as reals and B as fakes;
    in the other, B as reals and A as fakes. The random draws are the same.
    """
    images = [trainer.batches[index] for index in range(2)]
    real, fake = _d_inputs_of_a_step(trainer, position, *images)
    other_real, other_fake = _d_inputs_of_a_step(other, position, *reversed(images))
    return not (torch.allclose(real, other_fake) and torch.allclose(fake, other_real))


def _d_inputs_of_a_step(
    trainer: Trainer, position: int, real: Tensor, fake: Tensor
) -> tuple[Tensor, Tensor]:
    """What `d_input` makes of these reals and fakes (N, C, H, W) in D's update."""
    gan = trainer.gan
    trick = trainer.tricks[position]
    remaining = [real, fake]
    results: list[Tensor] = []

    def call_d_input(images: Tensor, gan: Gan) -> Tensor:
        gan.begin_step(0)  # the same draws for reals and fakes
        if remaining:  # later calls are those of penalties
            images.data = remaining.pop(0).clone()  # what the trick's `fakes` made of them
            results.append(trick.d_input(images, gan).detach().clone())
            return images
        return trick.d_input(images, gan)

    gan.d_inputs = [call_d_input]
    gan.begin_step(0)
    trick.begin_batch(gan, gan.D)
    micro_batch = slice(len(real) // gan.accumulate)
    remaining = [real[micro_batch], fake[micro_batch]]
    d_backward(gan, trainer.loss, [trick], real=remaining[0].clone(), fakes=remaining[1].clone())
    return results[0], results[1]


def numbers_in(state: Any, name: str = "state_dict") -> dict[str, float]:
    """The numbers in a state, by their path in it: `state_dict['count']`."""
    if isinstance(state, Tensor) and not state.ndim:
        return {name: float(state)}
    if isinstance(state, int | float) and not isinstance(state, bool):
        return {name: float(state)}
    items: Any = ()
    if isinstance(state, dict):
        items = state.items()
    elif isinstance(state, list | tuple):
        items = enumerate(state)
    numbers: dict[str, float] = {}
    for key, value in items:
        numbers |= numbers_in(value, f"{name}[{key!r}]")
    return numbers
