"""`gankit patient`: lists broken runs, makes them, gives hints, and grades names and cures."""

import builtins
import dataclasses
import json
import shutil
import subprocess
import sys

import pytest
from gankit_doctor.cases.all_cases import CASES
from gankit_doctor.cases.case import Case
from gankit_doctor.cures import one_d_step
from gankit_doctor.diagnosis import cured_command
from gankit_lessons.patients import command, examination, train
from gankit_lessons.patients.cure import MAY_CHANGE, read_cure
from gankit_lessons.patients.grade import BETTER, Grade, explain, is_better
from gankit_lessons.patients.patients import HEALTHY, ILLNESSES, PATIENTS, Patient

from gankit.core.errors import GankitError, RunFailed, RunStopped
from gankit.core.run.settings import command_line, option
from gankit.training.run_folder.run_file import load_run, write_run

SICK = Case(
    "sick",
    {
        "dataset": "petals:count=64",
        "model": "dcgan64:base_channels=4",
        "image_size": 16,
        "batch_size": 8,
        "steps": 4,
        "lr_d": 2e-3,
        "tricks": "none",
        "device": "cpu",
        "precision": "32",
        "log_every": 2,
    },
    "tuning",
    ("d-dominates",),
    "D learns too fast",
)


@pytest.fixture
def sick(monkeypatch):
    """Patient 7 is a run of four steps, and its pictures are not measured but 100."""
    monkeypatch.setitem(PATIENTS, 7, Patient(7, SICK, "--lr-d 2e-4"))
    monkeypatch.setattr(examination, "_measure", lambda run, registry: 100.0)
    return PATIENTS[7]


@pytest.fixture(scope="session")
def made(tmp_path_factory, registry):
    """A folder in which patient 7, as above, was made."""
    folder = tmp_path_factory.mktemp("patients") / "07"
    train.make_patient(Patient(7, SICK, ""), folder, registry)
    return folder


@pytest.fixture
def ward(here, made, sick):
    """The working folder, with patient 7 made in it."""
    shutil.copytree(made, here / "patients" / "07")
    return here / "patients" / "07"


@pytest.fixture
def answer(gankit_cli, ward):
    """`answer("d-dominates", "--lr-d 1e-4")`: the exit code and output of that answer."""
    return lambda name, cure: gankit_cli("patient", 7, "--name", name, "--cure", cure)


class TestPatients:
    """What is in the list, and what must not be."""

    @pytest.mark.parametrize("patient", [*PATIENTS.values()], ids=lambda item: item.case.name)
    def test_each_has_names_hints_and_a_cure_that_may_be_given(self, patient, registry, here):
        run = train.compose(registry, **patient.case.settings, out=str(here / "run"))
        if patient.number == HEALTHY:
            assert not patient.names
            return
        rules = {spec.name for spec in registry.specs("rule")}
        assert set(patient.names) <= rules
        assert len(set(patient.hints)) == 3
        assert patient.names[0] in patient.hints[2]
        assert not any(name in hint for name in rules for hint in patient.hints[:2])
        write_run(dataclasses.replace(run, steps=480))
        cured = read_cure(patient.cure, load_run(here / "run"), registry)
        assert cured.steps == 480

    def test_every_illness_with_hints_is_a_patients(self):
        names = {patient.names[0] for patient in PATIENTS.values() if patient.names}
        assert set(ILLNESSES) == names

    def test_the_list_gives_nothing_away(self, gankit_cli):
        code, out, _ = gankit_cli("patient")
        assert code == 0
        for patient in PATIENTS.values():
            words = (*patient.names, patient.case.name, *patient.cure.split()[:1])
            assert not any(word in out for word in words if word != "plain")
        assert out.count("480 steps") + out.count("240 steps") == len(PATIENTS)

    def test_the_key_has_all_names_and_cures(self, gankit_cli):
        out = gankit_cli("patient", "--key").out
        for patient in PATIENTS.values():
            assert all(name in out for name in patient.names)
            assert patient.cure in out
        only = gankit_cli("patient", "--key", 7).out
        assert PATIENTS[7].cure in only
        assert len(only.splitlines()) == 2


