"""Networks and pictures that no memory could hold are refused before memory is asked for."""

import pytest
import torch
from torch import nn

from gankit import GankitError, compose
from gankit.training.checks import too_large
from gankit.training.checks.too_large import check_memory, limited_weights


def test_a_network_of_too_many_weights_or_layers_is_refused(monkeypatch):
    monkeypatch.setattr(too_large, "MAX_WEIGHTS", 1000)
    monkeypatch.setattr(too_large, "MAX_TENSORS", 20)
    with limited_weights():
        nn.Linear(30, 30)
    with pytest.raises(ValueError, match="1,000 weights"), limited_weights():
        nn.Linear(40, 40)
    with pytest.raises(ValueError, match="20 tensors"), limited_weights():
        nn.Sequential(*(nn.Linear(1, 1) for _ in range(11)))
    nn.Linear(40, 40)  # no longer counted


def test_the_weights_are_the_same_with_the_limit():
    torch.manual_seed(1)
    free = nn.Conv2d(3, 8, 4)
    torch.manual_seed(1)
    with limited_weights():
        limited = nn.Conv2d(3, 8, 4)
    assert torch.equal(free.weight, limited.weight)


def test_pictures_that_do_not_fit_into_memory_name_both_sizes(registry, tiny, monkeypatch):
    run = compose(registry, **tiny(image_size=1024, batch_size=64, channels=3))
    monkeypatch.setattr(too_large, "_physical_memory", lambda: 4 * 10**9)
    check_memory(run, 1)
    monkeypatch.setattr(too_large, "_physical_memory", lambda: 2 * 10**9)
    with pytest.raises(GankitError, match="--image-size 1024 with --batch-size 64 .* 3 GB .* 2 GB"):
        check_memory(run, 1)
    check_memory(run, 2)  # each process has a half of the batch
    monkeypatch.setattr(too_large, "_physical_memory", lambda: 0)  # unknown
    check_memory(run, 1)
