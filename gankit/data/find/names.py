"""File names: those that systems and lessons write, and names as they are compared."""

import re
import unicodedata

from gankit.core.printable import printable

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
ARCHIVE_ENDING = re.compile(r"(\.tar)?\.(zip|cbz|tar|tgz|tbz2?|txz|gz|bz2|xz)$", re.IGNORECASE)
ARRAY_ENDING = re.compile(r"\.npy$", re.IGNORECASE)


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


def unify_letters(name: str) -> str:
    """The name with ü as one letter: macOS writes it as two, u and its dots."""
    return unicodedata.normalize("NFC", name)


def fold(name: str) -> str:
    """A name as it is compared: in any case, and with ü as one letter or as two."""
    return unify_letters(name).casefold()


def class_name(text: str) -> str:
    """The name of a class that a folder or a table gives, fit for one line."""
    return printable(unify_letters(text))


def archive_name(file_name: str) -> str:
    """The name of an archive without its ending: `v1.roses` for `v1.roses.tar.gz`."""
    return ARCHIVE_ENDING.sub("", file_name)


def array_name(file_name: str) -> str:
    """The name of an array without the ending of its file: `Cat` for `Cat.NPY`."""
    return ARRAY_ENDING.sub("", file_name)
