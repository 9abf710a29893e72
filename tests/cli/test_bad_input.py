"""Mistakes and failures: one clear line, the right exit code, nothing lost."""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading

import pytest
from PIL import Image

from gankit import GankitError


def one_line(err):
    """The message, which is all there is on stderr."""
    assert err.startswith("gankit: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert not err.startswith("gankit: unexpected")  # an error without a message of its own
    return err.removeprefix("gankit: ").strip()


# ---------------------------------------------------------------- misuse: exit code 2

# What is typed, and the facts that the message must hold: the value, the option, the way out.
MISUSED = {
    "a command": ("rum", "'rum'", "'run'"),
    "an option of gankit": ("--verbos list", "--verbos"),
    "an option of run": ("run --bach-size 8", "'--bach-size'"),
    "an argument too many": ("list trick ema", "extra", "ema"),
    "an argument too few": ("show", "'NAME'"),
    "a kind": ("list trix", "'trix'", "'trick'"),
    "a kind of show": ("show dcgan --kind generato", "'generato'", "'generator'", "--kind"),
    "a few words": ("run --channels 2", "'2'", "auto", "--channels"),
    "a part's option with a space": ("run --trick r1 gamma=2", "'gamma=2'", "NAME:gamma=2"),
    "a recipe": ("run --recipe smal-data", "recipe 'smal-data'", "'small-data'"),
    "a recipe and a config": ("run --recipe small-data --config used", "--config", "--recipe"),
    "to resume with a recipe": ("run --resume used --recipe small-data", "--recipe"),
    "no name for a plugin": ("new plugin", "'NAME'"),
    "a name for a plugin": ("new plugin Noise!", "'Noise!'", "lower-case-with-hyphens"),
    "a plugin's name that is taken": ("new plugin ema", "trick 'ema'"),
    "a part to show": ("show emma", "'emma'", "'ema'", "gankit list"),
    "a data set": ("run --dataset petal", "dataset 'petal'", "'petals'"),
    "a model": ("run --model dcgan65", "model 'dcgan65'", "'dcgan64'"),
    "a generator": ("run --generator dgan", "generator 'dgan'", "'dcgan'"),
    "a discriminator": ("run --discriminator x", "discriminator 'x'", "dcgan"),
    "a loss": ("run --loss wassertein", "loss 'wassertein'", "'wasserstein'"),
    "a trick": ("run --trick smoth-labels", "trick 'smoth-labels'", "'smooth-labels'"),
    "a part of another kind": ("run --loss ema", "'ema'", "trick"),
    "a part's option": ("run --trick r1:gama=1", "trick 'r1'", "'gama'", "'gamma'"),
    "a model's option": ("run --model dcgan64:base=1", "model 'dcgan64'", "'base'"),
    "an option of a part with none": ("run --loss hinge:margin=2", "loss 'hinge'", "'margin'"),
    "an option's value": ("run --trick r1:gamma=big", "gamma=big", "10.0"),
    "a value beyond its limits": ("run --trick dropout-d:p=1.5 --dry-run", "dropout-d", "p must"),
    "an option without value": ("run --trick r1:gamma", "gamma", "option=value"),
    "a setting's value": ("run --seed x", "'--seed'", "'x'"),
    "a setting beyond its limits": ("run --batch-size 0", "--batch-size", "0"),
    "a negative rate": ("run --lr -1", "--lr-g", "-1.0"),
    "a size of nothing": ("run --image-size 0", "--image-size", "0"),
    "a device": ("run --device cuda:99", "--device cuda:99"),
    "a device of no kind": ("run --device gpu", "--device gpu", "cpu"),
    "a precision": ("run --precision half", "precision", "half"),
    "a length of nothing": ("run --steps 0", "0 steps"),
    "a negative length": ("run --epochs -3", "-3 epochs"),
    "two lengths": ("run --steps 5 --kimg 1", "--steps", "--kimg"),
    "a length and a budget": ("run --steps 5 --budget 1m", "--steps", "--budget"),
    "a budget": ("run --budget soon", "--budget", "'soon'", "90s"),
    "a budget of nothing": ("run --budget 0m", "--budget", "'0m'", "90s"),
    "a trick twice": ("run --trick ema --trick ema:decay=0.9", "trick 'ema'", "twice"),
    "a label trick under hinge": (
        *("run --loss hinge --trick flip-labels", "loss 'hinge'", "trick 'flip-labels'"),
    ),
    "a model's own label trick under hinge": (
        "run --model dcgan64-quick:base_channels=4 --loss hinge",
        *("loss 'hinge'", "trick 'smooth-labels'"),
    ),
    "a size that does not suit": ("run --image-size 100x60", "image_size", "100x60", "96x64"),
    "a size in words": ("run --image-size large", "--image-size", "'large'", "96x64"),
    "three sides": ("run --image-size 96x64x3", "--image-size", "96x64x3"),
    "no side": ("run --image-size 0x64", "--image-size", "16384"),
    "a size of gigapixels": ("run --image-size 99999999999999999999", "--image-size", "16384"),
    "a size to check of gigapixels": ("data check one --image-size 99999999999999999999", "16384"),
    "a latent vector of gigabytes": ("run --latent-dim 99999999999999999999", "--latent-dim"),
    "a size too small": ("run --image-size 8", "image_size", " 8"),
    "more in a batch than pictures": ("run --batch-size 65", "65", "--batch-size 64"),
    "no folder": ("run --dataset folder", "'folder'", "--data PATH"),
    "a folder for a set that has its own": ("run --dataset petals --data .", "petals", "--data"),
    "a folder that is not there": ("run --data nowhere", "nowhere"),
    "an empty folder": ("run --data empty", "empty; "),
    "a folder without pictures": ("run --data texts", "texts; "),
    "a folder of broken pictures": ("run --data broken", "a.png"),
    "a file for a folder": ("run --data a.txt", "a.txt"),
    "too few of your own pictures": ("run --data one", "1 picture", "8"),
    "an out that is a file": ("run --out a.txt", "a.txt: "),
    "an out below a file": ("run --out a.txt/b", "a.txt/b: "),
    "an out that holds a run": ("run --out used", "used", "delete the folder"),
    "a config that is not there": ("run --config absent.json", "absent.json"),
    "a config that is none": ("run --config a.txt", "a.txt", "run.json"),
    "a config that is a picture": ("run --config one/a.png", "a.png", "run.json"),
    "a config with a wrong value": ("run --config wrong.json", "--batch-size", "'many'"),
    "a config with a wrong list": ("run --config list.json", "--trick", "5"),
    "to resume nothing": ("run --resume nowhere", "nowhere"),
    "to resume a folder without run": ("run --resume empty", "empty"),
    "to resume half a run.json": ("run --resume half", "half/run.json"),
    "to resume otherwise": ("run --resume used --seed 4", "--seed"),
    "to resume elsewhere": ("run --resume used --out b", "--out"),
    "to resume for a time": ("run --resume used --budget 5m", "--budget"),
    "to resume for epochs": ("run --resume used --epochs 5", "--steps"),
    "to resume with a config": ("run --resume used --config used", "--resume", "--config"),
    "to sample nothing": ("sample nowhere", "nowhere"),
    "to sample a misspelt run": ("sample usd", "usd: ", "'used'"),
    "to sample in another folder": ("sample runs/used", "runs"),
    "a plugin after its command": ("run -p mine.py", "gankit -p FILE"),
    "to sample what saved nothing": ("sample used", "checkpoint", "used"),
    "to sample two ways": ("sample used --strip --loop", "--strip", "--loop"),
    "to sample no pictures": ("sample used --count 0", "--count", "0"),
    "to sample a negative seed": ("sample used --seed -1", "--seed", "-1"),
    "a history without grids": ("sample used --history", "used"),
    "a plugin that is not there": ("-p absent.py list", "absent.py"),
}
TINY = (
    *("--dataset", "petals:count=64", "--model", "dcgan64:base_channels=4", "--image-size", "16"),
    *("--batch-size", "8", "--device", "cpu", "--precision", "32", "--steps", "4"),
)


def with_tiny(argv):
    """Add the tiny run's options to a `run`, unless it names them or repeats another run."""
    if argv[0] != "run" or {"--config", "--resume"} & set(argv):
        return argv
    pairs = list(zip(TINY[::2], TINY[1::2], strict=True))
    if "--data" in argv and "--dataset" not in argv:
        pairs = [pair for pair in pairs if pair[0] != "--dataset"]
    if {"--epochs", "--budget"} & set(argv):
        pairs = [pair for pair in pairs if pair[0] != "--steps"]
    options = [text for pair in pairs if pair[0] not in argv for text in pair]
    return ["run", *options, *argv[1:]]


@pytest.fixture
def place(here):
    """A folder with runs, pictures and broken files."""
    for name in ("empty", "texts", "broken", "one", "used", "half"):
        (here / name).mkdir()
    (here / "a.txt").write_text("words")
    (here / "texts" / "b.txt").write_text("words")
    for name in "ab":
        (here / "broken" / f"{name}.png").write_text("no picture")
    Image.new("RGB", (20, 20)).save(here / "one" / "a.png")
    (here / "wrong.json").write_text(json.dumps({"dataset": "petals", "batch_size": "many"}))
    (here / "list.json").write_text(json.dumps({"dataset": "petals", "tricks": 5}))
    (here / "half" / "run.json").write_text(json.dumps({"dataset": "petals", "seed": 3}))
    run = {
        **{"dataset": "petals:count=64", "model": "dcgan64", "generator": "dcgan:base_channels=4"},
        **{"discriminator": "dcgan:base_channels=4", "loss": "hinge", "image_size": 16},
        **{"steps": 4, "batch_size": 8, "device": "cpu", "precision": "32", "out": "used"},
    }
    (here / "used" / "run.json").write_text(json.dumps(run))
    return here


def contents(folder):
    return {p: p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


@pytest.mark.parametrize("what", MISUSED)
def test_misuse_is_one_clear_line(what, gankit_cli, place):
    command, *facts = MISUSED[what]
    before = contents(place)
    code, out, err = gankit_cli(*with_tiny(command.split()))
    message = one_line(err)
    assert [fact for fact in facts if fact not in message] == [], message
    assert code == 2
    assert out == ""
    assert contents(place) == before


@pytest.mark.parametrize(
    "command",
    [
        *("data check LONG", "evaluate LONG", "compare LONG used", "compare used LONG"),
        *("run --data LONG", "run --resume LONG", "run --config LONG", "run --out LONG"),
        *("sample LONG", "race --resume LONG", "-p LONG list", "data check one --page LONG"),
    ],
)
def test_a_path_longer_than_any_disk_accepts_is_refused_in_one_line(command, gankit_cli, place):
    name = "long" * 1000
    code, out, err = gankit_cli(*with_tiny(command.replace("LONG", name).split()))
    assert "longlong" in one_line(err)
    assert (code, out) == (2, "")


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (("run", "--loss", "", "--steps", 1), "--loss"),
        (("run", "--recipe=", "--steps", 1), "--recipe"),
        (("run", "--budget", ""), "--budget"),
        (("run", "--out", "", "--steps", 1), "--out"),
        (("run", "--steps", 1, "--dataset", ""), "--dataset"),
        (("sample", ""), "sample"),
        (("data", "check", "one", "--page", ""), "--page"),
    ],
)
def test_an_empty_value_is_not_ignored(argv, name, gankit_cli, place):
    before = contents(place)
    code, _, err = gankit_cli(*argv)
    assert f"{name} " in one_line(err)
    assert code == 2
    assert contents(place) == before


