"""`name:key=value,...` is parsed, and formatted again."""

import copy
import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gankit.core.errors import GankitError
from gankit.core.parts.choice import Choice, format_value, parse_value

READ = [
    ("3", 3),
    ("-3", -3),
    ("0.1", 0.1),
    (".5", 0.5),
    ("2.", 2.0),
    ("1e-4", 1e-4),
    ("2E3", 2000.0),
    ("true", True),
    ("Yes", True),
    ("FALSE", False),
    ("no", False),
    ("none", None),
    ("color+cutout", "color+cutout"),
    ("inf", "inf"),
    ("nan", "nan"),
    ("1_000", "1_000"),
    ("0x10", "0x10"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "value"), READ)
def test_a_value_gets_the_type_that_it_looks_like(text, value):
    parsed = parse_value(text)
    assert parsed == value
    assert type(parsed) is type(value)


def test_a_name_alone_has_no_options():
    choice = Choice.parse(" hinge ")
    assert (choice.name, choice.options) == ("hinge", {})
    assert choice == "hinge"


def test_a_choice_is_a_string_with_a_name_and_options():
    choice = Choice.parse("noisy-d: sigma=0.20")
    assert choice == "noisy-d:sigma=0.2"
    assert json.dumps([choice]) == '["noisy-d:sigma=0.2"]'
    for same in (Choice.parse(choice), copy.deepcopy(choice), pickle.loads(pickle.dumps(choice))):
        assert same == choice
        assert (same.name, same.options) == ("noisy-d", {"sigma": 0.2})
    assert Choice.parse(choice) is choice


def test_options_keep_their_order_and_may_be_written_with_hyphens():
    choice = Choice.parse("dcgan: base-channels=8 , max_channels=16")
    assert list(choice.options.items()) == [("base_channels", 8), ("max_channels", 16)]
    assert str(choice) == "dcgan:base_channels=8,max_channels=16"


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("", "NAME:option=value"),
        (":sigma=1", "NAME:option=value"),
        ("noisy-d:", "NAME:option=value"),
        ("noisy-d:sigma", "'sigma'"),
        ("noisy-d:=3", "'=3'"),
        ("noisy-d:sigma=1,", "''"),
        ("noisy-d:sigma=1,sigma=2", "twice"),
        ("dcgan:base-channels=1,base_channels=2", "'base_channels'"),
    ],
)
def test_a_text_that_cannot_be_parsed_is_quoted(text, fact):
    with pytest.raises(GankitError) as error:
        Choice.parse(text)
    assert fact in str(error.value)
    assert repr(text) in str(error.value)


VALUES = (
    st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.none()
    | st.sampled_from(["real", "color+translation", "a/b", "x y"])
)


@given(VALUES)
@settings(database=None, deadline=None, max_examples=200)
def test_a_formatted_value_is_parsed_to_the_same_value(value):
    assert parse_value(format_value(value)) == value
    assert type(parse_value(format_value(value))) is type(value)


@given(st.dictionaries(st.sampled_from(["p", "sigma", "base_channels"]), VALUES))
@settings(database=None, deadline=None, max_examples=100)
def test_a_formatted_choice_is_parsed_to_the_same_choice(options):
    choice = Choice("some-part", options)
    assert Choice.parse(str(choice)) == choice


# --- quotes

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'2024'", "2024"),
        ('"none"', "none"),
        ('"a, b"', "a, b"),
        ('"a:b=c d"', "a:b=c d"),
        ('"say ""a"""', 'say "a"'),
        ("'it''s'", "it's"),
        ('" "', " "),
        ('""', ""),
    ],
)
def test_a_value_in_quotes_is_a_text(text, value):
    assert parse_value(text) == value
    assert Choice.parse(f"part:p=1,file={text},q=2").options == {"p": 1, "file": value, "q": 2}
    assert Choice.parse(f"part: file = {text} ").options == {"file": value}


def test_colons_equals_signs_spaces_and_inner_quotes_need_no_quotes():
    options = Choice.parse("part:file=C:/my pictures/a=b.csv,note=it's").options
    assert options == {"file": "C:/my pictures/a=b.csv", "note": "it's"}


@pytest.mark.parametrize("value", ['"a', "'a,b", '"a"b', "'a\"", '"'])
def test_quotes_that_do_not_match_are_named(value):
    with pytest.raises(GankitError, match="file=.*quote"):
        Choice.parse(f"part:p=1,file={value}")


def test_a_value_without_quotes_keeps_its_spelling():
    choice = Choice.parse("part:file=007,p=1e3,name='5'")
    assert choice.texts == {"file": "007", "p": "1e3"}
    assert pickle.loads(pickle.dumps(choice)).texts == choice.texts


@given(TEXTS)
@settings(database=None, deadline=None, max_examples=200)
def test_every_text_is_parsed_to_itself(value):
    options = {"before": 1, "file": value, "after": value}
    choice = Choice.parse(str(Choice("some-part", options)))
    assert choice.options == options
