"""Who imports whom, read from the text of every file: what runs, what is for types, all of it."""

import ast
import functools
from pathlib import Path

import gankit

LIBRARY = Path(gankit.__file__).parent
HOME = LIBRARY.parent
PLUGINS = HOME / "plugins"


@functools.cache
def modules() -> dict[str, Path]:
    """Every module of gankit and of the plugins that come with it: dotted name -> file."""
    found = {}
    for base in (HOME, PLUGINS):
        for package in base.glob("gankit*"):
            for path in package.rglob("*.py"):
                parts = path.relative_to(base).with_suffix("").parts
                if "templates" not in parts:
                    found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(tree, *, everywhere=True):
    """`(module, names)` of the imports in a tree; at run time and module level, or everywhere."""
    nodes = [tree]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield node.module, tuple(alias.name for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not everywhere:
            continue
        elif is_for_types(node) and not everywhere:
            nodes += node.orelse
        else:
            nodes += ast.iter_child_nodes(node)


def is_for_types(node):
    """Whether only type checkers read what the node holds."""
    if not isinstance(node, ast.If):
        return False
    return ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


@functools.cache
def imported_by(path, *, everywhere=True):
    """Dotted names of all that a file imports; of `from a import b` both, a and a.b."""
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for module, names in imports(tree, everywhere=everywhere):
        found |= {module, *(f"{module}.{name}" for name in names)}
    return found


def graph(files=None, **how):
    """module -> the modules of the house that it imports. A package counts if a name is its own."""
    files = files or modules()
    needs = {}
    for name, path in files.items():
        needs[name] = set()
        for module, names in imports(ast.parse(path.read_text(encoding="utf-8")), **how):
            inner = {f"{module}.{n}" for n in names} & set(files)
            own = set(names) - {n.rpartition(".")[2] for n in inner}
            needs[name] |= inner | ({module} & set(files) if own or not names else set())
    return needs


def packages(needs):
    """The same for packages: rings of gankit (gankit.core), the face (gankit), and plugins."""
    found = {}
    for name, others in needs.items():
        found.setdefault(package(name), set()).update(map(package, others))
    return {name: others - {name} for name, others in found.items()}


def package(module):
    first, _, rest = module.partition(".")
    return f"gankit.{rest.partition('.')[0]}" if first == "gankit" and rest else first


def circles(needs):
    """Those that can be reached from themselves."""
    reached = {name: set(others) for name, others in needs.items()}
    for middle in reached:
        for others in reached.values():
            if middle in others:
                others |= reached[middle]
    return sorted(name for name, others in reached.items() if name in others)
