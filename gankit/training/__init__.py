"""Training: compose settings, assemble a trainer, run the loop, save checkpoints."""
