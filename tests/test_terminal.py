"""Tables and words on terminals of any width, with any encoding."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from gwm_models.cli.encoding import plain_characters
from gwm_models.cli.output import emit, write_line, write_wrapped
from gwm_models.cli.table import terminal_width

CHECKOUT = Path(__file__).parents[1]
START = "import sys; from gwm_models.cli import main; main()"
NARROW = "Not shown for want of width:"
ROWS = [
    {
        "area_code": f"E0600{i:04}",
        "area_name": f"{name} number {i}",
        "estimate": 10.5 + i,
        "lower": 9.25 + i,
        "upper": 11.75 + i,
        "prob_bottom_fifth": 0.125 + i / 100,
        "std_error": 1.5 + i / 10,
        "n": 4000,
        "remarks": f"a remark of several words, number {i}, that goes on",
    }
    for i, name in enumerate(["Kingston upon Hull, City of", "York", "Bath and North East Somerset"] * 6)
]


@pytest.fixture
def at_width(monkeypatch, capsys):
    """Return a function that writes a table as on a terminal of a width, and gives back its lines."""

    def lines(width, rows=ROWS, **words):
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERM", "dumb")
        emit(rows, format="table", **words)
        return capsys.readouterr().out.splitlines()

    return lines


def on_a_terminal(words, cwd, *, width=80, errors=True, **environment):
    """Run a command on a pseudo-terminal, and return what it wrote, with or without errors, and its exit code."""
    names = {"COLUMNS": str(width), "TERM": "xterm", "PYTHONPATH": os.pathsep.join([str(CHECKOUT), *sys.path])}
    main, other = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", START, *words],
        stdin=subprocess.DEVNULL,
        stdout=other,
        stderr=other if errors else subprocess.DEVNULL,
        cwd=cwd,
        env={**os.environ, **names, **environment},
    ) as program:
        os.close(other)
        written = b""
        last = time.monotonic() + 120
        while time.monotonic() < last:
            if select.select([main], [], [], 0.2)[0]:
                try:
                    part = os.read(main, 65536)
                except OSError:
                    break
                if not part:
                    break
                written += part
        code = program.wait(timeout=30)
    os.close(main)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode("utf-8", "replace")).replace("\r", ""), code


@pytest.mark.parametrize("width", [20, 30, 40, 60, 80, 120, 300])
def test_no_line_of_a_table_is_wider_than_the_terminal(at_width, width):
    for line in at_width(width, title="Ranks of the areas, with intervals of 90%, as they were drawn"):
        assert cell_len(line) <= width, line


@pytest.mark.parametrize("width", [40, 60, 80])
def test_no_word_is_folded_letter_by_letter(at_width, width):
    text = "\n".join(at_width(width))
    for word in ("Kingston", "Somerset", "estimate", "lower", "upper", "28.75"):
        assert word in text


def test_a_wide_terminal_shows_every_column_with_borders(at_width):
    text = "\n".join(at_width(200))
    assert all(name in text for name in ROWS[0]) and "┃" in text and NARROW not in text


def test_columns_that_are_left_out_are_named_and_codes_go_first(at_width):
    text = " ".join(" ".join(at_width(60)).split())
    hidden = text.partition(NARROW)[2].partition(".")[0]
    assert {"area_code", "std_error"} <= {name.strip() for name in hidden.split(",")}
    assert "--format csv has every column" in text


@pytest.mark.parametrize("width", range(25, 120, 5))
def test_no_estimate_is_shown_without_its_interval(at_width, width):
    text = "\n".join(at_width(width))
    shown = {name for name in ("estimate", "lower", "upper") if re.search(rf"\b{name}\b", text.partition(NARROW)[0])}
    assert shown in (set(), {"estimate", "lower", "upper"})


def test_few_rows_are_written_one_by_one_with_everything_in_them(at_width):
    lines = at_width(40, ROWS[:2])
    assert lines[0].strip() == "Kingston upon Hull, City of number 0"
    for name in set(ROWS[0]) - {"area_name", "n"}:
        assert sum(line.strip().startswith(f"{name}:") for line in lines) == 2
    assert lines[-1].strip() == "In every row: n 4000." and not any(NARROW in line for line in lines)


def test_what_is_the_same_in_every_row_is_told_once_before_anything_is_left_out(at_width):
    rows = [{"area": f"Town {i}", "edition": "open-2019", "total": 300 + i, "level": 0.9} for i in range(30)]
    text = "\n".join(at_width(30, rows))
    assert text.count("open-2019") == 1 and "In every row: edition" in text and NARROW not in text
    assert "\n".join(at_width(80, rows)).count("open-2019") == 30


def test_a_long_id_goes_on_after_a_hyphen_and_a_number_never(at_width):
    rows = [
        {"scenario": "northern-participation-2026", "change": "−2.5 to −1.5", "p": 0.1},
        {"scenario": "b", "p": 0.2},
    ]
    lines = [line.strip() for line in at_width(26, rows)]
    assert any(line.startswith("northern-") for line in lines)
    assert not any(line.endswith("−") for line in lines)


def test_rows_are_named_by_a_column_that_differs_between_them(at_width):
    rows = [{"term": "total", "spec": f"spec {i}", "words": f"goes {i} times on and on"} for i in range(3)]
    lines = at_width(20, rows)
    assert [line[:6] for line in lines if line.startswith("spec ") and line[5].isdigit()] == [
        "spec 0",
        "spec 1",
        "spec 2",
    ]


def test_missing_cells_and_empty_tables_are_no_fault(at_width):
    assert at_width(40, [], columns=["area", "rank"])
    rows = [{"area_name": None, "value": None, "long": "word " * 40}] * 2
    assert any("long" in line for line in at_width(40, rows))


CELLS = st.one_of(
    st.none(), st.integers(), st.floats(), st.text(max_size=60), st.sampled_from(["名古屋市", "😀 happy"])
)
TABLES = st.lists(st.fixed_dictionaries({"area_name": CELLS, "estimate": CELLS, "other_words": CELLS}), max_size=15)


@given(TABLES, st.integers(1, 200))
@settings(max_examples=60)
def test_any_table_is_written_at_any_width(rows, width):
    with pytest.MonkeyPatch.context() as patch:
        written = []
        patch.setattr("sys.stdout.isatty", lambda: True)
        patch.setattr("sys.stdout.write", lambda text: written.append(text) or len(text))
        patch.setenv("COLUMNS", str(width))
        emit(rows, format="table")
    assert not any(ord(char) < 32 and char not in "\n\x1b" for text in written for char in text)


def test_long_words_of_a_page_go_on_in_further_lines(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    write_line("  Assumed: satisfactory hours has no open figures; its error is that of another one.")
    write_wrapped("The quick brown fox jumps over the lazy dog, and then it does so again.", indent="  ")
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 40 and line.startswith("  ") for line in lines)
    assert " ".join(" ".join(lines).split()).startswith("Assumed: satisfactory hours has no open figures; its error")


def test_a_pipe_is_not_cut_whatever_the_width(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    emit(ROWS, format="table")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == list(ROWS[0]) and len(lines) == 1 + len(ROWS)


def test_the_width_is_what_columns_says_within_reason(monkeypatch):
    for said, width in (("60", 60), ("3", 20)):
        monkeypatch.setenv("COLUMNS", said)
        assert terminal_width() == width


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("−2 to 1", "-2 to 1"),
        ("0–5, it’s “so”", '0-5, it\'s "so"'),
        ("£5 × 2 ≥ 3 …", "GBP 5 x 2 >= 3 ..."),
        ("Ynys Môn", "Ynys Mon"),
        ("名\u200b😀", "???"),
    ],
)
def test_signs_are_written_in_plain_form_where_the_encoding_lacks_them(text, plain):
    assert plain_characters(text) == plain


@given(st.text())
def test_any_text_has_a_plain_form_in_ascii(text):
    found = plain_characters(text)
    assert found.isascii() and len(found) >= sum(char.isascii() for char in text)


ENVIRONMENTS = [
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"TERM": "dumb"},
    {"NO_COLOR": "1"},
]


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda words: next(iter(words)) + next(iter(words.values())))
def test_no_terminal_makes_it_fail(environment, tmp_path):
    text, code = on_a_terminal(["data", "list"], tmp_path, width=60, **environment)
    assert code == 0 and "Traceback" not in text and "monitor_scores" in text
    text, code = on_a_terminal(["help", "methods"], tmp_path, width=60, **environment)
    assert code == 0 and "Traceback" not in text and "12.222" in text


def test_a_minus_sign_stays_one_in_ascii(tmp_path):
    words = ["run", "jobs-shock-2009", "--draws", "100", "--out", "run"]
    text, code = on_a_terminal(words, tmp_path, width=100, PYTHONIOENCODING="ascii")
    assert code == 0 and text.isascii()
    assert re.search(r"[( ]-\d", text) and not re.search(r"\?\d", text)


COMMANDS = [
    ["ranks", "--draws", "200"],
    ["ranks", "--draws", "200", "--area", "hull"],
    ["index", "scores"],
    ["index", "units"],
    ["data", "list"],
    ["data", "describe", "areas"],
    ["evidence"],
    ["fit", "list"],
    ["explain", "northern-participation-2026"],
    ["run", "northern-participation-2026", "--draws", "100", "--out", "run"],
    ["help"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_table_can_be_read_on_a_narrow_terminal(words, tmp_path):
    """Words longer than the terminal, such as ids in lists, are the only lines that may pass its edge."""
    text, code = on_a_terminal(words, tmp_path, width=40, errors=False)
    assert code == 0
    for line in text.splitlines():
        assert cell_len(line.rstrip()) <= 40 or max(map(len, line.split())) > 30, line


def test_stopping_in_a_pipe_is_no_traceback(tmp_path):
    command = f"'{sys.executable}' -c '{START}' index scores --format csv | head -1"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(CHECKOUT), *sys.path])}
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.stdout.startswith("rank,area_code") and "Traceback" not in done.stderr
