"""`gankit import`: weights that were saved elsewhere become a run."""

import json
import zipfile

import pytest
import torch
from gankit_export.fit import Families, shapes_of
from gankit_export.imported_run import import_run
from gankit_export.torch_files import write_torch
from safetensors.torch import save_file
from torch import nn

import gankit
from gankit.core.parts.registry import load_registry
from gankit.runs.provenance import Provenance
from gankit.runs.sampler import load
from gankit.training.checkpoints import checkpoint
from gankit.training.checkpoints.resume import restore_from


def with_prefix(prefix, weights):
    return {f"{prefix}{name}": tensor for name, tensor in weights.items()}


def whole_checkpoint(weights):
    other = {"main.0.weight": torch.zeros(2, 3, 4, 4), "main.2.weight": torch.zeros(4, 2, 4, 4)}
    adam = {"state": {0: {"step": torch.tensor(1.0), "exp_avg": torch.zeros(2)}}, "lr": 0.1}
    return {"epoch": 3, "netD": other, "netG": with_prefix("module.", weights), "optimizerG": adam}


def without_counters(weights):
    return {name: t for name, t in weights.items() if not name.endswith("num_batches_tracked")}


SAVED = {
    "as in the tutorial": lambda weights: weights,
    "of DataParallel": lambda weights: with_prefix("module.", weights),
    "compiled": lambda weights: with_prefix("_orig_mod.module.", weights),
    "a whole checkpoint": whole_checkpoint,
    "both networks in one dict": lambda weights: {
        **with_prefix("netG.", weights),
        "netD.main.0.weight": torch.zeros(2, 3, 4, 4),
    },
    "of PyTorch 0.3": without_counters,
}


@pytest.mark.parametrize("form", [*SAVED, "safetensors"])
def test_a_run_draws_what_the_network_draws_to_the_last_bit(form, netG, registry, here):
    path = here / "netG.pth"
    if form == "safetensors":
        path = here / "netG.safetensors"
        save_file(netG.state_dict(), path)
    else:
        torch.save(SAVED[form](netG.state_dict()), path)
    run = import_run(registry, path, "run")
    assert (run.generator, run.image_size, run.latent_dim) == ("dcgan:base_channels=8", 64, 12)
    sampler = load("run")
    z = sampler.latents(range(4))
    with torch.no_grad():
        assert torch.equal(sampler.images(z), netG(z[:, :, None, None]))


def test_half_precision_becomes_float32(netG, registry, here):
    torch.save({name: t.half() for name, t in netG.state_dict().items()}, "netG.pth")
    import_run(registry, here / "netG.pth", "run")
    weights = load("run").net.state_dict()
    assert weights["main.0.weight"].equal(netG.main[0].weight.half().float())


def test_it_samples_trains_and_samples(pth, gankit_cli):
    options = ("--dataset", "petals:count=64", "--batch-size", 8, "--steps", 10, "--trick", "ema")
    code, out, err = gankit_cli("import", pth, "--out", "run", *options)
    assert (code, out) == (0, "run\n")
    for fact in ("dcgan:base_channels=8", "64 px", "colour", "12", "gankit sample run"):
        assert fact in err
    assert not gankit_cli("sample", "run", "--count", 1, "--out", "before.png").code
    first = load("run")
    assert not gankit_cli("run", "--resume", "run", "--device", "cpu").code
    z = first.latents([0])
    trained = load("run")
    assert trained.step == 10
    assert not trained.images(z).equal(first.images(z))
    recorded = json.loads((pth.parent / "run" / "run.json").read_text())
    assert recorded["imported"]["file"] == "netG.pth"
    assert "imported weights" in recorded["command"]
    assert not gankit_cli("run", "--resume", "run", "--steps", 11).code


