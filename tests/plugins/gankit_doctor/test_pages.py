"""The texts of the doctor: columns, the pages of rules, and what `gankit doctor RUN` prints."""

import dataclasses
import json

import pytest
from gankit_doctor.command import describe
from gankit_doctor.diagnosis import Diagnosis, Report
from gankit_doctor.look import look
from gankit_doctor.look.columns import COLUMNS, format_value, meaning_of
from gankit_doctor.rules import RULES

from gankit import compose, train
from gankit.cli.show.read_source import read_page
from gankit.runs.log import read_log

SECTIONS = ("## What you see", "## The usual cause", "## What to do")


def report(name="d-dominates", kind="alarm", because="", until=None):
    return Report(
        name=name,
        kind=kind,
        since=120,
        until=until,
        evidence={"doctor.auc": 1.0, "my.column": 0.5, "steps": 1000.0},
        text="D is far ahead.",
        cure="Hold D back.",
        command="gankit run --lr-d 0.0001" + 30 * " --trick none",
        source="somebody 2016",
        lesson=6,
        why_wrong="D may still teach G.",
        because=because,
    )


def diagnosis(*findings, verdict="healthy"):
    return Diagnosis(verdict, "The verdict.", 480, findings, {"stalled": ("doctor.far",)})


# --- columns


def test_every_column_of_a_look_is_explained(tiny, here, monkeypatch):
    monkeypatch.setattr(look, "PICTURES_BETWEEN", 8)
    settings = {"dataset": "petals:count=120", "holdout": 0.3, "log_every": 1, "tricks": "none"}
    folder = train(compose(**tiny(**settings, out=str(here / "run"))))
    columns = {name for name in read_log(folder) if name.startswith("doctor.")}
    assert columns == {f"doctor.{name}" for name in COLUMNS}


def test_a_meaning_can_be_read_alone():
    for column in COLUMNS.values():
        assert not column.meaning.startswith(("the same", "this", "it "))


def test_every_column_that_a_rule_needs_has_a_meaning():
    needs = {name for spec in RULES for name in spec.make({}).needs}
    assert needs
    assert all(meaning_of(name) for name in needs)
    assert meaning_of("my.column") == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (1000.0, "1,000"), (0.05341, "0.0534"), (2.36e23, "2.36e+23"), ("nan", "nan")],
)
def test_values_are_short(value, text):
    assert format_value(value) == text


# --- the pages of rules


@pytest.mark.parametrize("spec", RULES, ids=lambda spec: spec.name)
def test_the_page_of_a_rule_explains_it_and_each_threshold(spec, docs_script):
    text = read_page(spec.build)
    positions = [text.index(section) for section in SECTIONS]
    assert positions == sorted(positions)
    assert positions[0] > 100
    assert "\n    gankit run " in text
    *_, thresholds = docs_script("write_findings").split_text(text)
    assert set(thresholds) == set(spec.options())
    assert all(thresholds.values())


def test_show_prints_the_page_without_marks(gankit_cli):
    output = gankit_cli("show", "mode-collapse", "--no-code").out
    for text in ("What you see:", "The usual cause:", "doctor.near", "alike: the variety"):
        assert text in output
    assert "##" not in output
    assert "`" not in output


def test_a_part_without_a_page_is_shown_as_before(gankit_cli):
    output = gankit_cli("show", "noisy-d", "--no-code").out
    assert "What you see" not in output
    assert "sigma: standard deviation" in output


# --- what the command prints


def test_evidence_has_its_value_and_its_meaning():
    text = "\n".join(describe(diagnosis(report(), verdict="d-dominates")))
    joined = " ".join(text.split())
    assert f"doctor.auc 1: {meaning_of('doctor.auc')}" in joined
    assert "my.column 0.5 steps 1,000:" in joined
    for part in ("since step 120", "Hold D back.", "D may still teach G.", "gankit lesson 6"):
        assert part in joined


def test_the_command_stays_on_one_line_and_all_else_fits(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    finding = report()
    lines = describe(diagnosis(finding, verdict="d-dominates"))
    assert f"   {finding.command}" in lines
    assert max(len(line) for line in lines if finding.command not in line) <= 40


def test_a_consequence_sends_to_its_cause():
    lines = describe(diagnosis(report(because="step-size"), verdict="step-size"))
    assert any("step-size" in line for line in lines[2:])
    assert not any("gankit run" in line or "doctor.auc" in line for line in lines)


def test_the_verdict_is_explained_only_if_no_finding_does():
    assert "The verdict." in "\n".join(describe(diagnosis()))
    assert "The verdict." not in "\n".join(describe(diagnosis(report(), verdict="d-dominates")))


def test_rules_that_could_not_be_asked_are_named_with_their_columns():
    assert any("stalled (doctor.far)" in line for line in describe(diagnosis()))


def test_an_ended_finding_has_its_end():
    lines = describe(diagnosis(report(until=300)))
    assert any("until step 300" in line for line in lines)
    assert any("What would have helped: Hold D back." in line for line in lines)


def test_notes_need_no_cure_only_where_pictures_get_better():
    notes = diagnosis(report(kind="note"), verdict="d-dominates")
    assert "need no cure" in " ".join(describe(notes))
    stuck = dataclasses.replace(notes, gets_better=False)
    assert "need no cure" not in " ".join(describe(stuck))
    assert "the pictures do not get better" in " ".join(describe(stuck))


# --- the command


def test_json_has_every_finding_with_all_its_parts(gankit_cli, trained):
    answer = gankit_cli("doctor", trained, "--json", "--rule", "too-few-pictures:passes=0.1")
    found = json.loads(answer.out)
    assert (answer.code, answer.err) == (0, "")
    (finding,) = [f for f in found["findings"] if f["name"] == "too-few-pictures"]
    parts = {"kind", "since", "until", "evidence", "text", "cure", "command", "source", "lesson"}
    assert parts < set(finding)


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        ("stale:gain=1", ("stale", "stalled")),
        ("stalled:gian=1", ("gian", "gain")),
        ("stalled:gain=much", ("gain", "much")),
    ],
)
def test_a_bad_threshold_is_named(gankit_cli, trained, rule, parts):
    answer = gankit_cli("doctor", trained, "--rule", rule)
    assert answer.code == 2
    assert len(answer.err.splitlines()) == 1
    assert all(part in answer.err for part in parts)
