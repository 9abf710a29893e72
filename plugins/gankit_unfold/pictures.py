"""The small pictures of the page: each is once in its style sheet, and may be shown often."""

from __future__ import annotations

import math

import torch
from gankit_report.judge_pictures import draw_heat
from markupsafe import Markup
from PIL import Image
from torch import Tensor

from gankit.cli.page.render import data_uri
from gankit.runs.images import Frame, to_frames

MAX_SIDE = 64  # pixels of a picture on the page
QUALITY = 70  # of WebP
SPREAD = 0.995  # of the largest values are cut off, so that a single pixel sets no scale


class Pictures:
    """The pictures of a page, each with the name of a class of its style sheet."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}  # data: URI -> class
        self._shapes: dict[str, str] = {}  # class -> rule for a picture that is not square

    def add(self, image: Tensor) -> str:
        """Add an image (C, H, W) in [-1, 1]; returns the class that shows it."""
        return self._add(to_frames(image[None])[0])

    def add_heat(self, image: Tensor, slope: Tensor) -> str:
        """Add the size of a slope (C, H, W) as a heat map over its image (C, H, W)."""
        size = slope.abs().sum(dim=0, keepdim=True)
        return self._add(draw_heat(image[None], size[None])[0])

    def _add(self, pixels: Frame) -> str:
        picture = Image.fromarray(pixels)
        picture.thumbnail((MAX_SIDE, MAX_SIDE))
        uri = data_uri(picture, "WEBP", quality=QUALITY)
        name = self._names.setdefault(uri, f"p{len(self._names)}")
        if picture.width != picture.height:
            self._shapes[name] = f";aspect-ratio:{picture.width}/{picture.height}"
        return name

    def style_sheet(self) -> Markup:
        """The CSS that shows the pictures."""
        rules = [
            f".{name}{{background-image:url({uri}){self._shapes.get(name, '')}}}"
            for uri, name in self._names.items()
        ]
        return Markup("\n".join(rules))


def scale_of_wishes(wishes: list[Tensor]) -> float:
    """The factor that makes a typical large wish of a step a change of 0.6, of 2 in all."""
    return 0.6 / _large(torch.stack(wishes))


def scale_of_changes(changes: list[Tensor]) -> float:
    """A round factor (1, 2, 5, 10, 20, ...) that makes small changes of images visible."""
    factor = max(1.0, 0.8 / _large(torch.stack(changes)))
    power = 10.0 ** math.floor(math.log10(factor))
    return max(digit * power for digit in (1, 2, 5) if digit * power <= factor)


def _large(values: Tensor) -> float:
    """A large absolute value among these: few are larger."""
    sizes = values.abs().flatten().float()
    return max(float(torch.quantile(sizes[:: max(1, len(sizes) // 10**6)], SPREAD)), 1e-12)
