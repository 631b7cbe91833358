"""Writing files: whole or not at all."""

import json
from pathlib import Path

import pytest

from gwm_models.errors import OutputError
from gwm_models.files import LANDMARK, check_folder, csv_text, json_text, new_folder, write_text


def fill(folder, text="new"):
    with new_folder(folder, LANDMARK) as fresh:
        (fresh / LANDMARK).write_text(text)


def left_behind(folder):
    return [path.name for path in folder.iterdir()]


def test_a_folder_appears_whole(tmp_path):
    fill(tmp_path / "runs" / "one")
    assert (tmp_path / "runs" / "one" / LANDMARK).read_text() == "new"
    assert left_behind(tmp_path / "runs") == ["one"]


def test_an_old_run_is_replaced_whole(tmp_path):
    target = tmp_path / "one"
    fill(target, "old")
    (target / "extra.txt").write_text("of the old run")
    fill(target)
    assert left_behind(target) == [LANDMARK]
    assert (target / LANDMARK).read_text() == "new"
    assert left_behind(tmp_path) == ["one"]


def test_a_failure_half_way_leaves_the_old_run_and_nothing_else(tmp_path):
    target = tmp_path / "one"
    fill(target, "old")
    with pytest.raises(RuntimeError), new_folder(target, LANDMARK) as fresh:
        (fresh / LANDMARK).write_text("half")
        raise RuntimeError
    assert (target / LANDMARK).read_text() == "old"
    assert left_behind(tmp_path) == ["one"]


def test_a_folder_that_is_not_a_run_is_left_alone(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"is not a run folder \(no manifest.json\)"):
        fill(tmp_path / "precious")
    assert left_behind(tmp_path / "precious") == ["thesis.txt"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputError, match="Choose another place"):
            fill(place)
        with pytest.raises(OutputError, match="Choose another place"):
            check_folder(place, LANDMARK)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_place_that_nobody_can_write_is_refused():
    with pytest.raises(OutputError, match=r"cannot be written \(.+\)\. Choose another place with --out"):
        fill(Path("/proc/gwm-run"))
    with pytest.raises(OutputError, match="cannot be written"):
        check_folder(Path("/proc/gwm-run/below"), LANDMARK)


def test_a_check_leaves_nothing_behind(tmp_path):
    check_folder(tmp_path / "a" / "b", LANDMARK)
    fill(tmp_path / "old")
    check_folder(tmp_path / "old", LANDMARK)
    assert left_behind(tmp_path) == ["old"]


def test_a_text_file_is_replaced_whole(tmp_path):
    write_text(tmp_path / "a" / "table.csv", "one")
    write_text(tmp_path / "a" / "table.csv", "two")
    assert (tmp_path / "a" / "table.csv").read_text() == "two"
    assert left_behind(tmp_path / "a") == ["table.csv"]
    with pytest.raises(OutputError, match="cannot be written"):
        write_text(tmp_path / "a" / "table.csv" / "below", "three")


def test_csv_neutralises_formulas_and_keeps_numbers():
    rows = [{"a": "=1+1", "b": -2.5, "c": True}, {"a": "@x", "b": None, "c": False}, {"a": "-3.5", "b": 1, "c": None}]
    assert csv_text(rows) == "a,b,c\n'=1+1,-2.5,true\n'@x,,false\n-3.5,1,\n"


def test_json_refuses_what_is_not_a_number():
    assert json.loads(json_text({"é": 1.5})) == {"é": 1.5}
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text({"a": float("nan")})
