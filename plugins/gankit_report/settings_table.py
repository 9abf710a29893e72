"""The settings of the runs on a page: those that differ first."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from gankit.core.run.all_stages import describe_stages
from gankit.core.run.settings import Run, option
from gankit_report.recorded import Recorded

Row = tuple[str, list[str]]  # a setting, and its value in each run
# These are not options.
_LABELS = {"fingerprint": "fingerprint of the pictures", "stages": "what changed meanwhile"}
_OMITTED = {"out", "length", "earlier_plans", "report"}  # do not say how the run trains


def settings_tables(runs: Sequence[Recorded]) -> tuple[list[Row], list[Row]]:
    """The settings that differ, with versions that do; and all other settings."""
    names = [field.name for field in dataclasses.fields(Run) if field.name not in _OMITTED]
    rows = [(_LABELS.get(name, option(name)), _values(name, runs)) for name in names]
    versions = [_versions(recorded.notes) for recorded in runs]
    for name in dict.fromkeys(name for of_run in versions for name in of_run):
        rows.append((f"version of {name}", [of_run.get(name, "") for of_run in versions]))
    different = [row for row in rows if len(set(row[1])) > 1]
    return different, [row for row in rows if row not in different]


def _values(name: str, runs: Sequence[Recorded]) -> list[str]:
    values = [getattr(recorded.run, name) for recorded in runs]
    if name == "stages":
        return ["; ".join(describe_stages(recorded.run)) or "none" for recorded in runs]
    if name == "holdout":  # -1 is chosen by the number of pictures
        return ["auto" if value == -1 else _text(value) for value in values]
    return [_text(value) for value in values]


def _text(value: object) -> str:
    """`ema, r1`; `none` for nothing."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) or "none"


def _versions(notes: Mapping[str, Any]) -> dict[str, str]:
    """The versions in run.json; plugins are named with theirs."""
    recorded = dict(notes.get("versions") or {})
    plugins = recorded.pop("plugins", None)
    if isinstance(plugins, dict):
        recorded |= plugins
    return {str(name): str(value)[:200] for name, value in recorded.items()}
