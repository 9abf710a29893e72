"""Make a run of a generator's weights: its run.json, and a checkpoint of step 0 that holds G."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch

from gankit.cli.run.command import read_options
from gankit.core.errors import GankitError
from gankit.core.parts.choice import Choice
from gankit.core.parts.registry import Registry
from gankit.core.parts.specs import ModelSpec
from gankit.core.run.image_size import ImageSize
from gankit.core.run.settings import Run, setting_to_argv
from gankit.core.version import __version__
from gankit.training.assemble import build_gan
from gankit.training.checkpoints import checkpoint
from gankit.training.checkpoints.check_checkpoint import load_weights
from gankit.training.run_folder.folder import RunFolder
from gankit.training.run_folder.run_file import write_run
from gankit_export.fit import Families, Fit, explain_mismatch, shapes_of
from gankit_export.weights_file import Weights, read_weights

COUNTER = "num_batches_tracked"  # of batch norm; nothing depends on it


def import_run(
    registry: Registry, path: Path, out: str = "", options: Sequence[str] = (), generator: str = ""
) -> Run:
    """Make a run of the generator whose weights a file holds; returns the run.

    It has the settings of a model with that generator, changed by `options`, those of `gankit run`,
    and a D that training makes anew. Pictures to train on may be given later, when the run is
    resumed. GankitError if the file holds no weights, if no generator has these weights, or with
    class labels.
    """
    given = registry.check("generator", generator) if generator else None
    sets, digest = read_weights(path)
    fit, weights = _find(path, sets, Families(registry, "generator", given, _size_in(options)))
    run = _make_run(registry, fit, [*options, "--out", out] if out else options)
    if run.init:
        raise GankitError(f"--init: G begins with {path} already: omit it")
    if run.class_labels:
        cure = "omit it, then begin a new run with --init RUN --class-labels --data PICTURES"
        raise GankitError(f"--class-labels: the weights in {path} know no classes: {cure}")
    weights = _checked(run, registry, path, weights)
    with RunFolder() as folder:
        run = dataclasses.replace(run, out=folder.claim(run))
        saved = checkpoint.Checkpoint(0, {"G": weights}, {})
        checkpoint.save(run.folder / "checkpoints", saved, keep=1)
        versions = {"gankit": __version__, "torch": torch.__version__}
        write_run(run, versions=versions, imported={"file": path.name, "sha256": digest})
    return run


def _size_in(options: Sequence[str]) -> ImageSize | None:
    """The size that the options of `gankit run` give, if they do. GankitError."""
    words = [word for option in options for word in option.split("=", 1)]
    if "--image-size" not in words[:-1]:
        return None
    return ImageSize.parse(words[words.index("--image-size") + 1])


def _find(path: Path, sets: dict[str, Weights], families: Families) -> tuple[Fit, Weights]:
    """The generator of one of the sets of weights in a file, and its weights. GankitError."""
    fits: dict[str, Fit] = {}
    for place, weights in sets.items():
        is_inside = any(place.startswith(other) for other in fits)
        fit = None if is_inside else families.fit(shapes_of(weights))
        if fit:
            fits[place] = fit
    if len(fits) > 1:
        names = ", ".join(place.rstrip(".") for place in fits)
        raise GankitError(f"{path} holds several generators: {names}: save one of them alone")
    for place, fit in fits.items():
        return fit, sets[place]
    largest = max(sets.values(), key=len)
    raise GankitError(f"{path}: {explain_mismatch(families, shapes_of(largest))}")


def _make_run(registry: Registry, fit: Fit, options: Sequence[str]) -> Run:
    """A run with this generator; it computes as PyTorch does, so that no bit of a picture changes.

    Without pictures it is a run of your own ones that are not given yet.
    """
    settings = {
        "model": Choice(_model_of(registry, fit), fit.network.options),
        "generator": fit.network,
        "image_size": fit.image_size,
        "channels": fit.channels,
        "latent_dim": fit.latent_dim,
        "convolutions": "plain",
        "memory_format": "contiguous",
    }
    argv = [word for name, value in settings.items() for word in setting_to_argv(name, value)]
    has_pictures = {"--data", "--dataset"} & {option.partition("=")[0] for option in options}
    if has_pictures:
        return read_options([*argv, *options], registry)
    default = setting_to_argv("dataset", registry.default("dataset"))
    run = read_options([*argv, *options, *default], registry)
    own = next(spec.name for spec in registry.specs("dataset") if getattr(spec, "own", False))
    return dataclasses.replace(run, dataset=Choice(own))


def _model_of(registry: Registry, fit: Fit) -> str:
    """The model whose settings fit best: one with this generator, if possible of this size."""

    def distance(spec: ModelSpec) -> tuple[bool, bool, bool, str]:
        own = Choice.parse(spec.generator)
        is_other = own.name != fit.network.name
        is_named = spec.name.startswith(own.name)
        return is_other, spec.image_size != fit.image_size, not is_named, spec.name

    models = [spec for spec in registry.specs("model") if isinstance(spec, ModelSpec)]
    return min(models, key=distance).name


def _checked(run: Run, registry: Registry, path: Path, weights: Weights) -> Weights:
    """All tensors of G with these weights. GankitError if one is not finite."""
    gan, _ = build_gan(dataclasses.replace(run, device="cpu", precision="32"), registry)
    net = gan.G.net
    counters = {name: t for name, t in net.state_dict().items() if name.endswith(COUNTER)}
    counters |= {name: weights[name].long() for name in counters if name in weights}
    try:
        load_weights(net, {**weights, **counters}, "G")
    except ValueError as error:
        raise GankitError(f"{path}: {error}") from error
    return net.state_dict()
