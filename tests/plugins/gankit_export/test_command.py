"""`gankit export`: where it writes, and what it refuses."""

import shutil
from pathlib import Path

import pytest
from gankit_export import torch_files

from gankit.runs.sampler import load


@pytest.fixture
def run(trained, here):
    """A copy of a run with the checkpoints 4 and 8."""
    return shutil.copytree(trained, here / "run")


@pytest.fixture
def pages(monkeypatch):
    """The steps of each page that was written in place of a real one."""
    written = []

    def write_page(samplers, path, available=1):  # it has tests of its own
        written.append([sampler.step for sampler in samplers])
        path.parent.mkdir(exist_ok=True)
        path.write_text("page")
        return ["a note"]

    monkeypatch.setattr("gankit_explore.page.write_page", write_page)
    return written


@pytest.mark.parametrize(
    ("options", "steps"),
    [((), [8]), (("--checkpoint", 4), [4]), (("--checkpoint", "all"), [4, 8])],
)
def test_a_page_is_the_default_and_may_have_all_checkpoints(run, gankit_cli, pages, options, steps):
    code, out, err = gankit_cli("export", "run", *options)
    assert (code, out.strip()) == (0, str(Path("run/export/explore.html")))
    assert err == "gankit: a note\n"
    assert pages == [steps]


def test_another_checkpoint_has_other_weights(run, gankit_cli):
    for step in (4, 8):
        out = f"at-{step}"
        assert not gankit_cli(
            "export", "run", "--format", "torch", "--checkpoint", step, "--out", out
        ).code
        assert f"--checkpoint {step}" in (run.parent / out / torch_files.DRAW).read_text()
    first, last = (run.parent / f"at-{step}" / torch_files.WEIGHTS for step in (4, 8))
    assert first.read_bytes() != last.read_bytes()
    code, _, err = gankit_cli("import", "at-8", "--out", "imported")  # the folder, not the file
    assert code == 0
    assert "netG.pth holds a generator" in err


def test_only_files_of_an_export_are_replaced(run, gankit_cli, here):
    export = ("export", "run", "--format", "torch", "--out", "files-v1.2")  # .2 is no ending
    for _ in range(2):
        assert gankit_cli(*export).code == 0
    files = here / "files-v1.2"
    for name in ("generator.py", "draw.py", "netG.pth"):
        own = here / f"own-{name}"
        own.mkdir()
        (own / name).write_text("# mine\n")
        code, out, err = gankit_cli(*export[:-1], own)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert name in err
        assert "--out" in err
        assert [(path.name, path.read_text()) for path in own.iterdir()] == [(name, "# mine\n")]
    (files / "draw.py").write_text("# mine\n")
    assert gankit_cli(*export).code == 2
    assert (files / "draw.py").read_text() == "# mine\n"


@pytest.mark.parametrize(
    ("words", "facts"),
    [
        ("--format onnx --checkpoint all", ("--checkpoint all", "--format web")),
        ("--checkpoint newest", ("--checkpoint", "'newest'")),
        ("--checkpoint 5", ("step-000005", "step-000008, step-000004")),
        ("--out page.txt", ("--out", "page.txt", ".html")),
        ("--format onnx --out netG.pth", ("--out", "netG.pth", ".onnx")),
        ("--format torch --out netG.pth", ("--out", "netG.pth", "folder")),
        ("--format torch --out nowhere/files", ("nowhere",)),
        ("--format keras", ("'keras'", "onnx")),
    ],
)
def test_what_cannot_be_written_is_refused_before_it_is_drawn(run, gankit_cli, pages, words, facts):
    code, out, err = gankit_cli("export", "run", *words.split())
    assert (code, out, pages) == (2, "", [])
    assert err.count("\n") == 1
    for fact in facts:
        assert fact in err
    assert not (run / "export").exists()


def test_a_link_that_leads_out_of_the_run_is_refused(run, gankit_cli, pages):
    (run.parent / "elsewhere").mkdir()
    (run / "export").symlink_to(run.parent / "elsewhere", target_is_directory=True)
    code, _, err = gankit_cli("export", "run")
    assert (code, pages) == (2, [])
    assert "export leads out" in err


def test_a_file_in_the_folder_means_the_run(run, gankit_cli, pages):
    gankit_cli("export", "run")
    code, _, err = gankit_cli("sample", "run/export/explore.html")
    assert code == 2
    assert "give run" in err
    assert load("run").step == 8
