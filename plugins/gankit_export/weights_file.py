"""Read the weights of a file that may come from anybody: only tensors, never code."""

from __future__ import annotations

import contextlib
import hashlib
import io
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from gankit.core.errors import GankitError
from gankit.core.files.read_file import read_regular_file
from gankit.data.find.kinds import START_BYTES, recognise
from gankit.data.find.reasons import EMPTY, LFS_POINTER, WEB_PAGE
from gankit.training.checkpoints.checkpoint import MAX_TENSOR_BYTES

Weights = dict[str, Tensor]
MAX_DEPTH = 4  # of dicts in a checkpoint, and of prefixes of names such as module.netG.
MAX_CANDIDATES = 5_000  # sets of weights in a file; an optimiser's state is one for each weight
SAVE = "torch.save(netG.state_dict(), 'netG.pth')"


def read_weights(path: Path) -> tuple[dict[str, Weights], str]:
    """All sets of weights in a file of PyTorch or safetensors, and the SHA-256 of the file.

    The sets are: where each is -> name -> tensor. A whole checkpoint has several, and a set whose
    names all share a prefix, such as `module.`, is there with and without it. GankitError if it is
    another file, or is damaged.
    """
    data = read_regular_file(path, MAX_TENSOR_BYTES)
    reason = recognise(path.name, data[:START_BYTES]).reason
    if reason in (EMPTY, WEB_PAGE, LFS_POINTER):
        raise GankitError(f"{path} {reason.replace(': if OneDrive', '; if OneDrive')}")
    candidates: dict[str, Weights] = {}
    for place, weights in _find_sets(_load(path, data), "", 0):
        _check_size(path, weights, len(data))
        candidates[place] = {name: _to_float(tensor) for name, tensor in weights.items()}
        if len(candidates) > MAX_CANDIDATES:
            raise GankitError(f"{path} holds too many sets of weights: save {SAVE}")
    if not candidates:
        raise GankitError(f"{path} holds no weights: save {SAVE}")
    return candidates, hashlib.sha256(data).hexdigest()


def _load(path: Path, data: bytes) -> Any:
    """What the file holds, of plain types and tensors. GankitError."""
    _refuse_packed(path, data)
    try:
        if path.suffix.lower() == ".safetensors":
            return safetensors.torch.load(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch about files of old versions
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # a file may raise anything; torch's text advises to trust it
        text = str(error)
        if "GLOBAL" in text or "TorchScript" in text:
            raise GankitError(
                f"{path} holds a whole network or other objects, and loading them could run code: "
                f"save the weights alone, with {SAVE}"
            ) from error
        raise GankitError(
            f"{path} is damaged, or is not a file of weights of PyTorch or safetensors"
        ) from error


def _refuse_packed(path: Path, data: bytes) -> None:
    """GankitError if a zip grows when it is unpacked; torch compresses nothing."""
    with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(member.file_size for member in archive.infolist()) > len(data):
            raise GankitError(f"{path} is compressed, and PyTorch's files are not: unpack it")


def _find_sets(tree: Any, place: str, depth: int) -> Iterator[tuple[str, Weights]]:
    """The dicts of tensors in a tree, and those below a prefix of their names."""
    if not isinstance(tree, Mapping) or depth > MAX_DEPTH:
        return
    named = {key: value for key, value in tree.items() if isinstance(key, str)}
    if named and all(isinstance(value, Tensor) for value in tree.values()):
        yield place, named
        for prefix in dict.fromkeys(name.partition(".")[0] for name in named):
            start = f"{prefix}."
            below = {n.removeprefix(start): t for n, t in named.items() if n.startswith(start)}
            if len(below) > 1:
                yield from _find_sets(below, f"{place}{start}", depth + 1)
        return
    for key, value in named.items():
        yield from _find_sets(value, f"{place}{key}.", depth + 1)


def _check_size(path: Path, weights: Weights, size: int) -> None:
    """GankitError if a tensor is not a plain one, or has more numbers than its file has bytes."""
    plain = all(
        tensor.layout is torch.strided and tensor.device.type == "cpu" and not tensor.is_quantized
        for tensor in weights.values()
    )
    if not plain or sum(tensor.numel() for tensor in weights.values()) > size:
        raise GankitError(f"{path} holds tensors that gankit does not read: save {SAVE}")


def _to_float(tensor: Tensor) -> Tensor:
    return tensor.detach().float() if tensor.is_floating_point() else tensor.detach()
