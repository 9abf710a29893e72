"""A run that was stopped or killed, and resumed, ends like one that was never stopped."""

import csv
import hashlib
import json
import shutil
import signal

import pytest
import torch

from gankit import GankitError, compose, hookimpl, prepare, train
from gankit.cli.run.from_options import resumed
from gankit.core.errors import RunStopped
from gankit.core.files.atomic_write import remove_unfinished
from gankit.core.parts.registry import load_registry
from gankit.training.checkpoints import checkpoint
from gankit.training.run_folder.run_file import load_run

EVERYTHING = (
    "ema:decay=0.9", "spectral-norm", "noisy-d", "r1:every=3", "flip-labels",
    "smooth-labels", "dropout-d", "diffaugment",
)  # fmt: skip
NEVER_STOPPED = {"length": "12 steps", "save_every": 4, "log_every": 3, "draw_every": 6}


NUMBERS = ("step", "kimg", "d_loss", "g_loss", "penalty", "d_real", "d_fake")


def fingerprint(folder):
    """The hashes of the last checkpoint and of the grids, and the log's numbers except seconds."""
    last = checkpoint.list_checkpoints(folder / "checkpoints")[0]
    hashes = json.loads((last / "manifest.json").read_text())["sha256"]
    with (folder / "log.csv").open() as file:
        rows = [{k: row[k] for k in NUMBERS} for row in csv.DictReader(file)]
    grids = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.glob("samples/*")}
    return last.name, hashes, rows, grids


@pytest.fixture
def run_of(registry, tiny, tmp_path):
    def build(name, **settings):
        settings = {"tricks": EVERYTHING, **NEVER_STOPPED, **settings}
        run = compose(registry, **tiny(**settings), out=str(tmp_path / name))
        # Fill the cache now: preparing pictures in `train` would use up calls of `stop_after`.
        prepare(run, registry, lambda done, total: None)
        return run

    return build


def stop_after(steps):
    signals = iter([0] * (steps - 1))
    return lambda: next(signals, signal.SIGINT)


@pytest.mark.parametrize(
    "settings",
    [
        {"precision": "32"},
        {"precision": "bf16"},
        {"precision": "16", "tricks": ("ema", "r1:every=3")},
        {"accumulate": 2, "loss": "relativistic", "tricks": ("ema", "r1:every=3")},
        {"optimizer": "plain", "memory_format": "contiguous"},
        {"loss": "least-squares", "d_steps": 2, "batch_size": 24},  # batches that cross epochs
    ],
    ids=["float32", "bf16", "float16", "micro-batches", "plain", "two-d-steps"],
)
def test_resuming_equals_never_stopping_bit_for_bit(run_of, registry, settings):
    whole = train(run_of("whole", **settings), registry)
    with pytest.raises(RunStopped, match=r"\b5\b.*\b12\b") as stopped:
        train(run_of("parts", **settings), registry, stop=stop_after(5))
    assert stopped.value.exit_code == 130
    parts = whole.parent / "parts"
    with pytest.raises(RunStopped, match=r"\b7\b.*\b12\b"):
        train(resumed(parts), registry, resume=True, stop=stop_after(2))
    train(resumed(parts), registry, resume=True)
    assert fingerprint(parts) == fingerprint(whole)


def test_each_row_has_the_last_penalty_of_a_trick_that_acts_seldom(run_of, registry):
    run = run_of("seldom", tricks=("r1:every=4",), log_every=2)  # acts in steps 1, 5 and 9
    _, _, rows, _ = fingerprint(train(run, registry))
    penalties = [row["penalty"] for row in rows]
    assert all(penalties)
    assert penalties[0] == penalties[1] != penalties[2] == penalties[3] != penalties[4]


