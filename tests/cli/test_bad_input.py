"""What can go wrong at a keyboard: one clear line, the right exit code, nothing lost."""

import errno
import json
import os
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
    assert not err.startswith("gankit: unexpected")  # nobody had thought of it
    return err.removeprefix("gankit: ").strip()


# ---------------------------------------------------------------- misuse: exit code 2

MISUSED = {
    "a command": ("rum", "there is no command 'rum'. Did you mean 'run'?"),
    "an option of gankit": ("--verbos list", "No such option"),
    "an option of run": ("run --bach-size 8", "No such option '--bach-size'."),
    "an argument too many": ("list trick ema", "unexpected extra argument"),
    "an argument too few": ("show", "Missing argument 'NAME'"),
    "a kind": ("list trix", "'trix' is not one of 'dataset'"),
    "a recipe": ("run --recipe smal-data", "there is no recipe 'smal-data'. Did you mean 'small-d"),
    "a recipe and a config": ("run --recipe small-data --config used", "choose one"),
    "to resume with a recipe": ("run --resume used --recipe small-data", "was decided when the ru"),
    "no name for a plugin": ("new plugin", "Missing argument 'NAME'"),
    "a name for a plugin": ("new plugin Noise!", "'Noise!' names no plugin: write lower-case"),
    "a plugin's name that is taken": ("new plugin ema", "there is a trick 'ema' already"),
    "a part to show": ("show emma", "there is no part 'emma'. Did you mean 'ema'?"),
    "a data set": ("run --dataset petal", "there is no dataset 'petal'. Did you mean 'petals'?"),
    "a model": ("run --model dcgan65", "there is no model 'dcgan65'. Did you mean 'dcgan64'"),
    "a generator": ("run --generator dgan", "there is no generator 'dgan'. Did you mean 'dcgan'"),
    "a discriminator": ("run --discriminator x", "there is no discriminator 'x'. There is: dcgan"),
    "a loss": ("run --loss wassertein", "there is no loss 'wassertein'. Did you mean 'wasserst"),
    "a trick": ("run --trick smoth-labels", "there is no trick 'smoth-labels'. Did you mean 'smoo"),
    "a part of another kind": ("run --loss ema", "'ema' is a trick, not a loss"),
    "a part's option": ("run --trick r1:gama=1", "trick 'r1' has no option 'gama'. Did you mean"),
    "a model's option": ("run --model dcgan64:base=1", "model 'dcgan64' has no option 'base'"),
    "an option of a part with none": ("run --loss hinge:margin=2", "has no option 'margin'"),
    "an option's value": ("run --trick r1:gamma=big", "gamma=big should be like 10.0"),
    "a value beyond its limits": ("run --trick dropout-d:p=1.5 --dry-run", "p must be 0 or more"),
    "an option without value": ("run --trick r1:gamma", "is not option=value"),
    "a setting's value": ("run --seed x", "'x' is not a valid integer"),
    "a setting beyond its limits": ("run --batch-size 0", "--batch-size is 0; it must be"),
    "a negative rate": ("run --lr -1", "--lr-g is -1.0; it must be"),
    "a size of nothing": ("run --image-size 0", "--image-size is 0; it must be 1 or more"),
    "a device": ("run --device cuda:99", "there is no --device cuda:99 here"),
    "a device of no kind": ("run --device gpu", "there is no --device gpu here; there is"),
    "a precision": ("run --precision half", "precision"),
    "a length of nothing": ("run --steps 0", "is no length"),
    "a negative length": ("run --epochs -3", "is no length"),
    "two lengths": ("run --steps 5 --kimg 1", "a run has one length"),
    "a length and a budget": ("run --steps 5 --budget 1m", "a run has one length"),
    "a budget": ("run --budget soon", "--budget is 'soon'; write a time such as 90s, 10m or 2h"),
    "a budget of nothing": ("run --budget 0m", "--budget is '0m'; write a time"),
    "a trick twice": ("run --trick ema --trick ema:decay=0.9", "trick 'ema' is given twice"),
    "a label trick under hinge": (
        "run --loss hinge --trick flip-labels",
        "loss 'hinge' reads no targets, so trick 'flip-labels' could not act",
    ),
    "a model's own label trick under hinge": (
        "run --model dcgan64-quick:base_channels=4 --loss hinge",
        "loss 'hinge' reads no targets, so trick 'smooth-labels' could not act",
    ),
    "a size that does not suit": ("run --image-size 48", "image_size 48 does not suit"),
    "a size too small": ("run --image-size 8", "image_size 8 does not suit"),
    "more in a batch than pictures": ("run --batch-size 65", "--batch-size 64"),
    "no folder": ("run --dataset folder", "wants to know where your pictures are: --data PATH"),
    "a folder for a set that has its own": ("run --dataset petals --data .", "leave --data away"),
    "a folder that is not there": ("run --data nowhere", "nowhere does not exist; check the path"),
    "an empty folder": ("run --data empty", "no pictures in empty; gankit reads"),
    "a folder without pictures": ("run --data texts", "no pictures in texts; gankit reads"),
    "a folder of broken pictures": ("run --data broken", "a.png: "),
    "a file for a folder": ("run --data a.txt", "a.txt is neither a picture nor an archive"),
    "too few of one's own pictures": ("run --data one", "--batch-size 1"),
    "an out that is a file": ("run --out a.txt", "cannot write to a.txt: "),
    "an out below a file": ("run --out a.txt/b", "cannot write to a.txt/b: "),
    "an out that holds a run": ("run --out used", "used already holds a run: --resume it"),
    "a config that is not there": ("run --config absent.json", "there is no run at absent.json"),
    "a config that is none": ("run --config a.txt", "a.txt is no run.json: "),
    "a config that is a picture": ("run --config one/a.png", "a.png is no run.json: "),
    "a config with a wrong value": ("run --config wrong.json", "--batch-size is 'many'; it should"),
    "a config with a wrong list": ("run --config list.json", "--trick is 5; it should be"),
    "to resume nothing": ("run --resume nowhere", "there is no run at nowhere"),
    "to resume a folder without run": ("run --resume empty", "there is no run at empty"),
    "to resume half a run.json": ("run --resume half", "half/run.json"),
    "to resume otherwise": ("run --resume used --lr 0.1", "was decided when the run began"),
    "to resume elsewhere": ("run --resume used --out b", "was decided when the run began"),
    "to resume for a time": ("run --resume used --budget 5m", "length"),
    "to resume for epochs": ("run --resume used --epochs 5", "made longer with --steps"),
    "to resume with a config": ("run --resume used --config used", "--config"),
    "to sample nothing": ("sample nowhere", "there is no run at nowhere"),
    "to sample a misspelt run": (
        "sample usd",
        "there is no run at usd: No such file or directory. Did you mean 'used'?",
    ),
    "to sample in another folder": ("sample runs/used", "runs holds no runs"),
    "a plugin after its command": ("run -p mine.py", "-p comes before the command"),
    "to sample what saved nothing": ("sample used", "no whole checkpoint"),
    "to sample two ways": ("sample used --strip --loop", "choose one of --strip and --loop"),
    "to sample no pictures": ("sample used --count 0", "--count must be 1 or more"),
    "to sample a negative seed": ("sample used --seed -1", "--seed 0 or more"),
    "a history without grids": ("sample used --history", "used holds no grids of samples"),
    "a plugin that is not there": ("-p absent.py list", "there is no such .py file"),
}
TINY = (
    *("--dataset", "petals:count=64", "--model", "dcgan64:base_channels=4", "--image-size", "16"),
    *("--batch-size", "8", "--device", "cpu", "--precision", "32", "--steps", "4"),
)