@pytest.mark.parametrize("value", ["\n", "a\nb", "\x1b[2J", "\u202eb", "\udcff"])
@pytest.mark.parametrize("option", ["--device", "--precision", "--data", "--vary"])
def test_a_value_that_no_line_can_hold_is_shown_in_one_line(option, value, gankit_cli, place):
    command = "race" if option == "--vary" else "run"
    code, _, err = gankit_cli(command, option, value)
    assert one_line(err).isprintable()
    assert code == 2


def test_an_error_of_the_system_names_its_file(gankit_cli, here, monkeypatch):
    def fail(*args, **options):
        raise PermissionError(13, "Permission denied", "/some/file")

    monkeypatch.setattr("gankit.cli.plugin_commands.load_registry", fail)
    code, _, err = gankit_cli("list")
    message = one_line(err)
    assert "'/some/file'" in message
    assert "Permission denied" in message
    assert code == 1


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        (("--out", "a.xyz"), "a.xyz"),
        (("--out", "nowhere/a.png"), "nowhere/a.png: "),
        (("--loop", "--count", "2", "--out", "a.png"), ".mp4"),
        (("--files", "--count", "1", "--out", "file"), "--out file"),
        (("--checkpoint", "5"), "step-000005"),
    ],
)
def test_a_sample_that_cannot_be_written(gankit_cli, trained, here, options, fact):
    (here / "file").write_text("in the way")
    before = contents(trained)
    code, out, err = gankit_cli("sample", trained, *options)
    assert fact in one_line(err)
    assert (code, out) == (2, "")
    assert contents(trained) == before


