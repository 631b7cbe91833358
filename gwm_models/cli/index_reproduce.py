"""`gwm index reproduce`: published scores against scores recomputed from open figures."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwm_models.cli.area import code_of
from gwm_models.cli.index_scores import (
    AreaOption,
    IndexName,
    IndexOption,
    figure_words,
    load_index,
)
from gwm_models.cli.options import MONITOR, EditionOption
from gwm_models.cli.output import Format, emit, write_json, write_line

if TYPE_CHECKING:
    from gwm_models.data.edition import Edition


class Part(StrEnum):
    """One table of the report."""

    domains = "domains"
    areas = "areas"
    indicators = "indicators"
    choices = "choices"


SHOWN = {
    Part.domains: (
        *("domain", "status", "basis", "n_open", "n_indicators", "n", "to_the_decimal", "correlation"),
        *("std_error", "mean_difference", "largest_difference", "largest_at"),
    ),
    Part.areas: ("area_name", "domain", "status", "published", "estimate", "std_error", "difference", "basis"),
    Part.indicators: (
        *("domain", "indicator", "status", "figure", "used", "n", "direction", "correlation", "lower", "upper"),
        *("sign", "nearest_domain", "points_per_unit", "points_std_error", "points_by_range"),
    ),
    Part.choices: (
        *("domain", "indicator", "choice", "used", "estimate", "std_error", "exact", "correlation", "score_error", "n"),
    ),
}


def reproduce(
    index: IndexOption = IndexName.monitor,
    edition: EditionOption = MONITOR,
    area: AreaOption = None,
    show: Annotated[Part | None, typer.Option("--show", help="One table only.")] = None,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Set published scores against scores recomputed from open figures, with a status in every row.

    reproduced: from figures published elsewhere, every score agrees to the printed decimal. calibrated: points per unit
    fitted to published scores, each unit predicted without its own. proxy: another figure, or a looser one, stands in.
    unknown: no open figures, or no rule that gives the printed score. std_error is the root mean square of published
    minus recomputed.

    Tables: domains, areas, indicators and (Monitor only) choices, which calibrates under other choices of year and
    method. CSV holds one table: areas, or the one of --show. JSON holds all, or the one of --show.

    Example: gwm index reproduce --show domains
    """
    chosen = load_index(edition, index)
    asked = [Part.areas] if show is None and format is Format.csv else list(Part) if show is None else [show]
    tables = {part: _rows(chosen, part, area) for part in asked}
    if format is Format.json and show is None:
        write_json({str(part): rows for part, rows in tables.items()})
        return
    for place, (part, rows) in enumerate(tables.items()):
        if format is Format.table:
            if not rows:
                continue
            if place:
                write_line()
        columns = SHOWN[part] if format is Format.table else None
        emit(rows, format=format, title=_title(chosen, part), columns=columns)


def _rows(edition: Edition, part: Part, area: str | None) -> list[dict[str, Any]]:
    from gwm_models.index.open_figures import choice_rows, indicator_rows
    from gwm_models.index.reproduction import area_rows
    from gwm_models.index.reproduction import reproduce as compare

    if part is Part.indicators:
        return indicator_rows(edition)
    if part is Part.choices:
        return choice_rows(edition)
    found = compare(edition)
    if part is Part.domains:
        return [way.to_row() for way in found]
    code = code_of(edition, area)
    return [row for row in area_rows(edition, found) if code in (None, row["area_code"])]


def _title(edition: Edition, part: Part) -> str:
    what = {
        Part.domains: "published against recomputed, score points",
        Part.areas: "published against recomputed by area, score points; 95% intervals in CSV and JSON",
        Part.indicators: "each open figure against its published domain; 95% interval of the correlation",
        Part.choices: "points per unit under other choices, beside the exact ones where they are known",
    }[part]
    return f"{edition.spec.title}: {what}.{figure_words(edition)}"
