"""Class labels in a training step: who gets which labels, and what stays as it was."""

import numpy as np
import pytest
import torch
from torch import Tensor

import gankit
from gankit import GankitError, Trick
from gankit.core.class_labels import columns_in_turn, fit_labels, labels_in_turn
from gankit.core.gan import MicroBatch

LABELS = {"class_labels": True}
MODELS = [f"{name}:base_channels=4" for name in ("dcgan64", "skip64", "grow64")]


class Seen(Trick):
    """Remembers the labels that each forward pass of D gets, and the images."""

    def __init__(self):
        self.passes = []

    def wrap(self, gan):
        judge = gan.D.net.forward

        def forward(images: Tensor, labels: Tensor | None = None) -> Tensor:
            self.passes.append((images.detach().clone(), labels))
            return judge(images) if labels is None else judge(images, labels)

        gan.D.net.forward = forward


@pytest.fixture(scope="module")
def labelled(trainer_of):
    """`labelled("r1", accumulate=2)`: a trainer with class labels, and what its D saw."""

    def build(*tricks, **settings):
        seen = Seen()
        trainer = trainer_of(*tricks, **LABELS, **settings)
        seen.wrap(trainer.gan)
        return trainer, seen

    return build


def test_reals_and_fakes_of_a_micro_batch_have_its_labels(labelled):
    trainer, seen = labelled(accumulate=2, d_steps=2)
    trainer.step(0)
    batches = [trainer.batches.labels_of(number).chunk(2) for number in (0, 1)]
    d_labels = [part for batch in batches for part in batch for _ in ("real", "fake")]
    expected = [*d_labels, *batches[1]]  # then G's update, on the last batch
    assert len(seen.passes) == len(expected)
    for (_, labels), wanted in zip(seen.passes, expected, strict=True):
        assert torch.equal(labels, wanted)


