"""Run: everything that decides a run, as plain data; and the command line that repeats it."""

import dataclasses
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gankit.core.choice import Choice
from gankit.core.errors import GankitError

# The fields that name parts; what a person writes there is read when a Run is made.
CHOICES = ("dataset", "fit", "model", "generator", "discriminator", "loss", "tricks", "metrics")
_LENGTH = re.compile(r"(\d+(?:\.\d+)?) ?(steps|epochs|kimg)")
_RULES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("batch_size accumulate d_steps log_every keep", lambda v: v >= 1, "1 or more"),
    ("latent_dim image_size", lambda v: v >= 1, "1 or more"),
    ("seed data_seed subset steps threads", lambda v: v >= 0, "0 or more"),
    ("draw_every save_every measure_every", lambda v: v >= 0, "0 or more"),
    ("lr_g lr_d beta1 beta2", lambda v: 0 <= v < 1, "at least 0 and less than 1"),
    ("zoom", lambda v: 1 <= v <= 4, "from 1 (none) to 4"),
    ("channels", lambda v: v in (0, 1, 3), "auto, 1 (grey) or 3 (colour)"),
    ("holdout", lambda v: v == -1 or 0 <= v < 1, "a share of the pictures, less than 1"),
    ("precision", ("auto", "32", "bf16", "16").__contains__, "auto, 32, bf16 or 16"),
    ("compile", ("no", "auto", "yes").__contains__, "no, auto or yes"),
    ("memory_format", ("channels-last", "contiguous").__contains__, "channels-last or contiguous"),
    ("convolutions", ("auto", "fast", "plain").__contains__, "auto, fast or plain"),
    ("optimizer", lambda v: v in ("fused", "plain"), "fused or plain"),
)

# Said always, since a model may have set them; and never, since it follows from the rest or from
# the machine.
_SPOKEN = {"tricks", "image_size", "latent_dim", "batch_size", "d_steps", "lr_g", "lr_d", "beta1",
           "beta2", "flip", "dihedral", "zoom"}  # fmt: skip
_UNSPOKEN = {"steps", "length", "device", "threads", "draw_every", "save_every", "out",
             "fingerprint"}  # fmt: skip

_CROP = Choice("crop")


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run. Parts are texts, `name:option=value`, read once; the same Run, the same pictures."""

    dataset: Choice
    data: tuple[str, ...] = ()  # folders, archives or files of one's own
    classes: tuple[str, ...] = ()  # class folders to take; none: all
    fit: Choice = _CROP  # crop, pad, stretch or patches:size=96,stride=96
    background: str = "white"  # under transparent pictures and beside padded ones
    subset: int = 0  # pictures to take; 0: all
    holdout: float = -1.0  # share kept away from training; -1: 0.1 where there are over 500
    data_seed: int = 0  # which pictures are in the subset and the hold-out
    flip: bool = False  # mirror pictures at random
    dihedral: bool = False  # turn and mirror them at random: pictures without an up
    zoom: float = 1.0  # show random parts of them, enlarged up to so many times
    model: Choice
    generator: Choice
    discriminator: Choice
    loss: Choice
    tricks: tuple[Choice, ...] = ()
    image_size: int = 64
    channels: int = 0  # 1: grey, 3: colour; 0: as the pictures are, until resolved
    latent_dim: int = 100
    length: str = "100 kimg"  # as asked for: "500 steps", "10 epochs", "40 kimg"
    steps: int = 0  # as resolved: updates of G; 0 before that
    batch_size: int = 64
    accumulate: int = 1  # micro-batches that a batch is cut into, to save memory
    d_steps: int = 1
    lr_g: float = 2e-4
    lr_d: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    threads: int = 0  # CPU threads; 0: as many as torch likes
    compile: str = "no"  # the networks, by torch.compile; "auto": if that is measured to be faster
    memory_format: str = "channels-last"
    convolutions: str = "auto"  # "fast": quicker layers on a CPU; "auto": in gankit's own networks
    optimizer: str = "fused"  # the kernel of Adam: "fused" or "plain"
    log_every: int = 10  # steps
    draw_every: int = 0  # steps between grids; 0: some 40 over the run
    save_every: int = 0  # steps between checkpoints; 0: about 10 over the run
    keep: int = 2  # checkpoints kept
    metrics: tuple[Choice, ...] = ()  # measured on the way and at the end
    measure_every: int = 0  # steps between measurements; 0: some 4 on the way
    sync_batch_norm: bool = False  # batch norm over the batch of all processes under torchrun
    tensorboard: bool = False
    out: str = ""  # the run's folder; "": a new one under runs/
    fingerprint: str = ""  # of the prepared pictures, as resolved

    def __post_init__(self) -> None:
        for name in CHOICES:
            given = getattr(self, name)
            texts = (given,) if isinstance(given, str) else given
            choices = tuple(Choice.parse(text) for text in texts)
            object.__setattr__(self, name, choices[0] if isinstance(given, str) else choices)
        parse_length(self.length)
        for names, fits, allowed in _RULES:
            for name in names.split():
                value = getattr(self, name)
                if not fits(value):
                    raise GankitError(f"{option(name)} is {value}; it must be {allowed}")

    @property
    def folder(self) -> Path:
        return Path(self.out)


def option(field: str) -> str:
    """The command-line option that sets a field of Run."""
    return "--" + {"tricks": "trick", "metrics": "metric"}.get(field, field).replace("_", "-")


def parse_length(text: str) -> tuple[float, str]:
    """`(number, unit)` of a run's length."""
    if not (match := _LENGTH.fullmatch(text.strip())) or float(match[1]) <= 0:
        raise GankitError(f"{text!r} is no length of a run: write 500 steps, 10 epochs or 40 kimg")
    return float(match[1]), match[2]


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
