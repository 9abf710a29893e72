"""What a Run carries beside its settings, because it is not plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Carried:
    """Not compared, and not written into run.json, except for the texts in `origins`."""

    plugins: tuple[Any, ...] = ()  # each a Plugin of the registry, given in Python
    budget: str = ""  # the length of a new run as a time, such as 2min; "": none
    # Parts given as objects, which no command line can name: "trick my-trick" -> "MyTrick in a.py".
    origins: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()  # one-file plugins that were loaded, for `gankit -p FILE`


NOTHING = Carried()
