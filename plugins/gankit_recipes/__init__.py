"""Recipes: all settings of a run, by name. Options that you give override a recipe's settings."""

from collections.abc import Callable

from gankit import RecipeSpec, hookimpl

ADAM = {"beta1": 0.5, "beta2": 0.999}
RECIPES = (
    RecipeSpec(
        name="small-data",
        summary="for hundreds to thousands of your own pictures, on a GPU or a CPU",
        source="made for gankit; docs/notebook.md has the measurements",
        default=True,
        settings={
            "model": "skip64",
            "tricks": (
                "ema:decay=0.998",
                "smooth-labels",
                "ada:kimg=20,policy=translate+scale+color",  # starts when D memorises the pictures
                "lr-decay",  # lets G and D settle at the end
            ),
            "flip": True,
            "zoom": "auto",  # random crops make more pictures of few
            "length": "240 kimg",
        },
        variants={
            "your own pictures": "--data FOLDER",
            "128 px": "--model skip128",
            "128 px, growing from 16 px": "--model grow128 --trick +grow",
            "whole pictures, no random crops": "--zoom 1",
            "a run of hours": "--kimg 2000",
            "stained tissue, which looks the same when rotated": "--dataset ihc --dihedral",
        },
    ),
    RecipeSpec(
        name="flowers102-tf",
        summary="Flowers-102 with the DCGAN of TensorFlow's tutorial, enlarged to 64 px",
        source="a student project, which chose its flowers by hand, as reading all took too long",
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
            "a few classes, as in the project": "--classes rose,sunflower",
            "as long as in the project": "--epochs 4000",
        },
    ),
    RecipeSpec(
        name="flowergan",
        summary="FlowerGAN as its authors intended: flips, noise on D's input, flipped targets",
        source="a student project on tf_flowers; its code never applied the noise and the flips",
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
        variants={"with TensorBoard": "--tensorboard", "as its code did": "--trick none"},
    ),
    RecipeSpec(
        name="cells-art",
        summary="tissue patches with the model of the art project: DCGAN with a slow D, 64 px",
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
            "256 px, which did not converge in the project": "--model art256:max_channels=2048",
            "tissue pictures without a login": "--dataset ihc",
        },
    ),
    RecipeSpec(
        name="art-interactive",
        summary="paintings with the DCGAN of the paper; try other batch sizes and epochs",
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
            "the largest batches": "--batch-size 256",
        },
    ),
    RecipeSpec(
        name="flowers-keras",
        summary="tf_flowers with a Keras DCGAN: dropout on D's input, batch 128, dense head",
        source="a student project on tf_flowers, which found this mode slightly better by eye",
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
