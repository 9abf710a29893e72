"""Label smoothing (Salimans et al. 2016, arXiv 1606.03498, section 3.4)."""

from gankit import Targets, Trick


class SmoothLabels(Trick):
    """Asks D for 0.9 instead of 1 on real pictures.

    D's logits stay small, and so do its gradients. Only the targets of reals are changed by
    default: smoothing those of fakes too would reward D where there are no real pictures. Saeed &
    Hashim 2024 (doi 10.18280/ria.380204) smooth both and let the targets return to 1 and 0, which
    made DCGAN on CIFAR-10 better (FID 132 to 96); for example `smooth-labels:fake=0.1,until=0.5`.

    real, fake: the targets, in place of 1 and 0.
    until: the share of the run over which they return to 1 and 0; none for never.
    """

    def __init__(self, real: float = 0.9, fake: float = 0.0, until: float | None = None) -> None:
        if not 0 <= fake < real <= 1:
            raise ValueError("targets must satisfy 0 <= fake < real <= 1")
        is_number = isinstance(until, int | float) and not isinstance(until, bool)
        if until is not None and not (is_number and 0 < until <= 1):
            raise ValueError("until must be more than 0 and at most 1, or none")
        self.real = real
        self.fake = fake
        self.until = until
        self.current = (1.0, 0.0)

    def targets(self, targets, gan):
        faded = min(1.0, gan.progress / self.until) if self.until else 0.0
        real = self.real + (1 - self.real) * faded
        fake = self.fake * (1 - faded)
        self.current = (real, fake)
        return Targets(*(fake + t * (real - fake) for t in targets))

    def activity(self):
        (real, fake) = self.current
        self.current = (1.0, 0.0)
        text = f"targets {real:.3g} real, {fake:.3g} fake"
        return None if (real, fake) == (1, 0) else {"real": real, "fake": fake, "text": text}
