"""What plugins register: hooks, specs and their options, and the registry that finds parts."""
