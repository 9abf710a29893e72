"""`gankit`, the package itself: one table of names, seen alike by Python, people and tools."""

import ast
import inspect
import pydoc

import pytest

import gankit


def for_type_checkers():
    """name -> module, as the block under TYPE_CHECKING says."""
    tree = ast.parse(inspect.getsource(gankit))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    return {alias.asname: line.module for line in block.body for alias in line.names}


def test_python_and_type_checkers_read_the_same_table():
    assert for_type_checkers() == gankit._MODULES
    assert list(gankit._MODULES) == sorted(gankit._MODULES)


@pytest.mark.parametrize("name", gankit.__all__)
def test_every_name_is_there_and_shown(name):
    assert getattr(gankit, name) is not None
    assert name in dir(gankit)
    if name != "__version__":
        assert name in pydoc.plain(pydoc.render_doc(gankit))


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="'gankit' has no attribute 'preparee'"):
        gankit.preparee  # noqa: B018
    assert not hasattr(gankit, "_private")