def with_tiny(words):
    """A `run` gets the tiny run's options, unless the words name them or repeat another run."""
    if words[0] != "run" or {"--config", "--resume"} & set(words):
        return words
    pairs = list(zip(TINY[::2], TINY[1::2], strict=True))
    if "--data" in words and "--dataset" not in words:
        pairs = [pair for pair in pairs if pair[0] != "--dataset"]
    if {"--epochs", "--budget"} & set(words):
        pairs = [pair for pair in pairs if pair[0] != "--steps"]
    return ["run", *[word for pair in pairs if pair[0] not in words for word in pair], *words[1:]]


@pytest.fixture
def place(here):
    """A folder with all sorts of things in it."""
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
    line, message = MISUSED[what]
    before = contents(place)
    code, out, err = gankit_cli(*with_tiny(line.split()))
    assert message in one_line(err)
    assert code == 2
    assert out == ""
    assert contents(place) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--out", "a.xyz"), "cannot write a.xyz: unknown file extension"),
        (("--out", "nowhere/a.png"), "cannot write nowhere/a.png: "),
        (("--loop", "--count", "1", "--out", "a.png"), "a video ends in .mp4, .webp or .gif"),
        (("--files", "--count", "1", "--out", "file"), "cannot write file: "),
        (("--checkpoint", "5"), "step-000005"),
    ],
)
def test_a_sample_that_cannot_be(gankit_cli, trained, here, words, message):
    (here / "file").write_text("in the way")
    before = contents(trained)
    code, out, err = gankit_cli("sample", trained, *words)
    assert message in one_line(err)
    assert (code, out) == (2, "")
    assert contents(trained) == before


