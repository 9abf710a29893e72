"""Commands: what you type and what gankit prints."""

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import fields
from types import SimpleNamespace

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image, ImageSequence
from rich.cells import cell_len
from rich.console import Console

import gankit
from gankit import compose
from gankit.cli.console.live import LiveView, sparkline
from gankit.cli.show.read_source import read_source, remove_docstring
from gankit.core.parts.specs import KINDS, TrickSpec
from gankit.runs.video import write_video
from gankit.training.budget.phase_costs import PhaseCosts


@pytest.fixture
def finished(trained, tmp_path):
    """A copy of the trained run, to write into."""
    return shutil.copytree(trained, tmp_path / "finished run")


# ---------------------------------------------------------------- help, list, show, plugins


@pytest.mark.parametrize("argv", [[], ["--help"]])
def test_gankit_without_a_command_prints_its_help(gankit_cli, argv):
    code, out, err = gankit_cli(*argv)
    assert (code, err) == (0, "")
    assert out.startswith("Usage: gankit")
    for command in ("run", "list", "show", "plugins", "sample"):
        assert f"\n  {command} " in out


def test_the_version(gankit_cli):
    assert gankit_cli("--version") == (0, f"gankit, version {gankit.__version__}\n", "")


def test_every_setting_of_a_run_is_an_option(gankit_cli):
    from gankit.core.run.settings import Run, option

    code, out, _ = gankit_cli("run", "--help")
    assert code == 0
    filled_in = {"length", "fingerprint", "stages", "class_names"}
    for field in {field.name for field in fields(Run)} - filled_in:
        assert f"{option(field)} " in out
    for length in ("--steps", "--epochs", "--kimg", "--budget", "--lr ", "--config", "--resume"):
        assert length in out


def test_list_shows_every_part(gankit_cli, registry):
    code, out, err = gankit_cli("list")
    assert (code, err) == (0, "")
    for kind in KINDS:
        for spec in registry.specs(kind):
            mark = r"\*" if spec.default else " "
            assert re.search(rf"^{mark} {spec.name} +{re.escape(spec.summary)}$", out, re.M)


@pytest.mark.parametrize("kind", KINDS)
def test_list_shows_one_kind(gankit_cli, registry, kind):
    code, out, _ = gankit_cli("list", kind)
    assert code == 0
    names = {spec.name for spec in registry.specs(kind)}
    rows = out.partition("\n\n")[0].splitlines()[1:]
    assert {row[2:].split()[0] for row in rows} == names


def test_list_for_programs(gankit_cli, registry):
    rows = json.loads(gankit_cli("list", "--json").out)
    assert {(row["kind"], row["name"]) for row in rows} == {
        (kind, spec.name) for kind in KINDS for spec in registry.specs(kind)
    }
    (row,) = [row for row in rows if row["name"] == "r1"]
    assert row["summary"] == registry.find("trick", "r1").summary
    assert "1801.04406" in row["source"]
    assert (row["plugin"], row["default"]) == ("tricks", False)
    assert {row["kind"] for row in json.loads(gankit_cli("list", "loss", "--json").out)} == {"loss"}


def test_show_prints_everything_about_a_trick(gankit_cli, registry):
    code, out, err = gankit_cli("show", "noisy-d")
    assert (code, err) == (0, "")
    spec = registry.find("trick", "noisy-d")
    out = " ".join(out.split())  # lines end where the terminal does
    for text in (
        *("trick noisy-d", spec.summary, spec.source, f"gankit lesson {spec.lesson}", "tricks"),
        "sigma 0.1 until 1.0 set them noisy-d:sigma=...",
        *("sigma: standard deviation at the start", "class NoisyD(Trick):", "def d_input(self"),
    ):
        assert text in out


def test_show_prints_a_docstring_once(gankit_cli):
    out = gankit_cli("show", "noisy-d").out
    assert out.count("Adds Gaussian noise to everything D sees") == 1
    code = out[out.index("  | class NoisyD(Trick):") :].rstrip().splitlines()
    assert code[1].startswith("  |     def __init__(self, sigma")
    assert all(line.startswith("  |") for line in code)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('def f():\n    """Says."""\n\n    # why\n    pass', "def f():\n    # why\n    pass"),
        ('class F:\n    """Says."""', 'class F:\n    """Says."""'),
        ("    def f():\n        return 1", "def f():\n    return 1"),
        ("build=lambda: 1,", "build=lambda: 1,"),
        ("build = lambda: 1", "build = lambda: 1"),
    ],
)
def test_code_is_shown_without_its_docstring(code, expected):
    assert remove_docstring(code) == expected


