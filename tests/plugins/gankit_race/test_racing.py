"""Races: from the command to the page, budgets, stopping and resuming, failures, the view."""

import csv
import dataclasses
import errno
import hashlib
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from gankit_race import plan as planning
from gankit_race import runner
from gankit_race.live_view import LiveView
from gankit_race.plain_view import PlainView, RaceProgress
from gankit_race.plan import read_plan
from gankit_race.report.page import write_page
from gankit_race.report.report import Report
from gankit_race.results import Row
from gankit_race.runner import RaceRunner
from gankit_race.stats import NO_DIFFERENCE, ONE_SEED
from PIL import Image
from rich.console import Console

import gankit
from gankit import GankitError
from gankit.cli.terminal.log import message_console
from gankit.core.errors import RunFailed, RunStopped
from gankit.core.files.atomic_write import write_atomically
from gankit.core.stop import Stop
from gankit.runs.read_grid import read_grid
from gankit.training.checkpoints import checkpoint
from gankit.training.run_folder.folder_lock import FolderLock

TINY = (
    "--dataset petals:count=64 --model dcgan64:base_channels=4 --image-size 16 --batch-size 8 "
    "--device cpu --precision 32 --log-every 2 --save-every 4"
)


def measured(folder, metrics, value, **more):
    numbers = {"low": value - 0.1, "high": value + 0.1, "floor": 0.3, "note": "", **more}
    about = {"samples": 10, "reference": 20, "against": "hold-out", "features": "pixels"}
    return [
        SimpleNamespace(metric=name, value=value, better="lower", **numbers, **about)
        for name in metrics
    ]


@pytest.fixture(autouse=True)
def no_videos(monkeypatch):
    """A video of each run takes longer than these runs do."""
    monkeypatch.setattr("gankit.runs.video.write_video", lambda *args, **named: None)


@pytest.fixture
def evaluate(monkeypatch):
    """A stand-in for measuring: 2 for runs with ema, 5 for others, a little more for each seed."""
    calls = []

    def stand_in(folder, metrics, *, samples, registry, progress, data):
        calls.append((folder, metrics, samples))
        progress(0, 1)
        run = json.loads((folder / "run.json").read_text())
        value = 2.0 + 0.1 * run["seed"] if "ema" in run["tricks"] else 5.0
        value += 0.1 * run["seed"] ** 2
        return measured(folder, metrics, value)

    monkeypatch.setattr("gankit_race.runner.evaluate", stand_in)
    return calls


@pytest.fixture
def race_cli(gankit_cli):
    """`race_cli("--vary", ...)`: a race of tiny runs with two seeds, measured with swd."""

    def call(*words, length="4steps"):
        more = [] if "--metric" in words else ["--metric", "swd"]
        more += [] if "--seeds" in words else ["--seeds", 2]
        budget = ["--budget", length] if length else []
        return gankit_cli("race", *shlex.split(TINY), *more, *budget, *words)

    return call


def results(folder):
    """The runs and tables of a race, without seconds, which differ each time."""
    record = json.loads((folder / "results.json").read_text())
    for row in record["runs"]:
        assert row.pop("seconds") > 0
    tables = [table for table in record["tables"] if table["measure"] != "images/s"]
    return record["runs"], tables


