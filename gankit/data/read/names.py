"""File names: those that systems and lessons write, and any name made fit for a message."""

import re

# Files and folders that macOS, Windows, NAS systems and package managers add to a person's own.
SYSTEM_NAMES = frozenset({
    "__macosx", "icon\r", "@eadir", "#recycle", "$recycle.bin", "system volume information",
    "desktop.ini", "thumbs.db", "ehthumbs.db", "lost+found", "__pycache__", "site-packages",
    "node_modules",
})  # fmt: skip
# Names that Windows reserves for devices, whatever extension follows.
RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])", re.IGNORECASE)
LABEL_FILES = frozenset({"imagelabels.mat"})  # which a data set's `classify` reads
LESSON_PICTURE = re.compile(r"lesson-\d\d(-[a-z]+)*\.png")
LESSON_FOLDERS = frozenset({"lesson-04-pictures", "lesson-04-aside"})


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is hidden, or a system's own."""
    return (name.startswith(".") and bool(name.strip(". "))) or name.lower() in SYSTEM_NAMES


def online_name(name: str) -> str:
    """`a.jpg` for `.a.jpg.icloud`, which iCloud writes while it keeps a.jpg online; else ""."""
    is_placeholder = name.startswith(".") and name.endswith(".icloud")
    return name[1 : -len(".icloud")] if is_placeholder else ""


def is_lesson_picture(name: str) -> bool:
    """Whether a lesson writes a picture of this name into the folder where it is run."""
    return bool(LESSON_PICTURE.fullmatch(name))


def printable(text: str, keep: str = "") -> str:
    """The text, fit for one line of a terminal: a file's name may hold any character.

    Control characters, invisible ones and those that change the direction of a line become `?`,
    line breaks and other space a blank; those in `keep` stay.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else " " if c.isspace() else "?" for c in text)