@pytest.mark.parametrize("where", ["before", "after"])
def test_debug_shows_the_traceback(gankit_cli, here, where):
    from gankit.cli.main import main

    argv = ["run", "--loss", "x"]
    argv.insert(0 if where == "before" else 3, "--debug")
    with pytest.raises(Exception, match="loss 'x'"):
        main(argv)


def test_debug_shows_the_line_of_a_plugin_that_broke(here, plugin_file):
    from gankit.cli.main import main

    with pytest.raises(GankitError) as error:
        main(["--debug", "-p", str(plugin_file("1 / 0")), "list"])
    assert isinstance(error.value.__cause__, ZeroDivisionError)


def test_an_error_in_a_part_names_its_file_and_line(gankit_run, plugin_file):
    trick = """
        from torch import nn

        class Late(Trick):
            def d_input(self, images, gan):
                return nn.functional.relu(images if gan.step < 5 else str(images))

        @hookimpl
        def register_tricks(register):
            register(TrickSpec(name="late", summary="s", source="s", build=Late))
    """
    argv = ("--trick", "late", "--steps", 9, "--out", "a")
    code, _, err = gankit_run(*argv, before=("-p", plugin_file(trick)))
    assert code == 1
    assert "TypeError in mine.py, line 7: relu()" in err
    assert err.count("\n") == 1


