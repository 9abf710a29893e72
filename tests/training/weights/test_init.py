"""--init: a run that begins with the networks of another one."""

import importlib
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import gankit
from gankit import GankitError, compose, train
from gankit.cli.run.from_options import resumed
from gankit.core.run.init_text import change_path, is_same_base, split_init
from gankit.training.checkpoints import checkpoint
from gankit.training.run_folder.run_file import load_run
from gankit.training.weights.begin_weights import load_base
from gankit.training.weights.fit_weights import find_fitting

DIGEST = "0123456789ab"


@pytest.fixture(scope="module")
def in_folder(tmp_path_factory):
    """A folder for all runs of this module."""
    folder = tmp_path_factory.mktemp("init")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gankit.runs.video.write_video", lambda *args, **named: None)
        yield folder


@pytest.fixture(scope="module")
def base(registry, tiny, in_folder):
    """A run of four steps that keeps two checkpoints; its D has spectral norm."""
    settings = tiny(tricks=("ema", "spectral-norm"), report=False, save_every=2)
    return train(compose(registry, **settings, out=str(in_folder / "base")), registry)


@pytest.fixture
def begun(registry, tiny, base, tmp_path):
    """`begun(steps=1)`: train a run that begins with the base; returns its folder."""

    def run_of(name="new", **settings):
        small = {"dataset": "petals:count=64", "batch_size": 8, "device": "cpu", "precision": "32"}
        settings = {"init": base, "steps": 1, "report": False, **small, **settings}
        return train(compose(registry, **settings, out=str(tmp_path / name)), registry)

    return run_of


def networks(run, step=None):
    folder = run / "checkpoints"
    path = folder / f"step-{step:06d}" if step else checkpoint.list_checkpoints(folder)[0]
    return checkpoint.load(path).model


def record_of(run):
    return json.loads((run / "run.json").read_text(encoding="utf-8"))


def same(some, other):
    return some.keys() == other.keys() and all(torch.equal(some[key], other[key]) for key in some)


def at_start(registry, **settings):
    """The trainer of a run before its first step."""
    from gankit.training.assemble import assemble, resolve_auto
    from gankit.training.weights.begin_weights import base_of

    run = compose(registry, device="cpu", precision="32", **settings)
    prepared = gankit.prepare(run, registry, lambda done, total: None)
    base = base_of(run, resume=False)
    return assemble(resolve_auto(run, prepared), registry, prepared, base=base)


# --- the text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("runs/a", ("runs/a", "", "")),
        ("runs/a:500", ("runs/a", "500", "")),
        (f"runs/a:500@{DIGEST}", ("runs/a", "500", DIGEST)),
        (f"runs/a@{DIGEST}", ("runs/a", "", DIGEST)),
        (r"C:\runs\a", (r"C:\runs\a", "", "")),
        (r"C:\runs\a:500", (r"C:\runs\a", "500", "")),
        ("runs/a:best", ("runs/a", "best", "")),
        ("runs/a:500@short", ("runs/a:500@short", "", "")),
    ],
)
def test_text_names_run_step_and_digest(text, parts):
    assert split_init(text) == parts
    assert change_path(text, lambda path: path) == text


def test_existing_path_is_a_path_although_it_looks_like_a_step(here):
    (here / "a:500").mkdir()
    assert split_init("a:500") == ("a:500", "", "")
    assert split_init("a:500:7") == ("a:500", "7", "")


def test_same_base_at_another_place_is_the_same():
    assert is_same_base(f"there/a:5@{DIGEST}", f"a:5@{DIGEST}")
    assert is_same_base("a", f"a:5@{DIGEST}")
    assert not is_same_base("a:6", f"a:5@{DIGEST}")
    assert not is_same_base("", f"a:5@{DIGEST}")
    assert not is_same_base("a", "")


# --- settings


def test_networks_and_how_they_trained_come_from_the_base(registry, base):
    run = compose(registry, init=base)
    of_base = load_run(base)
    for name in ("model", "generator", "image_size", "batch_size", "tricks", "loss", "lr_d"):
        assert getattr(run, name) == getattr(of_base, name)
    assert run.length != of_base.length
    assert run.init == f"{base}:4@{load_base(str(base)).run.sha256[:12]}"


