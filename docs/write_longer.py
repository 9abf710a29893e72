"""Write docs/longer.md from long runs: their pictures and measures from minutes to hours.

    gankit run --data flowers --holdout 0.3 --kimg 1000 --metric kid --metric memorising \\
        --measure-every 3125 --out longer/small-data--flowers
    python docs/write_longer.py longer/small-data--flowers

Folders are called as for write_gallery.py, and a run may be unfinished. For each of them,
docs/longer/ stores the measurements as JSON, a chart of KID, the first pictures of some grids, and
the newest grid. The page is written from all that is stored.

The same run with another seed is in a folder called small-data--flowers--1; of it, only the
measurements are stored.
"""

import json
import sys
from pathlib import Path

import webp
from gankit_metrics.metrics_file import read_metrics
from PIL import Image
from write_gallery import GAP, SETS, make_command

from gankit.core.run.all_stages import count_pictures
from gankit.runs.grids import list_grids
from gankit.runs.log import read_rows
from gankit.training.run_folder.run_file import load_run

DOCS = Path(__file__).parent
STORE = DOCS / "longer"
MOMENTS = (25, 50, 100, 200, 400, 800, 1600, 3200, 6400)  # kimg, of the rows of pictures
COLUMNS = 8  # pictures of each moment
KIMG_A_MINUTE = 20  # that small-data shows D on two idle cores, as measured for docs/results.md
MAX_BYTES = 150_000  # of a picture
CHART = (640, 240)  # px
MARGIN = 44  # px around the chart
KID = "kid"
SEEN = {  # by the name of a run's folder: what somebody saw in its grids
    "small-data--flowers": "After 50 thousand pictures there are colours of flowers and leaves, "
    "after 100 to 200 thousand (five to ten minutes of two idle cores) petals and clusters of "
    "blossoms. From 400 thousand on (twenty minutes), single daisies, sunflowers and tulips have "
    "an outline. More than 800 thousand change little: KID stays between 0.10 and 0.12. Roses and "
    "meadows are still mush then, and colours are off: the doctor notes that `ada`, whose "
    "strength has risen to 0.88, now shows D false colours too often. `memorising` shows no "
    "sign of copying. A vision-language model that was not told what the pictures are, asked "
    "twice in different words, named 42 of the 64 in the newest grid flowers both times, 31 and "
    "27 of these with some certainty. Of 64 photographs of the set at the same size, it named "
    "all, 62 with some certainty.",
    "small-data--cells": "After 30 thousand pictures there are smooth spots of the right colours, "
    "after 200 thousand (ten minutes of two idle cores) single cells with a texture. KID is 0.07 "
    "after 500 thousand, and changes no more than by chance from then on. The interval of "
    "`memorising` includes its floor at all moments but one, so there is no clear sign of "
    "copying, though D saw each picture 3,100 times. Seeds differ: after 700 thousand pictures, "
    "where two more runs stand, KID is 0.06, 0.07 and 0.13.",
    "small-data--paintings": "After 100 thousand pictures (five minutes of two idle cores) there "
    "are fields under a sky and strokes of a brush; after 400 thousand, heads with a hat, though "
    "without a face. KID falls to 0.20 after 600 thousand and stays there; it is measured against "
    "60 pictures only, too few to trust it. Recall is low: G draws fewer kinds of paintings than "
    "there are. The interval of `memorising` includes its floor from 500 thousand on. But D knows "
    "the 90 paintings by heart, having seen each 13,300 times: the doctor notes `d-overfits`, and "
    "that more steps change little. Seeds differ: at the end of two more runs, KID is 0.18 and "
    "0.30. The last one was best after 600 thousand, with 0.23; it draws ever fewer kinds of "
    "paintings, and the interval of its `memorising` stays just above the floor, a sign of "
    "copying. With `--keep-best kid`, the best checkpoint stays.",
}
SEEDS = "The same run with other seeds (the thin lines in the chart):"
HEAD = """# What more time gives

How the pictures of single runs change from their first minutes to the end of an hour, and where
more time stops to pay. In each picture, a row is a moment of the run, and a column one z. No
picture was selected: they are the first ones of each grid. KID is measured against pictures that
were held out, with its 95 % interval; [Measures](measures.md) explains it, and its floor, which
real pictures reach. (These intervals are a little too wide: they were computed before gankit
corrected those of KIDs near 0.) Most of these are single runs, so small differences may be
chance. The hours are those of a busy machine, on one of its cores; two idle cores show D some 20
thousand pictures a minute, a million in fifty minutes.
(`docs/write_longer.py` writes this page from the folders of runs.)
"""


