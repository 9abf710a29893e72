"""Build the rules that plugins register, in order of precedence."""

from __future__ import annotations

from collections.abc import Iterable

from gankit.core.errors import GankitError, quote_value
from gankit.core.registry import Registry
from gankit.core.rule import Rule


def build_rules(registry: Registry, choices: Iterable[str] = ()) -> list[Rule]:
    """One rule for each spec: the doctor's own in their order, then those of other plugins.

    `choices` give rules other thresholds: `d-dominates:auc=0.95`. GankitError for an unknown rule
    or option, and for one that is not a gankit.Rule.
    """
    chosen = {registry.check("rule", text).name: text for text in choices}
    rules = []
    for plugin in sorted(registry.plugins, key=lambda plugin: not plugin.is_bundled):
        for spec in plugin.specs:
            if spec.kind != "rule":
                continue
            rule = registry.make("rule", chosen.get(spec.name, spec.name))
            if not isinstance(rule, Rule):
                what = f"returns {quote_value(rule)}; it must be a gankit.Rule"
                raise GankitError(f"{registry.describe(spec)} {what}")
            rule.name = spec.name
            rule.plugin = plugin.name
            rules.append(rule)
    return rules
