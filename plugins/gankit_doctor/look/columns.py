"""What the columns `doctor.*` of log.csv mean: their units, and how to read them."""

from typing import NamedTuple


class Column(NamedTuple):
    """What a number of a look is."""

    unit: str
    meaning: str  # one line; what a usual and an unusual value is
    group: str


D = "D's answers"
UPDATES = "Gradients and updates"
DISTANCE = "How far G's pictures are from real ones"
VARIETY = "How varied G's pictures are"
DETAIL = "Patterns and colours"
COPIES = "Copies"

COLUMNS = {
    "auc": Column("0 to 1", "how often D gives a real picture a higher answer than a fake, in the "
                  "training step; 0.5 is guessing, 1 is always", D),
    "auc_held": Column("0 to 1", "how often D gives a training picture a higher answer than a "
                       "held-out one; 0.5 if D does not know them by heart", D),
    "logit": Column("logit", "the mean size of D's answers, without their sign", D),
    "gap": Column("logit", "D's mean answer to real pictures minus that to fakes", D),
    "logit_gap": Column("standard deviations", "the gap between D's answers to real pictures and "
                        "to fakes, in their standard deviations; above 4, D is far ahead", D),
    "grad_d": Column("norm", "the size of D's gradient", UPDATES),
    "grad_g": Column("norm", "the size of G's gradient", UPDATES),
    "step_d": Column("share", "how much an update changes D's weights, as a share of their size: "
                     "the median over layers; about 0.01 is usual", UPDATES),
    "step_g": Column("share", "how much an update changes G's weights, as a share of their size: "
                     "the median over layers; about 0.01 is usual", UPDATES),
    "update_d": Column("share", "as `doctor.step_d`, of all weights together", UPDATES),
    "update_g": Column("share", "as `doctor.step_g`, of all weights together", UPDATES),
    "dead_d": Column("0 to 1", "the share of units without a gradient, in the worst layer of D",
                     UPDATES),
    "dead_g": Column("0 to 1", "the share of units without a gradient, in the worst layer of G",
                     UPDATES),
    "far": Column("0 to 1", "how far thumbnails of G's pictures are from real ones: 0 is alike, 1 "
                  "is nothing alike", DISTANCE),
    "far_floor": Column("0 to 1", "`doctor.far` of real pictures: the best value to hope for",
                        DISTANCE),
    "texture": Column("0 to 1", "how far the details of G's pictures are from real ones: 0 is "
                      "alike, 1 is nothing alike", DISTANCE),
    "texture_floor": Column("0 to 1", "`doctor.texture` of real pictures: the best value to hope "
                            "for", DISTANCE),
    "simple": Column("0 to 1", "how well the best single simple feature tells fakes from real "
                     "pictures; 0 is not at all, 1 is always", DISTANCE),
    "diversity": Column("ratio", "the mean distance between two pictures of G, divided by that "
                        "between real ones; 1 is as varied, 0 is always the same", VARIETY),
    "near": Column("ratio", "the distance of a picture of G to its nearest neighbour in the grid, "
                   "divided by that of real ones; 0 is always the same", VARIETY),
    "twins": Column("0 to 1", "the share of pictures in the grid that have nearly the same "
                    "picture beside them; near 0 for real ones", VARIETY),
    "dims": Column("ratio", "in how many directions G's pictures vary, divided by those of real "
                   "ones; far below 1 is too few", VARIETY),
    "missing": Column("0 to 1", "the share of real pictures whose kind is not in the grid",
                      VARIETY),
    "turnover": Column("ratio", "how much the picture of the same z has changed since the last "
                       "look, divided by the distance between real pictures", VARIETY),
    "pattern_2": Column("share", "the power of what repeats every 2 pixels, beyond that of real "
                        "pictures, as a share of all power of real pictures", DETAIL),
    "pattern_4": Column("share", "the power of what repeats every 4 pixels, beyond that of real "
                        "pictures, as a share of all power of real pictures", DETAIL),
    "fine": Column("factors of 10", "the share of power in the finest details, compared with real "
                   "pictures; 0 is the same, 1 is ten times as much", DETAIL),
    "shift": Column("standard deviations", "how far the mean colour is from that of real pictures",
                    DETAIL),
    "contrast": Column("doublings", "the contrast compared with real pictures: 0 is the same, 1 is "
                       "twice as much, -1 is half", DETAIL),
    "chroma": Column("doublings", "how colourful the pictures are, compared with real ones: 0 is "
                     "the same, 1 is twice as much", DETAIL),
    "clipped": Column("share", "the share of values that are as good as black or white, beyond "
                      "that of real pictures", DETAIL),
    "copies": Column("0 to 1", "the share of G's pictures that are far closer to one training "
                     "picture than to the others", COPIES),
    "copies_floor": Column("0 to 1", "`doctor.copies` of held-out pictures", COPIES),
    "pictures": Column("pictures", "the number of training pictures", COPIES),
}  # fmt: skip

OTHERS = {  # what else can be evidence
    "d_loss": "D's loss",
    "g_loss": "G's loss",
    "d_real": "D's mean answer to real pictures, D(x)",
    "d_fake": "D's mean answer to fakes, D(G(z))",
    "penalty": "the penalty in D's loss",
    "lr_d": "D's learning rate, of the settings",
    "lr_g": "G's learning rate, of the settings",
    "steps": "the length of the run, of the settings",
    "trick": "as it is in the settings",
    "failure": "how the run ended",
    "deep.duality_gap": "how much each player can still gain alone; 0 if neither can",
    "deep.memorising": "the lower end of the interval of the metric memorising",
    "deep.modes": "the lower end of the interval of the metric modes",
}


def meaning_of(name: str) -> str:
    """What a column or another piece of evidence means, in one line; empty if it is unknown."""
    column = COLUMNS.get(name.removeprefix("doctor."))
    return column.meaning if column else OTHERS.get(name, "")


def format_value(value: float | str) -> str:
    """Three digits of a number, or more before the point: `0.0534`, `1,000`, `2.4e+23`; a text."""
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if 100 <= abs(value) < 1e6 else f"{value:.3g}"