def add_run(folder):
    """Store what the page needs of a run."""
    stem = folder.absolute().name
    name, _, set_name = stem.partition("--")
    set_name, _, seed = set_name.partition("--")
    if set_name not in SETS:
        sys.exit(f"{folder.name}: call it NAME--SET, with a SET of {', '.join(SETS)}")
    run = load_run(folder)
    rows = [measured_row(run, row) for row in read_metrics(folder)]
    if seed:
        write_record(STORE / "seeds" / f"{stem}.json", {"seed": run.seed, "measured": rows})
        return
    last = read_rows(folder)[-1]
    record = {
        "set": set_name,
        "seed": run.seed,
        "command": make_command(name, set_name, run),
        "kimg": float(last["kimg"]),
        "hours": round(float(last["seconds"]) / 3600, 2),
        "threads": run.threads,
        "of": json.loads((folder / "run.json").read_text(encoding="utf-8"))["prepared"]["train"],
        "measured": rows,
    }
    path = STORE / f"{stem}.json"
    path.parent.mkdir(exist_ok=True)
    # The first grid was drawn before any step was taken.
    grids = [(kimg_at(run, step), file) for step, file in list_grids(folder) if step > 0]
    moments = moments_of(grids)
    webp.save(stack(moments, run.size.width), path.with_name(f"{path.stem}-time.webp"), MAX_BYTES)
    with Image.open(grids[-1][1]) as newest:
        webp.save(newest.convert("RGB"), path.with_suffix(".webp"), MAX_BYTES)
    record["moments"] = [round(kimg) for kimg, _ in moments]
    write_record(path, record)


def write_record(path, record):
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def read_record(path):
    return json.loads(path.read_text(encoding="utf-8"))


def read_seeds(path):
    """The records of the same run with other seeds."""
    return [read_record(other) for other in sorted((STORE / "seeds").glob(f"{path.stem}--*.json"))]


def of_metric(record, metric):
    return [row for row in record["measured"] if row["metric"] == metric]


def measured_row(run, row):
    """The numbers of a measurement that the page shows."""
    names = ("metric", "value", "low", "high", "floor", "note")
    return {"kimg": kimg_at(run, row["step"]), **{name: row[name] for name in names}}


def kimg_at(run, step):
    """How many thousand pictures D has seen after a step."""
    return count_pictures(run, step) / 1000


def moments_of(grids):
    """(kimg, file) of the grids that are nearest to MOMENTS, and of the last."""
    last = grids[-1]
    wanted = [kimg for kimg in MOMENTS if kimg < 0.8 * last[0]]
    chosen = [min(grids, key=lambda grid: abs(grid[0] - kimg)) for kimg in wanted]
    return [*dict.fromkeys(chosen), last]


def stack(moments, side):
    """The first pictures of each grid, one row for each."""
    pitch = side + GAP
    picture = Image.new("RGB", (COLUMNS * pitch + GAP, len(moments) * pitch + GAP))
    for number, (_, file) in enumerate(moments):
        with Image.open(file) as grid:
            row = grid.convert("RGB").crop((0, 0, min(picture.width, grid.width), pitch + GAP))
        picture.paste(row, (0, number * pitch))
    return picture


