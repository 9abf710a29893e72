"""`--preview`: a picture of what D sees of the first batches, tricks included."""

from __future__ import annotations

import itertools
from pathlib import Path

import torch
from PIL import Image
from torch.nn.functional import interpolate

from gankit.cli.check_output import require_folder
from gankit.core.contracts.trick import Trick
from gankit.core.errors import GankitError
from gankit.core.gan import Gan
from gankit.core.parts.registry import Registry
from gankit.core.progress import Progress
from gankit.core.run.settings import Run, command_line
from gankit.core.shell import quote_word
from gankit.runs.images import save_picture, to_rgb
from gankit.runs.provenance import Provenance
from gankit.training import assemble
from gankit.training.guard import guard_parts
from gankit.training.run_folder.run_pictures import prepare_again

NUM_PICTURES = 32  # on each side


@torch.no_grad()
def write_preview(run: Run, registry: Registry, file: Path, progress: Progress) -> str:
    """Write the preview: real pictures on the left, the same as D sees them on the right.

    Returns a line that says what the file shows.
    """
    prepared = prepare_again(run, registry, progress)
    run = assemble.resolve_auto(run, prepared)
    trainer = assemble.assemble(run, registry, prepared)
    num_batches = -(-NUM_PICTURES // run.batch_size)
    batches = [trainer.batches[index] for index in range(num_batches)]
    images = torch.cat(batches)[:NUM_PICTURES]
    seen_by_d = images
    trainer.gan.begin_step(0)
    changes = []
    with guard_parts(trainer, registry):
        for trick, method in itertools.product(trainer.tricks, ("reals", "d_input")):
            if trick.overrides(method):
                changed = _change(trick, method, seen_by_d, trainer.gan)
                changes.append(_describe_change(trick, is_same=torch.equal(changed, seen_by_d)))
                seen_by_d = changed
    seen_by_d = interpolate(seen_by_d, images.shape[2:])  # squares, if D sees smaller ones
    command = f"{command_line(run)} --preview {quote_word(file.name)}"
    _write(images, seen_by_d, file, Provenance(command, seed=run.seed, step=0))
    if changes:
        right = f"as D sees them at the start of the run, after {', '.join(changes)}"
    else:
        right = "the same, because no trick changes D's input"
    return f"{file}: left, {len(images)} real pictures; right, {right}"


def _change(trick: Trick, method: str, images: torch.Tensor, gan: Gan) -> torch.Tensor:
    """The images as the trick passes them to D, in its preview state if it has one."""
    if trick.preview_state:
        trick.load_state_dict({**trick.state_dict(), **trick.preview_state})
    trick.begin_batch(gan, gan.D)
    changed: torch.Tensor = getattr(trick, method)(images, gan)
    return changed


def _describe_change(trick: Trick, is_same: bool) -> str:
    if is_same:
        return f"{trick.name} (which changes nothing yet)"
    if trick.preview_state:
        state = ", ".join(f"{name} {value:g}" for name, value in trick.preview_state.items())
        return f"{trick.name} (shown as later in the run, at {state}; it starts without an effect)"
    return trick.name


def _write(
    images: torch.Tensor, seen_by_d: torch.Tensor, file: Path, provenance: Provenance
) -> None:
    from torchvision.utils import make_grid

    require_folder(file)
    sides = [to_rgb(side.float().cpu()) for side in (images, seen_by_d)]
    layout = {"nrow": 4, "normalize": True, "value_range": (-1, 1), "pad_value": 1.0}
    grids = [make_grid(side, **layout) for side in sides]
    gap = torch.ones(3, grids[0].shape[1], grids[0].shape[2] // 16)
    try:
        pixels = torch.cat((grids[0], gap, grids[1]), 2).mul(255).add(0.5).clamp(0, 255)
        picture = Image.fromarray(pixels.permute(1, 2, 0).byte().numpy())
        save_picture(picture, file, provenance)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error  # Pillow's ValueError has no strerror
        raise GankitError(f"cannot write {file}: {reason}; give another .png file") from error
