"""Save and load checkpoints; a checkpoint is complete or does not exist.

A checkpoint is a folder: `model.safetensors` (networks), `state.safetensors` (optimisers, tricks),
`state.json` (numbers and strings) and `manifest.json` (sha256 of the other files). It is written to
a temporary folder, flushed to the disk and renamed, so a folder with its final name is complete.
Loading a checkpoint cannot run code.
"""

import contextlib
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
import torch
from torch import Tensor

from gankit.core.errors import GankitError, RunFailed, describe_reason
from gankit.core.files.atomic_write import retry_while_locked, write_atomically
from gankit.core.files.read_file import read_regular_file
from gankit.core.files.read_json import parse_json
from gankit.core.files.retried_write import describe_write_error
from gankit.training.checkpoints.named_checkpoint import BEST, LAST, best_step, checkpoint_path
from gankit.training.run_folder.find_run import checkpoint_step

MANIFEST = "manifest.json"
MPS_OUT_OF_MEMORY = "MPS backend out of memory"  # in a plain RuntimeError
FILES = ("model.safetensors", "state.safetensors", "state.json")
MAX_TENSOR_BYTES = 8 << 30  # of a file of tensors: 2,000 million weights
MAX_JSON_BYTES = 64 << 20

log = logging.getLogger("gankit")


class Checkpoint(NamedTuple):
    """What a run needs to resume."""

    step: int
    model: dict[str, Any]  # nested dicts and lists of tensors, numbers, strings and None
    state: dict[str, Any]


def save(folder: Path, saved: Checkpoint, keep: int, best: int | None = None) -> Path:
    """Write a checkpoint into `folder`, name it in the file `last`, and keep the newest `keep`.

    The file `best` names the checkpoint of the step `best`, and what it names is kept, too. Raises
    RunFailed.
    """
    final = folder / f"step-{saved.step:06d}"
    temporary = folder / f".{final.name}.writing"
    try:
        for unfinished in folder.glob(".step-*.writing"):  # of processes that were killed
            _delete(unfinished)
        temporary.mkdir(parents=True)
        for name, data in _serialize(saved).items():
            write_atomically(temporary / name, data)
        _delete(final)  # a damaged checkpoint of the same step
        retry_while_locked(lambda: temporary.rename(final))
        if os.name == "posix":  # Windows cannot open a folder
            handle = os.open(folder, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)
        write_atomically(folder / LAST, final.name)
        if best is not None and checkpoint_path(folder, best).exists():
            write_atomically(folder / BEST, checkpoint_path(folder, best).name)
    except Exception as error:  # safetensors and torch raise their own errors if the disk is full
        _delete(temporary)
        checkpoints = list_checkpoints(folder)
        earlier = f"the last is {checkpoints[0]}" if checkpoints else "there is no earlier one"
        why = describe_write_error(error)
        message = f"cannot save the checkpoint of step {saved.step}: {why}; {earlier}"
        raise RunFailed(message, 1) from error
    _delete_old(folder, saved.step, keep)
    return final


def _delete_old(folder: Path, newest: int, keep: int) -> None:
    """Delete all checkpoints but the best and the `keep` that end with the step `newest`."""
    checkpoints = list_checkpoints(folder)
    up_to_now = [path for path in checkpoints if step_of(path) <= newest]
    best_now = best_step(folder)
    best = [path for path in up_to_now if step_of(path) == best_now]
    # Later ones are damaged: the run was resumed from before them.
    for path in set(checkpoints) - {*up_to_now[:keep], *best}:
        _delete(path)
    if not best:
        with contextlib.suppress(OSError):
            (folder / BEST).unlink(missing_ok=True)


def _delete(folder: Path) -> None:
    """Delete a checkpoint, as far as possible; of a link only the link, never what it leads to.

    It gets another name first, so that a kill in between leaves no half checkpoint in the list.
    """
    aside = folder.with_name(f".{folder.name}.deleted.writing")
    if folder.is_symlink():
        folder.unlink(missing_ok=True)
        return
    shutil.rmtree(aside, ignore_errors=True)
    with contextlib.suppress(OSError):  # Windows cannot rename a folder in use
        folder.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _serialize(saved: Checkpoint) -> dict[str, bytes]:
    """The bytes of each file of a checkpoint."""
    contents: dict[str, bytes] = {}
    trees: dict[str, Any] = {"step": saved.step}
    for name in ("model", "state"):
        tensors: dict[str, Tensor] = {}
        trees[name] = _extract_tensors(getattr(saved, name), "", tensors)
        contents[f"{name}.safetensors"] = safetensors.torch.save(tensors)
    contents["state.json"] = json.dumps(trees).encode()
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    return {**contents, MANIFEST: json.dumps({"sha256": hashes}, indent=1).encode()}


def load(path: Path) -> Checkpoint:
    """Load the checkpoint of a folder. GankitError if anything of it is missing or not as saved."""
    with errors_of(path):
        manifest = _parse_json(MANIFEST, _read(path, MANIFEST))
        data = {name: _read(path, name) for name in FILES}
        for name in FILES:
            if hashlib.sha256(data[name]).hexdigest() != manifest["sha256"][name]:
                raise ValueError(f"it is damaged, as {name} has changed since it was saved")
        return _deserialize(data, step_of(path))


