"""The engine: asks the rules at each look, and decides what is a finding, since when, and how bad.

A finding begins when a rule says ENTER at most of the last five looks, and ends when it is silent
at as many. It is an alarm only where pictures do not get better; otherwise it is a note. The order
of the rules is that of causes and consequences: the first alarm is the root cause.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gankit.core.errors import describe_error
from gankit.core.rule import ENTER, Finding, Rule
from gankit.core.seen import History, Seen
from gankit.core.settings import Run

log = logging.getLogger("gankit")
WINDOW = 5  # looks
MIN_LOOKS = 4  # at a run that is not young; with fewer, no rule had the patience to speak
MIN_PICTURES = 5000  # that both players were trained on; before, no network can draw yet
ALARM = "alarm"
NOTE = "note"
HEALTHY = "healthy"
TOO_EARLY = "too-early"
STOP_HERE = "stop-here"


@dataclass
class Episode:
    """A finding with its begin and end."""

    rule: Rule
    finding: Finding  # the last one
    kind: str  # ALARM or NOTE
    since: int  # step
    until: int | None = None  # step of the first look without it; None: it is open
    because: str = ""  # the name of the rule of which it is a consequence

    @property
    def name(self) -> str:
        return self.rule.name


@dataclass
class _State:
    """What the engine remembers of one rule."""

    rule: Rule
    levels: deque[tuple[int, str | None]] = field(default_factory=lambda: deque(maxlen=WINDOW))
    episode: Episode | None = None  # while it is open
    troubled: int = 0  # looks in a row without progress, while it is open


class Engine:
    """Asks rules, in order of precedence, at each look at a run."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.states = [_State(rule) for rule in rules]
        self.episodes: list[Episode] = []
        self.failed: set[str] = set()  # names of rules that raised
        self.unasked: dict[str, list[str]] = {}  # rule -> columns that it lacks

    def add(self, seen: Seen) -> list[Episode]:
        """Ask all rules at a look; returns the alarms that are new, without consequences."""
        self.note_missing(seen)
        new = [state.episode for state in self.states if self._ask(state, seen) and state.episode]
        self._explain()
        return [episode for episode in new if not episode.because]

    def note_missing(self, seen: Seen) -> None:
        """Remember which rules cannot be asked, and which columns they lack."""
        self.unasked = {}
        for state in self.states:
            missing = [name for name in state.rule.needs if not seen.has([name])]
            if missing:
                self.unasked[state.rule.name] = missing

    def open_names(self) -> list[str]:
        """The names of the rules whose findings are open."""
        return [state.rule.name for state in self.states if state.episode]

    def _ask(self, state: _State, seen: Seen) -> bool:
        """Ask one rule; returns whether its finding has become an alarm."""
        rule = state.rule
        if (
            rule.name in self.unasked
            or seen.share < rule.warm_up
            or (rule.judges_pictures and is_young(seen))
        ):
            return False
        seen.others = frozenset(self.open_names())
        finding = self._look(rule, seen)
        state.levels.append((seen.step, finding.level if finding else None))
        if state.episode is None:
            return bool(finding) and self._begins(state, finding, seen)
        if finding:
            state.episode.finding = finding
        if self._ends(state):
            return False
        return self._becomes_alarm(state, seen, has_finding=finding is not None)

    def _look(self, rule: Rule, seen: Seen) -> Finding | None:
        """What the rule says; one that raises is told, and not asked again."""
        if rule.name in self.failed:
            return None
        try:
            return rule.look(seen)
        except Exception as error:  # a plugin may raise anything
            self.failed.add(rule.name)
            owner = f" of plugin {rule.plugin!r}" if rule.plugin else ""
            message = "rule %r%s failed in look at step %s, and is not asked again: %s"
            log.warning(message, rule.name, owner, seen.step, describe_error(error))
            return None

    def _begins(self, state: _State, finding: Finding | None, seen: Seen) -> bool:
        entered = [step for step, level in state.levels if level == ENTER]
        if finding is None or len(entered) < state.rule.patience:
            return False
        state.episode = Episode(state.rule, finding, NOTE, entered[0])
        state.troubled = 0
        while state.levels[0][0] < entered[0]:  # looks before it do not end it
            state.levels.popleft()
        self.episodes.append(state.episode)
        return self._becomes_alarm(state, seen, has_finding=True)

    def _ends(self, state: _State) -> bool:
        silent = [step for step, level in state.levels if level is None]
        if len(silent) < max(state.rule.patience, 2):
            return False
        assert state.episode is not None
        state.episode.until = silent[0]
        state.episode = None
        state.levels.clear()
        return True

    def _becomes_alarm(self, state: _State, seen: Seen, *, has_finding: bool) -> bool:
        """Make a note an alarm, if pictures do not get better; returns whether it just did."""
        episode = state.episode
        assert episode is not None
        state.troubled = state.troubled + 1 if has_finding and not seen.progress else 0
        is_trouble = state.rule.is_always_alarm or state.troubled >= 2
        if episode.kind == ALARM or state.rule.is_only_note or not is_trouble:
            return False
        episode.kind = ALARM
        return True

    def _explain(self) -> None:
        """Note of which other finding each one is a consequence."""
        for episode in self.episodes:
            causes = [other for other in self.episodes if _is_cause(other, episode)]
            episode.because = causes[0].name if causes else ""

    def ordered(self) -> list[Episode]:
        """All findings: open before ended ones, alarms before notes, causes before consequences."""
        order = {state.rule.name: index for index, state in enumerate(self.states)}

        def rank(episode: Episode) -> tuple[bool, bool, bool, int, int]:
            return (
                episode.until is not None,
                episode.kind != ALARM,
                bool(episode.because),
                order[episode.name],
                episode.since,
            )

        return sorted(self.episodes, key=rank)


def is_young(seen: Seen) -> bool:
    """Whether the run has seen too few pictures for a judgement of its pictures."""
    return seen.step * seen.run.batch_size * seen.run.d_steps < MIN_PICTURES


def _is_cause(cause: Episode, effect: Episode) -> bool:
    """Whether one finding may be the cause of another: its rule says so, and it lasts as long."""
    lasts = cause.until is None or (effect.until is not None and cause.until > effect.since)
    return effect.name in cause.rule.causes and cause.kind == ALARM and lasts


def replay(
    run: Run,
    history: History,
    rules: Sequence[Rule],
    failure: str = "",
    each: Callable[[list[Episode]], object] = lambda episodes: None,
) -> Engine:
    """Ask the rules at every look of a log, oldest first, as if the run trained now."""
    engine = Engine(rules)
    steps = sorted(set(history.looks))
    for step in steps:
        is_last = step == steps[-1]
        each(engine.add(Seen(run, history, step, failure=failure if is_last else "")))
    if not steps:
        seen = Seen(run, history, 0, failure=failure)
        if failure:
            engine.add(seen)
        engine.note_missing(seen)
    return engine


def verdict(engine: Engine, run: Run, history: History) -> str:
    """In one word: the name of the first open alarm, or that the run is healthy, or too young."""
    episodes = engine.ordered()
    alarms = [e.name for e in episodes if e.kind == ALARM and e.until is None]
    if alarms:
        return alarms[0]
    looks = [step for step in set(history.looks) if not is_young(Seen(run, history, step))]
    if len(looks) < MIN_LOOKS:
        return TOO_EARLY
    has_stalled = any(e.name == "stalled" and e.until is None for e in episodes)
    return STOP_HERE if has_stalled else HEALTHY
