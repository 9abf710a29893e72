"""The user's cache folder: downloads, unpacked archives and prepared pictures."""

import os
from pathlib import Path

import platformdirs


def cache_folder(*parts: str) -> Path:
    """A path in the cache, which GANKIT_CACHE moves; it need not exist yet."""
    return Path(os.environ.get("GANKIT_CACHE") or platformdirs.user_cache_dir("gankit"), *parts)
