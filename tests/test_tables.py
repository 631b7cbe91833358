"""Reading tables: types, filters, and what is said of files that cannot be used."""

import csv
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gwm_models.data.descriptor import read_descriptor
from gwm_models.data.tables import TableError, read_table
from gwm_models.errors import DataError

FIELDS = [
    {"name": "place", "type": "string", "constraints": {"required": True}},
    {"name": "note", "type": "string"},
    {"name": "rate", "type": "number"},
    {"name": "total", "type": "number", "constraints": {"required": True}},
    {"name": "people", "type": "integer"},
]
ROWS = """place,note,rate,total,people
North,,1.5,10,100
South,"dry, warm",,-2e1,200
East,,0.25,30.0,300
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a made-up package of one table, in the current folder so that messages are short."""
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "country"
    home.mkdir()
    write_descriptor(home, FIELDS)
    (home / "places.csv").write_text(ROWS, encoding="utf-8")
    return home


def write_descriptor(home, fields, **schema):
    resource = {"name": "places", "path": "places.csv", "schema": {"fields": fields, **schema}}
    (home / "datapackage.json").write_text(json.dumps({"resources": [resource]}), encoding="utf-8")


def test_columns_have_the_types_of_the_description(folder):
    table = read_table("places", folder=folder)
    assert table["place"].tolist() == ["North", "South", "East"]
    assert table["note"].tolist() == ["", "dry, warm", ""]
    np.testing.assert_array_equal(table["rate"], [1.5, np.nan, 0.25])
    assert (table["total"].dtype, table["total"].tolist()) == (np.float64, [10.0, -20.0, 30.0])
    assert (table["people"].dtype, table["people"].tolist()) == (np.int64, [100, 200, 300])
    assert (len(table), repr(table)) == (3, "Table(places, 3 rows, 5 columns)")


def test_columns_cannot_be_written_to(folder):
    table = read_table("places", folder=folder)
    for column in table.columns.values():
        with pytest.raises(ValueError, match="read-only"):
            column[0] = column[1]


def test_rows_are_plain_python_with_none_for_a_missing_number(folder):
    row = read_table("places", folder=folder).rows()[1]
    assert row == {"place": "South", "note": "dry, warm", "rate": None, "total": -20.0, "people": 200}
    assert [type(value) for value in row.values()] == [str, str, type(None), float, int]


def test_a_frame_holds_the_same_figures_and_its_own_copies(folder):
    table = read_table("places", folder=folder)
    frame = table.to_frame()
    assert list(frame.columns) == list(table.columns)
    assert frame["people"].sum() == 600
    assert frame["note"].tolist() == ["", "dry, warm", ""]
    frame.loc[0, "people"] = 7
    assert table["people"][0] == 100


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"place": "South"}, ["South"]),
        ({"place": ["North", "East"]}, ["North", "East"]),
        ({"place": {"North", "East"}, "people": "300"}, ["East"]),
        ({"note": ""}, ["North", "East"]),
        ({"place": "Nor"}, []),
        ({"place": []}, []),
        ({}, ["North", "South", "East"]),
    ],
)
def test_where_keeps_rows_whose_text_is_equal_or_a_member(folder, where, expected):
    assert read_table("places", where=where, folder=folder)["place"].tolist() == expected


def test_a_table_without_rows_keeps_its_columns_and_types(folder):
    table = read_table("places", where={"place": "nowhere"}, folder=folder)
    assert len(table) == 0
    assert [column.dtype.kind for column in table.columns.values()] == ["O", "O", "f", "f", "i"]


