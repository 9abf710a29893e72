"""The folder of a race, which may come from somebody else: it must not lead gankit elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gankit.training.run_folder.links import refuse_links_out
from gankit_race.find_race import RACE_FILE
from gankit_race.variants import Variant

# What gankit writes in the folder, besides the folders of the variants.
WRITTEN = (RACE_FILE, "race.html", "race.png", "results.csv", "results.json", ".running.lock",
           ".running.pid")  # fmt: skip


def check_race_folder(folder: Path, variants: Iterable[Variant] = ()) -> None:
    """GankitError if a link in the race's folder would let gankit write outside of it."""
    refuse_links_out(folder, (*WRITTEN, *(variant.folder for variant in variants)))
