"""Check that a checkpoint fits a run before anything of it is loaded: it may contain anything."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp import GradScaler

from gankit.core.gan import Player
from gankit.training.assemble import Trainer
from gankit.training.checkpoints.best import read_progress
from gankit.training.checkpoints.checkpoint import Checkpoint
from gankit.training.checkpoints.finite import (
    Numbers,
    find_non_finite,
    numbers_of,
    numbers_of_networks,
)

REQUIRED = ("lr", "betas", "eps", "weight_decay", "params")  # options of Adam; others may be absent


def check_fits(saved: Checkpoint, trainer: Trainer) -> None:
    """ValueError if a checkpoint is not of this trainer's run, or if its numbers are not finite."""
    gan = trainer.gan
    state = saved.state
    has_average = gan.sampler is not gan.G.net  # with the trick ema
    check_keys("model", saved.model, {"G", "D"}, {"sampler"})
    check_keys("state", state, {"G", "D", "tricks"}, {"scalers", "acted", "best", "penalty"})
    read_progress(state.get("best", {}))
    tricks = {trick.name for trick in trainer.tricks}
    if has_average != ("sampler" in saved.model) or tricks != set(_dict("tricks", state["tricks"])):
        raise ValueError("it is of another run, as its tricks differ from run.json")
    acted = state.get("acted", [])
    if not isinstance(acted, list) or not all(isinstance(name, str) for name in acted):
        raise ValueError("acted is not a list of tricks")
    penalty = state.get("penalty", 0.0)
    if not isinstance(penalty, float) or not math.isfinite(penalty):
        raise ValueError(f"penalty is {penalty!r}")
    # For float16; checkpoints of gankit 0.1 have none.
    scalers = state.get("scalers", {"G": {}, "D": {}})
    check_keys("scalers", scalers, {"G", "D"})
    for player in (gan.G, gan.D):
        check_weights(player.net, saved.model[player.name], player.name)
        _check_optimizer(state[player.name], player)
        _check_scaler(scalers[player.name], player.scaler, player.name)
    if has_average:
        check_weights(gan.sampler, saved.model["sampler"], "the average of G")
    _check_finite(numbers_of(saved, gan), trainer.non_finite_at_start)


def _check_finite(numbers: Numbers, at_start: dict[str, str]) -> None:
    for label, kind in find_non_finite(numbers, at_start).items():
        raise ValueError(f"{label} is {kind}")


def check_weights(net: nn.Module, saved: Any, name: str) -> None:
    """ValueError if a tensor of a network is missing, or has another shape or type.

    Also if a variance of batch norm is negative: its root would make all pictures black.
    """
    expected = net.state_dict()
    for key in sorted({*expected, *_dict(name, saved)}, key=str):
        is_saved = _describe(key, saved)
        is_expected = _describe(key, expected)
        if is_saved != is_expected:
            raise ValueError(
                f"it does not fit {name} of this run: {key} is {is_saved}; "
                f"in this run it is {is_expected}"
            )
        if str(key).endswith("running_var") and (saved[key] < 0).any():
            raise ValueError(f"{name} has a negative {key}")


def load_weights(net: nn.Module, saved: Any, name: str) -> None:
    """Check the saved weights and buffers of a network, then load them. ValueError.

    Messages call the network `name`.
    """
    check_weights(net, saved, name)
    at_start = find_non_finite(numbers_of_networks({name: net.state_dict()}))
    _check_finite(numbers_of_networks({name: saved}), at_start)
    net.load_state_dict(saved)


def check_keys(name: str, value: Any, required: set[str], optional: Iterable[str] = ()) -> None:
    """ValueError if a value is not a dict with these keys."""
    keys = set(_dict(name, value))
    if not required <= keys <= required.union(optional):
        expected = ", ".join(sorted(required))
        raise ValueError(f"{name} holds {sorted(keys, key=str)}; expected {expected}")


def _dict(name: str, value: Any) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is a {type(value).__name__}; expected a dict")
    return value


def _describe(key: str, values: dict[str, Any]) -> str:
    if key not in values:
        return "absent"
    value = values[key]
    if not isinstance(value, Tensor):
        return type(value).__name__
    return f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}"


def _check_optimizer(saved: Any, player: Player) -> None:
    name = f"{player.name}'s optimizer"
    check_keys(name, saved, {"state", "param_groups"})
    own = player.adam.state_dict()["param_groups"]
    groups = saved["param_groups"]
    if not isinstance(groups, list) or len(groups) != len(own):
        raise ValueError(f"{name} must have {len(own)} group of weights")
    for group, own_group in zip(groups, own, strict=True):
        expected = {**player.adam.defaults, "initial_lr": 0.0, "params": own_group["params"]}
        for option, value in expected.items():
            _check_option(name, option, _dict(name, group), value)
    weights = [weight for group in player.adam.param_groups for weight in group["params"]]
    for index, moments in _dict(name, saved["state"]).items():
        if type(index) is not int or not 0 <= index < len(weights):
            raise ValueError(f"{name} has moments of weight {index!r}, which does not exist")
        _check_moments(f"{name}, weight {index}", moments, weights[index])


def _check_option(name: str, option: str, group: dict[Any, Any], own: Any) -> None:
    if option not in group and option not in REQUIRED:  # of another version of torch
        return
    value = group.get(option)
    if option == "betas":
        betas = value if isinstance(value, list | tuple) else ()
        is_good = len(betas) == 2 and all(_is_number(beta, 1) and beta < 1 for beta in betas)
    elif own is None or isinstance(own, bool):
        is_good = (value is None or isinstance(value, bool)) and bool(value) == bool(own)
    elif isinstance(own, list):  # the numbers of the weights
        is_good = value == own
    else:
        is_good = _is_number(value, 1e15)
    if not is_good:
        raise ValueError(f"{name} has {option} {value!r}; in this run it is {own!r}")


def _is_number(value: Any, limit: float) -> bool:
    """Whether a value is a finite number from 0 to the limit."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value <= limit and math.isfinite(value)


def _check_moments(name: str, moments: Any, weight: Tensor) -> None:
    """Adam keeps two moments for each weight, and counts its steps."""
    expected = {
        "step": torch.empty((), dtype=torch.float32),
        "exp_avg": weight,
        "exp_avg_sq": weight,
    }
    check_keys(name, moments, set(expected))
    for key, like in expected.items():
        if _describe(key, moments) != _describe(key, {key: like}):
            is_saved = _describe(key, moments)
            raise ValueError(f"{name} has {key} {is_saved}; expected {_describe(key, expected)}")
    for key in ("step", "exp_avg_sq"):
        if (moments[key] < 0).any():
            raise ValueError(f"{name} has a negative {key}")


def _check_scaler(saved: Any, scaler: GradScaler, player: str) -> None:
    """In float16, gradients are scaled; else the scaler has no state."""
    name = f"{player}'s gradient scaler"
    own = scaler.state_dict()
    check_keys(name, saved, set(own), () if own else saved)
    for key, value in own.items():
        is_good = _is_number(saved[key], 1e38) and type(saved[key]) is type(value)
        if key == "scale":
            is_good = is_good and saved[key] > 0
        elif key == "_growth_tracker":
            is_good = is_good and saved[key] <= own["growth_interval"]
        else:
            is_good = is_good and saved[key] == value
        if not is_good:
            raise ValueError(f"{name} has {key} {saved[key]!r}")
