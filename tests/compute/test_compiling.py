"""Compiled networks train like plain ones, and only runs that ask for it are compiled."""

import dataclasses
import logging
import re

import pytest
import torch
from torch import nn

import gankit
from gankit.compute import compiling
from gankit.compute.compiling import compile_networks
from gankit.compute.convolution import use_fast_convolutions
from gankit.core.process_group import ProcessGroup
from gankit.training.run_folder.run_file import load_run
from gankit.training.train import train

# torch reads `grad` of tensors that are not leaves while it compiles, and warns about that
pytestmark = pytest.mark.filterwarnings("default:The .grad attribute")


@pytest.fixture(autouse=True)
def no_compiler(monkeypatch):
    """Use a backend that needs no C++ compiler."""
    monkeypatch.setattr(compiling, "BACKEND", "aot_eager")
    torch.compiler.reset()


def compiled_trainer(trainer):
    """Compile the networks of a trainer, depending on its run."""
    trainer.run = compile_networks(trainer.run, trainer.gan)
    return trainer


def compiled(trainer):
    return [player.net._compiled_call_impl is not None for player in (trainer.gan.G, trainer.gan.D)]


def weights(gan):
    nets = {"G": gan.G.net, "D": gan.D.net, "sampler": gan.sampler}
    return {f"{n} {k}": v for n, net in nets.items() for k, v in net.state_dict().items()}


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_weights_equal_those_of_plain_networks_up_to_rounding(trainer_of, precision):
    tricks = ("r1:gamma=1,every=1", "ema", "spectral-norm", "diffaugment")
    trainers = [
        compiled_trainer(trainer_of(*tricks, precision=precision, compile=how))
        for how in ("no", "yes")
    ]
    assert [compiled(trainer) for trainer in trainers] == [[False, False], [True, True]]
    for step in range(3):
        plain, quick = (trainer.step(step) for trainer in trainers)
        assert plain["penalty"] > 0
        tolerance = {"rtol": 0.05, "atol": 0.05} if precision == "bf16" else {}
        torch.testing.assert_close(quick, plain, **tolerance)
    if precision == "32":
        plain_weights, compiled_weights = (weights(trainer.gan) for trainer in trainers)
        torch.testing.assert_close(compiled_weights, plain_weights, rtol=1e-3, atol=1e-4)


def test_compiled_networks_have_no_second_derivatives(trainer_of):
    """This is why penalties are not compiled; if this test fails, they can be."""
    trainer = compiled_trainer(trainer_of(compile="yes"))
    real = trainer.batches[0].requires_grad_()
    total = trainer.gan.judge(real).sum()
    with pytest.raises(RuntimeError, match=r"double backward|create_graph"):
        torch.autograd.grad(total, real, create_graph=True)[0].square().sum().backward()


@pytest.mark.parametrize(
    ("plain", "quick", "decided"), [(1.0, 0.5, "yes"), (1.0, 0.98, "no"), (1.0, 2.0, "no")]
)
def test_auto_compiles_what_is_measured_to_be_faster(
    trainer_of, monkeypatch, caplog, plain, quick, decided
):
    monkeypatch.setattr(compiling, "_time_in_turns", lambda *passes: [plain, quick])
    trainer = compiled_trainer(trainer_of(compile="auto"))
    assert trainer.run.compile == decided
    assert compiled(trainer) == [decided == "yes"] * 2
    assert f"{1e3 * quick:.3g} ms" in caplog.text
    assert "1e+03 ms" in caplog.text


def test_auto_compiles_nothing_on_mps(trainer_of, monkeypatch, caplog):
    monkeypatch.setattr(compiling, "_time_in_turns", lambda *passes: [2.0, 1.0])
    trainer = trainer_of(compile="auto")
    machine = dataclasses.replace(trainer.gan.machine, device=torch.device("mps"))
    trainer.gan.machine = machine
    assert compiling.compile_networks(trainer.run, trainer.gan).compile == "no"
    assert compiled(trainer) == [False, False]
    assert "--compile auto" in caplog.text


def test_functions_take_turns_and_the_minimum_after_warmup_counts(monkeypatch):
    clock = [0.0]
    order = []
    monkeypatch.setattr(compiling.time, "perf_counter", lambda: clock[0])

    def make(name, seconds):
        def step():
            order.append(name)
            clock[0] += 0.001 if len(order) <= 2 * compiling.WARMUP_ROUNDS else next(seconds)

        return step

    functions = [make("a", iter([5, 3, 4, 6, 7])), make("b", iter([9, 8, 7, 8, 9]))]
    minimum = compiling._time_in_turns(*functions)
    assert minimum == pytest.approx([3, 7])
    assert order == ["a", "b"] * (compiling.WARMUP_ROUNDS + compiling.TIMED_ROUNDS)


def test_measuring_changes_nothing_in_the_trainer(trainer_of):
    trainer = trainer_of("ema", "spectral-norm", compile="auto")
    before = {name: value.clone() for name, value in weights(trainer.gan).items()}
    compiled_trainer(trainer)
    for name, value in weights(trainer.gan).items():
        assert torch.equal(value, before[name]), name
    assert all(p.grad is None for p in trainer.gan.D.net.parameters())


