"""A page about a data set: one HTML file with its pictures in it, readable anywhere."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from gankit.cli.page import page
from gankit.core.errors import GankitError
from gankit.data.read.fit import fit
from gankit_datacheck.charts import average, data_uri, sizes, tones
from gankit_datacheck.show import facts, headline
from gankit_datacheck.survey import Facts, Survey

SHEET = 10  # pictures along a side of the contact sheet
SHOWN = 24  # groups of copies, and of broken files in the open; the rest is in --json
IN_GROUP = 4  # pictures shown of each group
NAMED = 200  # pictures named with a finding
PIXELS = 128  # of a picture on the page, at most
OPTION = re.compile(
    r"--(trick|fit|channels|classes|image-size|batch-size|model|background) ('[^']*'|[\w:=.-]+)"
    r"|--[a-z-]+"
)
WORDS = {"problem": "Problem", "advice": "Advice", "fine": "Fine"}

STYLE = """
:root { --mark: #3b6fb6; } @media (prefers-color-scheme: dark) { :root { --mark: #8fb8f0; } }
code { white-space: nowrap; }
.findings code { background: var(--back); padding: .1em .35em; border-radius: .3em; }
ol, ul { list-style: none; margin: 0; padding: 0; }
.findings li { background: var(--card); border: 1px solid var(--line);
  border-left: .3rem solid var(--tone); border-radius: .6rem; padding: .8rem 1rem;
  margin: .5rem 0; }
.findings b { color: var(--tone); font-size: .75rem; letter-spacing: .05em;
  text-transform: uppercase; display: block; }
small { color: var(--dim); font-size: .85rem; } details { color: var(--dim); font-size: .85rem; }
.problem { --tone: var(--bad); } .advice { --tone: var(--note); } .fine { --tone: var(--good); }
.try { display: block; white-space: pre-wrap; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .3rem 1rem; margin: 0; }
dt { color: var(--dim); } dd { margin: 0; }
img { aspect-ratio: 1; background: var(--line); }
.sheet { display: grid; gap: 3px; grid-template-columns: repeat(var(--columns), 1fr); }
.sheet { max-width: calc(var(--columns) * 9rem); } .sheet img { border-radius: 2px; }
.charts { display: grid; gap: 1rem; margin-top: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); }
.copies { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); }
.copies div { display: grid; gap: 3px;
  grid-template-columns: repeat(auto-fit, minmax(6rem, 1fr)); margin-bottom: .4rem; }
figcaption { margin-top: .5rem; } .average { width: 75%; margin: auto; }
.axis { stroke: var(--line); } .dots { fill: var(--mark); fill-opacity: .55; }
.limit, .square, .axis { fill: none; } .limit { stroke: var(--bad);
  stroke-dasharray: 4 3; } .square { stroke: var(--dim); stroke-dasharray: 1 3; }
