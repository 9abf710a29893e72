"""Each entry of docs/troubleshooting.md quotes a message, and names the tests that hold it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
ENTRIES = dict(re.findall(r"^### (.+)\n((?:<!-- .+ -->\n)*)", PAGE, flags=re.MULTILINE))
SYSTEM_MESSAGES = {"Access is denied"}  # said by Windows, not by gankit


def _texts(folder: str) -> str:
    """All string constants in the code, one a line; adjacent literals are one constant."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / folder).rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return "\n".join(n.value for n in nodes if isinstance(n, ast.Constant) and type(n.value) is str)


@pytest.fixture(scope="module")
def texts():
    return f"{_texts('gankit')}\n{_texts('plugins')}".casefold()


def test_the_page_has_entries():
    assert len(ENTRIES) > 30


@pytest.mark.parametrize("heading", ENTRIES)
def test_an_entry_names_tests_that_exist(heading):
    tests = re.findall(r"<!-- (\S+)::(\w+) -->", ENTRIES[heading])
    assert tests
    for file, name in tests:
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), (file, name)


@pytest.mark.parametrize("heading", ENTRIES)
def test_an_entry_quotes_a_message_as_it_is(heading, texts):
    for quoted in re.findall(r"`([^`]+)`", heading):
        for part in filter(str.strip, quoted.split("…")):
            assert part.strip(" :;,").casefold() in texts or quoted in SYSTEM_MESSAGES | {
                "..",
                "~",
                "?",
            }