def test_channels_are_those_of_the_base_unless_it_is_grey(registry, tiny, in_folder, tmp_path):
    for channels, expected in ((4, 4), (1, 0)):
        settings = tiny(channels=channels, length="1 steps", out=str(tmp_path / f"base-{channels}"))
        base = train(compose(registry, **settings), registry, quiet=True)
        assert compose(registry, init=base, data=str(in_folder)).channels == expected
    assert compose(registry, init=base, data=str(in_folder), channels=3).channels == 3


def test_your_settings_override_the_base(registry, base):
    run = compose(registry, init=base, tricks="+r1", batch_size=16, image_size=32)
    assert [trick.name for trick in run.tricks] == ["ema", "spectral-norm", "r1"]
    assert (run.batch_size, run.image_size) == (16, 32)
    assert compose(registry, init=base, model="skip64").image_size == 64


def test_own_pictures_get_the_default_recipe_if_it_is_for_such_networks(registry, tiny, in_folder):
    settings = tiny(model="skip64:base_channels=4", tricks=("ema",), length="1 steps", lr=1e-3)
    of_kind = train(compose(registry, **settings, out=str(in_folder / "skip")), registry)
    plain = compose(registry, data=str(in_folder))
    run = compose(registry, init=of_kind, data=str(in_folder))
    assert (run.tricks, run.zoom, run.length) == (plain.tricks, plain.zoom, plain.length)
    assert (run.image_size, run.lr_g) == (16, 1e-3)
    assert run.generator == load_run(of_kind).generator


def test_own_pictures_keep_the_settings_of_other_networks(registry, base, in_folder):
    run = compose(registry, init=base, data=str(in_folder))
    assert run.tricks == load_run(base).tricks
    assert run.zoom == 1
    with_recipe = compose(registry, recipe="small-data", init=base, data=str(in_folder))
    assert "ada" in [trick.name for trick in with_recipe.tricks]
    assert with_recipe.generator == load_run(base).generator


def test_none_means_no_base(registry):
    assert compose(registry, init="none") == compose(registry)


# --- weights


def test_run_begins_with_the_networks_of_the_base(registry, base):
    saved = networks(base)
    trainer = at_start(registry, dataset="petals:count=64", init=base)
    gan = trainer.gan
    assert same(gan.G.net.state_dict(), saved["G"])
    assert same(gan.D.net.state_dict(), saved["D"])
    assert same(gan.sampler.state_dict(), saved["sampler"])
    assert not gan.G.adam.state
    assert gan.step == 0
    assert trainer.begun_from["new"] == {"G": [], "D": []}


def test_step_of_the_base(registry, base):
    gan = at_start(registry, dataset="petals:count=64", init=f"{base}:2").gan
    assert same(gan.G.net.state_dict(), networks(base, 2)["G"])
    assert not same(gan.G.net.state_dict(), networks(base, 4)["G"])


def test_best_checkpoint_of_the_base(registry, base, tmp_path):
    with pytest.raises(GankitError, match="no best checkpoint"):
        compose(registry, init=f"{base}:best")
    copy = tmp_path / "base"
    shutil.copytree(base, copy)
    (copy / "checkpoints" / "best").write_text("step-000002")
    assert compose(registry, init=f"{copy}:best").init.partition("@")[0] == f"{copy}:2"
    assert compose(registry, init=f"{copy}:last").init.partition("@")[0] == f"{copy}:4"


def test_without_an_average_the_new_one_begins_with_g(registry, base):
    of_base = networks(base)
    gan = at_start(registry, dataset="petals:count=64", init=base, tricks="none").gan
    assert gan.sampler is gan.G.net
    assert same(gan.G.net.state_dict(), of_base["G"])


def test_spectral_norm_that_is_left_out_is_computed_into_the_weights(registry, base):
    images = torch.randn(4, 3, 16, 16)
    logits = []
    for tricks in ("spectral-norm", "none"):
        trainer = at_start(registry, dataset="petals:count=64", init=base, tricks=tricks)
        assert trainer.begun_from["new"] == {"G": [], "D": []}
        logits.append(trainer.gan.D.net.eval()(images))
    torch.testing.assert_close(*logits, rtol=1e-3, atol=1e-4)


