"""Picture files: find them, decode them, fit them to a square."""