class TestMaking:
    def test_it_is_made_without_a_word_about_what_is_wrong(self, gankit_cli, sick, here):
        code, out, err = gankit_cli("patient", 7)
        assert code == 0
        folder = here / "patients" / "07"
        assert (folder / "run" / "samples").is_dir()
        page = (folder / "report.html").read_text(encoding="utf-8")
        for text in (out, err, page):
            assert "d-dominates" not in text
            assert "lr-d" not in text
            assert "0.002" not in text
        assert not (folder / "run" / "doctor.json").exists()
        assert "doctor.json" not in str(list(folder.rglob("*")))
        assert "--name" in out
        assert "--cure" in out

    def test_it_is_made_once(self, gankit_cli, ward):
        before = (ward / "run" / "log.csv").stat().st_mtime_ns
        assert gankit_cli("patient", 7).code == 0
        assert (ward / "run" / "log.csv").stat().st_mtime_ns == before

    def test_an_unfinished_one_begins_anew(self, gankit_cli, ward):
        log = ward / "run" / "log.csv"
        lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
        log.write_text("".join(lines[:-1]), encoding="utf-8")
        assert gankit_cli("patient", 7).code == 0
        assert len(log.read_text(encoding="utf-8").splitlines()) == len(lines)

    def test_another_run_in_its_place_is_not_touched(self, gankit_cli, ward, trained):
        shutil.rmtree(ward / "run")
        shutil.copytree(trained, ward / "run")
        code, _, err = gankit_cli("patient", 7)
        assert code == 2
        assert "--out" in err
        assert (ward / "run" / "checkpoints").is_dir()

    @pytest.mark.parametrize("name", ["patients", "patients/07"])
    def test_a_file_in_the_way(self, gankit_cli, sick, here, name):
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_text("mine", encoding="utf-8")
        code, _, err = gankit_cli("patient", 7)
        assert code == 2
        assert len(err.splitlines()) == 1
        assert (here / name).read_text(encoding="utf-8") == "mine"

    def test_ctrl_c_while_it_trains(self, gankit_cli, sick, here, monkeypatch):
        def stopped(run, registry, **options):
            error = RunStopped("stopped: gankit run --resume patients/07/run", 130)
            error.step = 3
            raise error

        monkeypatch.setattr(train, "train", stopped)
        code, _, err = gankit_cli("patient", 7)
        assert code == 130
        assert "step 3" in err
        assert "--resume" not in err  # which would print what is wrong
        assert len(err.splitlines()) == 1

    def test_a_second_start_at_the_same_time(self, gankit_cli, ward):
        other = "from gankit.core.files.file_lock import new_lock; import pathlib, sys\n"
        other += "lock = new_lock(pathlib.Path('patients/07/.running')); lock.acquire()\n"
        other += "print('locked', flush=True); sys.stdin.read()"
        pipe = subprocess.PIPE
        with subprocess.Popen([sys.executable, "-c", other], stdin=pipe, stdout=pipe) as process:
            process.stdout.readline()
            code, _, err = gankit_cli("patient", 7)
            process.stdin.close()
        assert code == 2
        assert "is running" in err
        assert len(err.splitlines()) == 1

    @pytest.mark.parametrize(
        "words",
        [("--hint", "--name", "stalled"), ("--key", "--hint"), ("--key", "--cure", "--lr-d 1e-4")],
    )
    def test_two_tasks_at_once_are_refused(self, gankit_cli, here, words):
        code, out, err = gankit_cli("patient", 7, *words)
        assert (code, out) == (2, "")
        assert "different tasks: give one of them" in err

    def test_it_can_be_made_elsewhere(self, gankit_cli, sick, here):
        assert gankit_cli("patient", 7, "--out", "elsewhere").code == 0
        assert (here / "elsewhere" / "07" / "run" / "run.json").exists()

    def test_the_run_is_that_of_gankit_run(self, ward, registry, here):
        settings = {**SICK.settings, "seed": 0, "out": str(here / "plain")}
        train.train(train.compose(registry, **settings), registry)
        grids = [folder / "samples" / "000004.png" for folder in (ward / "run", here / "plain")]
        assert grids[0].read_bytes() == grids[1].read_bytes()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["77"], "'77'"),
        (["seven"], "'seven'"),
        (["7", "3"], "one patient"),
        (["--hint"], "--hint"),
        (["--name", "stalled"], "--name"),
        (["0", "--hint"], "healthy"),
        (["0", "--name", "stalled"], "healthy"),
        (["7", "--json"], "--results"),
        (["7", "--name", "d-dominate"], "'d-dominates'"),
        (["--results"], "--results"),
        (["--results", "nowhere"], "nowhere"),
    ],
)
def test_bad_input(gankit_cli, sick, words, expected):
    code, out, err = gankit_cli("patient", *words)
    assert code == 2
    assert expected in err
    assert len(err.splitlines()) == 1
    assert "Traceback" not in out + err