def test_tricks_wrap_trained_weights(registry, begun):
    plain = begun("plain", tricks="none")
    settings = {"dataset": "petals:count=64", "init": plain}
    trainer = at_start(registry, **settings, tricks=("spectral-norm", "minibatch-stddev"))
    weights = trainer.gan.D.net.state_dict()
    saved = networks(plain)["D"]
    layer = "main.0.parametrizations.weight"
    assert torch.equal(weights[f"{layer}.original"], saved["main.0.weight"])
    sigma = torch.linalg.matrix_norm(saved["main.0.weight"].flatten(1), ord=2)
    u, v = (weights[f"{layer}.0._{vector}"] for vector in "uv")
    torch.testing.assert_close(u @ saved["main.0.weight"].flatten(1) @ v, sigma, rtol=0.02, atol=0)
    new = trainer.begun_from["new"]
    assert new["G"] == []
    assert {name.split(".")[1] for name in new["D"]} == {"5"}  # the last layer, made wider


@pytest.mark.parametrize(
    ("settings", "new"),
    [
        ({"channels": 1}, {"G": ["main.6.weight"], "D": ["main.0.weight"]}),
        ({"latent_dim": 7}, {"G": ["main.0.weight"], "D": []}),
    ],
    ids=["grey", "other z"],
)
def test_tensors_of_another_shape_begin_anew(registry, base, settings, new):
    settings = {"dataset": "petals:count=64", "init": base, "tricks": "none", **settings}
    trainer = at_start(registry, **settings)
    assert trainer.begun_from["new"] == new
    own = trainer.gan.G.net.state_dict()
    assert torch.equal(own["main.1.weight"], networks(base)["G"]["main.1.weight"])


def test_larger_pictures_take_the_layers_near_the_picture(registry, base):
    trainer = at_start(registry, dataset="petals:count=64", init=base, tricks="none", image_size=32)
    saved = networks(base)
    of_g = trainer.gan.G.net.state_dict()
    of_d = trainer.gan.D.net.state_dict()
    assert torch.equal(of_g["main.9.weight"], saved["G"]["main.6.weight"])
    assert torch.equal(of_g["main.6.weight"], saved["G"]["main.3.weight"])
    plain = load_base(str(base)).networks["D"]
    assert torch.equal(of_d["main.0.weight"], plain["main.0.weight"])
    assert "main.0.weight" in trainer.begun_from["new"]["G"]


@pytest.mark.parametrize(
    ("discriminator", "width", "new"),
    [
        ("gankit_dcgan.nets", 4, {"main.8", "main.9", "main.11"}),
        ("gankit_dcgan.grow", 4, {"looks.0", "downs.0", "last"}),
        ("gankit_light.nets", 64, {"main.0", "main.2"}),
    ],
)
def test_d_for_larger_pictures_takes_what_fits_from_its_start_or_its_end(discriminator, width, new):
    module = importlib.import_module(discriminator)
    build = getattr(module, "GrowingDiscriminator", None) or module.Discriminator
    saved, own = (build(image_size=size, base_channels=width).state_dict() for size in (32, 64))
    fitting = find_fitting(own, saved)
    weights = {key for key, tensor in own.items() if tensor.dim()}
    not_taken = weights - fitting.keys()
    assert {".".join(key.split(".")[:2]).removesuffix(".weight") for key in not_taken} == new


def test_networks_that_do_not_fit_are_refused(registry, base):
    with pytest.raises(GankitError, match="none of the weights of G") as error:
        at_start(registry, dataset="petals:count=64", init=base, model="modern64", image_size=16)
    assert "omit --model" in str(error.value)