def read_csv(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def weights(folder):
    """Hashes of each run's last checkpoint and of its grids."""
    hashes = {}
    for run in sorted(folder.glob("*/seed-*")):
        last = checkpoint.list_checkpoints(run / "checkpoints")[0]
        grids = [hashlib.sha256(path.read_bytes()).hexdigest() for path in run.glob("samples/*")]
        manifest = json.loads((last / "manifest.json").read_text())
        hashes[f"{run.parent.name}/{run.name}"] = (last.name, manifest["sha256"], sorted(grids))
    return hashes


# ---------------------------------------------------------------- a race


def test_a_race_is_for_one_process(gankit_cli, monkeypatch, here):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    code, _, err = gankit_cli("race", "--vary", "trick=none,ema", "--budget", "5steps")
    assert code == 2
    assert "torchrun" in err
    assert not list(here.iterdir())


def test_a_race_from_start_to_page(race_cli, evaluate, here):
    code, out, err = race_cli("--vary", "trick=none,ema")
    assert (code, err) == (0, "")
    folder = here / "races" / "petals-trick-1"
    assert re.search(r"^race: 2 variants, 2 seeds, 4 runs; training takes about \d s$", out, re.M)
    order = re.findall(r"^run (\d)\b.*: (.*), seed (\d), 4 steps$", out, re.M)
    assert order == [
        ("1", "no trick", "0"), ("2", "ema", "0"), ("3", "no trick", "1"), ("4", "ema", "1"),
    ]  # fmt: skip
    assert re.search(r"^ no trick +5\.05 +the baseline +$", out, re.M)
    assert re.search(r"^ ema +2\.10 +-2\.95 +-3\.5\d to -2\.31 +better +$", out, re.M)
    assert "swd, lower is better (pixels, 10 samples, floor 0.3)" in out
    assert "d_loss" not in out  # the view of a single run is off
    assert {samples for _, _, samples in evaluate} == {1000}
    (swd,) = results(folder)[1]
    assert swd["rows"][1]["verdict"] == "better"
    assert swd["rows"][1]["difference"]["each"] == pytest.approx([-3, -2.9])
    rows = read_csv(folder / "results.csv")
    assert [row["variant"] for row in rows] == ["no trick", "ema"] * 2
    assert {row["images"] for row in rows} == {"32"}
    assert float(rows[1]["swd_low"]) == pytest.approx(1.9)
    assert json.loads((folder / "no-trick" / "seed-1" / "run.json").read_text())["seed"] == 1


def test_the_page_stands_alone(race_cli, evaluate, here):
    race_cli("--vary", "trick=none,ema")
    folder = here / "races" / "petals-trick-1"
    page = (folder / "race.html").read_text()
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!data:image/png;base64,)', page)
    assert page.count('<img src="data:image/png') == 4  # two variants, two seeds
    assert page.count('aria-label="losses"') == 2
    assert '<td class="better" data-name="verdict">better</td>' in page
    assert "prefers-color-scheme: dark" in page
    with Image.open(folder / "race.png") as picture:
        assert picture.width > 2 * 146  # grids of 8 x 8 pictures of 16 px, side by side
        assert picture.height > 146


def test_the_page_shows_names_as_they_are(tmp_path, registry):
    label = "noisy-d <b>&\"'"
    rows = [
        Row(variant=name, seed=seed, folder="", images=100 * seed + 300, seconds=1.0 + seed * place)
        for place, name in enumerate(("no trick", label))
        for seed in (0, 1, 2)
    ]
    run = gankit.compose(registry)
    variants = [("no trick", run), (label, run)]
    write_page(Report("<i>", "gankit race", variants, rows, 3, tmp_path), tmp_path / "race.html")
    page = (tmp_path / "race.html").read_text()
    assert "<b>" not in page
    assert "<i>" not in page.partition("<body>")[2]
    assert page.count("noisy-d &lt;b&gt;&amp;&#34;&#39;") == 6  # table, drawing, note, three runs


def test_variants_begin_with_the_same_weights_and_pictures(race_cli, evaluate, here):
    race_cli("--vary", "trick=none,noisy-d", length="2steps")
    first = {p.parents[1]: read_grid(p).tobytes() for p in here.rglob("000000.png")}
    assert len(first) == 4
    assert len({data for path, data in first.items() if path.name == "seed-0"}) == 1
    assert len(set(first.values())) == 2  # another seed draws something else
    runs = [json.loads(path.read_text()) for path in here.rglob("run.json")]
    assert len({run["fingerprint"] for run in runs}) == 1
    assert len({run["precision"] for run in runs}) == 1


def test_the_command_in_the_plan_repeats_the_race(race_cli, gankit_cli, evaluate, here):
    race_cli("--vary", "trick=none,r1:gamma=0.5,every=2+ema", "--vary", "flip=yes", "--seed", 3)
    folder = here / "races" / "petals-trick-flip-1"
    plan = read_plan(folder)
    assert plan.seeds == (3, 4)
    assert [v.label for v in plan.variants] == ["no trick, flip", "r1:gamma=0.5,every=2+ema, flip"]
    assert gankit_cli(*shlex.split(plan.command)[1:]).code == 0
    again = here / "races" / "petals-trick-flip-2"
    assert weights(again) == weights(folder)
    assert results(again) == results(folder)


