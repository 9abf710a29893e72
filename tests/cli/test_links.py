"""A run or race from somebody else, with links in its folder, writes nowhere else."""

import json
import os
import shutil
import sys

import pytest

from gankit import GankitError, evaluate, load_run, train
from gankit.runs import log
from gankit.training.checkpoints import checkpoint

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")

SECRET = "export PATH=/usr/bin  # the user's own\n"
FILES = [
    "run.writing",
    "run.json",
    "log.csv",
    "progress.mp4",
    "metrics.json",
    "metrics.csv",
    "samples/000012.png",
    "report.html",
    "d-view/000012.json",
    "checkpoints/last",
    "checkpoints/step-000008/state.json",
    "tensorboard/trial",
    "metrics/swd-000008.png",
]
FOLDERS = [
    "samples",
    "d-view",
    "checkpoints",
    "checkpoints/step-000004",
    "checkpoints/step-000012",
    "checkpoints/.step-000012.writing",
    "metrics",
    "tensorboard",
]
COMMANDS = {
    "resume": ("run", "--resume", "{run}", "--steps", "12", "--tensorboard"),
    "sample": ("sample", "{run}"),
    "evaluate": ("evaluate", "{run}", "--metric", "swd", "--samples", "20"),
}


def contents(folder):
    """The files below a folder with their bytes, and the folders; links are not followed."""
    found = {}
    for path in sorted(folder.rglob("*")):
        found[str(path)] = path.read_bytes() if path.is_file() else None
    return found


@pytest.fixture
def outside(tmp_path):
    """A folder of the user, with a file that a shell runs at its start."""
    folder = tmp_path / "home of the user"
    folder.mkdir()
    (folder / ".bashrc").write_text(SECRET)
    return folder


@pytest.fixture
def received(tmp_path, trained):
    """A run from somebody else; tests may change it."""
    return shutil.copytree(trained, tmp_path / "received")


