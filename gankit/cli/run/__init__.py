"""`gankit run`."""