def test_a_trick_that_acted_before_a_resume_is_reported_as_acting(run_of):
    reports = []

    class Watch:
        @hookimpl
        def run_finished(self, run, outcome):
            reports.append(outcome["tricks"])

    registry = load_registry()
    assert not registry.load("watch", Watch).error
    run = run_of("parts", tricks=("blur:until=0.4", "noisy-d:sigma=0", "ema"))
    with pytest.raises(RunStopped):
        train(run, registry, stop=stop_after(5))
    with pytest.raises(RunStopped):  # also after two resumes
        train(resumed(run.folder), registry, resume=True, stop=stop_after(2))
    train(resumed(run.folder), registry, resume=True)
    assert reports[0]["blur"].startswith("sigma ")
    assert "resumed" in reports[1]["blur"]
    assert reports[2]["blur"] == reports[1]["blur"]
    assert reports[2]["ema"].startswith("decay ")
    assert [tricks["noisy-d"] for tricks in reports] == [None] * 3


def test_the_same_run_twice_is_the_same_and_another_seed_is_not(run_of, registry):
    first = train(run_of("a"), registry)
    again = train(run_of("b"), registry)
    other = train(run_of("c", seed=1), registry)
    assert fingerprint(first) == fingerprint(again)
    assert fingerprint(first)[1] != fingerprint(other)[1]


def test_a_finished_run_can_be_made_longer(run_of, registry):
    whole = train(run_of("whole", tricks=("ema",), length="16 steps"), registry)
    short = train(run_of("short", tricks=("ema",)), registry)
    before = fingerprint(short)
    train(resumed(short), registry, resume=True)  # no steps are left
    assert fingerprint(short) == before
    train(resumed(short, length="16 steps"), registry, resume=True)
    assert fingerprint(short)[:2] == fingerprint(whole)[:2]


def test_a_finished_run_can_be_made_longer_from_python(run_of, registry):
    whole = train(run_of("whole", tricks=("ema",)), registry)
    short = train(run_of("short", tricks=("ema",), length="6 steps"), registry)
    assert load_run(short).steps == 6
    train(load_run(short, length="12 steps"), registry, resume=True)
    assert fingerprint(short)[:2] == fingerprint(whole)[:2]


def test_settings_that_networks_and_pictures_depend_on_cannot_change(run_of, registry):
    folder = train(run_of("a", tricks=("none",), length="4 steps"), registry)
    with pytest.raises(GankitError, match="--latent-dim .* networks"):
        resumed(folder, latent_dim=4, length="8 steps")
    with pytest.raises(GankitError, match="--subset .* pictures"):
        resumed(folder, subset=4, length="8 steps")
    with pytest.raises(GankitError, match="--convolutions"):
        resumed(folder, convolutions="plain", length="8 steps")


def test_checkpoints_are_pruned_and_last_points_to_the_newest(run_of, registry):
    folder = train(run_of("a", tricks=("none",), save_every=2, keep=3), registry)
    kept = [path.name for path in checkpoint.list_checkpoints(folder / "checkpoints")]
    assert kept == ["step-000012", "step-000010", "step-000008"]
    assert (folder / "checkpoints" / "last").read_text() == "step-000012"
    names = sorted(path.name for path in (folder / "checkpoints").iterdir())
    assert names == ["last", *sorted(kept)]  # no temporary files are left


