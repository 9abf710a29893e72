"""What is kept of a step is what the step computed, and keeping it changes nothing."""

import pytest
import torch
from gankit_unfold.again import outputs_again, slopes
from gankit_unfold.losses import d_losses
from gankit_unfold.study import share_in_middle
from gankit_unfold.watch import watch_step
from torch.nn.functional import softplus

from gankit import Targets

PLAIN = {"model": "modern64:base_channels=4"}  # without batch norm: a logit depends on its image


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("precision", ["32", "16"])
def test_what_d_tells_g_is_the_gradient_of_g_s_loss(trainer_of, accumulate, precision):
    """A critic's loss of G is -D(fake), so D wants the change that its own slope shows."""
    trainer = trainer_of(loss="wasserstein", accumulate=accumulate, precision=precision, **PLAIN)
    watched = watch_step(trainer, 0)
    assert len(watched.g_gradients) == accumulate
    fakes = torch.cat([each.outputs for each in watched.g_passes]).requires_grad_()
    with trainer.gan.machine.autocast():
        trainer.gan.D.net(fakes).sum().backward()
    wishes = torch.cat([-gradient * len(gradient) for gradient in watched.g_gradients])
    torch.testing.assert_close(wishes, fakes.grad, rtol=0.05, atol=0.05 * fakes.grad.abs().max())


def test_d_s_view_is_the_slope_before_its_update(trainer_of):
    before, trainer = (trainer_of(**PLAIN) for _ in range(2))
    watched = watch_step(trainer, 0)
    images = watched.d_real[0].inputs.clone().requires_grad_()
    before.gan.D.net(images).sum().backward()
    slope = slopes(trainer.gan, watched.d_real[0], watched.weights_before["D"], 3)
    torch.testing.assert_close(slope, images.grad[:3])


def test_a_pass_can_be_made_again(trainer_of):
    """With the same draws of dropout, vectors of spectral norm and statistics of batch norm."""
    tricks = ("spectral-norm", "noisy-d", "minibatch-stddev")
    with_dropout = {"discriminator": "tf-dcgan:base_channels=4"}
    other, trainer = (trainer_of(*tricks, **with_dropout) for _ in range(2))
    watched = watch_step(trainer, 0)
    gan = trainer.gan
    for player, net_pass in ((gan.D, watched.d_fake[0]), (gan.G, watched.g_passes[0])):
        again = outputs_again(gan, player, net_pass, watched.weights_before[player.name])
        assert torch.equal(again, net_pass.outputs)
        after = outputs_again(gan, player, net_pass, watched.weights_after[player.name])
        assert not torch.equal(after, net_pass.outputs)
    other.step(0)
    for player in ("G", "D"):  # nothing has changed in the run
        states = [getattr(each.gan, player).net.state_dict() for each in (other, trainer)]
        for name, tensor in states[0].items():
            assert torch.equal(tensor, states[1][name]), name
    scalars = [each.step(1) for each in (other, trainer)]
    assert scalars[0] == scalars[1]


def test_tricks_are_noted_where_they_act(trainer_of):
    tricks = ("r1", "gradient-clipping:norm=0.01", "top-k:until=0.1", "ttur", "flip-labels:p=1")
    acts = watch_step(trainer_of(*tricks), 2).acts.listed()
    assert {(act.trick, act.place, act.player) for act in acts} == {
        ("r1", "penalty", "D"),
        ("gradient-clipping", "before_update", "D"),
        ("gradient-clipping", "before_update", "G"),
        ("top-k", "logits", "G"),
        ("ttur", "start", ""),
        ("flip-labels", "targets", ""),
    }


def test_a_loss_is_split_into_those_of_pictures(registry):
    real = torch.tensor([2.0, -1.0])
    fake = torch.tensor([-3.0, 0.5])
    targets = Targets(torch.tensor([0.9, 1.0]), torch.zeros(2))

    def split(name):
        losses = d_losses(registry.make("loss", name), real, fake, targets)
        return losses.real, losses.fake

    reals, fakes = split("non-saturating")
    bce = 0.9 * softplus(-real) + 0.1 * softplus(real)
    torch.testing.assert_close(reals, torch.stack([bce[0], softplus(-real)[1]]))
    torch.testing.assert_close(fakes, softplus(fake))
    reals, fakes = split("hinge")
    torch.testing.assert_close(reals, torch.tensor([0.0, 2.0]))
    torch.testing.assert_close(fakes, torch.tensor([0.0, 1.5]))
    reals, fakes = split("wasserstein")
    torch.testing.assert_close(reals, -real)
    torch.testing.assert_close(fakes, fake)


def test_the_middle_quarter():
    assert share_in_middle(torch.ones(3, 8, 8)) == 0.25
    slope = torch.zeros(1, 8, 8)
    slope[0, 2, 5] = -1
    assert share_in_middle(slope) == 1
