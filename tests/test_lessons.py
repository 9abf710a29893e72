"""Lessons run and look alike; lesson 1, written by hand, equals the core bit for bit."""

import re
import runpy
import tokenize
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from gankit_lessons import lesson as reading
from gankit_lessons.session import Session
from PIL import Image

import gankit
from gankit import assemble
from gankit.composing import compose

LESSONS = sorted((Path(__file__).parents[1] / "lessons").glob("[0-9]*.py"))
STEPS = 8
LESSON_1 = {
    "dataset": "petals",
    "model": "dcgan64:base_channels=32",
    "loss": "non-saturating",
    "tricks": "none",
    "batch_size": 32,
    "seed": 0,
    "holdout": 0.0,
    "optimizer": "plain",
    "memory_format": "contiguous",
    "precision": "32",
    "device": "cpu",
}
ANSWERS = {  # of the exercises, as a learner types them: a right one, a wrong one
    1: ("0.325", "0"),
    2: ("'flip-labels:which=both,p=0.2'", "'flip-labels:p=0.2'"),
    3: ("(9, 3)", "(3, 0)"),
    4: ('{"image_size": 32, "classes": ["cold"], "fit": "pad", "channels": 1}', "{}"),
    5: ('[letters[one] for one in "ABCDE"]', '[letters[one] for one in "BCDEA"]'),
    6: ("0.65", "0.35"),
    7: ("'noisy-d'", "'ema'"),
    8: ("(-11.95, 5.95)", "(-6, 1)"),
    9: ("4096 * 2048 * 4 * 4", "4096 * 2048"),
    10: ("4 / 9", "0.55"),
    11: ("0.8", "1.3"),
    12: ("5", "10"),
    13: ("2", "1"),
    14: ("'after_update'", "'d_input'"),
    15: ("0.8", "0.2"),
}


@pytest.fixture(scope="module")
def lesson_1(tmp_path_factory, apart):
    """What lesson 1 leaves behind after a few steps: its variables and the folder it ran in."""
    folder = tmp_path_factory.mktemp("lessons")
    return SimpleNamespace(folder=folder, **run_lesson(LESSONS[0], folder))


@pytest.fixture(scope="module")
def core(registry, lesson_1):
    """The same run through the core, one `Game.step` after another."""
    run = compose(registry, **LESSON_1, steps=STEPS)
    prepared = gankit.prepare(run, registry, lambda done, total: None)
    game = assemble.assemble(assemble.resolve(run, prepared), registry, prepared)
    scalars = [game.step(step) for step in range(STEPS)]
    history = [(s["d_loss"].item(), s["g_loss"].item()) for s in scalars]
    return SimpleNamespace(game=game, history=history)


def run_lesson(path, folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("GANKIT_LESSON_STEPS", str(STEPS))
        return runpy.run_path(str(path))


def test_lesson_1_has_the_losses_of_the_core(lesson_1, core):
    assert len(lesson_1.history) == STEPS
    assert lesson_1.history == core.history  # floats, every bit


@pytest.mark.parametrize("player", ["G", "D"])
def test_lesson_1_ends_with_the_weights_of_the_core(lesson_1, core, player):
    by_hand = getattr(lesson_1, player).state_dict()
    through_gankit = getattr(core.game.gan, player).net.state_dict()
    assert list(by_hand) == list(through_gankit)
    for name, tensor in by_hand.items():
        assert torch.equal(tensor, through_gankit[name]), name


def test_both_networks_learnt_something(lesson_1, core, registry):
    fresh, _ = assemble.build_gan(core.game.run, registry)
    for player in ("G", "D"):
        before = dict(getattr(fresh, player).net.named_parameters())
        after = getattr(lesson_1, player).named_parameters()
        assert not any(torch.equal(tensor, before[name]) for name, tensor in after)


def test_lesson_1_leaves_its_picture(lesson_1):
    with Image.open(lesson_1.folder / "lesson-01.png") as picture:
        assert picture.size == (512, 512)


def test_lesson_2_gets_the_same_numbers_and_leaves_its_picture(lesson_1, capsys):
    run_lesson(LESSONS[1], lesson_1.folder)
    said = capsys.readouterr().out
    assert f"{STEPS} steps by hand and through gankit: equal" in said
    for did in ("noisy-d: sigma 0", "smooth-labels: targets 0.9", "ema: decay 0."):
        assert did in said
    with Image.open(lesson_1.folder / "lesson-02.png") as picture:
        assert picture.width == 2 * picture.height + 16


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
class TestStructure:
    """A lesson is short, flat, commented, and says what it is for."""

    def test_length(self, path):
        """The exercise at the end counts for itself."""
        exercise = reading.read(path).exercise
        assert 60 <= exercise.line - 2 - exercise.prose.count("\n") - 1 <= 161
        assert len(lines(path)) - exercise.line < 12

    def test_comments(self, path):
        with path.open(encoding="utf-8") as file:
            tokens = list(tokenize.generate_tokens(file.readline))
        commented = {token.start[0] for token in tokens if token.type == tokenize.COMMENT}
        assert 0.2 <= len(commented) / len(lines(path)) <= 0.3

    def test_says_what_to_expect(self, path):
        text = path.read_text(encoding="utf-8")
        labels = "You will learn|You should know|It takes|You will see|Predict|Break it|Exercise"
        for label in labels.split("|"):
            assert re.search(rf"^{label} ", text, re.MULTILINE), label
        number = path.stem[:2]
        assert text.startswith(f'"""Lesson {int(number)}: ')
        assert re.search(r"^It takes +about \w+ minutes? on two cores", text, re.MULTILINE)
        assert f"lesson-{number}.png" in text

    def test_cells(self, path):
        assert lines(path).count("# %%") >= 5

    def test_has_no_main_and_no_arguments(self, path):
        assert "__main__" not in path.read_text(encoding="utf-8")


def test_a_part_that_names_its_lesson_is_found_there(registry):
    texts = {int(path.stem[:2]): path.read_text(encoding="utf-8").lower() for path in LESSONS}
    for kind in ("dataset", "loss", "trick", "generator", "discriminator"):
        for spec in registry.specs(kind):
            if spec.lesson:
                assert spec.name in texts[spec.lesson], f"{kind} {spec.name}"


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


# --- exercises


@pytest.fixture(scope="module")
def taken(lesson_1):
    """`taken(path)`: the variables of a lesson after a short run; each runs once."""
    done = {LESSONS[0]: vars(lesson_1)}

    def take(path):
        if path not in done:
            done[path] = run_lesson(path, lesson_1.folder)
        return done[path]

    return take


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_exercise_checks_itself(path, taken, lesson_1, monkeypatch, capsys):
    monkeypatch.chdir(lesson_1.folder)
    monkeypatch.setenv("GANKIT_LESSON_STEPS", str(STEPS))
    session = Session(reading.read(path))
    vars(session.module).update(taken(path))
    for answer, verdict in zip(ANSWERS[int(path.stem[:2])], ("Right", "Not yet"), strict=True):
        capsys.readouterr()
        assert session.check(answer) is (verdict == "Right")
        assert capsys.readouterr().out.splitlines()[-1].startswith(verdict)
