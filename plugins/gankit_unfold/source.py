"""The lines of gankit/core/step.py that take a part of a step, read from the file itself."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Collection
from dataclasses import dataclass
from types import ModuleType

from gankit.core import step


@dataclass(frozen=True)
class Line:
    """A line of code."""

    number: int  # in its file
    text: str
    is_marked: bool


@dataclass(frozen=True)
class Code:
    """A function, without its docstring."""

    file: str
    function: str
    lines: list[Line]


def read_function(name: str, calls: Collection[str], module: ModuleType = step) -> Code:
    """A function of a module; a line is marked if it has a call that begins like one of `calls`.

    ValueError if there is no such function or call: the page would show the wrong lines.
    """
    lines, functions = _parse(module)
    if name not in functions:
        raise ValueError(f"{module.__name__} has no function {name!r}")
    function = functions[name]
    marked = {
        number
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node).startswith(tuple(calls))
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    if not marked:
        raise ValueError(f"{module.__name__}.{name} has no call of {', '.join(calls)}")
    hidden = _docstring_lines(function)
    shown = [
        Line(number, lines[number - 1], number in marked)
        for number in range(function.lineno, (function.end_lineno or 0) + 1)
        if number not in hidden
    ]
    return Code(f"{module.__name__.replace('.', '/')}.py", name, shown)


@functools.cache
def _parse(module: ModuleType) -> tuple[list[str], dict[str, ast.FunctionDef]]:
    """The lines of a module, and its functions by name."""
    source = inspect.getsource(module)
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return source.splitlines(), {node.name: node for node in functions}


def _docstring_lines(function: ast.FunctionDef) -> range:
    if ast.get_docstring(function) is None:
        return range(0)
    docstring = function.body[0]
    return range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1)
