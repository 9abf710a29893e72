"""Which module imports which, read from the source files: at run time, for types, or anywhere."""

import ast
import functools
from pathlib import Path

import gankit

LIBRARY = Path(gankit.__file__).parent
ROOT = LIBRARY.parent
PLUGINS = ROOT / "plugins"


@functools.cache
def find_modules() -> dict[str, Path]:
    """Every module of gankit and of its bundled plugins: dotted name -> file."""
    modules = {}
    for base in (ROOT, PLUGINS):
        for package in base.glob("gankit*"):
            for path in package.rglob("*.py"):
                parts = path.relative_to(base).with_suffix("").parts
                if "templates" in parts:
                    continue
                if parts[-1] == "__init__":
                    parts = parts[:-1]
                modules[".".join(parts)] = path
    return modules


def iter_imports(tree, *, everywhere=True):
    """Yield `(module, names)` for each import in a syntax tree.

    If not `everywhere`, imports inside functions and under TYPE_CHECKING are omitted, so that those
    remain that run when the module is imported.
    """
    nodes = [tree]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, ()
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "use absolute imports"
            yield node.module, tuple(alias.name for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not everywhere:
            continue
        elif is_type_checking_block(node) and not everywhere:
            nodes += node.orelse
        else:
            nodes += ast.iter_child_nodes(node)


def is_type_checking_block(node):
    if not isinstance(node, ast.If):
        return False
    return ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


@functools.cache
def imported_names(path, *, everywhere=True):
    """The dotted names that a file imports; `from a import b` gives both a and a.b."""
    imported = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for module, names in iter_imports(tree, everywhere=everywhere):
        imported.add(module)
        imported.update(f"{module}.{name}" for name in names)
    return imported


def module_graph(modules=None):
    """The import graph: module -> the modules of gankit and its plugins that it imports.

    `from package import name` only counts as an import of the package if one of the names is not a
    module of the package.
    """
    modules = modules or find_modules()
    graph = {}
    for importer, path in modules.items():
        graph[importer] = set()
        for module, names in iter_imports(ast.parse(path.read_text(encoding="utf-8"))):
            submodules = {f"{module}.{name}" for name in names} & set(modules)
            graph[importer] |= submodules
            other_names = [name for name in names if f"{module}.{name}" not in submodules]
            if module in modules and (other_names or not names):
                graph[importer].add(module)
    return graph


def package_graph(graph):
    """The same for packages: parts of gankit (gankit.core), gankit itself, and plugins."""
    packages = {}
    for module, imported in graph.items():
        packages.setdefault(package_of(module), set()).update(map(package_of, imported))
    return {name: imported - {name} for name, imported in packages.items()}


def package_of(module):
    """`gankit.core` for gankit.core.step, `gankit_tricks` for gankit_tricks.ema."""
    first, _, rest = module.partition(".")
    return f"gankit.{rest.partition('.')[0]}" if first == "gankit" and rest else first


def find_cycles(graph):
    """The sorted names of the nodes that can be reached from themselves."""
    reachable = {name: set(imported) for name, imported in graph.items()}
    for middle in reachable:
        for targets in reachable.values():
            if middle in targets:
                targets |= reachable[middle]
    return sorted(name for name, targets in reachable.items() if name in targets)
