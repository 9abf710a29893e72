"""Specs check options before they build a part."""

import dataclasses
import inspect
from pathlib import Path
from typing import Literal, Optional

import pytest

from gankit import DatasetSpec, GankitError, LossSpec, ModelSpec, TrickSpec
from gankit.core.parts.choice import Choice
from gankit.core.parts.specs import FILLED_IN, KINDS
from gankit.runs.log import NUMBERS


def builder(
    image_size: int,
    channels: int = 3,
    *,
    count: int = 4,
    sigma: float = 0.5,
    way: str = "up",
    on: bool = True,
    free=None,
    **more,
):
    if count > 100:
        raise ValueError("count is at most 100")
    return image_size, channels, count, sigma, way, on, free


def spec(**fields):
    about = {"name": "mine", "summary": "a part", "source": "nowhere", "build": builder}
    return TrickSpec(**{**about, **fields})


def test_a_spec_cannot_be_changed_and_takes_no_positions():
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec().name = "other"
    with pytest.raises(TypeError):
        TrickSpec("mine", "a part", "nowhere", builder)


def test_a_builder_is_imported_only_when_needed():
    absent = spec(build="no_such_module:Thing")
    assert absent.name == "mine"
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        absent.builder()


def test_a_builder_is_a_callable_or_its_import_path():
    assert spec().builder() is builder
    assert spec(build="fractions:Fraction").builder().__name__ == "Fraction"


class Network:
    """An object that can be called, as those of torch."""

    state_dict = __call__ = dict


def test_a_builder_is_a_class_and_not_an_object_of_it():
    spec(build=Network)
    with pytest.raises(TypeError, match=r"build of 'mine' is <Network>.*class"):
        spec(build=Network())


def test_the_networks_of_a_model_are_names():
    about = {"name": "mine", "summary": "s", "source": "s", "image_size": 32}
    with pytest.raises(TypeError, match="generator of 'mine'.*the name of a registered generator"):
        ModelSpec(**about, generator=Network, discriminator="dcgan")


def test_options_are_the_keyword_parameters_that_a_run_does_not_fill_in():
    assert list(spec().parameters()) == [
        *("image_size", "channels", "count", "sigma", "way", "on", "free")
    ]
    assert list(spec().options()) == ["count", "sigma", "way", "on", "free"]
    assert not set(spec().options()) & set(FILLED_IN)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"count": 5},
        {"sigma": 0.1},
        {"sigma": 1},  # a whole number is a number
        {"way": "down"},
        {"on": False},
        {"free": 3},
        {"free": "text"},
    ],
)
def test_good_options_pass(options):
    spec().check(options)
    assert spec().make(options, image_size=16)[0] == 16


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        ({"sgima": 1.0}, ("'sgima'", "'sigma'")),
        ({"image_size": 8}, ("'image_size'",)),
        ({"count": 2.5}, ("count=2.5", "whole", "4")),
        ({"count": "many"}, ("count=many", "4")),
        ({"count": True}, ("count=True", "4")),
        ({"sigma": "big"}, ("sigma=big", "number", "0.5")),
        ({"sigma": True}, ("sigma=True", "0.5")),
        ({"sigma": None}, ("sigma=None", "0.5")),
        ({"way": 3}, ("way=3", "text", "'up'")),
        ({"on": 1}, ("on=1", "true or false")),
    ],
)
def test_a_bad_option_is_named(options, facts):
    with pytest.raises(GankitError, match="trick 'mine'") as error:
        spec().make(options, image_size=16)
    for fact in facts:
        assert fact in str(error.value)


def test_an_option_of_a_part_without_options_is_an_error():
    with pytest.raises(GankitError, match="'mine'.*'p'"):
        spec(build=lambda image_size: None).check({"p": 1})


def test_make_fills_in_only_what_the_builder_asks_for():
    made = spec().make({"count": 2}, image_size=32, channels=1, latent_dim=7, data=("x",))
    assert made == (32, 1, 2, 0.5, "up", True, None)
    assert spec(build=lambda p=1: p).make({"p": 5}, image_size=8) == 5


def test_every_kind_has_its_spec():
    assert list(KINDS) == [
        *("dataset", "generator", "discriminator", "loss", "trick", "metric", "rule", "model"),
        "recipe",
    ]
    assert KINDS["loss"] is LossSpec
    assert all(KINDS[kind].kind == kind for kind in KINDS)


def test_specs_of_data_sets_and_models_have_more_fields():
    about = {"name": "mine", "summary": "s", "source": "s"}
    dataset = DatasetSpec(**about, build=list, licence="CC0", pictures="3", home="https://x")
    assert (dataset.licence, dataset.own, dataset.default) == ("CC0", False, False)
    model = ModelSpec(**about, generator="g:a=1", discriminator="d", image_size=32)
    assert (model.generator, model.settings, model.lesson) == ("g:a=1", {}, None)


