"""Unfolded steps have the numbers of the run's log, to the last digit; what cannot is refused."""

import hashlib
import json
import shutil

import pytest
import torch
from gankit_unfold import unfold

from gankit import GankitError, Trick, compose, train
from gankit.runs.log import read_rows
from gankit.training.run_folder.folder_lock import FolderLock

STATEFUL = ("ema", "lr-decay", "ada", "replay", "top-k", "spectral-norm", "feature-matching",
            "dropout-d", "minibatch-stddev", "gradient-clipping", "flip-labels")  # fmt: skip
PLAIN = {"model": "modern64:base_channels=4"}  # without batch norm
CASES = {
    "petals": {},
    "diffaugment": {"tricks": "diffaugment", "loss": "hinge"},
    "r1": {"tricks": "r1", "loss": "least-squares"},
    "accumulate": {"accumulate": 2},
    "several steps of D": {"d_steps": 2, "accumulate": 2, "tricks": "r1", "precision": "bf16"},
    "tricks with state": {"tricks": STATEFUL},
    "a loss of pairs": {**PLAIN, "loss": "relativistic", "accumulate": 2},
    "a critic, float16, grey": {
        "loss": "wasserstein",
        "tricks": "weight-clipping",
        "precision": "16",
        "channels": 1,
    },
}


@pytest.fixture(scope="module")
def train_run(registry, tiny, tmp_path_factory):
    """`train_run(loss="hinge")`: the folder of a run of 5 steps, with each step in its log."""
    folder = tmp_path_factory.mktemp("unfold")

    def run(**settings):
        settings = {"tricks": "none", "log_every": 1, "save_every": 3, "report": False, **settings}
        out = folder / str(len(list(folder.iterdir())))
        return train(compose(registry, **tiny(length="5 steps", **settings), out=str(out)))

    return run


@pytest.fixture
def copied(trained, here):
    """A copy of a run of 8 steps, which the test may change."""
    return shutil.copytree(trained, here / "copied")


def hashes(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_unfolded_steps_have_the_numbers_of_the_log(train_run, settings, tmp_path):
    folder = train_run(**settings)
    before = hashes(folder)
    unfolding = unfold(folder, "4,last")
    rows = {int(row["step"]): row for row in read_rows(folder)}
    assert [step.step for step in unfolding.steps] == [4, 5]
    assert set(unfolding.compared) == {4, 5}  # from the checkpoint of step 3
    for step in unfolding.steps:
        for name in ("d_loss", "g_loss", "d_real", "d_fake"):
            assert step.numbers[name] == float(rows[step.step][name])
        assert len(step.reals) == len(step.fakes) == len(step.lessons) == 8  # the whole batch
    assert unfolding.write(tmp_path / "page.html").stat().st_size > 10_000
    assert hashes(folder) == before  # nothing was written into the run
    if settings.get("tricks") is not STATEFUL:  # which change targets
        check_that_pictures_add_up(unfolding.steps[-1])


def check_that_pictures_add_up(step):
    """The answers and losses of the eight pictures are those of the batch of eight."""

    def mean(values):
        return pytest.approx(sum(values) / 8, rel=1e-4)

    reals = [each.loss for each in step.reals]
    fakes = [each.loss for each in step.fakes]
    pairs = reals if step.has_pairs else [a + b for a, b in zip(reals, fakes, strict=True)]
    assert step.numbers["d_loss"] == mean(pairs)
    assert step.numbers["g_loss"] == mean([each.loss for each in step.lessons])
    assert step.numbers["d_real"] == mean([each.answer for each in step.reals])
    assert step.numbers["d_fake"] == mean([each.answer for each in step.fakes])


def test_without_checkpoints_steps_are_taken_from_the_start(copied):
    with_checkpoint = unfold(copied, "last").to_dict()
    shutil.rmtree(copied / "checkpoints")
    without = unfold(copied, "last").to_dict()
    assert without["steps"] == with_checkpoint["steps"]
    assert without["compared"]["rows"] > with_checkpoint["compared"]["rows"]


def test_a_damaged_checkpoint_is_not_used(copied, caplog):
    expected = unfold(copied, "last").to_dict()
    state = copied / "checkpoints" / "step-000004" / "model.safetensors"
    state.write_bytes(state.read_bytes()[:-9])
    caplog.clear()
    assert unfold(copied, "last").to_dict()["steps"] == expected["steps"]
    assert "step-000004" in caplog.text


def test_a_number_that_differs_from_the_log_is_refused(copied):
    log = copied / "log.csv"
    (row,) = (row for row in read_rows(copied) if row["step"] == "6")
    log.write_text(log.read_text().replace(row["g_loss"], "0.75"))
    with pytest.raises(GankitError, match=r"step 6.*g_loss.*0\.75") as error:
        unfold(copied, "last")
    assert error.value.exit_code == 2


def test_an_older_log_without_the_penalties_of_earlier_steps_is_no_difference(train_run):
    folder = train_run(tricks="r1:every=3")  # acts in steps 1 and 4
    text = (folder / "log.csv").read_text(encoding="utf-8")
    header, *rows = text.splitlines()
    column = header.split(",").index("penalty")
    older = [row.split(",") for row in rows]
    for index in (1, 2, 4):
        older[index][column] = ""
    lines = [header, *map(",".join, older)]
    (folder / "log.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    steps = unfold(folder, "2,4").steps
    assert ["penalty" in step.numbers for step in steps] == [False, True]


def test_a_run_that_still_trains_can_be_unfolded(copied):
    log = copied / "log.csv"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:-1]))  # not at step 8 yet
    with FolderLock(copied).acquire(""):
        before = hashes(copied)
        (step,) = unfold(copied, "last").steps
        assert step.step == 6
        assert hashes(copied) == before


