"""The question of each stop, which the page asks before it shows the answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from gankit.core.randomness import derive_seed
from gankit_unfold.study import Judged, UnfoldedStep

RATIOS = {"10 %": 0.1, "1 %": 0.01, "0.1 %": 0.001, "0.01 %": 0.0001}  # sizes of an update


@dataclass(frozen=True)
class Question:
    """A question with one right answer."""

    text: str
    answer: str  # one of the choices, or a whole number
    choices: tuple[str, ...] = ()  # none: the answer is a number
    highest: int = 0  # of a number, from 0
    tolerance: int = 0  # a number may differ by so much
    pictures: tuple[Judged, ...] = field(default=())  # one for each choice


def questions_of(step: UnfoldedStep) -> list[Question]:
    """The questions of the ten stops, in order."""
    return [*_questions_about_d(step), *_questions_about_g(step)]


def _questions_about_d(step: UnfoldedStep) -> list[Question]:
    count = len(step.fakes)
    least = min(real.answer for real in step.reals)
    believed = sum(fake.answer > least for fake in step.fakes)
    middle = _mean([each.middle for each in (*step.reals, *step.fakes)])
    change = _mean([fake.answer_after - fake.answer for fake in step.fakes])
    return [
        _which_is_fake(step),
        Question(
            f"D believes one of the {count} reals least. How many of the {count} fakes does D "
            "believe more than that real?",
            str(believed),
            highest=count,
        ),
        _most_costly(step),
        Question(
            "The middle quarter of a picture is 25 % of its pixels. How many percent of what moves "
            "D's answer lies there, over all these pictures? 10 more or less is right.",
            str(round(100 * middle)),
            highest=100,
            tolerance=10,
        ),
        Question(
            "D takes its step. Will it believe these fakes more than before, or less?",
            "more" if change > 0 else "less",
            ("more", "less"),
        ),
    ]


def _questions_about_g(step: UnfoldedStep) -> list[Question]:
    count = len(step.lessons)
    numbers = tuple(str(number) for number in range(1, count + 1))
    grown = sum(each.answer_after > each.answer_before for each in step.lessons)
    return [
        _most_costly_for_g(step, numbers),
        Question(
            "Which fake gets the strongest message from D: where would a small change help most?",
            numbers[_highest([each.strength for each in step.lessons])],
            numbers,
        ),
        Question(
            "Over all its pixels, does D want fake 1 to be brighter or darker?",
            "brighter" if step.lessons[0].brighter > 0 else "darker",
            ("brighter", "darker"),
        ),
        _size_of_update(step),
        Question(
            f"G draws from the same z again. How many of the {count} new pictures does D believe "
            "more than the old ones?",
            str(grown),
            highest=count,
        ),
    ]


def _which_is_fake(step: UnfoldedStep) -> Question:
    """A pair that is hard for D: the least believed real, and the most believed fake."""
    real = min(step.reals, key=lambda each: each.answer)
    fake = max(step.fakes, key=lambda each: each.answer)
    is_fake_first = derive_seed(0, step.step, "order of a pair") % 2 == 0
    return Question(
        "You are D. One of these two pictures is real, the other is a fake. Which is the fake?",
        "A" if is_fake_first else "B",
        ("A", "B"),
        pictures=(fake, real) if is_fake_first else (real, fake),
    )


def _most_costly(step: UnfoldedStep) -> Question:
    """Which picture costs D most; or which pair, with a loss of pairs."""
    count = len(step.reals)
    reals = [each.loss for each in step.reals]
    fakes = [each.loss for each in step.fakes]
    kinds = ("pair",) if step.has_pairs else ("real", "fake")
    choices = tuple(f"{kind} {number}" for kind in kinds for number in range(1, count + 1))
    values = [*reals] if step.has_pairs else [*reals, *fakes]
    losses = [value for value in values if value is not None]
    if len(losses) < len(values):  # the loss cannot be split
        return Question(
            "Which is larger in this step: D's loss or G's?",
            "D's" if step.numbers["d_loss"] > step.numbers["g_loss"] else "G's",
            ("D's", "G's"),
        )
    text = f"Which {' or '.join(kinds)} costs D most?"
    return Question(text, choices[_highest(losses)], choices)


def _most_costly_for_g(step: UnfoldedStep, numbers: tuple[str, ...]) -> Question:
    losses = [each.loss for each in step.lessons if each.loss is not None]
    if len(losses) < len(step.lessons):  # the loss cannot be split
        answers = [each.answer for each in step.lessons]
        text = "Which fake does D believe most now?"
        return Question(text, numbers[_highest(answers)], numbers)
    return Question("Which fake costs G most?", numbers[_highest(losses)], numbers)


def _size_of_update(step: UnfoldedStep) -> Question:
    """The size of G's update, as the nearest of four shares of its weights."""
    update = sum(layer.update**2 for layer in step.g_layers) ** 0.5
    weight = sum(layer.weight**2 for layer in step.g_layers) ** 0.5
    share = max(update / max(weight, 1e-30), 1e-12)
    nearest = min(RATIOS, key=lambda name: max(RATIOS[name] / share, share / RATIOS[name]))
    return Question(
        "How large is G's update, as a share of its weights? Choose the nearest.",
        nearest,
        tuple(RATIOS),
    )


def _highest(values: list[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
