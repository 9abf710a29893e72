"""The page that a run writes when it ends, and how it is switched off."""

import errno

import pytest
from gankit_report import page

from gankit import GankitError, RunFailed, compose, load_run, train
from gankit.core.run.settings import command_line


def test_the_last_line_names_the_page(gankit_run, here):
    code, out, _ = gankit_run("--out", "a")
    assert code == 0
    *_, last = out.splitlines()
    assert last.startswith("report:")
    assert str(here / "a" / "report.html").endswith(last.split()[1])
    assert (here / "a" / "report.html").read_text().startswith("<!doctype html>")


def test_it_is_switched_off_and_on_again_with_resume(gankit_run, gankit_cli, here):
    code, out, _ = gankit_run("--no-report", "--out", "a")
    assert code == 0
    assert "report:" not in out
    assert {path.name for path in (here / "a").iterdir()} & {"report.html", "d-view"} == set()
    assert gankit_cli("run", "--resume", "a", "--steps", 8, "--report").code == 0
    assert (here / "a" / "report.html").exists()
    assert load_run(here / "a").report


def test_it_is_a_setting_like_others(monkeypatch, gankit_run, here):
    assert "--no-report" in command_line(compose(report=False)).split()
    assert "report" not in command_line(compose(dataset="petals"))
    with pytest.raises(GankitError, match="report is 'no'"):
        compose(report="no")
    monkeypatch.setenv("GANKIT_RUN_REPORT", "0")
    assert gankit_run("--out", "a").code == 0
    assert not (here / "a" / "report.html").exists()


def test_a_run_that_was_stopped_or_failed_has_its_page(tiny, here):
    train(compose(**tiny(out="a")), stop=lambda: True)
    assert (here / "a" / "report.html").exists()
    with pytest.raises(RunFailed):
        train(compose(**tiny(out="b")), stop=lambda: 1 / 0)
    assert (here / "b" / "report.html").exists()


@pytest.mark.parametrize(
    ("error", "facts"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), ["free disk space"]),
        (ZeroDivisionError("a mistake"), ["a mistake"]),
    ],
)
def test_a_page_that_cannot_be_written_costs_one_line(gankit_run, here, monkeypatch, error, facts):
    def fail(folders, out):
        raise error

    monkeypatch.setattr(page, "write_report", fail)
    code, out, err = gankit_run("--out", "a")
    assert code == 0
    assert "report:" not in out
    (line,) = [line for line in err.splitlines() if "report" in line]
    assert all(fact in line for fact in [*facts, "report.html", "gankit report a"])
    assert (here / "a" / "checkpoints" / "step-000004").exists()


def test_a_quiet_run_prints_nothing_of_its_page(tiny, here, capsys):
    train(compose(**tiny(out="a")), quiet=True)
    assert "report" not in capsys.readouterr().out
    assert (here / "a" / "report.html").exists()
