"""Rule: the base class of rules, each of which knows one thing that can go wrong in a run.

No heavy imports: rules read numbers that stand in log.csv, so the same rule looks at a run that
trains now and at one that was trained long ago.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

from gankit.core.errors import did_you_mean, quote_value

if TYPE_CHECKING:
    from gankit.core.contracts.seen import Seen
    from gankit.core.run.settings import Run

ENTER = "enter"  # beyond the threshold at which a finding begins
STAY = "stay"  # beyond the lower one, below which it ends
WINDOW = 5  # looks, of which `patience` say ENTER when a finding begins


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a rule found at one look."""

    text: str  # what is wrong, in one or two sentences
    cure: str  # what to do, in words
    evidence: Mapping[str, float | str] = field(default_factory=dict)  # column of log.csv -> value
    options: Mapping[str, Any] = field(default_factory=dict)  # fields of Run that cure it
    level: str = ENTER  # or STAY
    is_note: bool = False  # not an alarm, even if pictures do not get better
    is_certain: bool = False  # it begins at this look, without patience
    setting: str = ""  # that explains it, as it is far from the usual; then it comes first


_FINDING_TYPES = {"text": str, "cure": str, "setting": str, "evidence": Mapping, "options": Mapping}


def require_finding(finding: Any, run: Run) -> Finding | None:
    """What a rule returned at a look. TypeError or GankitError if a run cannot have its cure."""
    if finding is None:
        return None
    if not isinstance(finding, Finding):
        what = quote_value(finding)
        raise TypeError(f"look returned {what}; it must be a gankit.Finding or None")
    if finding.level not in (ENTER, STAY):
        what = f"look returned a Finding with level={quote_value(finding.level)}"
        raise TypeError(f"{what}; it must be {ENTER!r} or {STAY!r}")
    for field_name, kind in _FINDING_TYPES.items():
        value = getattr(finding, field_name)
        if not isinstance(value, kind):
            what = f"look returned a Finding with {field_name}={quote_value(value)}"
            raise TypeError(f"{what}; it must be a {'text' if kind is str else 'dict'}")
    for name, value in finding.evidence.items():
        if not isinstance(value, Real | str):
            what = f"the evidence {name} is {quote_value(value)}"
            raise TypeError(f"{what}; it must be a number or a text")
    dataclasses.replace(run, **finding.options)
    return finding


class Rule:
    """Looks at what was seen of a run up to a step, and returns a finding or None.

    Thresholds are keyword options of `__init__` with defaults. gankit asks a rule at every look at
    a run: a finding begins when `patience` of the last five looks say ENTER, and ends when as many
    say nothing. A public method that `Rule` does not have is an error, because it may be misspelt.
    """

    name = ""  # set by gankit from the rule's spec
    plugin = ""  # that it comes from; set by gankit
    needs: ClassVar[tuple[str, ...]] = ()  # columns of log.csv without which it is not asked
    patience: ClassVar[int] = 4  # looks of the last five
    warm_up: ClassVar[float] = 0.1  # share of the run in which it is not asked
    judges_pictures: ClassVar[bool] = True  # so it is not asked before any network can draw
    # An alarm also while pictures get better; else it is only a note then.
    is_always_alarm: ClassVar[bool] = False
    is_only_note: ClassVar[bool] = False  # unless it is the cause of an alarm
    causes: ClassVar[tuple[str, ...]] = ()  # rules whose findings are consequences of this one
    why_wrong: ClassVar[str] = ""  # when the finding may be wrong

    def look(self, seen: Seen) -> Finding | None:
        """What is wrong at `seen.step`, judged by everything up to it; None if nothing is."""
        raise TypeError(f"{type(self).__name__} has no method look")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, value in vars(cls).items():
            if callable(value) and not name.startswith("_") and not hasattr(Rule, name):
                hint = did_you_mean(name, [n for n in vars(Rule) if not n.startswith("_")])
                raise TypeError(f"{cls.__name__}.{name} is not a method of gankit.Rule.{hint}")


def require_rule(rule: Any) -> Rule:
    """What the builder of a rule returned. TypeError or ValueError if it cannot be asked."""
    if not isinstance(rule, Rule):
        raise TypeError(f"returns {quote_value(rule)}; it must be a gankit.Rule")
    if not 1 <= rule.patience <= WINDOW:
        raise ValueError(f"patience is {rule.patience}; it must be from 1 to {WINDOW} looks")
    if not 0 <= rule.warm_up < 1:
        raise ValueError(f"warm_up is {rule.warm_up}; it must be a share of the run, below 1")
    for attribute in ("needs", "causes"):
        names = getattr(rule, attribute)
        if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
            raise ValueError(f"{attribute} is {names!r}; it must be a tuple of names")
    return rule


def level_of(value: float, enter: float, stay: float) -> str | None:
    """ENTER, STAY or None for a value and two thresholds; `stay` lies on the healthy side.

    If `stay` is above `enter`, low values are bad.
    """
    if stay > enter:
        value, enter, stay = -value, -enter, -stay  # fmt: skip
    if value >= enter:
        return ENTER
    return STAY if value >= stay else None
