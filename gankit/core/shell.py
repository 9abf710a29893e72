"""Quote the words of a command line, so that a printed command can be pasted into a shell."""

import os
import re
import shlex
from collections.abc import Iterable

# Of other characters, cmd or PowerShell reads some as syntax, such as `&`, `,` and `(`.
_PLAIN_ON_WINDOWS = re.compile(r"[\w:\\/.=+-]+")


def join_command(words: Iterable[str]) -> str:
    """One line that the user's shell splits into these words again."""
    return " ".join(map(quote_word, words))


def split_command(line: str) -> list[str]:
    """The words of a line that was typed or pasted, without a comment at its end.

    ValueError if a quotation mark is not closed.
    """
    words = shlex.shlex(line, posix=True)
    words.whitespace_split = True
    if os.name == "nt":
        words.escape = ""  # a backslash is part of a path
    return list(words)


def quote_word(word: str) -> str:
    """A word as you type it in a POSIX shell or, on Windows, in both cmd and PowerShell.

    There, `%NAME%` in a word still means a variable to cmd, and `$name` to PowerShell: the two
    shells have no quotes in common that prevent it.
    """
    if os.name == "nt":
        return _quote_on_windows(word)
    if word.isprintable():
        return shlex.quote(word)
    # A line break, or a byte of a file name that is not UTF-8: bash and zsh read \x0a in $'...'.
    return f"$'{''.join(map(_escape, word))}'"


def _escape(character: str) -> str:
    if character.isascii() and character.isprintable() and character not in "'\\":
        return character
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(character))


def _quote_on_windows(word: str) -> str:
    if _PLAIN_ON_WINDOWS.fullmatch(word):
        return word
    escaped = re.sub(r'(\\*)"', r'\1\1\\"', word)
    escaped = re.sub(r"(\\+)$", r"\1\1", escaped)  # else the last one would escape the quote
    return f'"{escaped}"'
