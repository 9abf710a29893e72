"""What differs between the variants of a race, and how mistakes in saying so are worded."""

import re
import shlex

import pytest
from gankit_race.recipes import RACES, with_recipe
from gankit_race.vary import VariedValue, cross, read_fields, read_vary, split_several, split_values

from gankit import GankitError, compose
from gankit.cli.run import read_options
from gankit.cli.run import run as run_command
from gankit.core.registry import load_registry

TINY = "--dataset petals:count=64 --model dcgan64:base_channels=4 --image-size 16 --device cpu"


@pytest.fixture
def refused(gankit_cli, here, monkeypatch):
    """`refused("--vary", "trick=a")`: the one line that a race answers; nothing is written."""
    monkeypatch.setattr("gankit_race.racing.Race.run_all", lambda race: pytest.fail("it began"))

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
    assert split_several("r1:gamma=1e+2+ema") == ["r1:gamma=1e+2", "ema"]
    assert split_several("none") == ["none"]


def test_ways_of_every_sort():
    texts = ["trick=none,ema+r1:every=4", "batch_size=8", "--batch-size=16", "flip=yes,no"]
    found = read_vary(texts, run_command)
    assert found == {
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
    assert read_vary(["tricks=ema"], run_command).keys() == {"trick"}


def test_every_combination_is_a_variant_and_the_first_is_the_baseline(registry):
    ways = read_vary(["trick=none,ema:decay=0.9", "lr=1e-3,2e-4"], run_command)

    def build(asked):
        return read_options([*shlex.split(TINY), *(w for words in asked for w in words)], registry)

    variants = cross(ways.values(), build)
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


def test_folders_stay_apart_where_labels_look_alike(registry):
    ways = [
        [
            VariedValue("a:b", {"seed": 1}),
            VariedValue("a-b", {"seed": 2}),
            VariedValue("a b", {"seed": 3}),
        ]
    ]
    variants = cross(ways, lambda asked: compose(registry, **(asked or [{}])[0]))
    assert [v.folder for v in variants] == ["a-b", "a-b-2", "a-b-3"]


def test_fields_from_python(registry):
    tricks = ["none", ["ema", "r1"], []]
    ways = read_fields({"tricks": tricks, "flip": [True, False], "lr_g": [1e-3]})
    assert [[way.label for way in some] for some in ways] == [
        ["no trick", "ema+r1", "no trick"], ["flip", "no-flip"], ["lr-g 0.001"],
    ]  # fmt: skip
    assert ways[0][1].setting == ("tricks", ["ema", "r1"])
    with pytest.raises(GankitError, match=r"vary\['loss'\] is 'hinge'; it should be a list"):
        read_fields({"loss": "hinge"})


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--vary batchsize=8,16", "--vary: gankit run has no option 'batchsize' to vary. Did you "
         "mean 'batch-size'?"),
        ("--vary trick", "--vary trick: write --vary trick=A,B"),
        ("--vary trick=none,,ema", "--vary trick=none,,ema: write --vary trick=A,B"),
        ("--vary seed=1,2", "--vary seed: --seeds 3 takes three of them"),
        ("--vary budget=1m,2m", "--vary budget: it is the same for all: --budget 5m; lengths that "
         "differ are --vary epochs=5,40"),
        ("--vary flip=1,0", "--vary flip=1: write --vary flip=yes,no"),
        ("--vary out=a,b", "--vary: gankit run has no option 'out' to vary. Did you mean"),
        ("--vary batch-size=8,many", "variant 'batch-size many': Invalid value for '--batch-size': "
         "'many' is not a valid integer."),
        ("--vary batch-size=8,0", "variant 'batch-size 0': --batch-size is 0; it must be 1"),
        ("--vary trick=none,emma", "variant 'emma': there is no trick 'emma'. Did you mean 'ema'"),
        ("--vary trick=ema,ema+ema", "variant 'ema+ema': trick 'ema' is given twice"),
        ("--vary loss=minimax,hinge --vary trick=smooth-labels", "variant 'hinge, smooth-labels': "
         "loss 'hinge' reads no targets, so trick 'smooth-labels' could not act"),
        ("--vary batch-size=8,100 --budget 2steps", "variant 'batch-size 100': "),
        ("--vary trick=none,ema --batchsize 3", "No such option"),
        ("--vary trick=none,ema rubbish", "Got unexpected extra argument (rubbish)"),
        ("--vary trick=none,ema --lr-g 7", "--lr-g is 7.0; it must be at least 0 and less than 1"),
        ("--vary trick=ema", "a race needs two variants or more: --vary trick=none,ema"),
        ("", "a race needs two variants or more"),
        ("--vary trick=none,none", "variants 'no trick' and 'no trick' are the same run"),
        ("--vary trick=none,ema --trick r1", "--trick is given for all variants and varied: say it "
         "once; one variant takes several tricks as ema+r1"),
        ("--vary batch-size=8,16 --batch-size=4", "--batch-size is given for all variants and "
         "varied: say it once"),
        ("--vary trick=none,ema --budget soon", "--budget is 'soon'; write a time such as 5m, or a "
         "length such as 40kimg, 500steps, 10epochs"),
        ("--vary trick=none,ema --budget 0s", "--budget is '0s'; write a time"),
        ("--vary epochs=1,2 --budget 5m", "a run has one length: --budget or epochs"),
        ("--vary trick=none,ema --kimg 5 --budget 5m", "a run has one length: --budget or kimg"),
        ("--vary trick=none,ema --seeds 0", "--seeds must be 1 or more"),
        ("--vary trick=none,ema --metric kiid", "there is no metric 'kiid'. Did you mean 'kid'"),
        ("--vary trick=none,ema --preview a.png", "--preview is for gankit run itself"),
        ("--recipe nothing --vary trick=none,ema", "there is no recipe 'nothing'"),
        ("--resume there --vary trick=none,ema", "--resume continues a race as it was planned"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_clear_line(words, message, refused):
    assert refused(*shlex.split(words)).startswith(message)


def test_a_folder_that_holds_something_is_not_taken(gankit_cli, trained, here):
    (here / "old").mkdir()
    (here / "old" / "race.json").write_text("{}")
    words = ("race", "--vary", "trick=none,ema", "--out")
    resume = "gankit race --resume old, or choose another --out"
    assert gankit_cli(*words, "old").err == f"gankit: old already holds a race: {resume}\n"
    holds = f"gankit: {trained} holds a run, no race: choose another --out\n"
    assert gankit_cli(*words, trained) == (2, "", holds)
    nothing = "gankit: there is no race in there: No such file or directory\n"
    assert gankit_cli("race", "--resume", "there") == (2, "", nothing)
    code, _, err = gankit_cli("race", "--resume", "old")
    assert (code, err) == (2, "gankit: old/race.json is no plan of a race: 'gankit'\n")


# ---------------------------------------------------------------- races by name


@pytest.mark.parametrize("recipe", RACES, ids=lambda recipe: recipe.name)
def test_a_race_by_name_is_whole(recipe):
    registry = load_registry()
    words, vary, seeds, _ = with_recipe(recipe.name, [], [], None)
    assert seeds == 3
    place = ["--data", "."] if "art-interactive" in words else []
    ways = read_vary(vary, run_command)

    def build(asked):
        return read_options([*words, *place, *(w for some in asked for w in some)], registry)

    variants = cross(ways.values(), build)
    wanted = {"art-epochs": 3, "art-batch": 3, "art-workers": 2, "keras-modes": 4, "each-trick": 24}
    assert len(variants) == wanted[recipe.name]
    assert len(recipe.summary) < 100


def test_the_four_modes_of_the_keras_project():
    registry = load_registry()
    words, vary, _, _ = with_recipe("keras-modes", [], [], None)
    ways = read_vary(vary, run_command)
    variants = cross(
        ways.values(),
        lambda asked: read_options([*words, *(w for some in asked for w in some)], registry),
    )
    modes = {(v.run.batch_size, v.run.discriminator) for v in variants}
    assert modes == {(b, f"mathworks:head={head}") for b in (64, 128) for head in ("dense", "conv")}
    assert {v.run.tricks for v in variants} == {("dropout-d:p=0.5",)}


def test_no_trick_is_left_out_of_each_trick():
    _, (tricks,), _, _ = with_recipe("each-trick", [], [], None)
    raced = set(tricks.removeprefix("trick=").split(","))
    elsewhere = {"freeze-d", "wgan-gp", "weight-clipping"}  # fine-tuning, another loss
    assert raced - {"none"} == {spec.name for spec in load_registry().specs("trick")} - elsewhere


def test_what_a_person_varies_replaces_what_the_recipe_varies():
    more = ["batch-size=8,16", "lr=1e-3"]
    words, vary, seeds, budget = with_recipe("keras-modes", ["--flip"], more, 2, "5m")
    assert words == ["--recipe", "flowers-keras", "--flip"]
    assert [text.partition("=")[0] for text in vary] == ["model", "batch-size", "lr"]
    assert "batch-size=8,16" in vary
    assert (seeds, budget) == (2, "5m")


def test_a_length_that_a_person_names_replaces_the_recipes_budget():
    def budget(*words, vary=(), said=""):
        return with_recipe("each-trick", list(words), list(vary), None, said)[3]

    assert budget() == "20s"
    assert budget(said="5m") == "5m"
    assert budget("--data", "epochs") == "20s"  # a folder
    assert budget("--kimg", "15") == budget("--steps=9") == budget(vary=["epochs=1,2"]) == ""


def test_a_recipe_of_run_is_handed_on():
    assert with_recipe("small-data", [], ["lr=1,2"], None) == (
        ["--recipe", "small-data"], ["lr=1,2"], 3, "",
    )  # fmt: skip
    with pytest.raises(GankitError, match="name one recipe"):
        with_recipe("art-batch", ["--recipe", "small-data"], [], None)


def test_races_are_listed(gankit_cli):
    code, out, err = gankit_cli("race", "--list")
    assert (code, err) == (0, "")
    for recipe in RACES:
        assert re.search(rf"^{recipe.name} +{re.escape(recipe.summary)}$", out, re.M)
