"""Reads a builder's options, docstring and text from its source file, without importing it.

`gankit show` must be quick, and importing a network imports torch.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gankit.core.errors import GankitError
from gankit.core.registry import find_module_file
from gankit.core.specs import FILLED_IN, Spec

Definition = ast.ClassDef | ast.FunctionDef


@dataclass
class Source:
    """What `gankit show` prints of a builder."""

    options: list[inspect.Parameter]
    docstring: str
    text: str  # its code, without the docstring


def read_source(spec: Spec) -> Source:
    """The Source of a spec's builder, from its file or, if it is a callable, by inspecting it."""
    if not isinstance(spec.build, str):
        return _inspect(spec)
    definition, text = _find_definition(spec.build)
    if definition is None:
        return _inspect(spec)
    options = [p for p in _parameters(definition) if p.name not in FILLED_IN]
    code = code_of(ast.get_source_segment(text, definition) or "")
    return Source(options, ast.get_docstring(definition) or "", code)


def _inspect(spec: Spec) -> Source:
    builder = spec.builder()
    docstring = inspect.cleandoc(builder.__doc__ or "")  # its own: that of Trick says nothing
    return Source(list(spec.options().values()), docstring, code_of(inspect.getsource(builder)))


def code_of(text: str) -> str:
    """A class or function without its docstring and the empty lines behind it."""
    lines = textwrap.dedent(text).splitlines()
    try:
        node = ast.parse("\n".join(lines)).body[0]
    except SyntaxError:  # a lambda's is a piece of a call
        return text
    if isinstance(node, Definition) and ast.get_docstring(node) and len(node.body) > 1:
        docstring = node.body[0]
        del lines[docstring.lineno - 1 : docstring.end_lineno]
        while not lines[docstring.lineno - 1]:
            del lines[docstring.lineno - 1]
    return "\n".join(lines)


def _find_definition(build: str) -> tuple[Definition | None, str]:
    """The class or function that `module:attribute` names, if its file has it, and that file."""
    module, _, name = build.partition(":")
    file = find_module_file(module)
    if file is None:
        raise GankitError(f"it is built by {build}, but there is no module {module!r}")
    text = file.read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, Definition) and node.name == name:
            return node, text
    return None, text


def _parameters(definition: Definition) -> Iterator[inspect.Parameter]:
    """A function's parameters, or those of a class's `__init__`, with defaults as source text."""
    function = _init(definition) if isinstance(definition, ast.ClassDef) else definition
    if function is None:
        return
    args = function.args
    positional = [*args.posonlyargs, *args.args]
    without_default = len(positional) - len(args.defaults)
    defaults: Sequence[ast.expr | None] = [
        *[None] * without_default,
        *args.defaults,
        *args.kw_defaults,
    ]
    for arg, default in zip([*positional, *args.kwonlyargs], defaults, strict=True):
        if arg.arg != "self":
            value = ast.unparse(default) if default else inspect.Parameter.empty
            yield inspect.Parameter(arg.arg, inspect.Parameter.KEYWORD_ONLY, default=value)


def _init(definition: ast.ClassDef) -> ast.FunctionDef | None:
    for node in definition.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return node
    return None
