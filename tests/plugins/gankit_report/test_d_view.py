"""D's own view: what a run records of it, and reading it from a folder of somebody else."""

import dataclasses
import json
import os
import shutil
import sys

import numpy as np
import pytest
import torch
from gankit_report.d_view import FOLDER, choose_evenly, read_moments
from gankit_report.record_d_view import forget_moments_after, moments_of
from gankit_report.view_of_checkpoints import view_checkpoints
from torch import nn

from gankit import GankitError, Loss, compose, train
from gankit.runs import log
from gankit.training.checkpoints import checkpoint

RUN = {
    "dataset": "petals:count=200",
    "model": "dcgan64:base_channels=8",
    "image_size": 32,
    "batch_size": 16,
    "length": "20 steps",
    "draw_every": 4,
    "save_every": 10,
    "log_every": 5,
    "device": "cpu",
    "precision": "32",
    # Networks and tricks that keep something of each pass of D.
    "tricks": ["spectral-norm", "minibatch-stddev", "diffaugment", "ema"],
}


def train_in(folder, **settings):
    return train(compose(**{**RUN, "out": str(folder), **settings}), quiet=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run of 20 steps with a report; do not change it."""
    return train_in(tmp_path_factory.mktemp("runs") / "a")


@pytest.fixture
def received(run, tmp_path):
    """A copy of the run, which somebody else may have changed."""
    return shutil.copytree(run, tmp_path / "received")


def test_five_moments_with_the_least_believed_reals_and_the_most_believed_fakes(run):
    moments = read_moments(run)
    assert [moment.step for moment in moments] == [4, 8, 12, 16, 20]
    for moment in moments:
        assert len(moment.reals) == len(moment.fakes) == 12
        real_scores = [judged.score for judged in moment.reals]
        fake_scores = [judged.score for judged in moment.fakes]
        assert real_scores == sorted(real_scores)
        assert fake_scores == sorted(fake_scores, reverse=True)
        for judged in (*moment.reals, *moment.fakes):
            assert judged.picture.size == judged.heat.size == (32, 32)
            assert judged.picture.mode == judged.heat.mode == "RGB"
            assert np.ptp(np.asarray(judged.heat)) > 100  # bright and dark places
    flowers = np.asarray(moments[-1].reals[0].picture).std()
    assert flowers > 20


def test_recording_changes_no_bit_of_a_run(run, tmp_path):
    other = train_in(tmp_path / "b", report=False)
    assert not (other / FOLDER).exists()
    assert not (other / "report.html").exists()
    rows = [
        [{k: v for k, v in row.items() if k != "seconds"} for row in log.read_rows(folder)]
        for folder in (run, other)
    ]
    assert rows[0] == rows[1]
    saved = [checkpoint.load(folder / "checkpoints" / "step-000020") for folder in (run, other)]
    for name in ("G", "D", "sampler"):
        torch.testing.assert_close(saved[0].model[name], saved[1].model[name], rtol=0, atol=0)
    for name in ("G", "D", "tricks"):
        torch.testing.assert_close(saved[0].state[name], saved[1].state[name], rtol=0, atol=0)


def test_the_moments_of_an_old_run_come_from_its_checkpoints(run):
    moments = view_checkpoints(run)
    assert [moment.step for moment in moments] == [10, 20]
    recorded = read_moments(run)[-1]
    for ours, theirs in zip(
        [*moments[-1].reals, *moments[-1].fakes], [*recorded.reals, *recorded.fakes], strict=True
    ):
        assert ours.score == pytest.approx(theirs.score, abs=1e-4)


def test_a_run_of_gankit_0_1_and_one_without_checkpoints(old_run):
    assert read_moments(old_run) == []
    assert [moment.step for moment in view_checkpoints(old_run)] == [4]
    shutil.rmtree(old_run / "checkpoints")
    assert view_checkpoints(old_run) == []


@pytest.mark.parametrize(
    ("steps", "draw_every", "expected"),
    [
        (3, 25, [3]),
        (100, 25, [0, 25, 50, 75, 100]),
        (1875, 46, [46, 506, 966, 1426, 1875]),
        (10**12, 1, [1, 250000000001, 500000000000, 750000000000, 10**12]),
    ],
)
def test_moments_are_shares_of_the_run(steps, draw_every, expected):
    run = dataclasses.replace(compose(), steps=steps, draw_every=draw_every)
    assert moments_of(run) == pytest.approx(expected, abs=draw_every)
    assert len(moments_of(run)) == len(expected)
    assert {moments_of(run)[-1], choose_evenly(expected, 5)[-1]} == {steps}


def test_a_resumed_run_keeps_the_moments_before_its_checkpoint(received):
    shutil.rmtree(received / "checkpoints" / "step-000020")
    stale = (received / FOLDER / "000016.json").stat().st_mtime_ns
    kept = (received / FOLDER / "000008.json").stat().st_mtime_ns
    train(received, resume=True, quiet=True)
    assert (received / FOLDER / "000008.json").stat().st_mtime_ns == kept
    assert (received / FOLDER / "000016.json").stat().st_mtime_ns != stale
    assert [moment.step for moment in read_moments(received)] == [4, 8, 12, 16, 20]


def test_moments_ahead_of_the_checkpoint_are_deleted(received):
    run = compose(**{**RUN, "out": str(received)})
    forget_moments_after(run, 10)
    left = sorted(path.name for path in (received / FOLDER).iterdir())
    assert left == ["000004.json", "000004.webp", "000008.json", "000008.webp"]


ZEROS = b"0, " * 11 + b"0"
NANS = b"0, " * 11 + b"NaN"
MANY = b"0, " * 23 + b"0"


def spoil(name, content):
    """Put other bytes into a file of a moment."""
    return lambda folder: (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    "spoiled",
    [
        spoil("000012.json", b"{}"),
        spoil("000012.json", b'{"size": 32, "reals": [0.1], "fakes": ["x"]}'),
        spoil("000012.json", b'{"size": 100000, "reals": [0.1], "fakes": [0.1]}'),
        spoil("000012.json", b'{"size": 32, "reals": [%b], "fakes": [%b]}' % (ZEROS, NANS)),
        spoil("000012.json", b'{"size": 32, "reals": [%b], "fakes": [0]}' % ZEROS),
        spoil("000012.json", b'{"size": 16, "reals": [%b], "fakes": [%b]}' % (2 * (MANY,))),
        spoil("000012.json", b"[" * 100_000),
        spoil("000012.webp", b"RIFF"),
        spoil("000012.webp", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"),
        spoil("000012.webp", bytes(5 << 20)),
        lambda folder: (folder / "000012.webp").unlink(),
        lambda folder: shutil.copy(folder / "../samples/000012.png", folder / "000012.webp"),
    ],
)  # fmt: skip
def test_a_spoilt_moment_is_omitted_with_one_line(received, caplog, spoiled):
    spoiled(received / FOLDER)
    assert [moment.step for moment in read_moments(received)] == [4, 8, 16, 20]
    (record,) = caplog.records
    assert "000012" in record.getMessage()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_no_link_and_no_pipe_is_followed(received, tmp_path, caplog):
    secret = tmp_path / "secret.webp"
    (received / FOLDER / "000012.webp").rename(secret)
    (received / FOLDER / "000012.webp").symlink_to(secret)
    assert read_moments(received) == []
    (received / FOLDER / "000012.webp").unlink()
    os.mkfifo(received / FOLDER / "000012.webp")
    assert read_moments(received) == []
    assert ["000012.webp" in record.getMessage() for record in caplog.records] == [True, True]


class Grey(nn.Module):
    """A D for one channel whose gradient is nowhere."""

    def __init__(self, image_size: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, images):
        return self.weight * images.mean(dim=(1, 2, 3))


class Failing(nn.Module):
    """A D that fails in eval mode, once it has learnt."""

    def __init__(self, image_size: int):
        super().__init__()
        self.score = nn.Linear(3 * image_size**2, 1)
        self.calls = 0

    def forward(self, images):
        if self.calls > 10 and not self.training:
            raise RuntimeError("no eval mode, please")
        self.calls += self.training
        return self.score(images.flatten(1)).squeeze(1)


class Distance(Loss):
    """A loss whose answers are no probabilities."""

    def d_loss(self, real, fake, targets):
        return (fake - real).mean()

    def g_loss(self, fake, real):
        return -fake.mean()

    def score(self, logits):
        return 100 + logits


def test_grey_pictures_a_d_without_gradient_and_a_loss_without_probabilities(tmp_path):
    settings = {"channels": 1, "discriminator": Grey, "loss": Distance, "tricks": [], "lr": 0.0}
    run = train_in(tmp_path / "a", length="2 steps", **settings)
    last = read_moments(run)[-1]
    assert [judged.score for judged in last.reals] == [100.0] * 12
    assert last.reals[0].heat.mode == "RGB"


def test_a_d_that_fails_costs_one_line(tmp_path, caplog):
    settings = {"discriminator": Failing, "tricks": [], "accumulate": 2}
    run = train_in(tmp_path / "a", length="8 steps", draw_every=1, **settings)
    assert (run / "checkpoints" / "step-000008").exists()
    (line,) = [r.getMessage() for r in caplog.records if "no eval mode" in r.getMessage()]
    assert "report" in line
    assert 0 < len(read_moments(run)) < 5


def test_a_checkpoint_that_is_damaged_is_omitted(received, caplog):
    (received / "checkpoints" / "step-000020" / "model.safetensors").write_bytes(b"x")
    assert [moment.step for moment in view_checkpoints(received)] == [10]
    shutil.rmtree(received / "checkpoints" / "step-000010")
    assert view_checkpoints(received) == []
    assert all("step-000020" in record.getMessage() for record in caplog.records)


def test_a_run_whose_parts_are_missing_has_no_view_of_its_checkpoints(received):
    record = json.loads((received / "run.json").read_text())
    (received / "run.json").write_text(json.dumps({**record, "loss": "of-somebody"}))
    with pytest.raises(GankitError, match="of-somebody"):
        view_checkpoints(received)
