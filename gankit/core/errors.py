"""Errors that you can act on: each message names the cause and the cure."""

import re
import reprlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

MAX_SHOWN = 100  # characters of a value in a message
MAX_WORD = 300  # of a path or another word
MAX_MESSAGE = 2000
MAX_ERROR_TEXT = 500  # characters of another program's error in a message

_OPERATORS = ("__eq__", "__setattr__")  # an error in these is of the line that uses them
_TARGETS = "targets are a pair: return Targets(1 - targets.real, 1 - targets.fake), for example"
# What another program says of a mistake that gankit knows -> what gankit says.
_KNOWN = {
    "backward through the graph a second time": "the graph of these logits is freed already: call "
    "gan.judge(images) in your own method, and do not keep logits of a step",
    "view size is not compatible": "gankit trains in the memory format channels-last, in which "
    ".view(...) cannot flatten images: use .reshape(...) or .flatten(1)",
    "'Player' object is not callable": "gan.G and gan.D are players, not networks: call "
    "gan.judge(images) for D's logits, and gan.generate(z) for images of G",
    "device type for generator": "a generator draws on its own device only: give "
    "device=draw.device, as in torch.rand(8, generator=draw, device=draw.device)",
    "Expected all tensors to be on the same device": "make each tensor where the others are: "
    "torch.zeros(..., device=images.device), for example",
    "int' and 'Targets'": _TARGETS,
    "float' and 'Targets'": _TARGETS,
    "'Targets' and '": _TARGETS,
    "register() takes 1 positional argument": "register takes one spec, as in "
    "register(LossSpec(name=..., summary=..., source=..., build=...))",
    "does not require grad": "there is no graph to differentiate: call gan.judge(images), as "
    "gan.look has no gradients, and images.requires_grad_() if you need the slope at images",
}


class GankitError(Exception):
    """An error of one line; the command line prints it without a traceback."""

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(_shorten(message))
        self.exit_code = exit_code  # 2: a bad option or input; nothing was started


def _shorten(message: str) -> str:
    """The message without the middle of words, and of a text, that are far too long to be read."""
    message = re.sub(rf"\S{{{MAX_WORD + 1},}}", lambda word: _cut(word[0], MAX_WORD), message)
    return _cut(message, MAX_MESSAGE)


def _cut(text: str, limit: int) -> str:
    end = limit // 4
    return text if len(text) <= limit else f"{text[: limit - end]}...{text[-end:]}"


class EndedEarly(GankitError):
    """A run that had begun has ended before its last step."""

    folder: Path | None = None  # of the run; None if the error is not of one run
    step: int | None = None  # the number of steps that were done


class RunFailed(EndedEarly):
    """A run failed after it had begun; its checkpoints are kept. Exit code 1.

    `folder` is the run's folder, and `step` the number of steps that were done.
    """


class OneLineInNotebooks:
    """An exception that ends a notebook's cell with its message, without a traceback."""

    def _render_traceback_(self) -> list[str]:  # IPython calls it
        return [f"gankit: {self}"]


class RunStopped(OneLineInNotebooks, EndedEarly):
    """An interrupt, SIGTERM or a closed pipe stopped the run; exit code 128 + the signal's number.

    A checkpoint was saved before. `folder` is the run's folder, and `step` the number of steps that
    were done.
    """


class Interrupted(OneLineInNotebooks, KeyboardInterrupt):
    """A signal that ended the work at once, because there was nothing to save or no time."""

    def __init__(self, message: str, exit_code: int = 130) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # 128 + the signal's number


class _Shortener(reprlib.Repr):
    """Cuts long values; arrays, tensors and objects are shown as their type, with their shape."""

    def repr1(self, x: Any, level: int) -> str:
        name = type(x).__name__
        shape = getattr(x, "shape", ())
        if isinstance(shape, tuple) and shape:  # a torch.Size is a tuple, too
            return f"<{name} of shape {tuple(shape)}>"
        has_long_repr = hasattr(x, "__dict__") and not isinstance(x, type | str | BaseException)
        return f"<{name}>" if has_long_repr else super().repr1(x, level)


