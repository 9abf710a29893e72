"""`--preview`: a picture of what D sees of the first batches, tricks included."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image

from gankit.core.errors import GankitError
from gankit.core.registry import Registry
from gankit.core.settings import Run
from gankit.core.stop import Progress
from gankit.data.prepare import prepare
from gankit.runs.images import save_picture
from gankit.training import assemble

NUM_PICTURES = 32  # on each side


@torch.no_grad()
def write_preview(run: Run, registry: Registry, file: Path, progress: Progress) -> str:
    """Write the preview: real pictures on the left, the same as D sees them on the right.

    Returns a line that says what the file shows.
    """
    prepared = prepare(run, registry, progress)
    run = assemble.resolve_auto(run, prepared)
    trainer = assemble.assemble(run, registry, prepared)
    num_batches = -(-NUM_PICTURES // run.batch_size)
    batches = [trainer.batches[index] for index in range(num_batches)]
    images = torch.cat(batches)[:NUM_PICTURES]
    seen_by_d = images
    trainer.gan.begin_step(0)
    for d_input in trainer.gan.d_inputs:
        seen_by_d = d_input(seen_by_d, trainer.gan)
    _write(images, seen_by_d, file)
    names = [trick.name for trick in trainer.tricks if trick.overrides("d_input")]
    if names:
        change = f"as D sees them, after {', '.join(names)}"
    else:
        change = "the same, because no trick changes D's input"
    return f"{file}: left, {len(images)} real pictures; right, {change}"


def _write(images: torch.Tensor, seen_by_d: torch.Tensor, file: Path) -> None:
    from torchvision.utils import make_grid

    layout = {"nrow": 4, "normalize": True, "value_range": (-1, 1), "pad_value": 1.0}
    grids = [make_grid(side.float().cpu(), **layout) for side in (images, seen_by_d)]
    gap = torch.ones(3, grids[0].shape[1], grids[0].shape[2] // 16)
    try:
        pixels = torch.cat((grids[0], gap, grids[1]), 2).mul(255).add(0.5).clamp(0, 255)
        save_picture(Image.fromarray(pixels.permute(1, 2, 0).byte().numpy()), file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error  # Pillow's ValueError has no strerror
        raise GankitError(f"cannot write {file}: {reason}; give another .png file") from error
