"""torch's own random states are kept where layers draw."""

import torch

from gankit.core.random_state import all_random_states, keep_random_state


def test_random_states_are_kept_on_the_cpu_and_the_device(monkeypatch):
    of_mps = [torch.tensor([1])]
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: of_mps[-1])
    monkeypatch.setattr(torch.mps, "set_rng_state", of_mps.append)
    before = torch.get_rng_state()
    with keep_random_state(torch.device("mps")):
        torch.rand(3)
        of_mps.append(torch.tensor([2]))
    assert torch.equal(torch.get_rng_state(), before)
    assert of_mps[-1].tolist() == [1]


def test_a_state_is_read_once():
    cpu = torch.device("cpu")
    assert list(all_random_states(cpu)) == [cpu]