def quote_value(value: object) -> str:
    """A value as messages show it: quoted, without control characters, and cut if it is long."""
    shortener = _Shortener()
    shortener.maxstring = shortener.maxother = shortener.maxlong = MAX_SHOWN
    text = shortener.repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def describe_error(error: BaseException, *, with_place: bool = False, place: str = "") -> str:
    """`TypeError: text` on one line, or with its place: `TypeError in mine.py, line 7: text`.

    `place`: the file and line, if they are not those of `error_place`. Works for any error, also
    for one whose text cannot be made. A GankitError is its text.
    """
    text = error_text(error)
    if isinstance(error, GankitError) and text:
        return text
    kind = type(error).__name__
    place = error_place(error) if with_place else place
    head = f"{kind} in {place}" if place else kind
    return f"{head}: {text}" if text else head


def describe_reason(error: BaseException) -> str:
    """Why a part failed: the text that its author wrote, or else type, file and line, and text."""
    is_written_for_users = isinstance(error, GankitError | ValueError | OSError | ImportError)
    text = error_text(error)
    return text if is_written_for_users and text else describe_error(error, with_place=True)


def error_text(error: BaseException) -> str:
    """The text of any error on one line, cut if it is long; empty if there is none."""
    try:
        text = " ".join(str(error).split()) + _suggest_attribute(error)
    except KeyboardInterrupt:
        raise
    except BaseException as failure:  # a plugin's error may raise anything
        return f"(its text cannot be shown: {type(failure).__name__})"
    text = next((advice for mistake, advice in _KNOWN.items() if mistake in text), text)
    is_long = len(text) > MAX_ERROR_TEXT and not isinstance(error, GankitError)
    return f"{text[:MAX_ERROR_TEXT]}..." if is_long else text


def _suggest_attribute(error: BaseException) -> str:
    """`. Did you mean 'x'?` for a misspelt attribute; Python adds it to a traceback only."""
    if not isinstance(error, AttributeError) or error.obj is None or not error.name:
        return ""
    import difflib

    similar = difflib.get_close_matches(error.name, dir(error.obj), n=1, cutoff=0.7)
    return f". Did you mean {similar[0]!r}?" if similar else ""


def error_place(error: BaseException) -> str:
    """The file and line that raised the error, or that called torch or an operator that raised."""
    import traceback  # here, so that only errors pay for the imports
    from pathlib import PurePath

    frames = traceback.extract_tb(error.__traceback__)
    outside_torch = [
        frame
        for frame in frames
        if "torch" not in PurePath(frame.filename).parts and frame.name not in _OPERATORS
    ]
    if not frames:
        return ""
    frame = (outside_torch or frames)[-1]  # all frames, if your own folder is called torch
    return f"{PurePath(frame.filename).name}, line {frame.lineno}"


def place_in_plugin(error: BaseException) -> str:
    """The file and line of a plugin that was imported or called when it failed, or empty.

    That is the last line of the first file in the traceback that is not of gankit, of pluggy, of
    torch or of Python's import.
    """
    import traceback
    from pathlib import PurePath

    places: list[tuple[str, int]] = []
    for frame, line in traceback.walk_tb(error.__traceback__):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package not in ("gankit", "importlib", "pluggy", "torch"):
            places.append((frame.f_code.co_filename, line))
    lines = [line for file, line in places if file == places[0][0]]
    return f"{PurePath(places[0][0]).name}, line {lines[-1]}" if places else ""


def similar_names(name: str, choices: Iterable[str]) -> list[str]:
    """At most two of the choices, which `name` may be a misspelling of."""
    import difflib  # here, so that only errors pay for the import

    return difflib.get_close_matches(name.lower(), sorted(choices), n=2, cutoff=0.55)


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """A hint to append to an error: ` Did you mean 'x'?`, or all choices if they are few."""
    choices = sorted(choices)
    similar = similar_names(name, choices)
    if similar:
        return " Did you mean " + " or ".join(map(repr, similar)) + "?"
    return f" Choose from: {', '.join(choices)}." if 0 < len(choices) <= 15 else ""
