"""Metric: a number that says how good pictures are. Light, for every plugin's metrics need it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from gankit.core.errors import did_you_mean

if TYPE_CHECKING:
    import numpy as np

    from gankit.core.prepared import Pixels, Rows


class Metric:
    """Compares generated pictures with real ones that the run did not learn from.

    gankit asks for `features` once for each set of pictures and for `compare` once for each two
    sets. `score` it asks often: with every row once for the number itself, and with rows drawn
    with replacement for its interval. The same is done with real pictures in the place of the
    generated ones, and that number is the floor. A public method of another name is an error.
    """

    better = "lower"  # or "higher"
    feature_set = ""  # name and hash; metrics that say the same share one set's features
    enough = 100  # pictures in each set below which nobody should trust the number
    draws = 200  # of rows, for the interval
    at_the_floor = "cannot be told from real pictures at this size"  # said where that is so
    bounds = (-math.inf, math.inf)  # of the number
    reads_training = False  # compare takes the training part's features too; needs a hold-out
    datasets: ClassVar[tuple[str, ...]] = ()  # the only data sets it can judge; none: any

    def features(self, pictures: Pixels) -> np.ndarray[Any, Any]:
        """One row for each picture of (N, H, W, C), C 1 or 3: here its bytes, as shares of 255."""
        return (pictures.reshape(len(pictures), -1) / 255).astype("float32")

    def rows(self, pictures: Pixels) -> np.ndarray[Any, Any]:
        """The features; ValueError where they are not one finite row for each picture."""
        import numpy as np

        rows = np.asarray(self.features(pictures))
        if rows.ndim < 1 or len(rows) != len(pictures):
            wanted = f"one row for each of {len(pictures)} pictures"
            raise ValueError(f"features gives an array {rows.shape}; wanted is {wanted}")
        if not np.isfinite(rows).all():
            raise ValueError("features gives NaN or infinity")
        return rows

    def compare(self, generated: Any, reference: Any) -> Any:
        """What `score` needs of two sets' features: kernels, distances; worked out once."""
        return generated, reference

    def score(self, state: Any, generated: Rows, reference: Rows) -> float:
        """The number for these rows of the two sets; a row may come several times."""
        raise TypeError(f"{type(self).__name__} has no score")

    def words(self, state: Any) -> str:
        """A few words that go with the number."""
        return ""

    def picture(self, state: Any, generated: Pixels, reference: Pixels, training: Pixels) -> Any:
        """A picture uint8 (H, W, C) that shows what the number means, or None."""
        return None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, value in vars(cls).items():
            if callable(value) and not name.startswith("_") and not hasattr(Metric, name):
                hint = did_you_mean(name, [n for n in vars(Metric) if not n.startswith("_")])
                raise TypeError(f"{cls.__name__}.{name} is no part of a metric.{hint}")
