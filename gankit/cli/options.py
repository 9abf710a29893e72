"""The options of `gankit run`, under the headings of its help."""

from __future__ import annotations

from pathlib import Path

import click

from gankit.cli.grouped import Length, Setting
from gankit.cli.part import Part

WHAT = (
    Setting(
        "--recipe", type=Part("recipe"), help="A whole run by name; other options override it."
    ),
    Setting("--model", type=Part("model"), help="Two networks and their settings."),
    Setting(
        "--generator", type=Part("generator"), show_default=False, help="Replace the model's G."
    ),
    Setting(
        "--discriminator",
        type=Part("discriminator"),
        show_default=False,
        help="Replace the model's D.",
    ),
    Setting("--loss", type=Part("loss"), help="Adversarial loss."),
    Setting(
        "--trick",
        "tricks",
        type=Part("trick"),
        multiple=True,
        show_default=False,
        help="Replace the model's tricks: NAME or NAME:option=value,...; "
        "repeatable; none: no tricks.",
    ),
)

PICTURES = (
    Setting("--dataset", type=Part("dataset"), help="Data set by name."),
    Setting("--data", multiple=True, metavar="PATH", help="Your own pictures; repeatable."),
    Setting(
        "--classes",
        multiple=True,
        metavar="A,B",
        default_text="all",
        help="Only these class folders.",
    ),
    Setting("--fit", metavar="METHOD", help="crop, pad, stretch or patches[:size=96,stride=96]."),
    Setting("--background", metavar="COLOUR", help="Colour behind transparent or padded pictures."),
    Setting("--subset", type=int, metavar="N", default_text="all", help="Take only N pictures."),
    Setting(
        "--holdout",
        type=float,
        metavar="SHARE",
        default_text="0.1 if over 500",
        help="Share of the pictures kept for measuring; 0: none.",
    ),
    Setting("--data-seed", type=int, metavar="N", help="Picks the subset and the hold-out."),
    Setting("--flip/--no-flip", default=None, help="Mirror pictures at random."),
    Setting("--dihedral/--no-dihedral", default=None, help="Rotate and mirror them at random."),
    Setting(
        "--zoom",
        type=float,
        metavar="FACTOR",
        help="Show random parts, enlarged up to FACTOR times.",
    ),
    Setting("--image-size", type=int, metavar="PX", help="Side of the pictures in pixels."),
    Setting(
        "--channels",
        type=click.Choice(["auto", "1", "3"]),
        default_text="auto",
        help="1: grey, 3: colour, auto: as the pictures are.",
    ),
)

LENGTH = (
    Length("--steps", type=int, metavar="N", help="Updates of G."),
    Length("--epochs", type=float, metavar="N", help="Times through the pictures."),
    Length("--kimg", type=float, metavar="N", help="Thousands of real pictures for D."),
    Setting("--budget", metavar="TIME", help="As many steps as fit into 90s, 10m or 2h."),
)

TRAINING = (
    Setting("--batch-size", type=int, metavar="N", help="Pictures in a step."),
    Setting(
        "--accumulate",
        type=int,
        metavar="N",
        help="Split each batch into N micro-batches, to save memory.",
    ),
    Setting("--d-steps", type=int, metavar="N", help="Updates of D for each update of G."),
    Setting("--lr", type=float, metavar="RATE", help="Learning rate of both players."),
    Setting("--lr-g", type=float, metavar="RATE", help="Learning rate of G."),
    Setting("--lr-d", type=float, metavar="RATE", help="Learning rate of D."),
    Setting("--beta1", type=float, metavar="DECAY", help="Decay of Adam's first moment."),
    Setting("--beta2", type=float, metavar="DECAY", help="Decay of Adam's second moment."),
    Setting("--latent-dim", type=int, metavar="N", help="Length of z."),
    Setting("--seed", type=int, metavar="N", help="Same seed, same pictures."),
    Setting(
        "--sync-batch-norm/--no-sync-batch-norm",
        default=None,
        help="Batch norm over all processes of torchrun.",
    ),
)

MACHINE = (
    Setting("--device", metavar="DEVICE", help="auto, cpu, cuda, cuda:1 or mps."),
    Setting("--precision", metavar="BITS", help="auto, 32, bf16 or 16."),
    Setting("--compile", metavar="WHEN", help="torch.compile: no, yes or auto (if faster)."),
    Setting(
        "--threads",
        type=click.IntRange(0, 1024),
        metavar="N",
        default_text="as many as torch takes",
        help="CPU threads.",
    ),
    Setting(
        "--memory-format",
        metavar="LAYOUT",
        help="Layout in memory: channels-last, or contiguous (slower).",
    ),
    Setting(
        "--convolutions",
        metavar="LAYERS",
        help="On a CPU: auto (fast in gankit's networks), fast or plain.",
    ),
    Setting("--optimizer", metavar="KERNEL", help="Kernel of Adam: fused or plain."),
)

OUTPUT = (
    Setting("--out", metavar="DIR", default_text="a new one in runs/", help="The run's folder."),
    Setting("--log-every", type=int, metavar="STEPS", help="Steps between lines of the log."),
    Setting(
        "--draw-every",
        type=int,
        metavar="STEPS",
        default_text="~40 a run",
        help="Steps between grids.",
    ),
    Setting(
        "--save-every",
        type=int,
        metavar="STEPS",
        default_text="~10 a run",
        help="Steps between checkpoints.",
    ),
    Setting("--keep", type=int, metavar="N", help="Checkpoints to keep."),
    Setting(
        "--metric",
        "metrics",
        type=Part("metric"),
        multiple=True,
        help="Measure during the run: NAME or NAME:option=value,...; repeatable.",
    ),
    Setting(
        "--measure-every",
        type=int,
        metavar="STEPS",
        default_text="~4 a run",
        help="Steps between measurements.",
    ),
    Setting(
        "--tensorboard",
        is_flag=True,
        default=None,
        show_default=False,
        help="Write TensorBoard records too.",
    ),
)

OTHER = (
    Setting("--config", type=Path, metavar="FILE", help="Take settings from a run.json."),
    Setting("--resume", type=Path, metavar="RUN", help="Resume a run from its last checkpoint."),
    Setting("--dry-run", is_flag=True, help="Show what would run and how long it takes."),
    Setting("--preview", type=Path, metavar="FILE", help="Write what D would see, and stop."),
)

GROUPS = {
    "What to train": WHAT,
    "Pictures": PICTURES,
    "Length (one of these)": LENGTH,
    "Training": TRAINING,
    "Machine": MACHINE,
    "Output": OUTPUT,
    "Other": OTHER,
}
NOTE = "* A recipe or another model may set another: gankit show NAME"
