"""`--deep`: copies are trained, numbers are measured, and the run itself stays as it was."""

import shutil

import pytest
from gankit_doctor import deep, examine

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