@pytest.mark.parametrize("where", ["before", "after"])
def test_debug_shows_the_traceback(gankit_cli, here, where):
    from gankit.cli.main import main

    words = ["run", "--loss", "x"]
    words.insert(0 if where == "before" else 3, "--debug")
    with pytest.raises(Exception, match="there is no loss 'x'"):
        main(words)


def test_debug_shows_the_line_of_a_plugin_that_broke(here, plugin_file):
    from gankit.cli.main import main

    with pytest.raises(GankitError) as error:
        main(["--debug", "-p", str(plugin_file("1 / 0")), "list"])
    assert isinstance(error.value.__cause__, ZeroDivisionError)


def test_a_part_that_breaks_in_the_middle_is_found(gankit_run, plugin_file):
    trick = """
        from torch import nn

        class Late(Trick):
            def d_input(self, images, gan):
                return nn.functional.relu(images if gan.step < 5 else str(images))

        @hookimpl
        def register_tricks(register):
            register(TrickSpec(name="late", summary="s", source="s", build=Late))
    """
    words = ("--trick", "late", "--steps", 9, "--out", "a")
    code, _, err = gankit_run(*words, before=("-p", plugin_file(trick)))
    assert code == 1
    assert err.startswith("gankit: unexpected TypeError in mine.py, line 7: relu()")
    assert err.count("\n") == 1


def test_the_place_of_an_error_is_found_in_a_folder_called_torch_too():
    from gankit.cli.main import _location

    with pytest.raises(ZeroDivisionError) as raised:
        exec(compile("\n1 / 0", "/home/me/torch/mine.py", "exec"))
    error = raised.value.with_traceback(raised.value.__traceback__.tb_next)
    assert _location(error) == "mine.py, line 2"


# ---------------------------------------------------------------- pictures


def test_one_broken_picture_is_skipped_and_said(gankit_run, pictures_folder, here):
    (pictures_folder / "05.png").write_bytes(b"\x89PNG half a pict")
    words = ("--dataset", "folder", "--data", pictures_folder, "--out", "a", "--steps", 1)
    code, _, err = gankit_run(*words)
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
    """The checkpoints of a run of 8 steps that was saved at 4 and at 8, and shall become longer."""
    shutil.copytree(trained, here / "a")
    return here / "a" / "checkpoints"