def test_imported_generator_begins_with_a_new_d(registry, begun, in_folder, base):
    file = in_folder / "netG.pth"
    torch.save(networks(base)["G"], file)
    from gankit_export.imported_run import import_run

    imported = import_run(registry, file, str(in_folder / "imported"), ["--device", "cpu"])
    trainer = at_start(registry, dataset="petals:count=64", init=imported.folder, batch_size=8)
    assert same(trainer.gan.G.net.state_dict(), networks(base)["G"])
    assert len(trainer.begun_from["new"]["D"]) == trainer.begun_from["tensors"]["D"]
    with pytest.raises(GankitError, match="--init"):
        import_run(registry, file, str(in_folder / "no"), ["--init", str(base)])


def test_settings_of_an_imported_run_are_refused_without_its_weights(gankit_cli, base, tmp_path):
    torch.save(networks(base)["G"], tmp_path / "netG.pth")
    words = ("--dataset", "petals:count=64", "--batch-size", 8, "--steps", 1, "--device", "cpu")
    assert gankit_cli("import", "netG.pth", "--out", "imported", *words).code == 0
    config = ("--config", "imported/run.json")
    commands = ("run", *config), ("race", *config, "--vary", "lr=1e-4,1e-3", "--metric", "swd")
    for command in commands:
        answer = gankit_cli(*command, "--out", "new")
        assert (answer.code, "imported weights" in answer.err) == (2, True)
        assert "--init RUN" in answer.err
    with pytest.raises(GankitError, match=r"imported weights.* init=RUN"):
        load_run("imported", out="new")
    assert gankit_cli("run", *config, "--init", "imported", "--out", "new").code == 0
    assert record_of(tmp_path / "new")["begun_from"]["new"]["G"] == []
    assert load_run("imported", out="other", init="imported").folder.name == "other"


# --- a run


