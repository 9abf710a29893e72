"""`gankit export --format onnx`: the generator as one ONNX file, for any number of z."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch

from gankit.core.errors import GankitError, describe_error
from gankit.core.files.atomic_write import write_atomically
from gankit.runs.provenance import Provenance, entries_of
from gankit.runs.sampler import Sampler
from gankit_export.exact import (
    cannot_export,
    inputs_of_seeds,
    require_repeatable,
    require_same_pictures,
)

OPSET = 18  # of ONNX: onnxruntime reads it from version 1.14 on
INPUTS = ("z", "labels")
BATCH = 2  # z in the trace; the file takes any number of them


def write_onnx(sampler: Sampler, path: Path, provenance: Provenance) -> list[str]:
    """Write the generator as ONNX, and return notes about the file.

    Its input `z` is float32 (N, latent_dim) of any N, its output `images` float32 (N, channels,
    height, width) in [-1, 1]. With class labels, the input `labels` is int64 (N,), the number of
    each picture's class, and the metadata `classes` has their names as JSON. GankitError if
    packages are missing, if torch cannot translate the network, or if onnxruntime draws other
    pictures. Raises OSError.
    """
    _require_packages()
    require_repeatable(sampler)
    content = _translate(sampler, entries_of(provenance))
    images = run_onnx(content, *inputs_of_seeds(sampler))
    difference = require_same_pictures(sampler, images, path.name)
    write_atomically(path, content)
    return [f"onnxruntime draws the same pictures, up to {difference:.1g} in [-1, 1]"]


def run_onnx(content: bytes, *inputs: torch.Tensor) -> torch.Tensor:
    """The images that onnxruntime draws of z and, with class labels, of labels, on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    given = {name: each.numpy() for name, each in zip(INPUTS, inputs, strict=False)}
    (images,) = session.run(["images"], given)
    return torch.from_numpy(images)


def _require_packages() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise GankitError(
            '--format onnx needs more packages: pip install "gankit[onnx]"'
        ) from error


def _translate(sampler: Sampler, entries: dict[str, Any]) -> bytes:
    inputs = inputs_of_seeds(sampler, range(BATCH))
    if sampler.class_names:
        entries = entries | {"classes": json.dumps(sampler.class_names)}
    batch = torch.export.Dim("batch")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the translator about itself
            program = torch.onnx.export(
                sampler.net,
                inputs,
                input_names=INPUTS[: len(inputs)],
                output_names=["images"],
                dynamic_shapes=tuple({0: batch} for _ in inputs),
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
        assert program is not None
        model = program.model_proto
        model.producer_name = "gankit"
        model.producer_version = str(entries.get("version", ""))
        for name, value in entries.items():
            model.metadata_props.add(key=name, value=str(value))
        return bytes(model.SerializeToString())
    except Exception as error:  # torch cannot translate every network
        raise cannot_export(sampler, "onnx", describe_error(error)) from error