@pytest.mark.parametrize(
    ("kind", "name", "fact"),
    [
        *(("trick", column, column) for column in NUMBERS),
        *(("trick", name, "none, auto") for name in ("none", "auto")),
        *(("loss", name, "none, auto") for name in ("none", "auto")),
        ("trick", "a b", r"expected letters, digits and - _ \. \+"),
    ],
)
def test_a_name_that_means_something_else_is_refused(kind, name, fact):
    with pytest.raises(ValueError, match=fact):
        KINDS[kind](name=name, summary="s", source="s", build=builder)


@pytest.mark.parametrize("name", ["step", "Step", "größe", "a.b+c-d_2"])
def test_other_names_are_free(name):
    assert LossSpec(name=name, summary="s", source="s", build=builder).name == name


# --- options that take text


def texts(
    file: str = "",
    maybe: str | None = None,
    way: Literal["1", "2"] = "1",
    path: Optional[Path] = None,  # noqa: UP045 - students write it
    quoted: "str | None" = None,
    unknown: "Missing | str" = "",  # noqa: F821 - as a name for type checkers only
    plain="a",
    count: int = 3,
    either: int | str = 0,
    free=None,
):
    return {**locals()}


TEXT_OPTIONS = ("file", "maybe", "way", "path", "quoted", "plain")


@pytest.mark.parametrize("text", ["2024", "007", "1e3", "true", "No", "0.10", "text"])
def test_an_option_that_takes_text_gets_it_as_it_was_typed(text):
    part = spec(build=texts)
    for option in TEXT_OPTIONS:
        choice = Choice.parse(f"mine:{option}={text}")
        assert part.read_options(choice) == {option: text}


def test_other_options_get_the_type_that_they_look_like():
    choice = Choice.parse("mine:count=5,either=7,free=2024,unknown=8")
    expected = {"count": 5, "either": 7, "free": 2024, "unknown": 8}
    assert spec(build=texts).read_options(choice) == expected


def test_none_is_a_text_unless_the_annotation_allows_none():
    read = spec(build=texts).read_options
    options = read(Choice.parse("mine:file=none,way=none,plain=none"))
    assert options == {"file": "none", "way": "none", "plain": "none"}
    assert read(Choice.parse("mine:maybe=none,path=None,quoted=none")) == {
        **{"maybe": None, "path": None, "quoted": None}
    }
    assert read(Choice.parse("mine:maybe='none'")) == {"maybe": "none"}


def annotated(
    alpha: float = 1,
    sigma: float | None = 0.1,
    beta: float | None = None,
    careless: float = None,  # noqa: RUF013 - students write it
    mode: str | None = "x",
    file: Path = Path("a"),
    kind: Literal["a", "b"] = "a",
    size: Literal[1, 2] | None = 1,
    late: "int | None" = 3,
    plain=Path("a"),
    other: int | list[int] = 3,
):
    return {**locals()}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("alpha=0.5", 0.5), ("sigma=none", None), ("sigma=1", 1), ("beta=none", None),
        ("careless=none", None), ("careless=2", 2), ("mode=none", None), ("mode=y", "y"),
        ("file=b.txt", Path("b.txt")), ("kind=b", "b"), ("size=2", 2), ("size=none", None),
        ("late=none", None), ("plain=2", Path("2")), ("other=4", 4),
    ],
)  # fmt: skip
def test_the_annotation_decides_which_values_an_option_takes(option, value):
    part = spec(build=annotated)
    choice = Choice.parse(f"mine:{option}")
    made = part.make(part.read_options(choice))
    assert made[option.partition("=")[0]] == value


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("alpha=abc", "a number, like the default 1"),
        ("alpha=None", "a number"),
        ("sigma=abc", "a number or none, like the default 0.1"),
        ("beta=abc", "a number or none"),
        ("careless=abc", "a number"),
        ("kind=zzz", "'a' or 'b'"),
        ("size=3", "1 or 2 or none"),
        ("size=True", "1 or 2 or none"),
        ("late=0.5", "a whole number or none, like the default 3"),
        ("other=abc", "a whole number, like the default 3"),
    ],
)
def test_a_value_that_the_annotation_excludes_is_refused(option, expected):
    part = spec(build=annotated)
    with pytest.raises(GankitError, match=f"'{option}' must be {expected}"):
        part.make(part.read_options(Choice.parse(f"mine:{option}")))


def test_annotations_of_names_for_type_checkers_do_not_hide_the_others():
    source = 'def late(file: "str" = "", other: "Missing" = None): return file'
    names = {}
    exec(source, names)
    assert inspect.signature(names["late"])
    choice = Choice.parse("mine:file=2024")
    assert spec(build=names["late"]).read_options(choice) == {"file": "2024"}
