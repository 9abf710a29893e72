"""--vary and the variants of a race, named races, and mistakes in either."""

import dataclasses
import itertools
import re
import shlex

import pytest
from gankit_race.recipes import RACES, apply_recipe
from gankit_race.variants import (
    PICTURES,
    VariedValue,
    differing_settings,
    make_variants,
    parse_fields,
    parse_vary,
    split_parts,
    split_values,
)

from gankit import GankitError, compose
from gankit.cli.run.command import read_options
from gankit.cli.run.command import run as run_command
from gankit.core.parts.registry import load_registry

TINY = "--dataset petals:count=64 --model dcgan64:base_channels=4 --image-size 16 --device cpu"


@pytest.fixture
def refused(gankit_cli, here, monkeypatch):
    """`refused("--vary", "trick=a")`: the one line of the error; nothing is written."""
    monkeypatch.setattr(
        "gankit_race.runner.RaceRunner.run_all", lambda runner: pytest.fail("the race began")
    )

    def call(*words, code=2):
        answer = gankit_cli("race", *shlex.split(TINY), *words)
        assert (answer.code, answer.out) == (code, "")
        assert answer.err.count("\n") == 1
        assert [path for path in here.iterdir() if path.suffix != ".pyc"] == []
        return answer.err.removeprefix("gankit: ").removesuffix("\n")

    return call


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("64", ["64"]),
        ("none, noisy-d,flip-labels", ["none", "noisy-d", "flip-labels"]),
        ("none,noisy-d:sigma=0.1,until=0.5", ["none", "noisy-d:sigma=0.1,until=0.5"]),
        ("r1:gamma=1,every=4+ema,flip-labels:p=1", ["r1:gamma=1,every=4+ema", "flip-labels:p=1"]),
        ("ema+noisy-d:sigma=1,until=1+ada:p=0.6", ["ema+noisy-d:sigma=1,until=1+ada:p=0.6"]),
        ("crop,patches:size=96,stride=96,pad", ["crop", "patches:size=96,stride=96", "pad"]),
        ("a=b.zip,c=d.zip", ["a=b.zip", "c=d.zip"]),  # files may be called so; no part is
        ("", [""]),
    ],
)  # fmt: skip
def test_commas_between_values_and_commas_inside(text, values):
    assert split_values(text) == values


def test_a_plus_joins_parts_but_not_a_number():
    assert split_parts("r1:gamma=1e+2+ema") == ["r1:gamma=1e+2", "ema"]
    assert split_parts("none") == ["none"]


def test_options_of_every_kind_can_be_varied():
    texts = ["trick=none,ema+r1:every=4", "batch_size=8", "--batch-size=16", "flip=yes,no"]
    assert parse_vary(texts, run_command) == {
        "trick": [
            VariedValue("no trick", ("--trick", "none")),
            VariedValue("ema+r1:every=4", ("--trick", "ema", "--trick", "r1:every=4")),
        ],
        "batch-size": [
            VariedValue("batch-size 8", ("--batch-size", "8")),
            VariedValue("batch-size 16", ("--batch-size", "16")),
        ],
        "flip": [VariedValue("flip", ("--flip",)), VariedValue("no-flip", ("--no-flip",))],
    }
    assert parse_vary(["tricks=ema"], run_command).keys() == {"trick"}


def test_every_combination_is_a_variant_and_the_first_is_the_baseline(registry):
    varied = parse_vary(["trick=none,ema:decay=0.9", "lr=1e-3,2e-4"], run_command)

    def build(settings):
        return read_options([*shlex.split(TINY), *itertools.chain(*settings)], registry)

    variants = make_variants(varied.values(), build)
    assert [v.label for v in variants] == [
        "no trick, lr 1e-3", "no trick, lr 2e-4", "ema:decay=0.9, lr 1e-3",
        "ema:decay=0.9, lr 2e-4",
    ]  # fmt: skip
    assert [(v.run.tricks, v.run.lr_g, v.run.lr_d) for v in variants] == [
        ((), 1e-3, 1e-3), ((), 2e-4, 2e-4), (("ema:decay=0.9",), 1e-3, 1e-3),
        (("ema:decay=0.9",), 2e-4, 2e-4),
    ]  # fmt: skip
    assert len({v.folder for v in variants}) == 4
    assert all(re.fullmatch(r"[\w.=+-]{1,80}", v.folder) for v in variants)


def test_similar_labels_have_different_folders(registry):
    varied = [
        [
            VariedValue("a:b", {"seed": 1}),
            VariedValue("a-b", {"seed": 2}),
            VariedValue("a b", {"seed": 3}),
        ]
    ]
    variants = make_variants(varied, lambda settings: compose(registry, **(settings or [{}])[0]))
    assert [v.folder for v in variants] == ["a-b", "a-b-2", "a-b-3"]


