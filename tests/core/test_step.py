"""One training step: which player is updated, from what, and in which order."""

import weakref

import pytest
import torch

import gankit
from gankit import Targets, Trick
from gankit.core.step import d_backward, g_backward, train_step, update
from gankit.training.assemble import assemble, resolve_auto
from gankit.training.settings.compose import compose


@pytest.fixture
def trainer_of(registry, tiny):
    """`trainer_of(loss="hinge")`: a trainer of the tiny run."""

    def build(*tricks, **settings):
        run = compose(registry, **tiny(**settings))
        prepared = gankit.prepare(run, registry, lambda done, total: None)
        trainer = assemble(resolve_auto(run, prepared), registry, prepared)
        for trick in tricks:
            trick.name = type(trick).__name__
            trick.wrap(trainer.gan)
            trick.start(trainer.gan)
            if trick.overrides("d_input"):
                trainer.gan.d_inputs.append(trick.d_input)
        trainer.tricks += tricks
        return trainer

    return build


def d_step(gan, loss, tricks, real, fakes):
    """D's update, as a step takes it with one micro-batch."""
    scalars = d_backward(gan, loss, tricks, real=real, fakes=fakes)
    update(gan, gan.D, tricks)
    return scalars


def g_step(gan, loss, tricks, real, fakes):
    """G's update, likewise."""
    scalars = g_backward(gan, loss, tricks, real=real, fakes=fakes)
    update(gan, gan.G, tricks)
    return scalars


class CallRecorder(Trick):
    """Records the calls of its methods and what they were given."""

    def __init__(self):
        self.calls = []

    def reals(self, images, gan):
        self.calls.append(("reals", len(images)))
        return images

    def fakes(self, images, gan):
        self.calls.append(("fakes", images.requires_grad))
        return images

    def d_input(self, images, gan):
        self.calls.append(("d_input", len(images)))
        return images

    def targets(self, targets, gan):
        self.calls.append(("targets", float(targets.real.mean()), float(targets.fake.mean())))
        return targets

    def logits(self, logits, gan, player, is_real):
        self.calls.append(("logits", player.name, "real" if is_real else "fake", len(logits)))
        return logits

    def penalty(self, gan, player, real, fake):
        self.calls.append(("penalty", player.name))

    def before_update(self, gan, player):
        self.calls.append(("before_update", player.name))

    def after_update(self, gan, player):
        self.calls.append(("after_update", player.name))


def test_the_methods_of_a_trick_are_called_in_order(trainer_of):
    recorder = CallRecorder()
    trainer_of(recorder).step(0)
    assert recorder.calls == [
        ("reals", 8),
        ("fakes", False),  # D learns from fakes without a graph
        ("targets", 1.0, 0.0),
        ("d_input", 8),
        ("logits", "D", "real", 8),
        ("d_input", 8),  # separate calls, for batch norm
        ("logits", "D", "fake", 8),
        ("penalty", "D"),
        ("before_update", "D"),
        ("after_update", "D"),
        ("d_input", 8),  # in G's update, too
        ("logits", "G", "fake", 8),
        ("penalty", "G"),
        ("before_update", "G"),
        ("after_update", "G"),
    ]


class Darker(Trick):
    """Halves the reals, and keeps the reals that its penalty and a loss of pairs get."""

    def __init__(self):
        self.calls = 0
        self.given = {"D": [], "G": []}

    def reals(self, images, gan):
        self.calls += 1
        return images / 2 - 0.5

    def d_input(self, images, gan):
        self.given["judged"] = images
        return images

    def penalty(self, gan, player, real, fake):
        self.given[player.name].append(real)


@pytest.mark.parametrize(("settings", "calls"), [({}, 1), ({"accumulate": 2, "d_steps": 2}, 4)])
def test_what_a_trick_makes_of_the_reals_is_real_in_both_updates(trainer_of, settings, calls):
    trick = Darker()
    trainer = trainer_of(trick, loss="relativistic", **settings)
    trainer.step(0)
    assert trick.calls == calls
    of_d = torch.cat(trick.given["D"])[-8:]
    assert torch.equal(torch.cat(trick.given["G"]), of_d)
    batch = trainer.batches[0] if calls == 1 else trainer.batches[1]
    assert torch.equal(of_d, batch / 2 - 0.5)
    assert torch.equal(trick.given["judged"], trick.given["G"][-1])  # a loss of pairs


