"""Reads a builder's options, docstring and text from its source file, without importing it.

`gankit show` must be quick, and importing a network imports torch.
"""

import ast
import inspect
import textwrap
from dataclasses import dataclass

from gankit.core.errors import GankitError
from gankit.core.registry import module_file
from gankit.core.specs import FILLED_IN


@dataclass
class Source:
    """What a person wants to know of a builder."""

    options: list[inspect.Parameter]
    docstring: str
    text: str  # its code, without the docstring


def read_source(spec):
    """The Source of a spec's builder; a builder that is a callable is asked, not read."""
    node, text = _definition(spec.build) if isinstance(spec.build, str) else (None, "")
    if node is None:
        builder = spec.builder()
        options = list(spec.options().values())
        docstring = inspect.cleandoc(builder.__doc__ or "")  # its own: that of Trick says nothing
        return Source(options, docstring, code_of(inspect.getsource(builder)))
    options = [p for p in _parameters(node) if p.name not in FILLED_IN]
    code = code_of(ast.get_source_segment(text, node))
    return Source(options, ast.get_docstring(node) or "", code)


def code_of(text):
    """A class or function without its docstring and the empty lines behind it."""
    lines = textwrap.dedent(text).splitlines()
    try:
        node = ast.parse("\n".join(lines)).body[0]
    except SyntaxError:  # a lambda's is a piece of a call
        return text
    documented = isinstance(node, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
    if documented and len(node.body) > 1:
        del lines[node.body[0].lineno - 1 : node.body[0].end_lineno]
        while not lines[node.body[0].lineno - 1]:
            del lines[node.body[0].lineno - 1]
    return "\n".join(lines)


def _definition(build):
    module, _, name = build.partition(":")
    file = module_file(module)
    if file is None:
        raise GankitError(f"it is built by {build}, but there is no module {module!r}")
    text = file.read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return node, text
    return None, text


def _parameters(node):
    if isinstance(node, ast.ClassDef):
        inits = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
        if not inits:
            return
        node = inits[0]
    args = node.args
    named = [arg for arg in (*args.posonlyargs, *args.args) if arg.arg != "self"]
    defaults = [None] * (len(named) - len(args.defaults)) + list(args.defaults)
    named, defaults = (*named, *args.kwonlyargs), (*defaults, *args.kw_defaults)
    for arg, default in zip(named, defaults, strict=True):
        value = ast.unparse(default) if default else inspect.Parameter.empty
        yield inspect.Parameter(arg.arg, inspect.Parameter.KEYWORD_ONLY, default=value)
