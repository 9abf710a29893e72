"""The engine: patience, two thresholds, alarms and notes, causes first, and each told once."""

import dataclasses

import pytest
from gankit_doctor.engine import (
    ALARM,
    HEALTHY,
    NOTE,
    STOP_HERE,
    TOO_EARLY,
    Engine,
    is_young,
    replay,
    verdict,
)
from histories import BETTER, WORSE, Threshold, make_history

from gankit import Finding, Seen
from gankit.core.run.stage import Stage


def named(rule_name, effects=(), **attributes):
    """A rule like Threshold, of another name, that causes others."""
    attributes = {"name": rule_name, "causes": effects, **attributes}
    return type("Other", (Threshold,), attributes)()


def trouble(length):
    return {"far": WORSE["far"][:length], "texture": 0.6}


def test_one_or_three_high_looks_are_not_a_finding(ask):
    for high in ([3], [3, 3, 3], [3, 3, 0, 0, 3, 0, 3]):
        values = [0] * 6 + high + [0] * 6
        engine, told = ask([Threshold()], x=values, **trouble(len(values)))
        assert engine.episodes == []
        assert not any(told)


def test_four_of_five_high_looks_are_a_finding_since_the_first_of_them(ask):
    values = [0] * 6 + [3, 3, 0, 3, 3, 3]
    engine, _ = ask([Threshold()], x=values, **trouble(12))
    (episode,) = engine.episodes
    assert (episode.name, episode.since, episode.until) == ("threshold", 280, None)
    assert episode.finding.evidence == {"doctor.x": 3}


def test_a_finding_that_has_begun_lasts_between_the_two_thresholds(ask):
    values = [0] * 4 + [3] * 4 + [1.5] * 6
    engine, _ = ask([Threshold()], x=values, **trouble(14))
    assert engine.episodes[0].until is None
    engine, _ = ask([Threshold()], x=[0] * 4 + [1.5] * 10, **trouble(14))
    assert engine.episodes == []


def test_a_finding_ends_after_four_of_five_silent_looks(ask):
    values = [0] * 4 + [3] * 4 + [0.5] * 3
    engine, _ = ask([Threshold()], x=values, **trouble(11))
    assert engine.episodes[0].until is None
    values.append(0.5)
    engine, _ = ask([Threshold()], x=values, **trouble(12))
    assert engine.episodes[0].until == 360


def test_silent_looks_before_a_finding_do_not_end_it(ask):
    values = [0] * 6 + [3] * 3
    engine, _ = ask([named("quick", patience=1)], x=values, **trouble(9))
    assert [(e.since, e.until) for e in engine.episodes] == [(280, None)]


def test_it_is_told_once_and_again_only_after_it_had_ended(ask):
    values = [0] * 8 + [3] * 10
    _, told = ask([Threshold()], x=values, **trouble(18))
    assert sum(map(len, told)) == 1
    values = [0] * 8 + [3] * 8 + [0] * 6 + [3] * 8
    engine, told = ask([Threshold()], x=values, **trouble(30))
    assert sum(map(len, told)) == 2
    assert [episode.until is None for episode in engine.episodes] == [False, True]


def test_with_better_pictures_it_is_a_note_that_is_not_told(ask):
    series = {"far": BETTER["far"][:16], "texture": 0.3}
    engine, told = ask([Threshold()], x=[3] * 16, **series)
    assert engine.episodes[0].kind == NOTE
    assert not any(told)
    engine, told = ask([Threshold()], x=[3] * 16, **trouble(16))
    assert engine.episodes[0].kind == ALARM
    assert sum(map(len, told)) == 1


def test_a_note_becomes_an_alarm_when_pictures_stop_getting_better(ask):
    far = [0.5 * 0.85**index for index in range(8)]
    far += [far[-1]] * 12
    _, told = ask([Threshold()], x=[3] * 20, far=far, texture=0.5)
    first = next(index for index, names in enumerate(told) if names)
    assert first >= 8
    assert sum(map(len, told)) == 1


