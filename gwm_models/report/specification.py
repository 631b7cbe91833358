"""A page with the slope of one outcome under every specification."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gwm_models.data.edition import Edition
from gwm_models.errors import DataError
from gwm_models.files import write_text
from gwm_models.models.fit import Fit
from gwm_models.models.linear.specs import specification_table
from gwm_models.models.outcomes import Outcome
from gwm_models.plots.specification import specification_curve
from gwm_models.plots.words import level_words, number, places_for
from gwm_models.report.made import page_manifest
from gwm_models.report.shell import render
from gwm_models.report.tables import source_table
from gwm_models.report.views import Cell, Column, Row, TableView, figure_of, number_cell, text_cell
from gwm_models.scenarios.sources import edition_sources


def write_specification_page(
    path: Path, edition: Edition, outcome: Outcome, fits: Sequence[Fit], *, command: str = ""
) -> None:
    """Write the page under a temporary name, then rename it.

    Parameters
    ----------
    path : Path
    edition : Edition
    outcome : Outcome
    fits : sequence of Fit
        The main one first; those whose focus is not a slope on the total are in the second table only.
    command : str
        How it was asked for.

    Raises
    ------
    DataError
        If no fit is a slope on the total.
    OutputError
        If the file cannot be written.
    """
    write_text(path, specification_html(edition, outcome, fits, command=command))


def specification_html(edition: Edition, outcome: Outcome, fits: Sequence[Fit], *, command: str = "") -> str:
    """Return the page as text; see `write_specification_page`."""
    main = fits[0]
    on_total = [fit for fit in fits if fit.focus == main.focus and fit.period == main.period]
    rows = specification_table(edition, outcome, on_total)
    drawn = figure_of("curve", [specification_curve(rows)]) if rows else None
    if drawn is None:
        raise DataError(f"No specification of {outcome.label} is a slope on the total: there is nothing to draw.")
    return render(
        "specification.html.j2",
        {name: spec for (name, _, _), spec in zip(drawn.charts, drawn.specs, strict=True)},
        label=outcome.label,
        edition=edition.spec.title,
        level=level_words(main.level),
        main=main,
        sources=source_table(edition_sources(edition, [outcome.variable]), "Data behind these models."),
        manifest=page_manifest(edition, command),
        drawn=drawn,
        views=[_table("on-total", "Slopes on the total.", rows), _table("all", "All terms.", _all_rows(fits))],
        caption=drawn.specs[0]["usermeta"]["caption"],
        others=[(fit.title, lines) for fit in fits[1:] if (lines := _beyond(main, fit))],
    )


def _beyond(main: Fit, fit: Fit) -> list[str]:
    """Return what a fit assumes that the main one does not."""
    return [line for line in fit.assumptions if line not in main.assumptions]


def _all_rows(fits: Sequence[Fit]) -> list[Row]:
    return [{**row, "title": fit.title} for fit in fits for row in fit.rows() if row["term"] != "intercept"]


def _places(row: Row) -> int:
    """Return the decimals that give an estimate three significant figures."""
    return places_for("", [row["estimate"]])


def _table(key: str, caption: str, rows: Sequence[Row]) -> TableView:
    names = ("Specification", "Estimate", "In words", "Term", "Unit", "Standard error", "Units")
    return TableView(
        key=key,
        caption=caption,
        columns=[Column(name, numeric=name in ("Estimate", "Standard error", "Units")) for name in names],
        rows=[
            [
                text_cell(row["spec"]),
                number_cell(row, places=_places(row)),
                text_cell(row["title"], str(row.get("note") or "")),
                text_cell(row["term"]),
                text_cell(row["unit"]),
                Cell(number(row["std_error"], _places(row)), "", row["std_error"]),
                Cell(number(row["n_units"], 0), "", row["n_units"]),
            ]
            for row in rows
        ],
    )
