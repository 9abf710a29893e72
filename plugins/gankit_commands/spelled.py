"""A run as the command line that repeats it."""

from __future__ import annotations

import dataclasses
import shlex

from gankit.settings import Run, option

# Said always, since a model may have set them; and never, since it follows from the rest or from
# the machine.
_SPOKEN = {"tricks", "image_size", "latent_dim", "batch_size", "d_steps", "lr_g", "lr_d", "beta1",
           "beta2", "flip", "dihedral"}  # fmt: skip
_UNSPOKEN = {"steps", "length", "device", "threads", "draw_every", "save_every", "out",
             "fingerprint"}  # fmt: skip


def command_line(run: Run) -> str:
    """The command line that spells a run out."""
    words = ["gankit", "run"]
    for field in dataclasses.fields(run):
        value = getattr(run, field.name)
        if field.name in _UNSPOKEN or (value == field.default and field.name not in _SPOKEN):
            continue
        if isinstance(value, bool):
            words.append(option(field.name if value else f"no_{field.name}"))
            continue
        for one in (value or ("none",)) if isinstance(value, tuple) else (value,):
            words += [option(field.name), str(one)]
    return shlex.join([*words, "--steps", str(run.steps)])
