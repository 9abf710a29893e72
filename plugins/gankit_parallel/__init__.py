"""What several processes that train one run need beside the core: batch norm over all of them.

It registers nothing; the core finds `gankit.sync_batch_norm` through the group `gankit.api`.
"""
