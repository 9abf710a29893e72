"""HTML pages: they share a frame, values are escaped, and a missing value is an error."""

import pytest
from jinja2 import UndefinedError

from gankit.cli.page.render import render_page


@pytest.fixture
def package(tmp_path, monkeypatch):
    """`package("mine", "{{ name }}")`: a package of that name whose page has that body."""

    def build(name, body):
        folder = tmp_path / name
        (folder / "templates").mkdir(parents=True)
        (folder / "__init__.py").touch()
        text = '{% extends "base.html" %}{% block body %}' + body + "{% endblock %}"
        (folder / "templates" / "own.html").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        return name

    return build


def test_a_page_of_a_package_extends_the_base_page(package):
    mine = package("pages_of_names", "<p>{{ name }}</p>")
    text = render_page(mine, "own.html", title="A <title>", name="<b>&'\"")
    assert text.startswith("<!doctype html>")
    assert "<title>A &lt;title&gt;</title>" in text
    assert "<p>&lt;b&gt;&amp;&#39;&#34;</p>" in text
    assert "prefers-color-scheme: dark" in text


def test_a_value_that_is_missing_is_an_error(package):
    mine = package("pages_of_typos", "{{ nmae }}")
    with pytest.raises(UndefinedError, match="nmae"):
        render_page(mine, "own.html", title="", name="x")
