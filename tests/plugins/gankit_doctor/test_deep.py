"""`--deep`: copies are trained, numbers are measured, and the run itself stays as it was."""

import shutil
from types import SimpleNamespace

import pytest
from gankit_doctor import deep, examine
from gankit_doctor.engine import replay
from gankit_doctor.rules.memorisation import Memorisation
from histories import make_history

from gankit import compose, train


@pytest.fixture
def trained_run(tiny, here, monkeypatch):
    monkeypatch.setattr(deep, "STEPS", 3)
    monkeypatch.setattr(deep, "SAMPLES", 32)
    return train(compose(**tiny(length="4 steps"), out=here / "run"))


def test_deep_measures_the_duality_gap_and_changes_no_file_of_the_training(trained_run):
    parts = ("log.csv", "run.json", *[str(p) for p in trained_run.rglob("*.safetensors")])
    before = [(trained_run / name).read_bytes() for name in parts]
    calls = []
    diagnosis = examine(trained_run, deep=True, progress=lambda done, total: calls.append(done))
    assert isinstance(diagnosis.measures["deep.duality_gap"], float)
    assert calls == [1, 2, 3, 4, 5, 6]
    assert [(trained_run / name).read_bytes() for name in parts] == before
    assert examine(trained_run).measures == {}


def test_the_command_prints_what_was_measured(trained_run, gankit_cli):
    code, out, _ = gankit_cli("doctor", trained_run, "--deep")
    assert code == 0
    assert "duality_gap" in out


def test_a_run_without_a_checkpoint_has_nothing_to_measure(trained_run, gankit_cli):
    shutil.rmtree(trained_run / "checkpoints")
    code, out, err = gankit_cli("doctor", trained_run, "--deep")
    assert code == 0
    assert "no checkpoint" in err
    assert "duality_gap" not in out


def test_copies_are_certain_where_the_metric_says_so(run):
    history = make_history(copies=[0.0] * 12, copies_floor=0.0, far=0.05, texture=0.1)
    history.add({"step": history.looks[-1], "deep.memorising": 0.7})
    engine = replay(run, history, [Memorisation()])
    (episode,) = engine.episodes
    assert (type(episode.rule), episode.kind) == (Memorisation, "alarm")
    assert episode.finding.evidence["deep.memorising"] == 0.7


def test_a_measurement_of_pictures_that_are_nothing_like_real_ones_is_left_out(
    trained_run, monkeypatch, caplog
):
    values = {"low": 0.9, "is_hollow": True}
    monkeypatch.setattr(
        "gankit_metrics.evaluate.evaluate", lambda *args, **named: [SimpleNamespace(**values)]
    )
    assert "deep.memorising" not in examine(trained_run, deep=True).measures
    assert "--deep does not measure memorising: the pictures are nothing like" in caplog.text
    caplog.clear()
    values["is_hollow"] = False
    assert examine(trained_run, deep=True).measures["deep.memorising"] == 0.9
    assert "does not measure" not in caplog.text


def test_a_run_of_a_gpu_is_measured_where_there_is_none(trained_run):
    file = trained_run / "run.json"
    file.write_text(file.read_text().replace('"device": "cpu"', '"device": "cuda:7"'))
    assert '"cuda:7"' in file.read_text()
    assert isinstance(examine(trained_run, deep=True).measures["deep.duality_gap"], float)
