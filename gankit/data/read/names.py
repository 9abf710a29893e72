"""File names: those that systems leave behind, and any name made fit for a message."""

import re

# Files and folders that macOS, Windows and NAS systems add to a person's own.
SYSTEM_NAMES = frozenset({"__macosx", "@eadir", "desktop.ini", "thumbs.db"})
# Names that Windows reserves for devices, whatever extension follows.
RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])", re.IGNORECASE)


def printable(text: str) -> str:
    """The text, fit for one line of a terminal: a file's name may hold any character."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)
