"""The folder of a race, which may come from somebody else: it must not lead gankit elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path, PureWindowsPath

from gankit.training.links import refuse_links_out
from gankit_race.find_race import RACE_FILE
from gankit_race.variants import Variant

# What gankit writes in the folder, besides the folders of the variants.
WRITTEN = (RACE_FILE, "race.html", "race.png", "results.csv", "results.json", ".running.lock",
           ".running.pid")  # fmt: skip


def check_race_folder(folder: Path, variants: Iterable[Variant] = ()) -> None:
    """GankitError if a link in the race's folder would let gankit write outside of it."""
    refuse_links_out(folder, (*WRITTEN, *(variant.folder for variant in variants)))


def check_names(variants: Sequence[Variant], seeds: Iterable[int]) -> None:
    """ValueError if a run would have its folder outside of the race's."""
    for folder in (variant.folder for variant in variants):
        # The rules of Windows, which also know the separator of all other systems.
        if PureWindowsPath(folder).name != folder or folder in ("", ".."):
            raise ValueError(f"{folder!r} is not the name of a folder")
    for seed in seeds:
        if not isinstance(seed, int):
            raise ValueError(f"the seed {seed!r} is not a whole number")
