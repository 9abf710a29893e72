"""Tests of the loss and the trick, with gankit's conformance checks and by hand."""

from typing import Any

import gankit_hinge
import pytest
import torch
from gankit_hinge.parts import Drift, HingeMargin
from torch import Tensor

from gankit import Targets, testing
from gankit.core.errors import GankitError
from gankit.core.parts.registry import Registry

TARGETS = Targets(torch.ones(2), torch.zeros(2))  # the hinge loss does not read them


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    plugin = registry.load("hinge-margin", lambda: gankit_hinge)
    assert not plugin.error
    return registry


def test_both_parts_pass_the_conformance_checks() -> None:
    testing.check_loss("hinge-margin:margin=0.5", plugin=gankit_hinge)
    testing.check_trick("drift", plugin=gankit_hinge, loss="hinge-margin", beside=("ema", "r1"))


def test_d_loss_is_0_beyond_the_margin() -> None:
    loss = HingeMargin(margin=0.5)
    high = torch.tensor([0.6, 2.0])
    low = torch.tensor([-0.6, -2.0])
    assert loss.d_loss(real=high, fake=low, targets=TARGETS) == 0
    assert loss.d_loss(real=low, fake=high, targets=TARGETS) == pytest.approx(2 * (0.5 + 1.3))
    assert loss.g_loss(fake=high, real=None) == pytest.approx(-1.3)


def test_options_come_from_the_command_line(registry: Registry) -> None:
    assert registry.make("loss", "hinge-margin:margin=2").margin == 2
    assert registry.make("trick", "drift:epsilon=0.01").epsilon == 0.01
    with pytest.raises(GankitError, match="margin must be"):
        registry.make("loss", "hinge-margin:margin=-1")


def test_drift_penalises_d_and_reports_it() -> None:
    class FakeGan:
        G, D = "G", "D"

        def judge(self, images: Tensor) -> Tensor:
            return images

    trick = Drift(epsilon=0.1)
    gan: Any = FakeGan()  # has all attributes that the trick reads
    logits = torch.tensor([1.0, 3.0])
    assert trick.penalty(gan, gan.G, real=logits, fake=logits) is None
    assert trick.activity() is None
    assert trick.penalty(gan, gan.D, real=logits, fake=logits) == pytest.approx(0.5)
    assert trick.activity() == "D(x)^2 5.00"
