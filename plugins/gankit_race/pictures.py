"""The pictures of a race: the same as when it was planned, also if they were moved since."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from gankit.core.errors import GankitError
from gankit.core.parts.registry import Registry
from gankit.core.progress import Progress
from gankit.training.run_folder.run_pictures import prepare_begun
from gankit_race.plan import Plan
from gankit_race.variants import PICTURES


def move_pictures(plan: Plan, data: tuple[str, ...]) -> Plan:
    """The plan with its pictures at another place."""
    places = {variant.run.data: ", ".join(variant.run.data) for variant in plan.variants}
    if len(places) > 1:
        sets = "; ".join(places.values())
        raise GankitError(
            f"--data is for a race on one set of pictures, but this one has {sets}: put each back "
            "where it was"
        )
    variants = tuple(
        dataclasses.replace(variant, run=dataclasses.replace(variant.run, data=data))
        for variant in plan.variants
    )
    return dataclasses.replace(plan, variants=variants)


def check_pictures(plan: Plan, folder: Path, registry: Registry, progress: Progress) -> None:
    """GankitError if the pictures are not those that the race in `folder` was planned with."""
    runs = [variant.run for variant in plan.variants]
    different = {tuple(getattr(run, name) for name in PICTURES): run for run in runs}
    for run in different.values():
        of_race = dataclasses.replace(run, out=str(folder))
        if prepare_begun(of_race, registry, progress).fingerprint != run.fingerprint:
            place = ", ".join(run.data) or run.dataset
            raise GankitError(
                f"the pictures in {place} are not those that the race in {folder} was planned "
                "with: restore those, give their new place with --data, or start a new race"
            )
