"""log.csv: rows are written and read, and a damaged end does no harm."""

import pytest

from gankit import GankitError
from gankit.core.parts.choice import Choice
from gankit.runs.log import append_rows, columns, read_log, read_rows, write_rows

NAMES = columns([Choice.parse("ema:decay=0.9"), Choice("noisy-d")])


def logged(step, **more):
    return {"step": step, "kimg": 0.5, "d_loss": 1.25, "ema": "decay 0.9, so far", **more}


def test_each_trick_has_a_column_of_its_name():
    assert NAMES[:3] == ["step", "kimg", "seconds"]
    assert NAMES[-2:] == ["ema", "noisy-d"]


def test_rows_are_written_appended_and_read(tmp_path):
    write_rows(tmp_path, NAMES, [logged(10, activity={})])
    append_rows(tmp_path, NAMES, [logged(20, **{"noisy-d": None})])
    rows = read_rows(tmp_path)
    assert [row["step"] for row in rows] == ["10", "20"]
    assert {name: rows[1][name] for name in ("d_loss", "ema", "noisy-d", "g_loss")} == {
        "d_loss": "1.25", "ema": "decay 0.9, so far", "noisy-d": "", "g_loss": "",
    }  # fmt: skip
    write_rows(tmp_path, NAMES, rows[:1])
    assert read_rows(tmp_path) == rows[:1]
    assert b"\r" not in (tmp_path / "log.csv").read_bytes()


def test_numbers_are_floats_and_other_columns_are_text(tmp_path):
    write_rows(tmp_path, NAMES, [logged(10), logged(20)])
    assert read_log(str(tmp_path / "log.csv")).keys() == read_log(tmp_path).keys()
    with pytest.raises(GankitError, match="there is no run at disc"):
        read_log("disc")
    log = read_log(tmp_path)
    assert list(log) == NAMES
    assert log["step"] == [10.0, 20.0]
    assert str(log["g_loss"]) == "[nan, nan]"
    assert log["ema"] == ["decay 0.9, so far"] * 2


def test_a_truncated_row_is_filled_and_rows_without_a_step_are_dropped(tmp_path):
    write_rows(tmp_path, NAMES, [logged(10)])
    with (tmp_path / "log.csv").open("a") as file:
        file.write("20,0.\n\n,1,2\nnoise\n")
    assert [row["step"] for row in read_rows(tmp_path)] == ["10", "20"]
    assert read_rows(tmp_path)[1]["ema"] == ""
    assert len(read_log(tmp_path)["d_loss"]) == 2


def test_a_missing_log_is_an_error_unless_missing_ok(tmp_path):
    with pytest.raises(GankitError, match=r"log\.csv"):
        read_rows(tmp_path)
    assert read_rows(tmp_path, missing_ok=True) == []


def test_a_log_without_rows_has_empty_columns(tmp_path):
    write_rows(tmp_path, NAMES, [])
    assert (tmp_path / "log.csv").read_text().startswith("step,kimg,seconds,d_loss,")
    assert read_log(tmp_path) == {name: [] for name in NAMES}


@pytest.mark.parametrize(
    "line",
    ["\u00b2,1,2,3", "9" * 5000 + ",1", "20,many", "20,1,2,1.2.3", "20,1e9999", "20,\x00", "20,-"],
)
def test_a_row_that_no_run_wrote_is_dropped(tmp_path, line):
    write_rows(tmp_path, NAMES, [logged(10)])
    with (tmp_path / "log.csv").open("a", encoding="utf-8") as file:
        file.write(f"{line}\n30,0.5\n")
    assert [row["step"] for row in read_rows(tmp_path)] == ["10", "30"]
    assert read_log(tmp_path)["step"] == [10.0, 30.0]


def test_cells_beyond_the_columns_and_bytes_that_are_not_utf_8_do_no_harm(tmp_path):
    write_rows(tmp_path, NAMES, [logged(10)])
    with (tmp_path / "log.csv").open("ab") as file:
        file.write(b"20,0.5,,,,,,,caf\xe9,,too,many,cells\n")
    assert len(read_log(tmp_path)["step"]) == 2


def test_a_cell_of_a_megabyte_is_no_log(tmp_path):
    write_rows(tmp_path, NAMES, [logged(10, ema="x" * 2**20)])
    with pytest.raises(GankitError, match=r"log\.csv"):
        read_rows(tmp_path)
