"""Which pictures `gankit sample` draws: those of seeds, of a grid's cells, or near a seed."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gankit.core.errors import GankitError, quote_value
from gankit.core.files.portable_path import path_from_here
from gankit.runs.sample_limits import SPREAD

if TYPE_CHECKING:
    from torch import Tensor

    from gankit.runs.sampler import Sampler
    from gankit.runs.walk_file import Walk

MAX_NUMBERS = 10_000  # in --seeds and --cells
MAX_NAME = 40  # letters of the numbers, or the classes, in a file's name
DIGEST = 6  # of them, if it is cut
_RANGE = re.compile(r"([0-9]{1,39})(?:-([0-9]{1,39}))?")


class Pictures(Protocol):
    """Some pictures of a run; each has a number."""

    @property
    def numbers(self) -> Sequence[int]:
        """Their numbers, in the order in which they are drawn."""

    def only(self, number: int) -> Pictures:
        """One of them."""

    def latents(self, sampler: Sampler) -> Tensor:
        """Their z: (N, latent_dim). GankitError if there is no such picture."""

    def seeds(self) -> Sequence[int]:
        """The N seeds that say which class they are of, if you name none."""

    def options(self) -> list[str]:
        """The options of `gankit sample` that choose them."""

    def seed(self) -> int | None:
        """The seed to write into a file; None for none."""

    def name(self) -> str:
        """What to call a file of all of them, without an ending."""

    def file_name(self, number: int) -> str:
        """What to call the file of one of them, among those of the others."""


@dataclass(frozen=True)
class Successive:
    """The pictures of `count` seeds from `first`: --seed and --count."""

    first: int
    count: int

    @property
    def numbers(self) -> Sequence[int]:
        return range(self.first, self.first + self.count)

    def only(self, number: int) -> Pictures:
        return Successive(number, 1)

    def latents(self, sampler: Sampler) -> Tensor:
        return sampler.latents(self.numbers)

    def seeds(self) -> Sequence[int]:
        return self.numbers

    def options(self) -> list[str]:
        return ["--seed", str(self.first), "--count", str(self.count)]

    def seed(self) -> int | None:
        return self.first

    def name(self) -> str:
        return str(self.first)

    def file_name(self, number: int) -> str:
        return f"{number:06d}.png"


class Pair(Successive):
    """The pictures of a seed and the next one: --strip --seed, whose --count is another one."""

    def options(self) -> list[str]:
        return ["--seed", str(self.first)]


@dataclass(frozen=True)
class Seeds:
    """The pictures of these seeds: --seeds."""

    numbers: tuple[int, ...]

    def only(self, number: int) -> Pictures:
        return Successive(number, 1)

    def latents(self, sampler: Sampler) -> Tensor:
        return sampler.latents(self.numbers)

    def seeds(self) -> Sequence[int]:
        return self.numbers

    def options(self) -> list[str]:
        return ["--seeds", write_numbers(self.numbers)]

    def seed(self) -> int | None:
        return self.numbers[0]

    def name(self) -> str:
        return short_name(write_numbers(self.numbers))

    def file_name(self, number: int) -> str:
        return f"{number:06d}.png"


@dataclass(frozen=True)
class Cells:
    """Cells of the grids that the run draws during training: --cells."""

    numbers: tuple[int, ...]

    def only(self, number: int) -> Pictures:
        return Cells((number,))

    def latents(self, sampler: Sampler) -> Tensor:
        return sampler.latents_of_cells(self.numbers)

    def seeds(self) -> Sequence[int]:
        return self.numbers

    def options(self) -> list[str]:
        return ["--cells", write_numbers(self.numbers)]

    def seed(self) -> int | None:
        return None

    def name(self) -> str:
        return f"cells-{short_name(write_numbers(self.numbers))}"

    def file_name(self, number: int) -> str:
        return f"cell-{number:06d}.png"


@dataclass(frozen=True)
class Near:
    """Pictures near that of a seed: --near and --spread; number 0 is the picture itself."""

    center: int
    spread: float
    numbers: Sequence[int]

    def only(self, number: int) -> Pictures:
        return Near(self.center, self.spread, (number,))

    def latents(self, sampler: Sampler) -> Tensor:
        return sampler.latents_near(self.center, self.numbers, self.spread)

    def seeds(self) -> Sequence[int]:
        return [self.center] * len(self.numbers)

    def options(self) -> list[str]:
        near = ["--near", str(self.center), "--spread", str(self.spread)]
        if self._are_the_first():
            return [*near, "--count", str(len(self.numbers))]
        return [*near, "--cells", write_numbers(self.numbers)]

    def seed(self) -> int | None:
        return self.center

    def name(self) -> str:
        which = "" if self._are_the_first() else f"-{short_name(write_numbers(self.numbers))}"
        return f"{self._near()}{which}"

    def file_name(self, number: int) -> str:
        return f"{self._near()}-{number:06d}.png"

    def _near(self) -> str:
        spread = "" if self.spread == SPREAD else f"-spread-{self.spread:.12g}"
        return f"near-{self.center}{spread}"

    def _are_the_first(self) -> bool:
        return list(self.numbers) == list(range(len(self.numbers)))


@dataclass(frozen=True)
class Circle(Near):
    """A picture, for a film in a circle around it: --near, and --loop or --seconds."""

    numbers: Sequence[int] = (0,)

    def options(self) -> list[str]:
        return ["--near", str(self.center), "--spread", str(self.spread)]


@dataclass(frozen=True)
class Directions:
    """The pictures of a walk that was saved in the page of `gankit explore`: --directions."""

    path: Path
    numbers: Sequence[int] = ()

    def only(self, number: int) -> Pictures:
        return self

    def walk(self, sampler: Sampler) -> Walk:
        """The walk. GankitError if the file holds none, or one for another run."""
        from gankit.runs.walk_file import read_walk

        return read_walk(self.path, sampler.run.latent_dim, sampler.class_names)

    def latents(self, sampler: Sampler) -> Tensor:
        return self.walk(sampler).z

    def seeds(self) -> Sequence[int]:
        return [0]

    def options(self) -> list[str]:
        return ["--directions", path_from_here(self.path)]

    def seed(self) -> int | None:
        return None

    def name(self) -> str:
        return self.path.stem

    def file_name(self, number: int) -> str:
        return f"{self.path.stem}-{number:06d}.png"


def read_numbers(option: str, text: str) -> tuple[int, ...]:
    """The numbers of a text such as `5,12,40` or `0-15,20`. GankitError that names the option."""
    numbers: list[int] = []
    for item in text.split(","):
        match = _RANGE.fullmatch(item.strip())
        if not match:
            shown = quote_value(text)
            raise GankitError(f"{option} is {shown}: write numbers as in 5,12,40, or as in 0-15")
        first = int(match[1])
        last = int(match[2] or match[1])
        if last < first:
            raise GankitError(f"{option} has {item.strip()}: write the smaller number first")
        if last - first >= MAX_NUMBERS - len(numbers):
            raise GankitError(
                f"{option} names more than {MAX_NUMBERS:,} pictures: give --seed and --count"
            )
        numbers += range(first, last + 1)
    return tuple(numbers)


def write_numbers(numbers: Iterable[int]) -> str:
    """The text that `read_numbers` reads as these numbers; three in a row are a range."""
    texts = []
    for run in _runs(numbers):
        is_range = len(run) > 2
        texts += [f"{run[0]}-{run[-1]}"] if is_range else list(map(str, run))
    return ",".join(texts)


def short_name(text: str) -> str:
    """A text for the name of a file; a long one is cut, and ends with a digest of the whole."""
    if len(text) <= MAX_NAME:
        return text
    digest = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:DIGEST]
    return f"{text[: MAX_NAME - DIGEST - 1]}-{digest}"


def _runs(numbers: Iterable[int]) -> Iterator[list[int]]:
    """The numbers in lists, each of which rises by 1."""
    for _, group in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        yield [number for _, number in group]