def test_labels_are_those_of_the_real_pictures(labelled):
    trainer, seen = labelled()
    trainer.step(0)
    images, labels = seen.passes[0]
    pixels = ((images + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1)
    for picture, label in zip(pixels.numpy(), labels.tolist(), strict=True):
        same = (trainer.prepared.pixels == picture).all(axis=(1, 2, 3))
        assert label in trainer.prepared.labels[same]


EVERY_TRICK = [
    "ada", "blur", "diffaugment", "dragan", "dropout-d", "ema", "feature-matching", "flip-labels",
    "freeze-d:layers=1", "gradient-clipping", "historical-averaging", "lecam",
    "minibatch-discrimination", "minibatch-stddev", "noisy-d", "noisy-labels", "r1", "r2",
    "replay:size=16", "smooth-labels", "spectral-norm", "top-k", "wgan-gp",
]  # fmt: skip


@pytest.mark.parametrize("trick", EVERY_TRICK)
def test_every_trick_works_with_class_labels(labelled, trick):
    loss = {"loss": "wasserstein"} if trick == "wgan-gp" else {}
    trainer, seen = labelled(trick, accumulate=2, **loss)
    for step in range(2):
        scalars = trainer.step(step)
        assert all(value.isfinite() for value in scalars.values())
    assert all(len(labels) == len(images) for images, labels in seen.passes)
    for player in (trainer.gan.G, trainer.gan.D):
        for name, weight in player.net.named_parameters():
            if weight.requires_grad:
                assert weight in player.adam.state, f"{name} got no gradient"


def test_an_old_fake_replaces_only_one_of_its_class(labelled):
    trainer, _ = labelled("replay:size=64,share=1.0")
    (replay,) = trainer.tricks
    gan = trainer.gan
    painted = torch.linspace(-1, 1, 6)
    for step in range(4):
        gan.begin_step(step)
        gan.labels = trainer.labels_of(step)
        fakes = painted[gan.labels][:, None, None, None].expand(-1, 3, 16, 16)
        shown = replay.fakes(fakes, gan)
        assert torch.allclose(shown, fakes, atol=0.01)  # each still has the tone of its class
    assert replay.activity()["old"] > 0.3
    state = replay.state_dict()
    replay.load_state_dict(state)
    with pytest.raises(ValueError, match="class of each picture"):
        replay.load_state_dict({"old": state["old"]})


@pytest.mark.parametrize("model", MODELS)
def test_g_draws_the_class_and_d_asks_about_it(trainer_of, model):
    gan = trainer_of(model=model, **LABELS).gan
    z = torch.randn(1, gan.latent_dim).expand(6, -1)
    images = gan.sample(z, torch.arange(6))
    assert len({picture.numpy().tobytes() for picture in images}) == 6
    image = images[:1].expand(6, -1, -1, -1)
    assert len(gan.look(image, labels=torch.arange(6)).unique()) == 6


@pytest.mark.parametrize("model", MODELS)
def test_shares_make_pictures_between_classes(trainer_of, model):
    gan = trainer_of(model=model, **LABELS).gan
    z = torch.randn(1, gan.latent_dim)
    ends = gan.sample(z.expand(2, -1), torch.tensor([0, 3]))
    shares = torch.eye(6)[[0, 3]]
    torch.testing.assert_close(gan.sample(z.expand(2, -1), shares), ends)
    middle = gan.sample(z, shares.mean(dim=0, keepdim=True))[0]
    assert not torch.equal(middle, ends[0])
    assert not torch.equal(middle, ends[1])


@pytest.mark.parametrize("model", MODELS)
def test_without_class_labels_networks_have_no_table(trainer_of, model):
    gan = trainer_of(model=model).gan
    names = [name for player in (gan.G, gan.D) for name in player.net.state_dict()]
    assert not [name for name in names if "project" in name or "scale" in name]
    assert gan.labels is None
    assert gan.num_classes == 0


def test_a_grid_has_a_row_for_each_class(trainer_of):
    gan = trainer_of(**LABELS).gan
    z = torch.randn(64, gan.latent_dim)
    rows = [row for number in (0, 1, 2, 3, 4, 5, 0, 1) for row in [number] * 8]
    assert torch.equal(gan.sample(z), gan.sample(z, torch.tensor(rows)))


def test_more_classes_than_rows_take_turns():
    assert labels_in_turn(range(12), 10).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert labels_in_turn([0, 7, 8, 64], 8).tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize(
    ("seeds", "num_classes", "columns"),
    [
        (range(64), 6, 8),
        (range(8, 20), 6, 8),
        (range(4, 20), 6, 0),  # the first row would have two classes
        ([3] * 25, 6, 0),
        (range(5), 6, 0),
        (range(64), 10, 0),
        (range(64), 0, 0),
    ],
)
def test_each_row_of_a_grid_shows_one_class_if_possible(seeds, num_classes, columns):
    assert columns_in_turn(seeds, num_classes) == columns


def test_labels_fit_several_batches_of_their_length():
    labels = torch.tensor([3, 1])
    assert fit_labels(labels, torch.zeros(4, 3)).tolist() == [3, 1, 3, 1]
    for inputs in (torch.zeros(3, 3), torch.zeros(1, 3)):
        with pytest.raises(ValueError, match="2 class labels"):
            fit_labels(labels, inputs)
    with pytest.raises(ValueError, match="give labels="):
        fit_labels(None, torch.zeros(2, 3))


def test_micro_batches_have_equal_parts_of_z_and_labels(labelled):
    trainer, _ = labelled(accumulate=4)
    parts = trainer.gan.micro_batches(trainer.batches[0], trainer.labels_of(0))
    assert all(isinstance(part, MicroBatch) for part in parts)
    assert torch.equal(torch.cat([part.labels for part in parts]), trainer.labels_of(0))


def test_networks_without_the_parameter_are_refused_by_name(trainer_of):
    with pytest.raises(GankitError, match="does not take class labels") as error:
        trainer_of(model="modern64", image_size=64, **LABELS)
    assert "dcgan-skip" in str(error.value)


def test_bf16_and_second_derivatives_work_with_labels(labelled):
    trainer, _ = labelled("r1", "wgan-gp", "ema", precision="bf16", loss="wasserstein")
    scalars = trainer.step(0)
    assert all(value.isfinite() for value in scalars.values())


def test_pictures_that_grow_have_classes_too(labelled):
    trainer, seen = labelled("grow", model="grow64:base_channels=4")
    for step in range(4):
        assert all(value.isfinite() for value in trainer.step(step).values())
    assert all(len(labels) == len(images) for images, labels in seen.passes)


def test_labels_matter_after_a_few_steps(trainer_of):
    """Two classes of plain colours: after some steps, asking for the other one changes the tone."""
    pictures = np.zeros((64, 16, 16, 3), np.uint8)
    pictures[:32] = 230

    class Toned(torch.utils.data.Dataset):
        def __len__(self):
            return 64

        def __getitem__(self, index):
            return pictures[index], "bright" if index < 32 else "dark"

    trainer = trainer_of(dataset=Toned(), model="dcgan64:base_channels=8", lr=4e-3, **LABELS)
    assert trainer.run.class_names == ("bright", "dark")
    for step in range(120):
        trainer.step(step)
    z = gankit.core.randomness.latents(0, 0, 8, trainer.gan.latent_dim)
    bright, dark = (trainer.gan.sample(z, torch.full((8,), label)).mean() for label in (0, 1))
    assert bright > dark + 0.4