def test_the_first_process_decides(trainer_of, monkeypatch):
    class Second(ProcessGroup):
        def broadcast(self, value):
            return False

    monkeypatch.setattr(compiling, "_time_in_turns", lambda *passes: [2.0, 1.0])
    trainer = trainer_of(compile="auto")
    trainer.gan.process_group = Second()
    compiled_trainer(trainer)
    assert (trainer.run.compile, compiled(trainer)) == ("no", [False, False])


def test_many_trainers_in_one_process_are_all_compiled(trainer_of, monkeypatch):
    graphs = []
    monkeypatch.setattr(compiling, "BACKEND", lambda graph, inputs: graphs.append(1) or graph)
    counts = []
    for batch_size in (2, 3, 4, 5, 6):
        before = len(graphs)
        compiled_trainer(trainer_of(compile="yes", batch_size=batch_size)).step(0)
        counts.append(len(graphs) - before)
    assert len(set(counts)) == 1
    assert counts[0] >= 4  # G once, and D in the passes that are timed, in its step and in G's


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(256, 8, 4, 2, 1),
        nn.ConvTranspose2d(6, 256, 4, 2, 1),
        nn.ConvTranspose2d(6, 256, 5, 2, 2, output_padding=1),
        nn.Conv2d(3, 20, 4, 2, 1),
        nn.ConvTranspose2d(20, 3, 4, 2, 1),
    ],
    ids=str,
)
def test_fast_convolutions_compile_to_one_graph(layer):
    plain = use_fast_convolutions(layer).double().to(memory_format=torch.channels_last)
    compiled = torch.compile(plain, backend="aot_eager", fullgraph=True)
    x = torch.randn(2, layer.in_channels, 8, 8, dtype=torch.double)
    x = x[:, :, :4, :4] if isinstance(layer, nn.ConvTranspose2d) else x
    results = []
    for net in (plain, compiled):
        image = x.clone().requires_grad_()
        out = net(image)
        results.append([out, *torch.autograd.grad(out.square().sum(), [image, layer.weight])])
    torch.testing.assert_close(*results)


def broken(graph, inputs):
    raise RuntimeError("compiler not found\nmore lines")


def test_yes_is_an_error_of_one_line_if_compiling_fails(trainer_of, monkeypatch):
    monkeypatch.setattr(compiling, "BACKEND", broken)
    with pytest.raises(gankit.GankitError) as error:
        compiled_trainer(trainer_of(compile="yes"))
    assert re.fullmatch(r"--compile yes.*compiler not found.*--compile no", str(error.value))


def test_auto_trains_without_if_compiling_fails(trainer_of, monkeypatch, caplog):
    monkeypatch.setattr(compiling, "BACKEND", broken)
    trainer = compiled_trainer(trainer_of(compile="auto"))
    assert (trainer.run.compile, compiled(trainer)) == ("no", [False, False])
    assert "compiler not found" in caplog.text
    trainer.step(0)


def test_torchs_warnings_are_hidden_and_gankits_are_shown(trainer_of, monkeypatch, caplog):
    def warn(graph, inputs):
        logging.getLogger("torch._dynamo").warning("a warning of torch")
        return graph.forward

    monkeypatch.setattr(compiling, "BACKEND", warn)
    compiled_trainer(trainer_of(compile="auto"))
    assert "a warning of torch" not in caplog.text
    assert "--compile auto" in caplog.text
    logging.getLogger("gankit").warning("later")
    assert "later" in caplog.text


def test_run_json_records_the_decision_and_a_resumed_run_keeps_it(
    registry, tiny, tmp_path, monkeypatch
):
    monkeypatch.setattr(compiling, "_time_in_turns", lambda *passes: [2.0, 1.0])
    settings = tiny(compile="auto", tricks=["ema", "r1"], save_every=2)
    whole, cut = (
        gankit.compose(registry, **{**settings, "out": str(tmp_path / name), "length": length})
        for name, length in (("whole", "4 steps"), ("cut", "2 steps"))
    )
    for run in (whole, cut):
        train(run, registry)
        assert load_run(run.folder).compile == "yes"
    monkeypatch.setattr(compiling, "_time_in_turns", lambda *passes: [1.0, 2.0])  # not called again
    train(load_run(cut.folder, length="4 steps"), registry, resume=True)
    models = [gankit.load(run.folder).net.state_dict() for run in (whole, cut)]
    assert models[0].keys() == models[1].keys()
    for name, value in models[0].items():
        assert torch.equal(value, models[1][name]), name


def test_the_command_line_takes_no_auto_or_yes(gankit_run):
    code, _, err = gankit_run("--compile", "maybe")
    assert code == 2
    assert re.search("--compile.*maybe", err)
    assert gankit_run("--compile", "yes", "--out", "r").code == 0
    assert gankit_run("--compile", "yes", "--dry-run").code == 0
