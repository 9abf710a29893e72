"""The doctor beside a run: what it writes, tells and prints, and what cannot stop it."""

import dataclasses
import json
import logging
import re

import numpy as np
import pytest
import torch
from gankit_doctor import engine as engines
from gankit_doctor import examine
from gankit_doctor.build_rules import build_rules
from gankit_doctor.look import look
from gankit_doctor.observer import FILE

from gankit import Finding, GankitError, Rule, RuleSpec, compose, hookimpl, load_run, train
from gankit.core.parts.registry import load_registry
from gankit.runs.log import read_log


@pytest.fixture
def often(monkeypatch):
    """Looks at every second step, and no run is too young to be judged."""
    monkeypatch.setattr(look, "PICTURES_BETWEEN", 16)
    monkeypatch.setattr(engines, "YOUNG", 0)


@pytest.fixture
def run_of(tiny, here):
    def build(name="run", steps=24, **settings):
        settings = {"log_every": 2, "tricks": ["none"], **settings}
        return compose(**tiny(length=f"{steps} steps", **settings), out=here / name)

    return build


def registry_with(*rules):
    """All plugins, and one with the rules "always" and "damage"."""

    class Plugin:
        @hookimpl
        def register_rules(self, register):
            for name, rule in zip(("always", "damage"), rules, strict=False):
                register(RuleSpec(name=name, summary="fires", source="me", build=rule))

    registry = load_registry()
    registry.load("mine", Plugin)
    return registry


class Always(Rule):
    is_always_alarm = True
    judges_pictures = False
    warm_up = 0.0

    def look(self, seen):
        return Finding(
            text="It is wrong.", cure="Mend it.",
            evidence={"doctor.far": np.float32(seen.last("far"))},
            options={"lr_g": 1e-4},
        )  # fmt: skip


def findings_of(folder):
    return json.loads((folder / FILE).read_text())["findings"]


def test_a_rule_of_a_plugin_is_asked_told_once_and_written(run_of, often, caplog):
    with caplog.at_level(logging.WARNING, "gankit"):
        folder = train(run_of(), registry=registry_with(Always))
    lines = [r.getMessage() for r in caplog.records if "always" in r.getMessage()]
    assert len(lines) == 1
    assert "Mend it. gankit doctor " in lines[0]
    assert lines[0].endswith("prints the command.")
    assert "doctor.far" in lines[0]
    (finding,) = [f for f in findings_of(folder) if f["name"] == "always"]
    assert finding["kind"] == "alarm"
    assert (finding["since"], finding["until"]) == (2, None)
    assert finding["source"] == "me"
    assert "--lr-g 0.0001" in finding["command"]
    value = read_log(folder)["doctor.far"][-1]
    assert finding["evidence"]["doctor.far"] == pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"options": {"lr_x": 1}}, "lr_x"),
        ({"options": {"lr_g": -1.0}}, "lr.g is -1"),
        ({"evidence": {"x": [1.0]}}, "must be a number or a text"),
        ({"evidence": {"x": None}}, "must be a number or a text"),
        ({"level": "entr"}, "level='entr'.* 'enter' or 'stay'"),
        ({"text": None}, "text=None.* a text"),
        ({"cure": 5}, "cure=5.* a text"),
        ({"options": ["lr_g"]}, "options=.* a dict"),
        (None, "must be a gankit.Finding or None"),
    ],
)
def test_a_rule_whose_finding_is_none_is_told_and_not_asked_again(
    run_of, often, caplog, changes, message
):
    class Wrong(Always):
        def look(self, seen):
            found = super().look(seen)
            return dataclasses.replace(found, **changes) if changes else "it is broken"

    with caplog.at_level(logging.WARNING, "gankit"):
        folder = train(run_of(), registry=registry_with(Wrong))
    (line,) = [r.getMessage() for r in caplog.records if "'always'" in r.getMessage()]
    assert re.search(message, line)
    assert "not asked again" in line
    assert not [f for f in findings_of(folder) if f["name"] == "always"]


def test_no_command_is_promised_where_there_is_none(run_of, often, caplog):
    class Wordy(Always):
        def look(self, seen):
            return dataclasses.replace(super().look(seen), options={})

    with caplog.at_level(logging.WARNING, "gankit"):
        train(run_of(), registry=registry_with(Wordy))
    assert any(r.getMessage().endswith("run says more.") for r in caplog.records)