def test_the_line_of_an_error_is_found_in_a_folder_called_torch_too():
    from gankit.core.errors import error_place

    with pytest.raises(ZeroDivisionError) as raised:
        exec(compile("\n1 / 0", "/home/me/torch/mine.py", "exec"))
    error = raised.value.with_traceback(raised.value.__traceback__.tb_next)
    assert error_place(error) == "mine.py, line 2"


# ---------------------------------------------------------------- pictures


def test_one_broken_picture_is_skipped_and_named(gankit_run, pictures_folder, here):
    (pictures_folder / "05.png").write_bytes(b"\x89PNG half a pict")
    argv = ("--dataset", "folder", "--data", pictures_folder, "--out", "a", "--steps", 1)
    code, _, err = gankit_run(*argv)
    assert code == 0
    assert "05.png" in one_line(err)
    prepared = json.loads((here / "a" / "run.json").read_text())["prepared"]
    assert prepared["pictures"] == 11
    assert len(prepared["skipped"]) == 1
    assert "05.png: " in prepared["skipped"][0]


def test_a_cache_that_cannot_be_written(gankit_run, here, monkeypatch):
    (here / "file").write_text("in the way")
    monkeypatch.setenv("GANKIT_CACHE", str(here / "file" / "cache"))
    code, _, err = gankit_run("--out", "a")
    assert "GANKIT_CACHE" in one_line(err)
    assert code == 2
    assert not (here / "a").exists()


# ---------------------------------------------------------------- checkpoints


@pytest.fixture
def saved(trained, here):
    """The checkpoints of a run of 8 steps that was saved at 4 and at 8, to be made longer."""
    shutil.copytree(trained, here / "a")
    return here / "a" / "checkpoints"


def longer(gankit_cli):
    return gankit_cli("run", "--resume", "a", "--steps", 9)


