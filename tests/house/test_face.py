"""The names that `import gankit` offers are the same for Python, `help()` and type checkers."""

import ast
import inspect
import pydoc

import pytest

import gankit


def names_for_type_checkers():
    """The imports in the block under TYPE_CHECKING: name -> module."""
    tree = ast.parse(inspect.getsource(gankit))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    return {alias.asname: line.module for line in block.body for alias in line.names}


def test_python_and_type_checkers_read_the_same_table():
    assert names_for_type_checkers() == gankit._MODULES
    assert list(gankit._MODULES) == sorted(gankit._MODULES)


@pytest.mark.parametrize("name", gankit.__all__)
def test_every_name_exists_and_is_in_dir_and_help(name):
    assert getattr(gankit, name) is not None
    assert name in dir(gankit)
    if name != "__version__":
        assert name in pydoc.plain(pydoc.render_doc(gankit))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'gankit'.*'preparee'"):
        gankit.preparee  # noqa: B018
    assert not hasattr(gankit, "_private")


def test_dir_has_the_public_names_only_and_an_unknown_one_gets_a_hint():
    assert set(dir(gankit)) == set(gankit.__all__)
    for wrong, right in [("resume", "train"), ("evalute", "evaluate"), ("xyz", "dir")]:
        with pytest.raises(AttributeError, match=f"{wrong}.*{right}"):
            getattr(gankit, wrong)
