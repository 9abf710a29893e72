"""`name:key=value,...`: what a person writes, and back."""

import copy
import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gankit.core.choice import Choice, read_value, write_value
from gankit.core.errors import GankitError

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
def test_a_value_is_read_as_what_it_looks_like(text, value):
    read = read_value(text)
    assert read == value
    assert type(read) is type(value)


def test_a_name_alone_has_no_options():
    choice = Choice.parse(" hinge ")
    assert (choice.name, choice.options) == ("hinge", {})
    assert choice == "hinge"


def test_a_choice_is_a_text_that_knows_its_parts():
    choice = Choice.parse("noisy-d: sigma=0.20")
    assert choice == "noisy-d:sigma=0.2"
    assert json.dumps([choice]) == '["noisy-d:sigma=0.2"]'
    for again in (Choice.parse(choice), copy.deepcopy(choice), pickle.loads(pickle.dumps(choice))):
        assert again == choice
        assert (again.name, again.options) == ("noisy-d", {"sigma": 0.2})
    assert Choice.parse(choice) is choice


def test_options_keep_their_order_and_may_be_written_with_hyphens():
    choice = Choice.parse("dcgan: base-channels=8 , max_channels=16")
    assert list(choice.options.items()) == [("base_channels", 8), ("max_channels", 16)]
    assert str(choice) == "dcgan:base_channels=8,max_channels=16"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "names no part"),
        (":sigma=1", "names no part"),
        ("noisy-d:", "names no part"),
        ("noisy-d:sigma", "'sigma' in 'noisy-d:sigma' is not option=value"),
        ("noisy-d:=3", "is not option=value"),
        ("noisy-d:sigma=1,", "is not option=value"),
        ("noisy-d:sigma=1,sigma=2", "is given twice"),
        ("dcgan:base-channels=1,base_channels=2", "is given twice"),
    ],
)
def test_what_cannot_be_read_is_quoted(text, wrong):
    with pytest.raises(GankitError) as error:
        Choice.parse(text)
    assert wrong in str(error.value)
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
def test_a_written_value_reads_back(value):
    assert read_value(write_value(value)) == value
    assert type(read_value(write_value(value))) is type(value)


@given(st.dictionaries(st.sampled_from(["p", "sigma", "base_channels"]), VALUES))
@settings(database=None, deadline=None, max_examples=100)
def test_a_written_choice_reads_back(options):
    choice = Choice("some-part", options)
    assert Choice.parse(str(choice)) == choice
