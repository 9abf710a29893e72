"""gankit's version, which runs write down."""

__version__ = "0.2.0"