def plant(run, name, target):
    """Put a link into the run, in place of what is there."""
    path = run / name
    path.parent.mkdir(exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.copytree(path, target, dirs_exist_ok=True)
        shutil.rmtree(path)
    elif path.exists():
        shutil.copyfile(path, target)
        path.unlink()
    path.symlink_to(target)
    return path


def assert_refused(gankit_cli, words, path, outside):
    before = contents(outside)
    of_run = contents(path.parent)
    answer = gankit_cli(*words)
    assert answer.code == 2
    assert str(path) in answer.err
    assert str(outside) in answer.err
    assert answer.err.count("\n") == 1
    assert contents(outside) == before
    assert contents(path.parent) == of_run
    assert path.is_symlink()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", FILES + FOLDERS)
def test_a_link_that_leads_out_is_refused(gankit_cli, received, outside, name, command):
    words = [word.format(run=received) for word in COMMANDS[command]]
    target = outside / (".bashrc" if name in FILES else "folder")
    path = plant(received, name, target)
    assert_refused(gankit_cli, words, path, outside)


@pytest.mark.parametrize("target", ["{outside}/not yet there", "../home of the user/.bashrc", "in"])
def test_links_to_nothing_relative_ones_and_chains_are_refused(
    gankit_cli, received, outside, target
):
    (received / "in").symlink_to(outside / ".bashrc")
    (received / "log.csv").unlink()
    (received / "log.csv").symlink_to(target.format(outside=outside))
    words = ("run", "--resume", received, "--steps", "12")
    assert_refused(gankit_cli, words, received / "log.csv", outside)


def test_a_new_run_in_a_folder_with_a_link_is_refused(gankit_run, here, outside):
    (here / "new").mkdir()
    path = here / "new" / "samples"
    path.symlink_to(outside)
    assert_refused(gankit_run, ("--out", "new"), path.relative_to(here), outside)


def test_python_refuses_too(received, outside, registry):
    plant(received, "samples", outside)
    with pytest.raises(GankitError, match="samples"):
        train(load_run(received, length="12 steps"), registry, resume=True)
    with pytest.raises(GankitError, match="samples"):
        evaluate(received, ["swd"], samples=20)


def test_a_pipe_in_a_run_does_not_stop_gankit_for_ever(gankit_cli, received):
    (received / "log.csv").unlink()
    os.mkfifo(received / "log.csv")
    answer = gankit_cli("run", "--resume", received, "--steps", "12")
    assert answer.code == 2
    assert "log.csv" in answer.err


@pytest.mark.parametrize("place", ["runs", "runs/mine"])
def test_a_run_whose_folder_is_reached_through_a_link_trains_on(
    gankit_cli, gankit_run, here, tmp_path, place
):
    disk = tmp_path / "big disk"
    disk.mkdir()
    (here / place).parent.mkdir(exist_ok=True)
    (here / place).symlink_to(disk)
    assert gankit_run("--out", "runs/mine").code == 0
    for command in COMMANDS.values():
        answer = gankit_cli(*(word.format(run="runs/mine") for word in command))
        assert answer.code == 0, answer.err
    assert list(disk.rglob("step-000012"))


def test_links_that_stay_in_the_run_and_those_that_gankit_never_writes_do_no_harm(
    gankit_cli, received, outside
):
    (received / "notes").symlink_to(outside / ".bashrc")
    (received / "checkpoints" / "best").symlink_to("step-000004")
    (received / "log.csv").rename(received / "losses.csv")
    (received / "log.csv").symlink_to("losses.csv")
    for command in COMMANDS.values():
        assert gankit_cli(*(word.format(run=received) for word in command)).code == 0
    assert (outside / ".bashrc").read_text() == SECRET
    assert [row["step"] for row in log.read_rows(received)][-1] == "12"


def test_pictures_of_a_run_with_links_can_be_written_elsewhere(gankit_cli, received, outside):
    plant(received, "samples", outside / "folder")
    assert gankit_cli("sample", received, "--out", "grid.png").code == 0
    assert gankit_cli("sample", received).code == 2


def test_files_of_sample_are_not_written_through_a_link(gankit_cli, received, outside):
    (received / "pictures").symlink_to(outside)
    words = ("sample", received, "--files", "--count", "2")
    assert_refused(gankit_cli, words, received / "pictures", outside)


def test_your_own_pictures_may_lie_behind_links(gankit_run, gankit_cli, pictures_folder, here):
    (here / "data").mkdir()
    (here / "data" / "linked").symlink_to(pictures_folder)
    options = ("--dataset", "folder", "--data", "data", "--out", "data-run", "--holdout", "0")
    assert gankit_run(*options).code == 0
    assert gankit_cli("run", "--resume", "data-run", "--steps", "8").code == 0


def test_a_hard_linked_log_is_replaced_not_appended(received, outside):
    os.link(received / "log.csv", outside / "backup.csv")
    before = (outside / "backup.csv").read_bytes()
    names = log.columns([])
    log.append_rows(received, names, [{"step": 10}])
    assert (outside / "backup.csv").read_bytes() == before
    assert [row["step"] for row in log.read_rows(received)][-2:] == ["8", "10"]
    assert (received / "log.csv").read_bytes().startswith(before)


def test_a_log_that_is_a_link_is_replaced_not_followed(received, outside):
    (received / "log.csv").unlink()
    (received / "log.csv").symlink_to(outside / ".bashrc")
    log.append_rows(received, log.columns([]), [{"step": 10}])
    assert (outside / ".bashrc").read_text() == SECRET
    assert not (received / "log.csv").is_symlink()


def test_deleting_an_old_checkpoint_deletes_nothing_through_a_link(tmp_path, outside):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for name in ("step-000001", ".step-000003.writing", "step-000003"):
        (folder / name).symlink_to(outside)
    (folder / ".step-000002.writing").mkdir()  # of a process that was killed
    for step in (2, 3):
        checkpoint.save(folder, checkpoint.Checkpoint(step, {}, {}), keep=1)
    assert sorted(path.name for path in folder.iterdir()) == ["last", "step-000003"]
    assert checkpoint.load(folder / "step-000003").step == 3
    assert [path.name for path in outside.iterdir()] == [".bashrc"]


@pytest.fixture
def race(gankit_cli, here, tiny):
    """The folder of a finished race of two variants."""
    words = ["--dataset", "petals:count=64", "--model", "dcgan64:base_channels=4"]
    words += ["--image-size", "16", "--batch-size", "8", "--device", "cpu", "--precision", "32"]
    words += ["--steps", "4", "--vary", "trick=none,ema", "--seeds", "1", "--metric", "swd"]
    answer = gankit_cli("race", *words, "--samples", "20", "--out", "race")
    assert answer.code == 0, answer.err
    return here / "race"


def test_links_in_a_race_are_refused(gankit_cli, race, outside):
    words = ("race", "--resume", race, "--seeds", "2")
    for name in ("ema", "ema/seed-0/samples", "results.json", "race.html", "race.png", "race.json"):
        path = plant(race, name, outside / name.replace("/", "-"))
        assert_refused(gankit_cli, words, path, outside)
        shutil.move(path.resolve(), path.with_name("own"))
        path.unlink()
        path.with_name("own").rename(path)


@pytest.mark.parametrize("name", ["../../outside", "/tmp/outside", "..", "a/../../b", ""])
def test_a_race_whose_plan_names_a_folder_elsewhere_is_refused(gankit_cli, race, name):
    record = json.loads((race / "race.json").read_text())
    record["variants"][1]["folder"] = name
    (race / "race.json").write_text(json.dumps(record))
    answer = gankit_cli("race", "--resume", race, "--seeds", "2")
    assert answer.code == 2
    assert repr(name) in answer.err
    assert not (race.parent / "outside").exists()


def test_a_race_whose_seed_is_a_path_is_refused(gankit_cli, race):
    record = json.loads((race / "race.json").read_text())
    record["seeds"] = ["/../../../outside"]
    (race / "race.json").write_text(json.dumps(record))
    answer = gankit_cli("race", "--resume", race)
    assert answer.code == 2
    assert "seeds" in answer.err


def test_results_that_name_a_run_elsewhere_do_not_change_that_run(gankit_cli, race, received):
    record = json.loads((race / "results.json").read_text())
    record["runs"][1]["folder"] = "../received"
    record["runs"][1]["measured"] = {}
    (race / "results.json").write_text(json.dumps(record))
    before = contents(received)
    answer = gankit_cli("race", "--resume", race)
    assert answer.code == 2
    assert "'../received'" in answer.err
    assert contents(received) == before
