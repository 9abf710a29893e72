"""The options of `gankit run`, under the headings of its help."""

from __future__ import annotations

from pathlib import Path

import click

from gankit.cli.grouped_command import LengthOption, RunOption
from gankit.cli.param_types import NamedChoice, NumberOrAuto, PartName

PARTS = (
    RunOption("--recipe", type=PartName("recipe")),
    RunOption("--model", type=PartName("model")),
    RunOption("--generator", type=PartName("generator"), show_default=False),
    RunOption("--discriminator", type=PartName("discriminator"), show_default=False),
    RunOption("--loss", type=PartName("loss")),
    RunOption("--trick", "tricks", type=PartName("trick"), multiple=True, show_default=False),
    RunOption("--init", metavar="RUN", show_default=False),
)

PICTURES = (
    RunOption("--dataset", type=PartName("dataset")),
    RunOption("--data", multiple=True, metavar="PATH"),
    RunOption("--classes", multiple=True, metavar="A,B", default_text="all"),
    RunOption("--class-labels/--no-class-labels", default=None),
    RunOption("--balance-classes/--no-balance-classes", default=None),
    RunOption("--fit", metavar="METHOD"),
    RunOption("--background", metavar="COLOUR"),
    RunOption("--resample", metavar="FILTER"),
    RunOption("--subset", type=int, metavar="N", default_text="all"),
    RunOption("--holdout", type=float, metavar="SHARE", default_text="0.1 if over 500"),
    RunOption("--data-seed", type=int, metavar="N"),
    RunOption("--flip/--no-flip", default=None),
    RunOption("--dihedral/--no-dihedral", default=None),
    RunOption("--zoom", type=NumberOrAuto(), metavar="FACTOR"),
    RunOption("--image-size", metavar="PX"),
    RunOption("--channels", type=NamedChoice(["auto", "1", "3", "4"]), default_text="auto"),
)

LENGTH = (
    LengthOption("--steps", type=int, metavar="N"),
    LengthOption("--epochs", type=float, metavar="N"),
    LengthOption("--kimg", type=float, metavar="N"),
    RunOption("--budget", metavar="TIME"),
)

TRAINING = (
    RunOption("--batch-size", type=int, metavar="N"),
    RunOption("--accumulate", type=int, metavar="N"),
    RunOption("--d-steps", type=int, metavar="N"),
    RunOption("--lr", type=float, metavar="RATE"),
    RunOption("--lr-g", type=float, metavar="RATE"),
    RunOption("--lr-d", type=float, metavar="RATE"),
    RunOption("--beta1", type=float, metavar="BETA"),
    RunOption("--beta2", type=float, metavar="BETA"),
    RunOption("--latent-dim", type=int, metavar="N"),
    RunOption("--seed", type=int, metavar="N"),
    RunOption("--sync-batch-norm/--no-sync-batch-norm", default=None),
)

MACHINE = (
    RunOption("--device", metavar="DEVICE"),
    RunOption("--precision", metavar="BITS"),
    RunOption("--compile", metavar="WHEN"),
    RunOption(
        "--threads",
        type=click.IntRange(0, 1024),
        metavar="N",
        default_text="as many as torch takes",
    ),
    RunOption("--memory-format", metavar="LAYOUT"),
    RunOption("--convolutions", metavar="LAYERS"),
    RunOption("--optimizer", metavar="KERNEL"),
)

OUTPUT = (
    RunOption("--out", metavar="DIR", default_text="a new one in runs/"),
    RunOption("--log-every", type=int, metavar="STEPS"),
    RunOption("--draw-every", type=int, metavar="STEPS", default_text="~40 per run"),
    RunOption("--save-every", type=int, metavar="STEPS", default_text="~10 per run"),
    RunOption("--keep", type=int, metavar="N"),
    RunOption("--metric", "metrics", type=PartName("metric"), multiple=True),
    RunOption("--measure-every", type=int, metavar="STEPS", default_text="~4 per run"),
    RunOption("--keep-best", type=PartName("metric"), metavar="METRIC", default_text="none"),
    RunOption("--patience", type=int, metavar="N", default_text="0, never"),
    RunOption("--tensorboard", is_flag=True, default=None, show_default=False),
    RunOption("--report/--no-report", default=None),
)

OTHER = (
    RunOption(
        "--config",
        type=Path,
        metavar="FILE",
        help="Take the settings from the run.json of another run.",
    ),
    RunOption(
        "--resume",
        type=Path,
        metavar="RUN",
        help="Continue the run in this folder from its last checkpoint.",
    ),
    RunOption("--earlier-plans", multiple=True, metavar="STEP:N"),
    RunOption(
        "--dry-run", is_flag=True, help="Do not train; print the settings and the time it takes."
    ),
    RunOption(
        "--preview", type=Path, metavar="FILE", help="Do not train; write a picture of what D sees."
    ),
)

GROUPS = {
    "What to train": PARTS,
    "Pictures": PICTURES,
    "Length (one of these)": LENGTH,
    "Training": TRAINING,
    "Machine": MACHINE,
    "Output": OUTPUT,
    "Other": OTHER,
}
NOTE = "* Recipes and other models may set another default: gankit show NAME"
