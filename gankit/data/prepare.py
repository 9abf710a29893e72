"""`gankit.prepare`: from a run's data set to pictures ready for batches."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import pkgutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gankit.core.choice import Choice
from gankit.core.errors import GankitError
from gankit.core.prepared import Pixels, PreparedDataset
from gankit.core.registry import Registry, load_registry
from gankit.core.specs import DatasetSpec
from gankit.core.stop import Progress
from gankit.data.read.fit import HOWS, Box, fit, tiles
from gankit.data.store.split import chosen, split
from gankit.data.store.write import Cutter, Settings, written
from gankit.data.stream.shards import Sample, Shards

if TYPE_CHECKING:
    from gankit.core.settings import Run


def prepare(
    run: Run, registry: Registry | None = None, progress: Progress = lambda done, total: None
) -> PreparedDataset:
    """The run's pictures at its size: found in the cache, else prepared now.

    They are decoded, fitted (`--fit`) and written to one file once; which of them are in the
    subset, the training part and the hold-out is decided here, each time, from the data seed.
    """
    registry = registry or load_registry()
    cutter = _cutter(run.fit, run)
    every_pixel = run.fit.name == "patches"
    pictures = opened(run, registry, 0 if every_pixel else run.image_size, progress)
    name = " ".join((run.dataset, *run.data, *run.classes))
    settings = Settings(name, run.image_size, run.channels, run.fit, run.background)
    if isinstance(pictures, Shards):
        return _streamed(run, pictures, settings, progress)
    done = written(pictures, settings, cutter, progress)
    rows = chosen(len(done.pixels), run.subset, run.data_seed)
    train, holdout = split(rows, done.groups, done.boxes, run.holdout, run.data_seed)
    left_out = [*getattr(pictures, "left_out", ()), *done.skipped]
    return PreparedDataset(done.pixels, train, holdout, done.fingerprint, left_out)


def _streamed(run: Run, shards: Shards, settings: Settings, progress: Progress) -> PreparedDataset:
    """Shards, of which only a sample is prepared; the rest is decoded on the way."""
    from gankit.data.stream.streamed import Streamed  # costs an import of torch

    if run.subset or run.fit.name == "patches":
        raise GankitError("shards are streamed whole: leave --subset and --fit patches away")
    train, held = shards.split(run.holdout, run.data_seed)
    sample = Sample(shards, train, held)
    done = written(sample, settings, _cutter(run.fit, run), progress)
    lost = [any(line.startswith(f"{name}: ") for line in done.skipped) for name in sample.names]
    kept = len(sample.names[: sample.held]) - sum(lost[: sample.held])
    rows = np.arange(len(done.pixels))
    cutter = _cutter(run.fit, dataclasses.replace(run, channels=done.pixels.shape[3]))
    make_batches = functools.partial(Streamed, shards=shards, train=train, cutter=cutter)
    streamed = sum(shard.count for shard in train)
    prints = done.fingerprint + repr([(shard.path.name, shard.count) for shard in shards.shards])
    fingerprint = hashlib.sha256(prints.encode()).hexdigest()[:20]
    return PreparedDataset(
        pixels=done.pixels,
        train=rows[kept:],
        holdout=rows[:kept],
        fingerprint=fingerprint,
        skipped=done.skipped,
        streamed=streamed,
        make_batches=make_batches,
    )


def opened(run: Run, registry: Registry, image_size: int, progress: Progress) -> Sequence[Any]:
    """The data set itself, downloaded where it must be: a sequence of pictures of any size.

    JPEG files come at a reduced scale that suits `image_size`; 0 asks for every pixel.
    """
    spec = registry.find("dataset", run.dataset.name)
    assert isinstance(spec, DatasetSpec)
    filled_in: dict[str, Any] = {"background": run.background, "channels": run.channels or 3}
    files = "data" in spec.parameters()
    filled_in["image_size"] = image_size if files else run.image_size
    if files:
        filled_in["classes"] = run.classes or spec.classes
        kinds = (run.classes and spec.classify) or None  # nobody asks: they need not be known
        filled_in["classify"] = pkgutil.resolve_name(kinds) if isinstance(kinds, str) else kinds
        filled_in["progress"] = progress
        filled_in["data"] = run.data or downloaded(spec, progress)
    elif run.classes:
        raise GankitError(f"data set {spec.name!r} has no class folders: leave --classes away")
    pictures: Sequence[Any] = registry.make("dataset", run.dataset, **filled_in)
    return pictures


def downloaded(spec: DatasetSpec, progress: Progress) -> tuple[str, ...]:
    """The set's files in the cache, downloaded now if they are not there yet."""
    if not spec.downloads:
        return ()  # the builder says what it misses
    from gankit.data.fetch.download import fetch  # costs an import of urllib

    return tuple(str(fetch(file, progress, spec.by_hand)) for file in spec.downloads)


def _cutter(how: Choice, run: Run) -> Cutter:
    """picture -> [(pixels, box)]: one fitted picture, or the patches of a large one."""
    size, channels = run.image_size, run.channels or 3
    if how.name not in (*HOWS, "patches"):
        raise GankitError(f"--fit is {how.name!r}; it must be {', '.join(HOWS)} or patches")
    if unknown := set(how.options) - ({"size", "stride"} if how.name == "patches" else set()):
        raise GankitError(f"--fit {how.name} has no option {unknown.pop()!r}")
    if how.name == "patches":
        tile = how.options.get("size", size)
        stride = how.options.get("stride", tile)
        if not all(isinstance(value, int) and value > 0 for value in (tile, stride)):
            raise GankitError(f"--fit {how}: size and stride are whole pixels, 1 or more")
        return functools.partial(_tiles, size=size, channels=channels, tile=tile, stride=stride)
    return lambda picture: [(fit(picture, size, channels, how.name, run.background), None)]


def _tiles(
    picture: Any, size: int, channels: int, tile: int, stride: int
) -> list[tuple[Pixels, Box]]:
    return list(tiles(picture, size, channels, tile, stride))
