"""JSON of others: what is not JSON, or has other types, is refused with a reason."""

import pytest

from gankit import GankitError
from gankit.core.errors import MAX_SHOWN, quote_value
from gankit.core.files.read_json import (
    find_wrong_type,
    has_type,
    is_list_of,
    read_json,
    read_json_object,
)


@pytest.mark.parametrize(("content", "value"), [(b"3", 3), (b"\xef\xbb\xbf[1]", [1])])
def test_json_is_read_also_with_a_byte_order_mark(tmp_path, content, value):
    (tmp_path / "a.json").write_bytes(content)
    assert read_json(tmp_path / "a.json", "a list") == value


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (b"", "column 1"),
        (b'{"a": 1, "b": 2, "a": 3}', "'a' occurs twice"),
        (b"[" * 3000 + b"]" * 3000, "nested"),
        (b'{"a":' * 100_000, "nested"),
        (b"9" * 5000, "digits"),
        (b'"caf\xe9"', "UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "UTF-8"),
        (b"\0", "column 1"),
    ],
)
def test_what_is_no_json_is_refused_with_a_reason(tmp_path, content, fact):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(GankitError) as refused:
        read_json(path, "a list of pictures")
    assert fact in str(refused.value)
    assert f"{path} is not a list of pictures" in str(refused.value)


@pytest.mark.parametrize("content", ["[]", "null", "3", '"a"', '{"a": "x"}', '{"a": true}'])
def test_an_object_with_other_types_is_refused(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(GankitError, match="is not a count"):
        read_json_object(path, "a count", {"a": int})
    path.write_text('{"a": 1, "other": []}')
    assert read_json_object(path, "a count", {"a": int, "missing": str}) == {"a": 1, "other": []}


def test_a_wrong_type_names_the_entry_and_its_value():
    assert find_wrong_type({"a": 1, "b": None}, {"a": int, "b": float | None}) == ""
    wrong = find_wrong_type({"steps": ["\x1b" * 500]}, {"steps": int})
    assert wrong.startswith("steps is ")
    assert wrong.isprintable()
    assert len(wrong) < 2 * MAX_SHOWN


def test_true_is_no_number():
    assert has_type(True, bool)
    assert not has_type(True, int)
    assert not has_type(False, int | float)
    assert is_list_of([1, 2], int)
    assert not is_list_of([1, True], int)
    assert not is_list_of("12", str)


@pytest.mark.parametrize(
    "value",
    ["x" * 100_000, "\x1b]0;t\x07\n" * 1000, ["a" * 999] * 999, [[[[[[["x"]]]]]]] * 99, 10**400,
     {f"a{n}": {"b": ["c"] * 99} for n in range(99)}, b"\0" * 9999],
)  # fmt: skip
def test_a_value_is_quoted_printable_and_short(value):
    assert quote_value(value).isprintable()
    assert len(quote_value(value)) <= MAX_SHOWN + 3


def test_a_short_value_is_quoted_whole():
    assert quote_value("a\tb") == r"'a\tb'"
    assert quote_value(-1) == "-1"
    assert quote_value(["a", 2.5]) == "['a', 2.5]"


def test_a_message_leaves_out_the_middle_of_what_nobody_can_read():
    path = "/" + "x" * 4000 + "/end"
    message = str(GankitError(f"there is no run in {path}: give another"))
    assert message.startswith("there is no run in /xxx")
    assert message.endswith("/end: give another")
    assert len(message) < 400
    assert len(str(GankitError("two words " * 10_000))) < 2100
    whole = f"there is no run in {'x' * 250}: give another"
    assert str(GankitError(whole)) == whole


def test_a_whole_number_that_no_float_holds_is_no_number():
    assert has_type(10**300, int)
    assert not has_type(10**400, int | float)
    assert find_wrong_type({"images": -(10**400)}, {"images": int}).startswith("images is -1000")
