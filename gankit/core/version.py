"""gankit's version; run.json records it."""

__version__ = "0.2.0"
