"""`gwm index regions`: inequality within and between regions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwm_models.cli.options import MONITOR, EditionOption
from gwm_models.cli.output import Format, emit, write_json, write_line

if TYPE_CHECKING:
    from gwm_models.data.edition import Edition

SPREAD = (
    "region",
    "n",
    "mean",
    "sd",
    "range",
    "iqr",
    "cv",
    "min",
    "min_area",
    "max",
    "max_area",
    "noise_share",
    "sd_true",
    "lower",
    "upper",
)
PARTS = (
    "quantity",
    "measure",
    "weights",
    "total",
    "within",
    "between",
    "share_between",
    "share_by_chance",
    "p_value",
    "noise_share_within",
    "estimate",
    "lower",
    "upper",
)


def regions(
    name: EditionOption = MONITOR,
    by: Annotated[str | None, typer.Option("--by", help="total, a domain or an indicator; all if not given.")] = None,
    as_printed: Annotated[bool, typer.Option("--as-printed", help="Regions as the Monitor table prints them.")] = False,
    level: Annotated[float, typer.Option("--level", min=0.5, max=0.999, help="Of the intervals.")] = 0.95,
    draws: Annotated[int, typer.Option("--draws", min=100, max=100_000, help="Draws of chance and error.")] = 2000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the draws.")] = 20260101,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Show how unequal areas are within regions and between them, and how much of that is sampling error.

    JSON is one object: spread, decomposition, statements of the report, counts of areas. CSV is the spread.

    Example: gwm index regions --by unemployment_rate
    """
    from gwm_models.data.edition import load_edition
    from gwm_models.errors import DataError

    edition = load_edition(name)
    if as_printed and not edition.published:
        raise DataError(f"Edition {edition.name} has no regions as printed; only {MONITOR} was published.")
    found = region_tables(edition, by=by, as_printed=as_printed, level=level, n_draws=draws, seed=seed)
    if format is Format.json:
        write_json({"edition": edition.name, "regions": "as printed" if as_printed else "true", **found})
    elif format is Format.csv:
        emit(found["spread"], format=format)
    else:
        _print(edition, found, by, as_printed=as_printed)


def region_tables(
    edition: Edition, *, by: str | None, as_printed: bool, level: float, n_draws: int, seed: int
) -> dict[str, Any]:
    """Return spread, decomposition, statements, counts, what is missing, and notes."""
    from gwm_models.index.regional import (
        quantities,
        regional_counts,
        regional_inequality,
        regional_spread,
        report_statements,
    )
    from gwm_models.index.sampling import sampling_error

    parts = regional_inequality(edition, by=by, as_printed=as_printed, level=level, n_draws=n_draws, seed=seed)
    named = {quantity.name for quantity in quantities(edition)}
    return {
        "spread": regional_spread(edition, by=by, as_printed=as_printed, level=level),
        "decomposition": [part.to_row() for part in parts],
        "statements": report_statements(edition, as_printed=as_printed) if edition.published else [],
        "counts": regional_counts(edition) if edition.published else [],
        "missing": [name for name in edition.spec.indicator_ids if name not in named],
        "notes": [*_notes(edition), *sampling_error(edition).notes],
    }


def _notes(edition: Edition) -> list[str]:
    from gwm_models.index.structure import shared_areas

    same = shared_areas(edition.areas)
    shared = [f"{' and '.join(same)} share survey rates and count as two areas."] if same else []
    return [
        "All areas of a region are in it: an interval is of the sampling error of the figures, not of areas.",
        "Theil's measures of scores depend on the zero of their scale; the variance does not.",
        *shared,
    ]


def _print(edition: Edition, found: dict[str, Any], by: str | None, *, as_printed: bool) -> None:
    where = "regions as printed" if as_printed else "true regions"
    missing = f"missing: {', '.join(found['missing']) or 'none'}"
    shown = by or "total"
    rows = [row for row in found["spread"] if row["quantity"] == shown]
    period = _period(edition, shown)
    title = (
        f"Spread of {shown} by region, {rows[0]['unit']}, {period}, {where}; sd_true: sampling error taken out, with "
        f"its {rows[0]['level']:.0%} interval; {missing}"
    )
    emit(rows, format=Format.table, columns=SPREAD, title=title)
    write_line()
    title = (
        f"Inequality within and between regions, {where}, squared units or Theil; estimate: share between with "
        f"sampling error taken out; {edition.spec.title}; {missing}"
    )
    kept = [row for row in found["decomposition"] if by or row["measure"] != "theil_l"]
    emit(kept, format=Format.table, columns=PARTS, title=title)
    write_line()
    emit(
        found["statements"],
        format=Format.table,
        title=f"Statements of the report (Figure 4), in our words; unit in the row; {edition.spec.title}; none missing",
    )
    write_line()
    emit(
        found["counts"],
        format=Format.table,
        title=f"Number of areas by region, truly and as printed; {edition.spec.title}; none missing",
    )
    write_line()
    for note in found["notes"]:
        write_line(note)


def _period(edition: Edition, name: str) -> str:
    if name in edition.spec.indicator_ids:
        return edition.spec.indicator(name).period
    return edition.spec.title
