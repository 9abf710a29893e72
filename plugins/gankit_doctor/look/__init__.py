"""A look at a run: the numbers of one moment, and what they are computed from."""
