"""The conformance kit names what is wrong with a rule."""

import pytest

from gankit import Finding, GankitError, Rule, RuleSpec, testing
from gankit.testing.rules import healthy_log

GOOD = {"text": "It is wrong.", "cure": "Mend it.", "evidence": {"doctor.x": 9.0}}
BAD_LOG = {"step": [40.0 * i for i in range(1, 13)], "doctor.x": [9.0] * 12}


def rule_of(**finding):
    """A rule that fires where doctor.x is above 5."""

    class Mine(Rule):
        needs = ("doctor.x",)

        def look(self, seen):
            return Finding(**{**GOOD, **finding}) if seen.last("x") > 5 else None

    return Mine


def check(build, fires_on=None, **options):
    spec = RuleSpec(name="mine", summary="mine", source="me", build=build)
    testing.check_rule(spec, fires_on=fires_on, **options)


def test_a_check_without_a_log_is_not_made_by_mistake():
    spec = RuleSpec(name="mine", summary="mine", source="me", build=rule_of())
    with pytest.raises(TypeError, match=r'check\("rule", \.\.\.\) needs fires_on'):
        testing.check("rule", spec)


def test_a_kind_that_does_not_exist():
    with pytest.raises(GankitError, match="no kind 'rules'.*'rule'"):
        testing.check("rules", rule_of())


def test_a_correct_rule_passes():
    check(rule_of(), fires_on=BAD_LOG)


@pytest.mark.parametrize(
    "make", [lambda: rule_of(), lambda: rule_of()(), lambda: lambda: rule_of()()]
)
def test_a_class_an_object_and_a_function_will_do(make):
    testing.check_rule(make(), fires_on=BAD_LOG)
    with pytest.raises(AssertionError, match="of 11 looks"):
        testing.check_rule(make(), fires_on={**BAD_LOG, "doctor.x": [1.0] * 12})


def test_an_object_of_another_class():
    with pytest.raises(AssertionError, match="gankit.Rule"):
        testing.check_rule(3, fires_on=None)


def test_a_rule_that_always_fires_is_found_on_the_healthy_log():
    class Nag(Rule):
        def look(self, seen):
            return Finding(**GOOD)

    with pytest.raises(AssertionError, match="'mine'.*fires on the log of a healthy run"):
        check(Nag)


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"options": {"lr": 1.0}}, "'lr'"),
        ({"options": {"lr_g": 5.0}}, "lr_g"),
        ({"evidence": {}}, "no evidence"),
        ({"text": "two\nlines"}, "one line"),
        ({"level": "high"}, "'high'"),
        ({"text": None}, "text=None"),
    ],
)
def test_a_finding_that_cannot_be_used(change, fact):
    with pytest.raises(AssertionError, match=fact):
        check(rule_of(**change), fires_on=BAD_LOG)


def test_a_rule_that_never_fires():
    with pytest.raises(AssertionError, match="0 of 11 looks"):
        check(rule_of(), fires_on={**BAD_LOG, "doctor.x": [1.0] * 12})


@pytest.mark.parametrize(
    ("attributes", "fact"),
    [
        ({"patience": 9}, "patience is 9"),
        ({"warm_up": 1.0}, "warm_up"),
        ({"needs": "x"}, "needs"),
        ({"causes": (3,)}, "causes"),
    ],
)
def test_wrong_attributes(attributes, fact):
    with pytest.raises(AssertionError, match=fact):
        check(type("Mine", (rule_of(),), attributes))


def test_a_result_of_another_type():
    class Mine(Rule):
        def look(self, seen):
            return True

    with pytest.raises(AssertionError, match="look returned True; it must be a gankit.Finding"):
        check(Mine)


def test_a_misspelt_method_is_an_error():
    with pytest.raises(TypeError, match="loook"):
        type("Mine", (Rule,), {"loook": lambda self, seen: None})


def test_the_healthy_log_has_the_numbers_of_looks():
    log = healthy_log()
    assert len(log["step"]) > 9
    assert {"doctor.far", "doctor.auc", "doctor.near", "d_loss"} <= set(log)
