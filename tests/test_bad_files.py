"""Files that are none, and tables that say another number than they seem to: refused soon, in a line, with code 1."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from limited import Told, run_limited
from made_up_country import country

from gwm_models.errors import DataError, Problem, is_hidden, printable
from gwm_models.evaluation.appraisal_terms import read_deflator
from gwm_models.evaluation.panel import as_time
from gwm_models.evaluation.table_file import Wanted, read_panel_file
from gwm_models.files import read_bytes

LONG = "x" * 10_000
COLUMNS = ("--unit", "area", "--time", "year", "--outcome", "rate", "--treated", "A", "--start", "2002", "--design")
APPRAISED = "northern-participation-2026"
HEAD = "area,year,rate,note\n"
ROWS = "A,2001,1,\nA,2002,2,\nB,2001,3,\nB,2002,4,\n"
FILLER = "\u3164"
"""A letter of Unicode that shows as nothing."""


def commands(place: Path) -> dict[str, list[str | Path]]:
    pipe, loop, other = place / "pipe", place / "loop", place / "other"
    os.mkfifo(pipe)
    loop.symlink_to(other)
    other.symlink_to(loop)
    found: dict[str, list[str | Path]] = {}
    for name, path in {"pipe": pipe, "device": Path("/dev/zero")}.items():
        found[f"panel {name}"] = ["evaluate", "--panel", path, *COLUMNS, "did"]
        found[f"deflator {name}"] = ["appraise", APPRAISED, "--deflator", path]
        found[f"table {name}"] = ["data", "lint", path]
        found[f"claims {name}"] = ["data", "lint", "conditions_scores", "--claims", path]
        found[f"against {name}"] = ["data", "lint", "conditions_scores", "--against", path]
        found[f"shapes {name}"] = ["ranks", "--boundaries", path, "--plot", place / "ranks.html"]
    for name, words in {"rerun": ["rerun"], "build": ["data", "build"], "init": ["init"]}.items():
        found[f"long {name}"] = [*words, LONG]
    found["long edition"] = ["ranks", "--edition", LONG]
    found["loop build"] = ["data", "build", loop]
    found["loop out"] = ["data", "build", country(place / "land"), "--out", loop]
    return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    place = tmp_path_factory.mktemp("files")
    every = commands(place)
    return dict(zip(every, run_limited(list(every.values()), place), strict=True))


def test_a_pipe_a_device_a_long_name_and_links_in_a_ring_are_refused_in_one_line(told):
    words = {"long": "x...: the name is too long. Give a shorter one.", "loop build": "loop is not a folder."}
    words |= {"loop out": "loop cannot be written (Too many levels of symbolic links)."}
    for name, found in told.items():
        assert found.code == 1 and found.out.count("\n") == 1 and found.out[:-1].isprintable(), (name, found)
        assert words.get(name, words.get(name.split()[0], "not a regular file")) in found.out, (name, found.out)
        assert len(found.out) < 400 and found.seconds < 5 and found.peak < 700, (name, found)


def test_a_folder_is_built_from_within(tmp_path, monkeypatch, capsys):
    from gwm_models.cli import run_command

    monkeypatch.chdir(country(tmp_path / "land"))
    monkeypatch.setattr("sys.argv", ["gwm", "data", "build", "."])
    assert run_command() == 0 and (tmp_path / "land-edition" / "edition.json").is_file()
    assert str(tmp_path / "land-edition") in capsys.readouterr().out


def test_a_file_is_read_up_to_a_size(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    assert read_bytes(tmp_path / "file", 5) == b"12345"
    for path, most in ((tmp_path / "file", 4), (tmp_path, 5), (tmp_path / "none", 5), (Path("a\0b"), 5)):
        with pytest.raises(OSError):
            read_bytes(path, most)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('A,2000,1,"x\n', "unexpected end of data"),
        ('A,2000,"1"2,\n', "expected after"),
        ("A,2000,1_2,\n", r"panel\.csv:2:1: error: rate: 1 cell is no finite number \('1_2'"),
        ("A,2_000,1,\n", "error: year: mixes numbers and text"),
        (f"{'A' * 201},2000,1,\n", r":2:1: error: area: 1 cell is of more than 200 characters \(201\)"),
        (f"A{FILLER},2000,1,\n", r":2:1: error: area: 1 cell is with hidden characters \('A\\u3164'\)"),
    ],
)
def test_a_row_that_swallows_others_or_reads_as_another_is_refused(tmp_path, row, words):
    """Python takes 1_2 for 12, and a lax reader of CSV a quote left open for the rest of the file."""
    path = tmp_path / "panel.csv"
    path.write_text(f"{HEAD}{row}{ROWS}", encoding="utf-8")
    with pytest.raises(DataError, match=words) as caught:
        read_panel_file(path, Wanted("area", "year", "rate"))
    assert len(str(caught.value)) < 400 and str(caught.value).isascii()


def test_a_time_with_an_underscore_is_no_number():
    assert [as_time(text) for text in ("2001", "20_01")] == [2001, "20_01"]


@pytest.mark.parametrize("row", ["2020,1,234", "2_020,1", "2020,1_0", '2020,"1', f"2020,{'1' * 200_000}"])
def test_an_index_that_could_be_another_is_refused(tmp_path, row):
    path = tmp_path / "index.csv"
    path.write_text("year,index,index\n2020,1,2\n")
    with pytest.raises(DataError, match="expected columns year, index once each"):
        read_deflator(path)
    path.write_text(f"year,index\n{row}\n")
    with pytest.raises(DataError, match=r"expected a year and a number; found|not CSV") as caught:
        read_deflator(path)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("char", [FILLER, "\u034f", "\u115f", "\u17b4", "\u180b", "\ufe0f", "\uffa0", "\U000e0100"])
def test_a_letter_that_shows_as_nothing_is_hidden_and_spelled_out(char):
    assert is_hidden(char) and printable(f"a{char}b").isascii()
    assert str(Problem("f", 1, 2, "error", "", f"a{char}", "")).isascii() and str(DataError(f"a{char}")).isascii()
    assert not is_hidden("\u00e9") and printable("Caf\u00e9") == "Caf\u00e9"
