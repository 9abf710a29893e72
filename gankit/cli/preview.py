"""What D sees of the first batches, tricks included, as one picture."""

from __future__ import annotations

from pathlib import Path

import torch

from gankit.core.errors import GankitError
from gankit.core.registry import Registry
from gankit.core.settings import Run
from gankit.core.stop import Progress
from gankit.data.prepare import prepare
from gankit.training import assemble

SHOWN = 32  # pictures on each side


@torch.no_grad()
def preview(run: Run, registry: Registry, file: Path, progress: Progress) -> str:
    """Write the picture: left, pictures as they come; right, the same in front of D."""
    prepared = prepare(run, registry, progress)
    run = assemble.resolve_auto(run, prepared)
    trainer = assemble.assemble(run, registry, prepared)
    batches = -(-SHOWN // run.batch_size)
    images = torch.cat([trainer.batches[batch] for batch in range(batches)])[:SHOWN]
    seen = images
    trainer.gan.begin_step(0)
    for d_input in trainer.gan.d_inputs:
        seen = d_input(seen, trainer.gan)
    _write(images, seen, file)
    names = [trick.name for trick in trainer.tricks if trick.overrides("d_input")]
    tricks = f"after {', '.join(names)}" if names else "the same, for no trick acts on D's input"
    return f"{file}: left, {len(images)} pictures as they come; right, in front of D, {tricks}"


def _write(images: torch.Tensor, seen: torch.Tensor, file: Path) -> None:
    from torchvision.utils import make_grid, save_image

    layout = {"nrow": 4, "normalize": True, "value_range": (-1, 1), "pad_value": 1.0}
    grids = [make_grid(side.float().cpu(), **layout) for side in (images, seen)]
    gap = torch.ones(3, grids[0].shape[1], grids[0].shape[2] // 16)
    try:
        save_image(torch.cat((grids[0], gap, grids[1]), 2), file)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error  # Pillow's ValueError has none
        raise GankitError(f"cannot write {file}: {why}; name a .png elsewhere") from error
