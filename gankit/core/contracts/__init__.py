"""What parts have to be: the base classes, and what a run gives to them."""
