"""Races by name: the experiments of student projects and ours, each one command. Data, no code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gankit.core.errors import GankitError

SEEDS = 3  # unless somebody says otherwise: the fewest that make an interval of any use


@dataclass(frozen=True, kw_only=True)
class RaceRecipe:
    """A race by name; what a person says on the command line goes before."""

    name: str
    summary: str
    source: str
    options: tuple[str, ...]  # of `gankit run`
    vary: Mapping[str, str]  # option -> its values
    seeds: int = SEEDS
    budget: str = ""  # of each run, where nobody says another length


EACH_TRICK = (  # left out: freeze-d, for fine-tuning; those that want the wasserstein loss
    "none,ada,blur,diffaugment,dragan,dropout-d,ema,feature-matching,flip-labels,"
    "gradient-clipping,historical-averaging,lecam,lr-decay,minibatch-discrimination,"
    "minibatch-stddev,noisy-d,noisy-labels,r1,r2,replay,smooth-labels,spectral-norm,top-k,ttur"
)
ART = "a student project on 'Art by AI - neural style transfer' (Kaggle, vbookshelf)"
RACES = (
    RaceRecipe(
        name="art-epochs",
        summary="paintings for 5, 40 or 100 epochs: what does longer training bring?",
        source=ART,
        options=("--recipe", "art-interactive"),
        vary={"epochs": "5,40,100"},
    ),
    RaceRecipe(
        name="art-batch",
        summary="paintings in batches of 64, 128 or 256, all for 100 epochs",
        source=ART,
        options=("--recipe", "art-interactive"),
        vary={"batch-size": "64,128,256"},
    ),
    RaceRecipe(
        name="art-workers",
        summary="one or two CPU threads, where the project had 4, 8 or 16 loader workers",
        source=f"{ART}; gankit prepares pictures once, so there is nothing left to load",
        options=("--recipe", "art-interactive"),
        vary={"threads": "1,2"},
    ),
    RaceRecipe(
        name="keras-modes",
        summary="flowers in the four modes of a Keras project: batch 64 or 128, dense or conv head",
        source="a student project on tf_flowers, which compared its modes by eye",
        options=("--recipe", "flowers-keras"),
        vary={
            "batch-size": "64,128",
            "model": "flowers-keras64:head=dense,flowers-keras64:head=conv",
        },
    ),
    RaceRecipe(
        name="each-trick",
        summary="a small DCGAN without tricks against each trick alone: which earn their place?",
        source="gankit; each trick with its default values",
        options=(
            "--model",
            "dcgan64:base_channels=16",
            "--image-size",
            "32",
            "--batch-size",
            "32",
            "--lr",
            "4e-4",
        ),
        vary={"trick": EACH_TRICK},
        budget="20s",
    ),
)


def find_race(name: str | None) -> RaceRecipe | None:
    """The race of that name, if it is one of ours."""
    return next((race for race in RACES if race.name == name), None)


def with_recipe(
    name: str | None, options: list[str], vary: list[str], seeds: int | None, budget: str = ""
) -> tuple[list[str], list[str], int, str]:
    """Options, what varies, seeds and budget, with what the recipe adds to those given.

    A recipe of `gankit run` is handed on to it.
    """
    recipe = find_race(name)
    if recipe is None:
        of_run = ["--recipe", name] if name else []
        return [*of_run, *options], vary, SEEDS if seeds is None else seeds, budget
    if "--recipe" in options:
        raise GankitError("name one recipe")
    varied = {text.partition("=")[0].strip().removeprefix("--").replace("_", "-") for text in vary}
    from_recipe = [f"{key}={values}" for key, values in recipe.vary.items() if key not in varied]
    flags = {word.partition("=")[0] for word in options if word.startswith("--")}
    given = varied | {flag.removeprefix("--") for flag in flags}
    if not given & {"steps", "epochs", "kimg"}:
        budget = budget or recipe.budget
    seeds = recipe.seeds if seeds is None else seeds
    return [*recipe.options, *options], [*from_recipe, *vary], seeds, budget
