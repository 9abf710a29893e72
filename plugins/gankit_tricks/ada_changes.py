"""The changes that `ada` makes to pictures (Karras et al. 2020, arXiv 2006.06676, appendix B).

Each takes images (N, C, H, W), the probability p as a 0-d tensor, and a torch.Generator. It changes
each picture with probability p, by an amount drawn for that picture, and returns the other pictures
unchanged.
"""

import math

import torch

from gankit_tricks.transparency import join_alpha, split_alpha


def flip(x, p, draw):
    """Mirrored left to right, with probability 1/2."""
    flipped = _chosen(x, p, draw) & (_uniform(x, draw) < 0.5)
    return torch.where(flipped, x.flip(3), x)


def rotate(x, p, draw):
    """Turned by 0, 90, 180 or 270 degrees; pictures that are not square by 0 or 180."""
    turns = _chosen(x, p, draw) * (_uniform(x, draw) * 4).floor()
    if x.shape[2] == x.shape[3]:
        x = torch.where(turns % 2 == 1, x.transpose(2, 3).flip(2), x)
    return torch.where(turns >= 2, x.flip(2, 3), x)


def translate(x, p, draw):
    """Moved by whole pixels, up to 1/8 of the side; the gap is filled by reflection."""
    chosen = _chosen(x, p, draw)
    (height, width) = x.shape[2:]
    shift_y = (_uniform(x, draw) * 2 - 1) / 8 * height
    shift_x = (_uniform(x, draw) * 2 - 1) / 8 * width
    return _resample(x, 1.0, (chosen * shift_y).round(), (chosen * shift_x).round())


def scale(x, p, draw):
    """Enlarged by 2^N(0, 0.2^2) around the middle."""
    factor = torch.where(_chosen(x, p, draw), (0.2 * _normal(x, draw)).exp2(), 1.0)
    return _resample(x, factor, 0.0, 0.0)


def color(x, p, draw):
    """Brightness, contrast, luma flip, hue and saturation, each with probability p.

    After brightness, one matrix (N, 1, C, C) maps each pixel's colour to the new colour; alpha
    stays as it is.
    """
    x, alpha = split_alpha(x)
    identity = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    grey = torch.full_like(identity, 1 / len(identity))  # maps a colour to its mean
    brightness = torch.where(_chosen(x, p, draw), 0.2 * _normal(x, draw), 0.0)
    contrast = torch.where(_chosen(x, p, draw), (0.5 * _normal(x, draw)).exp2(), 1.0)
    flipped = _chosen(x, p, draw) & (_uniform(x, draw) < 0.5)
    luma = identity - 2 * flipped * grey  # light becomes dark, the hue stays
    hue = _hue(torch.where(_chosen(x, p, draw), _uniform(x, draw) * 2 - 1, 0.0), identity, grey)
    saturation = torch.where(_chosen(x, p, draw), _normal(x, draw).exp2(), 1.0)
    tint = identity + (saturation - 1) * (identity - grey)
    matrix = tint @ hue @ luma * contrast
    changed = (matrix[:, 0] @ (x + brightness * alpha).flatten(2)).view_as(x)
    return join_alpha(changed, alpha)


CHANGES = {c.__name__: c for c in (flip, rotate, translate, scale, color)}


def _hue(turns, identity, grey):
    """A matrix that rotates colours around the grey axis u = (1, 1, 1) / sqrt(3) by turns * pi.

    Rodrigues: x' = x + sin (u x X) + (1 - cos) (u (u . x) - x), as a matrix.
    """
    if len(identity) != 3:
        return identity
    cross = (identity.roll(1, dims=0) - identity.roll(-1, dims=0)) / math.sqrt(3)
    angle = math.pi * turns
    return identity + angle.sin() * cross + (1 - angle.cos()) * (grey - identity)


def _resample(x, factor, shift_y, shift_x):
    """Enlarged by `factor` around the middle, then shifted; linear, with reflected borders."""
    rows = _resampling_matrix(x.shape[2], factor, shift_y, x)
    columns = _resampling_matrix(x.shape[3], factor, shift_x, x)
    return rows @ x @ columns.transpose(2, 3)


def _resampling_matrix(size, factor, shift, like):
    """Matrices (N, 1, size, size): the weight of old pixel j in new pixel i."""
    pixels = torch.arange(size, dtype=like.dtype, device=like.device)
    last = size - 1
    source = (pixels[:, None] - shift - last / 2) / factor + last / 2  # where pixel i comes from
    source = last - (source.remainder(2 * last) - last).abs()  # reflected at the borders
    return (1 - (source - pixels).abs()).clamp(min=0)


def _chosen(x, p, draw):
    return _uniform(x, draw) < p


def _uniform(x, draw):
    return torch.rand(len(x), 1, 1, 1, generator=draw, device=x.device)


def _normal(x, draw):
    return torch.randn(len(x), 1, 1, 1, generator=draw, device=x.device)
