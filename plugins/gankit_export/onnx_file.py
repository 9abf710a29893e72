"""`gankit export --format onnx`: the generator as one ONNX file, for any number of z."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch

from gankit.core.atomic_write import write_atomically
from gankit.core.errors import GankitError, describe_error
from gankit.runs.provenance import Provenance, entries_of
from gankit.runs.sampler import Sampler
from gankit_export.exact import (
    SEEDS,
    cannot_export,
    require_repeatable,
    require_same_pictures,
)

OPSET = 18  # of ONNX: onnxruntime reads it from version 1.14 on
BATCH = 2  # z in the trace; the file takes any number of them


def write_onnx(sampler: Sampler, path: Path, provenance: Provenance) -> list[str]:
    """Write the generator as ONNX, and return notes about the file.

    Its input `z` is float32 (N, latent_dim) of any N, its output `images` float32 (N, channels,
    height, width) in [-1, 1]. GankitError if packages are missing, if torch cannot translate the
    network, or if onnxruntime draws other pictures. Raises OSError.
    """
    _require_packages()
    require_repeatable(sampler)
    content = _translate(sampler, entries_of(provenance))
    z = sampler.latents(SEEDS)
    difference = require_same_pictures(sampler, run_onnx(content, z), path.name)
    write_atomically(path, content)
    return [f"onnxruntime draws the same pictures, up to {difference:.1g} in [-1, 1]"]


def run_onnx(content: bytes, z: torch.Tensor) -> torch.Tensor:
    """The images that onnxruntime draws of z, on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (images,) = session.run(["images"], {"z": z.numpy()})
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
    z = sampler.latents(range(BATCH))
    batch = torch.export.Dim("batch")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the translator about itself
            program = torch.onnx.export(
                sampler.net,
                (z,),
                input_names=["z"],
                output_names=["images"],
                dynamic_shapes=({0: batch},),
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