def test_from_python(evaluate, here, tiny, capsys):
    settings = tiny(length="2 steps")
    folder = gankit.race({"tricks": ["none", "ema"]}, seeds=2, metrics=["swd"], out="a", **settings)
    assert results(folder)[1][0]["rows"][1]["verdict"] == "better"
    with pytest.raises(GankitError, match="vary="):
        gankit.race()
    assert gankit.race(resume="a") == folder
    began, ended = capsys.readouterr().out.split("run 4 ")
    assert "run 1 " in began
    assert ended.count("the baseline") == 4  # swd and images/s, and both again for the resumed


@pytest.mark.parametrize("when", ["training", "measuring"])
def test_an_interrupt_from_python_tells_how_to_go_on(evaluate, here, tiny, monkeypatch, when):
    """Such as a notebook's stop button."""
    settings = tiny(length="3 steps", log_every=1)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    method = {"training": "show_step", "measuring": "measuring_begins"}[when]
    presses = []

    def press_once(*args):
        if not presses:
            presses.append(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(PlainView, method, press_once)
        with pytest.raises(RunStopped, match="gankit race --resume a") as stopped:
            gankit.race({"tricks": ["none", "ema"]}, seeds=1, metrics=["swd"], out="a", **settings)
    assert stopped.value.exit_code == 130
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)
    gankit.race({"tricks": ["none", "ema"]}, seeds=1, metrics=["swd"], out="b", **settings)
    assert weights(gankit.race(resume="a")) == weights(here / "b")


def test_the_real_metric(race_cli, here):
    """Two variants that are the same network after one step do not differ."""
    code, out, err = race_cli("--vary", "draw-every=1,2", length="1steps")
    assert (code, err) == (0, "")
    (swd,) = results(here / "races" / "petals-draw-every-1")[1]
    assert swd["rows"][1]["difference"]["mean"] == 0
    assert swd["rows"][1]["verdict"] == NO_DIFFERENCE
    assert "swd, all runs: NOT" in out


# ---------------------------------------------------------------- two at once, and a lost folder


def test_a_race_that_runs_can_be_neither_resumed_nor_begun_again(
    race_cli, gankit_cli, evaluate, here, monkeypatch
):
    answers = []
    measure = runner.evaluate

    def call_and_measure(folder, metrics, **options):
        if not answers:
            answers.append(gankit_cli("race", "--resume", "a"))
            (here / "a" / "race.json").unlink()  # as before the first race has written it
            answers.append(race_cli("--vary", "trick=none,r1", "--out", "a"))
        return measure(folder, metrics, **options)

    monkeypatch.setattr(runner, "evaluate", call_and_measure)
    race_cli("--vary", "trick=none,ema", "--out", "a")
    for answer in answers:
        assert answer.code == 2
        assert f"a is running (pid {os.getpid()})" in answer.err
    assert [variant.label for variant in read_plan(here / "a").variants] == ["no trick", "ema"]
    assert len(results(here / "a")[0]) == 4
    assert not list((here / "a").rglob(".*"))


def test_python_is_refused_too(evaluate, here, tiny, monkeypatch):
    settings = {"seeds": 1, "metrics": ["swd"], **tiny(length="2 steps")}
    errors = []
    measure = runner.evaluate

    def call_and_measure(folder, metrics, **options):
        for again in ({"resume": "a"}, {"vary": {"tricks": ["none"]}, "out": "a", **settings}):
            with pytest.raises(GankitError) as refused:
                gankit.race(**again)
            errors.append(refused.value)
        return measure(folder, metrics, **options)

    monkeypatch.setattr(runner, "evaluate", call_and_measure)
    gankit.race({"tricks": ["none", "ema"]}, out="a", **settings)
    assert {error.exit_code for error in errors} == {2}
    assert any("running" in str(error) for error in errors)