.red { fill: #e5484d; } .green { fill: #30a46c; } .blue { fill: #4a7dff; }
.hues path { fill-opacity: .55; }
@media (max-width: 40rem) { .sheet { --columns: var(--narrow) !important; }
  dl { grid-template-columns: 1fr; gap: 0 0; } dd { margin-bottom: .5rem; } }
"""


def write_page(
    path: Path, report: dict[str, Any], survey: Survey, pictures: Sequence[Any] = ()
) -> None:
    """Write the page; `pictures[facts.index]` gives a picture again."""
    parts = [_top(report), _findings(report), _sheet(survey, pictures), _facts(report)]
    if survey.good:
        parts.append(f'<div class="charts">{sizes(survey)}{tones(report)}{average(survey)}</div>')
    parts += [_copies(survey, pictures), _broken(report)]
    text = page(headline(report), "".join(parts), STYLE)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise GankitError(f"cannot write {path}: {error.strerror}; name another file") from error


def _top(report: dict[str, Any]) -> str:
    places = [word for word in report["source"] if word not in ("--data", "--dataset")]
    said = escape(" ".join(["gankit data check", shlex.join(places)]))
    return f'<p class="dim"><code>{said}</code></p><h1>{escape(headline(report))}</h1>'


def _findings(report: dict[str, Any]) -> str:
    items = [
        f'<li class="{one["level"]}"><b>{WORDS[one["level"]]}</b>{escape(one["what"])}'
        + (f"<p>&rarr; {_mend(one['mend'])}</p>" if one["mend"] else "")
        + _which(one["names"])
        + "</li>"
        for one in report["findings"]
    ]
    command = report["try"] and f'<h2>Try</h2><code class="card try">{escape(report["try"])}</code>'
    return f'<ol class="findings">{"".join(items)}</ol>{command}'


def _which(names: list[str]) -> str:
    """The pictures in question, folded away."""
    if not names:
        return ""
    more = f" and {len(names) - NAMED:,} more: --json" if len(names) > NAMED else ""
    return f"<details><summary>which</summary>{escape(', '.join(names[:NAMED]))}{more}</details>"


def _mend(words: str) -> str:
    """What to do, its options set as code."""
    return OPTION.sub(lambda option: f"<code>{option[0]}</code>", escape(words, quote=False))


def _facts(report: dict[str, Any]) -> str:
    rows = "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in facts(report))
    return f'<h2>What is there</h2><dl class="card">{rows}</dl>'


def _sheet(survey: Survey, pictures: Sequence[Any]) -> str:
    """A square of pictures drawn at random, the same each time, as the model will see them."""
    side = min(SHEET, math.isqrt(len(survey.good)))
    if not side:
        return ""
    chosen = np.random.RandomState(0).permutation(len(survey.good))[: side * side]
    images = "".join(_image(survey.good[i], survey, pictures) for i in sorted(chosen))
    caption = f"{side * side} of them, drawn at random, as a model for {survey.image_size} px"
    return (
        f'<h2>Contact sheet</h2><div class="sheet" style="--columns:{side};'
        f'--narrow:{min(side, 5)}">{images}</div><p class="dim">{caption} sees them.</p>'
    )


def _image(one: Facts, survey: Survey, pictures: Sequence[Any]) -> str:
    """A picture as it will be prepared, inside the page."""
    try:
        pixels = fit(pictures[one.index], min(survey.image_size, PIXELS), 3)
    except Exception:  # it could be read a moment ago
        pixels = np.zeros((1, 1, 3), np.uint8)
    name = escape(one.name)
    return f'<img src="{data_uri(pixels)}" alt="{name}" title="{name}">'


def _copies(survey: Survey, pictures: Sequence[Any]) -> str:
    groups = survey.alike_groups()
    if not groups:
        return ""
    figures = []
    for group, exact in groups[:SHOWN]:
        images = "".join(_image(one, survey, pictures) for one in group[:IN_GROUP])
        names = ", ".join(escape(one.name) for one in group[:IN_GROUP])
        more = f" and {len(group) - IN_GROUP:,} more" if len(group) > IN_GROUP else ""
        kind = "the same" if exact else "nearly the same"
        figures.append(
            f'<figure class="card"><div>{images}</div><figcaption>{kind}: {names}{more}'
            "</figcaption></figure>"
        )
    rest = len(groups) - SHOWN
    more = f'<p class="dim">{rest:,} more groups: --json lists them.</p>' if rest > 0 else ""
    return f'<h2>Copies</h2><div class="copies">{"".join(figures)}</div>{more}'


def _broken(report: dict[str, Any]) -> str:
    lines = [f"{one['name']} {one['why']}" for one in report["broken"]] + report["left_out"]
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines[:SHOWN])
    rest = len(lines) - SHOWN
    more = f'<p class="dim">{rest:,} more: --json lists them.</p>' if rest > 0 else ""
    return f'<h2>Broken and left out</h2><ul class="card">{items}</ul>{more}'
