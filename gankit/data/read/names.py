"""Names that people and systems give to files."""

NOBODYS = frozenset({"__macosx", "@eadir", "desktop.ini", "thumbs.db"})  # systems leave them behind


def printable(text: str) -> str:
    """The text, fit for one line of a terminal: files may be called anything."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)
