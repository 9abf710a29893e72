"""The words of gankit: the field's terms in code, and plain English in all that a person reads."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Names that say nothing about what they hold.
FILLER = {"one", "found", "wanted", "asked", "said", "known", "right", "there", "beside", "every"}
FILLER |= {"here", "apart", "told", "some", "both", "under"}
# Idioms that a reader whose English is a second language has to read twice.
IDIOMS = {
    "say 'omit'": r"\b(leaves?|leaving|left) (\S+ ){1,4}away\b",
    "say 'overrides' or 'comes before'": r"\b(goes|go) before\b",
    "say 'when you train on your own'": r"\bwho brings?\b|\b(that|pictures) (is|are) brought\b",
    "say 'NaN' or 'not a finite number'": r"\bno numbers?\b",
    "say 'N', or how many": r"\bso many\b",
    "say 'is not a'": r"(?<!there )\b(is|are|was|were) no (?!(longer|more|less|\w+er|worse)\b)",
    "say 'gankit warns'": r"\bthat is said\b",
}

SOURCES = sorted([*ROOT.glob("gankit/**/*.py"), *ROOT.glob("plugins/**/*.py")])
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("lessons/*.py"))]
for pattern in ("docs/*.md", "docs/*.py", "plugins/**/*.md", "plugins/**/*.html"):
    PAGES += sorted(ROOT.glob(pattern))


def test_names_say_what_they_hold():
    names = []  # few are left: options of tricks such as `every`, and the right side of a box
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = None
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                name = node.id
            elif isinstance(node, ast.arg):
                name = node.arg
            if name in FILLER:
                names.append(f"{path.relative_to(ROOT)}:{node.lineno} {name}")
    assert len(names) < 25, names


def test_one_assignment_a_line():
    packed = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Tuple):
                continue
            if isinstance(node.targets[0], ast.Tuple):
                packed.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert len(packed) < 10, packed


def prose_of(path):
    """What a person reads in a file: a page as it is, of code the strings and the comments."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return text
    pieces = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            pieces.append(token.string.lstrip("# "))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            pieces.append(node.value)
    return " ".join(pieces)


def idioms_in(text):
    words = " ".join(text.split())
    for advice, pattern in IDIOMS.items():
        for match in re.finditer(pattern, words, re.IGNORECASE):
            yield f"{words[max(0, match.start() - 30) : match.end() + 30]!r}: {advice}"


@pytest.mark.parametrize("files", [SOURCES, PAGES], ids=["code", "pages"])
def test_no_idiom_that_reads_like_a_translation(files):
    found = {str(path.relative_to(ROOT)): list(idioms_in(prose_of(path))) for path in files}
    assert not {name: idioms for name, idioms in found.items() if idioms}


@pytest.mark.parametrize(
    "sentence",
    [
        "Leave --data away",
        "every other option goes before them",
        "for pictures that are brought",
        "losses become no number at all",
        "a grid for each so many steps",
        "blue is no length of a run",
        "if variants differ, that is said",
    ],
)
def test_idioms_are_seen(sentence):
    assert list(idioms_in(sentence))


@pytest.mark.parametrize(
    "sentence", ["there is no GPU", "it is no longer read", "which is no slower"]
)
def test_plain_sentences_pass(sentence):
    assert not list(idioms_in(sentence))