def longer(gankit_cli):
    return gankit_cli("run", "--resume", "a", "--steps", 9)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *(("model.safetensors", "cut"), ("model.safetensors", "a bit"), ("state.json", "emptied")),
        *(("state.safetensors", "a bit"), ("state.json", "a bit"), ("state.safetensors", "gone")),
        ("manifest.json", "gone"),
    ],
)
def test_a_damaged_checkpoint_is_found_out_and_the_one_before_is_used(
    saved, gankit_cli, name, damage
):
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
    assert "going on from step-000004" in message
    assert code == 0
    assert "going on from step 4" in out


@pytest.mark.parametrize("content", ["{", "[]", '{"sha256": {}}'])
def test_a_damaged_manifest_is_found_out(saved, gankit_cli, content):
    (saved / "step-000008" / "manifest.json").write_text(content)
    code, out, err = longer(gankit_cli)
    assert "going on from step-000004" in one_line(err)
    assert (code, "going on from step 4" in out) == (0, True)


def test_without_a_whole_checkpoint_nothing_is_resumed(saved, gankit_cli):
    for path in saved.glob("step-*"):
        (path / "state.json").write_text("{}")
    before = contents(saved)
    code, _, err = longer(gankit_cli)
    assert "there is no whole checkpoint in a" in one_line(err)
    assert code == 2
    assert contents(saved) == before


@pytest.mark.parametrize("left", [".step-000012.writing", "step-000004 (copy)", "notes", "step-x"])
def test_what_else_lies_there_does_no_harm(saved, gankit_cli, left):
    (saved / left).mkdir()
    (saved / left / "model.safetensors").write_bytes(b"half")
    code, out, err = longer(gankit_cli)
    assert (code, err) == (0, "")
    assert "going on from step 8" in out


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
    assert "step-000008 holds another G" in one_line(err)
    assert code == 2


def test_a_finished_run_has_nothing_to_resume(saved, gankit_cli, here):
    before = json.loads((here / "a" / "run.json").read_text())
    weights = contents(saved)
    for words in ((), ("--steps", 8), ("--steps", 3)):
        code, out, err = gankit_cli("run", "--resume", "a", *words)
        assert code in (0, 2)
        assert "--steps" in out + err
        assert contents(saved) == weights
    assert json.loads((here / "a" / "run.json").read_text())["steps"] == before["steps"]


# ---------------------------------------------------------------- full disks


@pytest.fixture
def small_disk(tmp_path):
    """A disk of three megabytes, or None where nobody may mount one."""
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


def test_a_disk_that_fills_up_costs_no_earlier_checkpoint(
    gankit_run, gankit_cli, small_disk, here, monkeypatch
):
    disk = small_disk or here
    run = disk / "a"
    words = ("--steps", 4, "--trick", "ema", "--out", run)
    assert gankit_run(*words).code == 0
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
    assert "could not save the checkpoint of step 8" in message
    assert "No space left on device" in message
    assert "step-000004 is whole" in message
    assert code == 1
    assert all(line.startswith("gankit: plugin 'records' left out") for line in others)
    assert contents(run / "checkpoints") == whole
    if small_disk:
        filler.unlink()
    code, out, err = gankit_cli("run", "--resume", run, "--steps", 8)
    assert (code, err) == (0, "")
    assert "going on from step 4" in out
    assert (run / "checkpoints" / "step-000008").is_dir()


def test_a_disk_that_is_full_from_the_start(gankit_run, small_disk, here):
    if not small_disk:
        pytest.skip("needs the right to mount a small disk")
    fill(small_disk, leave=0)
    code, _, err = gankit_run("--out", small_disk / "a")
    assert code in (1, 2)
    assert "No space left on device" in one_line(err.splitlines()[-1] + "\n")


