"""Let somebody judge the pictures of runs without knowing which is broken, cured or healthy.

    python docs/doctor_eye.py runs/doctor-bench/*-latest-* --out sheets
    python docs/doctor_eye.py --out sheets --answers answers.json
    python docs/doctor_eye.py --alone runs/doctor-bench/* --out sheets

The first command draws a sheet for each broken run that was cured: real pictures, and the newest
grids of both runs, called A and B in a random order. `sheets/key.json` says which is which. Whoever
looks must not read it, and writes `{"01": "A", "02": "alike", ...}`: the grid that is clearly
nearer to the real pictures, if one is. The second command adds the answers to the records of
`write_doctor.py`.

With --alone, each sheet has real pictures and the newest grid of one run, broken or not. Whoever
looks writes `{"01": "failed", "02": "fair", ...}`: failed, if the pictures are one picture again
and again, or have a regular pattern or colours that real ones do not have, or are plain or noise.
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

from gankit.core.parts.registry import load_registry
from gankit.runs.figures import sheet
from gankit.runs.grids import list_grids
from gankit.training.run_folder.run_file import load_run
from gankit.training.run_folder.run_pictures import prepare_again

COLUMNS, ROWS = 8, 4  # pictures of each grid that are shown
GAP = 2  # px between two pictures
ENLARGED = 2
KEY = "key.json"
CURED, BROKEN, ALIKE = "cured", "broken", "alike"
FAILED, FAIR = "failed", "fair"


def draw_pairs(folders, out, seed=0):
    """Sheets of the runs that have a cure, in a random order; and their key."""
    draw = random.Random(seed)
    runs = [folder for folder in folders if cure_folder(folder).is_dir() and newest_grid(folder)]
    draw.shuffle(runs)
    sheets = []
    for folder in runs:
        order = [BROKEN, CURED]
        draw.shuffle(order)
        grids = {BROKEN: newest_grid(folder), CURED: newest_grid(cure_folder(folder))}
        key = dict(zip("AB", order, strict=True))
        sheets.append((folder, key, {name: grids[which] for name, which in key.items()}))
    draw_sheets(sheets, out)


def draw_alone(folders, out, seed=0):
    """A sheet of each run, in a random order; and their key."""
    runs = [folder for folder in folders if newest_grid(folder)]
    random.Random(seed).shuffle(runs)
    draw_sheets([(folder, {}, {"G": newest_grid(folder)}) for folder in runs], out)


def draw_sheets(sheets, out):
    """Sheets of (folder, key, name -> file of a grid), and `key.json`, which names the folders."""
    registry = load_registry()
    out.mkdir(exist_ok=True, parents=True)
    keys = {}
    for number, (folder, key, grids) in enumerate(sheets, start=1):
        side = load_run(folder).image_size
        tiles = {"real": arrange(real_pictures(folder, registry), side)}
        tiles |= {name: upper_left(grid, side) for name, grid in grids.items()}
        sheet(tiles).save(out / f"{number:02}.png")
        keys[f"{number:02}"] = {"run": folder.name, **key}
    (out / KEY).write_text(json.dumps(keys, indent=1) + "\n", encoding="utf-8")


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
    """Add what was seen to the records: of a cured run, or of one that was shown alone."""
    keys = json.loads((out / KEY).read_text(encoding="utf-8"))
    seen = {keys[number]["run"]: (keys[number], answer) for number, answer in answers.items()}
    results = read_results()
    for record in results["records"]:
        key, answer = seen.get(f"{record['case']}-{record['seed']}", ({}, ""))
        if "A" in key and "cure" in record:
            record["cure"]["eye"] = key.get(answer, ALIKE)
        elif answer in (FAILED, FAIR):
            record["eye"] = answer
    RECORDS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(doctor_tables.page(results), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("folders", nargs="*", type=Path, help="of broken runs")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--alone", action="store_true", help="show each run by itself")
    parser.add_argument("--answers", type=Path)
    args = parser.parse_args()
    if args.answers:
        add_answers(args.out, json.loads(args.answers.read_text(encoding="utf-8")))
    elif args.folders:
        draw = draw_alone if args.alone else draw_pairs
        draw(args.folders, args.out)
    else:
        sys.exit("give the folders of broken runs, or --answers")


if __name__ == "__main__":
    main()
