"""Convolutions over small maps, computed as matrix products where a processor is faster so.

It registers nothing; the core finds `gankit.quicken` through the group `gankit.api`.
"""