def test_run_json_and_command_name_the_base(base, begun, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = begun()
    record = record_of(run)
    sha256 = load_base(str(base)).run.sha256
    assert record["begun_from"]["sha256"] == sha256
    assert record["begun_from"]["dataset"] == "petals:count=64"
    assert record["init"].endswith(f"base:4@{sha256[:12]}")
    assert f"base:4@{sha256[:12]}" in record["command"]
    assert load_run(run).init == f"{base}:4@{sha256[:12]}"


def test_resuming_equals_never_stopping_and_does_not_read_the_base(begun, base, tmp_path):
    whole = begun("whole", steps=4)
    moved = tmp_path / "copy"
    shutil.copytree(base, moved)
    signals = iter([0, 2])
    run = compose(**settings_of(moved), steps=4, out=str(tmp_path / "parts"))
    parts = train(run, stop=lambda: next(signals))
    assert not (parts / "checkpoints" / "step-000004").exists()
    shutil.rmtree(moved)
    train(resumed(parts), resume=True)
    assert_same_networks(whole, parts)
    assert record_of(parts)["begun_from"] == record_of(whole)["begun_from"]


def settings_of(base):
    small = {"dataset": "petals:count=64", "batch_size": 8, "device": "cpu", "precision": "32"}
    return {"init": base, "report": False, **small}


def assert_same_networks(run, other):
    saved, expected = networks(run), networks(other)
    assert all(same(saved[name], expected[name]) for name in ("G", "D", "sampler"))


def test_run_killed_before_its_first_checkpoint_begins_with_the_base_again(begun):
    run = begun("killed", steps=2)
    other = begun("whole", steps=2)
    shutil.rmtree(run / "checkpoints")
    train(resumed(run), resume=True)
    assert_same_networks(run, other)


def test_run_that_is_resumed_in_python_may_name_its_base_by_another_path(
    base, tmp_path, monkeypatch
):
    monkeypatch.chdir(base.parent)
    run = compose(**{**settings_of("base"), "steps": 1, "out": str(tmp_path / "a")})
    train(run)
    absolute = compose(**{**settings_of(base), "steps": 1, "out": str(tmp_path / "a")})
    train(absolute, resume=True)
    other = compose(**{**settings_of(f"{base}:2"), "steps": 1, "out": str(tmp_path / "a")})
    with pytest.raises(GankitError, match="init cannot change"):
        train(other, resume=True)


def test_config_repeats_the_run(gankit_cli, begun):
    run = begun()
    again = run.parent / "again"
    assert gankit_cli("run", "--config", run / "run.json", "--out", again).code == 0
    assert_same_networks(run, again)


@pytest.mark.parametrize("change", ["changed", "gone"])
def test_config_with_a_base_that_is_not_there_any_more(gankit_cli, base, tmp_path, change):
    copy = tmp_path / "base"
    shutil.copytree(base, copy)
    run = train(compose(**settings_of(copy), steps=1, out=str(tmp_path / "new")))
    if change == "gone":
        shutil.rmtree(copy)
    else:
        shutil.rmtree(copy / "checkpoints" / "step-000004")
        saved = checkpoint.load(copy / "checkpoints" / "step-000002")
        checkpoint.save(copy / "checkpoints", saved._replace(step=4), keep=2)
    answer = gankit_cli("run", "--config", run / "run.json", "--out", tmp_path / "again")
    assert answer.code == 2
    assert "--init" in answer.err
    assert "other networks" in answer.err or change == "gone"
    without = gankit_cli(
        "run", "--config", run / "run.json", "--init", "none", "--out", tmp_path / "again"
    )
    assert without.code == 0
    assert "begun_from" not in record_of(tmp_path / "again")


def test_base_that_was_moved_with_the_run_is_found(base, tmp_path):
    folder = tmp_path / "before"
    shutil.copytree(base, folder / "base")
    train(compose(**settings_of(folder / "base"), steps=1, out=str(folder / "new")))
    folder.rename(tmp_path / "after")
    run = load_run(tmp_path / "after" / "new")
    assert split_init(run.init)[0] == str(tmp_path / "after" / "base")


def test_command_says_what_it_took(gankit_cli, base, tmp_path):
    words = ("--dataset", "petals:count=64", "--steps", 1, "--device", "cpu", "--no-report")
    answer = gankit_cli("run", "--init", base, *words, "--out", tmp_path / "a", "--channels", 1)
    assert answer.code == 0
    assert "main.6.weight of G" in answer.err
    plan = gankit_cli("run", "--init", base, *words, "--dry-run")
    assert f"from {base}:4" in plan.out


def test_freeze_d_warns_without_a_trained_d(gankit_cli, base, tmp_path):
    words = ("--dataset", "petals:count=64", "--steps", 1, "--device", "cpu", "--no-report")
    words = (*words, "--batch-size", 8, "--trick", "freeze-d")
    trained = gankit_cli("run", "--init", base, *words, "--out", tmp_path / "a")
    assert "freeze-d:" not in trained.err
    first = networks(tmp_path / "a")["D"]["main.0.weight"]
    assert torch.equal(first, load_base(str(base)).networks["D"]["main.0.weight"])
    new = gankit_cli("run", "--image-size", 16, *words, "--out", tmp_path / "b")
    assert "give a trained run with --init" in new.err
    torch.save(networks(base)["G"], tmp_path / "netG.pth")
    assert gankit_cli("import", tmp_path / "netG.pth", "--out", tmp_path / "imported").code == 0
    begun = gankit_cli("run", "--init", tmp_path / "imported", *words, "--out", tmp_path / "c")
    assert "nothing of D is from the base" in begun.err
    grey = gankit_cli("run", "--init", base, *words, "--channels", 1, "--out", tmp_path / "d")
    assert "main.0.weight of D is not from the base, which has none of this" in grey.err


# --- misuse


def test_wrong_bases_are_refused_in_one_line(gankit_cli, base, tmp_path):
    weights = tmp_path / "netG.pth"
    weights.write_bytes(b"x")
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "a.png")
    expected = {
        "": "--init is empty",
        f"{base}x": "there is no run",
        f"{base}:3": "it has: 4, 2",
        f"{base}:": "after the colon",
        f"{base}:abc": "'abc' is not a checkpoint",
        str(base / "checkpoints" / "step-000002"): f"give {base}:2",
        str(weights): "gankit import",
        str(tmp_path / "a.png"): "is not a run",
        f"{base}:4@{DIGEST}": "other networks",
    }
    for init, words in expected.items():
        answer = gankit_cli("run", "--init", init, "--dataset", "petals:count=64", "--steps", 1)
        assert answer.code == 2, init
        assert words in answer.err, (init, answer.err)
        assert len(answer.err.splitlines()) == 1
    assert "cannot change with --resume" in gankit_cli("run", "--resume", base, "--init", base).err


