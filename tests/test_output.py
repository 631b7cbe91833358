"""Rows as a table, CSV or JSON on standard output."""

import csv
import io
import json
import math

import numpy as np
import pytest

from gwm_models.cli.output import Format, emit, write_line
from gwm_models.files import csv_text, plain, safe_cell

ROWS = [
    {"area": "Hull", "estimate": 1.5, "rank": 2, "note": "=1+1"},
    {"area": "York", "estimate": math.nan, "rank": 11, "note": None},
]


def test_json_is_one_array_with_null_for_what_is_missing(capsys):
    emit(ROWS, format="json")
    assert json.loads(capsys.readouterr().out) == [
        {"area": "Hull", "estimate": 1.5, "rank": 2, "note": "=1+1"},
        {"area": "York", "estimate": None, "rank": 11, "note": None},
    ]


def test_numpy_values_become_plain_numbers(capsys):
    row = {"a": np.float64(2.5), "b": np.int64(3), "c": np.array([1.0, np.inf]), "d": np.bool_(True)}
    emit([row], format="json")
    assert json.loads(capsys.readouterr().out) == [{"a": 2.5, "b": 3, "c": [1.0, None], "d": True}]
    assert plain({"when": (1, {"x": math.inf})}) == {"when": [1, {"x": None}]}
    assert plain({"when": (1, {np.str_("x"): np.float64(math.inf)})}, keep_nan=True) == {"when": [1, {"x": math.inf}]}


def test_csv_has_a_header_empty_cells_and_no_formula(capsys):
    emit(ROWS, format=Format.csv)
    assert capsys.readouterr().out == "area,estimate,rank,note\nHull,1.5,2,'=1+1\nYork,,11,\n"


def test_a_line_break_in_a_name_begins_no_row_of_its_own():
    for text in ("Hull\r=cmd()", "Hull\r\n=cmd()", "Hull\n=cmd()"):
        written = csv_text([{"area": text, "change": 1.0}])
        assert list(csv.reader(io.StringIO(written))) == [["area", "change"], ["Hull\n=cmd()", "1.0"]]
        assert "\r" not in written


@pytest.mark.parametrize("text", ["=cmd()", "+A1", "-A1", "@sum", "\t=1", "\r=1", "-", "+1-1", "-inf"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert safe_cell(text) == f"'{text}".replace("\r", "\n")


@pytest.mark.parametrize("text", ["=cmd()", "+A1", "-A1", "@sum", "-2+A1", "\uff1d1"])
@pytest.mark.parametrize("before", ["Hull;", "Hull; ", "1;-2; ", "Hull\t"])
def test_text_that_would_be_a_formula_where_tables_are_split_at_semicolons_gets_an_apostrophe(before, text):
    assert safe_cell(before + text) == f"{before}'{text}"
    assert safe_cell(["Hull", text]) == f"Hull; '{text}"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        *((-1.5, "-1.5"), ("-1.5", "-1.5"), ("+2e3", "+2e3"), (None, ""), ("a=1", "a=1")),
        *(([1.5, -2.0], "1.5; -2.0"), ("Hull; York, a=1", "Hull; York, a=1")),
    ],
)
def test_numbers_and_other_text_are_left_as_they_are(value, cell):
    assert safe_cell(value) == cell


def test_lists_share_a_cell(capsys):
    emit([{"areas": ["Hull", "York"]}], format="csv")
    assert list(csv.reader(io.StringIO(capsys.readouterr().out)))[1] == ["Hull; York"]


def test_a_table_in_a_pipe_is_aligned_plain_text(capsys):
    emit(ROWS, format="table", title="Two areas", columns=["area", "rank", "estimate"])
    assert capsys.readouterr().out == ("Two areas\narea  rank  estimate\nHull     2       1.5\nYork    11\n")


def test_a_table_on_a_terminal_has_borders_and_takes_text_literally(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    emit([{"area": "[bold]Hull[/bold]\x1b[31m", "rank": 2}], format="table", title="One [red]area")
    out = capsys.readouterr().out
    assert "[bold]Hull[/bold]" in out
    assert "One [red]area" in out
    assert "┃" in out


def test_control_characters_never_reach_the_terminal(capsys):
    emit([{"area": "Hull\x1b[2J\nYork"}], format="table")
    write_line("a\x07b\tc")
    assert capsys.readouterr().out == "area\nHull [2J York\na b c\n"


def test_no_rows_give_the_header_that_was_asked_for(capsys):
    emit([], format="csv", columns=["area", "rank"])
    emit([], format="json", columns=["area", "rank"])
    emit([], format="table", columns=["area", "rank"])
    assert capsys.readouterr().out == "area,rank\n[]\narea  rank\n"