def test_targets_may_be_a_plain_tuple(trainer_of):
    class Smooth(Trick):
        def targets(self, targets, gan):
            return targets.real * 0.9, targets.fake

    assert trainer_of(Smooth()).step(0)["d_loss"] != trainer_of().step(0)["d_loss"]


class Gradients(Trick):
    """Keeps each player's gradients as they are before its update; None where there is none."""

    def __init__(self):
        self.gradients = {}

    def before_update(self, gan, player):
        for other in (gan.G, gan.D):
            grads = [p.grad if p.grad is None else p.grad.clone() for p in other.net.parameters()]
            self.gradients[player.name, other.name] = grads


def test_each_step_has_gradients_of_one_player(trainer_of):
    trainer = trainer_of()
    seen = Gradients()
    gan = trainer.gan
    gan.begin_step(0)
    g_step(gan, trainer.loss, [seen], trainer.batches[0], gan.generate(gan.latents(8)))
    assert all(grad is None for grad in seen.gradients["G", "D"])
    assert all(float(grad.abs().sum()) > 0 for grad in seen.gradients["G", "G"])
    assert all(p.requires_grad for p in gan.D.net.parameters())  # no longer frozen
    d_step(gan, trainer.loss, [seen], trainer.batches[0], torch.zeros(8, 3, 16, 16))
    # Not even those of the step before.
    assert all(grad is None for grad in seen.gradients["D", "G"])
    assert all(float(grad.abs().sum()) > 0 for grad in seen.gradients["D", "D"])


@pytest.mark.parametrize(
    "loss", ["non-saturating", "minimax", "least-squares", "hinge", "wasserstein", "relativistic"]
)
def test_ds_gradient_is_that_of_the_whole_loss(trainer_of, loss):
    """Whether backward runs once over both graphs, or over one after the other."""
    trainer = trainer_of(loss=loss)
    seen = Gradients()
    gan = trainer.gan
    real = trainer.batches[0]
    fakes = torch.randn(8, 3, 16, 16)
    d_real = gan.judge(real)
    d_fake = gan.judge(fakes)
    whole = trainer.loss.d_loss(d_real, d_fake, Targets(torch.ones(8), torch.zeros(8)))
    gradients = torch.autograd.grad(whole, list(gan.D.net.parameters()))
    scalars = d_step(gan, trainer.loss, [seen], real, fakes)
    for actual, expected in zip(seen.gradients["D", "D"], gradients, strict=True):
        assert torch.allclose(actual, expected, rtol=1e-4, atol=1e-7)
    assert float(scalars["d_loss"]) == pytest.approx(whole.item())
    assert float(scalars["d_real"]) == pytest.approx(trainer.loss.score(d_real).mean().item())


@pytest.mark.parametrize(("loss", "kept"), [("non-saturating", False), ("relativistic", True)])
def test_the_reals_graph_is_freed_before_the_fakes_are_judged(trainer_of, loss, kept):
    trainer = trainer_of(loss=loss)
    outputs = []
    alive = []

    def record(net, given, output):
        alive.append([reference() is not None for reference in outputs])
        outputs.append(weakref.ref(output))

    convolution = next(m for m in trainer.gan.D.net.modules() if isinstance(m, torch.nn.Conv2d))
    convolution.register_forward_hook(record)
    trainer.step(0)
    assert alive[:2] == [[], [kept]]


def test_g_does_not_move_in_ds_step_nor_d_in_gs(trainer_of):
    trainer = trainer_of()
    gan = trainer.gan
    gan.begin_step(0)
    before = {k: v.clone() for k, v in gan.G.net.state_dict().items()}
    real = trainer.batches[0]
    fakes = torch.randn(8, 3, 16, 16)
    d_step(gan, trainer.loss, [], real, fakes)
    assert all(torch.equal(before[k], v) for k, v in gan.G.net.state_dict().items())
    weights = [p.clone() for p in gan.D.net.parameters()]
    g_step(gan, trainer.loss, [], real, gan.generate(gan.latents(8)))
    assert all(torch.equal(a, b) for a, b in zip(weights, gan.D.net.parameters(), strict=True))
    assert not torch.equal(before["main.0.weight"], gan.G.net.state_dict()["main.0.weight"])