class TestCure:
    """What a cure may change."""

    def test_it_changes_the_patient_and_nothing_else(self, ward, registry):
        patient = load_run(ward / "run")
        cured = read_cure("--lr-d 1e-4 --trick r1:gamma=1", patient, registry)
        assert cured.lr_d == 1e-4
        assert [str(trick) for trick in cured.tricks] == ["r1:gamma=1"]
        same = ("dataset", "model", "seed", "steps", "batch_size", "image_size", "lr_g", "out")
        assert all(getattr(cured, name) == getattr(patient, name) for name in same)

    def test_a_whole_command_may_be_pasted(self, ward, registry):
        patient = load_run(ward / "run")
        command = command_line(dataclasses.replace(patient, lr_d=1e-4))
        cured = read_cure(command, patient, registry)
        assert cured == dataclasses.replace(patient, lr_d=1e-4, fingerprint="")

    def test_fewer_updates_of_d_leave_time_for_more_steps(self, ward, registry):
        patient = dataclasses.replace(load_run(ward / "run"), d_steps=4)  # 4 steps: 20 updates
        write_run(patient)
        cured = read_cure("--d-steps 1 --steps 10", patient, registry)
        assert (cured.d_steps, cured.steps, cured.length) == (1, 10, "10 steps")
        assert read_cure("--d-steps 1", patient, registry).steps == 4
        for words in ("--d-steps 1 --steps 12", "--d-steps 1 --steps 5", "--lr-d 1e-4 --steps 10"):
            with pytest.raises(GankitError, match="shorter or longer"):
                read_cure(words, patient, registry)

    def test_the_command_of_the_doctor_is_a_cure(self, ward, registry):
        patient = dataclasses.replace(load_run(ward / "run"), d_steps=4)
        write_run(patient)
        cured = read_cure(cured_command(patient, one_d_step(patient)), patient, registry)
        assert (cured.d_steps, cured.steps) == (1, 10)

    def test_a_trick_can_be_added(self, ward, registry):
        cured = read_cure("--trick +ema", load_run(ward / "run"), registry)
        assert [str(trick) for trick in cured.tricks] == ["ema"]

    @pytest.mark.parametrize(
        ("cure", "expected"),
        [
            ("--steps 900", "--steps"),
            ("--kimg 4", "--steps"),
            ("--dataset ihc", "--dataset"),
            ("--model skip64 --image-size 16", "--model"),
            ("--seed 3", "--seed"),
            ("--batch-size 64", "--batch-size"),
            ("--subset 10", "--subset"),
            ("--generator light --discriminator modern", "another model"),
            ("--lr-d 2e-3", "changes nothing"),
            ("--resume runs/x", "--resume"),
            ("--dry-run", "--dry-run"),
            ("--loss 'hinge", "quotation mark"),
            ("better", "'better'"),
            ("gankit run", "--cure is empty"),
            ("--loss hing", "hinge"),
        ],
    )
    def test_a_cure_that_is_refused(self, answer, cure, expected):
        code, _, err = answer("d-dominates", cure)
        assert code == 2
        assert expected in err
        assert len(err.splitlines()) == 1

    def test_a_refusal_names_what_may_be_changed(self, answer):
        err = answer("d-dominates", "--seed 3").err
        assert all(option(name) in err for name in MAY_CHANGE)

    def test_a_refused_cure_trains_and_writes_nothing(self, answer, ward):
        answer("d-dominates", "--steps 900")
        assert not (ward / "result.json").exists()
        assert not (ward / "try-1").exists()


@pytest.fixture
def behaves(monkeypatch):
    """`behaves(after=60, findings=[])`: a cured run's distance and findings; 100 before."""

    def set_behaviour(after, findings=()):
        def measure(run, registry):
            return 100.0 if run.folder.name == "run" else after

        monkeypatch.setattr(examination, "_measure", measure)
        monkeypatch.setattr(examination, "open_findings", lambda run, registry: list(findings))

    return set_behaviour