def test_a_run_that_trains_elsewhere_is_not_raced(race_cli, gankit_cli, evaluate, here):
    with FolderLock(here / "a" / "ema" / "seed-0").acquire(""):
        code, _, err = race_cli("--vary", "trick=none,ema", "--out", "a")
    assert code == 2
    assert f"seed-0 is running (pid {os.getpid()})" in err
    assert gankit_cli("race", "--resume", "a").code == 0
    assert len(results(here / "a")[0]) == 4


def test_a_race_whose_folder_is_deleted_can_be_resumed(
    race_cli, gankit_cli, evaluate, here, monkeypatch, caplog
):
    measure = runner.evaluate

    def measure_and_delete(folder, metrics, **options):
        if len(evaluate) == 2:
            shutil.rmtree(here / "a")
            evaluate.append("deleted")
            return measured(folder, metrics, 1.0)
        return measure(folder, metrics, **options)

    monkeypatch.setattr(runner, "evaluate", measure_and_delete)
    assert race_cli("--vary", "trick=none,ema", "--out", "a").code == 0
    assert "race.json was deleted" in caplog.text
    assert len(results(here / "a")[0]) == 4
    assert gankit_cli("race", "--resume", "a", "--seeds", 3).code == 0
    assert len(results(here / "a")[0]) == 6


# ---------------------------------------------------------------- budgets


def test_a_budget_in_time_becomes_steps_once(race_cli, gankit_cli, evaluate, here, monkeypatch):
    monkeypatch.setattr(planning, "time_steps", lambda trainers, *args: [0.5, 1.0])
    monkeypatch.setattr(RaceRunner, "run_all", lambda race: race.report())  # nothing is trained
    assert race_cli("--vary", "trick=none,ema", length="10s").code == 0
    plan = read_plan(here / "races" / "petals-trick-1")
    assert [v.run.steps for v in plan.variants] == [20, 10]
    assert plan.budget == "10s"
    monkeypatch.setattr(planning, "time_steps", lambda *args: pytest.fail("measured again"))
    assert gankit_cli("race", "--resume", "races/petals-trick-1").code == 0


@pytest.mark.parametrize(("length", "steps"), [("3steps", 3), ("0.08 kimg", 10), ("2epochs", 16)])
def test_a_budget_in_pictures_is_the_same_for_all(length, steps, race_cli, here, monkeypatch):
    monkeypatch.setattr(RaceRunner, "run_all", lambda race: race.report())
    race_cli("--vary", "trick=none,ema", length=length)
    plan = read_plan(here / "races" / "petals-trick-1")
    assert [v.run.steps for v in plan.variants] == [steps, steps]


def test_variants_of_different_length_get_a_note(race_cli, evaluate):
    out = race_cli("--vary", "epochs=0.5,1", length=None).out
    assert re.search(r"\(in thousands\): epochs 0\.5 0\.032", out)


def test_steps_are_timed_in_turns(monkeypatch):
    clock = [0.0]
    turns = []

    class Trainer:
        def __init__(self, name, cost):
            self.name = name
            self.cost = cost
            self.run = SimpleNamespace(threads=0)
            self.gan = SimpleNamespace(phases=[], steps=8)

        def step(self, step):
            turns.append(self.name)
            clock[0] += self.cost
            return {"g_loss": 0.0}

    monkeypatch.setattr(planning.time, "perf_counter", lambda: clock[0])
    trainers = [Trainer("a", 0.1), Trainer("b", 0.2), Trainer("c", 0.3)]
    timing = planning.Timing(1.5, 16, 20.0)
    seconds = planning.time_steps(trainers, lambda done, total: None, timing)
    assert seconds == pytest.approx([0.1, 0.2, 0.3])
    assert "".join(turns[:: planning.STEPS_PER_TURN])[:9] == "cbaabccba"  # there and back
    assert turns.count("a") == turns.count("c") == 20  # 16 measured, 4 to warm up
    slow = planning.time_steps([Trainer("a", 9.0)], lambda done, total: None, timing)
    assert slow == pytest.approx([9.0])
    assert turns.count("a") == 28  # one turn to warm up, and one is enough


