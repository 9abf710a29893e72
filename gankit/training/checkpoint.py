"""Save and load checkpoints; a checkpoint is complete or does not exist.

A checkpoint is a folder: `model.safetensors` (networks), `state.safetensors` (optimisers, tricks),
`state.json` (numbers and strings) and `manifest.json` (sha256 of the other files). It is written to
a temporary folder, flushed to the disk and renamed, so a folder with its final name is complete.
Loading a checkpoint cannot run code.
"""

import contextlib
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
import torch
from torch import Tensor

from gankit.core.atomic_write import retry_while_locked, write_atomically
from gankit.core.errors import GankitError, RunFailed
from gankit.core.retried_write import describe_write_error

_FILES = ("model.safetensors", "state.safetensors", "state.json")


class Checkpoint(NamedTuple):
    """What a run needs to resume."""

    step: int
    model: dict[str, Any]  # nested dicts and lists of tensors, numbers, strings and None
    state: dict[str, Any]


def save(folder: Path, saved: Checkpoint, keep: int) -> Path:
    """Write a checkpoint into `folder`, name it in the file `last`, and keep the newest `keep`.

    Raises RunFailed.
    """
    final = folder / f"step-{saved.step:06d}"
    temporary = folder / f".{final.name}.writing"
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for name, data in _serialize(saved).items():
            write_atomically(temporary / name, data)
        _delete(final)  # a damaged checkpoint of the same step
        retry_while_locked(lambda: temporary.rename(final))
        if os.name == "posix":  # Windows cannot open a folder
            handle = os.open(folder, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)
        write_atomically(folder / "last", final.name)
    except Exception as error:  # safetensors and torch raise their own errors if the disk is full
        shutil.rmtree(temporary, ignore_errors=True)
        checkpoints = list_checkpoints(folder)
        earlier = f"the last is {checkpoints[0]}" if checkpoints else "there is no earlier one"
        why = describe_write_error(error)
        message = f"cannot save the checkpoint of step {saved.step}: {why}; {earlier}"
        raise RunFailed(message, 1) from error
    checkpoints = list_checkpoints(folder)
    up_to_now = [path for path in checkpoints if step_of(path) <= saved.step]
    # Later ones are damaged: the run was resumed from before them.
    for path in set(checkpoints) - set(up_to_now[:keep]):
        _delete(path)
    return final


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
    return {**contents, "manifest.json": json.dumps({"sha256": hashes}, indent=1).encode()}


def load(path: Path) -> Checkpoint:
    """Load the checkpoint of a folder; GankitError if a hash differs or a file is missing."""
    try:
        manifest = json.loads((path / "manifest.json").read_bytes())
        data = {name: (path / name).read_bytes() for name in _FILES}
        for name in _FILES:
            if hashlib.sha256(data[name]).hexdigest() != manifest["sha256"][name]:
                raise GankitError(
                    f"checkpoint {path} is damaged: {name} has changed since it was saved"
                )
        trees = json.loads(data["state.json"])
        for name in ("model", "state"):
            tensors = safetensors.torch.load(data[f"{name}.safetensors"])
            trees[name] = _insert_tensors(trees[name], tensors)
        return Checkpoint(**trees)
    except GankitError:
        raise
    except Exception as error:  # the files may contain anything
        raise GankitError(f"checkpoint {path} cannot be read: {error}") from error


def list_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in `folder`, newest first."""
    paths = [path for path in folder.glob("step-*") if path.name[5:].isdigit()]
    return sorted(paths, key=step_of, reverse=True)


def step_of(path: Path) -> int:
    """The step of a checkpoint, from its name."""
    return int(path.name.removeprefix("step-"))


def load_newest(folder: Path) -> tuple[Path, Checkpoint, list[str]]:
    """Load the newest undamaged checkpoint in `folder`; also returns why newer ones were skipped.

    GankitError if there is none.
    """
    skipped: list[str] = []
    for path in list_checkpoints(folder):
        try:
            return path, load(path), skipped
        except GankitError as error:
            skipped.append(str(error))
    why = skipped[0] if skipped else "the folder is empty or missing"
    raise GankitError(f"there is no undamaged checkpoint in {folder}: {why}")


def load_weights(net: torch.nn.Module, saved: dict[str, Tensor], name: str, path: Path) -> None:
    """Load weights and buffers into a network, which messages call `name`.

    GankitError if a tensor is missing or has another shape.
    """
    expected = net.state_dict()
    for key in sorted({*expected, *saved}):
        saved_shape = _shape_of(key, saved)
        expected_shape = _shape_of(key, expected)
        if saved_shape != expected_shape:
            differs = f"{key} is {saved_shape}; in this run it is {expected_shape}"
            raise GankitError(f"checkpoint {path} does not fit {name} of this run: {differs}")
    net.load_state_dict(saved)


def _shape_of(key: str, tensors: dict[str, Tensor]) -> str:
    return str(list(tensors[key].shape)) if key in tensors else "absent"


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load an optimiser's state; each moment gets the memory layout of its weight.

    Fused kernels read both in memory order, so a moment in another layout would be mixed up.
    """
    optimizer.load_state_dict(state)
    for parameter, values in optimizer.state.items():
        for key, value in values.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                values[key] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _extract_tensors(tree: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """Convert a tree to JSON; its tensors go into `tensors`, with their paths as keys."""
    if isinstance(tree, Tensor):
        tensors[path] = tree.detach().cpu().contiguous().clone()
        return {"tensor": path}
    if isinstance(tree, dict):  # as pairs, because JSON would turn Adam's integer keys into strings
        return {"dict": [[k, _extract_tensors(v, f"{path}/{k}", tensors)] for k, v in tree.items()]}
    if isinstance(tree, list | tuple):
        return [_extract_tensors(v, f"{path}/{i}", tensors) for i, v in enumerate(tree)]
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    raise TypeError(f"a checkpoint cannot store {path}, of type {type(tree).__name__}")


def _insert_tensors(tree: Any, tensors: dict[str, Tensor]) -> Any:
    """The inverse of `_extract_tensors`."""
    if isinstance(tree, list):
        return [_insert_tensors(value, tensors) for value in tree]
    if isinstance(tree, dict) and "tensor" in tree:
        return tensors[tree["tensor"]]
    if isinstance(tree, dict):
        return {key: _insert_tensors(value, tensors) for key, value in tree["dict"]}
    return tree
