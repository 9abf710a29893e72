"""Runs lessons whole and keeps what they print and draw, in docs/outputs/, for the site.

Run `python docs/run_lesson.py 6` after changing the code of lesson 6; it takes as long as the
lesson says. The build of the site and a test compare each lesson with the run that is kept, so
that no page shows what its lesson did not make; a page without a run says so. Words and exercises
may change without a new run.
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
PLACE = ROOT / "runs" / "lessons"  # one for all: some lessons look at what an earlier one left
LARGEST = 200_000  # bytes of a picture
LARGEST_FILM = 600_000
BUSY = "this computer was busy"  # a warning that is true only while the lesson runs
STILL, MOVING = (".png", ".jpg"), (".webp", ".gif", ".mp4")


class Stale(ValueError):
    """A run is kept that is not of the lesson as it stands."""


def kept(lesson):
    """What a whole run of this lesson gave; None if none is kept, an error if it is of another."""
    path = OUTPUTS / f"lesson-{lesson.number:02d}" / "output.json"
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    if found["fingerprint"] != lesson.fingerprint():
        run_it = f"run python docs/run_lesson.py {lesson.number}"
        raise Stale(f"lesson {lesson.number} has changed since it was run: {run_it}")
    return found


def keep(lesson):
    """Run a lesson whole, and write what it gave in place of what was kept before."""
    aside = PLACE / "kept"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    session, cells = Session(lesson), []
    with contextlib.chdir(PLACE):
        for cell in (cell for cell in lesson.cells if cell.code):
            before, heard = drawn(lesson), Tee(sys.__stdout__)
            with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
                seconds = session.run(cell)
            new = [path for path, when in drawn(lesson).items() if before.get(path) != when]
            pictures = [picture(PLACE / path, aside) for path in sorted(new)]
            text = plain(heard.getvalue())
            cells.append({"seconds": round(seconds, 1), "text": text, "pictures": pictures})
    import torch

    torch_version = torch.__version__.partition("+")[0]
    made = {"gankit": __version__, "torch": torch_version, "python": platform.python_version()}
    made["threads"] = torch.get_num_threads()
    found = {"fingerprint": lesson.fingerprint(), "made": made, "cells": cells}
    (aside / "output.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    goal = OUTPUTS / f"lesson-{lesson.number:02d}"
    OUTPUTS.mkdir(exist_ok=True)
    shutil.rmtree(goal, ignore_errors=True)
    return shutil.move(aside, goal)


def drawn(lesson):
    """The lesson's pictures in the working directory, and when each was written."""
    found = Path().glob(f"lesson-{lesson.number:02d}*")
    return {path: path.stat().st_mtime_ns for path in found if path.suffix in STILL + MOVING}


def picture(path, folder):
    """A picture or film for the site, as WebP, in the best quality that is small enough."""
    from PIL import Image

    if path.suffix in STILL:
        goal = folder / f"{path.stem}.webp"
        webp.save(Image.open(path).convert("RGB"), goal, LARGEST)
    else:
        goal = folder / f"{path.stem}-film.webp"
        (frame, *others), duration = film(path)
        more = {"append_images": others, "duration": duration, "loop": 0}
        webp.save(frame, goal, LARGEST_FILM, save_all=True, **more)
    return goal.name


def film(path):
    """The frames of a film, and the milliseconds of each."""
    import imageio.v3 as imageio
    from PIL import Image

    fps = imageio.immeta(path).get("fps", 10)
    return [Image.fromarray(frame) for frame in imageio.imiter(path)], round(1000 / fps)


def plain(text):
    """What was printed, as a terminal would show it at last, without what concerns this machine."""
    lines = [line.rsplit("\r", 1)[-1].rstrip() for line in text.split("\n")]
    text = "\n".join(line for line in lines if BUSY not in line).strip("\n")
    for place in (PLACE, ROOT, os.environ.get("GANKIT_CACHE") or Path.home() / ".cache"):
        text = text.replace(f"{place}/", "").replace(str(place), ".")
    return text


if __name__ == "__main__":
    if not sys.argv[1:] or "GANKIT_LESSON_STEPS" in os.environ:
        raise SystemExit("usage: python docs/run_lesson.py 6 7 ... (without GANKIT_LESSON_STEPS)")
    for number in sys.argv[1:]:
        print(keep(reading.find(number)))