def test_training_begins_with_g_and_its_average(trainer_of):
    trainer = trainer_of("ema")
    weights = {name: torch.rand(t.shape) for name, t in trainer.gan.G.net.state_dict().items()}
    weights |= {n: t.long() for n, t in weights.items() if n.endswith("num_batches_tracked")}
    restore_from(checkpoint.Checkpoint(0, {"G": weights}, {}), trainer)
    for net in (trainer.gan.G.net, trainer.gan.sampler):
        assert all(tensor.equal(weights[name]) for name, tensor in net.state_dict().items())


def test_pictures_may_be_given_when_it_trains(pth, gankit_cli, pictures_folder):
    assert not gankit_cli("import", pth, "--out", "run", "--batch-size", 4, "--steps", 1).code
    code, _, err = gankit_cli("run", "--resume", "run")
    assert code == 2
    assert "--data" in err
    assert not gankit_cli("run", "--resume", "run", "--data", pictures_folder).code
    run = gankit.load_run("run")
    assert run.dataset == "folder"
    assert run.fingerprint


def test_settings_may_change_before_it_trains(pth, gankit_cli, pictures_folder):
    """Without them, a batch of 64 would be too large for the 12 pictures."""
    assert not gankit_cli("import", pth, "--out", "run").code
    changes = ("--steps", 2, "--lr", "1e-4", "--batch-size", 4, "--device", "cpu")
    code, _, err = gankit_cli("run", "--resume", "run", "--data", pictures_folder, *changes)
    assert not code, err
    run = gankit.load_run("run")
    assert (run.batch_size, run.lr_g, run.stages) == (4, 1e-4, ())


def test_labels_are_learnt_by_a_run_that_begins_with_it(pth, gankit_cli):
    assert not gankit_cli("import", pth, "--out", "base").code
    labels = ("--class-labels", "--dataset", "petals:count=64")
    length = ("--batch-size", 4, "--steps", 1, "--device", "cpu")
    assert not gankit_cli("run", "--init", "base", *labels, *length, "--out", "run").code
    assert "red" in gankit.load_run("run").class_names


def test_grey_pictures_and_other_sizes_are_found(registry):
    families = Families(registry, "generator")
    for size, options in ((16, ""), (32, ":base_channels=12"), (128, ":max_channels=1024")):
        given = {"image_size": size, "channels": 1, "latent_dim": 50}
        with torch.device("meta"):
            net = registry.make("generator", f"dcgan{options}", **given)
        fit = families.fit(shapes_of(net.state_dict()))
        assert (fit.image_size, fit.channels, fit.latent_dim) == (size, 1, 50)
        with torch.device("meta"):
            again = registry.make("generator", fit.network, **given)
        assert shapes_of(again.state_dict()) == shapes_of(net.state_dict())


@pytest.mark.parametrize("side", [20, 48, 80, 96, 112])
@pytest.mark.parametrize("name", ["dcgan", "light", "modern"])
def test_squares_between_powers_of_two_are_found(name, side, registry):
    with torch.device("meta"):
        net = registry.make("generator", name, image_size=side, channels=3, latent_dim=50)
    assert Families(registry, "generator").fit(shapes_of(net.state_dict())).image_size == side


def test_an_exported_run_comes_back(trained, registry, here):
    sampler = load(trained)
    write_torch(sampler, here / "files", Provenance())
    import_run(registry, here / "files" / "netG.pth", "run")
    z = sampler.latents(range(3))
    assert torch.allclose(load("run").images(z), sampler.images(z), atol=1e-6)


# --- what is refused