def resumed_at(step, out):
    return f" step {step}: " in out.splitlines()[1]


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *(("model.safetensors", "cut"), ("model.safetensors", "a bit"), ("state.json", "emptied")),
        *(("state.safetensors", "a bit"), ("state.json", "a bit"), ("state.safetensors", "gone")),
        ("manifest.json", "gone"),
    ],
)
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(saved, gankit_cli, name, damage):
    path = saved / "step-000008" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes({"cut": data[:-1], "a bit": data, "emptied": b""}[damage])
    code, out, err = longer(gankit_cli)
    message = one_line(err)
    assert "step-000008" in message
    assert "step-000004" in message
    assert code == 0
    assert resumed_at(4, out)


@pytest.mark.parametrize("content", ["{", "[]", '{"sha256": {}}'])
def test_a_damaged_manifest_is_named(saved, gankit_cli, content):
    (saved / "step-000008" / "manifest.json").write_text(content)
    code, out, err = longer(gankit_cli)
    assert "step-000004" in one_line(err)
    assert code == 0
    assert resumed_at(4, out)


def test_without_a_whole_checkpoint_nothing_is_resumed(saved, gankit_cli):
    for path in saved.glob("step-*"):
        (path / "state.json").write_text("{}")
    before = contents(saved)
    code, _, err = longer(gankit_cli)
    assert "checkpoint in a" in one_line(err)
    assert code == 2
    assert contents(saved) == before


@pytest.mark.parametrize("left", [".step-000012.writing", "step-000004 (copy)", "notes", "step-x"])
def test_other_files_in_the_folder_are_ignored(saved, gankit_cli, left):
    (saved / left).mkdir()
    (saved / left / "model.safetensors").write_bytes(b"half")
    code, out, err = longer(gankit_cli)
    assert (code, err) == (0, "")
    assert resumed_at(8, out)


