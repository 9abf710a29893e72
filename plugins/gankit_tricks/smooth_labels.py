"""Label smoothing (Salimans et al. 2016, arXiv 1606.03498, section 3.4)."""

from gankit import Targets, Trick


class SmoothLabels(Trick):
    """Asks D for 0.9 instead of 1 on real pictures.

    D's logits stay small, so its gradient does. One-sided by default: smoothing the fakes too
    would reward D where there are no real pictures.

    real, fake: what takes the place of the targets 1 and 0.
    """

    def __init__(self, real: float = 0.9, fake: float = 0.0) -> None:
        if not 0 <= fake < real <= 1:
            raise ValueError("targets must satisfy 0 <= fake < real <= 1")
        self.real, self.fake = real, fake

    def targets(self, targets, gan):
        return Targets(*(self.fake + t * (self.real - self.fake) for t in targets))

    def activity(self):
        if (self.real, self.fake) == (1, 0):
            return None
        return f"targets {self.real:g} real, {self.fake:g} fake"
