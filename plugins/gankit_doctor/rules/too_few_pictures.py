"""too-few-pictures: D sees each of few pictures so often that it can learn them by heart."""

from __future__ import annotations

import math

from gankit.core.contracts.rule import Finding, Rule
from gankit.core.contracts.seen import Seen
from gankit_doctor.cures import few_pictures_cure, for_few_pictures
from gankit_doctor.signs import FEW, d_races, passes


class TooFewPictures(Rule):
    """The number of training pictures, and how often each is seen in the whole run."""

    needs = ("doctor.pictures",)
    warm_up = 0.0
    patience = 1
    causes = ("d-dominates", "memorisation", "mode-collapse", "missing-modes", "stalled",
              "vanishing-gradient", "checkerboard", "colour-shift", "oscillation")  # fmt: skip
    judges_pictures = False
    why_wrong = "Pictures that are all much alike may be enough, though few."

    def __init__(self, pictures: int = FEW, passes: float = 200.0) -> None:
        self.pictures = pictures
        self.passes = passes

    def look(self, seen: Seen) -> Finding | None:
        run = seen.run
        pictures = seen.last("pictures")
        turned = 4 if run.size.is_square else 2  # by --dihedral
        variants = (2 if run.flip else 1) * (2 if run.zoom > 1 else 1)
        variants *= turned if run.dihedral else 1
        times = passes(seen)
        augmented = {"diffaugment", "ada"} & {trick.name for trick in run.tricks}
        enough = self.passes * math.sqrt(pictures / self.pictures)  # fewer are known sooner
        if augmented or pictures * variants > self.pictures or times < enough:
            return None
        return Finding(
            setting="" if d_races(run) else f"{pictures:.0f} training pictures",
            text=f"The run has {pictures:.0f} training pictures, and D sees each "
            f"{times:.0f} times: it can learn them by heart.",
            evidence={"doctor.pictures": pictures, "steps": run.steps},
            cure=few_pictures_cure(run),
            options=for_few_pictures(run),
        )
