"""Writing files: whole or not at all."""

import json
from pathlib import Path
from threading import Thread

import pytest

from gwm_models.errors import OutputError
from gwm_models.files import (
    LANDMARK,
    RUN,
    check_run_folder,
    csv_text,
    json_text,
    new_folder,
    write_folder,
    write_text,
)


def fill(folder, text="new"):
    with new_folder(folder, RUN) as fresh:
        (fresh / LANDMARK).write_text(json_text({"schema": "gwm-manifest/1", "text": text}))


def text_of(folder):
    return json.loads((folder / LANDMARK).read_text())["text"]


def left_behind(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_whole(tmp_path):
    fill(tmp_path / "runs" / "one")
    assert text_of(tmp_path / "runs" / "one") == "new"
    assert left_behind(tmp_path / "runs") == ["one"]


def test_an_old_run_is_replaced_whole(tmp_path):
    target = tmp_path / "one"
    fill(target, "old")
    (target / "report.html").write_text("of the old run")
    fill(target)
    assert left_behind(target) == [LANDMARK]
    assert text_of(target) == "new"
    assert left_behind(tmp_path) == ["one"]


def test_a_failure_half_way_leaves_the_old_run_and_nothing_else(tmp_path):
    target = tmp_path / "one"
    fill(target, "old")
    with pytest.raises(RuntimeError), new_folder(target, RUN) as fresh:
        (fresh / LANDMARK).write_text("half")
        raise RuntimeError
    assert text_of(target) == "old"
    assert left_behind(tmp_path) == ["one"]


def test_a_failed_replacement_puts_the_old_run_back_where_folders_cannot_be_swapped(tmp_path, monkeypatch):
    monkeypatch.setattr("gwm_models.files.place.swap", lambda *_: False)
    target = tmp_path / "one"
    fill(target, "old")
    rename = Path.rename

    def fail(self, goal):
        if self.name.startswith(".one.") and Path(goal) == target:
            raise OSError(28, "No space left on device")
        return rename(self, goal)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OutputError, match="No space left on device"):
        fill(target)
    assert text_of(target) == "old"
    assert left_behind(tmp_path) == ["one"]


def test_a_folder_is_written_from_texts_bytes_and_functions_alike(tmp_path):
    mark = json_text({"schema": "gwm-manifest/1"})
    files = {LANDMARK: mark, "areas.csv": "caf\u00e9\r\n", "draws.nc": bytes([0, 255]), "summary.json": Path.touch}
    write_folder(tmp_path / "one", RUN, files)
    assert left_behind(tmp_path / "one") == sorted(files)
    assert (tmp_path / "one" / "areas.csv").read_bytes() == b"caf\xc3\xa9\r\n"
    assert (tmp_path / "one" / "draws.nc").read_bytes() == b"\x00\xff"

    def fail(path):
        raise RuntimeError(path.name)

    with pytest.raises(RuntimeError, match=r"draws\.nc"):
        write_folder(tmp_path / "one", RUN, files | {"areas.csv": "new", "draws.nc": fail})
    assert (tmp_path / "one" / "areas.csv").read_text("utf-8").startswith("caf")
    assert left_behind(tmp_path) == ["one"]


def test_a_run_can_be_replaced_through_a_link(tmp_path):
    fill(tmp_path / "one", "old")
    (tmp_path / "link").symlink_to(tmp_path / "one")
    fill(tmp_path / "link", "linked")
    assert text_of(tmp_path / "one") == "linked"
    assert left_behind(tmp_path) == ["link", "one"]


def test_many_runs_into_one_folder_leave_one_whole_run(tmp_path):
    target = tmp_path / "one"
    errors = []

    def work(name):
        for _ in range(20):
            try:
                fill(target, name)
            except OutputError as error:
                errors.append(error)

    threads = [Thread(target=work, args=(str(i),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert text_of(target) in {"0", "1", "2", "3"}
    assert left_behind(tmp_path) == ["one"]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"thesis.txt": "mine"}, "it holds thesis.txt"),
        ({LANDMARK: '{"schema": "gwm-manifest/1"}', "notes.txt": "mine"}, "it holds notes.txt"),
        ({LANDMARK: '{"name": "a web app"}'}, "its manifest.json is not that of a run"),
    ],
)
def test_a_folder_that_is_not_just_a_run_is_left_alone(tmp_path, files, why):
    place = tmp_path / "precious"
    place.mkdir()
    for name, text in files.items():
        (place / name).write_text(text)
    for attempt in (fill, check_run_folder):
        with pytest.raises(OutputError, match=why):
            attempt(place)
    assert {path.name: path.read_text() for path in place.iterdir()} == files


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        for attempt in (fill, check_run_folder):
            with pytest.raises(OutputError, match="Choose another place"):
                attempt(place)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_place_that_nobody_can_write_is_refused():
    for attempt in (fill, check_run_folder):
        with pytest.raises(OutputError, match=r"cannot be written \(.+\)\. Choose another place with --out"):
            attempt(Path("/proc/gwm-run/below"))


def test_a_check_leaves_nothing_behind(tmp_path):
    check_run_folder(tmp_path / "a" / "b")
    fill(tmp_path / "old")
    check_run_folder(tmp_path / "old")
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