class TestGrade:
    """Behaviour is graded, and the name apart from it."""

    @pytest.mark.parametrize(
        ("after", "findings", "grade"),
        [
            (60.0, [], "healed"),
            (60.0, ["stalled"], "healed"),
            (60.0, ["d-dominates"], "still-ill"),
            (95.0, [], "no-better"),
            (None, [], "no-better"),
            (120.0, ["d-dominates"], "unchanged"),
        ],
    )
    @pytest.mark.parametrize("name", ["d-dominates", "stalled"])
    def test_each_kind(self, answer, behaves, ward, after, findings, grade, name):
        behaves(after, findings)
        code, out, _ = answer(name, "--lr-d 1e-4")
        assert code == 0
        (entry,) = json.loads((ward / "result.json").read_text(encoding="utf-8"))["tries"]
        assert entry["grade"] == grade
        assert entry["is_named"] is (name == "d-dominates")
        assert entry["is_healed"] is (grade == "healed")
        assert ("is right" in out) is (name == "d-dominates")
        assert ("it heals" in out) is (grade == "healed")
        if name != "d-dominates" and grade == "healed":
            assert "d-dominates" not in out.partition("compare")[0]

    def test_a_cure_that_fails_in_training(self, answer, monkeypatch, ward):
        def fail(run, registry, label):
            raise RunFailed("d_loss is nan at step 3", 1)

        monkeypatch.setattr(examination, "train_anew", fail)
        code, out, _ = answer("d-dominates", "--lr-d 0.9")
        assert code == 0
        assert "d_loss is nan" in out
        (entry,) = json.loads((ward / "result.json").read_text(encoding="utf-8"))["tries"]
        assert entry["grade"] == "failed"
        assert entry["is_healed"] is False

    def test_tries_are_kept_and_numbered(self, answer, behaves, ward):
        behaves(100.0)
        answer("stalled", "--lr-d 1e-4")
        behaves(50.0)
        answer("d-dominates", "--lr-d 2e-4")
        record = json.loads((ward / "result.json").read_text(encoding="utf-8"))
        assert [entry["folder"] for entry in record["tries"]] == ["try-1", "try-2"]
        assert [entry["cure"] for entry in record["tries"]] == ["--lr-d 1e-4", "--lr-d 2e-4"]
        assert load_run(ward / "try-2").lr_d == 2e-4
        page = (ward / "report.html").read_text(encoding="utf-8")
        assert page.count("<h2>try-") == 2

    def test_a_small_gain_is_none(self):
        assert is_better(100.0, 100 * BETTER - 1)
        assert not is_better(100.0, 100 * BETTER + 1)
        assert is_better(None, 50.0)
        assert not is_better(100.0, None)

    def test_new_findings_are_told(self):
        grade = Grade(
            name="d-dominates", cure="--lr-d 1", command="", folder="try-1", is_named=True,
            is_gone=True, is_better=False, before=1.0, after=1.0, findings=["diverging"],
        )  # fmt: skip
        assert any("diverging" in line for line in explain(grade, ("d-dominates",)))

    def test_a_damaged_result_is_refused(self, answer, ward):
        (ward / "result.json").write_text('{"patient": 7, "tries": [3]}', encoding="utf-8")
        code, _, err = answer("d-dominates", "--lr-d 1e-4")
        assert code == 2
        assert "result.json" in err
        assert len(err.splitlines()) == 1


class TestHints:
    def test_three_steps_and_no_more(self, gankit_cli, ward, sick):
        shown = [gankit_cli("patient", 7, "--hint").out.splitlines() for _ in range(4)]
        assert [len(lines) for lines in shown] == [1, 2, 3, 3]
        assert "d-dominates" not in " ".join(shown[1])
        assert "d-dominates" in shown[2][-1]
        record = json.loads((ward / "result.json").read_text(encoding="utf-8"))
        assert record["hints"] == 3


@pytest.fixture
def types(monkeypatch):
    """`types("h", "stalled")`: what is typed in a terminal, line by line, then the end."""

    def set_lines(*lines):
        remaining = list(lines)

        def read(prompt=""):
            if not remaining:
                raise EOFError
            line = remaining.pop(0)
            if isinstance(line, BaseException):
                raise line
            return line

        monkeypatch.setattr(builtins, "input", read)
        monkeypatch.setattr(command, "is_terminal", lambda stream: True)
        monkeypatch.setattr(command, "has_windows", lambda: False)

    return set_lines