def test_folder_names_are_valid_and_different_on_windows(registry):
    labels = ["Roses", "roses", "nul", "com1.x", "?", "a" * 79 + ".b"]
    varied = [[VariedValue(label, {"seed": number}) for number, label in enumerate(labels)]]
    variants = make_variants(varied, lambda settings: compose(registry, **(settings or [{}])[0]))
    folders = [variant.folder for variant in variants]
    assert folders == ["Roses", "roses-2", "_nul", "_com1.x", "variant", "a" * 79]


def test_fields_from_python(registry):
    tricks = ["none", ["ema", "r1"], []]
    varied = parse_fields({"tricks": tricks, "flip": [True, False], "lr_g": [1e-3]})
    assert [[value.label for value in values] for values in varied] == [
        ["no trick", "ema+r1", "no trick"], ["flip", "no-flip"], ["lr-g 0.001"],
    ]  # fmt: skip
    assert varied[0][1].setting == ("tricks", ["ema", "r1"])
    with pytest.raises(GankitError, match=r"vary\['loss'\] is 'hinge'"):
        parse_fields({"loss": "hinge"})


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("words", "facts"),
    [
        ("--vary batchsize=8,16", ["--vary", "'batchsize'", "'batch-size'"]),
        ("--vary trick", ["--vary trick=A,B"]),
        ("--vary trick=none,,ema", ["trick=none,,ema", "--vary trick=A,B"]),
        ("--vary seed=1,2", ["--vary seed", "--seeds 3"]),
        ("--vary patience=1,2", ["--vary patience", "end"]),
        ("--vary keep-best=kid,swd", ["keep-best"]),
        ("--vary trick=none,ema --keep-best swd --patience 2", ["--patience", "--patience 0"]),
        ("--vary budget=1m,2m", ["--vary budget", "--budget 5m", "--vary epochs=5,40"]),
        ("--vary flip=1,0", ["--vary flip=1", "--vary flip=yes,no"]),
        ("--vary out=a,b", ["--vary", "'out'"]),
        ("--vary batch-size=8,many", ["variant 'batch-size many': ", "'--batch-size'", "'many'"]),
        ("--vary batch-size=8,0", ["variant 'batch-size 0': ", "--batch-size", " 0"]),
        ("--vary trick=none,emma", ["variant 'emma': ", "'emma'", "'ema'"]),
        ("--vary trick=ema,ema+ema", ["variant 'ema+ema': ", "'ema'"]),
        (
            "--vary loss=minimax,hinge --vary trick=smooth-labels",
            ["variant 'hinge, smooth-labels': ", "'hinge'", "'smooth-labels'"],
        ),
        ("--vary batch-size=8,100 --budget 2steps", ["variant 'batch-size 100': ", "64", "100"]),
        ("--vary trick=none,ema --batchsize 3", ["--batchsize"]),
        ("--vary trick=none,ema rubbish", ["rubbish"]),
        ("--vary trick=none,ema --lr-g 7", ["--lr-g", "7.0"]),
        ("--vary trick=ema", ["--vary trick=none,ema"]),
        ("--vary trick=none,none", ["'no trick' and 'no trick'"]),
        ("--vary trick=none,ema --trick r1", ["--trick", "ema+r1"]),
        ("--vary batch-size=8,16 --batch-size=4", ["--batch-size"]),
        ("--vary trick=none,ema --budget soon", ["--budget", "'soon'", "5m", "40kimg"]),
        ("--vary trick=none,ema --budget 0s", ["--budget", "'0s'"]),
        ("--vary epochs=1,2 --budget 5m", ["--budget", "--epochs"]),
        ("--vary trick=none,ema --kimg 5 --budget 5m", ["--budget", "--kimg"]),
        ("--vary trick=none,ema --seeds 0", ["--seeds", " 0"]),
        ("--vary trick=none,ema --metric kiid", ["'kiid'", "'kid'"]),
        ("--vary trick=none,ema --preview a.png", ["--preview"]),
        ("--recipe nothing --vary trick=none,ema", ["'nothing'"]),
        ("--resume there --vary trick=none,ema", ["--resume", "--seeds", "--metric"]),
    ],
)
def test_a_mistake_is_one_line_with_the_facts(words, facts, refused):
    message = refused(*shlex.split(words))
    assert [fact for fact in facts if fact not in message] == []


def test_an_error_without_any_variant_names_no_variant(refused):
    assert "variant '" not in refused("--vary", "trick=none,ema", "--lr-g", "7")


