"""Networks for the size of a run's pictures, and the weights that they begin with."""
