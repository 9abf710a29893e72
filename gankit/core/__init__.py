"""The small core: what parts and gankit say to each other, and one training step."""
