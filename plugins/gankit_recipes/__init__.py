"""Recipes: whole runs by name. Data, no code; what a person names on top goes before."""

from collections.abc import Callable

from gankit import RecipeSpec, hookimpl

ADAM = {"beta1": 0.5, "beta2": 0.999}
RECIPES = (
    RecipeSpec(
        name="small-data",
        summary="your own pictures, some hundred to some thousand, on a CPU too",
        source="put together for gankit; docs/notebook.md has what was measured",
        default=True,
        settings={
            "model": "skip64",
            "tricks": (
                "ema:decay=0.998",
                "smooth-labels",
                "ada:kimg=20,policy=translate+scale+color",  # sleeps until D knows them by heart
                "lr-decay",  # smaller and smaller circles, until the two stand still
            ),
            "flip": True,
            "zoom": 1.5,  # other parts of few pictures are more pictures
            "length": "240 kimg",
        },
        variants={
            "your own pictures": "--data FOLDER",
            "128 px": "--model skip128",
            "whole pictures, no parts": "--zoom 1",
            "hours of time": "--kimg 2000",
            "stained tissue, which has no up": "--dataset ihc --dihedral",
        },
    ),
    RecipeSpec(
        name="flowers102-tf",
        summary="Flowers-102 with TensorFlow's DCGAN tutorial, stretched to 64 px",
        source="a student project; it chose its flowers by hand, after reading all took too long",
        settings={
            "dataset": "flowers102",
            "model": "tf-dcgan64",
            "tricks": (),
            "batch_size": 256,
            "lr_g": 1e-4,
            "lr_d": 1e-4,
            "beta1": 0.9,
            "length": "500 epochs",
        },
        variants={
            "128 px": "--model tf-dcgan128",
            "a few kinds, as the project had": "--classes rose,sunflower",
            "as long as the project went": "--epochs 4000",
        },
    ),
    RecipeSpec(
        name="flowergan",
        summary="FlowerGAN as it was meant: flips, noise on D's input, flipped targets",
        source="a student project on tf_flowers; in its code noise and flips were never applied",
        settings={
            "dataset": "tf-flowers",
            "model": "flowergan64",
            "tricks": ("noisy-d", "flip-labels"),
            "batch_size": 128,
            "lr_g": 2e-4,
            "lr_d": 2e-4,
            **ADAM,
            "flip": True,
            "length": "500 epochs",
        },
        variants={"with its records": "--tensorboard", "as its code ran": "--trick none"},
    ),
    RecipeSpec(
        name="cells-art",
        summary="tissue patches with the art recipe: DCGAN with a slow D, 64 px",
        source="a student project on 600 ovarian-cancer patches (Kaggle, peymannejat)",
        settings={
            "dataset": "ovarian",
            "model": "art64",
            "tricks": (),
            "batch_size": 64,
            "lr_g": 2e-4,
            "lr_d": 5e-5,
            **ADAM,
            "subset": 600,
            "flip": True,
            "length": "650 epochs",
        },
        variants={
            "128 px": "--model art128",
            "256 px, which did not converge for the project": "--model art256:max_channels=2048",
            "tissue that needs no login": "--dataset ihc",
        },
    ),
    RecipeSpec(
        name="art-interactive",
        summary="paintings with the DCGAN of the paper, to play with batches and epochs",
        source="a student project on 'Art by AI - neural style transfer' (Kaggle, vbookshelf)",
        settings={
            "dataset": "art-by-ai",
            "model": "dcgan64",
            "tricks": (),
            "batch_size": 64,
            "length": "100 epochs",
        },
        variants={
            "a first look": "--epochs 5",
            "larger batches": "--batch-size 128",
            "the largest": "--batch-size 256",
        },
    ),
    RecipeSpec(
        name="flowers-keras",
        summary="tf_flowers with a Keras DCGAN: dropout on D's input, batch 128, dense head",
        source="a student project on tf_flowers, which found this mode slightly better, by eye",
        settings={
            "dataset": "tf-flowers",
            "model": "flowers-keras64:head=dense",
            "tricks": ("dropout-d:p=0.5",),
            "batch_size": 128,
            "flip": True,
            "length": "500 epochs",
        },
        variants={
            "mode 64, dense": "--batch-size 64",
            "mode 64, conv": "--batch-size 64 --model flowers-keras64:head=conv",
            "mode 128, conv": "--model flowers-keras64:head=conv",
        },
    ),
)


@hookimpl
def register_recipes(register: Callable[[RecipeSpec], None]) -> None:
    for recipe in RECIPES:
        register(recipe)
