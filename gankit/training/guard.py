"""Name the part when its code fails, or returns something of a wrong kind, while a run trains.

The first step of a run is tried before it starts; a part may still fail at any later step. So each
method that a step calls is guarded: its result is checked as far as that costs nothing (see
checks/returns.py), and an error becomes a RunFailed that names the part, its plugin, the method and
the step.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from gankit.core.contracts.growing import shape_in_training
from gankit.core.errors import GankitError, RunFailed, RunStopped, describe_error
from gankit.core.parts.registry import Registry
from gankit.core.parts.specs import Spec
from gankit.training.assemble import Trainer
from gankit.training.checks import returns

Check = Callable[..., object]  # takes what a method returned, and its arguments; raises ValueError


def _check_nothing(result: object, *args: object) -> None:
    """For methods whose result is not used."""


# The methods of a trick that a run calls after `start`, with the check of what they return.
TRICK_METHODS: dict[str, Check] = {
    "begin_batch": _check_nothing,
    "reals": lambda result, images, gan: returns.require_reals(result, images, gan.G.net),
    "fakes": lambda result, images, gan: returns.require_like("fakes", result, images),
    "d_input": lambda result, images, gan: returns.require_like("d_input", result, images),
    "targets": lambda result, targets, gan: returns.require_targets(result, targets),
    "logits": lambda result, logits, *_: returns.require_logits("logits", result, logits),
    "penalty": lambda result, *_: returns.require_penalty(result),
    "before_update": _check_nothing,
    "after_update": _check_nothing,
    "activity": returns.require_activity,
    "state_dict": returns.require_state,
    "load_state_dict": _check_nothing,
}
LOSS_METHODS: dict[str, Check] = {
    "d_loss": lambda result, *_: returns.require_loss("d_loss", result),
    "g_loss": lambda result, *_: returns.require_loss("g_loss", result),
    "score": lambda result, logits: returns.require_score(result),
}
BETWEEN_STEPS = ("activity", "state_dict", "sample", "look")
# Methods of Gan that call a network -> what a message calls them.
FORWARD = {
    "generate": "forward",
    "judge": "forward",
    "sample": "forward in eval mode",
    "look": "forward in eval mode",
}


@dataclass
class Guard:
    """Calls a method of a part, and names the part if that fails."""

    trainer: Trainer
    registry: Registry
    spec: Spec  # of the part
    owner: object  # whose method it is: the part, or the Gan for the passes of networks
    method: str
    check: Check

    def __post_init__(self) -> None:
        self.own = vars(self.owner).get(self.method)  # a function of the object, not of its class

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        dtype = torch.get_default_dtype()
        has_gradients = torch.is_grad_enabled()
        function = self.own or _method_of_class(self.owner, self.method)
        try:
            result = function(*args, **kwargs)
        except (RunFailed, RunStopped, KeyboardInterrupt):  # of another part that this one calls
            raise
        except BaseException as error:  # a plugin may raise anything
            method = FORWARD.get(self.method, self.method)
            subject = f"{self._name_culprit(error)} failed in {method}{self._when()}"
            raise RunFailed(f"{subject}: {describe_error(error, with_place=True)}", 1) from error
        try:
            self.check(result, *args, *kwargs.values())
            if torch.get_default_dtype() != dtype:
                torch.set_default_dtype(dtype)
                raise ValueError(f"{self.method} changes torch's default dtype; it must not")
            if torch.is_grad_enabled() != has_gradients:
                torch.set_grad_enabled(has_gradients)
                raise ValueError(f"{self.method} changes torch.set_grad_enabled; it must not")
        except ValueError as error:
            part = self.registry.describe(self.spec)
            raise RunFailed(f"{part} failed{self._when()}: {error}", 1) from error
        return result

    def _name_culprit(self, error: BaseException) -> str:
        """The part; or the plugin of a layer or hook that was put into a network of another one."""
        part = self.registry.describe(self.spec)
        plugin = self.registry.plugin_at_fault(error)
        if plugin is None or plugin is self.registry.owner(self.spec):
            return part
        return f"plugin {plugin.name!r}, in {part},"

    def _when(self) -> str:
        step = self.trainer.gan.step
        if self.method == "load_state_dict":  # a checkpoint is loaded
            return ""
        return f" after step {step}" if self.method in BETWEEN_STEPS else describe_step(step)


def _method_of_class(owner: object, name: str) -> Any:
    """The method as the class has it now; a program may replace it while a run trains."""
    cls = next(cls for cls in type(owner).__mro__ if name in vars(cls))
    return vars(cls)[name].__get__(owner)


def describe_step(step: int) -> str:
    """Which step fails, as messages count (from 1) and as code counts (from 0)."""
    return f" at step {step + 1} (gan.step {step})"


@contextlib.contextmanager
def guard_parts(trainer: Trainer, registry: Registry) -> Iterator[None]:
    """While open, an error of a part during a step is a RunFailed that names the part."""
    run = trainer.run
    gan = trainer.gan
    guards: list[tuple[Any, Spec, str, Check]] = []
    for trick in trainer.tricks:
        spec = registry.find("trick", trick.name)
        guards += [
            (trick, spec, method, check)
            for method, check in TRICK_METHODS.items()
            if trick.overrides(method)
        ]
    loss = registry.find("loss", run.loss.name)
    guards += [(trainer.loss, loss, method, check) for method, check in LOSS_METHODS.items()]
    image_shape = (run.channels, run.size.height, run.size.width)
    of_networks: tuple[tuple[str, str, Check], ...] = (
        ("generate", "generator", functools.partial(_check_fakes, gan.G.net, image_shape)),
        ("sample", "generator", functools.partial(_check_output, "sample", image_shape)),
        ("judge", "discriminator", functools.partial(_check_output, "judge", ())),
        ("look", "discriminator", functools.partial(_check_output, "look", ())),
    )
    for method, kind, check in of_networks:
        guards.append((gan, registry.find(kind, getattr(run, kind).name), method, check))
    generator = registry.find("generator", run.generator.name)
    discriminator = registry.find("discriminator", run.discriminator.name)
    for net in dict.fromkeys((gan.G.net, gan.D.net, gan.sampler)):
        spec = discriminator if net is gan.D.net else generator
        guards.append((net, spec, "state_dict", lambda result, *_: returns.require_state(result)))
    with contextlib.ExitStack() as stack:
        for owner, spec, method, check in guards:
            guard = Guard(trainer, registry, spec, owner, method, check)
            stack.enter_context(_replaced(owner, method, guard))
        d_inputs = [trick.d_input for trick in trainer.tricks if trick.overrides("d_input")]
        stack.enter_context(_replaced(gan, "d_inputs", d_inputs))
        step = functools.partial(_step, trainer, registry, trainer.step)
        stack.enter_context(_replaced(trainer, "step", step))
        yield


def _check_output(
    method: str, shape: tuple[int, ...], output: object, given: Any, *_: object
) -> None:
    """ValueError unless a network returns this shape for each of the given z or images."""
    returns.require_images(FORWARD[method], output, (len(given), *shape))


def _check_fakes(
    net: torch.nn.Module, shape: tuple[int, ...], output: object, given: Any, *_: object
) -> None:
    """The same of G's pictures in a step, which are smaller while a network has yet to grow."""
    _check_output("generate", shape_in_training(net, shape), output, given)


def _step(trainer: Trainer, registry: Registry, take_step: Callable[[int], Any], step: int) -> Any:
    """Take a step; an error in a hook that a plugin has put into torch names the plugin."""
    try:
        return take_step(step)
    except (GankitError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a plugin may raise anything
        plugin = registry.plugin_at_fault(error)
        if plugin is None:
            raise
        subject = f"plugin {plugin.name!r} failed{describe_step(step)}"
        raise RunFailed(f"{subject}: {describe_error(error, with_place=True)}", 1) from error


@contextlib.contextmanager
def _replaced(owner: object, name: str, value: object) -> Iterator[None]:
    """While open, an attribute of this object has another value."""
    own = vars(owner).get(name)  # None: it is the class's
    setattr(owner, name, value)
    try:
        yield
    finally:
        if own is None:
            delattr(owner, name)
        else:
            setattr(owner, name, own)