@pytest.mark.parametrize("d_steps", [1, 3])
def test_ds_last_update_and_gs_share_their_fakes(trainer_of, d_steps):
    trainer = trainer_of(d_steps=d_steps)
    drawn = []
    trainer.gan.G.net.register_forward_hook(lambda net, given, images: drawn.append(images))
    judged = []
    trainer.gan.D.net.register_forward_pre_hook(lambda net, given: judged.append(given[0]))
    trainer.step(0)
    assert len(drawn) == d_steps
    assert len(judged) == 2 * d_steps + 1
    assert torch.equal(judged[-1], judged[-2])  # G's update judges the fakes that D learnt from
    assert judged[-1].requires_grad
    assert not judged[-2].requires_grad
    assert len({float(images.detach().sum()) for images in drawn}) == d_steps


def test_each_update_of_d_has_its_own_batch(trainer_of):
    trainer = trainer_of(d_steps=2)
    reals = [trainer.batches[i] for i in range(4)]
    seen = []
    trainer.gan.D.net.register_forward_pre_hook(lambda net, given: seen.append(given[0]))
    trainer.step(1)
    assert torch.equal(seen[0], reals[2])
    assert torch.equal(seen[2], reals[3])


def test_a_pairing_loss_sees_the_reals_in_gs_step(trainer_of):
    trainer = trainer_of(loss="relativistic")
    judged = []
    trainer.gan.D.net.register_forward_pre_hook(lambda net, given: judged.append(given[0]))
    trainer.step(0)
    assert len(judged) == 4
    assert torch.equal(judged[3], judged[0])


def test_d_inputs_are_applied_in_order_to_everything(trainer_of):
    class Add(Trick):
        def d_input(self, images, gan):
            return images + 1

    class Double(Trick):
        def d_input(self, images, gan):
            return images * 2

    trainer = trainer_of(Add(), Double())
    judged = []
    trainer.gan.D.net.register_forward_pre_hook(lambda net, given: judged.append(given[0]))
    real = trainer.batches[0]
    trainer.gan.judge(real)
    assert torch.equal(judged[0], (real + 1) * 2)


class Shift(Trick):
    """Adds a number to the logits of reals and another to those of fakes; records its calls."""

    def __init__(self):
        self.calls = []

    def logits(self, logits, gan, player, is_real):
        self.calls.append((player.name, is_real))
        return 2 * logits + (1 if is_real else -1)


@pytest.mark.parametrize("loss", ["non-saturating", "relativistic"])  # whose G sees reals, too
def test_the_loss_gets_the_logits_that_tricks_return(trainer_of, loss):
    shift = Shift()
    trainer = trainer_of(shift, loss=loss)
    seen = {}
    d_loss = trainer.loss.d_loss
    g_loss = trainer.loss.g_loss
    trainer.loss.d_loss = lambda r, f, t: seen.update(d=(r, f)) or d_loss(r, f, t)
    trainer.loss.g_loss = lambda f, r: seen.update(g=(f, r)) or g_loss(f, r)
    judged = []
    trainer.gan.D.net.register_forward_hook(lambda net, given, out: judged.append(out.detach()))
    trainer.step(0)
    assert torch.equal(seen["d"][0].detach(), 2 * judged[0] + 1)
    assert torch.equal(seen["d"][1].detach(), 2 * judged[1] - 1)
    assert torch.equal(seen["g"][0].detach(), 2 * judged[2] - 1)
    pairs = loss == "relativistic"
    if pairs:
        assert torch.equal(seen["g"][1].detach(), 2 * judged[3] + 1)
    assert shift.calls == [("D", True), ("D", False), ("G", False), *[("G", True)] * pairs]