def chart(rows, others=()):
    """KID by thousands of pictures, with its interval, as SVG; both axes begin at 0.

    others: the rows of the same run with other seeds, which become thin lines.
    """
    width, height = CHART
    all_rows = [row for run in (rows, *others) for row in run]
    right = max(row["kimg"] for row in all_rows)
    top = max(row["high"] for row in all_rows)

    def point(kimg, value):
        x = MARGIN + (width - 2 * MARGIN) * kimg / right
        y = height - MARGIN - (height - 2 * MARGIN) * value / top
        return f"{x:.1f},{y:.1f}"

    def line(rows, width):
        points = " ".join(point(row["kimg"], row["value"]) for row in rows)
        return f'<polyline points="{points}" fill="none" stroke="#3b82c4" stroke-width="{width}"/>'

    upper = [point(row["kimg"], row["high"]) for row in rows]
    lower = [point(row["kimg"], row["low"]) for row in reversed(rows)]
    floor = " ".join(point(kimg, rows[0]["floor"]) for kimg in (0, right))
    axes = f"{point(0, top)} {point(0, 0)} {point(right, 0)}"
    labels = [
        (MARGIN, height - 14, "middle", "0"),
        (width - MARGIN, height - 14, "middle", f"{right:,.0f} kimg"),
        (MARGIN - 6, MARGIN + 5, "end", f"{top:.2g}"),
        (width - MARGIN, MARGIN, "end", "KID with its interval; dashed: real against real"),
    ]
    texts = [
        f'<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>'
        for x, y, anchor, text in labels
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            'font-family="sans-serif" font-size="13" fill="#808080">',
            f'<polygon points="{" ".join(upper + lower)}" fill="#3b82c4" fill-opacity="0.25"/>',
            line(rows, 2),
            *[line(other, 0.8) for other in others],
            f'<polyline points="{floor}" fill="none" stroke="#808080" stroke-dasharray="4"/>',
            f'<polyline points="{axes}" fill="none" stroke="#808080"/>',
            *texts,
            "</svg>\n",
        ]
    )


def section(path):
    """The part of the page for a stored run."""
    record = read_record(path)
    seeds = read_seeds(path)
    title, description = SETS[record["set"]]
    moments = ", ".join(f"{kimg:,}" for kimg in record["moments"])
    epochs = round(1000 * record["kimg"] / record["of"])
    threads = "1 thread" if record["threads"] == 1 else f"{record['threads']} threads"
    blocks = [
        f"## {title}",
        f"{description} From top to bottom after {moments} thousand pictures:",
        f"![The same eight z during the run](longer/{path.stem}-time.webp)",
        f"```bash\n{record['command']}\n```",
        f"D was shown {record['kimg']:,.0f} thousand pictures, each of {record['of']:,} about "
        f"{epochs:,} times: about {round(record['kimg'] / KIMG_A_MINUTE)} minutes on two idle "
        f"cores; this run took {record['hours']:.1f} hours on {threads}.",
        *filter(None, [SEEN.get(path.stem)]),
        f"![KID during the run](longer/{path.stem}.svg)",
        "\n".join(table(record["measured"])),
        *([SEEDS, "\n".join(seeds_table([record, *seeds]))] if seeds else []),
        f"The newest grid:\n\n![The newest grid](longer/{path.stem}.webp)",
    ]
    return "\n\n".join(blocks)


def table(rows):
    """The lines of a table of the measurements: one for each moment."""
    floors = {row["metric"]: row["floor"] for row in rows}
    heads = [f"{name} (floor {abs(round(value, 3)):g})" for name, value in floors.items()]
    lines = ["| thousand pictures | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for kimg in dict.fromkeys(row["kimg"] for row in rows):
        cells = {r["metric"]: f"{r['value']:.3g} ({r['low']:.3g} to {r['high']:.3g})"
                 for r in rows if r["kimg"] == kimg}  # fmt: skip
        lines.append(f"| {kimg:,.0f} | " + " | ".join(cells.get(n, "") for n in floors) + " |")
    return lines


def seeds_table(records):
    """The lines of a table of KID and memorising with each seed."""
    columns = {
        f"{metric}, seed {record['seed']}": {row["kimg"]: row for row in of_metric(record, metric)}
        for metric in (KID, "memorising")
        for record in records
    }
    lines = [f"| thousand pictures | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for kimg in sorted({kimg for rows in columns.values() for kimg in rows}):
        cells = [f"{rows[kimg]['value']:.3g}" if kimg in rows else "" for rows in columns.values()]
        lines.append(f"| {kimg:,.0f} | {' | '.join(cells)} |")
    return lines


def write_charts():
    """Write the chart of each stored run, with its other seeds."""
    for path in STORE.glob("*.json"):
        others = [of_metric(record, KID) for record in read_seeds(path)]
        svg = chart(of_metric(read_record(path), KID), others)
        path.with_suffix(".svg").write_text(svg, encoding="utf-8")


def page():
    """The text of longer.md: a section for each stored run."""
    blocks = [HEAD, *map(section, sorted(STORE.glob("*.json")))]
    return "\n\n".join(block.strip() for block in blocks) + "\n"


def main():
    for folder in map(Path, sys.argv[1:]):
        add_run(folder)
    write_charts()
    (DOCS / "longer.md").write_text(page(), encoding="utf-8")
    print(DOCS / "longer.md")


if __name__ == "__main__":
    main()
