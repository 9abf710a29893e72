"""What makes training faster: products for convolutions, memory that is kept, a look at bf16.

It registers nothing; the core finds `gankit.quicken`, `gankit.keep_memory` and
`gankit.computes_in_bf16` through the group `gankit.api`.
"""
