"""Pictures in tar files, read one after another, for sets beyond one disk."""
