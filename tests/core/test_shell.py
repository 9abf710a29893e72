"""Printed commands can be pasted: a shell splits them into the words that gankit meant."""

import os
import shlex
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from gankit import compose
from gankit.core.run.settings import command_line
from gankit.core.shell import join_command, quote_word, split_command

WORDS = [
    "gankit", "run", "my pictures", "it's", 'a "b"', "$HOME", "a`b", "diffaugment:policy=a,b",
    "", "~/x", "a&b|c", "(1)", "größe", "日本", "back\\slash", "x;y", "*.png", "--lr-g", "0.0002",
]  # fmt: skip
ODD_WORDS = ["two\nlines", "tab\there", "caf\udce9", "日\udce9本", "\x1b[31m", "it's\n\\odd"]


def test_posix_words_are_quoted_as_shlex_does():
    assert join_command(WORDS) == shlex.join(WORDS)


@pytest.mark.skipif(sys.platform == "win32" or not shutil.which("bash"), reason="needs bash")
def test_bash_splits_the_line_into_the_same_words():
    line = f"printf '%s\\0' {join_command(WORDS + ODD_WORDS)}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True)
    assert done.stdout.split(b"\0")[:-1] == [os.fsencode(word) for word in WORDS + ODD_WORDS]


def test_a_quoted_word_is_one_printable_line():
    for word in ODD_WORDS:
        assert quote_word(word).isprintable()
        assert quote_word(word).isascii()  # so that every output can spell it


@pytest.fixture
def windows(monkeypatch):
    monkeypatch.setattr("gankit.core.shell.os", SimpleNamespace(name="nt"))


def split_as_windows_does(line):
    """The rules of CommandLineToArgvW, which every program of Windows splits its words with."""
    words = []
    word = None
    is_quoted = False
    position = 0
    while position < len(line):
        rest = line[position:]
        backslashes = len(rest) - len(rest.lstrip("\\"))
        follows_quote = rest[backslashes : backslashes + 1] == '"'
        if backslashes and follows_quote:
            word = (word or "") + "\\" * (backslashes // 2)
            position += backslashes
            if backslashes % 2:
                word += '"'
                position += 1
        elif rest[0] == '"':
            word = word or ""
            is_quoted = not is_quoted
            position += 1
        elif rest[0] == " " and not is_quoted:
            words += [] if word is None else [word]
            word = None
            position += 1
        else:
            word = (word or "") + rest[0]
            position += 1
    return words + ([] if word is None else [word])


def test_windows_splits_the_line_into_the_same_words(windows):
    words = [*WORDS, "C:\\my pictures\\", "runs\\petals\\", '\\"', "a\\\\b c\\\\", "\\\\server\\x"]
    assert split_as_windows_does(join_command(words)) == words


def test_windows_paths_need_no_quotes_and_never_single_ones(windows):
    assert quote_word("runs\\petals") == "runs\\petals"
    assert quote_word("C:\\Users\\jürgen\\runs") == "C:\\Users\\jürgen\\runs"
    assert quote_word("my runs\\a") == '"my runs\\a"'
    for syntax in "&|<>^(),;@{}~ ":  # of cmd or PowerShell
        assert quote_word(f"a{syntax}b") == f'"a{syntax}b"'


def test_the_command_of_a_run_can_be_pasted_on_windows(windows):
    run = compose(data=["C:\\my pictures\\", "D:\\it's"], steps=4)
    line = command_line(run)
    assert '--data "C:\\my pictures\\\\" --data "D:\\it\'s"' in line
    assert split_as_windows_does(line)[:2] == ["gankit", "run"]


def test_a_pasted_path_of_windows_keeps_its_backslashes(windows):
    line = 'gankit run --config runs\\7\\run.json --data "C:\\my cats"  # again'
    words = ["gankit", "run", "--config", "runs\\7\\run.json", "--data", "C:\\my cats"]
    assert split_command(line) == words
