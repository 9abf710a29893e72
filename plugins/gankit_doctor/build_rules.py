"""Build the rules that plugins register, in order of precedence."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from gankit.core.contracts.rule import Rule, require_rule
from gankit.core.errors import GankitError
from gankit.core.parts.registry import Registry

log = logging.getLogger("gankit")


def build_rules(registry: Registry, choices: Iterable[str] = ()) -> list[Rule]:
    """One rule for each spec: the doctor's own in their order, then those of other plugins.

    `choices` give rules other thresholds: `d-dominates:auc=0.95`. GankitError for an unknown rule
    or option. A rule that cannot be built is left out with a warning, unless it was chosen.
    """
    chosen = {registry.check("rule", text).name: text for text in choices}
    rules = []
    for plugin in sorted(registry.plugins, key=lambda plugin: not plugin.is_bundled):
        for spec in plugin.specs:
            if spec.kind != "rule":
                continue
            try:
                rule = _build(registry, chosen.get(spec.name, spec.name))
            except GankitError as error:
                if spec.name in chosen:
                    raise
                log.warning("%s; so it is left out", error)
                continue
            rule.name = spec.name
            rule.plugin = plugin.name
            rules.append(rule)
    return rules


def _build(registry: Registry, text: str) -> Rule:
    rule = registry.make("rule", text)
    with registry.attribute_errors_to("rule", text):
        return require_rule(rule)