def test_threads_are_measured_once_for_all_variants(race_cli, here, monkeypatch):
    numbers = [1, 2, 2]  # a second measurement would give another number
    monkeypatch.setattr("gankit.training.assemble.choose_threads", lambda: numbers.pop(0))
    seen = []

    def time_steps(trainers, *others):
        seen.extend(trainer.run.threads for trainer in trainers)
        return [1.0] * len(trainers)

    monkeypatch.setattr(planning, "time_steps", time_steps)
    assert race_cli("--vary", "beta1=0,0.5,0.9", "--dry-run", length="1steps").code == 0
    assert seen == [1, 1, 1]
    assert numbers == [2, 2]


def test_variants_with_fewer_pictures_are_not_zoomed_more(race_cli, here, monkeypatch):
    monkeypatch.setattr("gankit.training.assemble.choose_zoom", lambda pictures: 64 / pictures)
    race_cli("--vary", "subset=48,32", "--zoom", "auto", "--seeds", 1, length="1steps")
    runs = [json.loads(path.read_text()) for path in here.rglob("seed-0/run.json")]
    assert [round(run["zoom"], 3) for run in runs] == [1.333, 1.333]


def test_auto_is_refused_beside_the_value_that_it_stands_for(race_cli, here):
    answer = race_cli("--vary", "zoom=auto,1.5", "--seeds", 1, length="1steps")
    assert answer.code == 2
    assert "'zoom auto' and 'zoom 1.5' are the same run, as auto stands for" in answer.err
    assert not (here / "races").exists()


def test_each_variant_has_its_threads_and_they_are_restored(race_cli, here, monkeypatch):
    seen = []

    def train(run, *args, **named):
        torch.set_num_threads(run.threads)
        seen.append(run.threads)
        (run.folder).mkdir(parents=True)
        (run.folder / "run.json").write_text('{"tricks": [], "seed": 0}')

    def measure(folder, metrics, **named):
        seen.append(torch.get_num_threads())
        return measured(folder, metrics, 1.0)

    monkeypatch.setattr("gankit_race.runner.train", train)
    monkeypatch.setattr("gankit_race.runner.evaluate", measure)
    monkeypatch.setattr(planning, "time_steps", lambda trainers, *args: [1.0, 1.0])
    race_cli("--vary", "threads=2,0", "--seeds", 1, length="1steps")
    assert seen == [2, 1, 1, 1]  # trained, measured, ...; 0 is what there was: 1
    assert torch.get_num_threads() == 1


def test_what_a_base_brings_along_is_said_before_and_after_a_race(
    race_cli, gankit_cli, evaluate, here
):
    words = (*shlex.split(TINY), "--loss", "hinge", "--steps", 1, "--no-report", "--out", "base")
    assert gankit_cli("run", *words).code == 0
    short = ("--vary", "init=none,base", "--budget", "2steps", "--dry-run")
    pictures = ("--dataset", "petals:count=64", "--image-size", 16, "--device", "cpu")
    out = gankit_cli("race", *pictures, *short).out
    assert "init base differs from the baseline in" in out
    assert "--loss non-saturating / hinge" in out
    assert "differs" not in gankit_cli("race", "--config", "base/run.json", *short).out
    assert "differs" not in race_cli("--vary", "init=none,base", "--dry-run").out  # it has --model
    out = race_cli("--vary", "init=none,base", "--vary", "loss=non-saturating,hinge").out
    flat = " ".join(out.split())
    assert "init base, hinge differs from the baseline in 2 settings" in flat
    assert "init none, hinge differs" not in flat  # on purpose


def test_a_dry_run_shows_the_plan_and_leaves_nothing(race_cli, here):
    code, out, err = race_cli("--vary", "trick=none,ema", "--dry-run")
    assert (code, err) == (0, "")
    assert re.search(r"^ema +4 steps = 0\.032 kimg, \d s each \(measured: ", out, re.M)
    assert re.search(r"^4 runs \(seeds 0, 1\), about \d s of training$", out, re.M)
    assert out.endswith(" swd\n")
    assert list(here.iterdir()) == []