def save_compressed(weights):
    torch.save(weights, "plain.pth")
    with zipfile.ZipFile("plain.pth") as plain:
        contents = {name: plain.read(name) for name in plain.namelist()}
    with zipfile.ZipFile("netG.pth", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in contents.items():
            packed.writestr(name, content)


def discriminator_of(weights):
    registry = load_registry()
    return registry.make("discriminator", "dcgan:base_channels=2", image_size=64).state_dict()


TENSORS = {  # what is saved instead of the weights, and what the message says
    "D": (discriminator_of, ("discriminator", "netG")),
    "a shape": (
        lambda weights: {**weights, "main.3.weight": torch.zeros(64, 32, 3, 3)},
        ("main.3.weight", "[64, 32, 3, 3]", "[64, 32, 4, 4]", "64 px"),
    ),
    "NaN": (
        lambda weights: {**weights, "main.1.bias": torch.full((64,), torch.nan)},
        ("main.1.bias", "nan"),
    ),
    "other names": (
        lambda weights: with_prefix("conv.", {"weight": torch.zeros(1, 1)}),
        ("conv.weight", "main.0.weight", "--generator"),
    ),
    "two": (lambda weights: {"netG": weights, "G_ema": weights}, ("netG, G_ema",)),
    "objects": (lambda weights: nn.Sequential(nn.Linear(2, 2)), ("state_dict()", "code")),
    "no tensor": (lambda weights: {"epoch": 3}, ("no weights", "state_dict()")),
    "too many numbers": (
        lambda weights: {"main.0.weight": torch.zeros(1).expand(10**5, 10**5)},
        ("does not read",),
    ),
}
FILES = {
    "a web page": (b"<!DOCTYPE html><html></html>", "web page"),
    "empty": (b"", "is empty"),
    "cut": (b"PK\3\4 cut", "damaged"),
    "text": (b"weights", "damaged"),
    "a Git LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs"),
}


@pytest.mark.parametrize("case", [*TENSORS, *FILES, "missing", "a folder", "packed"])
def test_what_is_not_a_generator_is_refused(case, netG, gankit_cli, here):
    weights = netG.state_dict()
    facts = ("netG.pth",)
    if case in TENSORS:
        change, facts = TENSORS[case]
        torch.save(change(weights), "netG.pth")
    elif case in FILES:
        content, fact = FILES[case]
        (here / "netG.pth").write_bytes(content)
        facts = (fact,)
    elif case == "a folder":
        (here / "netG.pth").mkdir()
    elif case == "packed":
        save_compressed(weights)
        facts = ("compressed",)
    code, out, err = gankit_cli("import", "netG.pth", "--out", "run")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    for fact in ("netG.pth", *facts):
        assert fact in err
    assert not (here / "run").exists()


def test_a_run_is_never_overwritten(pth, gankit_cli):
    assert not gankit_cli("import", pth, "--out", "run").code
    code, _, err = gankit_cli("import", pth, "--out", "run")
    assert code == 2
    assert "already holds a run" in err


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        ("--batch-size 4 netG.pth", "FILE first"),
        ("netG.pth --bath-size 4", "--bath-size"),
        ("netG.pth --resume run", "--resume"),
        ("netG.pth --image-size 32", "main.0.weight"),
        ("netG.pth --generator mathworks:start=stride-2", "mathworks"),
        ("netG.pth --generator mathwork", "'mathworks'"),
        ("netG.pth --class-labels", "--init RUN --class-labels"),
        ("netG.pth --dataset petals:count=64 --class-labels", "--init RUN --class-labels"),
    ],
)
def test_options_that_do_not_fit_are_refused(pth, gankit_cli, words, fact):
    code, out, err = gankit_cli("import", *words.split(), "--out", "run")
    assert (code, out) == (2, "")
    assert fact in err
    assert not (pth.parent / "run").exists()


def test_a_checkpoint_of_g_alone_is_only_the_first_one(pth, gankit_cli):
    """Later ones need D and the optimisers, or training would silently begin anew."""
    gankit_cli("import", pth, "--out", "run", "--dataset", "petals:count=64", "--batch-size", 8)
    folder = pth.parent / "run" / "checkpoints"
    weights = checkpoint.load(folder / "step-000000").model
    checkpoint.save(folder, checkpoint.Checkpoint(4, weights, {}), keep=1)
    code, _, err = gankit_cli("run", "--resume", "run", "--steps", 5)
    assert code == 2
    assert "step-000004" in err
