"""Settings of the site. Build it with `python -m sphinx -W --keep-going docs docs/_build`.

Before Sphinx reads the pages, the pages of lessons and commands are written from the code. Lesson
pages show the output that docs/run_lesson.py saved; the build itself trains nothing and needs no
network.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))

import write_commands  # noqa: E402
import write_findings  # noqa: E402
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
nitpick_ignore_regex = [(r"py:.*", r".*")]  # few types in signatures have an entry to link to
smartquotes_action = "qe"  # quotes and ellipses, but not dashes: --data is an option
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
html_baseurl = os.environ.get("GANKIT_SITE", "")  # the address of the site, if known
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"footer_icons": [], "top_of_page_buttons": []}

LESSON_LINK = re.compile(r"\]\((?:\.\./)?lessons/(\d\d_\w+)\.py\)")

logger = logging.getLogger(__name__)


def write_pages(app):
    """Write the pages of lessons and commands; warn if a page that is kept is stale."""
    wheel = f"gankit-{__version__}-py3-none-any.whl"
    if html_baseurl:
        wheel = f"{html_baseurl.rstrip('/')}/{wheel}"
    for problem in write_lessons.write_all(DOCS / "lessons", wheel):
        logger.warning(problem)
    write_lessons.write_if_changed(DOCS / "reference" / "commands.md", write_commands.page())
    parts_page = write_parts.page(write_parts.bundled_registry())
    if parts_page != (DOCS / "parts.md").read_text(encoding="utf-8"):
        logger.warning("parts.md is stale: run python docs/write_parts.py")
    for stale in write_findings.stale_pages():
        logger.warning(f"{stale} is stale: run python docs/write_findings.py")


def edit_source(app, docname, source):
    """Link lessons to their pages instead of their files, and insert gankit's version."""
    to_root = "../" * docname.count("/")
    text = LESSON_LINK.sub(rf"]({to_root}lessons/\1.md)", source[0])
    text = text.replace("gankit-VERSION-", f"gankit-{__version__}-")
    for page in ("benchmarks", "results"):  # leave them out of the index until they are written
        if not (DOCS / f"{page}.md").exists():
            text = text.replace(f"\n{page}\n", "\n")
    source[0] = text


def build_wheel(app, error):
    """Build gankit's wheel into the site, from where notebooks on Colab install it."""
    if not error and app.builder.format == "html":
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", app.outdir]
        subprocess.run(command, cwd=DOCS.parent, check=True, stdout=subprocess.DEVNULL)


def setup(app):
    app.connect("builder-inited", write_pages)
    app.connect("source-read", edit_source)
    app.connect("build-finished", build_wheel)
