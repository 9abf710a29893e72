"""Data sets that read a file of their own: resumed from another folder, plugins given as a text."""

import shlex

import numpy as np
import pytest

import gankit
from gankit import GankitError, compose, load_run, testing, train

SOURCE = """
import numpy as np

from gankit import DatasetSpec, hookimpl


class Arrays:
    def __init__(self, file: str = "mine.npz"):
        with np.load(file) as arrays:
            self.images = arrays["images"]

    def fingerprint(self):
        return f"arrays-{int(self.images.sum())}"

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index]


@hookimpl
def register_datasets(register):
    register(DatasetSpec(name="arrays", summary="mine", source="me", build=Arrays))
"""


@pytest.fixture
def plugin(here):
    pictures = np.random.RandomState(1).randint(0, 256, (40, 16, 16, 3), dtype=np.uint8)
    np.savez(here / "mine.npz", images=pictures)
    (here / "mine.py").write_text(SOURCE)
    return here / "mine.py"


def test_a_missing_file_of_a_resumed_run_names_the_folder_where_it_began(plugin, tiny, monkeypatch):
    settings = tiny(dataset="arrays", length="2 steps", tricks=["none"])
    folder = train(compose(**settings, plugins="mine.py", out="run")).absolute()
    (folder.parent / "other").mkdir()
    monkeypatch.chdir(folder.parent / "other")
    with pytest.raises(GankitError, match=rf"mine\.npz.*began in \S*{folder.parent.name}:"):
        train(load_run(folder, steps=3), resume=True)
    monkeypatch.chdir(folder.parent)
    train(load_run(folder, steps=3), resume=True)


def test_an_option_may_name_a_file_of_arrays(plugin, here, gankit_cli, tiny):
    dataset = "arrays:file=mine.npz"
    start = ("-p", plugin, "run")
    small = ("--model", "dcgan64:base_channels=4", "--image-size", "16", "--batch-size", "8")
    assert gankit_cli(*start, "--dataset", dataset, *small, "--steps", 1, "--out", "a").code == 0
    command = load_run("a", plugins=plugin)
    again = shlex.split(gankit.command_line(command))[1:]
    assert dataset in again
    assert gankit_cli(*again, "--out", "b").code == 0
    assert gankit_cli(*start, "--config", "a/run.json", "--out", "c", "--steps", 1).code == 0
    assert gankit_cli("-p", plugin, "data", "check", dataset).code == 0
    assert compose(**tiny(dataset=dataset), plugins=plugin).dataset == dataset
    code, _, err = gankit_cli(*start, "--dataset", "arays:file=mine.npz")
    assert code == 2
    assert "Did you mean 'arrays'" in err


def test_a_fingerprint_may_be_a_method(plugin):
    testing.check_dataset("arrays", plugin=load_module(plugin))


def load_module(path):
    from gankit.core.parts.registry import import_file

    return import_file(path)


def test_the_path_of_one_plugin_needs_no_list(plugin, here, tiny):
    assert compose(plugins="mine.py", dataset="arrays").dataset == "arrays"
    folder = train(compose(**tiny(dataset="arrays", length="1 steps"), plugins=plugin, out="run"))
    assert load_run(folder, plugins=str(plugin)).in_python.files == (str(plugin),)
