"""torch's own random generators, from which layers such as dropout draw: read them, set them back.

gankit's own draws depend on no such state; see randomness.py.
"""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor


def random_state(device: torch.device) -> Tensor:
    """The state of torch's random generator on a device."""
    if device.type == "cuda":
        return torch.cuda.get_rng_state(device)
    return torch.mps.get_rng_state() if device.type == "mps" else torch.get_rng_state()


def set_random_state(state: Tensor, device: torch.device) -> None:
    """Go back to a state that `random_state` returned."""
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    elif device.type == "mps":
        torch.mps.set_rng_state(state)
    else:
        torch.set_rng_state(state)


def all_random_states(device: torch.device) -> dict[torch.device, Tensor]:
    """The states on the CPU and on a run's device, which may be the same."""
    return {each: random_state(each) for each in dict.fromkeys((torch.device("cpu"), device))}


@contextlib.contextmanager
def keep_random_state(device: torch.device) -> Iterator[None]:
    """While open, layers may draw on the CPU and on the device; then their states are as before."""
    states = all_random_states(device)
    try:
        yield
    finally:
        for each, state in states.items():
            set_random_state(state, each)
