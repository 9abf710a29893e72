"""`gankit sample`."""
