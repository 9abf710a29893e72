"""From what a person asked for to a trained run: compose, assemble, the loop, checkpoints."""
