"""Read a cure: options of `gankit run`, or the whole command, and what it may change."""

from __future__ import annotations

import dataclasses

from gankit.cli.run.command import read_options
from gankit.core.errors import GankitError, quote_value
from gankit.core.parts.registry import Registry
from gankit.core.run.settings import Run, option, parse_length
from gankit.core.shell import split_command
from gankit.training.run_folder.find_run import RUN_FILE

# A cured run has the patient's pictures, updates and seed, so that the two can be compared.
MAY_CHANGE = ("loss", "tricks", "lr_g", "lr_d", "beta1", "beta2", "d_steps", "latent_dim",
              "generator", "discriminator", "precision")  # fmt: skip
# These follow from others, or change nothing that is drawn.
IGNORED = {"out", "fingerprint", "steps", "length", "draw_every", "save_every", "memory_format",
           "device", "threads", "convolutions"}  # fmt: skip


def read_cure(text: str, patient: Run, registry: Registry) -> Run:
    """The patient's run with the settings that a cure changes; its folder is still the patient's.

    GankitError if it cannot be read, changes nothing, or makes another run of it.
    """
    words = _split(text)
    given = read_options(["--config", str(patient.folder / RUN_FILE), *words], registry)
    steps = _checked_steps(given, patient)
    changed = [
        field.name
        for field in dataclasses.fields(Run)
        if field.name not in IGNORED and getattr(given, field.name) != getattr(patient, field.name)
    ]
    if not changed:
        raise GankitError(f"the cure {quote_value(text)} changes nothing: the run has it already")
    forbidden = [name for name in changed if name not in MAY_CHANGE]
    if forbidden:
        raise _another_run(forbidden[0])
    if {"generator", "discriminator"} <= set(changed):
        raise GankitError(
            "a cure may change --generator or --discriminator: with both, it is another model"
        )
    values = {name: getattr(given, name) for name in changed}
    if steps != patient.steps:
        values |= {"steps": steps, "length": given.length}
    return dataclasses.replace(patient, **values, fingerprint="")


def _split(text: str) -> list[str]:
    try:
        words = split_command(text)
    except ValueError as error:
        raise GankitError(f"--cure is {quote_value(text)}: a quotation mark is open") from error
    if words[:2] == ["gankit", "run"]:
        words = words[2:]
    if not words:
        raise GankitError("--cure is empty: give options of gankit run, such as --lr-d 2e-4")
    if not words[0].startswith("-"):
        raise GankitError(
            f"--cure is {quote_value(text)}: give options of gankit run, such as --lr-d 2e-4, or "
            "a whole command that begins with gankit run"
        )
    return words


def _checked_steps(given: Run, patient: Run) -> int:
    """The steps of a cured run: the patient's, or more if D learns less often in each.

    GankitError if G and D together learned less than the patient, or (but for half a step) more.
    """
    number, unit = parse_length(given.length)
    if given.length == patient.length or given.length == f"{patient.steps} steps":
        return patient.steps
    updates = patient.steps * (patient.d_steps + 1)
    if unit != "steps" or abs(number * (given.d_steps + 1) - updates) > (given.d_steps + 1) / 2:
        raise GankitError(
            "a cure cannot make a run shorter or longer: it may take more --steps only where "
            "--d-steps is lower, so that both players together learn as often as before"
        )
    return int(number)


def _another_run(field: str) -> GankitError:
    allowed = ", ".join(map(option, MAY_CHANGE))
    return GankitError(
        f"a cure cannot change {option(field)}, as it would be another run, not this one healed; "
        f"it may change {allowed}"
    )
