"""The table of what the tests run, by room: from a made-up report."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "bench"))

from coverage_by_room import ALL, by_room, main, room_of


def summary(lines, run, branches, branches_run):
    counts = {"num_statements": lines, "covered_lines": run, "num_branches": branches, "covered_branches": branches_run}
    return {"summary": counts}


REPORT = {
    "files": {
        "gwm_models/ranks/table.py": summary(60, 60, 10, 9),
        "gwm_models/ranks/sets.py": summary(40, 36, 10, 6),
        "gwm_models/errors.py": summary(20, 19, 0, 0),
        "gwm_models/cli/__init__.py": summary(80, 76, 20, 20),
    }
}


def test_lines_and_branches_add_up_by_room_and_over_all():
    rows = {row["room"]: row for row in by_room(REPORT["files"])}
    assert list(rows) == ["cli", "errors", "ranks", ALL]
    assert rows["ranks"] == {
        "room": "ranks",
        "files": 2,
        "lines": 100,
        "lines_run": 96,
        "percent_lines": 96.0,
        "branches": 20,
        "branches_run": 15,
        "percent_branches": 75.0,
    }
    assert (rows["errors"]["percent_lines"], rows["errors"]["percent_branches"]) == (95.0, 100.0)
    assert (rows[ALL]["files"], rows[ALL]["lines"], rows[ALL]["percent_lines"]) == (4, 200, 95.5)


@pytest.mark.parametrize(
    "path", ["gwm_models/cli/run.py", "/a/gwm_models/cli/run.py", "gwm_models\\cli\\run.py", "gwm_models/cli.py"]
)
def test_the_room_of_a_file_is_found_wherever_the_checkout_lies(path):
    assert room_of(path) == "cli"


def test_a_room_below_the_least_is_named_and_ends_with_one(tmp_path, capsys):
    report, out = tmp_path / "report.json", tmp_path / "coverage.csv"
    report.write_text(json.dumps(REPORT), encoding="utf-8")
    assert main(["--from", str(report), "--out", str(out)]) == 0
    shown = capsys.readouterr()
    assert shown.err == "" and out.read_text(encoding="utf-8") == shown.out
    assert shown.out.splitlines()[1] == "cli,1,80,76,95.0,20,20,100.0"
    assert main(["--from", str(report), "--least", "96"]) == 1
    found = capsys.readouterr().err.splitlines()
    assert found == [
        f"{room}: {percent}% of its lines are run by the quick tests; expected 96% or more"
        for room, percent in (("cli", "95"), ("errors", "95"), (ALL, "95.5"))
    ]
