"""The options of `gankit run`, under the headings of its help."""

from __future__ import annotations

from pathlib import Path

import click

from gankit.cli.grouped_command import LengthOption, RunOption
from gankit.cli.param_types import PartName

PARTS = (
    RunOption(
        "--recipe",
        type=PartName("recipe"),
        help="All settings of a run, by name; options that you give override it.",
    ),
    RunOption(
        "--model", type=PartName("model"), help="Generator G, discriminator D and their settings."
    ),
    RunOption(
        "--generator",
        type=PartName("generator"),
        show_default=False,
        help="Replace the model's G.",
    ),
    RunOption(
        "--discriminator",
        type=PartName("discriminator"),
        show_default=False,
        help="Replace the model's D.",
    ),
    RunOption("--loss", type=PartName("loss"), help="Adversarial loss."),
    RunOption(
        "--trick",
        "tricks",
        type=PartName("trick"),
        multiple=True,
        show_default=False,
        help="Replace the model's tricks: NAME or NAME:option=value,...; repeatable. "
        "--trick none removes them.",
    ),
)

PICTURES = (
    RunOption("--dataset", type=PartName("dataset"), help="Data set, by name."),
    RunOption(
        "--data",
        multiple=True,
        metavar="PATH",
        help="Train on your own pictures in a folder or an archive; repeatable.",
    ),
    RunOption(
        "--classes",
        multiple=True,
        metavar="A,B",
        default_text="all",
        help="Use only these class folders.",
    ),
    RunOption(
        "--fit",
        metavar="METHOD",
        help="Make pictures square: crop, pad, stretch or patches[:size=96,stride=96].",
    ),
    RunOption(
        "--background", metavar="COLOUR", help="Colour behind transparent and padded pictures."
    ),
    RunOption("--subset", type=int, metavar="N", default_text="all", help="Use only N pictures."),
    RunOption(
        "--holdout",
        type=float,
        metavar="SHARE",
        default_text="0.1 if over 500",
        help="Share of the pictures kept out of training, for metrics; 0: none.",
    ),
    RunOption(
        "--data-seed", type=int, metavar="N", help="Seed that selects the subset and the hold-out."
    ),
    RunOption("--flip/--no-flip", default=None, help="Mirror pictures at random."),
    RunOption(
        "--dihedral/--no-dihedral",
        default=None,
        help="Rotate by 90 degrees and mirror pictures at random.",
    ),
    RunOption(
        "--zoom",
        type=float,
        metavar="FACTOR",
        help="Crop at random and enlarge the crop up to FACTOR times.",
    ),
    RunOption("--image-size", type=int, metavar="PX", help="Width and height of the pictures."),
    RunOption(
        "--channels",
        type=click.Choice(["auto", "1", "3"]),
        default_text="auto",
        help="1: grey, 3: colour, auto: as in the data set.",
    ),
)

LENGTH = (
    LengthOption("--steps", type=int, metavar="N", help="Number of updates of G."),
    LengthOption("--epochs", type=float, metavar="N", help="Passes through all pictures."),
    LengthOption("--kimg", type=float, metavar="N", help="Real pictures shown to D, in thousands."),
    RunOption("--budget", metavar="TIME", help="As many steps as fit into 90s, 10m or 2h."),
)

TRAINING = (
    RunOption("--batch-size", type=int, metavar="N", help="Pictures per step."),
    RunOption(
        "--accumulate",
        type=int,
        metavar="N",
        help="Split each batch into N micro-batches, to save memory.",
    ),
    RunOption("--d-steps", type=int, metavar="N", help="Updates of D per update of G."),
    RunOption("--lr", type=float, metavar="RATE", help="Learning rate of both G and D."),
    RunOption("--lr-g", type=float, metavar="RATE", help="Learning rate of G."),
    RunOption("--lr-d", type=float, metavar="RATE", help="Learning rate of D."),
    RunOption(
        "--beta1", type=float, metavar="BETA", help="Adam's beta1: decay of its first moment."
    ),
    RunOption(
        "--beta2", type=float, metavar="BETA", help="Adam's beta2: decay of its second moment."
    ),
    RunOption("--latent-dim", type=int, metavar="N", help="Dimension of the latent vector z."),
    RunOption(
        "--seed",
        type=int,
        metavar="N",
        help="Random seed; the same seed gives the same pictures.",
    ),
    RunOption(
        "--sync-batch-norm/--no-sync-batch-norm",
        default=None,
        help="Share batch norm statistics between the processes of torchrun.",
    ),
)

MACHINE = (
    RunOption("--device", metavar="DEVICE", help="Train on auto, cpu, cuda, cuda:1 or mps."),
    RunOption(
        "--precision", metavar="BITS", help="Train in auto, 32 (float32), bf16 or 16 (float16)."
    ),
    RunOption("--compile", metavar="WHEN", help="Use torch.compile: no, yes or auto (if faster)."),
    RunOption(
        "--threads",
        type=click.IntRange(0, 1024),
        metavar="N",
        default_text="as many as torch takes",
        help="Number of CPU threads; fewer by default if other programs keep the CPU busy.",
    ),
    RunOption(
        "--memory-format",
        metavar="LAYOUT",
        help="Memory layout of tensors: channels-last, contiguous (slower) or auto: contiguous on "
        "mps, else channels-last.",
    ),
    RunOption(
        "--convolutions",
        metavar="LAYERS",
        help="Fast convolutions on a CPU: auto (in gankit's own networks), fast (in all) or "
        "plain (in none).",
    ),
    RunOption("--optimizer", metavar="KERNEL", help="Implementation of Adam: fused or plain."),
)

OUTPUT = (
    RunOption("--out", metavar="DIR", default_text="a new one in runs/", help="The run's folder."),
    RunOption("--log-every", type=int, metavar="STEPS", help="Log every STEPS steps."),
    RunOption(
        "--draw-every",
        type=int,
        metavar="STEPS",
        default_text="~40 per run",
        help="Draw a grid of samples every STEPS steps.",
    ),
    RunOption(
        "--save-every",
        type=int,
        metavar="STEPS",
        default_text="~10 per run",
        help="Save a checkpoint every STEPS steps.",
    ),
    RunOption("--keep", type=int, metavar="N", help="Number of checkpoints to keep."),
    RunOption(
        "--metric",
        "metrics",
        type=PartName("metric"),
        multiple=True,
        help="Measure during the run: NAME or NAME:option=value,...; repeatable.",
    ),
    RunOption(
        "--measure-every",
        type=int,
        metavar="STEPS",
        default_text="~4 per run",
        help="Measure every STEPS steps.",
    ),
    RunOption(
        "--tensorboard",
        is_flag=True,
        default=None,
        show_default=False,
        help="Also log to TensorBoard.",
    ),
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
    RunOption(
        "--earlier-plans",
        multiple=True,
        metavar="STEP:N",
        help="In the command of a run with --budget: before STEP, its length was N steps.",
    ),
    RunOption(
        "--dry-run", is_flag=True, help="Do not train; print the settings and the time it takes."
    ),
    RunOption(
        "--preview",
        type=Path,
        metavar="FILE",
        help="Do not train; write a picture of what D sees.",
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
