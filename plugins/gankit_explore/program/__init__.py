"""A generator as a list of a few operations that a page can run."""