NASTY = st.text(alphabet="ab ,\"\n;'=", max_size=6)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), NASTY), min_size=1, max_size=8))
def test_filtering_while_reading_equals_reading_then_filtering(folder, rows):
    fields = [{"name": "key", "type": "string"}, {"name": "text", "type": "string"}]
    write_descriptor(folder, fields)
    with open(folder / "places.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([("key", "text"), *rows])
    table = read_table("places", where={"key": ["a", "c"]}, folder=folder)
    assert list(zip(table["key"], table["text"], strict=True)) == [row for row in rows if row[0] in "ac"]


def test_an_unknown_table_is_answered_with_the_nearest_name(folder):
    with pytest.raises(DataError) as caught:
        read_table("place", folder=folder)
    assert str(caught.value) == f"There is no table 'place' in {folder}. Did you mean places?"


def test_an_unknown_column_is_answered_with_the_nearest_name(folder):
    with pytest.raises(DataError) as caught:
        read_table("places", where={"peple": "1"}, folder=folder)
    assert str(caught.value) == "Table 'places' has no column 'peple'. Did you mean people or place?"
    with pytest.raises(DataError, match=r"has no column 'xyz'\. Known: place, note, rate, total, people"):
        read_table("places", folder=folder)["xyz"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1.5,10", "abc,10", "2:3: error: rate: expected a number, found 'abc'."),
        ("1.5,10", "1_5,10", "2:3: error: rate: expected a number, found '1_5'."),
        ("1.5,10", " 1.5,10", "2:3: error: rate: expected a number, found ' 1.5'."),
        ("1.5,10", "nan,10", "2:3: error: rate: expected a number, found 'nan'."),
        ("1.5,10", "inf,10", "2:3: error: rate: expected a number, found 'inf'."),
        ("1.5,10", "1e999,10", "2:3: error: rate: expected a number, found '1e999'."),
        ("1.5,10", "1-5,10", "2:3: error: rate: expected a number, found '1-5'."),
        ("1.5,10", "\u0661,10", "2:3: error: rate: expected a number, found '\u0661'."),
        ("30.0,300", ",300", "4:4: error: total: the cell is empty, expected a value."),
        ("30.0,300", "30.0,", "4:5: error: people: the cell is empty, expected a value."),
        ("30.0,300", "30.0,3.5", "4:5: error: people: expected a whole number, found '3.5'."),
        ("30.0,300", "30.0,99999999999999999999", "4:5: error: people: expected a whole number, found '9999"),
        ("East", "", "4:1: error: place: the cell is empty, expected a value."),
    ],
)
def test_a_bad_cell_is_named_by_line_column_and_what_was_expected(folder, old, new, message):
    (folder / "places.csv").write_text(ROWS.replace(old, new), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_table("places", folder=folder)
    assert f"country/places.csv:{message}" in str(caught.value)
    assert "Fix: " in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "1:1: error: the columns are not those of datapackage.json: missing place, note, rate, total"),
        (ROWS.replace("rate,", "").encode(), "columns are not those of datapackage.json: missing rate."),
        (ROWS.replace("rate", "rat").encode(), "datapackage.json: missing rate; unknown rat. Fix: the first"),
        (ROWS.replace("place,note", "note,place").encode(), "datapackage.json: another order, or one twice."),
        (ROWS.replace(",100", "").encode(), "2:1: error: the row has 4 cells, expected 5. Fix: give every"),
        (ROWS.replace('"dry, warm"', "dry, warm").encode(), "3:1: error: the row has 6 cells, expected 5."),
        (ROWS.replace("South", "\nSouth").encode(), "3:1: error: the line is blank. Fix: delete the line."),
        (ROWS.replace('warm"', "warm").encode(), "4:1: error: the row is not CSV (unexpected end of data)."),
        (b'"place\n', "1:1: error: the header is not CSV (unexpected end of data)."),
        (ROWS.replace("South", "S\u00fcd").encode("latin-1"), "3:2: error: byte 0xfc is not UTF-8. Fix:"),
        (bytes([0, 255, 254]) * 40, "1:2: error: byte 0xff is not UTF-8"),
    ],
)
def test_a_file_that_is_not_the_table_described_is_one_clear_error(folder, content, message):
    (folder / "places.csv").write_bytes(content)
    with pytest.raises(TableError) as caught:
        read_table("places", folder=folder)
    assert "country/places.csv:" in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_byte_order_mark_and_windows_line_ends_are_read(folder):
    (folder / "places.csv").write_bytes(b"\xef\xbb\xbf" + ROWS.replace("\n", "\r\n").encode())
    assert read_table("places", folder=folder)["people"].tolist() == [100, 200, 300]


def test_a_missing_file_and_a_folder_in_its_place_are_clear_errors(folder):
    (folder / "places.csv").unlink()
    with pytest.raises(DataError, match=r"places\.csv: error: the file cannot be read \(No such file"):
        read_table("places", folder=folder)
    (folder / "places.csv").mkdir()
    with pytest.raises(DataError, match=r"the file cannot be read \(Is a directory\)\. Fix: restore"):
        read_table("places", folder=folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read (No such file or directory). A data folder needs a datapackage.json."),
        (b"{", "datapackage.json:1:2: not JSON: Expecting property name"),
        (b"\xff", "byte 1 is not UTF-8"),
        (b"{}", "'resources' is missing from the package or a table"),
        (b"[]", "not a tabular data package: list indices"),
        (b'{"resources": [{"name": "a", "path": "a.csv"}]}', "'schema' is missing"),
        (b'{"resources": [{"name": "a", "path": "../a", "schema": {"fields": []}}]}', "out of the folder"),
        (
            b'{"resources": [{"name": "a", "path": "a", "schema": {"fields": [{"name": "x", "type": "date"}]}}]}',
            "field 'x' has type 'date', expected one of string, number, integer",
        ),
        (
            b'{"resources": [{"name": "a", "path": "a", "schema": {"fields": [{"name": "x"}, {"name": "x"}]}}]}',
            "field of 'a' described twice: x",
        ),
        (
            b'{"resources": [{"name": "a", "path": "a", "schema": {"fields": []}}, '
            b'{"name": "a", "path": "b", "schema": {"fields": []}}]}',
            "table described twice: a",
        ),
        (
            b'{"resources": [{"name": "a", "path": "a", "schema": {"fields": [], "primaryKey": "x"}}]}',
            "a key of 'a' names 'x', not a field of 'a'",
        ),
        (
            b'{"resources": [{"name": "a", "path": "a", "schema": {"fields": [], "foreignKeys": '
            b'[{"fields": "x", "reference": {"resource": "b", "fields": "x"}}]}}]}',
            "a key of 'a' refers to 'b', a table not described",
        ),
        (
            b'{"resources": [{"name": "a", "path": "a", "schema": {"fields": '
            b'[{"name": "x", "constraints": {"pattern": "("}}]}}]}',
            "not a tabular data package: missing ), unterminated subpattern",
        ),
    ],
)
def test_a_description_that_cannot_be_used_is_one_clear_error(folder, content, message):
    (folder / "datapackage.json").unlink()
    if content is not None:
        (folder / "datapackage.json").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_table("places", folder=folder)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_description_is_parsed_once_and_again_when_it_changes(folder):
    first = read_descriptor(folder)
    assert read_descriptor(folder) is first
    write_descriptor(folder, [*FIELDS, {"name": "more", "type": "string"}])
    assert read_descriptor(folder).table("places").columns[-1] == "more"


def test_shipped_tables_are_read_by_name():
    pay = read_table("indicators", where={"variable": "median_gross_weekly_pay", "period": "2018-04"})
    assert 90 < len(pay) <= 117
    assert set(pay["variable"]) == {"median_gross_weekly_pay"}
    assert 300 < np.median(pay["value"]) < 700
