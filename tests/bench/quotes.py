"""Ratios that a text quotes from the table of benchmarks: find them, check them, write them anew.

    python tests/bench/quotes.py README.md [results/benchmarks/peers.csv]

writes the current ratios into the text. The passage begins with a line ``<!-- benchmarks -->`` and ends with an empty
line. In it every number that is quoted from the table is followed by a comment with the name of its pair,
``790<!-- rank-sets-equal-marginal -->``; ``<!-- 1/start-help-numpy -->`` quotes the inverse, where ours takes longer.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from pairs import MEASURED, quoted

MARK = "<!-- benchmarks -->"
QUOTE = re.compile(r"(?P<number>\d[\d,.]*)(?P<tag><!-- (?P<inverse>1/)?(?P<pair>[a-z0-9-]+) -->)")
CLAIM = re.compile(r"(?:times|twice) as (?:fast|quick)\w*|(?:faster|quicker)\b", re.IGNORECASE)
NUMBER = re.compile(r"(?<![\w-])\d[\d,.]*")
Rows = Mapping[str, Mapping[str, str]]


def passage(text: str) -> str:
    """Return the passage of a text that quotes benchmarks; empty where there is none."""
    lines = text.splitlines()
    if MARK not in lines:
        return ""
    rest = lines[lines.index(MARK) + 1 :]
    return "\n".join(rest[: rest.index("")] if "" in rest else rest)


def read_rows(path: Path) -> dict[str, dict[str, str]]:
    """Return the rows of a table of pairs by name."""
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["pair"]: row for row in csv.DictReader(lines)}


def faults(text: str, rows: Rows) -> list[str]:
    """Return what is wrong with the passage: each number that is not the one of the table, or not said to be of it."""
    found = passage(text)
    if not QUOTE.search(found):
        return [f"there is no passage after a line '{MARK}' that quotes a pair"]
    problems = []
    for quote in QUOTE.finditer(found):
        expected = _expected(quote, rows)
        if expected is None:
            problems.append(f"{quote['pair']} is no measured pair of the table")
        elif expected != quote["number"]:
            problems.append(f"{quote['pair']}: the text says {quote['number']}, the table {expected}")
    loose = NUMBER.findall(re.sub(r"`[^`]*`|\]\([^)]*\)", "", QUOTE.sub("", found)))
    problems += [f"{number} is quoted from no pair" for number in loose]
    return problems + [f"'{claim}' outside the passage" for claim in claims(text.replace(found, ""))]


def claims(text: str) -> list[str]:
    """Return words of a text that claim it is faster than something."""
    return CLAIM.findall(text)


def renewed(text: str, rows: Rows) -> str:
    """Return the text with the numbers of the table in its passage."""
    found = passage(text)
    fresh = QUOTE.sub(lambda quote: f"{_expected(quote, rows) or quote['number']}{quote['tag']}", found)
    return text.replace(f"{MARK}\n{found}", f"{MARK}\n{fresh}")


def _expected(quote: re.Match[str], rows: Rows) -> str | None:
    row = rows.get(quote["pair"])
    measured = row is not None and row["status"] == MEASURED
    return quoted(row, inverse=bool(quote["inverse"])) if row is not None and measured else None


def main(words: list[str]) -> int:
    """Write the ratios of a table into a text."""
    place = Path(words[0])
    table = Path(words[1]) if len(words) > 1 else place.resolve().parent / "results" / "benchmarks" / "peers.csv"
    rows, text = read_rows(table), place.read_text(encoding="utf-8")
    fresh = renewed(text, rows)
    if fresh != text:
        place.write_text(fresh, encoding="utf-8")
    left = faults(fresh, rows)
    print("\n".join(left) or f"{place.name} quotes {table.name} as it is")
    return int(bool(left))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
