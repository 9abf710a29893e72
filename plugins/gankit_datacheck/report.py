"""The report on a data set as plain data: --json prints it, the terminal and the page show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gankit.core.shell import join_command
from gankit_datacheck.finding import Finding
from gankit_datacheck.findings import find_all, sort_findings
from gankit_datacheck.reading import how_they_are_read
from gankit_datacheck.survey import Facts, Survey


def make_report(survey: Survey, source: Sequence[str] = ()) -> dict[str, Any]:
    """The whole report; `source` are the options that give gankit run these pictures.

    Do not rename a key: programs read the report.
    """
    good = survey.good
    findings = sort_findings([*find_all(survey), *how_they_are_read(survey)])
    return {
        "source": list(source),
        "image_size": survey.image_size,
        "pictures": survey.total,
        "looked_at": len(survey.facts),
        "readable": len(good),
        "broken": [{"name": facts.name, "why": facts.broken} for facts in survey.broken],
        "left_out": survey.left_out,
        "bytes": sum(facts.bytes for facts in survey.facts),
        "formats": _count_each(facts.format for facts in good),
        "modes": _count_each(facts.mode for facts in good),
        "classes": survey.class_sizes if set(survey.class_sizes) - {""} else {},
        "width": _summarize([facts.width for facts in good]),
        "height": _summarize([facts.height for facts in good]),
        "short_side": _summarize(survey.short.tolist()),
        "too_small": int(survey.too_small.sum()),
        "lost_in_crop": round(float(survey.crop_loss.mean()), 4) if good else 0.0,
        "grey": int(survey.grey.sum()),
        "transparent": int(survey.transparent.sum()),
        "pixel_art": sum(facts.art is not None for facts in good),
        "plain": int(survey.plain.sum()),
        "colour": _colour(good),
        "likeness": round(survey.likeness, 4),
        "copies": _copies(survey),
        "findings": [
            {"level": f.level, "what": f.what, "mend": f.mend, "names": list(f.names)}
            for f in findings
        ],
        "try": _suggest_command(survey, source, findings),
    }


def _count_each(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(filter(None, values)).most_common())


def _summarize(values: list[int]) -> dict[str, float]:
    if not values:
        return {"min": 0, "median": 0.0, "max": 0}
    return {"min": min(values), "median": float(np.median(values)), "max": max(values)}


def _colour(good: list[Facts]) -> dict[str, Any]:
    """Mean and spread (levels of 255) and histogram of red, green and blue."""
    if not good:
        return {"mean": [], "spread": [], "histogram": []}
    mean = np.mean([facts.mean for facts in good], axis=0)
    spread = np.mean([facts.std for facts in good], axis=0)
    shares = np.mean([facts.histogram for facts in good], axis=0)
    return {
        "mean": mean.round(1).tolist(),
        "spread": spread.round(1).tolist(),
        "histogram": shares.round(5).tolist(),
    }


def _copies(survey: Survey) -> dict[str, Any]:
    return {
        "exact": survey.exact,
        "near": survey.near,
        "different": survey.different,
        "groups": [
            {"exact": group.exact, "pictures": [facts.name for facts in group.pictures]}
            for group in survey.duplicate_groups()
        ],
    }


def _suggest_command(survey: Survey, source: Sequence[str], findings: list[Finding]) -> str:
    """The gankit run command that the findings suggest; empty if too few pictures are readable."""
    if not survey.good or len(survey.broken) > len(survey.facts) / 2:
        return ""
    flags = list(dict.fromkeys(flag for finding in findings for flag in finding.flags))
    sizes = [flag for flag in flags if flag.startswith("--image-size")]
    if sizes:
        flags = [flag for flag in flags if flag not in sizes[:-1]]  # the last fits the pictures too
    elif survey.image_size != 64:
        flags.insert(0, f"--image-size {survey.image_size}")
    return " ".join(["gankit run", join_command(source), *flags])
