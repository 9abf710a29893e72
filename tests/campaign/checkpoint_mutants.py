"""Altered checkpoints of a run that has an older, good one."""

import copy
import dataclasses
import hashlib
import json
import logging
import os
import random
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mutate import alter_bytes, alter_json
from outcome import Case, Kind, Outcome, Setup
from small_run import train_whole

from gankit.core.errors import GankitError
from gankit.core.parts.registry import load_registry
from gankit.training import assemble
from gankit.training.checkpoints import checkpoint, resume
from gankit.training.run_folder.run_file import load_run
from gankit.training.run_folder.run_pictures import prepare_begun

JUDGED = (
    "The altered checkpoint is passed over with its reason in one line and the older one is "
    "restored bit for bit, or, if the alteration kept its meaning or its hashes were made right "
    "again, it is restored as a whole; nothing is half restored and no other error is raised."
)
FILES = ("model.safetensors", "state.safetensors", "state.json")


class Prepared(NamedTuple):
    folder: Path  # of the run
    older: Path  # the good checkpoints of the run
    newest: Path
    trainer: assemble.Trainer
    of_older: dict[str, Any]  # what a trainer holds after it was restored from each
    of_newest: dict[str, Any]


def prepare(setup: Setup) -> Prepared:
    train_whole(setup.folder)
    folder = setup.folder / "whole"
    run = dataclasses.replace(load_run(folder), threads=1)
    registry = load_registry()
    trainer = assemble.assemble(run, registry, prepare_begun(run, registry, lambda *call: None))
    newest, older = checkpoint.list_checkpoints(folder / "checkpoints")
    logging.getLogger("gankit").setLevel(logging.CRITICAL)
    resume.restore(trainer)
    of_newest = copy.deepcopy(held(trainer))
    hidden = newest.rename(setup.folder / newest.name)
    resume.restore(trainer)
    of_older = copy.deepcopy(held(trainer))
    return Prepared(folder, older, hidden, trainer, of_older, of_newest)


def held(trainer: assemble.Trainer) -> dict[str, Any]:
    """All that a checkpoint restores."""
    gan = trainer.gan
    return {
        "step": gan.step,
        "G": gan.G.net.state_dict(),
        "D": gan.D.net.state_dict(),
        "sampler": gan.sampler.state_dict(),
        "Adam of G": gan.G.adam.state_dict(),
        "Adam of D": gan.D.adam.state_dict(),
        "tricks": {trick.name: trick.state_dict() for trick in trainer.tricks},
    }


def is_equal(a: Any, b: Any) -> bool:
    """Whether two trees hold the same tensors, bit for bit, and the same values."""
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(is_equal(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(is_equal, a, b))
    return type(a) is type(b) and a == b


# ---------------------------------------------------------------- alterations


def _bits(folder: Path, rng: random.Random) -> None:
    path = folder / rng.choice((*FILES, "manifest.json"))
    path.write_bytes(alter_bytes(path.read_bytes(), rng))


def _swapped(folder: Path, rng: random.Random) -> None:
    one, other = (folder / name for name in rng.sample((*FILES, "manifest.json"), 2))
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    if rng.random() < 0.5:
        other.write_bytes(content)


def _of_the_older(folder: Path, rng: random.Random) -> None:
    """Some files are those of another checkpoint of the run."""
    older = next(path for path in folder.parent.iterdir() if path.name.startswith("step-0000")
                 and path != folder)  # fmt: skip
    for name in rng.sample((*FILES, "manifest.json"), rng.randint(1, 3)):
        shutil.copyfile(older / name, folder / name)


def _missing(folder: Path, rng: random.Random) -> None:
    path = folder / rng.choice((*FILES, "manifest.json"))
    path.unlink()
    replacement = rng.choice(("nothing", "folder", "pipe", "link to itself", "empty", "device"))
    if replacement == "folder":
        path.mkdir()
    elif replacement == "pipe":
        os.mkfifo(path)
    elif replacement == "link to itself":
        path.symlink_to(path.name)
    elif replacement == "empty":
        path.touch()
    elif replacement == "device":
        path.symlink_to("/dev/zero")


def _manifest(folder: Path, rng: random.Random) -> None:
    path = folder / "manifest.json"
    path.write_bytes(alter_json(path.read_bytes(), rng))


def _state(folder: Path, rng: random.Random) -> None:
    """Other values in state.json, under a right manifest."""
    path = folder / "state.json"
    path.write_bytes(alter_json(path.read_bytes(), rng))
    _make_hashes_right(folder)


def _tensors(folder: Path, rng: random.Random) -> None:
    """Other tensors, under a right manifest."""
    path = folder / rng.choice(FILES[:2])
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = data[8 : 8 + length]
    body = data[8 + length :]
    if rng.random() < 0.6:
        header = alter_json(header, rng)
    else:
        body = alter_bytes(body, rng)
    path.write_bytes(struct.pack("<Q", len(header)) + header + body)
    _make_hashes_right(folder)


def _under_right_hashes(folder: Path, rng: random.Random) -> None:
    _bits(folder, rng)
    _make_hashes_right(folder)


def _make_hashes_right(folder: Path) -> None:
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}
    (folder / "manifest.json").write_text(json.dumps({"sha256": hashes}))


