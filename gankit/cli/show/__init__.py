"""`gankit list`, `gankit plugins` and `gankit show`."""
