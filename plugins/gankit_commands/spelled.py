"""A run as the command line that repeats it."""

from __future__ import annotations

import dataclasses
import shlex

from gankit.settings import Run, option

# Said always, since a model may have set them; and never, since it follows from the rest or from
# the machine.
_SPOKEN = {"tricks", "image_size", "latent_dim", "batch_size", "d_steps", "lr_g", "lr_d", "beta1",
           "beta2", "flip", "dihedral", "zoom"}  # fmt: skip
_UNSPOKEN = {"steps", "length", "device", "threads", "draw_every", "save_every", "out",
             "fingerprint"}  # fmt: skip


def command_line(run: Run) -> str:
    """The command line that spells a run out."""
    words = ["gankit", "run"]
    for field in dataclasses.fields(run):
        value = getattr(run, field.name)
        if field.name in _UNSPOKEN or (value == field.default and field.name not in _SPOKEN):
            continue
        words += said(field.name, value)
    return shlex.join([*words, "--steps", str(run.steps)])


def said(name: str, value: object) -> list[str]:
    """One setting as words of a command line."""
    if isinstance(value, bool):
        return [option(name if value else f"no_{name}")]
    values = (value or ("none",)) if isinstance(value, tuple) else (value,)
    return [word for one in values for word in (option(name), str(one))]
