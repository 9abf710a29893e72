"""gan.look and gan.sample change nothing: not the networks, the tricks, the log nor the draws."""

import pytest
import torch
from torch import nn

# Tricks and networks whose layers keep something of each pass of D.
KEEPERS = ("spectral-norm", "minibatch-stddev", "minibatch-discrimination", "feature-matching")


def networks(trainer):
    gan = trainer.gan
    state = {"G": gan.G.net.state_dict(), "D": gan.D.net.state_dict()}
    return {f"{name}/{k}": v.clone() for name, net in state.items() for k, v in net.items()}


def steps_of(trainer, looks):
    """All that three steps compute; with `looks`, both networks are looked at between them."""
    gan = trainer.gan
    seen = []
    for step in range(3):
        scalars = trainer.step(step)
        if looks:
            for training in (False, True):
                logits = gan.look(gan.sample(torch.ones(2, gan.latent_dim)), training=training)
                assert logits.shape == (2,)
                assert not logits.requires_grad
        seen.append([scalars, [trick.activity() for trick in trainer.tricks], gan.features])
        gan.step = step + 1
    return seen, networks(trainer), torch.get_rng_state()


def assert_same(first, second):
    torch.testing.assert_close(first[1], second[1], rtol=0, atol=0)
    torch.testing.assert_close(first[2], second[2], rtol=0, atol=0)
    for (scalars, activity, features), (others, other_activity, other_features) in zip(
        first[0], second[0], strict=True
    ):
        torch.testing.assert_close(scalars, others, rtol=0, atol=0)
        assert activity == other_activity
        torch.testing.assert_close(features, other_features, rtol=0, atol=0)


MODELS = ("dcgan64:base_channels=4", "skip64:base_channels=4", "mathworks64:base_channels=4")


@pytest.mark.parametrize(
    ("tricks", "model"),
    [*(((trick,), MODELS[0]) for trick in KEEPERS), *((("none",), model) for model in MODELS[1:])],
)
def test_looking_at_every_step_changes_no_bit(trainer_of, tricks, model):
    size = {} if model == MODELS[0] else {"image_size": 64}
    results = [steps_of(trainer_of(*tricks, model=model, **size), looks) for looks in (0, 1)]
    assert_same(*results)


class Fickle(nn.Module):
    """A D with dropout and a noise of its own; it counts its passes, and part of it is in eval."""

    def __init__(self, image_size: int):
        super().__init__()
        self.drop = nn.Dropout(0.5)
        self.norm = nn.BatchNorm2d(3)
        self.norm.eval()
        self.score = nn.Linear(3 * image_size**2, 1)
        self.passes = 0
        self.register_buffer("last", torch.zeros(()))

    def forward(self, images):
        self.passes += 1
        self.last = images.mean() + torch.rand(())
        return self.score(self.drop(self.norm(images)).flatten(1)).squeeze(1)


def test_a_look_restores_modes_and_what_a_network_keeps(trainer_of):
    gan = trainer_of().gan
    gan.D.net = Fickle(16)
    before = gan.D.net.last
    random = torch.get_rng_state()
    first, second = (gan.look(torch.ones(2, 3, 16, 16)) for _ in range(2))
    assert torch.equal(first, second)  # no dropout
    assert (gan.D.net.training, gan.D.net.norm.training, gan.D.net.passes) == (True, False, 0)
    assert gan.D.net.last is before
    assert torch.equal(torch.get_rng_state(), random)


def test_a_network_that_fails_in_a_look_is_also_restored(trainer_of):
    gan = trainer_of().gan
    gan.D.net = Fickle(16)
    with pytest.raises(RuntimeError):
        gan.look(torch.ones(2, 3, 8, 8))
    assert gan.D.net.training
    assert gan.D.net.passes == 0


def test_a_look_is_without_tricks(trainer_of):
    plain = trainer_of().gan
    noisy = trainer_of("noisy-d:sigma=2").gan
    images = torch.linspace(-1, 1, 2 * 3 * 16 * 16).view(2, 3, 16, 16)
    assert torch.equal(plain.look(images), noisy.look(images))
