"""The engine: asks the rules at each look, and decides what is a finding, since when, and how bad.

A finding begins when a rule says ENTER at most of the last five looks, and ends when it is silent
at as many. It is an alarm only where pictures do not get better for a while, and where a setting
explains it or the pictures are bad; otherwise it is a note, and it becomes one again when pictures
get better. The order of the rules is that of causes and consequences, but what a setting explains
comes before what none explains: the first alarm is the root cause.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from gankit.core.contracts.rule import ENTER, Finding, Rule, require_finding
from gankit.core.contracts.seen import History, Seen
from gankit.core.errors import describe_error
from gankit.core.run.settings import Run
from gankit.core.run.stage import Stage

log = logging.getLogger("gankit")
WINDOW = 5  # looks
PATIENCE = 3  # looks in a row without progress that make a note an alarm, at least
LONG_RUN = 6  # in a long run: this part of all looks so far
BAD = 0.5  # share of the largest distance to real pictures, above which pictures are bad
MIN_LOOKS = 4  # at a run that is not young; with fewer, no rule had the patience to speak
YOUNG = 890.0  # steps times the root of the pictures in each: 157 steps of 32, 315 of 8
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
    last: int  # step of the last look at which its rule spoke
    until: int | None = None  # step of the first look without it; None: it is open
    because: str = ""  # the name of the rule of which it is a consequence
    left_by: Episode | None = None  # an ended one, whose damage this is; settings changed since
    is_told: bool = False  # as an alarm; it is told once, also if it becomes a note in between

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
    better: int = 0  # looks in a row with progress, while it is open


class Engine:
    """Asks rules, in order of precedence, at each look at a run."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.states = [_State(rule) for rule in rules]
        self.episodes: list[Episode] = []
        self.failed: set[str] = set()  # names of rules that raised
        self.unasked: dict[str, list[str]] = {}  # rule -> columns that it lacks
        self.stages: Sequence[Stage] = ()  # of the run so far
        self.looks: Sequence[int] = ()  # steps

    def add(self, seen: Seen) -> list[Episode]:
        """Ask all rules at a look; returns the open alarms that were not told yet.

        A consequence is told only once its cause has ended.
        """
        self.note_missing(seen)
        self.stages = seen.run.stages
        self.looks = seen.history.looks
        for state in self.states:
            self._ask(state, seen)
        self._blame_causes()
        self._explain()
        opened = [state.episode for state in self.states if state.episode]
        new = [e for e in opened if e.kind == ALARM and not e.because and not e.is_told]
        for episode in new:
            episode.is_told = True
        return new

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

    def _ask(self, state: _State, seen: Seen) -> None:
        """Ask one rule: its finding begins, goes on, becomes an alarm or ends."""
        rule = state.rule
        if (
            rule.name in self.unasked
            or seen.share < rule.warm_up
            or (rule.judges_pictures and is_young(seen.run, min(seen.step, seen.history.end)))
        ):
            return
        seen.others = frozenset(self.open_names())
        finding = self._look(rule, seen)
        state.levels.append((seen.step, finding.level if finding else None))
        if state.episode is None:
            self._begin(state, finding, seen)
            return
        if finding:
            state.episode.finding = finding
            state.episode.last = seen.step
        if not self._ends(state):
            self._judge(state, seen, has_finding=finding is not None)

    def _look(self, rule: Rule, seen: Seen) -> Finding | None:
        """What the rule says; one that raises is told, and not asked again."""
        if rule.name in self.failed:
            return None
        try:
            return require_finding(rule.look(seen), seen.run)
        except Exception as error:  # a plugin may raise anything
            self.failed.add(rule.name)
            owner = f" of plugin {rule.plugin!r}" if rule.plugin else ""
            message = "rule %r%s failed in look at step %s, and is not asked again: %s"
            log.warning(message, rule.name, owner, seen.step, describe_error(error))
            return None

    def _begin(self, state: _State, finding: Finding | None, seen: Seen) -> None:
        """Begin a finding, if the rule said ENTER often enough."""
        entered = [step for step, level in state.levels if level == ENTER]
        if finding is None or (len(entered) < state.rule.patience and not finding.is_certain):
            return
        state.episode = Episode(state.rule, finding, NOTE, entered[0], seen.step)
        state.troubled = 0
        state.better = 0
        while state.levels[0][0] < entered[0]:  # looks before it do not end it
            state.levels.popleft()
        self.episodes.append(state.episode)
        self._judge(state, seen, has_finding=True)

    def _ends(self, state: _State) -> bool:
        silent = [step for step, level in state.levels if level is None]
        if len(silent) < max(state.rule.patience, 2):
            return False
        assert state.episode is not None
        state.episode.until = silent[0]
        state.episode = None
        state.levels.clear()
        return True

    def _judge(self, state: _State, seen: Seen, *, has_finding: bool) -> None:
        """Make a note an alarm, if pictures do not get better; or an alarm a note, if they do."""
        episode = state.episode
        assert episode is not None
        is_worse = has_finding and not seen.progress and not episode.finding.is_note
        state.troubled = state.troubled + 1 if is_worse else 0
        state.better = state.better + 1 if seen.progress else 0
        patience = max(PATIENCE, seen.looks // LONG_RUN)
        is_sure = bool(episode.finding.setting) or seen.is_bad(BAD)
        is_trouble = state.troubled >= patience and is_sure
        if state.rule.is_always_alarm or (is_trouble and not state.rule.is_only_note):
            episode.kind = ALARM
        elif state.better >= patience:
            episode.kind = NOTE

    def _blame_causes(self) -> None:
        """Make an open note an alarm, if it is the cause of an open alarm."""
        opened = [state.episode for state in self.states if state.episode]
        for cause in opened:
            effects = [e for e in opened if e.kind == ALARM and e.name in cause.rule.causes]
            if effects and not cause.finding.is_note:
                cause.kind = ALARM

    def _explain(self) -> None:
        """Note of which other finding each one is a consequence, or what is left of one."""
        for episode in self.episodes:
            causes = [other for other in self.episodes if _is_cause(other, episode)]
            episode.because = causes[0].name if causes else ""
        for episode in self.episodes:
            damaging = (e for e in self.ordered() if self._has_left(e, episode))
            episode.left_by = next(damaging, None)

    def _has_left(self, cause: Episode, effect: Episode) -> bool:
        """Whether an open alarm may be the damage of one that a change of settings has ended.

        Units that a long step has killed stay dead when steps are short again. Damage shows soon:
        at most as many steps after the end of its cause as that had lasted.
        """
        is_open = effect.until is None and effect.kind == ALARM and not effect.finding.is_note
        if not is_open or cause.until is None or not _may_cause(cause, effect):
            return False
        soon = cause.since <= effect.since <= cause.until + (cause.until - cause.since)
        return soon and any(self._has_ended(stage, cause) for stage in self.stages)

    def _has_ended(self, stage: Stage, episode: Episode) -> bool:
        """Whether a finding ended soon after a setting had changed that its cure changes, too."""
        until = episode.until or 0
        between = [step for step in self.looks if stage.step < step <= until]
        is_soon = episode.since <= stage.step and 0 < len(between) <= WINDOW
        return is_soon and not stage.before.keys().isdisjoint(episode.finding.options)

    def ordered(self) -> list[Episode]:
        """All findings: open before ended ones, alarms before notes, causes before consequences.

        What a setting explains comes before what none explains.
        """
        order = {state.rule.name: index for index, state in enumerate(self.states)}

        def rank(episode: Episode) -> tuple[bool, bool, bool, bool, int, int]:
            return (
                episode.until is not None,
                episode.kind != ALARM,
                bool(episode.because),
                not episode.finding.setting,
                order[episode.name],
                episode.since,
            )

        return sorted(self.episodes, key=rank)


def is_young(run: Run, step: float) -> bool:
    """Whether a run has learnt too little at a step for a judgement of its pictures.

    A step of more pictures is worth more, but not as much as the same pictures in more steps.
    """
    return step * math.sqrt(run.batch_size * run.d_steps) < YOUNG


def _is_cause(cause: Episode, effect: Episode) -> bool:
    """Whether one finding may be the cause of another: its rule says so, and it lasts as long."""
    lasts = cause.until is None or (effect.until is not None and cause.until > effect.since)
    return lasts and _may_cause(cause, effect)


def _may_cause(cause: Episode, effect: Episode) -> bool:
    """Whether the rule of an alarm names the other finding as a consequence.

    What a setting explains is never a consequence of what none explains.
    """
    return (
        cause.kind == ALARM
        and effect.name in cause.rule.causes
        and not (effect.finding.setting and not cause.finding.setting)
    )


def replay(
    run: Run,
    history: History,
    rules: Sequence[Rule],
    failure: str = "",
) -> Engine:
    """Ask the rules at every look of a log, oldest first, as if the run trained now."""
    engine = Engine(rules)
    for step in sorted(set(history.looks)):
        at_look = run.at(step - 1)  # its settings may have changed since
        engine.add(Seen(at_look, history, step))
    if failure:  # after the last row of the log
        step = history.last_row
        engine.add(Seen(run.at(step), history, step + 1, failure=failure))
    elif not history.looks:
        engine.note_missing(Seen(run, history, 0))
    return engine


def verdict(engine: Engine, run: Run, history: History) -> str:
    """In one word: the name of the first open finding; or healthy, too-early or stop-here.

    A run that is too young for a verdict may still have an alarm; its notes can wait.
    """
    first = next((episode for episode in engine.ordered() if episode.until is None), None)
    if first and first.kind == ALARM:
        return first.name
    looks = [step for step in set(history.looks) if not is_young(run, min(step, history.end))]
    if len(looks) < MIN_LOOKS:
        return TOO_EARLY
    if first is None:
        return HEALTHY
    is_good = first.name == "stalled" and first.finding.is_note
    return STOP_HERE if is_good else first.name
