"""Messages for programs and notebooks, which name settings in another way than the command line."""

from __future__ import annotations

import contextlib
import functools
import inspect
import re
from collections.abc import Callable, Collection, Iterator
from typing import ParamSpec, TypeVar

import click

from gankit.core.errors import GankitError, did_you_mean
from gankit.core.run.setting_help import SETTINGS

Given = ParamSpec("Given")
Result = TypeVar("Result")
# A whole command, which stays as it is; or an option, perhaps with a placeholder such as N, or with
# a number.
_OPTION = re.compile(
    r"\bgankit (?:-p \S+ )*(?:run|race|sample|evaluate|data) [^;,]*|"
    r"(?<![\w-])--([a-z][a-z0-9-]*)( (?:[A-Z]+|[0-9][\w.]*)\b)?"
)
_ARGUMENTS = ("samples", "checkpoint")  # of evaluate
_OTHER_NAMES = {"trick": "tricks", "metric": "metrics"}


def called_from_python() -> bool:
    """Whether your own program calls gankit, not the command line or a command of a plugin."""
    return click.get_current_context(silent=True) is None


@contextlib.contextmanager
def errors_in_python() -> Iterator[None]:
    """While open, errors name settings as in Python, unless the command line calls."""
    try:
        yield
    except GankitError as error:
        error.args = (in_caller_words(str(error)), *error.args[1:])
        raise


def called_in_python(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Refuse an argument that the function does not have with a GankitError, as `compose` does.

    Errors name settings as in Python.
    """
    parameters = inspect.signature(function).parameters

    @functools.wraps(function)
    def call(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        for name in kwargs:
            if name not in parameters:
                raise _unknown_argument(function.__name__, name, parameters)
        with errors_in_python():
            return function(*args, **kwargs)

    return call


def _unknown_argument(function: str, name: str, parameters: Collection[str]) -> GankitError:
    hint = did_you_mean(name, parameters)
    if name in SETTINGS and function == "train":
        hint = f" It is a setting of a run: give it to compose, or to load_run, as {name}=..."
    return GankitError(f"{function} has no argument {name!r}.{hint}")


def in_caller_words(text: str) -> str:
    """A message with settings named as in Python, `batch_size` for `--batch-size`.

    It stays as it is if the command line calls.
    """
    return _OPTION.sub(_name_in_python, text) if called_from_python() else text


def _name_in_python(match: re.Match[str]) -> str:
    option, value = match.groups()
    if option is None:  # a command
        return match[0]
    if option == "resume":
        return f"resume=True{value or ''}"
    name = _OTHER_NAMES.get(option, option.replace("-", "_"))
    is_turned_off = name.startswith("no_") and name[3:] in SETTINGS
    if is_turned_off:
        return f"{name[3:]}=False{value or ''}"
    if name not in (*SETTINGS, *_ARGUMENTS):
        return match[0]
    return f"{name}={value.strip()}" if value else name


def resume_call(folder: object) -> str:
    """The call that resumes the run of a folder in Python."""
    return f"gankit.train({str(folder)!r}, resume=True)"
