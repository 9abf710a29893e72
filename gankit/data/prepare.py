"""`gankit.prepare`: from a run's data set to pictures ready for batches."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import math
import pkgutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gankit.core.contracts.prepared import Pixels, PreparedDataset
from gankit.core.errors import GankitError
from gankit.core.files.portable_path import real_path
from gankit.core.parts.registry import Registry, registry_of
from gankit.core.parts.specs import DatasetSpec
from gankit.core.progress import Progress, no_progress
from gankit.core.run.image_size import ImageSize
from gankit.data.find.reasons import BROKEN
from gankit.data.labels import add_labels
from gankit.data.messages import NO_CLASS_FOLDERS, OWN_PICTURES, mostly_broken
from gankit.data.read.fit import FIT_METHODS, Box, cut_patches, fit
from gankit.data.store.prepared_pictures import PixelSettings, Transform, load_or_prepare
from gankit.data.store.split import choose_subset, split_holdout
from gankit.data.stream.shards import Shards, ShardSample
from gankit.data.stream.streamed import StreamedBatches

if TYPE_CHECKING:
    from gankit.core.run.settings import Run


def prepare(
    run: Run, registry: Registry | None = None, progress: Progress = no_progress
) -> PreparedDataset:
    """The run's pictures at its image size, from the cache if they are there, else prepared now.

    They are decoded, fitted (`--fit`) and written to one file once. The subset, the training part
    and the hold-out are chosen each time, from the data seed. `progress(done, total)` is called.
    """
    registry = registry_of(run, registry)
    transform = _make_transform(run)
    # A JPEG at a reduced scale has other colours than the file, and patches need all of its pixels.
    decode_in_full = run.fit.name == "patches" or run.resample == "nearest"
    pictures = open_dataset(run, registry, 0 if decode_in_full else run.size.longer, progress)
    settings = _pixel_settings(run)
    if isinstance(pictures, Shards):
        return _prepare_shards(run, pictures, settings, progress)
    # Errors of gankit's own data sets, and of the disk, are worded where they occur.
    is_own = registry.comes_with_gankit("dataset", run.dataset.name)
    passthrough = Exception if is_own else (GankitError, OSError)
    with registry.attribute_errors_to("dataset", run.dataset, passthrough=passthrough):
        _refuse_mostly_broken(settings.label, pictures)
        _refuse_patches_of_frames(run, pictures)
        cached = load_or_prepare(pictures, settings, transform, progress)
    rows = choose_subset(len(cached.pixels), run.subset, run.data_seed)
    train, holdout = split_holdout(
        rows, cached.groups, cached.boxes, run.holdout, run.data_seed, cached.moments
    )
    skipped = [*getattr(pictures, "left_out", ()), *cached.skipped]
    notes = [*getattr(pictures, "file_notes", ()), *cached.notes]
    prepared = PreparedDataset(
        cached.pixels, train, holdout, cached.fingerprint, skipped, notes=notes
    )
    if uses_classes(run):
        prepared = add_labels(prepared, settings.label, pictures, cached.sources, run.class_names)
    return prepared


def _pixel_settings(run: Run) -> PixelSettings:
    """The settings that decide what the prepared pictures are."""
    places = map(real_path, run.data)  # the same, whatever the working directory
    return PixelSettings(
        name=" ".join((run.dataset, *places, *run.classes)),
        image_size=run.image_size,
        channels=run.channels,
        fit=run.fit,
        background=run.background,
        resample=run.resample,
        label=" ".join((run.dataset, *run.data, *run.classes)),
    )


def uses_classes(run: Run) -> bool:
    """Whether the run needs the class of each picture."""
    return run.class_labels or run.balance_classes


def _refuse_patches_of_frames(run: Run, pictures: Sequence[Any]) -> None:
    """GankitError if films are to be cut: patches are held out by place, and frames by time."""
    if run.fit.name == "patches" and any(getattr(pictures, "moments", ())):
        raise GankitError(
            "--fit patches cuts pictures, not frames of films and animations: save single frames "
            "as pictures, or use another --fit"
        )


def _refuse_mostly_broken(name: str, pictures: Sequence[Any]) -> None:
    """GankitError if most files that should be pictures do not even begin like one."""
    left_out = getattr(pictures, "left_out", ())
    broken = [line for line in left_out if line.partition(": ")[2] in BROKEN]
    total = len(pictures) + len(broken)
    if len(broken) > total / 2:
        raise GankitError(mostly_broken(name, len(broken), total, broken[0]))


def _prepare_shards(
    run: Run, shards: Shards, settings: PixelSettings, progress: Progress
) -> PreparedDataset:
    """Prepare a sample of the shards; all other pictures are decoded during training."""
    if uses_classes(run):
        cure = "omit --class-labels and --balance-classes, or use --dataset folder"
        raise GankitError(f"shards have no class folders: {cure}")
    if run.subset or run.fit.name == "patches":
        raise GankitError("shards are always used as a whole: omit --subset and --fit patches")
    train, held_out = shards.split(run.holdout, run.data_seed)
    sample = ShardSample(shards, train, held_out)
    cached = load_or_prepare(sample, settings, _make_transform(run), progress)
    held_out_names = sample.names[: sample.num_held_out]
    broken = [name for name in held_out_names if _is_skipped(name, cached.skipped)]
    num_held_out = len(held_out_names) - len(broken)
    rows = np.arange(len(cached.pixels))
    channels = cached.pixels.shape[3]
    transform = _make_transform(dataclasses.replace(run, channels=channels))
    contents = cached.fingerprint + repr([(s.path.name, s.count) for s in shards.shards])
    return PreparedDataset(
        pixels=cached.pixels,
        train=rows[num_held_out:],
        holdout=rows[:num_held_out],
        fingerprint=hashlib.sha256(contents.encode()).hexdigest()[:20],
        skipped=cached.skipped,
        notes=cached.notes,
        streamed=sum(shard.count for shard in train),
        make_batches=functools.partial(
            StreamedBatches, shards=shards, train=train, transform=transform
        ),
    )


def _is_skipped(name: str, skipped: Sequence[str]) -> bool:
    return any(line.startswith(f"{name}: ") for line in skipped)


def open_dataset(
    run: Run, registry: Registry, image_size: int, progress: Progress
) -> Sequence[Any]:
    """The run's data set, downloaded if necessary: a sequence of pictures of any size.

    JPEG files are decoded at a reduced scale, not below `image_size`; 0 decodes them in full.
    """
    spec = registry.find("dataset", run.dataset.name)
    assert isinstance(spec, DatasetSpec)
    arguments: dict[str, Any] = {
        "background": run.background,
        "channels": run.channels or 3,
        "image_size": run.size.longer,
    }
    if "data" in spec.parameters():
        arguments["image_size"] = image_size
        arguments["classes"] = run.classes or spec.classes
        with registry.attribute_errors_to("dataset", run.dataset):
            arguments["classify"] = (
                _load_classify(spec) if run.classes or uses_classes(run) else None
            )
        arguments["progress"] = progress
        arguments["data"] = run.data or _download_files(spec, progress)
    elif run.data:
        raise GankitError(f"data set {spec.name!r} {OWN_PICTURES}")
    elif run.classes:
        raise GankitError(f"data set {spec.name!r} {NO_CLASS_FOLDERS}")
    pictures: Sequence[Any] = registry.make("dataset", run.dataset, **arguments)
    return pictures


def _load_classify(spec: DatasetSpec) -> Any:
    """The function that returns a class name for each path, or None if folders are the classes."""
    if isinstance(spec.classify, str):
        return pkgutil.resolve_name(spec.classify) if spec.classify else None
    return spec.classify


def _download_files(spec: DatasetSpec, progress: Progress) -> tuple[str, ...]:
    """The paths of the data set's files in the cache, downloaded now if necessary."""
    if not spec.downloads:
        return ()  # the builder says that --data is missing
    from gankit.data.fetch.download import download_to_cache  # imports urllib

    return tuple(str(download_to_cache(file, progress, spec.by_hand)) for file in spec.downloads)


