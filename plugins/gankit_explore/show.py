"""`gankit.load(run).explore()`: the page in a notebook's cell, or in the browser."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path

from gankit.cli.page.serve import open_in_browser
from gankit.cli.terminal.live_terminal import shows_notebook_view
from gankit.runs.sampler import Sampler
from gankit.training.run_folder.links import WRITTEN, refuse_links_out
from gankit_explore.page import render, write_page

FILE = "explore.html"  # in the run's folder
HEIGHT = 900  # px, in a notebook


@dataclass(frozen=True)
class ShownPage:
    """What `sampler.explore()` returns; a notebook shows the page in its place."""

    about: str
    page: str = ""  # HTML, in a notebook
    path: Path | None = None  # of the file, elsewhere

    def __repr__(self) -> str:
        return f"<{self.about}{f': {self.path}' if self.path else ''}>"

    def _repr_html_(self) -> str | None:  # IPython calls it
        if not self.page:
            return None
        # The page's own policy lets it load nothing; without allow-same-origin, it cannot reach
        # the notebook either.
        return (
            f'<iframe title="{html.escape(self.about)}" sandbox="allow-scripts allow-downloads" '
            'allow="fullscreen" '
            f'style="width: 100%; height: {HEIGHT}px; border: 0" '
            f'srcdoc="{html.escape(self.page)}"></iframe>'
        )


def show(sampler: Sampler) -> ShownPage:
    """Show the page of a sampler: see `Sampler.explore`."""
    folder = sampler.run.folder
    about = f"page of {folder} at step {sampler.step}"
    if shows_notebook_view():
        return ShownPage(about, render([sampler], title=folder.resolve().name))
    refuse_links_out(folder, (*WRITTEN, FILE))
    path = folder / FILE
    write_page([sampler], path)
    open_in_browser(path.resolve().as_uri())
    return ShownPage(about, path=path)
