"""The changes that `ada` makes to pictures (Karras et al. 2020, arXiv 2006.06676, appendix B).

Each takes images (N, C, H, W), the probability p as a tensor, and a generator; it changes each
picture with probability p, by an amount of that picture's own, and leaves the others exactly alone.
"""

import math

import torch


def flip(x, p, draw):
    """Left and right exchanged, or not, with the same chance."""
    flipped = _chosen(x, p, draw) & (_uniform(x, draw) < 0.5)
    return torch.where(flipped, x.flip(3), x)


def rotate(x, p, draw):
    """Turned by 0, 90, 180 or 270 degrees."""
    turns = _chosen(x, p, draw) * (_uniform(x, draw) * 4).floor()
    x = torch.where(turns % 2 == 1, x.transpose(2, 3).flip(2), x)
    return torch.where(turns >= 2, x.flip(2, 3), x)


def translate(x, p, draw):
    """Moved by whole pixels, up to 1/8 of the side; what enters mirrors what is there."""
    chosen, (height, width) = _chosen(x, p, draw), x.shape[2:]
    down, right = ((_uniform(x, draw) * 2 - 1) / 8 * side for side in (height, width))
    return _resample(x, 1.0, (chosen * down).round(), (chosen * right).round())


def scale(x, p, draw):
    """Enlarged by 2^N(0, 0.2^2) around the middle."""
    factor = torch.where(_chosen(x, p, draw), (0.2 * _normal(x, draw)).exp2(), 1.0)
    return _resample(x, factor, 0.0, 0.0)


def color(x, p, draw):
    """Brightness, contrast, luma flip, hue and saturation, each with probability p.

    After brightness, one matrix (N, 1, C, C) takes each pixel's colour to the new one.
    """
    one = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    grey = torch.full_like(one, 1 / len(one))  # takes a colour to its mean
    brightness = torch.where(_chosen(x, p, draw), 0.2 * _normal(x, draw), 0.0)
    contrast = torch.where(_chosen(x, p, draw), (0.5 * _normal(x, draw)).exp2(), 1.0)
    flipped = _chosen(x, p, draw) & (_uniform(x, draw) < 0.5)
    luma = one - 2 * flipped * grey  # light becomes dark, the hue stays
    hue = _hue(torch.where(_chosen(x, p, draw), _uniform(x, draw) * 2 - 1, 0.0), one, grey)
    saturation = torch.where(_chosen(x, p, draw), _normal(x, draw).exp2(), 1.0)
    tint = one + (saturation - 1) * (one - grey)
    matrix = tint @ hue @ luma * contrast
    return (matrix[:, 0] @ (x + brightness).flatten(2)).view_as(x)


CHANGES = {c.__name__: c for c in (flip, rotate, translate, scale, color)}


def _hue(turns, one, grey):
    """Turns colours (R, G, B) around the grey axis u = (1, 1, 1) / sqrt(3), by turns * pi.

    Rodrigues: x' = x + sin (u x X) + (1 - cos) (u (u . x) - x), as a matrix.
    """
    if len(one) != 3:
        return one
    cross = (one.roll(1, dims=0) - one.roll(-1, dims=0)) / math.sqrt(3)
    angle = math.pi * turns
    return one + angle.sin() * cross + (1 - angle.cos()) * (grey - one)


def _resample(x, factor, down, right):
    """Enlarged by `factor` around the middle, then moved; linear between pixels, mirrored edges."""
    rows = _weights(x.shape[2], factor, down, x)
    columns = _weights(x.shape[3], factor, right, x)
    return rows @ x @ columns.transpose(2, 3)


def _weights(size, factor, move, like):
    """Matrices (N, 1, size, size): how much of pixel j there is in the new pixel i."""
    place = torch.arange(size, dtype=like.dtype, device=like.device)
    last = size - 1
    source = (place[:, None] - move - last / 2) / factor + last / 2  # where pixel i comes from
    source = last - (source.remainder(2 * last) - last).abs()  # beyond a border, back again
    return (1 - (source - place).abs()).clamp(min=0)


def _chosen(x, p, draw):
    return _uniform(x, draw) < p


def _uniform(x, draw):
    return torch.rand(len(x), 1, 1, 1, generator=draw, device=x.device)


def _normal(x, draw):
    return torch.randn(len(x), 1, 1, 1, generator=draw, device=x.device)
