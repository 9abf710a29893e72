"""Measured: one number with all that is needed to judge it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """A metric's number for a run at one step."""

    metric: str  # as chosen: name:option=value
    value: float
    low: float  # the 95 % interval: other pictures of the same two sources, as many
    high: float
    floor: float  # the same for real pictures in G's place: the best there is at this size
    samples: int  # pictures that G drew
    reference: int  # real pictures they were compared with
    better: str  # "lower" or "higher"
    features: str = ""  # name and hash of the features, where there are any
    note: str = ""  # what to know before trusting the number
    seconds: float = 0.0  # that it took
    picture: str = ""  # the file that shows what the number means, if the metric draws one
    against: str = "hold-out"  # where the reference comes from
    step: int = 0
