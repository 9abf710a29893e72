"""The weights that a run begins with, and the size of its networks."""