def test_damaged_checkpoint_is_passed_over_unless_it_is_named(base, tmp_path, caplog):
    copy = tmp_path / "base"
    shutil.copytree(base, copy)
    file = copy / "checkpoints" / "step-000004" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert compose(init=copy).init.partition("@")[0] == f"{copy}:2"
    assert "damaged" in caplog.text
    with pytest.raises(GankitError, match="damaged"):
        compose(init=f"{copy}:4")


def test_numbers_that_are_not_weights_are_refused(registry, base, tmp_path):
    copy = tmp_path / "base"
    shutil.copytree(base, copy)
    saved = checkpoint.load(copy / "checkpoints" / "step-000004")
    saved.model["G"]["main.1.running_var"][0] = -1
    checkpoint.save(copy / "checkpoints", saved._replace(step=6), keep=5)
    with pytest.raises(GankitError, match="negative main.1.running_var"):
        at_start(registry, dataset="petals:count=64", init=copy)
    saved.model["G"]["main.1.running_var"][0] = float("nan")
    checkpoint.save(copy / "checkpoints", saved._replace(step=8), keep=5)
    with pytest.raises(GankitError, match="nan"):
        at_start(registry, dataset="petals:count=64", init=copy)


# --- classes


CLASSES = {"dataset": "folder", "class_labels": True, "tricks": ("ema",), "report": False}
CLASSES |= {"length": "1 steps", "batch_size": 8, "device": "cpu", "precision": "32"}


@pytest.fixture
def trained_on(registry, tiny, tmp_path):
    """`trained_on("rose", "tulip")`: a run of a step on these classes; then its class tables."""

    def run_of(*names, **settings):
        folder = tmp_path / "-".join(names)
        for name in names:
            (folder / name).mkdir(parents=True)
            for index in range(12):
                pixels = np.random.default_rng(index).integers(0, 256, (16, 16, 3), np.uint8)
                Image.fromarray(pixels).save(folder / name / f"{index}.png")
        own = settings if "init" in settings else tiny(**settings)
        run = compose(registry, **{**own, **CLASSES}, data=folder, out=f"{folder}-run")
        return train(run, registry)

    return run_of


def tables_of(folder):
    """The tensors of a run's networks that have a row for each class."""
    parts = ("scale", "shift", "project")
    return {
        (name, key): tensor
        for name, net in networks(folder).items()
        for key, tensor in net.items()
        if key.split(".")[-2] in parts
    }


@pytest.mark.parametrize(
    ("names", "new"),
    [
        (("rose", "tulip", "zinnia"), ["zinnia"]),
        (("aster", "daisy", "rose", "tulip"), ["aster"]),
        (("rose", "daisy"), []),  # sorted by name: daisy is first in both
    ],
)
def test_classes_begin_with_what_the_base_knows_of_their_names(trained_on, names, new):
    base = trained_on("daisy", "rose", "tulip")
    known = tables_of(base)
    # After a step with a rate of almost 0, weights are those that the run began with.
    folder = trained_on(*names, init=base, lr_g=1e-12, lr_d=1e-12, seed=1)
    begun = tables_of(folder)
    assert {name for name, _ in begun} == {"G", "D", "sampler"}
    for key, rows in begun.items():
        for name, row in zip(sorted(names), rows, strict=True):
            near = [torch.allclose(row, other, atol=1e-6) for other in known[key]]
            assert near == [name == other for other in ("daisy", "rose", "tulip")], (key, name)
    record = json.loads((folder / "run.json").read_text())["begun_from"]
    assert record["new_classes"] == new
    assert record["new"] == {"G": [], "D": []}


def test_classes_of_which_the_base_has_none_begin_anew(trained_on, caplog):
    base = trained_on("daisy", "rose")
    known = tables_of(base)
    begun = tables_of(trained_on("cat", "dog", init=base, seed=1))
    assert not any(torch.allclose(begun[key], rows, atol=1e-3) for key, rows in known.items())
    assert any("new classes: cat, dog" in record.getMessage() for record in caplog.records)
