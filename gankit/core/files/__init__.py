"""Read and write files safely: whole or not at all, of a sensible size, and locked."""
