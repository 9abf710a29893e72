"""Reads a builder's options, docstring and code from its source file, without importing it.

Importing a network would import torch, and `gankit show` must answer at once.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gankit.core.errors import GankitError
from gankit.core.parts.registry import find_module_file
from gankit.core.parts.specs import FILLED_IN, Spec

Definition = ast.ClassDef | ast.FunctionDef


@dataclass
class Source:
    """What `gankit show` prints about a builder."""

    options: list[inspect.Parameter]
    docstring: str
    code: str  # without the docstring
    page: str = ""  # the text, in Markdown, that lies beside the module: ema.md for ema.py


def read_source(spec: Spec) -> Source:
    """The source of a spec's builder: from its file, or with `inspect` if it is a callable."""
    if not isinstance(spec.build, str):
        return _inspect_builder(spec)
    definition, text = _find_definition(spec.build)
    if definition is None:
        return _inspect_builder(spec)
    options = [p for p in _parameters(definition) if p.name not in FILLED_IN]
    if not all(_is_literal(option.default) for option in options):
        options = _built_options(spec)  # a named constant: only importing tells its value
    code = remove_docstring(ast.get_source_segment(text, definition) or "")
    return Source(options, ast.get_docstring(definition) or "", code, read_page(spec.build))


def read_page(build: str) -> str:
    """The text beside the module of `module:attribute`: its path with `.md`; empty without one."""
    file = find_module_file(build.partition(":")[0])
    page = file.with_suffix(".md") if file else None
    return page.read_text(encoding="utf-8") if page and page.is_file() else ""


def _inspect_builder(spec: Spec) -> Source:
    builder = spec.builder()
    docstring = inspect.cleandoc(builder.__doc__ or "")  # inspect.getdoc may return a base class's
    try:
        code = remove_docstring(inspect.getsource(builder))
    except (OSError, TypeError):  # a built-in, or code that was made while the program ran
        code = "(its source code is not in a file)"
    return Source(_built_options(spec), docstring, code)


def _built_options(spec: Spec) -> list[inspect.Parameter]:
    """The options of the builder itself, their defaults as text like those that are read."""
    empty = inspect.Parameter.empty
    return [
        option if option.default is empty else option.replace(default=repr(option.default))
        for option in spec.options().values()
    ]


def remove_docstring(text: str) -> str:
    """The code of a class or function without its docstring and the empty lines after it."""
    lines = textwrap.dedent(text).splitlines()
    try:
        node = ast.parse("\n".join(lines)).body[0]
    except SyntaxError:  # the source of a lambda is a part of a call
        return text
    if isinstance(node, Definition) and ast.get_docstring(node) and len(node.body) > 1:
        docstring = node.body[0]
        del lines[docstring.lineno - 1 : docstring.end_lineno]
        while not lines[docstring.lineno - 1]:
            del lines[docstring.lineno - 1]
    return "\n".join(lines)


def _find_definition(build: str) -> tuple[Definition | None, str]:
    """The class or function at `module:attribute`, or None, and the text of the module's file."""
    module, _, name = build.partition(":")
    file = find_module_file(module)
    if file is None:
        raise GankitError(f"{build} cannot be shown: there is no module {module!r}")
    text = file.read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, Definition) and node.name == name:
            return node, text
    return None, text


def _parameters(definition: Definition) -> Iterator[inspect.Parameter]:
    """Parameters of a function, or of a class's `__init__`; defaults are their source text."""
    function = _find_init(definition) if isinstance(definition, ast.ClassDef) else definition
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


def _is_literal(default: object) -> bool:
    """Whether the text of a default is its value; an option without a default is, too."""
    try:
        ast.literal_eval(str(default) if default is not inspect.Parameter.empty else "None")
    except ValueError:
        return False
    return True


def _find_init(definition: ast.ClassDef) -> ast.FunctionDef | None:
    for node in definition.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return node
    return None
