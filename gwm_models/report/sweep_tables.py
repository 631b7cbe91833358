"""The tables of a sweep: the numbers varied, what the result is at their ends, and their shares of its variance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gwm_models.plots.words import interval, level_words, number, places_for, unit_words
from gwm_models.report.views import Cell, Column, TableView, text_cell
from gwm_models.scenarios.sweep_results import error_words
from gwm_models.scenarios.words import short

Row = Mapping[str, Any]
Names = Mapping[str, str]

SIDES = ("low", "high")


def number_table(numbers: Sequence[Row], names: Names) -> TableView:
    """Make the table of the numbers varied, each with its words and its path in the file.

    Parameters
    ----------
    numbers : sequence of mapping
        As in the summary of a sweep.
    names : mapping of str to str
        Words of each number, by its path.
    """
    rows = [
        [
            text_cell(names[row["path"]], row["path"]),
            Cell(short(row["low"]), "", row["low"]),
            Cell(short(row["high"]), "", row["high"]),
            Cell(short(row["in_file"]), "", row["in_file"]),
            text_cell(row["values"] or "any"),
        ]
        for row in numbers
    ]
    titles = ("Smallest", "Largest", "In the file", "Values")
    columns = [Column("Number", numeric=False), *(Column(title) for title in titles)]
    return TableView("numbers", "The numbers varied; below each where it stands in the file.", columns, rows)


def end_table(key: str, rows: Sequence[Row], names: Names, year: int) -> TableView:
    """Make the table of what a measure is with each number at its ends, with intervals.

    Parameters
    ----------
    key : str
        Its identity on the page.
    rows : sequence of mapping
        Of one measure of ``tornado.csv``.
    names : mapping of str to str
    year : int
        Of the results.
    """
    first = rows[0]
    ends = [row[f"{side}_{end}"] for row in rows for side in SIDES for end in ("lower", "upper")]
    places = places_for(first["unit"], ends, change=True)
    unit = unit_words(first["unit"])
    return TableView(
        key=key,
        caption=f"{first['label']}{f' ({unit})' if unit else ''}, {year}, with each number at its ends and the others "
        f"as in the file; {level_words(first['level'])} below each estimate.",
        columns=[Column("Number, and its ends", numeric=False), Column("At its smallest"), Column("At its largest")],
        rows=[
            [
                text_cell(names[row["path"]], f"{short(row['low'])} to {short(row['high'])}"),
                *(_end_cell(row, side, places) for side in SIDES),
            ]
            for row in rows
        ],
        note=f"With the numbers of the file: {number(first['as_in_file'], places)}.",
    )


def _end_cell(row: Row, side: str, places: int) -> Cell:
    """Make the cell of the result at one end of a number."""
    span = interval(row[f"{side}_lower"], row[f"{side}_upper"], places)
    return Cell(number(row[f"at_{side}"], places), span, row[f"at_{side}"])


def index_table(key: str, rows: Sequence[Row], names: Names) -> TableView:
    """Make the table of the shares of variance of one measure.

    Parameters
    ----------
    key : str
    rows : sequence of mapping
        Of one measure of ``indices.csv``.
    names : mapping of str to str
    """
    return TableView(
        key=key,
        caption=f"Share of the variance of the estimate over the points: {rows[0]['label']}. Standard error below.",
        columns=[
            Column("Number", numeric=False),
            Column("By itself (first-order index)"),
            Column("With all it acts with (total index)"),
        ],
        rows=[[text_cell(names[row["path"]]), _share_cell(row, "first"), _share_cell(row, "total")] for row in rows],
        note=f"Share of variance predicted at points left out: {rows[0]['fit']:.3f}." if rows[0]["fit"] < 1 else "",
    )


def _share_cell(row: Row, name: str) -> Cell:
    return Cell(f"{row[name]:.3f}", error_words(row[f"{name}_error"]), row[name])