def test_a_finding_that_ended_with_its_stage_has_no_command(run_of, often):
    registry = registry_with(FastG)
    folder = train(run_of(lr_g=2e-3), registry=registry)
    train(load_run(folder, lr_g=2e-4, steps=60), registry=registry, resume=True)
    (finding,) = [f for f in findings_of(folder) if f["name"] == "always"]
    assert finding["until"]
    assert finding["command"] == ""


class FastG(Always):
    causes = ("damage",)

    def look(self, seen):
        return super().look(seen) if seen.run.lr_g > 1e-3 else None


def test_what_an_earlier_stage_has_left_is_cured_by_a_run_without_that_stage(run_of, often, caplog):
    registry = registry_with(FastG, Always)
    folder = train(run_of(lr_g=2e-3, lr_d=3e-4), registry=registry)
    caplog.clear()
    with caplog.at_level(logging.WARNING, "gankit"):
        train(load_run(folder, lr_g=2e-4, steps=60), registry=registry, resume=True)
    damage, cause = (
        next(f for f in findings_of(folder) if f["name"] == name) for name in ("damage", "always")
    )
    assert cause["until"] == 26
    assert (damage["until"], damage["because"]) == (None, "")
    assert damage["text"] == "It is wrong. Probably left by always, which ended at step 26."
    assert damage["cure"].startswith("Begin anew with the settings of now: resuming may not mend")
    words = damage["command"].split()
    assert "--config" not in words
    assert "--earlier-plans" not in words
    assert words[words.index("--lr-g") + 1] == "0.0002"
    assert words[words.index("--lr-d") + 1] == "0.0003"
    assert words[words.index("--steps") + 1] == "60"
    (line,) = [r.getMessage() for r in caplog.records if "damage since" in r.getMessage()]
    assert "Cure: Begin anew with the settings of now" in line


def test_the_cure_of_a_run_with_stages_begins_anew_with_the_settings_of_now(run_of, often):
    registry = registry_with(Always)
    folder = train(run_of(lr_g=2e-3, lr_d=0.1), registry=registry)
    train(load_run(folder, lr_d=3e-4, steps=60), registry=registry, resume=True)
    (finding,) = [f for f in findings_of(folder) if f["name"] == "always"]
    assert finding["until"] is None
    assert finding["cure"] == (
        "Mend it. The command begins anew, with the settings of now and this cure."
    )
    assert "--lr-g 0.0001 --lr-d 0.0003" in finding["command"]
    assert "--config" not in finding["command"]


def test_a_finding_that_has_ended_is_no_news_of_a_young_run(run_of, often, monkeypatch):
    monkeypatch.setattr(engines, "YOUNG", 1e6)
    registry = registry_with(FastG)
    folder = train(run_of(lr_g=2e-3), registry=registry)
    assert json.loads((folder / FILE).read_text())["verdict"] == "always"
    train(load_run(folder, lr_g=2e-4, steps=60), registry=registry, resume=True)
    record = json.loads((folder / FILE).read_text())
    assert record["verdict"] == "too-early"
    assert record["text"].startswith("It is too early to say after 60 steps")


def test_what_was_not_seen_since_settings_changed_has_no_command_yet(run_of, often):
    registry = registry_with(FastG)
    folder = train(run_of(lr_g=2e-3), registry=registry)
    train(load_run(folder, lr_g=2e-4, steps=26), registry=registry, resume=True)
    (finding,) = [f for f in findings_of(folder) if f["name"] == "always"]
    assert finding["until"] is None
    assert finding["command"] == ""
    assert "settings were changed since it was last seen" in finding["cure"]


def test_a_rule_that_raises_does_not_stop_the_run(run_of, often, caplog):
    class Broken(Always):
        def look(self, seen):
            raise ZeroDivisionError("by zero")

    with caplog.at_level(logging.WARNING, "gankit"):
        folder = train(run_of(), registry=registry_with(Broken))
    lines = [r.getMessage() for r in caplog.records if "by zero" in r.getMessage()]
    assert len(lines) == 1
    assert "'always'" in lines[0]
    assert "'mine'" in lines[0]
    assert read_log(folder)["step"][-1] == 24
    assert "verdict" in json.loads((folder / FILE).read_text())


