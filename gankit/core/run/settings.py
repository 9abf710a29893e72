"""Run: all settings of a run, as plain data; and the command line that repeats it."""

import dataclasses
import re
from collections.abc import Callable, Iterable
from dataclasses import InitVar, dataclass
from pathlib import Path
from typing import Any

from gankit.core.errors import GankitError, did_you_mean, quote_value
from gankit.core.files.portable_path import portable_path
from gankit.core.parts.choice import Choice
from gankit.core.run.best_metric import with_best_metric
from gankit.core.run.carried import NOTHING, Carried
from gankit.core.run.image_size import ImageSize
from gankit.core.run.init_text import change_path
from gankit.core.run.stage import Stage, check_stages, settings_before
from gankit.core.shell import join_command

# The fields that name parts; a Run parses them into Choices.
CHOICES = ("dataset", "fit", "model", "generator", "discriminator", "loss", "tricks", "metrics")
OF_TRAIN = ("observers", "progress", "stop", "resume")  # arguments of gankit.train
_LENGTH = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?) ?(steps|epochs|kimg)")
_PLAN = re.compile(r"[0-9]{1,15}:[1-9][0-9]{0,14}")
# Limits of what a Run may hold: a run.json may come from somebody else.
MAX_COUNT = 10**15  # steps, pictures
MAX_THREADS = 1024  # of any computer; setup_device has the limit of this one
MAX_NUMBERS = 2**31  # in a batch: many of torch's kernels count in 32 bits
_RANGES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("batch_size accumulate d_steps log_every keep", lambda v: v >= 1, "1 or more"),
    ("latent_dim", lambda v: 1 <= v <= 16_384, "from 1 to 16384"),
    ("seed data_seed subset steps threads", lambda v: v >= 0, "0 or more"),
    ("draw_every save_every measure_every patience", lambda v: v >= 0, "0 or more"),
    ("d_steps", lambda v: v <= 1000, "1000 or less"),
    ("threads", lambda v: v <= MAX_THREADS, f"{MAX_THREADS} or less"),
    ("seed data_seed", lambda v: v < 2**128, "less than 2^128"),
    ("batch_size accumulate log_every keep", lambda v: v <= MAX_COUNT, "10^15 or less"),
    ("subset steps draw_every save_every", lambda v: v <= MAX_COUNT, "10^15 or less"),
    ("measure_every patience", lambda v: v <= MAX_COUNT, "10^15 or less"),
    ("lr_g lr_d beta1 beta2", lambda v: 0 <= v < 1, "at least 0 and less than 1"),
    ("zoom", lambda v: v == 0 or 1 <= v <= 4, "auto, or from 1 (none) to 4"),
    (
        "channels",
        lambda v: v in (0, 1, 3, 4),
        "auto, 1 (grey), 3 (colour) or 4 (with transparency)",
    ),
    ("holdout", lambda v: v == -1 or 0 <= v < 1, "a share of the pictures: 0 or more, less than 1"),
)
_VALUES = {
    "precision": ("auto", "32", "bf16", "16"),
    "compile": ("no", "auto", "yes"),
    "memory_format": ("auto", "channels-last", "contiguous"),
    "convolutions": ("auto", "fast", "plain"),
    "optimizer": ("fused", "plain"),
    "resample": ("lanczos", "nearest"),
}

# Fields that a command line always contains, because a model or recipe may set them, and fields
# that it never contains, because they follow from others or depend on the machine.
_ALWAYS_WRITTEN = {"tricks", "image_size", "latent_dim", "batch_size", "d_steps", "lr_g", "lr_d",
                   "beta1", "beta2", "flip", "dihedral", "zoom"}  # fmt: skip
_NEVER_WRITTEN = {"steps", "length", "device", "threads", "draw_every", "save_every", "out",
                  "fingerprint", "stages", "class_names"}  # fmt: skip

_CROP = Choice("crop")