@contextlib.contextmanager
def errors_of(path: Path) -> Iterator[None]:
    """Re-raise any error as a GankitError that names the checkpoint: it may contain anything."""
    try:
        yield
    except (Exception, SystemExit) as error:  # a trick that loads its state may raise anything
        if isinstance(error, torch.OutOfMemoryError) or MPS_OUT_OF_MEMORY in str(error):
            raise  # of the device, so not of the checkpoint
        raise GankitError(f"checkpoint {path} cannot be used: {describe_reason(error)}") from error


def _read(path: Path, name: str) -> bytes:
    is_tensors = name.endswith(".safetensors")
    return read_regular_file(path / name, MAX_TENSOR_BYTES if is_tensors else MAX_JSON_BYTES)


def _parse_json(name: str, data: bytes) -> dict[str, Any]:
    try:
        value = parse_json(data)
    except ValueError as error:
        raise ValueError(f"{name} is damaged: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{name} holds a {type(value).__name__}; expected a dict")
    return value


def _deserialize(data: dict[str, bytes], step: int) -> Checkpoint:
    """The inverse of `_serialize`. ValueError for what it does not write."""
    trees = _parse_json("state.json", data["state.json"])
    if set(trees) != {"step", "model", "state"}:
        raise ValueError(f"state.json must hold step, model and state; it holds {sorted(trees)}")
    if type(trees["step"]) is not int or trees["step"] != step:
        raise ValueError(f"state.json is of step {trees['step']!r}, its folder of step {step}")
    for name in ("model", "state"):
        file = f"{name}.safetensors"
        try:
            tensors = safetensors.torch.load(data[file])
        except Exception as error:  # safetensors has its own errors
            raise ValueError(f"{file} is not a file of tensors: {error}") from error
        trees[name] = _insert_tensors(trees[name], "", tensors)
        if tensors:
            raise ValueError(f"{file} holds {min(tensors)!r}, which state.json does not mention")
        if not isinstance(trees[name], dict):
            raise ValueError(f"{name} in state.json is not a dict")
    return Checkpoint(**trees)


def list_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in `folder`, newest first."""
    found: list[Path] = []
    with contextlib.suppress(OSError):  # the folder is deleted just now
        found += folder.glob("step-*")
    paths = [path for path in found if checkpoint_step(path.name) is not None]
    return sorted(paths, key=step_of, reverse=True)


def step_of(path: Path) -> int:
    """The step of a checkpoint, from its name. ValueError if it is not a checkpoint's name."""
    step = checkpoint_step(path.name)
    if step is None:
        raise ValueError(f"{path.name} is not the name of a checkpoint, such as step-000100")
    return step


def load_newest(
    folder: Path, use: Callable[[Checkpoint], None] = lambda saved: None
) -> tuple[Path, Checkpoint, list[str]]:
    """Load the newest checkpoint in `folder` that is undamaged and that `use` does not refuse.

    Warns of newer ones that were skipped, and also returns why. `use` refuses a checkpoint with any
    error, and is then called with the next one. GankitError if there is none.
    """
    skipped: list[str] = []
    for path in require_checkpoints(folder):
        try:
            saved = load(path)
            with errors_of(path):
                use(saved)
        except GankitError as error:
            skipped.append(str(error))
            continue
        for why in skipped:
            log.warning("%s; %s is used instead", why, path.name)
        return path, saved, skipped
    raise _no_checkpoint(folder, skipped[0])


def require_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in `folder`, newest first, damaged ones too. GankitError if there is none."""
    paths = list_checkpoints(folder)
    if not paths:
        raise _no_checkpoint(folder, "the folder is empty or missing")
    return paths


def _no_checkpoint(folder: Path, why: str) -> GankitError:
    return GankitError(f"there is no undamaged checkpoint in {folder}: {why}")


def find_undamaged(folder: Path) -> Path | None:
    """The newest checkpoint in `folder` that can be read; None if there is none."""
    for path in list_checkpoints(folder):
        with contextlib.suppress(GankitError):
            load(path)
            return path
    return None


def _extract_tensors(tree: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """Convert a tree to JSON; its tensors go into `tensors`, with their paths as keys."""
    if isinstance(tree, Tensor):
        if path in tensors:  # a key with a slash in it can name the same place as two keys
            raise ValueError(f"a checkpoint cannot store two tensors as {path}")
        tensors[path] = tree.detach().cpu().contiguous().clone()
        return {"tensor": path}
    if isinstance(tree, dict):  # as pairs, because JSON would turn Adam's integer keys into strings
        return {"dict": [[k, _extract_tensors(v, f"{path}/{k}", tensors)] for k, v in tree.items()]}
    if isinstance(tree, list | tuple):
        return [_extract_tensors(v, f"{path}/{i}", tensors) for i, v in enumerate(tree)]
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    raise TypeError(f"a checkpoint cannot store {path}, of type {type(tree).__name__}")


def _insert_tensors(tree: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """The inverse of `_extract_tensors`; takes each tensor out of `tensors`. ValueError."""
    if isinstance(tree, list):
        return [_insert_tensors(value, f"{path}/{i}", tensors) for i, value in enumerate(tree)]
    if not isinstance(tree, dict):
        return tree
    if tree == {"tensor": path} and path in tensors:
        return tensors.pop(path)
    if set(tree) != {"dict"}:
        raise ValueError(f"state.json has neither a tensor nor a dict at {path or '/'}")
    pairs = dict(tree["dict"])  # raises if these are not pairs
    if len(pairs) != len(tree["dict"]):
        raise ValueError(f"state.json has a key twice at {path or '/'}")
    return {key: _insert_tensors(value, f"{path}/{key}", tensors) for key, value in pairs.items()}