SAME = ("--trick", "ema", "--trick", "smooth-labels")
OTHERS = {
    "another width": ("--model", "dcgan64:base_channels=2", *SAME),
    "another size": ("--image-size", 32, *SAME),
    "grey": ("--channels", 1, *SAME),
    "no average": ("--trick", "smooth-labels"),
    "other tricks": ("--trick", "ema"),
    "spectral norm": ("--trick", "spectral-norm", *SAME),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_checkpoint_from_another_run_is_refused(saved, gankit_run, gankit_cli, here, other):
    assert gankit_run(*OTHERS[other], "--out", "b", "--steps", 8).code == 0
    shutil.rmtree(saved)
    shutil.copytree(here / "b" / "checkpoints", saved)
    before = contents(here / "a")
    code, _, err = longer(gankit_cli)
    assert "step-000008" in one_line(err)
    assert code == 2
    assert contents(here / "a") == before


def test_a_run_with_another_number_of_d_weights_is_not_sampled(saved, gankit_run, gankit_cli, here):
    assert gankit_run("--model", "dcgan64:base_channels=2", "--out", "b", "--steps", 8).code == 0
    shutil.rmtree(saved)
    shutil.copytree(here / "b" / "checkpoints", saved)
    code, _, err = gankit_cli("sample", "a")
    assert "step-000008" in one_line(err)
    assert code == 2


def test_a_finished_run_has_nothing_to_resume(saved, gankit_cli, here):
    before = json.loads((here / "a" / "run.json").read_text())
    weights = contents(saved)
    for argv in ((), ("--steps", 8), ("--steps", 3)):
        code, out, err = gankit_cli("run", "--resume", "a", *argv)
        assert code in (0, 2)
        assert "--steps" in out + err
        assert contents(saved) == weights
    assert json.loads((here / "a" / "run.json").read_text())["steps"] == before["steps"]


# ---------------------------------------------------------------- full disks


@pytest.fixture
def small_disk(tmp_path):
    """A disk of three megabytes, or None where mounting is not allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    command = [mount or "", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    if sys.platform != "linux" or not mount or subprocess.run(command, check=False).returncode:
        yield None
        return
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk, leave):
    """Fill the disk but for some bytes; returns the file to delete."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        while shutil.disk_usage(disk).free:
            file.write(bytes(shutil.disk_usage(disk).free))
        file.truncate(filler.stat().st_size - leave)
    return filler


def test_a_disk_that_fills_up_keeps_earlier_checkpoints(
    gankit_run, gankit_cli, small_disk, here, monkeypatch
):
    disk = small_disk or here
    run = disk / "a"
    argv = ("--steps", 4, "--trick", "ema", "--out", run)
    assert gankit_run(*argv).code == 0
    whole = contents(run / "checkpoints")
    assert whole
    with monkeypatch.context() as patch:
        if small_disk:
            filler = fill(disk, leave=65536)
        else:

            def full(handle):
                if os.fstat(handle).st_size > 65536:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

            patch.setattr(os, "fsync", full)
        code, out, err = gankit_cli("run", "--resume", run, "--steps", 8)
    *others, last = err.splitlines()
    message = one_line(last + "\n")
    for fact in ("step 8", "No space left on device", "step-000004"):
        assert fact in message
    assert code == 1
    assert all("No space left on device" in line or "lacks its last" in line for line in others)
    assert contents(run / "checkpoints") == whole
    if small_disk:
        filler.unlink()
    code, out, err = gankit_cli("run", "--resume", run, "--steps", 8)
    assert (code, err) == (0, "")
    assert resumed_at(4, out)
    assert (run / "checkpoints" / "step-000008").is_dir()


def test_a_disk_that_is_full_from_the_start(gankit_run, small_disk, here):
    if not small_disk:
        pytest.skip("needs the right to mount a small disk")
    fill(small_disk, leave=0)
    code, _, err = gankit_run("--out", small_disk / "a")
    assert code in (1, 2)
    assert "No space left on device" in one_line(err.splitlines()[-1] + "\n")


# ---------------------------------------------------------------- losses that are not finite

TURNS = """
    import torch
    from gankit import Loss

    class Turns(Loss):
        calls = 0

        def d_loss(self, real, fake, targets):
            self.calls += 1
            return (fake - real).mean() * {d}

        def g_loss(self, fake, real):
            return -fake.mean() * {g}

    @hookimpl
    def register_losses(register):
        register(LossSpec(name="turns", summary="s", source="s", build=Turns))
"""
BAD = "(float('{value}') if self.calls == {call} else 1)"


@pytest.mark.parametrize("value", ["nan", "inf"])
@pytest.mark.parametrize("first", ["d_loss", "g_loss"])
@pytest.mark.parametrize("log_every", [1, 10])
def test_a_loss_that_is_not_finite_stops_the_run(
    gankit_run, gankit_cli, plugin_file, here, value, first, log_every
):
    bad = BAD.format(value=value, call=7)
    source = TURNS.format(d=bad if first == "d_loss" else "1", g=bad if first == "g_loss" else "1")
    path = plugin_file(source)
    argv = ("--loss", "turns", "--steps", 40, "--save-every", 3, "--log-every", log_every)
    code, out, err = gankit_run(*argv, "--out", "a", before=("-p", path))
    message = one_line(err)
    assert code == 1
    for fact in (first, value, "step 7", "a/checkpoints/step-000006"):
        assert fact in message
    kept = sorted(p.name for p in (here / "a" / "checkpoints").glob("step-*"))
    assert kept == ["step-000003", "step-000006"]
    assert "run --resume a" in out
    code, _, err = gankit_cli("-p", path, "sample", "a", "--count", 1)
    assert (code, err) == (0, "")


def test_a_loss_that_is_not_finite_before_anything_is_saved(gankit_run, plugin_file, here):
    path = plugin_file(TURNS.format(d=BAD.format(value="nan", call=2), g="1"))
    code, out, err = gankit_run("--loss", "turns", "--out", "a", before=("-p", path))
    message = one_line(err)
    assert code == 1
    assert "d_loss" in message
    assert re.search(r"\bnan\b.*\b2\b", message)
    assert "--resume" not in out


def test_a_loss_that_is_not_finite_at_once(gankit_run, plugin_file, here):
    path = plugin_file(TURNS.format(d="float('nan')", g="1"))
    code, out, err = gankit_run("--loss", "turns", "--out", "a", before=("-p", path))
    for fact in ("loss 'turns'", "plugin 'mine'", "d_loss", "nan"):
        assert fact in one_line(err)
    assert (code, out) == (2, "")
    assert not (here / "a").exists()


def test_weights_that_are_not_finite_are_not_saved(gankit_run, plugin_file, here):
    path = plugin_file(
        """
        class Ruin(Trick):
            def after_update(self, gan, player):
                if gan.step == 7 and player is gan.G:
                    next(player.net.parameters()).data.fill_(float("nan"))

        @hookimpl
        def register_tricks(register):
            register(TrickSpec(name="ruin", summary="s", source="s", build=Ruin))
        """
    )
    argv = ("--steps", 8, "--save-every", 4, "--trick", "ruin", "--out", "a")
    code, _, err = gankit_run(*argv, before=("-p", path))
    message = one_line(err)
    assert code == 1
    for fact in ("weight of G", "step 8", "step-000004"):
        assert fact in message
    assert [p.name for p in (here / "a" / "checkpoints").glob("step-*")] == ["step-000004"]


@pytest.mark.parametrize("error", ["RuntimeError('boom')", "MemoryError()", "OSError('gone')"])
def test_a_part_that_raises_is_an_error_without_traceback(gankit_run, plugin_file, here, error):
    path = plugin_file(
        f"""
        class Boom(Trick):
            def before_update(self, gan, player):
                if gan.step == 5:
                    raise {error}

        @hookimpl
        def register_tricks(register):
            register(TrickSpec(name="boom", summary="s", source="s", build=Boom))
        """
    )
    argv = ("--steps", 8, "--save-every", 4, "--trick", "boom", "--out", "a")
    code, out, err = gankit_run(*argv, before=("-p", path))
    assert code == 1
    assert err.startswith("gankit: ")
    assert err.count("\n") == 1
    assert "failed after" in out
    assert (here / "a" / "checkpoints" / "step-000004").is_dir()


# ---------------------------------------------------------------- Ctrl-C

INTERRUPTS = """
    import os, signal

    @hookimpl
    def step_done(step):
        if step in {steps}:
            signal.raise_signal(signal.{name})
"""
main_thread_only = pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals come there"
)


