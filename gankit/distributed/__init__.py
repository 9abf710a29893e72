"""Several processes train one run: how they talk, and batch norm over all of them."""
