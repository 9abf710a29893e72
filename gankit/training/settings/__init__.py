"""From what you ask for to a checked Run."""