@main_thread_only
@pytest.mark.parametrize(("name", "number"), [("SIGINT", 2), ("SIGTERM", 15)])
def test_a_run_that_is_asked_to_stop_saves_first(gankit_run, gankit_cli, plugin_file, name, number):
    before = signal.getsignal(getattr(signal, name))
    path = plugin_file(INTERRUPTS.format(steps="(3,)", name=name))
    argv = ("--steps", 50, "--log-every", 1, "--out", "a")
    code, out, err = gankit_run(*argv, before=("-p", path))
    assert re.search(r"\b3\b.*\b50\b", one_line(err))
    assert code == 128 + number
    assert "run --resume a" in out
    assert signal.getsignal(getattr(signal, name)) == before
    code, out, _ = gankit_cli("run", "--resume", "a", "--steps", 6)
    assert code == 0
    assert resumed_at(3, out)


@main_thread_only
def test_a_second_ctrl_c_does_not_wait(gankit_run, plugin_file, here):
    source = """
        import signal

        class Slow(Trick):
            def after_update(self, gan, player):
                if gan.step == 5:
                    signal.raise_signal(signal.SIGINT)
                    signal.raise_signal(signal.SIGINT)

        @hookimpl
        def register_tricks(register):
            register(TrickSpec(name="slow", summary="s", source="s", build=Slow))
    """
    path = plugin_file(source)
    argv = ("--steps", 50, "--save-every", 2, "--trick", "slow", "--out", "a")
    code, out, err = gankit_run(*argv, before=("-p", path))
    assert code == 130
    assert err.strip().startswith("gankit: interrupted twice")
    assert "stopped after" in out
    assert (here / "a" / "checkpoints" / "step-000004").is_dir()


def test_ctrl_c_anywhere_else(gankit_cli, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("gankit.cli.show.command.Choice.parse", interrupted)
    code, _, err = gankit_cli("show", "r1")
    assert code == 130
    assert err.strip() == "gankit: interrupted"
