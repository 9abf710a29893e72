"""A run's folder: log.csv, sample grids, the video; and sampling from a trained run."""
