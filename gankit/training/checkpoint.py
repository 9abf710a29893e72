"""Save and resume, whole or not at all.

A checkpoint is a folder: `model.safetensors` (networks), `state.safetensors` (optimisers, tricks),
`state.json` (numbers and texts) and `manifest.json` (sha256 of the others). It is written aside,
flushed to the disk and renamed, so a folder with that name is complete. Nothing in it can run code.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
import torch
from torch import Tensor

from gankit.core.atomic_write import write_atomically
from gankit.core.errors import GankitError, RunFailed

_FILES = ("model.safetensors", "state.safetensors", "state.json")


class Checkpoint(NamedTuple):
    """What a run needs to go on."""

    step: int
    model: dict[str, Any]  # trees of dicts, lists, tensors, numbers, texts and None
    state: dict[str, Any]


def save(folder: Path, saved: Checkpoint, keep: int) -> Path:
    """Write a checkpoint under folder, point `last` to it, prune all but the newest `keep`."""
    final = folder / f"step-{saved.step:06d}"
    aside = folder / f".{final.name}.writing"
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        for name, data in _contents(saved).items():
            write_atomically(aside / name, data)
        shutil.rmtree(final, ignore_errors=True)  # a damaged one that was passed over
        aside.rename(final)
        if os.name == "posix":  # elsewhere a folder cannot be opened
            handle = os.open(folder, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)
        write_atomically(folder / "last", final.name)
    except Exception as error:  # safetensors and torch word a full disk in ways of their own
        shutil.rmtree(aside, ignore_errors=True)
        why = getattr(error, "strerror", None) or error
        kept = [f"{path} is whole: make room and resume" for path in existing(folder)]
        what = f"{saved.step}: {why}; {kept[0] if kept else 'none was saved before'}"
        raise RunFailed(f"could not save the checkpoint of step {what}", 1) from error
    whole = [path for path in existing(folder) if step_of(path) <= saved.step]
    for path in {*existing(folder)} - {*whole[:keep]}:  # old ones, and damaged ones further on
        shutil.rmtree(path, ignore_errors=True)
    return final


def _contents(saved: Checkpoint) -> dict[str, bytes]:
    contents, trees = {}, {"step": saved.step}
    for name in ("model", "state"):
        tensors: dict[str, Tensor] = {}
        trees[name] = _take_tensors(getattr(saved, name), "", tensors)
        contents[f"{name}.safetensors"] = safetensors.torch.save(tensors)
    contents["state.json"] = json.dumps(trees).encode()
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    return {**contents, "manifest.json": json.dumps({"sha256": hashes}, indent=1).encode()}


def load(path: Path) -> Checkpoint:
    """What was given to `save`; an error if a single bit differs."""
    try:
        manifest = json.loads((path / "manifest.json").read_bytes())
        data = {name: (path / name).read_bytes() for name in _FILES}
        for name in _FILES:
            if hashlib.sha256(data[name]).hexdigest() != manifest["sha256"][name]:
                raise GankitError(f"checkpoint {path} is damaged: {name} was cut off or altered")
        written = json.loads(data["state.json"])
        for name in ("model", "state"):
            tensors = safetensors.torch.load(data[f"{name}.safetensors"])
            written[name] = _put_tensors(written[name], tensors)
        return Checkpoint(**written)
    except GankitError:
        raise
    except Exception as error:  # a folder from a stranger may hold anything
        raise GankitError(f"checkpoint {path} cannot be read: {error}") from error


def existing(folder: Path) -> list[Path]:
    """The checkpoints under folder, newest first."""
    found = [path for path in folder.glob("step-*") if path.name[5:].isdigit()]
    return sorted(found, key=step_of, reverse=True)


def step_of(path: Path) -> int:
    return int(path.name.removeprefix("step-"))


def newest(folder: Path) -> tuple[Path, Checkpoint, list[str]]:
    """The newest whole checkpoint under folder, and why newer ones were passed over."""
    passed_over: list[str] = []
    for path in existing(folder):
        try:
            return path, load(path), passed_over
        except GankitError as error:
            passed_over.append(str(error))
    why = passed_over[0] if passed_over else "it is empty"
    raise GankitError(f"there is no whole checkpoint in {folder}: {why}")


def load_into(module: torch.nn.Module, tensors: dict[str, Tensor], what: str, path: Path) -> None:
    """Load a network's weights and buffers; an error says where another network was saved."""
    own = module.state_dict()
    for name in sorted({*own, *tensors}):
        there, here = (list(t[name].shape) if name in t else "absent" for t in (tensors, own))
        if there != here:
            differs = f"{name} is {there} there and {here} in this run"
            raise GankitError(f"checkpoint {path} holds another {what}: {differs}")
    module.load_state_dict(tensors)


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load an optimiser's state; each moment gets the memory layout of its weight.

    The fused kernels walk through memory, so a moment in another order would meet other weights.
    """
    optimizer.load_state_dict(state)
    for parameter, values in optimizer.state.items():
        for key, value in values.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                values[key] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _take_tensors(tree: Any, path: str, into: dict[str, Tensor]) -> Any:
    """The tree as JSON, its tensors moved to `into` under their paths."""
    if isinstance(tree, Tensor):
        into[path] = tree.detach().cpu().contiguous().clone()
        return {"tensor": path}
    if isinstance(tree, dict):  # as pairs, because JSON would turn Adam's integer keys into texts
        return {"dict": [[k, _take_tensors(v, f"{path}/{k}", into)] for k, v in tree.items()]}
    if isinstance(tree, list | tuple):
        return [_take_tensors(v, f"{path}/{i}", into) for i, v in enumerate(tree)]
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    raise TypeError(f"it cannot hold a {type(tree).__name__}, as there is at {path}")


def _put_tensors(tree: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(tree, list):
        return [_put_tensors(value, tensors) for value in tree]
    if isinstance(tree, dict) and "tensor" in tree:
        return tensors[tree["tensor"]]
    if isinstance(tree, dict):
        return {key: _put_tensors(value, tensors) for key, value in tree["dict"]}
    return tree