def _make_transform(run: Run) -> Transform:
    """picture -> [(pixels, box)]: the fitted picture, or all patches of a large one."""
    method = run.fit.name
    options = run.fit.options
    size = run.size
    channels = run.channels or 3
    if method not in (*FIT_METHODS, "patches"):
        choices = ", ".join(FIT_METHODS)
        raise GankitError(f"--fit is {method!r}; it must be {choices} or patches")
    allowed_options = {"size", "stride"} if method == "patches" else set()
    unknown_options = set(options) - allowed_options
    if unknown_options:
        raise GankitError(f"--fit {method} has no option {unknown_options.pop()!r}")
    if method != "patches":
        return lambda picture: [
            (fit(picture, size, channels, method, run.background, run.resample), None)
        ]
    patch_size = _patch_size(run)
    stride = options.get("stride", patch_size.shorter)
    if not (isinstance(stride, int) and stride > 0):
        raise GankitError(f"--fit {run.fit}: stride must be whole pixels, 1 or more")

    def transform(picture: Any) -> list[tuple[Pixels, Box]]:
        return list(cut_patches(picture, size, channels, patch_size, stride, run.resample))

    return transform


def _patch_size(run: Run) -> ImageSize:
    """The size of the patches to cut, of the picture's shape: by default the run's. GankitError."""
    given = run.fit.options.get("size", run.image_size)
    try:
        size = ImageSize.parse(given)
    except GankitError:
        expected = "size must be whole pixels, 1 or more, or WIDTHxHEIGHT"
        raise GankitError(f"--fit {run.fit}: {expected}") from None
    if size.width * run.size.height != size.height * run.size.width:
        shapes = f"patches of {size} have another shape than pictures of {run.size}"
        raise GankitError(f"--fit {run.fit}: {shapes}: give size={_same_shape(size, run.size)}")
    return size


def _same_shape(patch: ImageSize, picture: ImageSize) -> str:
    """The patch size nearest to `patch` that has the picture's shape, as text: `144x96`."""
    unit = math.gcd(picture.width, picture.height)
    width = picture.width // unit
    height = picture.height // unit
    times = max(1, round(patch.shorter / min(width, height)))
    return str(ImageSize(times * width, times * height))
