"""Pictures streamed from tar files, for sets that are too large for one disk."""
