"""`--data .`: the pictures of a working folder, without what gankit wrote there itself."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture
def working_folder(pictures_folder, monkeypatch):
    """A folder with twelve pictures, which is the working directory."""
    monkeypatch.chdir(pictures_folder)
    return pictures_folder


def record_of(folder):
    return json.loads(Path(folder, "run.json").read_text())


def check(gankit_cli, *paths):
    code, out, err = gankit_cli("data", "check", *paths, "--json")
    assert code == 0, err
    return json.loads(out)


def test_the_second_run_and_a_resumed_one_have_the_pictures_of_the_first(
    gankit_run, gankit_cli, working_folder
):
    options = ("--dataset", "folder", "--data", ".", "--draw-every", 2, "--save-every", 2)
    assert gankit_cli("data", "preview", "--data", ".", "--batch-size", 8)[0] == 0
    assert gankit_run(*options)[0] == 0
    first = Path("runs", "folder-dcgan64-1")
    for file in ("grid.png", "grid.jpg", "loop.gif"):
        loop = ["--loop", "--count", 2] if file == "loop.gif" else []
        assert gankit_cli("sample", first, "--out", file, *loop)[0] == 0
    assert gankit_cli("sample", first, "--files", "--count", 2, "--out", "drawn")[0] == 0
    code, _, err = gankit_run(*options)
    assert code == 0
    assert err.count(str(first)) == 1  # one folder, named once
    assert "7 files" in err  # with the preview and five samples
    assert gankit_cli("run", "--resume", first, "--steps", 6)[0] == 0
    records = [record_of(folder) for folder in sorted(Path("runs").iterdir())]
    assert [record["prepared"]["pictures"] for record in records] == [12, 12]
    assert len({record["fingerprint"] for record in records}) == 1


def test_what_gankit_drew_is_taken_if_it_is_given_by_name(gankit_run, gankit_cli, working_folder):
    assert gankit_run("--out", "runs/x")[0] == 0
    assert gankit_cli("sample", "runs/x", "--files", "--count", 3, "--out", "drawn")[0] == 0
    assert check(gankit_cli, ".")["pictures"] == 12
    assert check(gankit_cli, "drawn")["pictures"] == 3
    samples = list(Path("runs/x/samples").iterdir())
    assert check(gankit_cli, "runs/x/samples")["pictures"] == len(samples)
    assert check(gankit_cli, ".", "runs/x/samples")["pictures"] == 12 + len(samples)
    shutil.make_archive("all", "zip", ".")
    assert check(gankit_cli, "all.zip")["pictures"] == 12


def test_a_race_is_passed_over(gankit_cli, working_folder):
    (working_folder / "race").mkdir()
    (working_folder / "race" / "race.json").write_text('{"gankit": "0.2", "variants": []}')
    Image.new("RGB", (9, 9)).save(working_folder / "race" / "race.png")
    report = check(gankit_cli, ".")
    assert report["pictures"] == 12
    (finding,) = (finding for finding in report["findings"] if "race" in finding["names"])
    assert finding["level"] == "fine"


def test_the_pictures_of_lessons_are_passed_over(gankit_cli, working_folder):
    shutil.copy("01.png", "lesson-01-real.png")
    shutil.copy("01.png", "lesson-plan.png")
    report = check(gankit_cli, ".")
    assert report["pictures"] == 13
    assert [line.partition(":")[0] for line in report["left_out"]] == ["lesson-01-real.png"]


# ---------------------------------------------------------------- files that are not pictures


def test_a_long_list_is_summarised_by_reason(gankit_run, gankit_cli, working_folder):
    kinds = {"mp4": 30, "7z": 20, "heic": 10, "svg": 5, "pdf": 4, "dcm": 3, "npy": 2}
    for ending, count in kinds.items():
        for number in range(count):
            (working_folder / f"x{number}.{ending}").write_bytes(b"\0\1\2\3")
    code, _, err = gankit_run("--dataset", "folder", "--data", ".", "--out", "../a", "--steps", 1)
    assert code == 0
    (line,) = (line for line in err.splitlines() if "skipped" in line)
    for word in ("74", "30", "20", "10", "x0.mp4", "x0.7z", "x0.heic", "14", "run.json"):
        assert word in line
    assert len(line) < 600
    assert len(record_of("../a")["prepared"]["skipped"]) == 74
    report = check(gankit_cli, ".")
    assert len(report["left_out"]) == 74
    ignored = [finding for finding in report["findings"] if "ignored" in finding["what"]]
    assert [len(finding["names"]) for finding in ignored] == [30, 20, 10, 5, 4, 5]
    assert "folder:every=10" in ignored[0]["mend"]


def test_a_set_of_failed_downloads_is_refused(gankit_run, gankit_cli, working_folder):
    for number in range(13):
        (working_folder / f"x{number}.jpg").write_text("<html>404</html>")
    code, _, err = gankit_run("--dataset", "folder", "--data", ".", "--out", "a")
    assert code == 2
    assert "13 of 25" in err
    assert "web page" in err
    (finding,) = (f for f in check(gankit_cli, ".")["findings"] if "web page" in f["what"])
    assert finding["level"] == "problem"


# ---------------------------------------------------------------- paths that are not there


def test_names_that_the_shell_did_or_did_not_replace(gankit_run, gankit_cli, working_folder):
    code, _, err = gankit_run("--dataset", "folder", "--data", "*.jpg")
    assert code == 2
    assert "*.jpg does not exist" in err
    assert "folder" in err
    assert "*.jpg does not exist" in gankit_cli("data", "check", "*.jpg").err
    code, _, err = gankit_run("--dataset", "folder", "--data", "00.jpg", "02.jpg", "04.jpg")
    assert code == 2
    assert "'02.jpg'" in err
    assert "--data" in err
    assert len(err) < 300
    assert check(gankit_cli, "00.jpg", "02.jpg", "04.jpg")["pictures"] == 3


@pytest.mark.parametrize("command", [("run", "--data"), ("data", "check")])
@pytest.mark.parametrize("address", ["https://example.com/pictures.zip", "s3://bucket/pictures"])
def test_a_web_address(command, address, gankit_cli):
    code, _, err = gankit_cli(*command, address)
    assert code == 2
    assert f"{address} is an address" in err
    assert "download" in err


def test_paths_with_commas_between_them(gankit_cli, working_folder):
    code, _, err = gankit_cli("run", "--data", "00.jpg,01.png")
    assert code == 2
    assert "00.jpg,01.png does not exist" in err
    assert "each path" in err


def test_a_list_of_many_files(gankit_run, working_folder):
    picture = (working_folder / "01.png").read_bytes()
    options = []
    for number in range(500):
        (working_folder / f"{number}.picture").write_bytes(picture + bytes(number))
        options += ["--data", f"{number}.picture"]
    code, _, err = gankit_run("--dataset", "folder", *options, "--out", "a", "--steps", 1)
    assert code == 0
    assert record_of("a")["prepared"]["pictures"] == 500
    assert all(len(line) < 300 for line in err.splitlines())


def test_a_home_folder_and_a_slash_at_the_end(gankit_cli, working_folder, monkeypatch):
    monkeypatch.setenv("HOME", str(working_folder.parent))
    monkeypatch.setenv("USERPROFILE", str(working_folder.parent))
    assert check(gankit_cli, "~/pictures/")["pictures"] == 12
