"""Measurement: one metric's number, with what you need to judge it."""

from dataclasses import dataclass

DEFAULT_SAMPLES = 1000  # pictures to generate and measure
HOLLOW = "so a good number means nothing"  # in a note


@dataclass(frozen=True)
class Measurement:
    """A metric's number for a run at one step."""

    metric: str  # as you wrote it: name:option=value
    value: float
    low: float  # 95 % bootstrap interval of the value
    high: float
    floor: float  # the value for real pictures in place of generated ones: the best at this size
    samples: int  # number of generated pictures
    reference: int  # number of real pictures that they were compared with
    better: str  # "lower" or "higher"
    features: str = ""  # name and hash of the feature set, if the metric has one
    note: str = ""  # what to know before you trust the number
    seconds: float = 0.0  # how long it took to measure
    picture: str = ""  # path of a picture that illustrates the number, if the metric draws one
    against: str = "hold-out"  # which real pictures the reference consists of
    step: int = 0  # of training

    @property
    def is_hollow(self) -> bool:
        """Whether the pictures are nothing like real ones, so that a good number says nothing."""
        return HOLLOW in self.note

    def __repr__(self) -> str:
        interval = f"{self.low:.4g} to {self.high:.4g}, floor {self.floor:.4g}"
        return f"<Measurement {self.metric} {self.value:.4g} ({interval}) at step {self.step}>"


def format_number(value: float) -> str:
    """Three significant digits below 1, four above."""
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.4g}"
