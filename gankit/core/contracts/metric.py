"""Metric: the base class of metrics. No heavy imports: `gankit list` loads it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from gankit.core.contracts.contract import require_known_methods
from gankit.core.errors import quote_value

if TYPE_CHECKING:
    import numpy as np

    from gankit.core.contracts.prepared import Pixels, Rows


class Metric:
    """Compares generated pictures with real ones that the run did not learn from.

    gankit calls `features` once for each set of pictures and `compare` once for each pair of sets.
    It calls `score` often: with each row once for the number itself, and with rows drawn with
    replacement for its interval. The same with real pictures in place of generated ones gives the
    floor. A public method that `Metric` does not have is an error, because it may be misspelt.
    """

    better = "lower"  # or "higher"
    no_direction = ""  # why neither is better, as a sentence: then --keep-best refuses it
    feature_set = ""  # name and hash; metrics with the same one share features
    enough = 100  # pictures in each set; with fewer, a warning is shown
    draws = 200  # bootstrap draws of rows, for the interval
    at_the_floor = "cannot be told from real pictures at this size"  # note for a score at the floor
    beyond_the_floor = "scores better than real pictures do: other metrics may see what is wrong"
    bounds = (-math.inf, math.inf)  # lowest and highest possible score
    reads_training = False  # compare also takes the training pictures' features; needs a hold-out
    datasets: ClassVar[tuple[str, ...]] = ()  # data sets that it works with; empty: all

    def features(self, pictures: Pixels) -> np.ndarray[Any, Any]:
        """One row for each picture of (N, H, W, C), C 1 or 3; by default its pixels, in [0, 1]."""
        return (pictures.reshape(len(pictures), -1) / 255).astype("float32")

    def rows(self, pictures: Pixels) -> np.ndarray[Any, Any]:
        """Call `features`; ValueError if they are not one finite row for each picture."""
        import numpy as np

        rows = np.asarray(self.features(pictures))
        if rows.ndim < 1 or len(rows) != len(pictures):
            expected = f"one row for each of {len(pictures)} pictures"
            raise ValueError(f"features returns an array {rows.shape}; expected {expected}")
        if not np.isfinite(rows).all():
            raise ValueError("features returns NaN or infinity")
        return rows

    def compare(self, generated: Any, reference: Any) -> Any:
        """Compute once what `score` needs of two sets' features, such as kernels or distances."""
        return generated, reference

    def score(self, state: Any, generated: Rows, reference: Rows) -> float:
        """The score for these rows of the two sets; a row may occur several times."""
        raise TypeError(f"{type(self).__name__} has no method score")

    def excess_variance(self, state: Any) -> float:
        """How much larger the variance of bootstrap draws is than that over other samples."""
        return 0.0

    def describe(self, state: Any) -> str:
        """A short note that is shown next to the score."""
        return ""

    def picture(self, state: Any, generated: Pixels, reference: Pixels, training: Pixels) -> Any:
        """A picture, uint8 (H, W, C), that shows what the score means, or None."""
        return None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "words" in vars(cls):  # the name of `describe` in gankit 0.1
            cls.describe = vars(cls)["words"]  # type: ignore[method-assign]
        require_known_methods(cls, Metric, former=("words",))


def finite_score(metric: Metric, state: Any, generated: Rows, reference: Rows) -> float:
    """The metric's score of these rows; ValueError unless it is one finite number."""
    score: Any = metric.score(state, generated, reference)
    try:
        value = math.nan if isinstance(score, str | bytes) else float(score)
    except (TypeError, ValueError, RuntimeError):  # of None, or of an array or a tensor
        value = math.nan
    if math.isfinite(value):
        return value
    cure = ""
    if score is None:
        cure = ": did you forget return?"
    elif getattr(score, "shape", ()):
        cure = ": end it in .mean()"
    raise ValueError(f"score returns {quote_value(score)}; expected one finite number{cure}")