def test_features_are_the_input_of_ds_last_layer(trainer_of):
    gan = trainer_of().gan
    real = trainer_of().batches[0]
    gan.judge(real)
    assert gan.features is None  # keep_features was not called
    gan.keep_features()
    logits = gan.judge(real)
    last = [m for m in gan.D.net.modules() if isinstance(m, torch.nn.Conv2d)][-1]
    assert torch.allclose(last(gan.features).flatten(), logits)
    assert gan.features.requires_grad


def test_targets_reach_the_loss(trainer_of):
    class Half(Trick):
        def targets(self, targets, gan):
            return Targets(targets.real / 2, targets.fake + 0.25)

    trainer = trainer_of(Half())
    plain = trainer_of()
    seen = []
    d_loss = trainer.loss.d_loss
    trainer.loss.d_loss = lambda r, f, t: seen.append(t) or d_loss(r, f, t)
    assert trainer.step(0)["d_loss"] != plain.step(0)["d_loss"]
    assert seen[0].real.tolist() == [0.5] * 8
    assert seen[0].fake.tolist() == [0.25] * 8


def test_penalties_add_up_and_move_only_their_player(trainer_of):
    class Pull(Trick):
        def __init__(self, name, weight):
            self.player = name
            self.weight = weight

        def penalty(self, gan, player, real, fake):
            if player.name == self.player:
                return self.weight * next(player.net.parameters()).square().sum()
            return None

    plain = trainer_of().step(0)
    assert "penalty" not in plain
    pulled = trainer_of(Pull("D", 1.0), Pull("D", 2.0)).step(0)
    single = trainer_of(Pull("D", 1.0)).step(0)
    assert float(pulled["penalty"]) == pytest.approx(3 * float(single["penalty"]), rel=1e-5)
    assert float(pulled["d_loss"]) == float(plain["d_loss"])  # has its own column


def test_penalties_are_computed_in_float32_and_the_rest_in_bf16(trainer_of):
    class Judge(Trick):
        def penalty(self, gan, player, real, fake):
            gan.judge(real)

    dtypes = []
    trainer = trainer_of(Judge(), precision="bf16")
    trainer.gan.D.net.main[0].register_forward_hook(
        lambda net, given, out: dtypes.append(out.dtype)
    )
    trainer.step(0)
    bf16, f32 = torch.bfloat16, torch.float32
    assert dtypes == [bf16, bf16, f32, bf16, f32]
    assert trainer.gan.machine.precision == "bf16"


def test_scalars_are_what_their_names_say(trainer_of):
    trainer = trainer_of()
    gan = trainer.gan
    gan.begin_step(0)
    real = trainer.batches[0]
    fakes = gan.generate(gan.latents(8))
    d_net = gan.D.net
    logits = d_net(real), d_net(fakes)
    fresh = trainer_of()  # the same weights as before
    fresh.gan.begin_step(0)
    scalars = train_step(fresh.gan, fresh.loss, [], [real])
    d_real, d_fake = (answer.detach().sigmoid().mean().item() for answer in logits)
    assert float(scalars["d_real"]) == pytest.approx(d_real, abs=1e-6)
    assert float(scalars["d_fake"]) == pytest.approx(d_fake, abs=1e-6)
    assert set(scalars) == {"d_loss", "d_real", "d_fake", "g_loss"}
    assert all(value.ndim == 0 and not value.requires_grad for value in scalars.values())


def test_draws_depend_on_seed_step_and_purpose_only(trainer_of):
    gan = trainer_of().gan

    def drawn(step, purpose, skip=0):
        gan.begin_step(step)
        for _ in range(skip):
            gan.draw(purpose)
        gan.draw("something else")
        return torch.rand(3, generator=gan.draw(purpose)).tolist()

    assert drawn(5, "noise") == drawn(5, "noise")
    assert drawn(5, "noise") != drawn(6, "noise")
    assert drawn(5, "noise") != drawn(5, "flips")
    assert drawn(5, "noise") != drawn(5, "noise", skip=1)
    gan.begin_step(3)
    first = torch.rand(2)
    gan.begin_step(3)
    assert torch.equal(first, torch.rand(2))  # layers that draw by themselves are seeded too
