"""A survey of a data set as plain data: what --json prints, the terminal and the page show."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gankit_datacheck.findings import Finding, findings
from gankit_datacheck.survey import Facts, Survey


def report(survey: Survey, source: Sequence[str] = ()) -> dict[str, Any]:
    """Everything known; `source` is how gankit run is given these pictures.

    Keys stay what they are: programs read them.
    """
    good = survey.good
    found = findings(survey)
    return {
        "source": list(source),
        "image_size": survey.image_size,
        "pictures": survey.total,
        "looked_at": len(survey.facts),
        "readable": len(good),
        "broken": [{"name": facts.name, "why": facts.broken} for facts in survey.broken],
        "left_out": survey.left_out,
        "bytes": sum(facts.bytes for facts in survey.facts),
        "formats": _counted(facts.format for facts in good),
        "modes": _counted(facts.mode for facts in good),
        "classes": survey.kinds if set(survey.kinds) - {""} else {},
        "width": _spread([facts.width for facts in good]),
        "height": _spread([facts.height for facts in good]),
        "short_side": _spread(survey.short.tolist()),
        "too_small": int((survey.short < survey.image_size).sum()),
        "lost_in_crop": round(float(survey.lost.mean()), 4) if good else 0.0,
        "grey": int(survey.grey.sum()),
        "transparent": int(survey.transparent.sum()),
        "plain": int(survey.plain.sum()),
        "colour": _colour(good),
        "likeness": round(survey.likeness, 4),
        "copies": _copies(survey),
        "findings": [
            {"level": f.level, "what": f.what, "mend": f.mend, "names": list(f.names)}
            for f in found
        ],
        "try": _command(survey, source, found),
    }


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(filter(None, values)).most_common())


def _spread(values: list[int]) -> dict[str, float]:
    if not values:
        return {"min": 0, "median": 0.0, "max": 0}
    return {"min": min(values), "median": float(np.median(values)), "max": max(values)}


def _colour(good: list[Facts]) -> dict[str, Any]:
    """Levels of 255 for red, green and blue, and how many of their pixels are how light."""
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
            for group in survey.alike_groups()
        ],
    }


def _command(survey: Survey, source: Sequence[str], found: list[Finding]) -> str:
    """The command line that follows from the findings; "" where none would do."""
    if not survey.good or len(survey.broken) > len(survey.facts) / 2:
        return ""
    flags = list(dict.fromkeys(flag for finding in found for flag in finding.flags))
    if survey.image_size != 64 and not any(flag.startswith("--image-size") for flag in flags):
        flags.insert(0, f"--image-size {survey.image_size}")
    return " ".join(["gankit run", shlex.join(source), *flags])