def test_a_kill_while_an_old_checkpoint_is_deleted_leaves_no_half_one(tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    def delete_half(path, ignore_errors):
        if (path / "state.json").exists():
            (path / "state.json").unlink()
            raise Killed

    def save(step):
        tensors = {"weight": torch.ones(2) * step}
        checkpoint.save(tmp_path, checkpoint.Checkpoint(step, tensors, {}), keep=1)

    save(1)
    monkeypatch.setattr(shutil, "rmtree", delete_half)
    with pytest.raises(Killed):
        save(2)
    monkeypatch.undo()
    listed = checkpoint.list_checkpoints(tmp_path)
    assert [checkpoint.load(path).step for path in listed] == [2]
    remove_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last", "step-000002"]


def test_a_damaged_checkpoint_is_skipped_and_an_older_one_used(run_of, registry, caplog):
    whole = train(run_of("whole"), registry)
    with pytest.raises(RunStopped):
        train(run_of("hurt"), registry, stop=stop_after(9))
    hurt = whole.parent / "hurt"
    newest, before = checkpoint.list_checkpoints(hurt / "checkpoints")
    data = bytearray((newest / "model.safetensors").read_bytes())
    data[len(data) // 2] ^= 1  # one bit
    (newest / "model.safetensors").write_bytes(data)
    train(resumed(hurt), registry, resume=True)
    for fact in (str(newest), "model.safetensors", before.name):
        assert fact in caplog.text
    assert fingerprint(hurt) == fingerprint(whole)


@pytest.mark.parametrize("measures_on", [True, False])
def test_nothing_stays_of_steps_after_the_checkpoint(run_of, registry, measures_on):
    settings = {"metrics": ["swd"], "measure_every": 3, "tricks": ("ema",)}
    folder = train(run_of("run", **settings), registry, quiet=True)
    shutil.rmtree(folder / "checkpoints" / "step-000012")
    changes = {} if measures_on else {"metrics": "none"}
    train(load_run(folder, steps=10, **changes), registry, resume=True, quiet=True)
    rows = json.loads((folder / "metrics.json").read_text())
    assert [row["step"] for row in rows] == ([3, 6, 9, 10] if measures_on else [3, 6])
    assert (folder / "metrics.csv").read_text().count("\n") == len(rows) + 1
    assert [path.stem for path in sorted(folder.glob("samples/*"))] == [
        *("000000", "000006", "000010"),
    ]


def test_a_new_run_deletes_no_pictures_that_lie_in_its_folder(run_of, registry, here):
    own = here / "run" / "samples" / "000099.png"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"a picture of somebody")
    measured = here / "run" / "metrics.json"
    measured.write_text("[]")
    train(run_of("run", tricks=("none",)), registry, quiet=True)
    assert own.read_bytes() == b"a picture of somebody"
    assert measured.read_text() == "[]"


def test_a_checkpoint_contains_no_code(run_of, registry):
    folder = train(run_of("a"), registry)
    last = checkpoint.list_checkpoints(folder / "checkpoints")[0]
    names = sorted(path.name for path in last.iterdir())
    assert names == ["manifest.json", "model.safetensors", "state.json", "state.safetensors"]


def test_nested_values_are_saved_and_loaded(tmp_path):
    tree = {"a": {1: torch.arange(3.0), "x": [True, None, "text", 2.5]}, "empty": {}, "b": [[]]}
    path = checkpoint.save(tmp_path, checkpoint.Checkpoint(7, {"t": torch.ones(2)}, tree), keep=1)
    saved = checkpoint.load(path)
    assert saved.step == 7
    assert torch.equal(saved.state["a"].pop(1), tree["a"].pop(1))
    assert saved.state == tree


def test_what_a_kill_left_half_written_is_deleted_by_a_resume(run_of, registry):
    folder = train(run_of("a", tricks=("none",), length="4 steps"), registry)
    files = [folder / name for name in ("log.csv", "samples/1.png", "checkpoints/last")]
    for path in files:
        path.with_name(f".{path.name}.0123abcd.writing").write_text("half")
    (folder / "checkpoints" / ".step-000006.writing").mkdir()
    outside = folder.parent / "outside"
    outside.mkdir()
    (folder / ".link.writing").symlink_to(outside)
    train(resumed(folder, length="8 steps"), registry, resume=True)
    assert list(folder.rglob("*.writing")) == []
    assert outside.is_dir()


def test_a_run_without_a_checkpoint_is_resumed_at_step_0(run_of, registry, caplog):
    whole = train(run_of("whole"), registry)
    begun = train(run_of("begun"), registry)
    for path in checkpoint.list_checkpoints(begun / "checkpoints"):
        shutil.rmtree(path)
    train(resumed(begun), registry, resume=True)
    assert f"{begun} " in caplog.text
    assert "step 0" in caplog.text
    assert fingerprint(begun) == fingerprint(whole)


def test_changed_pictures_are_a_warning(run_of, registry, pictures_folder, caplog):
    settings = {"dataset": "folder", "data": (str(pictures_folder),), "tricks": ("none",)}
    with pytest.raises(RunStopped):
        train(run_of("a", **settings), registry, stop=stop_after(5))
    assert caplog.text == ""
    (pictures_folder / "00.jpg").unlink()
    train(resumed(pictures_folder.parent / "a"), registry, resume=True)
    assert "pictures have changed" in caplog.text
