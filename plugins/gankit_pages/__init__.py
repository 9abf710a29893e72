"""The frame of the pages that gankit writes, so that they look like one house.

It registers nothing; plugins find `gankit.page` through the group `gankit.api`.
"""