@pytest.mark.parametrize(
    ("attributes", "fact"),
    [
        ({"__init__": lambda self, at=1 / 2: 1 / 0}, "ZeroDivisionError"),
        ({"needs": "doctor.far"}, "needs is 'doctor.far'"),
        ({"__new__": lambda cls: 3}, "returns 3; it must be a gankit.Rule"),
    ],
)
def test_a_rule_that_cannot_be_built_is_left_out(caplog, attributes, fact):
    broken = type("Broken", (Always,), attributes)
    with caplog.at_level(logging.WARNING, "gankit"):
        rules = build_rules(registry_with(broken))
    assert "d-dominates" in [rule.name for rule in rules]
    assert "always" not in [rule.name for rule in rules]
    (line,) = [record.getMessage() for record in caplog.records]
    assert re.search(f"rule 'always' of plugin 'mine'.*{fact}.* left out", line)
    with pytest.raises(GankitError, match=fact):
        build_rules(registry_with(broken), ["always"])


def test_a_resumed_run_tells_nothing_twice_and_finds_the_same(run_of, often, caplog):
    registry = registry_with(Always)
    whole = train(run_of("whole"), registry=registry)
    caplog.clear()
    parts = train(run_of("parts"), registry=registry, stop=lambda: load_steps(caplog) >= 1)
    stopped_at = int(read_log(parts)["step"][-1])
    assert 2 < stopped_at < 24
    caplog.clear()
    with caplog.at_level(logging.WARNING, "gankit"):
        train(load_run(parts), registry=registry, resume=True)
    assert not [r for r in caplog.records if "always" in r.getMessage()]
    facts = [
        [(f["name"], f["kind"], f["since"], f["until"]) for f in findings_of(folder)]
        for folder in (whole, parts)
    ]
    assert facts[0] == facts[1]


def load_steps(caplog):
    """How often the rule was told so far."""
    return sum("always" in record.getMessage() for record in caplog.records)


def test_a_run_that_becomes_nan_gets_its_diagnosis(run_of, here):
    folder = here / "run"
    with pytest.raises(GankitError):
        train(
            run_of(
                loss="wasserstein", lr_g=0.9, lr_d=0.9, steps=200, model="modern64:base_channels=4"
            )
        )
    diagnosis = examine(folder)
    assert diagnosis.verdict == "diverging"
    assert "failure" in diagnosis.findings[0].evidence
    assert diagnosis.findings[0].command


def test_a_short_run_writes_and_prints_nothing_of_the_doctor(run_of, capsys):
    folder = train(run_of(steps=4))
    assert not (folder / FILE).exists()
    assert "doctor" not in capsys.readouterr().out
    assert not [name for name in read_log(folder) if name.startswith("doctor.")]


def test_the_verdict_is_printed_at_the_end(run_of, often, capsys):
    train(run_of(), registry=registry_with(Always))
    lines = capsys.readouterr().out.splitlines()
    (verdict,) = [number for number, line in enumerate(lines) if line.startswith("doctor:")]
    assert any("gankit doctor" in line for line in lines[verdict:])


def test_a_quiet_run_prints_no_verdict(run_of, often, capsys):
    folder = train(run_of(), registry=registry_with(Always), quiet=True)
    assert (folder / FILE).exists()
    assert capsys.readouterr().out == ""


def test_in_a_race_no_verdict_is_printed_into_its_view(run_of, often, capsys):
    registry = load_registry()
    registry.plugins = [plugin for plugin in registry.plugins if plugin.name != "console"]
    folder = train(run_of(), registry=registry)
    assert capsys.readouterr().out == ""
    assert "verdict" in json.loads((folder / FILE).read_text())


def test_a_full_disk_is_a_warning_and_doctor_json_is_written_later(
    run_of, often, caplog, monkeypatch
):
    from gankit_doctor import observer

    write = observer.write_atomically
    calls = []

    def full(path, content):
        calls.append(path)
        if len(calls) < 5:
            raise OSError(28, "No space left on device")
        write(path, content)

    monkeypatch.setattr(observer, "write_atomically", full)
    with caplog.at_level(logging.WARNING, "gankit"):
        folder = train(run_of())
    assert sum(FILE in record.getMessage() for record in caplog.records) == 2  # begins, and ends
    assert "verdict" in json.loads((folder / FILE).read_text())


