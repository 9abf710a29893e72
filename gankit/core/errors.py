"""Errors that you can act on: each message names the cause and the cure."""

from collections.abc import Iterable


class GankitError(Exception):
    """An error of one line; the command line prints it without a traceback."""

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # 2: a bad option or input; nothing was started


class RunFailed(GankitError):
    """A run failed after it had begun; its checkpoints are kept. Exit code 1."""


class OneLineInNotebooks:
    """An exception that ends a notebook's cell with its message, without a traceback."""

    def _render_traceback_(self) -> list[str]:  # IPython calls it
        return [f"gankit: {self}"]


class RunStopped(OneLineInNotebooks, GankitError):
    """An interrupt, SIGTERM or a closed pipe stopped the run; exit code 128 + the signal's number.

    A checkpoint was saved before.
    """


class Interrupted(OneLineInNotebooks, KeyboardInterrupt):
    """A signal that ended the work at once, because there was nothing to save or no time."""

    def __init__(self, message: str, exit_code: int = 130) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # 128 + the signal's number


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """A hint to append to an error: ` Did you mean 'x'?`, or all choices if they are few."""
    import difflib  # here, so that only errors pay for the import

    choices = sorted(choices)
    similar = difflib.get_close_matches(name.lower(), choices, n=2, cutoff=0.55)
    if similar:
        return " Did you mean " + " or ".join(map(repr, similar)) + "?"
    return f" Choose from: {', '.join(choices)}." if 0 < len(choices) <= 15 else ""