def test_a_consequence_is_not_told_and_comes_after_its_cause(ask):
    rules = [named("cause", effects=("threshold",)), Threshold()]
    engine, told = ask(rules, x=[3] * 16, **trouble(16))
    assert [names for names in told if names] == [["cause"]]
    assert [(e.name, e.because) for e in engine.ordered()] == [
        ("cause", ""),
        ("threshold", "cause"),
    ]


def test_a_consequence_is_told_once_its_cause_has_ended(ask):
    class Cause(Threshold):
        name = "cause"
        causes = ("threshold",)

        def look(self, seen):
            return super().look(seen) if seen.step <= 12 * 40 else None

    engine, told = ask([Cause(), Threshold()], x=[3] * 24, **trouble(24))
    names = [name for names in told for name in names]
    assert names == ["cause", "threshold"]
    assert [(e.name, e.because) for e in engine.ordered()] == [("threshold", ""), ("cause", "")]


def test_an_alarm_that_was_a_note_for_a_while_is_not_told_again(ask):
    far = [0.5] * 12 + [0.5 * 0.8**index for index in range(10)]
    far += [0.5] * 12
    engine, told = ask([Threshold()], x=[3] * 34, far=far, texture=far)
    assert [e.kind for e in engine.episodes] == [ALARM]
    assert sum(map(len, told)) == 1


def test_a_certain_finding_begins_without_patience(ask):
    class Certain(Threshold):
        def look(self, seen):
            finding = super().look(seen)
            return finding and dataclasses.replace(finding, is_certain=True)

    values = [0] * 9 + [3]
    engine, _ = ask([Certain()], x=values, **trouble(10))
    assert [(e.name, e.since) for e in engine.episodes] == [("threshold", 400)]


class Patchy(Threshold):
    """Silent at each third look, so it is never an alarm by itself."""

    def look(self, seen):
        return None if seen.looks % 3 == 0 else super().look(seen)


def test_the_cause_of_an_alarm_is_an_alarm_and_comes_first(ask):
    cause = type("Cause", (Patchy,), {"name": "cause", "causes": ("effect",)})()
    engine, told = ask([cause, named("effect")], x=[3] * 16, **trouble(16))
    assert [(e.name, e.kind) for e in engine.ordered()] == [("cause", ALARM), ("effect", ALARM)]
    assert [(e.name, e.because) for e in engine.ordered()] == [("cause", ""), ("effect", "cause")]
    assert sum(map(len, told)) >= 1


FAIR = {"far": [0.1] * 16, "texture": [0.8] * 2 + [0.3] * 14}  # pictures: not good, not bad


@pytest.mark.parametrize(("setting", "kind"), [("", NOTE), ("--lr-g is 90 times --lr-d", ALARM)])
def test_fair_pictures_are_an_alarm_only_if_a_setting_explains_it(ask, setting, kind):
    engine, _ = ask([named("x", setting=setting)], x=[3] * 16, **FAIR)
    assert [episode.kind for episode in engine.episodes] == [kind]


@pytest.mark.parametrize("rules", [("guess", "explained"), ("explained", "guess")])
def test_what_a_setting_explains_comes_first_and_is_no_consequence_of_a_guess(ask, rules):
    kinds = {
        "guess": named("guess", effects=("explained",)),
        "explained": named("explained", setting="--beta1 is 0.99"),
    }
    engine, told = ask([kinds[name] for name in rules], x=[3] * 16, **trouble(16))
    assert [e.name for e in engine.ordered()] == ["explained", "guess"]
    assert [e.because for e in engine.ordered()] == ["", ""]
    assert sorted(name for names in told for name in names) == ["explained", "guess"]


def test_an_alarm_becomes_a_note_where_pictures_get_better_again(ask):
    far = [0.5] * 12 + [0.5 * 0.8**index for index in range(10)]
    engine, told = ask([Threshold()], x=[3] * 22, far=far, texture=far)
    assert [e.kind for e in engine.episodes] == [NOTE]
    assert sum(map(len, told)) == 1


def test_a_rule_of_notes_is_an_alarm_only_as_the_cause_of_one(ask):
    for effects, kind in ((["effect"], ALARM), ([], NOTE)):
        cause = named("cause", effects=effects, is_only_note=True)
        engine, _ = ask([cause, named("effect")], x=[3] * 16, **trouble(16))
        assert {e.name: e.kind for e in engine.episodes} == {"cause": kind, "effect": ALARM}


