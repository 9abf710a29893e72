"""The runs of the bench: what is broken in each, and what the doctor should say of it."""
