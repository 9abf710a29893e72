"""What `gankit sample` writes: a grid, single files, a strip, or a film."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gankit.cli.sample.classes import class_options, file_prefix, labels_of, stops_of_way
from gankit.cli.sample.options import Film
from gankit.cli.sample.output import check_film_fits, check_picture_fits, sample_words
from gankit.cli.sample.pictures import Circle, Directions, Pictures
from gankit.cli.terminal.progress import progress_bar
from gankit.core.class_labels import columns_in_turn
from gankit.core.randomness import latents
from gankit.core.run.image_size import ImageSize
from gankit.core.run.settings import command_about
from gankit.runs.images import (
    Frame,
    Frames,
    arrange,
    nearly_square,
    resize,
    resized,
    save_picture,
    scale_gap,
    write_number,
)
from gankit.runs.latent_walk import circle, film_frames, walk, walk_labels
from gankit.runs.provenance import Provenance, of_run
from gankit.runs.sampler import Sampler
from gankit.runs.video import write_video

GAP = 2  # px between pictures as G draws them
MAX_SHOWN = 64  # of the pictures of --files, with --show
CIRCLE_SECONDS = 8  # of a film around one picture


@dataclass(frozen=True)
class Drawing:
    """Where to draw from, and where to."""

    sampler: Sampler
    out: Path
    size: int = 0  # px of each picture's longer side; 0: as G draws
    classes: tuple[str, ...] = ()  # that were named

    @property
    def drawn(self) -> ImageSize:
        """The size of G's pictures."""
        return self.sampler.run.size

    @property
    def written(self) -> tuple[int, int]:
        """Width and height of each picture in the file."""
        return resized(self.drawn.width, self.drawn.height, self.size)

    def check_grid(self, options: list[str], count: int, columns: int) -> None:
        """GankitError if a grid of `count` pictures, which these options choose, is too large."""
        gap = scale_gap(GAP, self.drawn.longer, self.size)
        check_picture_fits(options, count, columns, self.written, gap, self.out)

    def enlarge(self, frame: Frame) -> Image.Image:
        """A picture of its own, in RGB or RGBA."""
        return resize(Image.fromarray(frame), self.size, self.sampler.run.resample)

    def arrange(self, frames: Frames, columns: int = 0, numbers: Sequence[int] = ()) -> Image.Image:
        """A grid of pictures, in RGB."""
        resample = self.sampler.run.resample
        return arrange(frames, columns, GAP, size=self.size, numbers=numbers, resample=resample)

    def write(self, picture: Image.Image, path: Path, provenance: Provenance) -> None:
        """Write a picture; if its format has no transparency, on the run's background."""
        save_picture(picture, path, provenance, self.sampler.run.background)

    def provenance(self, options: list[str], seed: int | None) -> Provenance:
        """Where a picture or video that these options of `gankit sample` draw comes from."""
        run = self.sampler.run
        options = [*options, *class_options(self.classes)]
        options += ["--size", str(self.size)] if self.size else []
        options += ["--checkpoint", str(self.sampler.step)]
        command = command_about(run, *sample_words(run.folder, *options))
        return of_run(run.folder, self.sampler.step, command, seed)


def write_grid(drawing: Drawing, pictures: Pictures, *, numbered: bool) -> Frames:
    """Write a grid, or a single picture without a frame; returns the pictures as G draws them.

    Of several classes, each has a row, with the same z in all.
    """
    sampler = drawing.sampler
    classes = drawing.classes or (None,)
    in_a_row = len(pictures.numbers)
    count = in_a_row * len(classes)
    columns = in_a_row if len(classes) > 1 else 0
    if not drawing.classes:
        columns = columns_in_turn(pictures.seeds(), len(sampler.class_names))
    columns = columns or nearly_square(count, drawing.drawn)
    options = [*pictures.options(), *(["--numbers"] if numbered else [])]
    drawing.check_grid([*options, *class_options(drawing.classes)], count, columns)
    z = pictures.latents(sampler)
    frames = np.concatenate([sampler.frames(z, labels_of(sampler, pictures, c)) for c in classes])
    numbers = [*pictures.numbers] * len(classes) if numbered else ()
    if count > 1:
        picture = drawing.arrange(frames, columns=columns, numbers=numbers)
    else:
        picture = drawing.enlarge(frames[0])
        picture = write_number(picture, numbers[0]) if numbers else picture
    drawing.write(picture, drawing.out, drawing.provenance(options, pictures.seed()))
    return frames


