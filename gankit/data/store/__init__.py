"""From pictures to one prepared file in the cache; near duplicates; the hold-out."""
