"""Refuse what cannot train, and what the methods of parts may not return."""