ALTERATIONS: dict[Callable[[Path, random.Random], None], int] = {  # with how often
    _bits: 8, _swapped: 1, _of_the_older: 1, _missing: 1, _manifest: 2, _state: 4, _tensors: 4,
    _under_right_hashes: 2,
}  # fmt: skip


# ---------------------------------------------------------------- one case


class _Lines(logging.Handler):
    """Collects what gankit warns of."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def try_case(case: Case) -> Outcome:
    prepared: Prepared = case.prepared
    folder = case.folder / prepared.newest.name
    checkpoints = prepared.folder / "checkpoints"
    for path in checkpoints.glob(f"{prepared.newest.name}*"):
        path.unlink()
    shutil.copytree(prepared.newest, folder)
    (case.folder / prepared.older.name).symlink_to(prepared.older)
    alter = case.rng.choices(list(ALTERATIONS), list(ALTERATIONS.values()))[0]
    alter(folder, case.rng)
    (case.folder / prepared.older.name).unlink()
    (checkpoints / folder.name).symlink_to(folder)
    return _restore(prepared, has_right_hashes=alter in (_state, _tensors, _under_right_hashes))


def _restore(prepared: Prepared, has_right_hashes: bool) -> Outcome:
    lines = _Lines()
    logger = logging.getLogger("gankit")
    logger.setLevel(logging.WARNING)
    logger.addHandler(lines)
    try:
        resume.restore(prepared.trainer)
    except GankitError as error:
        return Outcome("refused", (f"refused, in place of the older: {error}"[:300],))
    finally:
        logger.removeHandler(lines)
    now = held(prepared.trainer)
    complaints = [f"a line of {len(line):,} letters" for line in lines.lines if len(line) > 1000]
    complaints += [f"not one line: {line[:99]!r}" for line in lines.lines if "\n" in line]
    if is_equal(now, prepared.of_older):
        complaints += [] if lines.lines else ["passed over without a reason"]
        return Outcome("passed over", tuple(complaints))
    if is_equal(now, prepared.of_newest):
        return Outcome("restored as it was", tuple(complaints))
    if has_right_hashes and now["step"] == prepared.of_newest["step"]:
        return Outcome("restored as altered", (*complaints, *_not_finite(now)))
    return Outcome("half restored", (*complaints, "neither checkpoint is restored as a whole"))


def _not_finite(tree: Any) -> list[str]:
    """Complaints of tensors that are NaN or infinite."""
    if isinstance(tree, torch.Tensor):
        is_float = tree.is_floating_point()
        return ["a tensor is NaN or infinite"] if is_float and not tree.isfinite().all() else []
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [c for item in tree for c in _not_finite(item)] if isinstance(tree, list) else []


KIND = Kind("checkpoints", JUDGED, try_case, short=100, long=20_000, prepare=prepare, seconds=10)
