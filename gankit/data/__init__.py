"""A folder of anything -> prepared pictures -> batches."""