class TestAsking:
    """In a terminal, gankit asks until it can read the answer."""

    def test_nonsense_is_asked_for_again(self, gankit_cli, ward, behaves, types):
        behaves(50.0)
        types("", "flu", "D-Dominates", "more steps", "--lrr 1", "--steps 9", "--lr-d 1e-4")
        code, out, _ = gankit_cli("patient", 7)
        assert code == 0
        assert "'flu'" in out
        assert "--lrr" in out
        assert "it heals" in out

    def test_a_hint_is_noted(self, gankit_cli, ward, behaves, types):
        behaves(50.0)
        types("h", "h", "d-dominates", "--lr-d 1e-4")
        out = gankit_cli("patient", 7).out
        assert "hint 2 of 3" in out
        record = json.loads((ward / "result.json").read_text(encoding="utf-8"))
        assert record["hints"] == 2
        assert len(record["tries"]) == 1

    @pytest.mark.parametrize("lines", [["q"], ["d-dominates", "q"], []])
    def test_quit(self, gankit_cli, ward, types, lines):
        types(*lines)
        assert gankit_cli("patient", 7).code == 0
        assert not (ward / "result.json").exists()

    def test_ctrl_c(self, gankit_cli, ward, types):
        types(KeyboardInterrupt())
        code, _, err = gankit_cli("patient", 7)
        assert code == 130
        assert len(err.split("\n")) == 3  # a line break after the prompt, and the message

    @pytest.mark.parametrize(("given", "missing"), [("--name", "--cure"), ("--cure", "--name")])
    def test_half_an_answer_without_a_terminal(self, gankit_cli, ward, given, missing):
        value = "d-dominates" if given == "--name" else "--lr-d 1e-4"
        code, _, err = gankit_cli("patient", 7, given, value)
        assert code == 2
        assert err.startswith(f"gankit: {missing}")


class TestResults:
    """A class's table, from the folders of its students."""

    @pytest.fixture
    def students(self, answer, behaves, ward, gankit_cli, here):
        behaves(50.0)
        answer("d-dominates", "--lr-d 1e-4")
        shutil.copytree(here / "patients", here / "anna" / "patients")
        (ward / "result.json").unlink()
        answer("stalled", "--lr-d 1e-4")
        shutil.copytree(here / "patients", here / "ben")
        (ward / "result.json").unlink()
        gankit_cli("patient", 7, "--hint")
        shutil.copytree(here / "patients", here / "carl" / "patients")
        return "anna", "ben", "carl"

    def test_the_table(self, gankit_cli, students):
        lines = gankit_cli("patient", "--results", *students).out.splitlines()
        rows = {line.split()[0]: line.split()[1:] for line in lines[1:4]}
        assert rows == {"anna": ["both", "1"], "ben": ["cured", "0"], "carl": ["tried+", "0"]}
        assert len(lines[0].split()) == len(PATIENTS) + 1  # student, patients but one, solved

    def test_json(self, gankit_cli, students):
        record = json.loads(gankit_cli("patient", "--results", *students, "--json").out)
        (anna, ben, carl) = record["students"]
        assert anna["patients"]["7"] == {"named": True, "healed": True, "tries": 1, "hints": 0}
        assert ben["patients"]["7"]["named"] is False
        assert carl["patients"]["7"]["hints"] == 1

    def test_the_list_shows_what_was_done(self, gankit_cli, students):
        out = gankit_cli("patient").out
        assert "tried" in out

    def test_a_damaged_result_is_told_and_all_others_are_shown(self, gankit_cli, students, here):
        for folder in (here, here / "anna"):
            (folder / "patients" / "08").mkdir()
            (folder / "patients" / "08" / "result.json").write_text("{")
        answer = gankit_cli("patient", "--results", *students)
        assert answer.code == 0
        assert "08" in answer.err
        assert "left out" in answer.err
        assert answer.out.splitlines()[1].split() == ["anna", "both", "1"]
        shutil.rmtree(here / "anna" / "patients" / "07")
        alone = gankit_cli("patient", "--results", "anna")
        assert alone.out.splitlines()[1].split() == ["anna", "0"]
        answer = gankit_cli("patient")
        assert answer.code == 0
        assert "not valid JSON" in answer.out or "result.json" in answer.out
        assert f"{max(PATIENTS):3}  " in answer.out

    def test_a_folder_without_results(self, gankit_cli, here):
        (here / "empty").mkdir()
        code, _, err = gankit_cli("patient", "--results", "empty")
        assert code == 2
        assert "empty" in err


def test_a_cured_run_is_examined_and_measured(ward, registry, monkeypatch):
    """The real doctor and the real measure, on a run of four steps."""
    monkeypatch.undo()
    run = load_run(ward / "run")
    assert examination.open_findings(run, registry) == []
    assert examination._measure(run, registry) > 0


def test_a_run_that_cannot_be_measured(registry, here, trained):
    shutil.copytree(trained, here / "run")
    shutil.rmtree(here / "run" / "checkpoints")
    assert examination._measure(load_run(here / "run"), registry) is None


def test_each_case_of_a_patient_is_in_the_bench():
    assert all(CASES[patient.case.name] is patient.case for patient in PATIENTS.values())
    with pytest.raises(GankitError):
        command.find_patient("²")
