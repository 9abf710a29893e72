"""Lesson 16 runs to its end in a short form, hides what is wrong, and compares the cures."""

import re

LESSONS = {16: (["'d-too-weak'"], ["'d-dominates'", "'stalled'", "3"])}


def test_picture_and_exercise(number, check_picture_and_answers):
    check_picture_and_answers(number, *LESSONS[number])


def test_what_is_wrong_is_not_printed_before_it_is_asked(lesson):
    output = lesson(16).output
    before = output.partition("look, before you read on")[0]
    assert before.count(" steps") == 3
    assert not re.search(r"lr|trick|loss|dominates|weak|stalled", before)


def test_each_patient_is_cured_by_what_the_lesson_says(lesson):
    run = lesson(16)
    patients = run.variables["PATIENTS"]
    numbers = run.variables["NUMBERS"]
    assert [patients[number].names[0] for number in numbers] == [
        "d-dominates",
        "d-too-weak",
        "stalled",
    ]
    healthy = patients[0].case.settings
    for number, cure in run.variables["CURES"].items():
        assert {**patients[number].case.settings, **cure} == healthy
    assert len(re.findall(r"swd \d+, then \d+", run.output)) == 3
