"""What the templates are given: tables as plain cells, figures as specs with an identity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gwm_models.plots.words import GAP, interval, is_missing, number, places_for

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; neighbours with the same ``group`` share a heading over theirs."""

    title: str
    group: str = ""
    numeric: bool = True

    @property
    def look(self) -> str:
        """Give the style classes of the column: ``n`` for numbers, ``long`` for a heading that needs room."""
        return " ".join(name for name, holds in (("n", self.numeric), ("long", len(self.title) > 16)) if holds)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, a smaller second line, and the value it is sorted by."""

    text: str
    sub: str = ""
    sort: float | str | None = None


@dataclass(frozen=True, slots=True)
class TableView:
    """A table ready to print; the first cell of a row is its heading."""

    key: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    sortable: bool = True
    tall: bool = False

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Give the headings over the columns, each with the number of columns it spans."""
        spans: list[tuple[str, int]] = []
        for column in self.columns:
            if spans and spans[-1][0] == column.group and column.group:
                spans[-1] = (column.group, spans[-1][1] + 1)
            else:
                spans.append((column.group, 1))
        return spans if any(name for name, _ in spans) else []


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: specs that are drawn side by side where there is room, and the tables of their data."""

    key: str
    specs: Sequence[Mapping[str, Any]]
    tables: Sequence[TableView] = field(default_factory=list)

    @property
    def legend(self) -> list[Row]:
        """Give the keys of all charts of the figure, each once."""
        entries = [entry for spec in self.specs for entry in spec["usermeta"]["legend"]]
        return list({entry["label"]: entry for entry in entries}.values())

    @property
    def charts(self) -> list[tuple[str, str, str]]:
        """Give the identity, the title (maybe empty) and the spoken description of each chart."""
        return [
            (f"{self.key}-{place}", spec["usermeta"]["title"], spec["description"])
            for place, spec in enumerate(self.specs, start=1)
        ]


def sentence(text: str) -> str:
    """Return a text with its first letter in upper case, as the words of a cell have it.

    Examples
    --------
    >>> sentence("best spread"), sentence("")
    ('Best spread', '')
    """
    return text[:1].upper() + text[1:]


def text_cell(text: object, sub: str = "") -> Cell:
    """Make a cell of words; an absent text is a dash."""
    words = str(text) if text not in (None, "") else GAP
    return Cell(words, sub, words.casefold() if words != GAP else None)


def number_cell(row: Row | None, *, unit: str = "", change: bool = False, places: int | None = None) -> Cell:
    """Make a cell of a result row: the estimate, and under it the interval.

    A row whose estimate and limits are all exactly zero is written '0': nothing changes there, in any draw.
    """
    if row is None or is_missing(row.get("estimate")):
        return Cell(GAP)
    values = [row["estimate"], row.get("lower"), row.get("upper")]
    if change and all(value == 0 for value in values):
        return Cell("0", "", 0.0)
    if places is None:
        places = places_for(unit or str(row.get("unit", "")), values, change=change)
    words = number(row["estimate"], places, sign=change)
    sub = interval(row.get("lower"), row.get("upper"), places)
    return Cell(words, sub if row.get("std_error") != 0 else "", float(row["estimate"]))


def figure_of(key: str, specs: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Make a figure of some specs; None where there is nothing to draw."""
    if not specs:
        return None
    return Figure(key, specs, [_drawn_table(f"{key}-{place}", spec) for place, spec in enumerate(specs, start=1)])


def _drawn_table(key: str, spec: Mapping[str, Any]) -> TableView:
    """Give the table of the data that a chart was drawn from."""
    columns = spec["usermeta"]["table"]
    return TableView(
        key=f"data-{key}",
        caption=spec["description"],
        columns=[Column(column["title"], numeric=column["places"] is not None) for column in columns],
        rows=[[_drawn_cell(row, column) for column in columns] for row in spec["data"]["values"]],
        sortable=False,
    )


def _drawn_cell(row: Row, column: Mapping[str, Any]) -> Cell:
    """Write one value of a chart's data."""
    value = row.get(column["field"])
    if column["places"] is None:
        return text_cell(value)
    if column["field"] == "year":
        return Cell(str(value))
    return Cell(number(value, column["places"], sign=column["sign"]))


def pivot(rows: Iterable[Row], keys: Sequence[str]) -> dict[tuple[Any, ...], dict[str, Row]]:
    """Collect long rows as ``{(key values): {state: row}}``, in the order they come."""
    found: dict[tuple[Any, ...], dict[str, Row]] = {}
    for row in rows:
        found.setdefault(tuple(row.get(key) for key in keys), {})[str(row["state"])] = row
    return found
