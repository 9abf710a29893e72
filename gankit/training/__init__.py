"""Training: compose settings, assemble a trainer, train in a loop, save checkpoints."""
