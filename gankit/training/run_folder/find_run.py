"""Find the run that you mean, and say what a path is that is not a run."""

import os
import re
from pathlib import Path

from gankit.core.errors import GankitError, did_you_mean
from gankit.core.files.portable_path import path_exists, shorten_path
from gankit.core.shell import quote_word
from gankit.data.find.reasons import ARCHIVE, NESTED, REASONS

RUN_FILE = "run.json"
STATE = "state.safetensors"  # in each checkpoint
# Folders of a run; a path into one of them means the run, even if it does not exist.
PARTS = ("checkpoints", "samples", "d-view", "metrics", "tensorboard", "export")
WEIGHTS = frozenset({".bin", ".ckpt", ".h5", ".keras", ".npz", ".onnx", ".pb", ".pkl", ".pt",
                     ".pth", ".safetensors"})  # fmt: skip
IMPORTED = (".bin", ".ckpt", ".pt", ".pth", ".safetensors")  # what gankit import reads
_ADDRESS = re.compile(r"\w{2,}:/")  # Path makes https:/x of https://x
# At least six digits, and no zeros before more of them, so that two names never mean one step.
_CHECKPOINT = re.compile(r"step-([0-9]{6}|[1-9][0-9]{6,11})")
GIVE_RUN = f"give the folder of a run, which holds its {RUN_FILE}"


def find_run(given: str | Path, checkpoint_hint: str = "") -> Path:
    """The folder of a run, from that folder or its run.json.

    GankitError for anything else: it says what the path is, and what to give. For a
    checkpoint, `checkpoint_hint` follows, such as ` and --checkpoint {step}`.
    """
    path = Path(os.path.expanduser(given))  # noqa: PTH111 - Path's raises without a home
    if path.name == RUN_FILE and path_exists(str(path)) and not path.is_dir():
        return path.parent
    if path_exists(str(path / RUN_FILE)):
        return path
    raise GankitError(_explain(path, checkpoint_hint))


def checkpoint_step(name: str) -> int | None:
    """The step in a checkpoint's name, such as `step-000100`; None if it is another name."""
    match = _CHECKPOINT.fullmatch(name)
    return int(match[1]) if match else None


def _explain(path: Path, checkpoint_hint: str) -> str:
    """What a path is that is not a run, and what to give in its place."""
    run = _run_around(path)
    if run:
        return _explain_part(path, run, checkpoint_hint)
    if not path_exists(str(path)):
        return _explain_missing(path)
    if path_exists(str(path / STATE)) or path_exists(str(path.parent / STATE)):
        return f"{path} belongs to a checkpoint without its run: {GIVE_RUN}"
    return _explain_folder(path) if path.is_dir() else _explain_file(path)


def _explain_file(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in IMPORTED:
        command = f"gankit import {quote_word(str(path))}"
        return f"{path} is a file of weights: make a run of it with {command}, or {GIVE_RUN}"
    if suffix in WEIGHTS:
        return f"{path} is a file of weights, which gankit does not read by itself: {GIVE_RUN}"
    if REASONS.get(suffix[1:]) in (ARCHIVE, NESTED):
        return f"{path} is an archive: unpack it, and {GIVE_RUN}"
    return f"{path} is not a run of gankit: {GIVE_RUN}"


def _run_around(path: Path) -> Path | None:
    """The run that a path lies in."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - `..` is resolved, links are not
    for folder in absolute.parents:
        if path_exists(str(folder / RUN_FILE)):
            is_part = absolute.relative_to(folder).parts[0] in PARTS
            return folder if is_part or path_exists(str(path)) else None
    return None


def _explain_part(path: Path, run: Path, checkpoint_hint: str) -> str:
    shown = shorten_path(str(run))
    steps = [step for step in map(checkpoint_step, path.parts) if step is not None]
    if not steps:
        return f"{path} belongs to the run {shown}: give {shown}"
    hint = checkpoint_hint.format(step=steps[0])
    return f"{path} belongs to a checkpoint of the run {shown}: give {shown}{hint}"


def _explain_missing(path: Path) -> str:
    if _ADDRESS.match(path.as_posix()):
        return f"{path} is an address: download the run, and {GIVE_RUN}"
    names = {file.parent.name for file in path.parent.glob(f"*/{RUN_FILE}")}
    if not names:  # perhaps without the folder of all runs
        names = {str(file.parent) for file in Path().glob(f"runs/*/{RUN_FILE}")}
    hint = f"; there are no runs in {path.parent.absolute()}"
    if names:
        hint = f".{did_you_mean(path.name, names)}"
    return f"there is no run at {path}: No such file or directory{hint}"


def _explain_folder(path: Path) -> str:
    if not os.access(path, os.R_OK | os.X_OK):
        return f"{path} cannot be read: Permission denied"
    runs = [
        file.parent for depth in ("*", "*/*", "*/*/*") for file in path.glob(f"{depth}/run.json")
    ]
    if runs:
        newest = max(runs, key=lambda run: (run / RUN_FILE).stat().st_mtime)
        count = "1 run" if len(runs) == 1 else f"{len(runs)} runs"
        race = ""
        if (path / "race.json").exists():
            race = f"; gankit race --resume {quote_word(str(path))} continues the race"
        return f"{path} is not a run, but holds {count}: give one, such as {newest}{race}"
    return f"{path} is not a run of gankit, as it holds no {RUN_FILE}: {GIVE_RUN}"
