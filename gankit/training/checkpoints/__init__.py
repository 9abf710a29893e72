"""Checkpoints: saved whole, checked before they are loaded, and the best one kept."""
