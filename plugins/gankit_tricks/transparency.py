"""Images as colours and alpha, for changes of colour that must leave alpha as it is."""

import torch

from gankit.data.alpha import ALPHA


def split_alpha(images):
    """Colours (N, C, H, W) around 0, and alpha (N, 1, H, W) from 0 to 1; without alpha, 1.

    Of images with alpha, colours are 0 where nothing is, and [-1, 1] times alpha elsewhere. So a
    change of colour adds its brightness times alpha, and what is transparent stays transparent.
    """
    if images.shape[1] != ALPHA:
        return images, 1.0
    alpha = (images[:, 3:] + 1) / 2
    return images[:, :3] + (1 - alpha), alpha


def join_alpha(colours, alpha):
    """The images of `split_alpha`."""
    if isinstance(alpha, float):
        return colours
    return torch.cat([colours - (1 - alpha), 2 * alpha - 1], dim=1)


def mean_colour(colours, alpha):
    """(N, 1, 1, 1): the mean over each picture's pixels and colours, weighted by alpha."""
    if isinstance(alpha, float):
        return colours.mean(dim=(1, 2, 3), keepdim=True)
    covered = alpha.sum(dim=(1, 2, 3), keepdim=True).clamp_min(1)  # pixels
    return colours.mean(dim=1, keepdim=True).sum(dim=(2, 3), keepdim=True) / covered
