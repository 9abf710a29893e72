"""The device and precision of a run, and what stays in float32 at any precision."""

import pytest
import torch
from torch.amp import GradScaler

from gankit import GankitError, Trick
from gankit.core.device import is_faster_in_bf16, select_device, setup_device, setup_machine

HALVES = {"bf16": torch.bfloat16, "16": torch.float16}


@pytest.fixture(params=HALVES)
def half(request):
    """`bf16` or `16`."""
    return request.param


def floats(tree):
    """Every tensor of numbers in nested dicts and lists."""
    if isinstance(tree, torch.Tensor):
        return [tree] if tree.is_floating_point() else []
    values = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return [tensor for value in values for tensor in floats(value)]


def with_small_scale(trainer):
    """The trainer with a scale at which the first float16 gradients are finite."""
    for player in (trainer.gan.G, trainer.gan.D):
        player.scaler = GradScaler("cpu", init_scale=2.0**8, enabled=player.scaler.is_enabled())
    return trainer


def test_weights_statistics_averages_moments_and_losses_stay_in_float32(trainer_of, half):
    trainer = trainer_of("ema", "r1", "lecam", precision=half)
    gan = trainer.gan
    seen = []
    d_loss = trainer.loss.d_loss
    trainer.loss.d_loss = lambda *logits: seen.append(d_loss(*logits)) or seen[-1]
    gan.G.net.main[0].register_forward_hook(lambda net, given, out: seen.append(out))
    scalars = [trainer.step(step) for step in range(2)]
    assert seen[0].dtype == HALVES[half]  # the networks do compute in it
    kept = [gan.G.net.state_dict(), gan.D.net.state_dict(), gan.sampler.state_dict()]
    kept += [gan.G.adam.state_dict(), gan.D.adam.state_dict(), trainer.tricks[2].state_dict()]
    assert all(floats(tree) for tree in kept)
    everything = [*floats([*kept, *scalars]), seen[1]]
    assert {tensor.dtype for tensor in everything} == {torch.float32}
    assert {"penalty", "d_loss", "g_loss"} <= set(scalars[0])


def test_an_average_moves_by_less_than_half_precision_can_represent(trainer_of, half):
    trainer = with_small_scale(trainer_of("ema:decay=0.999,ramp=0", precision=half))
    weight = trainer.gan.sampler.main[0].weight
    before = weight.clone()
    trainer.step(0)
    assert (weight != before).float().mean() > 0.9
    assert (weight.to(HALVES[half]) == before.to(HALVES[half])).float().mean() > 0.9


def test_batch_norm_counts_in_float32(trainer_of, half):
    """In 8 bits of bf16, a mean over 2,000 numbers would be some per cent off."""
    trainer = trainer_of(precision=half, batch_size=32)
    norm = next(m for m in trainer.gan.G.net.modules() if isinstance(m, torch.nn.BatchNorm2d))
    given = []
    norm.register_forward_pre_hook(lambda net, inputs: given.append(inputs[0]))
    norm.momentum = 1.0
    trainer.step(0)
    assert given[0].dtype == HALVES[half]
    exact = given[0].double()
    mean = exact.mean(dim=(0, 2, 3))
    var = exact.var(dim=(0, 2, 3))
    torch.testing.assert_close(norm.running_mean.double(), mean, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(norm.running_var.double(), var, rtol=1e-4, atol=1e-6)


class GradientRecorder(Trick):
    """Keeps the gradients that a trick sees."""

    def __init__(self):
        self.gradients = []

    def before_update(self, gan, player):
        self.gradients.append(torch.cat([p.grad.flatten() for p in player.net.parameters()]))


def gradients(trainer):
    """D's and G's gradient of one step, as tricks see them."""
    recorder = GradientRecorder()
    with_small_scale(trainer).tricks.append(recorder)
    trainer.step(0)
    return recorder.gradients


def test_tricks_see_gradients_without_the_scale(trainer_of):
    exact, half = (gradients(trainer_of("r1", precision=p)) for p in ("32", "16"))
    for full, scaled in zip(exact, half, strict=True):
        assert (full - scaled).norm() < 0.02 * full.norm()


def test_an_infinite_gradient_moves_nothing_and_lowers_the_scale(trainer_of):
    trainer = trainer_of("r1", precision="16")
    D = trainer.gan.D
    D.scaler = GradScaler("cpu", init_scale=2.0**127)
    before = [p.detach().clone() for p in D.net.parameters()]
    scalars = trainer.step(0)
    assert all(torch.equal(a, b) for a, b in zip(before, D.net.parameters(), strict=True))
    assert D.scaler.get_scale() == 2.0**126
    assert all(value.isfinite() for value in scalars.values())
    D.scaler = GradScaler("cpu", init_scale=2.0**10)
    trainer.step(1)
    assert not torch.equal(before[0], next(D.net.parameters()))


def test_other_precisions_have_no_scaler(trainer_of):
    gan = trainer_of(precision="bf16").gan
    assert not gan.G.scaler.is_enabled()
    assert not gan.D.scaler.is_enabled()


def test_float16_on_a_cpu_says_that_it_is_slow(gankit_run):
    assert "--precision 16 " in gankit_run("--precision", "16").err
    assert "warning" not in gankit_run("--precision", "bf16").out


def test_float16_is_refused_on_mps(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    with pytest.raises(GankitError, match="--precision 16.*mps"):
        setup_machine("mps", "16")
    assert setup_machine("mps", "bf16").precision == "bf16"


@pytest.mark.parametrize(
    ("name", "rank", "selected"),
    [
        ("auto", None, "cuda:0"),
        ("auto", "1", "cuda:1"),
        ("cuda", None, "cuda:0"),
        ("cuda:1", None, "cuda:1"),
        ("cuda:0", "1", "cuda:1"),
        ("cpu", "1", "cpu"),
    ],
)
def test_devices_by_name_and_by_torchruns_rank(name, rank, selected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    if rank is not None:
        monkeypatch.setenv("LOCAL_RANK", rank)
    assert select_device(name) == torch.device(selected)


@pytest.mark.parametrize("name", ["cuda:2", "mps", "tpu", ""])
def test_a_missing_device_is_an_error_that_lists_the_available_ones(name, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(GankitError, match=f"--device {name} .*cuda:0, cuda:1, cpu"):
        select_device(name)


def test_a_gpu_becomes_the_current_device(monkeypatch):
    devices = []
    monkeypatch.setattr(torch.cuda, "set_device", devices.append)
    setup_device(torch.device("cpu"), threads=0)
    setup_device(torch.device("cuda:1"), threads=0)
    assert devices == [torch.device("cuda:1")]
    assert torch.get_num_threads() == 1


def test_threads_are_those_asked_for(gankit_run, here):
    assert torch.get_num_threads() == 1
    try:
        code = gankit_run("--threads", "2", "--out", "run").code
        assert (code, torch.get_num_threads()) == (0, 2)
        assert '"threads": 2' in (here / "run/run.json").read_text()
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize(("bf16", "expected"), [(0.5, True), (0.9, False), (2.0, False)])
def test_bf16_must_be_faster_by_half(monkeypatch, bf16, expected):
    def seconds(statement, globals, number):
        exec(statement, globals)
        return bf16 if globals["matrix"].dtype == torch.bfloat16 else 1.0

    monkeypatch.setattr("timeit.timeit", seconds)
    assert is_faster_in_bf16(torch.device("cpu")) is expected


def test_a_device_without_bf16_is_not_timed(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    assert not is_faster_in_bf16(torch.device("cuda"))
    assert not is_faster_in_bf16(torch.device("mps"))