@dataclass(frozen=True, kw_only=True)
class Run:
    """All settings of a run. The same Run gives the same pictures.

    Parts may be given as text, `name:option=value`.
    """

    dataset: Choice
    data: tuple[str, ...] = ()  # your own folders, archives or files
    classes: tuple[str, ...] = ()  # class folders to use; empty: all
    class_labels: bool = False  # G is told a class, and D is asked whether a picture shows it
    balance_classes: bool = False  # show each class equally often, however many pictures it has
    class_names: tuple[str, ...] = ()  # with class_labels, in order; set by resolve_auto
    fit: Choice = _CROP  # crop, pad, stretch or patches:size=96,stride=96
    background: str = "white"  # behind transparent pictures and around padded ones
    resample: str = "lanczos"  # how pictures are resized: "lanczos" or, for pixel art, "nearest"
    subset: int = 0  # number of pictures to use; 0: all
    holdout: float = -1.0  # share of pictures not trained on; -1: 0.1 if there are over 500
    data_seed: int = 0  # which pictures are in the subset and the hold-out
    flip: bool = False  # mirror pictures at random
    dihedral: bool = False  # rotate by 90 degrees (180 if not square) and mirror, at random
    zoom: float = 1.0  # crop at random and enlarge up to this factor; 0: resolve_auto sets it
    model: Choice
    generator: Choice
    discriminator: Choice
    loss: Choice
    init: str = ""  # a run whose networks it begins with, "runs/a:500@1f2e3d4c5b6a"; "": new ones
    tricks: tuple[Choice, ...] = ()
    image_size: int | str = 64  # a square's side, or WIDTHxHEIGHT such as "96x64"; see `size`
    channels: int = 0  # 1: grey, 3: colour, 4: with transparency; 0: resolve_auto sets 1 or 3
    latent_dim: int = 100
    length: str = "100 kimg"  # "500 steps", "10 epochs" or "40 kimg"
    steps: int = 0  # updates of G; set by resolve_auto from `length`
    earlier_plans: tuple[str, ...] = ()  # "75:1200": before step 75, the plan was 1200 steps
    batch_size: int = 64
    accumulate: int = 1  # micro-batches per batch, to save memory
    d_steps: int = 1  # updates of D for each update of G
    lr_g: float = 2e-4
    lr_d: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    threads: int = 0  # CPU threads; 0: torch's default, or fewer if that is measured to be faster
    compile: str = "no"  # torch.compile; "auto": if it is measured to be faster
    memory_format: str = "auto"  # "channels-last" or "contiguous"; see default_memory_format
    convolutions: str = "auto"  # "fast": faster layers on a CPU; "auto": in bundled networks
    optimizer: str = "fused"  # Adam's implementation: "fused" or "plain"
    log_every: int = 10  # steps
    draw_every: int = 0  # steps between sample grids; 0: about 40 in the run
    save_every: int = 0  # steps between checkpoints; 0: about 10 in the run
    keep: int = 2  # number of checkpoints to keep
    metrics: tuple[Choice, ...] = ()  # measured during training and at the end
    measure_every: int = 0  # steps between measurements; 0: about 4 during training
    keep_best: str = ""  # the metric whose best checkpoint is kept; one of `metrics`
    patience: int = 0  # measurements without a gain in `keep_best` that end the run; 0: none do
    sync_batch_norm: bool = False  # under torchrun: batch norm over all processes
    tensorboard: bool = False
    report: bool = True  # write report.html, and record D's own view for it
    out: str = ""  # the run's folder; "": a new one in runs/
    fingerprint: str = ""  # hash of the prepared pictures; set by resolve_auto
    stages: tuple[Stage, ...] = ()  # where settings changed on --resume, and what they were before
    # Not a field, and so not compared; dataclasses.replace keeps it.
    carried: InitVar[Carried] = NOTHING

    def __post_init__(self, carried: Carried) -> None:
        object.__setattr__(self, "carried", carried)
        for name in CHOICES:
            value = getattr(self, name)
            if isinstance(value, str):
                parsed: Choice | tuple[Choice, ...] = Choice.parse(value)
            else:
                parsed = tuple(Choice.parse(text) for text in value)
            object.__setattr__(self, name, parsed)  # the dataclass is frozen
        object.__setattr__(self, "image_size", self.size.setting)  # "64x64" is 64
        keep_best, metrics = with_best_metric(self.keep_best, self.metrics)
        object.__setattr__(self, "keep_best", keep_best)
        object.__setattr__(self, "metrics", metrics)
        parse_length(self.length)
        is_plan = all(_PLAN.fullmatch(plan) for plan in self.earlier_plans)
        self._check("earlier_plans", is_plan, "a list of STEP:STEPS")
        for names, is_allowed, allowed in _RANGES:
            for name in names.split():
                self._check(name, is_allowed(getattr(self, name)), allowed)
        for name, values in _VALUES.items():
            allowed = " or ".join([", ".join(values[:-1]), values[-1]])
            self._check(name, getattr(self, name) in values, allowed)
        if self.patience and not self.keep_best:
            what = f"--patience is {self.patience}, but no metric says when the run gets better"
            raise GankitError(f"{what}: add --keep-best METRIC, or give --patience 0")
        most = MAX_NUMBERS // max(max(3, self.channels) * self.size.area, self.latent_dim)
        limit = f"{most} or less with --image-size {self.image_size}"
        self._check("batch_size", self.batch_size <= most, limit)
        check_stages(self.stages, self.steps)
        if self.stages:
            self.at(self.stages[-1].step - 1)  # checks the settings of earlier stages

    def _check(self, name: str, is_valid: bool, allowed: str) -> None:
        if not is_valid:
            value = quote_value(getattr(self, name))
            raise GankitError(f"{option(name)} is {value}; it must be {allowed}")

    def at(self, step: int) -> "Run":
        """The run with the settings with which it takes this step, counted from 0.

        They differ from its own if it is in an earlier stage then. Later stages are left out.
        """
        later = [stage for stage in self.stages if stage.step > step]
        if not later:
            return self
        stages = self.stages[: -len(later)]
        return dataclasses.replace(self, **settings_before(later), stages=stages)

    @property
    def size(self) -> ImageSize:
        """Width and height of the pictures."""
        return ImageSize.parse(self.image_size)

    @property
    def in_python(self) -> Carried:
        """What the run carries beside its settings: objects and plugins given in Python."""
        carried: Carried = vars(self)["carried"]
        return carried

    def parts(self) -> list[tuple[str, Choice]]:
        """The parts of the run, each with its kind."""
        kinds = ("dataset", "model", "generator", "discriminator", "loss")
        parts = [(kind, getattr(self, kind)) for kind in kinds]
        parts += [("trick", choice) for choice in self.tricks]
        return parts + [("metric", choice) for choice in self.metrics]

    def given_objects(self) -> dict[str, str]:
        """The run's parts that were given as objects: "trick my-trick" -> "MyTrick in train.py"."""
        names = [f"{kind} {choice.name}" for kind, choice in self.parts()]
        origins = self.in_python.origins
        return {name: origins[name] for name in names if name in origins}

    @property
    def folder(self) -> Path:
        return Path(self.out)

    def planned_steps(self, step: int) -> int:
        """The length of the run, in steps, as it is planned when it takes this step.

        `--budget` may plan it anew; tricks with a schedule follow the plan of the moment.
        """
        for plan in self.earlier_plans:
            end, steps = plan.split(":")
            if step < int(end):
                return int(steps)
        return self.steps