def test_a_dry_run_of_a_resumed_race_shows_what_is_left(race_cli, gankit_cli, evaluate, here):
    race_cli("--vary", "trick=none,ema", "--seeds", 1, "--out", "a")
    before = {path: path.read_bytes() for path in (here / "a").rglob("*") if path.is_file()}
    for more, runs in ((), 2), (("--seeds", 3), 6):
        code, out, err = gankit_cli("race", "--resume", "a", "--dry-run", *more)
        assert (code, err) == (0, "")
        left = rf"^{runs} runs \(seeds .*\), 2 of them trained, about \d+ s of training left$"
        assert re.search(left, out, re.M)
    assert {path: path.read_bytes() for path in (here / "a").rglob("*") if path.is_file()} == before


# ---------------------------------------------------------------- stopping and resuming

KILLED = ("--vary", "trick=none,ema", "--vary", "lr=2e-4,1e-3", "--seeds", 1, "--out")


def start(words):
    command = [sys.executable, "-m", "gankit", *map(str, words)]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, **pipes)


def test_a_killed_and_resumed_race_equals_one_that_was_not_killed(race_cli, gankit_cli, here):
    """Four variants, killed while the second one trains, then resumed: the results are equal."""
    assert race_cli(*KILLED, "whole", length="24steps").code == 0
    words = ["race", *shlex.split(TINY), "--metric", "swd", "--budget", "24steps", *KILLED, "hurt"]
    process = start(words)
    hurt = here / "hurt"
    deadline = time.monotonic() + 200
    while not (list(hurt.glob("*/seed-0/checkpoints/step-*")) and (hurt / "results.json").exists()):
        assert process.poll() is None, process.stderr.read().decode()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    while len({p.parents[2].name for p in hurt.glob("*/seed-0/checkpoints/step-*")}) < 2:
        assert process.poll() is None, process.stderr.read().decode()
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    finished = len(json.loads((hurt / "results.json").read_text())["runs"])
    assert 1 <= finished < 4
    assert not (hurt / "race.html").exists()
    code, out, err = gankit_cli("race", "--resume", "hurt")
    assert (code, err) == (0, "")
    assert len(re.findall(r"^run \d ", out, re.M)) <= 4 - finished + 1
    assert results(hurt) == results(here / "whole")
    assert weights(hurt) == weights(here / "whole")


@pytest.fixture
def stops_when(monkeypatch):
    """`stops_when(lambda: ...)`: Ctrl-C as soon as that holds; `stops_when(None)`: never again."""

    def set_to(holds):
        stop = Stop(poll=lambda: signal.SIGINT if holds and holds() else 0)
        monkeypatch.setattr("gankit_race.command.stop_signals", lambda: nullcontext(stop))

    return set_to


def test_ctrl_c_saves_and_tells_how_to_resume(race_cli, gankit_cli, evaluate, here, stops_when):
    words = ("--vary", "trick=none,ema", "--out")
    assert race_cli(*words, "whole", length="8steps").code == 0
    stops_when((here / "a race" / "ema" / "seed-0" / "checkpoints" / "step-000004").exists)
    code, _, err = race_cli(*words, "a race", length="8steps")
    assert code == 130
    assert re.search(r"ema, seed 0: .* 5 of 8\b.* gankit race --resume 'a race'\n$", err)
    stops_when(None)
    code, out, err = gankit_cli("race", "--resume", "a race")
    assert (code, err) == (0, "")
    assert re.search(r"^race: .* 4 runs, 1 ", out, re.M)
    assert results(here / "a race") == results(here / "whole")
    assert weights(here / "a race") == weights(here / "whole")


def test_ctrl_c_between_runs_and_while_measuring(race_cli, gankit_cli, evaluate, here, stops_when):
    trained = here / "a" / "no-trick" / "seed-0" / "checkpoints" / "last"
    stops_when(trained.exists)  # written after the last step
    code, _, err = race_cli("--vary", "trick=none,ema", "--out", "a")
    assert code == 130
    assert re.search("measuring no trick, seed 0;.* --resume a\n$", err)
    (row,) = json.loads((here / "a" / "results.json").read_text())["runs"]
    assert row["measured"] == {}  # trained, and not yet measured
    stops_when(lambda: (here / "a" / "results.csv").read_text().count("5.0"))
    code, _, err = gankit_cli("race", "--resume", "a")
    assert code == 130
    assert re.search("after no trick, seed 0;.* --resume a\n$", err)
    stops_when(None)
    assert gankit_cli("race", "--resume", "a").code == 0
    folders = [folder.parent.name for folder, _, _ in evaluate]
    assert folders == ["no-trick", "no-trick", "ema", "no-trick", "ema"]


