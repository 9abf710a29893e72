"""HTML pages: one file with everything in it, light and dark, readable on any screen."""

from __future__ import annotations

import base64
import functools
import hashlib
import io
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape
from PIL import Image

from gankit.core.printable import printable


def render_page(package: str, template: str, **values: Any) -> str:
    """The HTML of a page; `template` is a file in the folder `templates` of the package.

    A template may extend base.html, the frame of every page, which shows `title`. All values are
    escaped, and control characters become `?`; a value that the template uses and you do not give
    raises UndefinedError. What UTF-8 cannot encode, a part of a file name that is not UTF-8,
    becomes `?`. The page may run the scripts of its template and no others, and load nothing.
    """
    page = _environment_of(package).get_template(template).render(values)
    return page.encode(errors="replace").decode()


@functools.cache
def _environment_of(package: str) -> Environment:
    """Jinja's environment of a package, which keeps templates that it has compiled."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("gankit.cli.page")]),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_make_printable,
    )
    environment.filters["hash_source"] = hash_source
    return environment


def _make_printable(value: Any) -> Any:
    """A text without control characters and without those that change the direction of a line."""
    is_text = isinstance(value, str) and not hasattr(value, "__html__")
    return printable(value, keep="\n\t") if is_text else value


def hash_source(text: str) -> str:
    """How a content security policy names an inline script or style: `sha256-...`."""
    digest = hashlib.sha256(text.encode(errors="replace")).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def encode_picture(picture: Image.Image, kind: str, **options: Any) -> str:
    """A picture in base64; `kind` is PNG, JPEG or WEBP, `options` go to Pillow's `save`."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return base64.b64encode(file.getvalue()).decode()


def data_uri(picture: Image.Image, kind: str, **options: Any) -> str:
    """A picture as a data: URI, for the same arguments as `encode_picture`."""
    return f"data:image/{kind.lower()};base64,{encode_picture(picture, kind, **options)}"
