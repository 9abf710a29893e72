"""A page: one HTML file with everything in it, readable anywhere, light and dark."""

from __future__ import annotations

import base64
import io
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape
from PIL import Image


def render(package: str, template: str, **values: Any) -> str:
    """The text of a page: `template` is a file in the package's folder templates.

    It may extend base.html, the frame of every page, which shows `title`. All values are escaped,
    and a template that names a missing value is an error.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("gankit.cli")]),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(values)


def data_uri(picture: Image.Image, kind: str, **options: Any) -> str:
    """A picture as part of the page; `kind` is PNG or JPEG, `options` are those of Pillow."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    encoded = base64.b64encode(file.getvalue()).decode()
    return f"data:image/{kind.lower()};base64,{encoded}"
