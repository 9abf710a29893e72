"""Refuse what cannot train, before the first step."""
