"""Lines and branches of the package that the quick tests run, by room: one command, one table.

    python tests/bench/coverage_by_room.py [--least 95] [--out FILE.csv] [--from FILE.json] [WORDS OF PYTEST ...]

Runs the quick tests once under coverage, programs and workers that they start included, prints the table and writes
it as CSV. Ends with 1 where a room, or all of them together, has less than the least percentage of lines.
``--from`` makes the table from a report of ``coverage json`` that is there already.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGE = "gwm_models"
ALL = "all rooms"
COLUMNS = ("room", "files", "lines", "lines_run", "percent_lines", "branches", "branches_run", "percent_branches")
COUNTS = {
    "lines": "num_statements",
    "lines_run": "covered_lines",
    "branches": "num_branches",
    "branches_run": "covered_branches",
}


def room_of(path: str) -> str:
    """Return the room of a file of the package: its folder, or its own name where it lies in none."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    inside = parts[parts.index(PACKAGE) + 1 :]
    return inside[0].removesuffix(".py")


def by_room(files: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each room, in the order of their names, and one for all.

    Parameters
    ----------
    files : mapping
        ``files`` of a report by ``coverage json``.
    """
    rooms: dict[str, list[Mapping[str, int]]] = {}
    for path, file in files.items():
        rooms.setdefault(room_of(path), []).append(file["summary"])
    whole = [summary for part in rooms.values() for summary in part]
    return [_row(room, rooms[room]) for room in sorted(rooms)] + [_row(ALL, whole)]


def _row(room: str, summaries: Sequence[Mapping[str, int]]) -> dict[str, Any]:
    row: dict[str, Any] = {"room": room, "files": len(summaries)}
    row |= {name: sum(summary[key] for summary in summaries) for name, key in COUNTS.items()}
    for name in ("lines", "branches"):
        row[f"percent_{name}"] = round(100 * row[f"{name}_run"] / row[name], 2) if row[name] else 100.0
    return {column: row[column] for column in COLUMNS}


def too_low(rows: Sequence[Mapping[str, Any]], least: float) -> list[str]:
    """Return a line for each room with less than the least percentage of lines."""
    return [
        f"{row['room']}: {row['percent_lines']:g}% of its lines are run by the quick tests; expected {least:g}% or more"
        for row in rows
        if row["percent_lines"] < least
    ]


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the table as CSV."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def measure(words: Sequence[str]) -> dict[str, Any]:
    """Run the quick tests under coverage and return its report, from the checkout."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        environment = os.environ | {"COVERAGE_FILE": str(Path(folder) / "data")}
        coverage = [sys.executable, "-m", "coverage"]
        tests = ["run", "-m", "pytest", "-q", "--benchmark-disable", *words]
        for step in (tests, ["combine", "-q"], ["json", "-q", "-o", str(report)]):
            subprocess.run([*coverage, *step], cwd=CHECKOUT, env=environment, check=True)
        return dict(json.loads(report.read_text(encoding="utf-8")))


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print and write; 1 where too little is run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--least", type=float, default=95.0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--from", dest="report", type=Path)
    options, more = parser.parse_known_args(words)
    found = (
        json.loads(options.report.read_text(encoding="utf-8")) if options.report else measure(more or ["-n", "auto"])
    )
    rows = by_room(found["files"])
    text = csv_text(rows)
    sys.stdout.write(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    low = too_low(rows, options.least)
    sys.stderr.write("".join(f"{line}\n" for line in low))
    return int(bool(low))


if __name__ == "__main__":
    sys.exit(main())
