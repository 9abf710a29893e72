"""A new run with the settings of another one, of which some change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gankit.core.parts.registry import Registry
from gankit.core.run.carried import NOTHING, Carried
from gankit.core.run.settings import Run
from gankit.core.run.stage import Stage, without
from gankit.training.settings.combine import add_tricks, combine_settings

_OF_ONE_RUN = {"out", "fingerprint", "class_names"}
# What follows from a setting, so it does not stay if the setting changes.
_FOLLOWS = {
    "model": {"generator", "discriminator", "image_size"},
    "length": {"steps", "earlier_plans", "draw_every", "save_every"},
}


def copy_run(
    registry: Registry,
    recorded: Mapping[str, Any],
    changes: Mapping[str, Any],
    carried: Carried = NOTHING,
) -> Run:
    """A new, checked Run: the settings that are recorded of another one, but for these changes.

    They apply to all of its stages; a trick with a + is added to those of each stage. GankitError.
    """
    fields = {**kept_settings(recorded, changes), **changes}
    if "tricks" in recorded and "tricks" in changes:
        fields["tricks"] = add_tricks(recorded["tricks"], changes["tricks"])
    return combine_settings(registry, fields.pop("recipe", None), fields, carried)


def kept_settings(recorded: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that such a run has from the other one."""
    added = changes.get("tricks", ())
    changed = set(changes)
    if added and all(text.startswith("+") for text in added):
        changed -= {"tricks"}  # those of the other run stay
    left_out = _OF_ONE_RUN | changed
    for name in _FOLLOWS.keys() & changed:
        left_out |= _FOLLOWS[name]
    kept = {name: value for name, value in recorded.items() if name not in left_out}
    if kept.get("stages"):
        kept["stages"] = without(_add_to_stages(kept["stages"], added), changed)
    return kept


def _add_to_stages(stages: Sequence[Stage], added: Sequence[str]) -> list[Stage]:
    """The stages, with tricks added to those that earlier stages had: each stage keeps its own."""
    changed = []
    for stage in stages:
        before = dict(stage.before)
        if added and "tricks" in before:
            before["tricks"] = add_tricks(before["tricks"], added)
        changed.append(replace(stage, before=before))
    return changed