class Darken(Trick):
    def d_input(self, images, gan):
        return images - 0.5


def test_a_trick_given_as_an_object_is_watched_in_the_same_program(train_run):
    folder = train_run(tricks=[Darken()])
    (step,) = unfold(folder, 5).steps
    (act,) = step.acts
    assert (act.place, act.calls, act.acted) == ("d_input", 3, 3)
    assert "0.5" in act.what


def change(folder, **entries):
    file = folder / "run.json"
    record = json.loads(file.read_text())
    file.write_text(json.dumps({**record, **entries}))


def test_another_torch_is_named_if_numbers_differ(copied):
    change(copied, versions={"torch": "2.3.1", "gankit": "0.2"}, seed=1)
    with pytest.raises(GankitError, match=rf"d_loss.*2\.3\.1.*{torch.__version__[:4]}"):
        unfold(copied, 2)


def test_another_torch_with_the_same_numbers_is_fine(copied):
    change(copied, versions={"torch": "2.3.1", "gankit": "0.2"})
    assert unfold(copied, 2).compared == {2: 4}


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        ({"compile": "yes"}, "--compile no"),
        ({"device": "cuda:7"}, "cuda:7"),
        ({"fingerprint": "0" * 16}, "pictures"),
        ({"tricks": ["unheard-of"]}, "unheard-of"),
        ({"from_python": {"trick ema": "Mine in a.py"}, "tricks": ["ema2"]}, "ema2"),
        ({"dataset": "folder", "data": ["gone"]}, "gone"),
    ],
    ids=["compiled", "no such device", "other pictures", "no plugin", "an object", "no pictures"],
)
def test_what_cannot_be_exact_is_refused(copied, gankit_cli, entries, names):
    change(copied, **entries)
    answer = gankit_cli("unfold", copied)
    assert answer.code == 2
    assert names in answer.err
    assert len(answer.err.strip().splitlines()) == 1


def test_a_run_without_a_log_is_refused(copied):
    (copied / "log.csv").unlink()
    with pytest.raises(GankitError, match=r"log\.csv"):
        unfold(copied)
