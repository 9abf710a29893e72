"""The source of a network with all that it uses, as one file that needs only torch."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

ALLOWED = sys.stdlib_module_names | {"torch"}  # packages that the file may import


class NotSelfContained(Exception):
    """The source needs something that one file for torch cannot hold."""


def source_of(builder: Callable[..., Any]) -> str:
    """The source of a class or a function, and of all classes, functions and constants it uses.

    Only code in the builder's own package is copied. NotSelfContained if it needs other packages
    than torch, or if it has no source, as it was typed into a notebook.
    """
    module = inspect.getmodule(builder)
    if module is None or "." in builder.__qualname__:
        raise NotSelfContained(f"{builder!r} is not at the top of a module")
    copied = _Copy(module.__name__.partition(".")[0])
    copied.add(module, builder.__name__)
    header = inspect.getdoc(module) or ""
    return copied.text(header)


class _Copy:
    """The imports and the definitions that a file needs, those that others use first."""

    def __init__(self, package: str) -> None:
        self.package = package  # whose code may be copied
        self.imports: set[str] = set()
        self.definitions: list[str] = []
        self.owners: dict[str, str] = {}  # a name -> the module that defines it
        self.seen: set[tuple[str, str]] = set()  # modules and names

    def add(self, module: ModuleType, name: str) -> None:
        """Add what a name stands for in a module, after all that it uses."""
        if (module.__name__, name) in self.seen:
            return
        self.seen.add((module.__name__, name))
        source = _read(module)
        bound = _bindings(ast.parse(source))
        statement = bound[name]
        if isinstance(statement, ast.Import | ast.ImportFrom):
            self._add_import(statement, name)
            return
        if self.owners.setdefault(name, module.__name__) != module.__name__:
            raise NotSelfContained(f"two modules define {name}")
        used_names = _names(statement) & bound.keys()
        for used in sorted(used_names, key=lambda used: bound[used].lineno):
            self.add(module, used)
        text = _segment(source, statement)
        if text not in self.definitions:  # two names of one assignment
            self.definitions.append(text)

    def _add_import(self, statement: ast.Import | ast.ImportFrom, name: str) -> None:
        (alias,) = [alias for alias in statement.names if _bound_name(alias) == name]
        origin = alias.name if isinstance(statement, ast.Import) else str(statement.module)
        package = origin.partition(".")[0]
        if package in ALLOWED:
            kept = type(statement)(**{**dict(ast.iter_fields(statement)), "names": [alias]})
            self.imports.add(ast.unparse(kept))
        elif package == self.package and not alias.asname and origin in sys.modules:
            self.add(sys.modules[origin], name)
        else:
            raise NotSelfContained(f"it imports {origin}")

    def text(self, docstring: str) -> str:
        quoted = docstring.replace("\\", "\\\\").replace('"""', "'''")
        by_package = sorted(self.imports, key=lambda line: (" torch" in line, line[0] == "f", line))
        imports = "\n".join(["from __future__ import annotations\n", *by_package])
        return "\n\n\n".join([f'"""{quoted}"""\n\n{imports}', *self.definitions]) + "\n"


def _read(module: ModuleType) -> str:
    try:
        return inspect.getsource(module)
    except (OSError, TypeError) as error:
        raise NotSelfContained(f"{module.__name__} has no source") from error


def _bindings(tree: ast.Module) -> dict[str, ast.stmt]:
    """The statements at the top of a module that give names a meaning: name -> statement."""
    return {name: statement for statement in tree.body for name in _bound_by(statement)}


def _bound_by(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        yield from map(_bound_name, statement.names)
    elif isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def _bound_name(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _names(statement: ast.stmt) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}


def _segment(source: str, statement: ast.stmt) -> str:
    """The lines of a statement, with its decorators."""
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
    return "\n".join(source.splitlines()[first - 1 : statement.end_lineno])