def default_memory_format(device: str) -> str:
    """What `--memory-format auto` is on a device.

    On MPS, batch norm's gradients in channels-last are wrong before torch 2.14, or it crashes
    (pytorch/pytorch#175189 and #188371).
    """
    return "contiguous" if device == "mps" else "channels-last"


def option(field: str) -> str:
    """The command-line option of a field of Run: `option("lr_g")` is `--lr-g`."""
    return "--" + {"tricks": "trick", "metrics": "metric"}.get(field, field).replace("_", "-")


def unknown_setting(name: str) -> GankitError:
    """The error for a name that is not a field of Run."""
    if name in OF_TRAIN:
        cure = f"give it to train, as in train(run, {name}=...)"
        return GankitError(f"{name} is not a setting of a run: {cure}")
    if name in ("G", "D"):
        return GankitError(f"there is no setting {name!r}: give both networks as model=(G, D)")
    fields = [field.name for field in dataclasses.fields(Run)]
    return GankitError(f"there is no setting {quote_value(name)}.{did_you_mean(name, fields)}")


def parse_length(text: str) -> tuple[float, str]:
    """Parse a run's length into (number, unit). Raises GankitError."""
    match = _LENGTH.fullmatch(text.strip())
    if not match or float(match[1]) <= 0:
        shown = quote_value(text)
        raise GankitError(f"{shown} is not a run length: write 500 steps, 10 epochs or 40 kimg")
    return float(match[1]), match[2]


def command_line(run: Run, working_folder: Path | None = None) -> str:
    """The command line that repeats a run: `gankit run` with all of its settings.

    Paths are those that work in `working_folder`, by default the working directory, and do not name
    your home folder. A comment at its end names parts that no command line can name, because they
    were given as objects in Python. No options can describe a run with stages: its run.json does.
    """
    start = working_folder or Path.cwd()

    def portable(path: str) -> str:
        return portable_path(path, start, start)

    argv = [*gankit_with(run.in_python.files, start), "run"]
    if run.stages:
        file = portable_path(str(run.folder / "run.json"), start, start)
        return join_command([*argv, "--config", file]) + _from_python_only(run)
    paths = {"data": tuple(map(portable, run.data)), "init": change_path(run.init, portable)}
    for field in dataclasses.fields(run):
        value = paths.get(field.name, getattr(run, field.name))
        is_default = value == field.default
        if field.name == "memory_format":
            is_default = value in ("auto", default_memory_format(run.device))
        if field.name in _NEVER_WRITTEN or (is_default and field.name not in _ALWAYS_WRITTEN):
            continue
        argv += setting_to_argv(field.name, value)
    return join_command([*argv, "--steps", str(run.steps)]) + _from_python_only(run)


def _from_python_only(run: Run) -> str:
    """A comment that names the parts that were given as objects; empty if there are none."""
    objects = "; ".join(f"{part} is {what}" for part, what in run.given_objects().items())
    return f"  # from Python only: {objects}" if objects else ""


def gankit_with(files: Iterable[str], working_folder: Path | None = None) -> list[str]:
    """The first words of a command line: `gankit`, and `-p FILE` for each one-file plugin."""
    start = working_folder or Path.cwd()
    words = ["gankit"]
    for file in files:
        words += ["-p", portable_path(file, start, start)]
    return words


def command_about(run: Run, *words: str) -> str:
    """A command line of gankit that needs the one-file plugins of a run."""
    return join_command([*gankit_with(run.in_python.files), *words])


def setting_to_argv(name: str, value: object) -> list[str]:
    """The command-line arguments that set a field of Run: `["--lr-g", "0.0002"]`."""
    if isinstance(value, bool):
        return [option(name if value else f"no_{name}")]
    if name == "zoom" and value == 0:
        value = "auto"
    if value in ((), ""):  # no tricks, or no run to begin with
        value = "none"
    values = value if isinstance(value, tuple) else (value,)
    argv = []
    for item in values:
        argv += [option(name), str(item)]
    return argv
