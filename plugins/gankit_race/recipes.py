"""Named races: experiments of student projects, and one of gankit's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gankit.core.errors import GankitError
from gankit_race.variants import LENGTHS, option_name

SEEDS = 3  # the default: with fewer, intervals are too wide to be useful


@dataclass(frozen=True, kw_only=True)
class RaceRecipe:
    """A named race; any option you give overrides it."""

    name: str
    summary: str
    source: str
    options: tuple[str, ...]  # arguments of `gankit run`
    vary: Mapping[str, str]  # option -> its values
    seeds: int = SEEDS
    budget: str = ""  # length of each run; "": that of the model or recipe


EACH_TRICK = (  # without freeze-d, which is for fine-tuning, and tricks for the wasserstein loss
    "none,ada,blur,diffaugment,dragan,dropout-d,ema,feature-matching,flip-labels,"
    "gradient-clipping,historical-averaging,lecam,lr-decay,minibatch-discrimination,"
    "minibatch-stddev,noisy-d,noisy-labels,r1,r2,replay,smooth-labels,spectral-norm,top-k,ttur"
)
ART = "a student project on 'Art by AI - neural style transfer' (Kaggle, vbookshelf)"
RACES = (
    RaceRecipe(
        name="art-epochs",
        summary="paintings for 5, 40 or 100 epochs: does longer training help?",
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
        summary="one or two CPU threads; the project compared 4, 8 and 16 loader workers",
        source=f"{ART}; gankit prepares pictures once and has no loader workers",
        options=("--recipe", "art-interactive"),
        vary={"threads": "1,2"},
    ),
    RaceRecipe(
        name="keras-modes",
        summary="the four modes of a Keras project on flowers: batch 64 or 128, dense or conv head",
        source="a student project on tf_flowers that compared its modes by eye",
        options=("--recipe", "flowers-keras"),
        vary={
            "batch-size": "64,128",
            "model": "flowers-keras64:head=dense,flowers-keras64:head=conv",
        },
    ),
    RaceRecipe(
        name="each-trick",
        summary="a small DCGAN without tricks, and with each trick alone: which tricks help?",
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
    """The race with that name; None if there is none."""
    return next((race for race in RACES if race.name == name), None)


def apply_recipe(
    name: str | None, options: list[str], vary: list[str], seeds: int | None, budget: str = ""
) -> tuple[list[str], list[str], int, str]:
    """Complete what the user gave by what the named race says; the user's values override it.

    Returns the arguments of `gankit run`, the texts of --vary, the number of seeds, and the budget.
    A name that is not a race is passed to `gankit run` as its recipe.
    """
    recipe = find_race(name)
    if recipe is None:
        run_recipe = ["--recipe", name] if name else []
        return [*run_recipe, *options], vary, SEEDS if seeds is None else seeds, budget
    if "--recipe" in options:
        raise GankitError("--recipe is given twice; give it once")
    user_varied = {option_name(text.partition("=")[0]) for text in vary}
    vary = [
        *(f"{key}={values}" for key, values in recipe.vary.items() if key not in user_varied),
        *vary,
    ]
    flags = [word.partition("=")[0] for word in options if word.startswith("--")]
    user_options = user_varied | {flag.removeprefix("--") for flag in flags}
    if not user_options & set(LENGTHS):
        budget = budget or recipe.budget
    seeds = recipe.seeds if seeds is None else seeds
    return [*recipe.options, *options], vary, seeds, budget
