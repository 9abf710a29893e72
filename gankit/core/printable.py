"""Text of others, such as the name of a file, made fit for a message."""


def printable(text: str, keep: str = "") -> str:
    """The text, fit for one line of a terminal: a file's name may hold any character.

    Control characters, invisible ones and those that change the direction of a line become `?`,
    line breaks and other space a blank; those in `keep` stay.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else " " if c.isspace() else "?" for c in text)