def write_files(drawing: Drawing, pictures: Pictures) -> Frames:
    """Write a file for each picture into the folder; returns the first of them as G draws them."""
    drawing.out.mkdir(parents=True, exist_ok=True)
    sampler = drawing.sampler
    singles = [(c, number) for c in drawing.classes or (None,) for number in pictures.numbers]
    first: list[Frame] = []
    with progress_bar("drawing") as progress:
        for done, (name, number) in enumerate(singles, 1):
            single = pictures.only(number)
            of_class = replace(drawing, classes=(name,) if name else ())
            frame = sampler.frames(single.latents(sampler), labels_of(sampler, single, name))[0]
            provenance = of_class.provenance(single.options(), single.seed())
            path = drawing.out / (
                file_prefix(of_class.classes, drawing.classes) + pictures.file_name(number)
            )
            drawing.write(drawing.enlarge(frame), path, provenance)
            if len(first) < MAX_SHOWN:
                first.append(frame)
            progress(done, len(singles))
    return np.stack(first)


def write_strip(drawing: Drawing, pictures: Pictures, count: int) -> Frames:
    """Write a row of `count` pictures on the way through the pictures; returns them.

    With several classes, the way goes from class to class.
    """
    options = ["--strip", *pictures.options(), "--count", str(count)]
    drawing.check_grid(options, count, count)
    z, shares = _stops(drawing, pictures)
    points = torch.stack(list(walk(z, count)))
    labels = None if shares is None else torch.stack(list(walk_labels(shares, count)))
    frames = drawing.sampler.frames(points, labels)
    picture = drawing.arrange(frames, columns=count)
    drawing.write(picture, drawing.out, drawing.provenance(options, pictures.seed()))
    return frames


def write_film(drawing: Drawing, pictures: Pictures, film: Film, film_options: list[str]) -> None:
    """Write a film; `film_options` are those that make the same film again."""
    options = [*pictures.options(), *film_options]
    points, labels, count = _points(drawing, pictures, film)
    check_film_fits(options, count, drawing.written, drawing.out)
    provenance = drawing.provenance(options, pictures.seed())
    with progress_bar("drawing") as progress:

        def draw() -> Iterator[Image.Image]:
            frames = film_frames(drawing.sampler, points, drawing.size, labels)
            for number, frame in enumerate(frames, 1):
                yield frame
                progress(number, count)

        write_video(draw(), drawing.out, film.fps, provenance)


def _points(
    drawing: Drawing, pictures: Pictures, film: Film
) -> tuple[Iterator[Tensor], Iterator[Tensor] | None, int]:
    """The z (latent_dim,) of a film's frames, their shares of classes, and how many they are."""
    fps = film.fps
    z, shares = _stops(drawing, pictures)
    if isinstance(pictures, Circle):
        noise = latents(pictures.center, 0, 2, drawing.sampler.run.latent_dim, "circle")
        count = _count_frames(film.seconds or CIRCLE_SECONDS, fps)
        of_each = None if shares is None else itertools.repeat(shares[0], count)
        return circle(z[0], noise, pictures.spread, count), of_each, count
    closed = bool(film.closed)
    seconds_per_picture = 1.0
    if isinstance(pictures, Directions):
        saved = pictures.walk(drawing.sampler)
        closed = saved.is_closed if film.closed is None else film.closed
        seconds_per_picture = saved.seconds_per_picture
    parts = len(z) if closed else len(z) - 1
    count = _count_frames(film.seconds or parts * seconds_per_picture, fps)
    labels = None
    if shares is not None:
        labels = walk_labels(shares, count, closed=closed, eased=film.eased)
    return walk(z, count, closed=closed, eased=film.eased), labels, count


def _stops(drawing: Drawing, pictures: Pictures) -> tuple[Tensor, Tensor | None]:
    """The z of a way's pictures and, with class labels, their shares; see `stops_of_way`."""
    sampler = drawing.sampler
    saved = pictures.walk(sampler).shares if isinstance(pictures, Directions) else None
    z = pictures.latents(sampler)
    return stops_of_way(z, sampler, drawing.classes, saved, pictures.seeds()[0])


def _count_frames(seconds: float, fps: int) -> int:
    return max(2, round(seconds * fps))
