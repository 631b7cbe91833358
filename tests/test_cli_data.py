"""`gwm data` on the command line."""

import csv
import json
import shutil

import pytest
from data_copy import make_small, replace_line
from typer.testing import CliRunner

from gwm_models.cli.data import app
from gwm_models.data.descriptor import read_descriptor
from gwm_models.data.home import data_home
from gwm_models.data.package import describe_table, list_tables
from gwm_models.errors import DataError


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("small") / "data")


@pytest.fixture
def copy(small, tmp_path, monkeypatch):
    """Return a fresh copy of the small package as the folder `data` below the current folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(small, tmp_path / "data")
    return tmp_path / "data"


def gwm_data(*words):
    return CliRunner().invoke(app, [*words])


def test_the_check_command_prints_warnings_then_a_last_line():
    result = gwm_data("check")
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert len(lines) == 18
    assert all(": warning: " in line for line in lines[:-1])
    assert lines[-1].endswith("values checked: 0 errors, 17 warnings")


def test_the_check_command_ends_with_the_errors_and_exit_code_1(copy):
    replace_line(copy / "monitor_scores.csv", 5, "183.7", "abc")
    result = gwm_data("check", "--folder", "data")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-2:] == [
        "data/monitor_scores.csv:5:6: error: status: expected a number, found 'abc'. Fix: correct it.",
        "15 tables, 1,609 rows, 11,315 values checked: 1 error, 10 warnings",
    ]


def test_the_check_command_writes_problems_as_rows_and_the_count_beside_them(copy):
    replace_line(copy / "borders.csv", 3, "E06000040", "\x1b[31mred")
    result = gwm_data("check", "--folder", "data", "--format", "json")
    assert result.exit_code == 1
    last = json.loads(result.stdout)[-1]
    assert list(last) == ["file", "line", "column", "severity", "path", "what", "fix"]
    assert (last["file"], last["line"], last["column"]) == ("data/borders.csv", 3, 2)
    assert last["severity"] == "error"
    assert result.stderr.rstrip().endswith("2 errors, 17 warnings")
    assert "\x1b" not in gwm_data("check", "--folder", "data").stdout


def test_the_list_command_is_plain_text_in_a_pipe_and_rows_in_csv_and_json():
    text = gwm_data("list").stdout
    assert text.splitlines()[0].split() == ["table", "rows", "columns", "title"]
    assert "\x1b" not in text
    rows = list(csv.DictReader(gwm_data("list", "--format", "csv").stdout.splitlines()))
    assert [row["table"] for row in rows] == [row["table"] for row in list_tables()]
    assert json.loads(gwm_data("list", "--format", "json").stdout) == list_tables()


def test_the_describe_command_shows_columns_and_variables():
    text = gwm_data("describe", "outcomes").stdout
    assert text.startswith("outcomes: Health outcomes by unit\n")
    assert "Rows: 15,714. Key: unit_code, variable, sex, period." in text
    assert "healthy_life_expectancy_at_birth    years" in text
    described = json.loads(gwm_data("describe", "outcomes", "--format", "json").stdout)
    assert described == describe_table("outcomes")
    rows = list(csv.DictReader(gwm_data("describe", "areas", "--format", "csv").stdout.splitlines()))
    assert [row["column"] for row in rows] == list(read_descriptor(data_home()).table("areas").columns)


def test_an_unknown_table_is_a_data_error_on_the_command_line():
    result = gwm_data("describe", "outcome")
    assert isinstance(result.exception, DataError)
    assert "Did you mean outcomes?" in str(result.exception)
