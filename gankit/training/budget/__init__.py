"""A run's length as a time."""
