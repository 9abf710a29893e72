"""`python -m gankit` is `gankit`."""

from gankit.cli.main import main

main()
