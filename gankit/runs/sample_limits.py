"""Defaults and limits of pictures from a trained run, for `Sampler` and for `gankit sample`."""

NEAR_COUNT = 16  # pictures near a seed
SPREAD = 0.3  # the share of noise in their z
MAX_SIZE = 8192  # pixels of an enlarged picture's side
