"""The device and precision of a run, and what stays in float32 at any precision."""

import dataclasses

import pytest
import torch
from torch.amp import GradScaler

from gankit import GankitError, Trick
from gankit.core import device as device_module
from gankit.core.device import (
    MATRIX_SIDES,
    is_faster_in_bf16,
    select_device,
    setup_device,
    setup_machine,
    to_device,
)
from gankit.training import assemble

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
        # Some processors round more than others in float16; the scale would make it 255.
        assert (full - scaled).norm() < 0.1 * full.norm()


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


@pytest.mark.parametrize("precision", ["16", "bf16"])
def test_other_precisions_are_refused_on_mps(precision, gpus):
    gpus(0, mps=True)
    with pytest.raises(GankitError, match=f"--precision {precision} .*mps.*use 32"):
        setup_machine("mps", precision)
    assert setup_machine("mps").precision == "32"


@pytest.fixture
def gpus(monkeypatch):
    """`gpus(2, {"cuda:0": error})`: a computer with two GPUs; operations on the first fail."""
    make_ones = torch.ones

    def make(count, faults=(), mps=False):
        def ones(*size, device="cpu", **options):
            if str(device) in dict(faults):
                raise dict(faults)[str(device)]
            return make_ones(*size, **options)

        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        monkeypatch.setattr(torch, "ones", ones)
        monkeypatch.setattr(device_module, "to_device", lambda tensor, device: tensor.clone())

    for name in ("LOCAL_RANK", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    device_module._warn_once.cache_clear()
    return make


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
def test_devices_by_name_and_by_torchruns_rank(name, rank, selected, gpus, monkeypatch):
    gpus(2)
    if rank is not None:
        monkeypatch.setenv("LOCAL_RANK", rank)
    assert select_device(name) == torch.device(selected)


@pytest.mark.parametrize("name", ["cuda:2", "cuda:x", "mps", "tpu", "CUDA", "gpu", ""])
def test_a_missing_device_is_an_error_that_lists_the_available_ones(name, gpus):
    gpus(2)
    with pytest.raises(GankitError, match=f"--device {name} .*cuda:0, cuda:1, cpu"):
        select_device(name)


NO_KERNEL = RuntimeError(
    "CUDA error: no kernel image is available for execution on the device\n"
    "CUDA kernel errors might be asynchronously reported at some other API call"
)
OLD_DRIVER = RuntimeError(
    "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU "
    "driver by downloading and installing a new version."
)
NO_MEMORY = torch.OutOfMemoryError(
    "CUDA out of memory. Tried to allocate 2.00 MiB. GPU 0 has 8 GiB"
)
FAULTS = {  # an error of a GPU -> what the message must name: torch's words, and what to do
    "too old for torch": (NO_KERNEL, "no kernel image", "install a torch"),
    "an old driver": (OLD_DRIVER, "too old (found version 11040)", "update its driver"),
    "no memory": (NO_MEMORY, "out of memory", "close other programs"),
    "in use": (RuntimeError("CUDA-capable device(s) is/are busy"), "busy", "close other programs"),
    "without words": (AssertionError(), "AssertionError", "update torch"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_auto_passes_over_a_gpu_that_cannot_compute(fault, gpus, caplog):
    error, *facts = FAULTS[fault]
    gpus(1, {"cuda:0": error})
    assert [select_device("auto") for _ in range(3)] == [torch.device("cpu")] * 3
    (record,) = caplog.records  # once
    assert record.levelname == "WARNING"
    for fact in (*facts, "cuda:0", "cpu"):
        assert fact in record.getMessage()
    assert "\n" not in record.getMessage()


@pytest.mark.parametrize("name", ["cuda", "cuda:0"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_named_gpu_that_cannot_compute_is_refused(fault, name, gpus):
    error, *facts = FAULTS[fault]
    gpus(2, {"cuda:0": error})
    with pytest.raises(GankitError) as refusal:
        select_device(name)
    for fact in (*facts, f"--device {name}", "cuda:1, cpu"):
        assert fact in str(refusal.value)
    assert refusal.value.exit_code == 2
    assert "\n" not in str(refusal.value)


def test_the_first_of_several_gpus_may_be_broken(gpus, caplog):
    gpus(3, {"cuda:0": NO_KERNEL, "cuda:1": NO_MEMORY})
    assert select_device("auto") == torch.device("cuda:2")
    assert [record.getMessage().count("cuda:2") for record in caplog.records] == [1, 1]


def test_a_broken_mps_is_passed_over(gpus, caplog):
    gpus(0, {"mps": RuntimeError("MPS backend out of memory")}, mps=True)
    assert select_device("auto") == torch.device("cpu")
    assert "mps" in caplog.text


def test_torchrun_passes_over_mps(gpus, monkeypatch):
    gpus(0, mps=True)
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert select_device("auto") == torch.device("cpu")
    with pytest.raises(GankitError, match="mps is not available to several processes.*: cpu"):
        select_device("mps")


@pytest.mark.parametrize("factor", [1.1, float("nan")])
def test_a_gpu_with_wrong_gradients_is_passed_over(factor, gpus, monkeypatch, caplog):
    gpus(1)

    def to_wrong_device(tensor, device):
        return tensor * (1 if device.type == "cpu" else factor)

    monkeypatch.setattr(device_module, "to_device", to_wrong_device)
    assert select_device("auto") == torch.device("cpu")
    assert "gradients" in caplog.text


@pytest.mark.parametrize("detached", [0, 1, 2, 3])
def test_each_gradient_of_the_sample_matters(detached, gpus, monkeypatch, caplog):
    """As with a second derivative that is missing, or a layer's wrong gradient."""
    gpus(1)
    gradients_of = device_module._gradients_of_a_sample

    def wrong_gradients_of(device):
        gradients = gradients_of(device)
        gradients[detached] *= 1 if device.type == "cpu" else 0.9
        return gradients

    monkeypatch.setattr(device_module, "_gradients_of_a_sample", wrong_gradients_of)
    assert select_device("auto") == torch.device("cpu")
    assert "gradients" in caplog.text


def test_rounding_is_not_a_wrong_gradient(gpus, monkeypatch):
    gpus(1)

    def to_coarse_device(tensor, device):
        return tensor if device.type == "cpu" else tensor.half().float()

    monkeypatch.setattr(device_module, "to_device", to_coarse_device)
    assert select_device("auto") == torch.device("cuda:0")


def test_a_copy_to_mps_is_not_asynchronous(monkeypatch):
    """Its source could be freed, and its memory used again, before it is read."""
    options = []
    monkeypatch.setattr(torch.Tensor, "to", lambda self, *a, **o: options.append(o) or self)
    to_device(torch.ones(2), "mps")
    assert options == [{}]


def test_under_torchrun_no_process_changes_its_device_alone(gpus, monkeypatch):
    """The others would wait for it on their GPUs."""
    gpus(2, {"cuda:1": NO_KERNEL})
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(GankitError, match="cuda:1 cannot compute"):
        select_device("auto")


def test_torchrun_with_more_processes_than_gpus(gpus, monkeypatch):
    gpus(2)
    monkeypatch.setenv("LOCAL_RANK", "5")
    with pytest.raises(GankitError, match=r"process 5\b.*\b2 GPUs"):
        select_device("auto")


@pytest.mark.parametrize(("visible", "count"), [("", 0), ("-1", 0), ("3", 1)])
def test_hidden_gpus_are_named_as_hidden(visible, count, gpus, monkeypatch):
    gpus(count)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with pytest.raises(GankitError, match=f"CUDA_VISIBLE_DEVICES={visible} "):
        select_device("cuda:3")


def test_a_torch_without_cuda_is_named(gpus, monkeypatch):
    gpus(0)
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(GankitError, match="torch is for CPUs only"):
        select_device("cuda")


@pytest.mark.parametrize("name", ["xpu", "hpu:0", "dml", "gpu"])
def test_devices_that_gankit_does_not_support(name, gpus):
    gpus(1)
    with pytest.raises(GankitError, match="gankit trains on cuda, mps, cpu"):
        select_device(name)


def test_the_trial_of_a_gpu_draws_no_random_numbers(gpus):
    gpus(1)
    before = torch.get_rng_state()
    with torch.no_grad():
        assert select_device("auto") == torch.device("cuda:0")
    assert torch.equal(torch.get_rng_state(), before)


def test_memory_is_contiguous_on_mps_unless_another_layout_is_requested(trainer_of, gpus):
    gpus(0, mps=True)
    mps = torch.device("mps")
    for requested, resolved in (("auto", "contiguous"), ("channels-last", "channels-last")):
        run = trainer_of(memory_format=requested).run
        assert run.memory_format == "channels-last"  # as used on a CPU
        run = dataclasses.replace(run, memory_format=requested)
        assert assemble.resolve_memory_format(run, mps) == resolved


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

    monkeypatch.setitem(MATRIX_SIDES, "cpu", 96)
    monkeypatch.setattr("timeit.timeit", seconds)
    assert is_faster_in_bf16(torch.device("cpu")) is expected


def test_a_cpu_that_emulates_bf16_is_known_after_small_products(monkeypatch):
    sides = set()

    def timeit(code, globals, number):
        sides.add(len(globals["matrix"]))
        return 9.0 if globals["matrix"].dtype == torch.bfloat16 else 1.0

    monkeypatch.setattr("timeit.timeit", timeit)
    assert not is_faster_in_bf16(torch.device("cpu"))
    assert sides == {256}


def test_a_device_without_bf16_is_not_timed(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    assert not is_faster_in_bf16(torch.device("cuda"))
    assert not is_faster_in_bf16(torch.device("mps"))


def test_the_first_sentence_of_a_fault_is_whole(monkeypatch):
    def refuse(*args, **named):
        raise RuntimeError("CUDA unknown error - e.g. a variable was changed. Setting none.")

    monkeypatch.setattr(device_module.torch, "ones", refuse)
    fault = device_module.find_fault(torch.device("cuda:0"))
    assert "e.g. a variable was changed)" in fault
    assert "Setting" not in fault


def test_far_more_threads_than_cores_are_refused(monkeypatch):
    """OpenMP would end the process, as with a run.json that says 1024 threads."""
    before = torch.get_num_threads()
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    with pytest.raises(GankitError, match="--threads is 257.* 4 cores.* 256"):
        setup_device(torch.device("cpu"), threads=257)
    assert torch.get_num_threads() == before
    monkeypatch.setattr("os.cpu_count", lambda: 300)
    with pytest.raises(GankitError, match="300 or less"):
        setup_device(torch.device("cpu"), threads=301)


def test_another_default_device_of_torch_is_refused():
    with (
        torch.device("meta"),
        pytest.raises(GankitError, match="meta, by torch.set_default_device"),
    ):
        select_device("cpu")


def test_auto_tells_of_a_card_that_this_torch_cannot_use(gpus, monkeypatch, caplog):
    gpus(0)
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/nvidia-smi")
    assert select_device("auto") == torch.device("cpu")
    assert not caplog.text  # its driver is missing, perhaps
    monkeypatch.setattr(torch.version, "cuda", None)
    assert [select_device("auto") for _ in range(2)] == [torch.device("cpu")] * 2
    (record,) = caplog.records
    assert "the installed torch is for CPUs only" in record.getMessage()
    caplog.clear()
    select_device("cpu")
    assert not caplog.text


def test_a_gpu_without_bf16_emulates_it(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    assert device_module.emulates_bf16(torch.device("cuda"))
    assert not device_module.emulates_bf16(torch.device("mps"))