def test_looks_after_the_end_of_an_old_run_do_not_make_it_older(run):
    history = make_history(interval=1, x=[3] * 170, far=0.4, texture=0.6)
    history.end = 150
    old = dataclasses.replace(run, batch_size=32)
    engine = replay(old, history, [named("judge", judges_pictures=True)])
    assert engine.episodes == []
    assert verdict(engine, old, history) == TOO_EARLY


def test_a_finding_that_is_only_a_note_is_not_the_cause_of_an_alarm(ask):
    rules = [named("note", effects=["effect"], is_calm=True), named("effect")]
    engine, told = ask(rules, x=[3] * 12, **trouble(12))
    assert [(e.name, e.kind) for e in engine.ordered()] == [("effect", ALARM), ("note", NOTE)]
    assert [name for names in told for name in names] == ["effect"]


def test_three_looks_without_progress_make_an_alarm_and_more_in_a_long_run(ask):
    def looks_until_alarm(looks_before):
        values = [0] * looks_before + [3] * 20
        _, told = ask([Threshold()], x=values, **trouble(len(values)))
        return next(index for index, names in enumerate(told) if names) - looks_before

    assert looks_until_alarm(8) == 5  # four looks of patience, then two more without progress
    assert looks_until_alarm(20) == 6


def test_alarms_come_before_notes_and_open_ones_before_ended_ones(ask):
    rules = [named("note", is_only_note=True), Threshold()]
    engine, _ = ask(rules, x=[3] * 16, **trouble(16))
    assert [e.name for e in engine.ordered()] == ["threshold", "note"]


def test_a_rule_is_not_asked_in_its_warm_up_nor_without_its_columns(ask):
    engine, _ = ask([named("late", warm_up=0.9)], x=[3] * 8, **trouble(8))
    assert engine.episodes == []
    engine, _ = ask([named("blind", needs=("doctor.y",))], x=[3] * 8, **trouble(8))
    assert engine.episodes == []
    assert engine.unasked == {"blind": ["doctor.y"]}


@pytest.mark.parametrize(
    ("looks", "x", "expected"),
    [(3, 0, TOO_EARLY), (6, 0, TOO_EARLY), (12, 0, HEALTHY), (12, 3, "threshold")],
)
def test_the_verdict(run, looks, x, expected):
    history = make_history(x=[x] * looks, **trouble(looks))
    engine = replay(run, history, [Threshold()])
    assert verdict(engine, run, history) == expected


@pytest.mark.parametrize(
    ("rule", "x", "expected"),
    [
        (Threshold(), 3, "threshold"),
        (named("stalled", is_calm=True), 3, STOP_HERE),
        (named("stalled"), 3, "stalled"),
        (Threshold(), 0, HEALTHY),
    ],
)
def test_a_run_with_an_open_note_is_not_healthy(run, rule, x, expected):
    history = make_history(x=[x] * 12, far=BETTER["far"][:12], texture=0.3)
    engine = replay(run, history, [rule])
    assert [e.kind for e in engine.episodes] == [NOTE] * bool(x)
    assert verdict(engine, run, history) == expected


def test_a_finding_can_say_that_it_is_no_alarm(ask):
    engine, _ = ask([named("calm", is_calm=True)], x=[3] * 12, **trouble(12))
    assert [e.kind for e in engine.episodes] == [NOTE]


def test_pictures_that_came_a_long_way_may_stand_still(run):
    far = [0.8, 0.8, *[0.25] * 10]
    history = make_history(far=far, texture=far)
    assert Seen(run, history, history.looks[-1]).progress
    history = make_history(far=far[2:], texture=far[2:])
    assert not Seen(run, history, history.looks[-1]).progress


def test_smaller_batches_need_more_steps_and_fewer_pictures(run):
    def first_step(batch_size):
        small = dataclasses.replace(run, batch_size=batch_size, steps=2000)
        history = make_history(interval=1, x=[0] * 1000)
        return next(s for s in history.looks if not is_young(small, s))

    steps = [first_step(batch_size) for batch_size in (8, 32, 128)]
    assert steps == sorted(steps, reverse=True)
    assert steps[0] * 8 < steps[1] * 32 < steps[2] * 128


