"""Output whose encoding lacks characters, such as cp1252 in a pipe on Windows."""

import io
import sys


def replace_unencodable() -> None:
    """From now on, print `?` for a character that the output's encoding lacks, instead of raising.

    On every system a file's name can be such a character: names need not be UTF-8 on Linux.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a notebook's stream takes any text
            stream.reconfigure(errors="replace")
