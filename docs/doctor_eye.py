"""Let somebody compare the pictures of broken and cured runs without knowing which is which.

    python docs/doctor_eye.py runs/doctor-bench/*-latest-* --out sheets
    python docs/doctor_eye.py --out sheets --answers answers.json

The first command draws a sheet for each broken run that was cured: real pictures, and the newest
grids of both runs, called A and B in a random order. `sheets/key.json` says which is which. Whoever
looks must not read it, and writes `{"01": "A", "02": "alike", ...}`: the grid that is clearly
nearer to the real pictures, if one is. The second command adds the answers to the records of
`write_doctor.py`.
"""

import argparse
import json
import random
import sys
from pathlib import Path

import doctor_tables
import numpy as np
from PIL import Image
from write_doctor import PAGE, RECORDS, cure_folder, read_results

from gankit.core.registry import load_registry
from gankit.runs.figures import sheet
from gankit.runs.grids import list_grids
from gankit.training.run_file import load_run
from gankit.training.run_pictures import prepare_again

COLUMNS, ROWS = 8, 4  # pictures of each grid that are shown
GAP = 2  # px between two pictures
ENLARGED = 2
KEY = "key.json"
CURED, BROKEN, ALIKE = "cured", "broken", "alike"


def draw_sheets(folders, out, seed=0):
    """Sheets of the runs that have a cure, in a random order; and their key."""
    registry = load_registry()
    draw = random.Random(seed)
    runs = [folder for folder in folders if cure_folder(folder).is_dir() and newest_grid(folder)]
    draw.shuffle(runs)
    out.mkdir(exist_ok=True, parents=True)
    key = {}
    for number, folder in enumerate(runs, start=1):
        order = [BROKEN, CURED]
        draw.shuffle(order)
        grids = {BROKEN: newest_grid(folder), CURED: newest_grid(cure_folder(folder))}
        side = load_run(folder).image_size
        tiles = {
            "real": arrange(real_pictures(folder, registry), side),
            "A": upper_left(grids[order[0]], side),
            "B": upper_left(grids[order[1]], side),
        }
        sheet(tiles).save(out / f"{number:02}.png")
        key[f"{number:02}"] = {"run": folder.name, "A": order[0], "B": order[1]}
    (out / KEY).write_text(json.dumps(key, indent=1) + "\n", encoding="utf-8")


def newest_grid(folder):
    """The path of a run's last grid; None if it has none."""
    grids = list_grids(folder)
    return grids[-1][1] if grids else None


def real_pictures(folder, registry):
    """Pictures that the run held out, or that it was trained on."""
    prepared = prepare_again(load_run(folder), registry)
    rows = prepared.holdout if len(prepared.holdout) else prepared.train
    chosen = np.random.default_rng(0).permutation(rows)[: COLUMNS * ROWS]
    arrays = [np.asarray(prepared.pixels[row]).squeeze() for row in chosen]
    return [Image.fromarray(array).convert("RGB") for array in arrays]


def upper_left(file, side):
    """The first pictures of a grid, enlarged."""
    with Image.open(file) as grid:
        return enlarge(grid.convert("RGB").crop((0, 0, *size_of(side))))


def arrange(pictures, side):
    """Pictures arranged as in a grid, enlarged."""
    grid = Image.new("RGB", size_of(side), "white")
    for index, picture in enumerate(pictures):
        row, column = divmod(index, COLUMNS)
        grid.paste(picture, (GAP + (side + GAP) * column, GAP + (side + GAP) * row))
    return enlarge(grid)


def size_of(side):
    return GAP + COLUMNS * (side + GAP), GAP + ROWS * (side + GAP)


def enlarge(grid):
    return grid.resize((ENLARGED * grid.width, ENLARGED * grid.height), Image.Resampling.NEAREST)


def add_answers(out, answers):
    """Add to the record of each cured run which of both has the better pictures."""
    key = json.loads((out / KEY).read_text(encoding="utf-8"))
    seen = {
        key[number]["run"]: key[number].get(answer, ALIKE) for number, answer in answers.items()
    }
    results = read_results()
    for record in results["records"]:
        name = f"{record['case']}-{record['seed']}"
        if name in seen and "cure" in record:
            record["cure"]["eye"] = seen[name]
    RECORDS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(doctor_tables.page(results), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("folders", nargs="*", type=Path, help="of broken runs")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--answers", type=Path)
    args = parser.parse_args()
    if args.answers:
        add_answers(args.out, json.loads(args.answers.read_text(encoding="utf-8")))
    elif args.folders:
        draw_sheets(args.folders, args.out)
    else:
        sys.exit("give the folders of broken runs, or --answers")


if __name__ == "__main__":
    main()