def test_show_without_code(gankit_cli):
    out = gankit_cli("show", "noisy-d", "--no-code").out
    assert "class NoisyD" not in out
    assert "\n  sigma: " in out


@pytest.mark.parametrize("wide", [40, 80])
@pytest.mark.parametrize("name", ["lecam", "ada", "freeze-d", "shards"])
def test_show_breaks_lines_between_words(gankit_cli, monkeypatch, wide, name):
    monkeypatch.setenv("COLUMNS", str(wide))
    out = gankit_cli("show", name, "--no-code").out
    prose = [line for line in out.splitlines() if not re.match(r"    \w", line)]  # nor a default
    assert wide - 10 < max(map(len, prose)) <= wide


def test_show_gives_each_option_its_line(gankit_cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = gankit_cli("show", "lecam", "--no-code").out
    (after,) = re.findall(r"\n  after: .*\n      (?:.*)\n", out)
    assert "StyleGAN2 code: 0" in after
    assert "\n  decay: " in out


def test_show_leaves_code_in_a_docstring_alone(gankit_cli, plugin_file):
    path = plugin_file(
        """
        class Mine(Trick):
            '''First a word.

                one = 1
                two = 2

            The last word.
            '''

        @hookimpl
        def register_tricks(register):
            register(TrickSpec(name="mine", summary="my own", source="me", build=Mine))
        """
    )
    out = gankit_cli("-p", path, "show", "mine", "--no-code").out
    assert "\n  First a word.\n\n      one = 1\n      two = 2\n\n  The last word.\n" in out


def test_show_does_not_print_the_docstring_of_a_base_class(gankit_cli, plugin_file):
    path = plugin_file(
        """
        class Mine(Trick):
            def activity(self):
                return "on"

        @hookimpl
        def register_tricks(register):
            register(TrickSpec(name="mine", summary="my own", source="me", build=Mine))
        """
    )
    out = gankit_cli("-p", path, "show", "mine", "--no-code").out
    assert "my own" in out
    assert "Does nothing" not in out


def test_show_prints_the_settings_of_a_model(gankit_cli, registry):
    out = gankit_cli("show", "dcgan64").out
    for key, value in registry.find("model", "dcgan64").settings.items():
        assert re.search(rf"{key.replace('_', '-')} +{value}\b", out)
    assert "1511.06434" in out
    assert "64 px" in out


def test_show_prints_the_licence_of_a_data_set(gankit_cli):
    out = gankit_cli("show", "ihc").out
    for text in ("licence", "no known copyright restrictions", "scikit-image.org", "count  "):
        assert text in out


def test_show_a_name_of_two_kinds(gankit_cli):
    out = gankit_cli("show", "dcgan").out
    assert "generator dcgan" in out
    assert "discriminator dcgan" in out
    out = gankit_cli("show", "dcgan", "--kind", "generator").out
    assert "class Generator(nn.Module):" in out
    assert "class Discriminator" not in out


def test_show_agrees_with_what_is_built(gankit_cli, registry):
    """It reads source files, so as not to import torch; the signature must say the same."""
    for kind in set(KINDS) - {"model", "recipe"}:
        for spec in registry.specs(kind):
            out = gankit_cli("show", spec.name, "--kind", kind, "--no-code").out
            listed = dict(re.findall(r"^    (\w+) +(.*)$", out.partition("\n\n")[0], re.M))
            defaults = {name: option.default for name, option in spec.options().items()}
            assert set(listed) == set(defaults)
            for name, default in defaults.items():
                assert listed[name] == repr(default)


def test_the_value_of_a_default_that_has_a_name_is_read(tmp_path, monkeypatch):
    code = "NEVER = 'never'\ndef calm(when=NEVER, often=2):\n    return None\n"
    (tmp_path / "calming.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    spec = TrickSpec(name="calm", summary="s", source="s", build="calming:calm")
    options = read_source(spec).options
    assert {option.name: option.default for option in options} == {"when": "'never'", "often": "2"}


@pytest.mark.parametrize("module", ["no_such_module", "no_such.module", "gankit.no_such"])
def test_show_says_which_module_is_missing(gankit_cli, plugin_file, module):
    path = plugin_file(
        f"""
        @hookimpl
        def register_tricks(register):
            register(TrickSpec(name="lost", summary="s", source="s", build="{module}:Lost"))
        """
    )
    code, _, err = gankit_cli("-p", path, "show", "lost")
    assert code == 2
    assert f"'{module}'" in err


def test_plugins_are_listed_with_their_versions(gankit_cli, registry):
    rows = {row["name"]: row for row in json.loads(gankit_cli("plugins", "--json").out)}
    assert set(rows) == {plugin.name for plugin in registry.plugins}
    assert all(row["version"] == gankit.__version__ for row in rows.values())
    assert all(0 < row["load_ms"] < 60_000 for row in rows.values())
    assert "trick r1" in rows["tricks"]["offers"]
    code, out, err = gankit_cli("plugins")
    assert (code, err) == (0, "")
    assert re.search(r"^dcgan +0\.[\d.]+ +[\d.]+ ms +.*generator dcgan", out, re.M)
    assert re.search(r"^console .* ms +observes", out, re.M)


# ---------------------------------------------------------------- shell completion


@pytest.mark.parametrize(
    ("line", "offered", "not_offered"),
    [
        ("gankit ", {"run", "list", "show", "plugins", "sample"}, {"r1"}),
        ("gankit run --trick n", {"noisy-d"}, {"ema", "hinge"}),
        ("gankit run --loss ", {"hinge", "wasserstein", "non-saturating"}, {"ema"}),
        ("gankit run --model dcgan1", {"dcgan128"}, {"dcgan64"}),
        ("gankit show ", {"hinge", "ema", "petals", "dcgan", "dcgan64"}, set()),
        ("gankit list ", set(KINDS), set()),
        ("gankit run --bud", {"--budget"}, {"--batch-size"}),
    ],
)
def test_the_shell_completes_names(gankit_cli, monkeypatch, line, offered, not_offered):
    monkeypatch.setenv("_GANKIT_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    code, out, err = gankit_cli()
    assert (code, err) == (0, "")
    completions = [row.partition(",")[2] for row in out.splitlines()]
    assert offered <= set(completions)
    assert not not_offered & set(completions)
    assert len(completions) == len(set(completions))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_for_shells(gankit_cli, monkeypatch, shell):
    from click.shell_completion import BashComplete

    monkeypatch.setattr(BashComplete, "_check_version", staticmethod(lambda: None))
    monkeypatch.setenv("_GANKIT_COMPLETE", f"{shell}_source")
    assert "_GANKIT_COMPLETE" in gankit_cli().out


# ---------------------------------------------------------------- run: plan and plain lines


def test_a_dry_run_prints_the_plan_and_writes_nothing(gankit_run, here, registry):
    argv = ("--steps", 4000, "--trick", "ema", "--trick", "r1:gamma=1", "--out", "new")
    code, out, err = gankit_run(*argv, "--dry-run")
    assert (code, err) == (0, "")
    shown = dict(line.split(maxsplit=1) for line in out.splitlines())
    sizes = {"image_size": 16, "channels": 3}
    for kind, more in (("generator", {"latent_dim": 100}), ("discriminator", {})):
        net = registry.make(kind, "dcgan:base_channels=4", **sizes, **more)
        count = sum(p.numel() for p in net.parameters())
        assert shown[kind] == f"dcgan:base_channels=4: {count:,} parameters"
        assert "," in f"{count:,}" or kind == "discriminator"
    assert shown["dataset"] == "petals:count=64: 64 pictures, 16x16, colour"
    assert shown["model"] == "dcgan64:base_channels=4"
    assert shown["loss"] == "non-saturating"
    assert shown["tricks"] == "ema, r1:gamma=1"
    assert shown["optimiser"].startswith("Adam, lr 0.0002 ")
    assert shown["length"] == "4,000 steps = 32.0 kimg = 500.0 epochs"
    assert shown["convolutions"] == "auto: 3 of 3 fast in G, 3 of 3 fast in D"
    assert shown["machine"].startswith("cpu, precision 32, ")
    assert re.fullmatch(
        r"about .*\d (s|min).* \(measured: .* steps/s, .* images/s\)", shown["time"]
    )
    assert re.match(r"[\d,]+ MB|unknown", shown["memory"])
    assert "new" in shown["output"]
    assert shown["command"].startswith("gankit run --dataset petals:count=64 ")
    assert list(here.iterdir()) == []


def test_a_dry_run_counts_fast_convolutions(gankit_run, plugin_file):
    """Those of a plugin's network stay torch's own, unless `--convolutions fast` is given."""
    path = plugin_file(
        """
        @hookimpl
        def register_discriminators(register):
            build = "gankit_dcgan.nets:Discriminator"
            register(DiscriminatorSpec(name="theirs", summary="D", source="me", build=build))
        """
    )
    shown = {}
    for convolutions in ("auto", "fast", "plain"):
        argv = ("--discriminator", "theirs", "--convolutions", convolutions, "--dry-run")
        out = gankit_run(*argv, before=("-p", path)).out
        lines = dict(line.split(maxsplit=1) for line in out.splitlines())
        shown[convolutions] = lines["convolutions"]
    assert re.findall(r"\d", shown["auto"]) == ["3", "3", "0", "3"]
    assert re.findall(r"\d", shown["fast"]) == ["3", "3", "3", "3"]
    assert re.findall(r"\d", shown["plain"]) == ["0", "3", "0", "3"]


@pytest.mark.parametrize(("load", "line"), [(0.1, ""), (1.9, "load 1.9 on")])
def test_a_dry_run_says_what_other_programs_do_to_its_time(gankit_run, monkeypatch, load, line):
    monkeypatch.setattr("gankit.cli.run.plan.other_load", lambda: load)
    monkeypatch.setattr("gankit.cli.run.plan.measure_step_time", lambda run, *others: (0.5, run))
    out = gankit_run("--dry-run").out
    assert line in out
    assert bool(re.search(r"^load ", out, re.M)) is bool(line)


@pytest.mark.parametrize(
    ("length", "steps"),
    [
        *((("--steps", 3), 3), (("--kimg", 0.02), 3), (("--epochs", 0.5), 4)),
        *((("--epochs", 0.1), 1), (("--epochs", 0.5, "--d-steps", 2), 2)),
        *((("--budget", "2s"), 4), (("--budget", "0.05m"), 6), (("--budget", "0.1s"), 1)),
    ],
)
def test_lengths_become_steps(gankit_run, monkeypatch, length, steps):
    """A step shows 8 pictures, twice as many with two steps of D; there are 64 in an epoch."""
    costs = PhaseCosts(seconds=(0.5,))
    monkeypatch.setattr(
        "gankit.training.budget.plan_budget.measure_costs", lambda run, *_: (costs, run)
    )
    code, out, _ = gankit_run(*length, "--dry-run")
    assert code == 0
    assert re.search(rf"^length +{steps} steps = ", out, re.M)


def test_plain_lines_where_there_is_no_terminal(gankit_run, here):
    argv = ("--trick", "ema", "--trick", "r1:gamma=0", "--trick", "smooth-labels")
    code, out, err = gankit_run(*argv, "--out", "my run")
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    first, *others = out.splitlines()
    assert first == json.loads((here / "my run" / "run.json").read_text())["command"]
    assert re.search(r"^training: 4 steps on cpu\b", out, re.M)
    last = next(line for line in others if line.startswith("step 4/4"))
    for shown in ("d_loss 1.", "g_loss 0.", "D(x) 0.", "D(G(z)) 0.", "ema decay", "targets 0.9"):
        assert shown in last
    assert re.search(r"^finished .*\b4\b.*\b4$", out, re.M)
    assert any(line.startswith("  r1: WARNING") for line in others)
    assert re.search(r"^  smooth-labels: targets 0.9 real, 0 fake$", out, re.M)
    assert str(here / "my run") in out or "my run/samples/000004.png" in out
    assert "gankit sample 'my run'" in out  # as a shell wants it


def test_runs_without_a_name_get_folders_of_their_own(gankit_run, here):
    assert gankit_run("--steps", 1).code == 0
    assert gankit_run("--steps", 1).code == 0
    assert [p.name for p in sorted((here / "runs").iterdir())] == [
        *("petals-dcgan64-1", "petals-dcgan64-2")
    ]


def test_a_run_with_a_one_file_plugin(gankit_run, plugin_file, here):
    path = plugin_file(
        """
        class Halve(Trick):
            def d_input(self, images, gan):
                return images / 2

            def activity(self):
                return "halved"

        @hookimpl
        def register_tricks(register):
            register(TrickSpec(name="halve", summary="s", source="s", build=Halve))

        @hookimpl
        def run_finished(run, outcome):
            print("the outcome:", outcome["state"], outcome["step"], outcome["tricks"])
        """
    )
    code, out, err = gankit_run("--trick", "halve", "--out", "a", before=("-p", path))
    assert (code, err) == (0, "")
    assert "the outcome: finished 4 {'halve': 'halved'}" in out


def test_an_observer_that_raises_is_named_and_the_run_goes_on(gankit_run, plugin_file, here):
    path = plugin_file(
        """
        @hookimpl
        def step_done(step):
            raise RuntimeError(f"tired at {step}")
        """
    )
    argv = ("--out", "a", "--log-every", 1)
    code, out, err = gankit_run(*argv, before=("-p", path))
    assert code == 0
    assert "finished" in out
    assert err.startswith("gankit: plugin 'mine' ")
    assert "RuntimeError in mine.py, line 5: tired at 1" in err
    assert err.count("\n") == 1


def test_warnings_come_once_however_many_runs_there_were(gankit_run, plugin_file, here):
    path = plugin_file(
        """
        @hookimpl
        def step_done(step):
            raise RuntimeError("tired")
        """
    )
    for name in "abc":
        err = gankit_run("--out", name, before=("-p", path)).err
        assert err.count("tired") == 1


# ---------------------------------------------------------------- a closed pipe


def into_a_closed_pipe(tmp_path, *argv):
    """`gankit ... | true`, but the pipe is closed before gankit starts."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "gankit", *map(str, argv)]
    try:
        return subprocess.run(
            command, stdout=writing, stderr=subprocess.PIPE, text=True, cwd=tmp_path, check=False
        )
    finally:
        os.close(writing)


def test_a_list_into_a_closed_pipe_is_quiet(tmp_path):
    done = into_a_closed_pipe(tmp_path, "list")
    assert done.stderr == ""
    assert done.returncode == 141


def test_a_run_into_a_closed_pipe_saves_and_stops(tmp_path, tiny):
    settings = {k: v for k, v in tiny(log_every=1, out="run").items() if k != "length"}
    argv = [w for k, v in settings.items() for w in ("--" + k.replace("_", "-"), v)]
    done = into_a_closed_pipe(tmp_path, "run", *argv, "--steps", 1_000_000)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    *warnings, message = done.stderr.splitlines()
    assert "stopped at step" in message
    assert all("busy" in warning for warning in warnings)
    assert done.returncode == 141
    (saved,) = (tmp_path / "run" / "checkpoints").glob("step-*")
    assert {"manifest.json", "model.safetensors"} <= {path.name for path in saved.iterdir()}


# ---------------------------------------------------------------- the live view

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def scalars(step, **more):
    numbers = {"d_loss": 1.234 / step, "g_loss": 12.5 * step, "d_real": 0.5, "d_fake": 0.25}
    activity = {"ema": "decay 0.9980", "a-trick-with-a-long-name": "flipped 34.8 % of targets " * 3}
    return {**numbers, "seconds": 0.5 * step, "activity": {**activity, "idle": None}, **more}


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_live_view_fits_its_terminal(width, registry, tiny, tmp_path):
    run = compose(registry, **tiny(tricks=["ema"], seed=123456789, log_every=7))
    run = gankit_run_in(run, tmp_path / ("a-long-name" * 8), steps=1_000_000)
    screen = Terminal()
    console = Console(width=width, height=60, force_terminal=True, file=screen)
    view = LiveView(run, SimpleNamespace(step=0, phase=0, phases=[]), console)
    view.grid = run.folder / "samples" / "000000.png"
    for step in range(1, 40):
        view.next_draw = 0.0  # draw each step
        view.step_done(step, scalars(step))
    drawn = ESCAPES.sub("", screen.getvalue())
    rows = re.split(r"[\r\n]+", drawn)
    assert max(map(cell_len, rows)) <= width
    for first in ("step 39/1,000,000", "d_loss", "g_loss", "D(x)", "D(G(z))", "ema", "idle"):
        assert any(row.startswith(first) for row in rows), first
    joined = drawn.replace("\n", "").replace("\r", "")
    assert str(view.grid) in joined
    assert "▁" in drawn
    assert "█" in drawn
    outcome = {"state": "stopped", "message": "", "step": 39, "seconds": 9, "tricks": {"ema": None}}
    view.finished(outcome)
    text = " ".join(ESCAPES.sub("", screen.getvalue()).split())
    assert re.search(r"\b39\b.*\b1,000,000\b", text)


def gankit_run_in(run, folder, **more):
    import dataclasses

    return dataclasses.replace(run, out=str(folder), **more)


@pytest.mark.parametrize("columns", ["40", "120"])
def test_a_run_in_a_terminal(columns, registry, tiny, here, monkeypatch):
    screen = Terminal()
    monkeypatch.setattr("rich._console", None)  # another test's may have another width
    monkeypatch.setattr(sys, "stdout", screen)
    for name, value in {"COLUMNS": columns, "LINES": "50", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    gankit.train(compose(registry, **tiny(log_every=1, tricks=["ema"], out="run")), registry)
    drawn = ESCAPES.sub("", screen.getvalue())
    assert "step 4/4" in drawn
    assert "finished after" in drawn
    assert "gankit sample run" in drawn
    assert screen.getvalue().count("\x1b[?25l") == screen.getvalue().count("\x1b[?25h") == 1
    assert max(map(cell_len, re.split(r"[\r\n]+", drawn))) <= int(columns)


@pytest.mark.parametrize(
    ("values", "width", "line"),
    [
        ([1], 10, "▁"),
        ([1, 1, 1], 10, "▁▁▁"),
        ([0, 7], 10, "▁█"),
        (list(range(8)), 8, "▁▂▃▄▅▆▇█"),
        ([0, 0, 7, 7], 2, "▁█"),
        ([3, 1], 0, "▁"),
        ([-5, 5, -5], 3, "▁█▁"),
    ],
)
def test_sparklines(values, width, line):
    assert sparkline(values, width) == line


def test_a_stopped_run_prints_how_to_resume(registry, tiny, here, capsys):
    from gankit.core.errors import RunStopped

    run = compose(registry, **tiny(out="my run", tricks=["ema"]))
    gankit.prepare(run, registry)  # `stop` may end the preparation, too
    with pytest.raises(RunStopped, match=r"\b1\b.*\b4\b") as stopped:
        gankit.train(run, registry, stop=lambda: signal.SIGTERM)
    assert stopped.value.exit_code == 143
    out = capsys.readouterr().out
    assert re.search(r"^stopped .*\b1\b.*\b4$", out, re.M)
    assert "gankit run --resume 'my run'" in out
    assert "gankit sample" not in out
    assert "WARNING" not in out  # the tricks' activity has not been logged yet


# ---------------------------------------------------------------- the files of a run


def test_the_log_is_a_table(trained):
    with (trained / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        *("step", "kimg", "seconds", "d_loss", "g_loss", "penalty", "d_real", "d_fake"),
        *("ema", "smooth-labels", "ema.decay", "smooth-labels.real", "smooth-labels.fake"),
    ]
    assert [int(row["step"]) for row in rows] == [2, 4, 6, 8]
    assert [float(row["kimg"]) for row in rows] == [0.016, 0.032, 0.048, 0.064]
    assert sorted(float(row["seconds"]) for row in rows) == [float(row["seconds"]) for row in rows]
    for row in rows:
        assert 0 < float(row["d_loss"]) < 20
        assert 0 < float(row["g_loss"]) < 20
        assert 0 < float(row["d_real"]) < 1
        assert row["penalty"] == ""
        assert row["ema"].startswith("decay ")
        assert row["smooth-labels"] == "targets 0.9 real, 0 fake"
        assert float(row["ema.decay"]) == pytest.approx(float(row["ema"].split()[1]), abs=1e-4)
        assert (float(row["smooth-labels.real"]), float(row["smooth-labels.fake"])) == (0.9, 0)


def test_a_penalty_is_logged(gankit_run, here):
    argv = ("--trick", "r1:every=2", "--log-every", 1, "--out", "a")
    assert gankit_run(*argv).code == 0
    with (here / "a" / "log.csv").open(newline="") as file:
        penalties = [row["penalty"] for row in csv.DictReader(file)]
    assert penalties[0] == penalties[1] != penalties[2] == penalties[3]  # the last one
    assert all(float(value) >= 0 for value in penalties)


def test_grids_are_numbered_by_their_step(trained):
    grids = sorted((trained / "samples").iterdir())
    assert [path.name for path in grids] == [f"{step:06d}.png" for step in (0, 2, 4, 6, 8)]
    pictures = [np.asarray(Image.open(path)) for path in grids]
    assert {picture.shape for picture in pictures} == {(146, 146, 3)}
    assert len({picture.tobytes() for picture in pictures}) == 5


def test_the_animation_plays(trained):
    frames = iio.imread(trained / "progress.mp4", plugin="pyav")
    assert frames.shape == (5, 146, 146, 3)
    about = iio.immeta(trained / "progress.mp4", plugin="pyav")
    assert about["codec"] == "h264"
    assert "yuv420p" in str(iio.improps(trained / "progress.mp4", plugin="pyav")) + str(about)
    still = np.asarray(Image.open(trained / "samples" / "000008.png")).astype(int)
    assert np.abs(frames[-1].astype(int) - still).mean() < 12


def test_tensorboard_gets_the_numbers_and_the_grids(gankit_run, here):
    code, _, err = gankit_run("--tensorboard", "--log-every", 2, "--out", "a")
    assert (code, err) == (0, "")
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = reading.EventAccumulator(str(here / "a" / "tensorboard"))
    events.Reload()
    assert {"d_loss", "g_loss", "d_real", "d_fake"} <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("d_loss")] == [2, 4]
    with (here / "a" / "log.csv").open(newline="") as file:
        logged = [float(row["d_loss"]) for row in csv.DictReader(file)]
    assert [event.value for event in events.Scalars("d_loss")] == pytest.approx(logged)
    assert [event.step for event in events.Images("samples")] == [0, 4]


def test_without_tensorboard_there_is_none(trained):
    assert not (trained / "tensorboard").exists()


# ---------------------------------------------------------------- sample


def drawn(answer, path):
    assert answer == (0, f"{path}\n", "")
    return Image.open(path)


def test_sample_draws_a_grid(gankit_cli, trained, here):
    picture = drawn(gankit_cli("sample", trained, "--out", "a.png"), "a.png")
    assert picture.size == (146, 146)
    other = drawn(gankit_cli("sample", trained, "--out", "b.png", "--count", 4), "b.png")
    assert other.size == (38, 38)
    first = np.asarray(picture)[2:18, 2:18].astype(int)
    assert np.abs(first - np.asarray(other)[2:18, 2:18]).max() <= 1


def test_sample_draws_one_picture(gankit_cli, trained, here, registry):
    argv = ("sample", trained, "--count", 1, "--seed", 7, "--out", "a.png")
    picture = drawn(gankit_cli(*argv), "a.png")
    assert np.array_equal(picture, gankit.load(trained, registry=registry).sample(seed=7))


def test_sample_writes_many_files(gankit_cli, trained, here, registry):
    argv = ("sample", trained, "--files", "--count", 3, "--seed", 5, "--out", "many/deep")
    assert gankit_cli(*argv) == (0, "many/deep\n", "")
    assert [p.name for p in sorted((here / "many" / "deep").iterdir())] == [
        *("000005.png", "000006.png", "000007.png")
    ]
    sampler = gankit.load(trained, registry=registry)
    assert np.array_equal(Image.open(here / "many" / "deep" / "000006.png"), sampler.sample(6))


@pytest.mark.parametrize("shown", [1, 2, 5, 20])
def test_sample_draws_a_strip(gankit_cli, trained, here, registry, shown):
    argv = ("sample", trained, "--strip", "--count", shown, "--seed", 3, "--out", "a.png")
    picture = drawn(gankit_cli(*argv), "a.png")
    assert picture.size == (shown * 18 + 2, 20)
    sampler = gankit.load(trained, registry=registry)
    ends = {0: sampler.sample(3)} | ({shown - 1: sampler.sample(4)} if shown > 1 else {})
    for place, still in ends.items():
        cell = np.asarray(picture)[2:18, 2 + 18 * place : 18 + 18 * place].astype(int)
        assert np.abs(cell - np.asarray(still)).max() <= 1


@pytest.mark.parametrize("ending", ["gif", "webp", "mp4"])
def test_sample_makes_a_loop(gankit_cli, trained, here, ending):
    argv = ("sample", trained, "--loop", "--count", 2, "--out", f"a.{ending}")
    assert gankit_cli(*argv) == (0, f"a.{ending}\n", "")
    assert (here / f"a.{ending}").stat().st_size < 1_000_000
    if ending != "mp4":
        with Image.open(here / f"a.{ending}") as picture:
            assert picture.size == (16, 16)
            assert ending == "webp" or picture.info["loop"] == 0  # for ever
        return
    frames = iio.imread(here / "a.mp4", plugin="pyav").astype(int)
    assert frames.shape == (48, 16, 16, 3)
    jumps = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
    assert np.abs(frames[0] - frames[-1]).mean() <= 3 * jumps.max() + 2  # it closes


def test_a_loop_from_a_picture_to_itself_stands_still(gankit_cli, trained, here):
    for seed in range(12):  # the angle from a picture to itself is 0, or all but
        argv = ("sample", trained, "--loop", "--seeds", f"{seed},{seed}", "--out", "a.gif")
        assert gankit_cli(*argv) == (0, "a.gif\n", "")
        with Image.open("a.gif") as picture:
            assert picture.n_frames <= 2


def test_a_z_of_one_number_can_be_interpolated(gankit_run, gankit_cli, here):
    assert gankit_run("--latent-dim", 1, "--steps", 1, "--out", "a").code == 0
    for what in ("--strip", "--loop"):
        code, _, err = gankit_cli("sample", "a", what, "--count", 2, "--out", "a/a.webp")
        assert (code, err) == (0, "")


@pytest.mark.parametrize("ending", ["mp4", "webp", "gif"])
@pytest.mark.parametrize("size", [(16, 16), (33, 21)])
def test_videos_hold_every_frame(tmp_path, ending, size):
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 250), (0, 0, 0)]
    path = tmp_path / f"a.{ending}"
    write_video((Image.new("RGB", size, colour) for colour in colours), path, fps=10)
    if ending == "mp4":
        frames = list(iio.imread(path, plugin="pyav"))
        assert frames[0].shape[1::-1] == tuple(side + side % 2 for side in size)
    else:
        with Image.open(path) as picture:
            frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(picture)]
            assert picture.size == size
            assert picture.info["duration"] == 100
    assert len(frames) == 5
    for frame, colour in zip(frames, colours, strict=True):
        assert np.abs(frame[2:-2, 2:-2].astype(int) - colour).max() < 25


def test_sample_shows_the_history(gankit_cli, trained, finished):
    (finished / "progress.mp4").unlink()
    assert gankit_cli("sample", finished, "--history").code == 0
    assert len(iio.imread(finished / "progress.mp4", plugin="pyav")) == 5
    assert gankit_cli("sample", trained, "--history", "--out", "a.webp").code == 0
    with Image.open("a.webp") as picture:
        assert picture.size == (146, 146)


def test_sample_draws_from_an_earlier_checkpoint(gankit_cli, trained, here):
    argv = ("sample", trained, "--count", 1, "--out")
    now = drawn(gankit_cli(*argv, "a.png"), "a.png")
    then = drawn(gankit_cli(*argv, "b.png", "--checkpoint", 4), "b.png")
    assert not np.array_equal(now, then)


def test_sample_writes_into_the_runs_folder(gankit_cli, finished):
    before = {path.name for path in finished.iterdir()}
    answer = gankit_cli("sample", finished, "--seed", 3, "--count", 2)
    assert answer.code == 0
    (new,) = {path.name for path in finished.iterdir()} - before
    assert answer.out.strip().endswith(new)
    assert "3" in new
    gankit_cli("sample", finished, "--files", "--count", 2)
    assert len({path.name for path in finished.iterdir()} - before) == 2


def test_sample_knows_parts_of_a_one_file_plugin(gankit_cli, gankit_run, plugin_file, here):
    path = plugin_file(
        """
        @hookimpl
        def register_tricks(register):
            register(TrickSpec(name="still", summary="s", source="s", build=Trick))
        """
    )
    assert gankit_run("--trick", "still", "--out", "a", before=("-p", path)).code == 0
    assert gankit_cli("-p", path, "sample", "a", "--count", 1).code == 0
    code, _, err = gankit_cli("sample", "a", "--count", 1)
    assert code == 2
    assert "trick 'still'" in err


def test_environment_variables_affect_new_runs_only(gankit_run, gankit_cli, monkeypatch, here):
    monkeypatch.setenv("GANKIT_RUN_SEED", "5")
    assert gankit_run("--out", "a").code == 0
    assert json.loads((here / "a" / "run.json").read_text())["seed"] == 5
    monkeypatch.setenv("GANKIT_RUN_SEED", "6")
    code, _, err = gankit_cli("run", "--resume", "a", "--steps", "6")
    assert (code, err) == (0, "")
    assert json.loads((here / "a" / "run.json").read_text())["seed"] == 5


def test_ctrl_c_while_pictures_are_prepared_ends_at_once(gankit_run, monkeypatch, here):
    from gankit_flowers.petals import Petals

    batch = Petals.batch

    def interrupted(self, indices):
        os.kill(os.getpid(), signal.SIGINT)
        return batch(self, indices)

    monkeypatch.setattr(Petals, "batch", interrupted)
    code, _, err = gankit_run("--dataset", "petals:count=77,seed=3", "--out", "a")
    assert code == 130
    assert err.splitlines()[-1].startswith("gankit: interrupted")
    assert not (here / "a").exists()


def test_a_large_gif_is_made_small(tmp_path):
    random = np.random.default_rng(0)
    noise = [Image.fromarray(random.integers(0, 256, (300, 400, 3), np.uint8)) for _ in range(3)]
    write_video(noise, tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as picture:
        assert picture.size == (200, 150)
        assert picture.n_frames == 3
