"""Run whole lessons, and save what they print and draw in docs/outputs/ for the site.

Run `python docs/run_lesson.py 6` after you change the code of lesson 6. It takes as long as the
lesson says. The build of the site and a test compare each lesson with its saved run, so no page
shows output of older code; a page without a saved run says so. You may change prose and exercises
without a new run.
"""

import contextlib
import json
import os
import platform
import shutil
import sys
from pathlib import Path

import webp
from gankit_lessons import lesson as reading
from gankit_lessons.session import Session, Tee

from gankit import __version__

ROOT = Path(__file__).parents[1]
OUTPUTS = Path(__file__).with_name("outputs")
WORK_FOLDER = ROOT / "runs" / "lessons"  # shared: some lessons read the runs of earlier lessons
MAX_PICTURE_BYTES = 200_000
MAX_VIDEO_BYTES = 600_000
BUSY_WARNING = "this computer was busy"  # only true while the lesson runs, so not shown later
PICTURE_SUFFIXES = (".png", ".jpg")
VIDEO_SUFFIXES = (".webp", ".gif", ".mp4")


class StaleOutputError(ValueError):
    """The saved run is of an older version of the lesson."""


def output_folder(lesson):
    return OUTPUTS / f"lesson-{lesson.number:02d}"


def load_output(lesson):
    """Return the saved record of a whole run of this lesson, or None if there is none.

    Raises:
        StaleOutputError: the lesson's code has changed since that run.
    """
    path = output_folder(lesson) / "output.json"
    if not path.exists():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    if record["fingerprint"] != lesson.fingerprint():
        raise StaleOutputError(
            f"lesson {lesson.number} has changed since it was run: "
            f"run python docs/run_lesson.py {lesson.number}"
        )
    return record


def save_output(lesson):
    """Run a whole lesson and replace its saved output; return the folder of the new output."""
    new_folder = WORK_FOLDER / "new-output"
    shutil.rmtree(new_folder, ignore_errors=True)
    new_folder.mkdir(parents=True)
    session = Session(lesson)
    with contextlib.chdir(WORK_FOLDER):
        cells = [run_cell(session, cell, new_folder) for cell in lesson.cells if cell.code]
    record = {"fingerprint": lesson.fingerprint(), "made": versions(), "cells": cells}
    text = json.dumps(record, indent=1) + "\n"
    (new_folder / "output.json").write_text(text, encoding="utf-8")
    OUTPUTS.mkdir(exist_ok=True)
    shutil.rmtree(output_folder(lesson), ignore_errors=True)
    return shutil.move(new_folder, output_folder(lesson))


def run_cell(session, cell, folder):
    """Run one cell in the working directory, and convert the pictures that it draws into `folder`.

    Returns:
        The cell's entry in output.json: seconds, text, and the file names of its pictures.
    """
    times_before = picture_times(session.lesson)
    captured = Tee(sys.__stdout__)
    with contextlib.redirect_stdout(captured), contextlib.redirect_stderr(captured):
        seconds = session.run(cell)
    times_after = picture_times(session.lesson)
    new_pictures = sorted(
        path for path, time in times_after.items() if times_before.get(path) != time
    )
    return {
        "seconds": round(seconds, 1),
        "text": clean_output(captured.getvalue()),
        "pictures": [convert_picture(path.absolute(), folder) for path in new_pictures],
    }


def versions():
    """The software versions and the number of threads that a page states for its output."""
    import torch

    return {
        "gankit": __version__,
        "torch": torch.__version__.partition("+")[0],
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
    }


def picture_times(lesson):
    """The lesson's pictures and videos in the working directory, and when each was written."""
    paths = Path().glob(f"lesson-{lesson.number:02d}*")
    suffixes = PICTURE_SUFFIXES + VIDEO_SUFFIXES
    return {path: path.stat().st_mtime_ns for path in paths if path.suffix in suffixes}


def convert_picture(path, folder):
    """Convert a picture or video to WebP for the site, and return the new file's name.

    The quality is the best that stays within MAX_PICTURE_BYTES or MAX_VIDEO_BYTES.
    """
    from PIL import Image

    if path.suffix in PICTURE_SUFFIXES:
        target = folder / f"{path.stem}.webp"
        webp.save(Image.open(path).convert("RGB"), target, MAX_PICTURE_BYTES)
    else:
        target = folder / f"{path.stem}-film.webp"
        frames, duration = read_video(path)
        webp.save(
            frames[0],
            target,
            MAX_VIDEO_BYTES,
            save_all=True,
            append_images=frames[1:],
            duration=duration,
            loop=0,
        )
    return target.name


def read_video(path):
    """The frames of a video as PIL images, and the duration of each in milliseconds."""
    import imageio.v3 as imageio
    from PIL import Image

    fps = imageio.immeta(path).get("fps", 10)
    frames = [Image.fromarray(frame) for frame in imageio.imiter(path)]
    return frames, round(1000 / fps)


def clean_output(text):
    """Printed text as a terminal finally shows it, without paths and warnings of this machine."""
    lines = [line.rsplit("\r", 1)[-1].rstrip() for line in text.split("\n")]
    text = "\n".join(line for line in lines if BUSY_WARNING not in line).strip("\n")
    cache = os.environ.get("GANKIT_CACHE") or Path.home() / ".cache"
    for folder in (WORK_FOLDER, ROOT, cache):
        text = text.replace(f"{folder}/", "").replace(str(folder), ".")
    return text


if __name__ == "__main__":
    if not sys.argv[1:] or "GANKIT_LESSON_STEPS" in os.environ:
        raise SystemExit("usage: python docs/run_lesson.py 6 7 ... (without GANKIT_LESSON_STEPS)")
    # All of torch's threads, as the pages say, also if this computer is busy.
    os.environ.setdefault("OMP_NUM_THREADS", str(versions()["threads"]))
    for number in sys.argv[1:]:
        print(save_output(reading.find(number)))
