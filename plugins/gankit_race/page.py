"""The page of a race: one HTML file with everything in it, readable anywhere."""

from __future__ import annotations

from html import escape
from pathlib import Path

from gankit.cli.page import page
from gankit.runs.log import read_rows
from gankit_race import charts
from gankit_race.picture import last_grid
from gankit_race.report import Report
from gankit_race.results import Row, Table, write_whole
from gankit_race.words import as_numbers, as_rows, heading

SEEDS_SHOWN = 3  # with grids: more would make a heavy page
COLUMNS = ("variant", "mean", "difference", "95 % interval", "verdict")

STYLE = """
:root { --same: #8a867c; --d: #c4473d; --g: #2f8a5b; }
@media (prefers-color-scheme: dark) { :root { --same: #8f8b80; --d: #ff8a80; --g: #7fd1a0; } }
.card { margin: .6rem 0; overflow-x: auto; }
.notes { list-style: none; padding: 0; margin: 1rem 0; }
.notes li { background: var(--card); border: 1px solid var(--line);
  border-left: .3rem solid var(--note); border-radius: .5rem; padding: .5rem .8rem;
  margin: .4rem 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th:not(.number) { text-align: left; }
th { font-weight: 600; color: var(--dim); font-size: .85rem; }
th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; } .number { text-align: right; white-space: nowrap; }
td.better { color: var(--good); font-weight: 600; }
td.worse { color: var(--bad); font-weight: 600; }
.grids { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); }
figure { display: flex; flex-direction: column; justify-content: flex-end; }
figcaption { margin-bottom: .35rem; color: var(--ink); font-weight: 600; }
img { image-rendering: pixelated; border-radius: .3rem; }
svg.wide { max-width: 36rem; }
svg .name { fill: var(--ink); font-size: 13px; paint-order: stroke; stroke: var(--card);
  stroke-width: 4; }
svg path { fill: none; stroke: var(--same); stroke-width: 3; }
svg .zero, svg .axis { stroke: var(--line); stroke-width: 1.5; }
svg path.better { stroke: var(--good); } svg path.worse { stroke: var(--bad); }
circle.better { fill: var(--good); } circle.worse { fill: var(--bad); }
circle.same { fill: var(--same); } circle.seed { fill: var(--dim); fill-opacity: .5; }
svg .d_loss { stroke: var(--d); stroke-width: 1.5; }
svg .g_loss { stroke: var(--g); stroke-width: 1.5; }
.key i { font-style: normal; } .key .d { color: var(--d); } .key .g { color: var(--g); }
details { margin-top: 1rem; }
@media (max-width: 40rem) {
  .grids { grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .6rem; }
  .verdicts thead { display: none; } .verdicts tr { display: block; padding: .5rem 0;
    border-bottom: 1px solid var(--line); } .verdicts tr:last-child { border-bottom: 0; }
  .verdicts td { display: flex; gap: 1rem; justify-content: space-between; border: 0;
    padding: .1rem 0; text-align: right; } .verdicts td:empty { display: none; }
  .verdicts td::before { content: attr(data-name); color: var(--dim); text-align: left; }
  .verdicts td:first-child { font-weight: 600; text-align: left; }
  .verdicts td:first-child::before { content: none; } }
"""


def write_page(report: Report, path: Path) -> None:
    """Write the page."""
    parts = [f"<h1>{escape(report.title)}</h1>"]
    parts.append(f'<p class="dim"><code>{escape(report.command)}</code></p>')
    parts += [_verdicts(table) for table in report.tables]
    parts += [_notes(report.notes), _grids(report), _curves(report), _numbers(report.rows)]
    write_whole(path, page(report.title, "".join(parts), STYLE))


def _verdicts(table: Table) -> str:
    kinds = ["", *["number"] * 3, ""]
    named = zip(kinds, COLUMNS, strict=True)
    head = "".join(f'<th class="{kind}">{escape(name)}</th>' for kind, name in named)
    rows = []
    for row in as_rows(table):
        cells = []
        for name, text in zip(COLUMNS, row, strict=True):
            kind = "number" if name in COLUMNS[1:4] else text.replace(" ", "-")
            kind = kind if name != "variant" else "variant"
            cells.append(
                f'<td class="{escape(kind)}" data-name="{escape(name)}">{escape(text)}</td>'
            )
        rows.append(f"<tr>{''.join(cells)}</tr>")
    drawing = charts.differences(table)
    about = (
        '<p class="dim">Line: 95 % interval of the difference to the baseline; large dot: its '
        "mean; small dots: the seeds.</p>"
    )
    return (
        f'<h2>{escape(heading(table))}</h2><div class="card"><table class="verdicts">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        + (f'<div class="card">{drawing}{about}</div>' if drawing else "")
    )


def _notes(notes: list[str]) -> str:
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f'<h2>Before you believe it</h2><ul class="notes">{items}</ul>' if items else ""


def _grids(report: Report) -> str:
    seeds = sorted({row.seed for row in report.rows})[:SEEDS_SHOWN]
    parts = []
    for seed in seeds:
        figures = []
        for label, run in report.variants:
            rows = [row for row in report.rows if (row.variant, row.seed) == (label, seed)]
            grid = last_grid(report.run_folder(rows[0]), run.image_size) if rows else None
            if grid is not None:
                name = escape(f"{label}, seed {seed}")
                figures.append(
                    f"<figure><figcaption>{escape(label)}</figcaption>"
                    f'<img src="{charts.data_uri(grid)}" alt="pictures by {name}"></figure>'
                )
        if figures:
            parts.append(f'<h3>Seed {seed}</h3><div class="grids">{"".join(figures)}</div>')
    about = "Within a seed, the same place in two grids is the same z."
    return f'<h2>Pictures</h2><p class="dim">{about}</p>{"".join(parts)}' if parts else ""


def _curves(report: Report) -> str:
    """The losses of each variant's first seed."""
    firsts = {row.variant: row for row in reversed(report.rows)}
    folders = {label: report.run_folder(row) for label, row in firsts.items()}
    logs = {label: read_rows(folder, missing_ok=True) for label, folder in folders.items()}
    top = charts.top_of(list(logs.values()))
    figures = [
        f"<figure><figcaption>{escape(label)}, seed {firsts[label].seed}</figcaption>"
        f"{charts.curves(logs[label], top)}</figure>"
        for label, _ in report.variants
        if logs.get(label)
    ]
    about = (
        '<p class="dim key">Losses of <i class="d">D</i> and <i class="g">G</i>. They show '
        "whether a run went off its rails, not which variant draws better.</p>"
    )
    return f'<h2>Losses</h2>{about}<div class="grids">{"".join(figures)}</div>' if figures else ""


def _numbers(rows: list[Row]) -> str:
    lines = as_numbers(rows)
    if not lines:
        return ""
    names = list(dict.fromkeys(name for line in lines for name in line))
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(line.get(name, ''))}</td>" for name in names) + "</tr>"
        for line in lines
    )
    return (
        '<details><summary>Every run</summary><div class="card"><table><thead><tr>'
        f"{head}</tr></thead><tbody>{body}</tbody></table></div></details>"
    )
