"""What makes training faster on a CPU: matrix products for convolutions, and memory that is kept.

It registers nothing; the core finds `gankit.quicken` and `gankit.keep_memory` through the group
`gankit.api`.
"""
