"""Fixtures for the tests of `gankit report`: runs that are written, not trained."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from gankit_metrics.measurement import Measurement
from gankit_metrics.metrics_file import add_metrics
from gankit_report.d_view import Judged, Moment
from gankit_report.record_d_view import write_moment
from PIL import Image

from gankit import compose
from gankit.runs import images, log
from gankit.runs.grids import grid_path
from gankit.training.run_folder.run_file import write_run

OLD_RUN = Path(__file__).parents[2] / "fixtures" / "run-0.1"
COLOURS = ("#ff0000", "#00ff00", "#0000ff")


@pytest.fixture
def old_run(tmp_path):
    """A copy of a run that gankit 0.1 trained, without pictures."""
    return Path(shutil.copytree(OLD_RUN, tmp_path / "old"))


class Finding(NamedTuple):
    """A finding of the doctor, as doctor.json holds it."""

    name: str
    since: int
    until: int | None
    text: str
    kind: str = "alarm"
    cure: str = "Omit it."
    command: str = "gankit run"


@pytest.fixture(scope="session")
def make_run():
    """`make_run(folder, steps=100)`: write the folder of a run with grids at each 20 steps."""

    def make(folder, steps=100, findings=(), size=16, grid_every=20, **settings):
        settings = {"tricks": ["ema", "r1"], "length": f"{steps} steps", **settings}
        run = compose(dataset="petals:count=200", out=str(folder), **settings)
        run = dataclasses.replace(run, steps=steps)
        write_run(run, versions={"gankit": "0.3", "plugins": {"mine": "1.0"}})
        for number, step in enumerate(range(0, steps + 1, grid_every)):
            grid_path(folder, step).parent.mkdir(exist_ok=True)
            colour = COLOURS[number % 3]
            grid_path(folder, step).write_bytes(
                images.to_png(Image.new("RGB", (size, size), colour))
            )
        names = [*log.columns(run.tricks), "ema.decay", "doctor.auc"]
        log.write_rows(folder, names, [_row(run, step) for step in range(10, steps + 1, 10)])
        if findings:
            record = {"verdict": findings[0].name, "text": findings[0].text, "step": steps}
            record["findings"] = [finding._asdict() for finding in findings]
            (folder / "doctor.json").write_text(json.dumps(record))
        return run

    return make


def _row(run, step):
    return {
        "step": step,
        "kimg": step / 100,
        "seconds": step / 10,
        "d_loss": 1 + step / 1000,
        "g_loss": 2.5,
        "d_real": 0.75,
        "d_fake": 0.25,
        "ema.decay": step / 200,
        "doctor.auc": 0.5 + step / 1000,
        **{trick.name: f"{trick.name} at {step}" for trick in run.tricks},
    }


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory, make_run):
    """The folder of a run that has everything that a page shows; do not change it."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    findings = [
        Finding("d-overfits", 40, None, "D knows the pictures."),
        Finding("idle-trick", 20, 60, "r1 did nothing.", kind="note"),
    ]
    run = make_run(folder, findings=findings)
    swd = Measurement("swd", 21.0, 19.5, 22.5, 11.0, 200, 200, "lower", step=50)
    add_metrics(folder, [swd, dataclasses.replace(swd, value=14.0, low=13, high=15, step=100)])
    for step in (20, 100):
        picture = Image.new("RGB", (8, 8), "white" if step == 20 else "black")
        judged = [Judged(picture, picture, score=step / 1000)] * (step // 20)
        write_moment(run, Moment(step, judged, judged))
    return folder
