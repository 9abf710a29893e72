"""Builds the site: `python -m sphinx -W --keep-going docs docs/_build`, without a network.

Lessons, commands and parts are written from the code before Sphinx reads the pages; lessons show
the whole runs that docs/run_lesson.py has kept. Nothing is trained here.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))

import write_commands  # noqa: E402
import write_lessons  # noqa: E402
import write_parts  # noqa: E402
from sphinx.util import logging  # noqa: E402

from gankit import __version__  # noqa: E402

project = "gankit"
author = "The gankit authors"
copyright = author
release = version = __version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "sphinx_design"]
exclude_patterns = ["_build", "examples", "outputs"]
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r".*")]  # of the types in signatures, few have an entry
smartquotes_action = "qe"  # quotes and ellipses; two hyphens begin an option: --data
default_role = "code"  # in docstrings: `run.json`
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
maximum_signature_line_length = 100
myst_enable_extensions = ["colon_fence", "deflist", "attrs_block"]
myst_heading_anchors = 4
copybutton_exclude = ".linenos, .gp, .go"
copybutton_selector = "div.highlight pre, .command > code"

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = "gankit"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_baseurl = os.environ.get("GANKIT_SITE", "")  # where the site will be, if that is known
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"footer_icons": [], "top_of_page_buttons": []}

LESSON = re.compile(r"\]\((?:\.\./)?lessons/(\d\d_\w+)\.py\)")


def write_pages(app):
    """The pages that are made from the code."""
    wheel = f"gankit-{__version__}-py3-none-any.whl"
    wrong = write_lessons.write(DOCS / "lessons", f"{html_baseurl.rstrip('/')}/{wheel}".lstrip("/"))
    for line in wrong:
        logging.getLogger(__name__).warning(line)
    write_lessons.put(DOCS / "reference" / "commands.md", write_commands.commands())
    parts = write_parts.parts(write_parts.bundled())
    if parts != (DOCS / "parts.md").read_text(encoding="utf-8"):
        logging.getLogger(__name__).warning("parts.md is old: run python docs/write_parts.py")


def link_lessons(app, name, source):
    """On the site, a link to a lesson's file leads to its page; VERSION is this one."""
    up = "../" * name.count("/")
    source[0] = LESSON.sub(rf"]({up}lessons/\1.md)", source[0])
    source[0] = source[0].replace("gankit-VERSION-", f"gankit-{__version__}-")
    for page in ("benchmarks", "results"):  # in the index once they are written
        if not (DOCS / f"{page}.md").exists():
            source[0] = source[0].replace(f"\n{page}\n", "\n")


def build_wheel(app, error):
    """The package beside the pages: notebooks on Colab install it from here."""
    if not error and app.builder.format == "html":
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", app.outdir]
        subprocess.run(command, cwd=DOCS.parent, check=True, stdout=subprocess.DEVNULL)


def setup(app):
    app.connect("builder-inited", write_pages)
    app.connect("source-read", link_lessons)
    app.connect("build-finished", build_wheel)
