"""Short runs on a GPU as a user would start them, with the pictures that they end with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from gankit.core.errors import GankitError
from gankit.testing.gpu.result import MEASURED, Row, read_log

MAX_SECONDS = 100  # besides those of the run; less than its check may take
RUNS = {
    "the default run": (),
    "small-data": ("--recipe", "small-data", "--zoom", "1.5"),  # also with many pictures
    "dcgan128": ("--model", "dcgan128"),
}


def run_for(device: str, folder: Path, name: str, seconds: int, data: str) -> list[Row]:
    """Train one of RUNS for some seconds; `data` is a folder of pictures, or empty for petals."""
    out = folder / name.replace(" ", "-")
    pictures = ["--data", data] if data else ["--dataset", "petals"]
    options = ["--device", device, "--budget", f"{seconds}s", "--out", str(out), "--no-report"]
    command = [sys.executable, "-m", "gankit", "run", *RUNS[name], *pictures, *options]
    limit = seconds + MAX_SECONDS
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit)
    if done.returncode:
        raise GankitError(done.stderr.strip().splitlines()[-1])
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    last = read_log(out)[-1]
    steps = int(last["step"])
    rate = steps * run["batch_size"] / max(float(last["seconds"]), 1e-6)
    grid = max((out / "samples").glob("*.png"))
    answers = f"D(x) {float(last['d_real']):.2f}, D(G(z)) {float(last['d_fake']):.2f}"
    text = (
        f"{steps:,} steps of batch {run['batch_size']} in {run['precision']}, "
        f"{rate:,.0f} pictures/s, {answers}"
    )
    what = f"{name}, {seconds} seconds, {run['image_size']} px"
    return [Row(what, MEASURED, text, str(grid))]