def test_ctrl_c_before_anything_has_begun_leaves_no_race(race_cli, here, stops_when):
    stops_when(lambda: True)
    code, out, err = race_cli("--vary", "trick=none,ema")
    assert (code, out) == (130, "")
    assert err.startswith("\ngankit: interrupted")
    assert list(here.iterdir()) == []


def test_seeds_and_metrics_can_be_added_to_a_race(race_cli, gankit_cli, evaluate, here):
    race_cli("--vary", "trick=none,ema", "--seeds", 1, "--out", "a")
    assert ONE_SEED in (here / "a" / "race.html").read_text()
    more = ("--seeds", 3, "--metric", "kid:features=pixels")
    code, out, err = gankit_cli("race", "--resume", "a", *more)
    assert (code, err) == (0, "")
    assert len(re.findall("^run ", out, re.M)) == 6  # two of them only to be measured
    runs, tables = results(here / "a")
    assert len(runs) == 6
    assert {name for run in runs for name in run["measured"]} == {"swd", "kid:features=pixels"}
    assert [len(table["rows"][1]["difference"]["each"]) for table in tables] == [3, 3]
    code, _, err = gankit_cli("race", "--resume", "a", "--seeds", 2)
    assert code == 2
    assert re.search("--seeds is 2, .* 3 seeds", err)
    code, _, err = gankit_cli("race", "--resume", "a", "--budget", "5m")
    assert code == 2
    assert err.startswith("gankit: --resume ")


def test_pictures_that_changed_end_the_race(gankit_cli, pictures_folder, evaluate, here):
    words = ["--data", pictures_folder, "--vary", "trick=none,ema", "--steps", 1, "--batch-size", 4]
    words += ["--image-size", 16, "--model", "dcgan64:base_channels=4", "--seeds", 1, "--out", "a"]
    assert gankit_cli("race", *words).code == 0
    (pictures_folder / "00.jpg").unlink()
    code, _, err = gankit_cli("race", "--resume", "a", "--seeds", 2)
    assert code == 2
    assert re.search("pictures .* a ", err)


# ---------------------------------------------------------------- what goes wrong


def test_a_variant_that_diverges_is_named_and_the_others_race_on(
    race_cli, evaluate, here, monkeypatch
):
    train = gankit.train

    def diverging(run, *args, **named):
        if "r1" in run.tricks and run.seed == 1:
            raise RunFailed("g_loss became nan at step 3, so training stopped", 1)
        return train(run, *args, **named)

    monkeypatch.setattr("gankit_race.runner.train", diverging)
    code, out, err = race_cli("--vary", "trick=none,r1,ema", "--seeds", 3, length="1steps")
    assert (code, err) == (0, "")
    assert "- r1, seed 1: g_loss became nan at step 3, so training stopped" in out
    assert re.search(r"^ r1 +5\.20 \(2\) +\+0\.00 ", out, re.M)  # over the two seeds it has
    assert re.search(r"^ ema .* better +$", out, re.M)


def test_a_full_disk_stops_the_race(race_cli, evaluate, here, monkeypatch):
    def full(*args, **named):
        raise RunFailed("could not save the checkpoint", 1) from OSError("disk full")

    monkeypatch.setattr("gankit_race.runner.train", full)
    code, _, err = race_cli("--vary", "trick=none,ema", "--out", "a")
    assert code == 1
    assert re.search("could not save the checkpoint; .* --resume a\n$", err)
    assert not (here / "a" / "results.json").exists()


@pytest.mark.parametrize("name", ["results.json", "race.html"])
def test_results_that_cannot_be_written_are_a_failure(race_cli, evaluate, here, monkeypatch, name):
    def write(path, content):
        if path.name == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write_atomically(path, content)

    monkeypatch.setattr("gankit_race.results.write_atomically", write)
    code, _, err = race_cli("--vary", "trick=none,ema", "--out", "a")
    assert code == 1
    assert err.endswith(f"cannot write a/{name}: No space left on device: free disk space\n")


