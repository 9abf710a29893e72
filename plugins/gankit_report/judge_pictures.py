"""Ask D about real pictures and fakes, and draw what it looked at: its gradient as a heat map."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from gankit.core.class_labels import labels_in_turn
from gankit.core.contracts.loss import Loss
from gankit.core.contracts.prepared import PreparedDataset, Rows
from gankit.core.gan import Gan
from gankit.core.randomness import generator
from gankit.core.run.settings import Run
from gankit.runs.images import from_uint8, resized, to_frames, to_rgb
from gankit_report.d_view import MAX_SIDE, SHOWN, Judged, Moment

MAX_REALS = 256  # training pictures of which D's least believed ones are shown
MIN_REALS = 2 * SHOWN
TRAINED_PER_REAL = 100  # pictures, so that a short run costs no more than a long one
MAX_AT_ONCE = 64
SMALL_PIXELS = 1 << 16  # of images at once that take little memory in any run
BRIGHTEST = 0.995  # the share of pixels that are darker than the brightest colour
GREY = 0.75  # brightness of the picture below the heat
# Colours of no heat to most heat.
COLOURS = ((0.0, 0.0, 0.0), (0.35, 0.05, 0.45), (0.85, 0.2, 0.3), (1.0, 0.6, 0.1), (1.0, 1.0, 0.7))


def choose_reals(run: Run, prepared: PreparedDataset) -> Rows:
    """The training pictures that D is asked about: always the same ones in a run.

    There are fewer of them in a short run, and of large pictures, so that asking costs a run
    nothing that you would notice.
    """
    count = min(MAX_REALS, run.steps * run.batch_size // TRAINED_PER_REAL)
    count = count * 128**2 // max(run.size.area, 128**2)
    order = torch.randperm(
        len(prepared.train), generator=generator(run.data_seed, 0, "D's own view")
    )
    rows: Rows = prepared.train[order[: max(count, MIN_REALS)].numpy()]
    return rows


def judge_pictures(
    gan: Gan, loss: Loss, run: Run, prepared: PreparedDataset, fakes: Tensor, step: int
) -> Moment | None:
    """The training pictures that D believes least, and the fakes (N, C, H, W) it believes most.

    D judges in eval mode and without the run's tricks, and nothing of the run changes. None if an
    answer of D is not finite. With class labels, the fakes are those of a run's grid.
    """
    micro_batch = max(run.batch_size // run.accumulate, SMALL_PIXELS // run.size.area)
    at_once = min(MAX_AT_ONCE, micro_batch)
    rows = choose_reals(run, prepared)
    count = min(SHOWN, len(rows), len(fakes))
    real_labels = None
    fake_labels = None
    if gan.num_classes and prepared.labels is not None:
        real_labels = torch.from_numpy(prepared.labels[rows])
        fake_labels = labels_in_turn(range(len(fakes)), gan.num_classes)
    real_logits = _look_at_all(
        gan, lambda part: from_uint8(prepared.pixels[rows[part]]), len(rows), at_once, real_labels
    )
    fake_logits = _look_at_all(gan, fakes.__getitem__, len(fakes), at_once, fake_labels)
    if not torch.cat([real_logits, fake_logits]).isfinite().all():
        return None
    least = real_logits.argsort()[:count]
    most = fake_logits.argsort(descending=True)[:count]
    reals = _judged(
        gan,
        from_uint8(prepared.pixels[rows[least.numpy()]]),
        loss.score(real_logits[least]),
        at_once,
        _part(real_labels, least),
    )
    chosen_fakes = _judged(
        gan, fakes[most], loss.score(fake_logits[most]), at_once, _part(fake_labels, most)
    )
    return Moment(step, reals, chosen_fakes)


def _look_at_all(
    gan: Gan,
    images: Callable[[slice], Tensor],
    count: int,
    at_once: int,
    labels: Tensor | None,
) -> Tensor:
    """D's logits (N,) for `count` images, which `images` returns in parts (n, C, H, W)."""
    parts = [slice(start, start + at_once) for start in range(0, count, at_once)]
    logits = [gan.look(images(p), labels=_part(labels, p)).cpu() for p in parts]
    return torch.cat(logits)


def _part(labels: Tensor | None, part: slice | Tensor) -> Tensor | None:
    return None if labels is None else labels[part]


def _judged(
    gan: Gan, images: Tensor, scores: Tensor, at_once: int, labels: Tensor | None
) -> list[Judged]:
    """Each image (N, C, H, W) with what D looked at in it, and with its score (N,)."""
    parts = [slice(start, start + at_once) for start in range(0, len(images), at_once)]
    gradients = [
        gan.look_with_gradients(images[p], labels=_part(labels, p))[1].cpu() for p in parts
    ]
    sizes = torch.cat(gradients).abs().sum(dim=1, keepdim=True)
    small = _reduce(images)
    pictures = zip(to_frames(small), draw_heat(small, _reduce(sizes)), strict=True)
    return [
        Judged(Image.fromarray(picture), Image.fromarray(heat), score)
        for (picture, heat), score in zip(pictures, scores.tolist(), strict=True)
    ]


def _reduce(images: Tensor) -> Tensor:
    """Images (N, C, H, W), reduced to the size that is shown."""
    height, width = images.shape[-2:]
    width, height = resized(width, height, min(max(width, height), MAX_SIDE))
    return F.adaptive_avg_pool2d(images, (height, width))


def draw_heat(images: Tensor, sizes: Tensor) -> np.ndarray:
    """Heat maps (N, H, W, 3), uint8, over grey images (N, C, H, W) in [-1, 1].

    `sizes` (N, 1, H, W): how much a change of each pixel would change D's answer. Each picture has
    the same colours, however large its gradient is as a whole.
    """
    smooth = _blur(_blur(sizes))
    brightest = smooth.flatten(1).quantile(BRIGHTEST, dim=1).clamp_min(1e-30)
    heat = (smooth / brightest[:, None, None, None]).clamp(0, 1)
    colours = torch.tensor(COLOURS)
    position = heat.squeeze(1) * (len(colours) - 1)
    lower = position.long().clamp(max=len(colours) - 2)
    between = (position - lower)[..., None]
    colour = colours[lower] * (1 - between) + colours[lower + 1] * between
    grey = (to_rgb(images).mean(dim=1)[..., None] + 1) / 2 * GREY
    warm = heat.squeeze(1)[..., None]
    mixed = (1 - warm) * grey + warm * colour
    return (mixed.clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def _blur(sizes: Tensor) -> Tensor:
    """The means of squares around each pixel; single pixels of a gradient say little."""
    radius = max(1, sizes.shape[-1] // 32)
    return F.avg_pool2d(sizes, 2 * radius + 1, 1, radius, count_include_pad=False)