def test_a_folder_that_holds_something_is_refused(gankit_cli, trained, here):
    (here / "old").mkdir()
    (here / "old" / "race.json").write_text("{}")
    words = ("race", "--vary", "trick=none,ema", "--out")
    code, _, err = gankit_cli(*words, "old")
    assert code == 2
    assert re.search("old already holds a race.* gankit race --resume old, .*--out\n$", err)
    code, out, err = gankit_cli(*words, trained)
    assert (code, out) == (2, "")
    assert str(trained) in err
    code, out, err = gankit_cli("race", "--resume", "there")
    assert (code, out) == (2, "")
    assert re.search("there: No such file or directory\n$", err)
    code, _, err = gankit_cli("race", "--resume", "old")
    assert code == 2
    assert re.search("old/race.json .*'gankit'", err)


# ---------------------------------------------------------------- races by name


@pytest.mark.parametrize("recipe", RACES, ids=lambda recipe: recipe.name)
def test_a_named_race_makes_valid_variants(recipe):
    registry = load_registry()
    words, vary, seeds, _ = apply_recipe(recipe.name, [], [], None)
    assert seeds == 3
    data = ["--data", "."] if "art-interactive" in words else []
    varied = parse_vary(vary, run_command)

    def build(settings):
        return read_options([*words, *data, *itertools.chain(*settings)], registry)

    variants = make_variants(varied.values(), build)
    counts = {"art-epochs": 3, "art-batch": 3, "art-workers": 2, "keras-modes": 4, "each-trick": 24}
    assert len(variants) == counts[recipe.name]
    assert len(recipe.summary) < 100


def test_the_four_modes_of_the_keras_project():
    registry = load_registry()
    words, vary, _, _ = apply_recipe("keras-modes", [], [], None)
    varied = parse_vary(vary, run_command)
    variants = make_variants(
        varied.values(),
        lambda settings: read_options([*words, *itertools.chain(*settings)], registry),
    )
    modes = {(v.run.batch_size, v.run.discriminator) for v in variants}
    assert modes == {(b, f"mathworks:head={head}") for b in (64, 128) for head in ("dense", "conv")}
    assert {v.run.tricks for v in variants} == {("dropout-d:p=0.5",)}


def test_each_trick_races_all_tricks():
    _, (tricks,), _, _ = apply_recipe("each-trick", [], [], None)
    raced = set(tricks.removeprefix("trick=").split(","))
    # Fine-tuning, another loss, other networks.
    elsewhere = {"freeze-d", "wgan-gp", "weight-clipping", "grow"}
    assert raced - {"none"} == {spec.name for spec in load_registry().specs("trick")} - elsewhere


def test_your_vary_replaces_that_of_the_recipe():
    more = ["batch-size=8,16", "lr=1e-3"]
    words, vary, seeds, budget = apply_recipe("keras-modes", ["--flip"], more, 2, "5m")
    assert words == ["--recipe", "flowers-keras", "--flip"]
    assert [text.partition("=")[0] for text in vary] == ["model", "batch-size", "lr"]
    assert "batch-size=8,16" in vary
    assert (seeds, budget) == (2, "5m")


def test_your_length_replaces_the_budget_of_the_recipe():
    def budget(*words, vary=(), given=""):
        return apply_recipe("each-trick", list(words), list(vary), None, given)[3]

    assert budget() == "20s"
    assert budget(given="5m") == "5m"
    assert budget("--data", "epochs") == "20s"  # a folder
    assert budget("--kimg", "15") == budget("--steps=9") == budget(vary=["epochs=1,2"]) == ""


def test_a_recipe_of_run_is_passed_on():
    assert apply_recipe("small-data", [], ["lr=1,2"], None) == (
        ["--recipe", "small-data"], ["lr=1,2"], 3, "",
    )  # fmt: skip
    with pytest.raises(GankitError, match="--recipe"):
        apply_recipe("art-batch", ["--recipe", "small-data"], [], None)


def test_races_are_listed(gankit_cli):
    code, out, err = gankit_cli("race", "--list")
    assert (code, err) == (0, "")
    for recipe in RACES:
        assert re.search(rf"^{recipe.name} +{re.escape(recipe.summary)}$", out, re.M)


def test_a_plus_at_the_beginning_adds_to_the_tricks_of_the_model():
    (value,) = parse_vary(["trick=+r1:gamma=1e+2+ema"], run_command)["trick"]
    assert value == VariedValue(
        "+r1:gamma=1e+2+ema", ("--trick", "+r1:gamma=1e+2", "--trick", "+ema")
    )
    ((value,),) = parse_fields({"tricks": ["+r1+ema"]})
    assert value == VariedValue("+r1+ema", ("tricks", ["+r1", "+ema"]))


def test_labels_of_the_same_pictures_make_no_other_pictures(registry):
    plain = compose(registry, dataset="petals", fingerprint="a")
    labelled = dataclasses.replace(
        plain, class_labels=True, class_names=("red", "blue"), fingerprint="b"
    )
    assert differing_settings([plain, labelled]) == ["class_labels"]
    assert "resample" in PICTURES
