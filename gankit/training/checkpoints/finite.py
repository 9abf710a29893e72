"""Find numbers that are not finite in what a checkpoint holds, and name each for a person."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from gankit.core.gan import Gan, Player
from gankit.training.checkpoints.checkpoint import Checkpoint

Numbers = dict[str, Tensor | float]  # a label, such as "main.0.weight of G" -> the value


def find_non_finite(
    numbers: Numbers, at_start: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """The label of each tensor or number that is not finite -> "nan" or "infinite", in order.

    Omits those that were so in the new networks, `at_start`, such as a mask of attention.
    A sum is not finite if one of its terms is not, so this takes one reduction per tensor and waits
    for each device once. A sum can also overflow, so suspects are looked at again.
    """
    sums: dict[torch.device, dict[str, Tensor]] = defaultdict(dict)
    suspects = set()
    for label, value in numbers.items():
        if isinstance(value, Tensor):
            sums[value.device][label] = _countable(value).sum()
        elif not math.isfinite(value):
            suspects.add(label)
    for of_device in sums.values():
        are_finite = torch.stack(list(of_device.values())).isfinite().tolist()
        pairs = zip(of_device, are_finite, strict=True)
        suspects |= {label for label, is_finite in pairs if not is_finite}
    kinds = {label: _kind(numbers[label]) for label in numbers if label in suspects}
    return {k: kind for k, kind in kinds.items() if kind and at_start.get(k) != kind}


def _kind(value: Tensor | float) -> str:
    """ "nan" or "infinite"; empty if all numbers are finite."""
    tensor = _countable(torch.as_tensor(value))
    if tensor.isnan().any():
        return "nan"
    return "" if tensor.isfinite().all() else "infinite"


def _countable(tensor: Tensor) -> Tensor:
    """The tensor in a type that torch can add up: not in 8 bits."""
    return tensor.detach().float() if tensor.element_size() == 1 else tensor.detach()


def numbers_of(saved: Checkpoint, gan: Gan) -> Numbers:
    """All numbers of a checkpoint of this run that must be finite.

    A plain number in a trick's state may be infinite, such as the best value so far, but not NaN.
    """
    numbers = numbers_of_networks(saved.model)
    for player in (gan.G, gan.D):
        numbers |= _numbers_of_optimizer(saved.state[player.name], player)
        scaler = saved.state.get("scalers", {}).get(player.name, {})
        numbers |= _label(scaler, f"of {player.name}'s gradient scaler")
    for name, state in saved.state["tricks"].items():
        of_trick = _label(state, f"of the trick {name}")
        numbers |= {k: v for k, v in of_trick.items() if isinstance(v, Tensor) or not math.isinf(v)}
    return numbers


def networks_of(gan: Gan) -> dict[str, Any]:
    """The weights and buffers of G, D and, if it is not G itself, of the sampler."""
    model = {player.name: player.net.state_dict() for player in (gan.G, gan.D)}
    if gan.sampler is not gan.G.net:
        model["sampler"] = gan.sampler.state_dict()
    return model


def numbers_of_networks(model: Mapping[str, Any]) -> Numbers:
    """All numbers of these networks; the sampler is called the average of G."""
    numbers: Numbers = {}
    for name, tensors in model.items():
        numbers |= _label(tensors, f"of {'the average of G' if name == 'sampler' else name}")
    return numbers


def _numbers_of_optimizer(state: Mapping[str, Any], player: Player) -> Numbers:
    names = {id(weight): name for name, weight in player.net.named_parameters()}
    trained = [weight for group in player.adam.param_groups for weight in group["params"]]
    owner = f"of {player.name}'s optimizer"
    numbers = _label(state["param_groups"], owner)
    for index, moments in state["state"].items():
        name = names.get(id(trained[index]), str(index))
        numbers |= _label(moments, f"for {name} {owner}")
    return numbers


def _label(tree: Any, owner: str) -> Numbers:
    numbers: Numbers = {}
    for path, value in _flatten(tree, ""):
        label = f"{path} {owner}"
        while label in numbers:  # the key `a/b`, and the key `b` in the dict of `a`
            label = f"another {label}"
        numbers[label] = value
    return numbers


def _flatten(tree: Any, path: str) -> Iterator[tuple[str, Tensor | float]]:
    """The floating-point tensors and floats of a tree that are not empty, with their paths."""
    if isinstance(tree, Tensor):
        if (tree.is_floating_point() or tree.is_complex()) and tree.numel():
            yield path, tree
    elif isinstance(tree, float):
        yield path, tree
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _flatten(value, f"{path}/{key}" if path else str(key))
    elif isinstance(tree, list | tuple):
        for index, value in enumerate(tree):
            yield from _flatten(value, f"{path}/{index}" if path else str(index))