@pytest.mark.parametrize("content", ["", "[]", "{", '{"failure": 3}', "\0", '{"failure": "nan"'])
def test_a_damaged_doctor_json_changes_nothing(run_of, often, content):
    folder = train(run_of())
    before = examine(folder)
    (folder / FILE).write_text(content)
    assert examine(folder) == before


def test_a_log_with_strange_cells_is_read(run_of, often):
    folder = train(run_of())
    text = (folder / "log.csv").read_text().splitlines()
    names = text[0].split(",")
    cells = text[2].split(",")
    cells[names.index("doctor.far")] = "inf"
    cells[names.index("doctor.near")] = "<script>"
    (folder / "log.csv").write_text("\n".join([*text[:2], ",".join(cells), *text[3:]]) + "\n")
    assert examine(folder).verdict
    assert json.loads(examine(folder).to_json())


def test_the_json_has_the_documented_fields(run_of, often, gankit_cli):
    folder = train(run_of(), registry=registry_with(Always))
    code, out, _ = gankit_cli("doctor", folder, "--json")
    assert code == 0
    record = json.loads(out)
    assert {"verdict", "findings"} <= set(record)
    for finding in record["findings"]:
        names = {"name", "kind", "since", "until", "evidence", "text", "cure", "command", "source"}
        assert {*names, "lesson"} <= set(finding)


def test_a_run_made_without_the_doctor_is_examined_by_its_grids_and_networks(run_of, monkeypatch):
    monkeypatch.setattr(engines, "YOUNG", 0)
    folder = train(run_of(draw_every=2))
    assert not [name for name in read_log(folder) if name.startswith("doctor.")]
    diagnosis = examine(folder)
    assert diagnosis.step == 24
    assert all(finding.since <= 24 for finding in diagnosis.findings)
    assert "mode-collapse" not in diagnosis.unasked
    assert "step-size" not in diagnosis.unasked
    assert diagnosis.looked_now


def test_a_run_without_grids_nor_checkpoints_says_what_could_not_be_asked(run_of):
    import shutil

    folder = train(run_of())
    shutil.rmtree(folder / "samples")
    shutil.rmtree(folder / "checkpoints")
    diagnosis = examine(folder)
    assert diagnosis.verdict == "too-early"
    assert "Nothing was looked at" in diagnosis.text
    assert "doctor.auc" in diagnosis.unasked["d-dominates"]


def test_an_old_run_whose_pictures_are_gone_says_so(run_of, gankit_cli, here):
    from PIL import Image

    (here / "mine").mkdir()
    for index in range(8):
        Image.new("RGB", (16, 16), (30 * index, 0, 90)).save(here / "mine" / f"{index}.png")
    folder = train(run_of(dataset="folder", data=("mine",)))
    (here / "mine").rename(here / "moved")
    code, out, err = gankit_cli("doctor", folder)
    assert code == 0
    assert "no looks, and none can be taken now" in err
    assert "mine" in err
    assert "Nothing was looked at" in out


def test_a_grid_that_is_no_picture_is_passed_over(run_of):
    folder = train(run_of(draw_every=2))
    (folder / "samples" / "000004.png").write_bytes(b"no png")
    assert examine(folder).verdict


def test_a_rule_gets_other_thresholds(run_of, often):
    folder = train(run_of())
    with pytest.raises(GankitError, match="d-dominates.*no option 'auk'"):
        examine(folder, rules=["d-dominates:auk=0.5"])
    assert examine(folder, rules=["d-dominates:auc=0.5"]).verdict
    assert examine(folder, rules="d-dominates:auc=0.5").verdict


def test_pictures_are_read_from_a_grid_as_they_were_drawn(run_of):
    from gankit_doctor.old_runs import find_grids, read_images

    from gankit.runs.images import to_uint8

    drawn = []

    class Keep:
        def samples_drawn(self, images):
            drawn.append(images)

    run = run_of(draw_every=12)
    folder = train(run, observers=[Keep()])
    loaded = load_run(folder)
    step, path = find_grids(loaded)[-1]
    images = read_images(path, loaded)
    assert step == loaded.steps
    assert images.shape == (64, 3, 16, 16)
    assert np.array_equal(to_uint8(images), to_uint8(drawn[-1]))
    assert torch.isfinite(images).all()
