"""Several processes train one run: how they talk, and batch norm over all of them.

It registers nothing; the core finds `gankit.joined`, `gankit.our_team` and `gankit.sync_batch_norm`
through the group `gankit.api`.
"""
