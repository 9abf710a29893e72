"""What the plugin promises."""

import gankit_hinge
import pytest
import torch
from gankit_hinge.parts import Drift, HingeMargin

from gankit import testing
from gankit.core.errors import GankitError
from gankit.core.registry import Registry


@pytest.fixture
def registry():
    registry = Registry()
    plugin = registry.load("hinge-margin", lambda: gankit_hinge)
    assert not plugin.error
    return registry


def test_both_parts_keep_to_gankits_contracts():
    testing.check_loss("hinge-margin:margin=0.5", plugin=gankit_hinge)
    testing.check_trick("drift", plugin=gankit_hinge, loss="hinge-margin", beside=("ema", "r1"))


def test_d_is_content_beyond_the_margin():
    loss = HingeMargin(margin=0.5)
    right, wrong = torch.tensor([0.6, 2.0]), torch.tensor([-0.6, -2.0])
    assert loss.d_loss(right, wrong, None) == 0
    assert loss.d_loss(wrong, right, None) == pytest.approx(2 * (0.5 + 1.3))
    assert loss.g_loss(right, None) == pytest.approx(-1.3)


def test_options_come_from_the_command_line(registry):
    assert registry.make("loss", "hinge-margin:margin=2").margin == 2
    assert registry.make("trick", "drift:epsilon=0.01").epsilon == 0.01
    with pytest.raises(GankitError, match="margin must be greater"):
        registry.make("loss", "hinge-margin:margin=-1")


def test_drift_acts_on_d_and_says_so():
    class TwoLogits:
        G, D = "G", "D"

        def judge(self, images):
            return images

    trick, gan = Drift(epsilon=0.1), TwoLogits()
    assert trick.penalty(gan, gan.G, None, None) is None
    assert trick.activity() is None
    assert trick.penalty(gan, gan.D, torch.tensor([1.0, 3.0]), None) == pytest.approx(0.5)
    assert trick.activity() == "D(x)^2 5.00"
