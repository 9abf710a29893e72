"""What holds for every lesson as it is written."""

import re
import tokenize

import pytest
from gankit_lessons import lesson as reading


@pytest.fixture
def path(lesson_path, number):
    return lesson_path(number)


class TestStructure:
    """A lesson is short and commented, and says what it is for."""

    def test_length(self, path):
        """The exercise at the end is counted separately."""
        exercise = reading.read(path).exercise
        assert 60 <= exercise.line - 2 - exercise.prose.count("\n") - 1 <= 208
        assert len(lines(path)) - exercise.line < 12

    def test_comments(self, path):
        with path.open(encoding="utf-8") as file:
            tokens = list(tokenize.generate_tokens(file.readline))
        commented = {token.start[0] for token in tokens if token.type == tokenize.COMMENT}
        assert 0.2 <= len(commented) / len(lines(path)) <= 0.35

    def test_has_all_labels(self, path):
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


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def test_each_lesson_names_the_parts_that_refer_to_it(registry, lesson_path):
    for kind in ("dataset", "loss", "trick", "generator", "discriminator"):
        for spec in registry.specs(kind):
            if spec.lesson:
                text = lesson_path(spec.lesson).read_text(encoding="utf-8").lower()
                assert spec.name in text, f"{kind} {spec.name}"


def test_an_unanswered_exercise_prints_nothing(number, path, capsys):
    *_, exercise = path.read_text(encoding="utf-8").split("# %%\n")
    assert exercise.startswith("# Exercise. ")
    assert "\nanswer = None\n" in exercise
    exec(exercise, {})
    assert capsys.readouterr().out == ""
