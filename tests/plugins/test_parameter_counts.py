"""Networks have as many parameters as their docstrings, and so docs/parts.md, say."""

import inspect
import re

import pytest
import torch

from gankit.core.parts.registry import load_registry

REGISTRY = load_registry()
COUNT = re.compile(r"(\d{1,3}(?:,\d{3})+)(?:\s+parameters)?\s+for\s+(\d+)")


def told():
    """Every `3,576,704 parameters for 64 px` of a bundled network."""
    for kind in ("generator", "discriminator"):
        for spec in REGISTRY.specs(kind):
            about = inspect.getdoc(spec.builder()) or ""
            for count, size in COUNT.findall(about):
                yield pytest.param(spec, about, count, int(size), id=f"{spec.name}-{kind}-{size}")


@pytest.mark.parametrize(("spec", "about", "count", "size"), list(told()))
def test_a_network_is_as_large_as_it_says(spec, about, count, size):
    found = re.findall(r"(base_channels|latent_dim)=(\d+)", about)
    options = {key: int(number) for key, number in reversed(found)}  # as first named
    before = about.partition(count)[0].lower()
    if "without a limit" in before:
        options["max_channels"] = 1 << 20
    asked = {"image_size": size, "channels": 3, "latent_dim": 100, **options}
    taken = inspect.signature(spec.builder()).parameters
    with torch.device("meta"):  # weighed, not built
        net = spec.builder()(**{key: value for key, value in asked.items() if key in taken})
    assert f"{sum(weight.numel() for weight in net.parameters()):,}" == count


def test_there_is_something_to_weigh():
    assert len(list(told())) >= 12
