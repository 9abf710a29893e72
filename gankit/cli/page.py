"""HTML pages: one file with everything in it, light and dark, readable on any screen."""

from __future__ import annotations

import base64
import io
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape
from PIL import Image


def render_page(package: str, template: str, **values: Any) -> str:
    """The HTML of a page; `template` is a file in the folder `templates` of the package.

    A template may extend base.html, the frame of every page, which shows `title`. All values are
    escaped; a value that the template uses and you do not give raises UndefinedError. What UTF-8
    cannot encode, a part of a file name that is not UTF-8, becomes `?`.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("gankit.cli")]),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(template).render(values)
    return page.encode(errors="replace").decode()


def data_uri(picture: Image.Image, kind: str, **options: Any) -> str:
    """A picture as a data: URI; `kind` is PNG or JPEG, `options` go to Pillow's `save`."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    encoded = base64.b64encode(file.getvalue()).decode()
    return f"data:image/{kind.lower()};base64,{encoded}"
