"""What a run writes, such as its log, grids and film; and drawing from a trained G."""
