"""Mistakes a person can make and failures a person can act on, worded for that person."""

from collections.abc import Iterable


class GankitError(Exception):
    """One clear line for the person at the keyboard; the command line prints it, no traceback."""

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # 2: what was asked for cannot be done; nothing was started


class RunFailed(GankitError):
    """A run that had begun could not go on; what it had saved is still there. Exit code 1."""


class RunStopped(GankitError):
    """Ctrl-C, SIGTERM or a closed pipe stopped the run, and it saved; 128 + the signal's number."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?`, or the whole list if it is short, to append to an error."""
    import difflib  # only mistakes pay for it

    known = sorted(known)
    near = difflib.get_close_matches(word.lower(), known, n=2, cutoff=0.55)
    if near:
        return " Did you mean " + " or ".join(map(repr, near)) + "?"
    return f" There is: {', '.join(known)}." if 0 < len(known) <= 15 else ""