def test_a_replay_of_the_log_finds_what_was_found_live(run):
    values = [0, 3, 3, 3, 3, 3, 0, 0, 0, 0, 0, 3]
    history = make_history(x=values, **trouble(12))
    live = Engine([Threshold()])
    for index, step in enumerate(history.looks):
        live.add(Seen(run, make_history(x=values[: index + 1], **trouble(index + 1)), step))
    again = replay(run, history, [Threshold()])
    facts = [
        [(e.name, e.kind, e.since, e.until) for e in engine.episodes] for engine in (live, again)
    ]
    assert facts[0] == facts[1] != []


class LongSteps(Threshold):
    """Fires while G's learning rate is above 1e-3; its cure changes that."""

    name = "long"
    causes = ("threshold",)
    is_always_alarm = True

    def look(self, seen):
        if seen.run.lr_g <= 1e-3:
            return None
        return Finding(text="Too long.", cure="Lower it.", evidence={"lr_g": seen.run.lr_g},
                       options={"lr_g": 2e-4})  # fmt: skip


def staged(run, *stages):
    """The run with stages: (step, settings until then)."""
    stages = tuple(Stage(step, before) for step, before in stages)
    return dataclasses.replace(run, stages=stages, steps=4000)


@pytest.mark.parametrize(
    ("stages", "ill", "left_by"),
    [
        ([(400, {"lr_g": 0.1})], range(5, 40), "long"),
        ([(400, {"lr_g": 0.1})], range(15, 40), "long"),  # damage that showed a little later
        ([(400, {"lr_g": 0.1})], range(28, 40), ""),  # too late
        ([(400, {"lr_g": 0.1})], range(5, 12), ""),  # it is over
        ([(200, {"batch_size": 8}), (400, {"lr_g": 0.1})], range(5, 40), "long"),
        ([(400, {"lr_g": 2e-4}), (800, {"lr_g": 0.1})], range(1, 40), ""),  # was there before
        ([], range(5, 40), ""),
    ],
)
def test_damage_lasts_when_the_settings_that_did_it_have_changed(run, stages, ill, left_by):
    values = [3 if index in ill else 0 for index in range(40)]
    history = make_history(x=values, **trouble(40))
    engine = replay(staged(run, *stages), history, [LongSteps(), Threshold()])
    (episode,) = [e for e in engine.episodes if e.name == "threshold"]
    assert (episode.left_by.name if episode.left_by else "") == left_by


def test_a_change_that_cures_nothing_is_not_the_end_of_a_cause(run):
    class LongUntil(LongSteps):
        def look(self, seen):
            return super().look(seen) if seen.step <= 440 else None

    run = staged(dataclasses.replace(run, lr_g=0.1), (400, {"save_every": 8}))
    history = make_history(x=[0] * 5 + [3] * 35, **trouble(40))
    engine = replay(run, history, [LongUntil(), Threshold()])
    (episode,) = [e for e in engine.episodes if e.name == "threshold"]
    assert episode.left_by is None


def test_a_root_cause_is_named_for_damage_before_its_own_consequence(run):
    other = type("Middle", (LongSteps,), {"name": "middle"})()
    root = type("Root", (LongSteps,), {"name": "root", "causes": ("middle", "threshold")})()
    history = make_history(x=[0] * 5 + [3] * 35, **trouble(40))
    run = staged(run, (400, {"lr_g": 0.1}))
    engine = replay(run, history, [other, root, Threshold()])
    (episode,) = [e for e in engine.episodes if e.name == "threshold"]
    assert episode.left_by.name == "root"


def test_a_failure_is_judged_with_the_settings_of_the_step_that_failed(run):
    asked = []

    class Ear(Threshold):
        def look(self, seen):
            asked.append((seen.step, seen.run.lr_g, seen.failure))

    history = make_history(x=[0, 0], **trouble(2))
    run = staged(run, (80, {"lr_g": 1e-5}))
    replay(run, history, [Ear()], failure="d_loss is nan")
    assert asked == [(40, 1e-5, ""), (80, 1e-5, ""), (81, run.lr_g, "d_loss is nan")]