def test_a_metric_without_a_result(race_cli, monkeypatch, here):
    monkeypatch.setattr("gankit_race.runner.evaluate", lambda *args, **named: [])
    code, _, err = race_cli("--vary", "trick=none,ema", "--out", "a")
    assert code == 2
    assert re.search("'swd' .* a/no-trick/seed-0\n$", err)


def test_the_default_metrics_are_those_that_are_installed(registry, monkeypatch):
    assert planning.choose_metrics(["swd", "kid:features=pixels"], registry) == (
        "swd", "kid:features=pixels",
    )  # fmt: skip
    make = registry.make

    def without_features(kind, text, **filled_in):
        if text == "kid":
            raise GankitError("features 'imagenet-lite' are not installed")
        return make(kind, text, **filled_in)

    monkeypatch.setattr(registry, "make", without_features)
    assert planning.choose_metrics([], registry) == ("swd",)
    with pytest.raises(GankitError, match="imagenet-lite"):
        planning.choose_metrics(["kid"], registry)


# ---------------------------------------------------------------- the view


def test_time_left_depends_on_the_speed_of_each_variant():
    fast, slow = (SimpleNamespace(label=n, run=SimpleNamespace(steps=100), step_seconds=s)
                  for n, s in (("fast", 0.1), ("slow", 1.0)))  # fmt: skip
    starts = [(fast, 0), (slow, 0), (fast, 1), (slow, 1)]
    plan = SimpleNamespace(variants=(fast, slow), seeds=(0, 1), all_runs=lambda: starts)
    race = RaceProgress(plan, [])
    assert race.seconds_left() == pytest.approx(220)
    race.rows.append(Row(variant="fast", seed=0, folder="", steps=100, seconds=20.0))
    race.measuring_seconds.append(5.0)
    assert race.seconds_left() == pytest.approx(100 + 20 + 100 + 3 * 5)  # it took twice as long
    race.begin_run(slow, 0)
    race.step = 50
    race.step_seconds = 2.0
    assert race.seconds_left() == pytest.approx(50 * 2 + 20 + 100 + 3 * 5)


@pytest.fixture
def begun():
    """A race of two variants and two seeds, three runs of which are finished."""
    run = SimpleNamespace(steps=4)
    none, ema = (SimpleNamespace(label=n, run=run, step_seconds=0.5) for n in ("none", "ema:p=9"))
    starts = [(none, 0), (ema, 0), (none, 1), (ema, 1)]
    fields = {"seeds": (0, 1), "metrics": ("swd",), "command": "gankit race ..."}
    plan = SimpleNamespace(variants=(none, ema), all_runs=lambda: starts, **fields)
    rows = [
        Row(variant=v.label, seed=seed, folder="", steps=4, images=32, seconds=2.0,
            measured={"swd": {"value": 5 + seed, "low": None, "high": None}})
        for v, seed in starts[:3]
    ]  # fmt: skip
    return plan, rows


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_live_view_fits(width, begun):
    plan, rows = begun
    console = Console(width=width, force_terminal=True, file=io.StringIO())
    view = LiveView(console)
    view.race_begins(plan, rows, "races/a")
    view.run_begins(plan.variants[1], 1)
    view.step_done(2, {"d_loss": 1.234, "g_loss": 0.5, "seconds": 1.0})
    paper = Console(width=width, file=io.StringIO())
    paper.print(view.render())
    lines = paper.file.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    text = "\n".join(lines)
    assert re.match(r"\S+ 4\b.*1 s$", text.splitlines()[0])
    assert "ema:p=9, seed 1" in text
    assert "step 2/4  d_loss 1.23  g_loss 0.50" in text
    assert re.search(r"none +2/2 +5\.50 +16\.0", text)
    view.run_ends(dataclasses.replace(rows[1], seed=1))
    view.race_ends()
    assert "left 0 s" in console.file.getvalue()


def test_messages_go_through_the_console_of_the_live_view(monkeypatch):
    """Another console would write a warning into the middle of the view."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert LiveView().console is message_console()