# ---------------------------------------------------------------- losses that are no numbers

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
def test_a_loss_that_is_no_number_stops_the_run(
    gankit_run, gankit_cli, plugin_file, here, value, first, log_every
):
    bad = BAD.format(value=value, call=7)
    source = TURNS.format(d=bad if first == "d_loss" else "1", g=bad if first == "g_loss" else "1")
    path = plugin_file(source)
    words = ("--loss", "turns", "--steps", 40, "--save-every", 3, "--log-every", log_every)
    code, out, err = gankit_run(*words, "--out", "a", before=("-p", path))
    message = one_line(err)
    assert code == 1
    assert message.startswith(f"{first} became ")
    assert f"{value.strip('-')} at step 7, so training stopped" in message
    assert "the last good checkpoint is a/checkpoints/step-000006" in message
    kept = sorted(p.name for p in (here / "a" / "checkpoints").glob("step-*"))
    assert kept == ["step-000003", "step-000006"]
    assert "gankit run --resume a" in out
    code, _, err = gankit_cli("-p", path, "sample", "a", "--count", 1)
    assert (code, err) == (0, "")


def test_a_loss_that_is_no_number_before_anything_is_saved(gankit_run, plugin_file, here):
    path = plugin_file(TURNS.format(d=BAD.format(value="nan", call=2), g="1"))
    code, out, err = gankit_run("--loss", "turns", "--out", "a", before=("-p", path))
    message = one_line(err)
    assert code == 1
    assert "d_loss became nan at step 2" in message
    assert "nothing was saved before" in message
    assert "--resume" not in out


def test_a_loss_that_is_no_number_at_once(gankit_run, plugin_file, here):
    path = plugin_file(TURNS.format(d="float('nan')", g="1"))
    code, out, err = gankit_run("--loss", "turns", "--out", "a", before=("-p", path))
    assert one_line(err) == "loss 'turns' of plugin 'mine': d_loss is nan"
    assert (code, out) == (2, "")
    assert not (here / "a").exists()


def test_weights_that_are_no_numbers_are_not_saved(gankit_run, plugin_file, here):
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
    words = ("--steps", 8, "--save-every", 4, "--trick", "ruin", "--out", "a")
    code, _, err = gankit_run(*words, before=("-p", path))
    message = one_line(err)
    assert code == 1
    assert "a weight of G is not finite after step 8" in message
    assert "step-000004" in message
    assert [p.name for p in (here / "a" / "checkpoints").glob("step-*")] == ["step-000004"]


@pytest.mark.parametrize("error", ["RuntimeError('boom')", "MemoryError()", "OSError('gone')"])
def test_a_part_that_breaks_down_is_an_error_without_traceback(
    gankit_run, plugin_file, here, error
):
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
    words = ("--steps", 8, "--save-every", 4, "--trick", "boom", "--out", "a")
    code, out, err = gankit_run(*words, before=("-p", path))
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
    words = ("--steps", 50, "--log-every", 1, "--out", "a")
    code, out, err = gankit_run(*words, before=("-p", path))
    assert one_line(err).startswith("stopped at step 4 of 50")
    assert code == 128 + number
    assert "gankit run --resume a" in out
    assert signal.getsignal(getattr(signal, name)) == before
    code, out, _ = gankit_cli("run", "--resume", "a", "--steps", 6)
    assert code == 0
    assert "going on from step 4" in out


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
    words = ("--steps", 50, "--save-every", 2, "--trick", "slow", "--out", "a")
    code, out, err = gankit_run(*words, before=("-p", path))
    assert code == 130
    assert err.strip() == "gankit: interrupted"
    assert "stopped after" in out
    assert (here / "a" / "checkpoints" / "step-000004").is_dir()


def test_ctrl_c_anywhere_else(gankit_cli, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("gankit.cli.show.Choice.parse", interrupted)
    code, _, err = gankit_cli("show", "r1")
    assert code == 130
    assert err.strip() == "gankit: interrupted"
