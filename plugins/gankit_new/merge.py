"""Merge the modules of several templates into one."""

import ast
import sys
from collections.abc import Sequence

MAX_LINE = 88  # characters of a line of imports


def merge_modules(sources: Sequence[str]) -> str:
    """One module of several: the first one's docstring, all imports, then all code."""
    modules: set[str] = set()
    names: dict[str, set[str]] = {}
    code = []
    for source in sources:
        lines = source.splitlines()
        first_line_of_code = 0
        for node in ast.parse(source).body:
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported = {ast.unparse(alias) for alias in node.names}
                names.setdefault(node.module or "", set()).update(imported)
            else:
                continue
            first_line_of_code = node.end_lineno or 0
        code.append("\n".join(lines[first_line_of_code:]).strip("\n"))
    docstring = sources[0].splitlines()[0]
    return "\n\n\n".join(["\n\n".join([docstring, *_imports(modules, names)]), *code]) + "\n"


def _imports(modules: set[str], names: dict[str, set[str]]) -> list[str]:
    """The blocks of import statements: the standard library's, then the others."""
    blocks: dict[bool, list[str]] = {True: [], False: []}
    for module in sorted(modules):
        blocks[_is_standard(module)].append(f"import {module}")
    for module in sorted(names):
        blocks[_is_standard(module)].append(_import_from(module, sorted(names[module])))
    return ["\n".join(block) for block in blocks.values() if block]


def _import_from(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= MAX_LINE:
        return line
    return "\n".join([f"from {module} import (", *(f"    {name}," for name in names), ")"])


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names
