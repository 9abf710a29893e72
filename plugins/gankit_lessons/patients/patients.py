"""The patients: broken runs of the doctor's bench under numbers, with hints and a teacher's key.

Each one takes about 20 seconds on two cores. The numbers never change: a class talks about
"patient 7". No name of a case, and no setting that is broken, is shown to a student.
"""

from __future__ import annotations

from dataclasses import dataclass

from gankit_doctor.cases.all_cases import CASES
from gankit_doctor.cases.case import Case

from gankit.core.errors import GankitError, did_you_mean, quote_value

SEED = 0
HEALTHY = 0  # the number of the run that is not broken


@dataclass(frozen=True)
class Patient:
    """A broken run under a number."""

    number: int
    case: Case
    cure: str  # options of `gankit run` that heal it: the teacher's key has them

    @property
    def names(self) -> tuple[str, ...]:
        """The names that are right for what is wrong with it; none if it is healthy."""
        return self.case.expected

    @property
    def steps(self) -> int:
        return int(self.case.settings["steps"])

    @property
    def hints(self) -> tuple[str, str, str]:
        """From the evidence to the kind to the name."""
        illness = ILLNESSES[self.names[0]]
        names = " or ".join(self.names)
        return illness.evidence, illness.kind, f"It is {names}: gankit show {self.names[0]}"


@dataclass(frozen=True)
class Illness:
    """Hints for a student who does not know the name of what is wrong."""

    evidence: str  # where to look
    kind: str  # what kind of trouble it is


ILLNESSES = {
    "d-dominates": Illness(
        "Compare d_loss with g_loss, and look at doctor.auc and doctor.far.",
        "The trouble is in the balance of the players: one is too strong for the other.",
    ),
    "d-too-weak": Illness(
        "Compare d_real with d_fake, and ask whether you can tell G's pictures from real ones.",
        "The trouble is in the balance of the players: one sees less than you do.",
    ),
    "mode-collapse": Illness(
        "Compare the pictures of one grid with each other; then look at doctor.diversity and "
        "doctor.near.",
        "The trouble is in the variety of the pictures: there is hardly any.",
    ),
    "missing-modes": Illness(
        "Count the kinds of flowers in one grid; then look at doctor.missing and doctor.dims.",
        "The trouble is in the variety of the pictures: whole kinds are never drawn.",
    ),
    "oscillation": Illness(
        "Compare grids that follow each other; then look at doctor.turnover and doctor.far.",
        "The trouble is in the movement: the players move all the time, and do not arrive.",
    ),
    "penalty-too-strong": Illness(
        "Compare penalty with d_loss, and d_real with d_fake.",
        "The trouble is in what D is asked to do beside its task.",
    ),
    "stalled": Illness(
        "Compare the losses, which look healthy, with the grids; then look at doctor.turnover.",
        "The trouble is in how pictures are drawn: both players learn, and you do not see it.",
    ),
    "step-size": Illness(
        "Look at doctor.step_d and doctor.step_g: by which share an update changes the weights.",
        "The trouble is in the size of the steps, of one player or of both.",
    ),
    "vanishing-gradient": Illness(
        "Look at g_loss and at doctor.grad_g, late in the run.",
        "The trouble is in what G hears from D: hardly anything.",
    ),
}

_BY_NUMBER = {
    HEALTHY: ("plain", ""),
    1: ("sleeping-g", "--lr-g 5e-4"),
    2: ("racing-g", "--lr 5e-4"),
    3: ("lying-labels", "--trick none"),
    4: ("heavy-r1", "--trick none"),
    5: ("flat-loss", "--loss non-saturating --lr 5e-4"),
    6: ("one-number", "--latent-dim 100"),
    7: ("strong-d", "--lr 5e-4"),
    8: ("frozen-average", "--trick none"),
    9: ("long-steps", "--lr 5e-4"),
    10: ("busy-d", "--d-steps 1 --lr 5e-4"),
    11: ("heavy-gradient-penalty", "--loss non-saturating --trick none"),
    12: ("momentum", "--beta1 0.5 --lr 5e-4"),
    13: ("sleeping-d", "--lr-d 5e-4"),
    14: ("covered-eyes", "--trick none"),
}
PATIENTS = {
    number: Patient(number, CASES[case], cure) for number, (case, cure) in _BY_NUMBER.items()
}


def find_patient(text: str) -> Patient:
    """The patient of a number that was typed. GankitError."""
    if text.isascii() and text.isdecimal() and len(text) < 4 and int(text) in PATIENTS:
        return PATIENTS[int(text)]
    raise GankitError(
        f"there is no patient {quote_value(text)}: give a number from {min(PATIENTS)} to "
        f"{max(PATIENTS)}; gankit patient lists them"
    )


def check_name(name: str, names: list[str]) -> str:
    """The name of a finding, as it was typed. GankitError if there is no such name."""
    name = name.strip().lower()
    if name in names:
        return name
    raise GankitError(
        f"--name is {quote_value(name)}, which is not a finding of the doctor."
        f"{did_you_mean(name, names)} See: gankit list rule"
    )
