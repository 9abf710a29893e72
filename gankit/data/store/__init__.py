"""From pictures to one prepared file in the cache, and which of them are held out."""
