"""`--checkpoint`: the same words in all commands; and what `gankit run` says of the best."""

import json

import pytest
from gankit_metrics import during_training
from gankit_metrics.measurement import Measurement

COMMANDS = {
    "sample": (),
    "evaluate": (),
    "explore": ("--no-open",),
    "export": (),
    "find": ("picture.png",),
    "report": (),
}


@pytest.fixture
def gains(monkeypatch):
    """Measurements whose numbers fall by 1 with each step until step 3, and rise after it."""

    def measure(metrics, sets, registry, folder, step, progress):
        value = float(abs(step - 3)) + 1
        numbers = {"low": value - 0.5, "high": value + 0.5, "floor": 0.0, "samples": 1}
        return [Measurement("swd", value, reference=1, better="lower", step=step, **numbers)]

    monkeypatch.setattr(during_training, "measure_all", measure)


KEEPING = ("--keep-best", "swd", "--measure-every", 1, "--log-every", 1, "--keep", 1, "--no-report")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("word", "named"), [("bset", "'bset'.*best"), ("-5", "-5"), ("best", "")])
def test_a_word_that_names_no_checkpoint_is_refused(gankit_cli, trained, command, word, named):
    words = (command, trained, *COMMANDS[command], "--checkpoint", word)
    code, out, err = gankit_cli(*words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert word in err or "--keep-best METRIC" in err
    if command in ("explore", "export") and word == "bset":
        assert "best, last or all" in err


def test_a_run_tells_its_best_and_how_to_draw_from_it(gankit_run, gankit_cli, gains, here):
    code, out, _ = gankit_run(*KEEPING, "--steps", 6, "--patience", 2, "--out", "r")
    lines = out.splitlines()
    assert code == 0
    assert "--keep-best swd --patience 2" in lines[0]
    assert next(line for line in lines if line.startswith("step 3: ")).count("the best so far")
    fourth = next(line for line in lines if line.startswith("step 4: "))
    assert "best: swd 1 (0.5 to 1.5) at step 3; no gain beyond the error in 1 meas" in fourth
    ended = next(line for line in lines if line.startswith("stopped after"))
    assert "step 5 of 6" in ended
    assert "2 measurements" in ended
    best = next(line for line in lines if line.startswith("best:"))
    command = "gankit sample r --checkpoint best"
    assert best == f"best:     swd 1 (0.5 to 1.5) at step 3: {command}"
    assert gankit_cli(*command.split()[1:], "--count", 2).code == 0
    shown = gankit_cli("show", "r/grid-0-best.png").out
    assert "--checkpoint 3" in shown
    code, out, _ = gankit_cli("unfold", "r", "--at", "best", "--json")
    assert [step["step"] for step in json.loads(out)["steps"]] == [3]


def test_resume_goes_on_with_other_patience_or_with_none(gankit_run, gankit_cli, gains, here):
    assert gankit_run(*KEEPING, "--steps", 9, "--patience", 1, "--out", "r").code == 0
    code, out, _ = gankit_cli("run", "--resume", "r", "--patience", 3)
    assert code == 0
    assert "stopped after" in out
    assert "step 8 of 9" in out  # a stage counts anew: after step 5, none brings a gain
    code, _, err = gankit_cli("run", "--resume", "r", "--keep-best", "none")
    assert (code, err.count("\n")) == (2, 1)
    assert "--patience 0" in err
    code, out, err = gankit_cli("run", "--resume", "r", "--keep-best", "none", "--patience", 0)
    assert "finished after" in out, err
    assert "best:" not in out
    assert (here / "r" / "checkpoints" / "step-000003").is_dir()


def test_a_dry_run_says_what_is_measured_and_kept(gankit_run):
    code, out, _ = gankit_run(*KEEPING, "--patience", 3, "--dry-run")
    line = next(line for line in out.splitlines() if line.startswith("metrics"))
    assert code == 0
    assert line.split(maxsplit=1)[1] == (
        "swd, every step; the checkpoint with the best swd is kept; "
        "ends after 3 measurements without a gain"
    )
