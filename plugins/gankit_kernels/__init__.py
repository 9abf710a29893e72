"""What makes training faster: quicker convolutions, memory that is kept, bf16, torch.compile.

It registers nothing; the core finds `gankit.quicken`, `gankit.keep_memory`,
`gankit.computes_in_bf16` and `gankit.compile_networks` through the group `gankit.api`.
"""
