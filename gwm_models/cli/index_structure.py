"""`gwm index structure`: how the parts of the index go together, and with the conditions for it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwm_models.cli.area import code_of
from gwm_models.cli.options import MONITOR, EditionOption
from gwm_models.cli.output import Format, emit, write_json, write_line

if TYPE_CHECKING:
    from gwm_models.data.edition import Edition
    from gwm_models.index.structure import Items

SHOWN = ("statistic", "term", "other", "estimate", "std_error", "lower", "upper", "method")
SHOWN_AREAS = (
    "area_name",
    "conditions_total",
    "monitor_total",
    "fitted",
    "residual",
    "studentised",
    "q_value",
    "estimate",
    "lower",
    "upper",
    "prob_above",
)
MOST = 10
"""Areas printed at each end of the line."""


NOTES = (
    "Intervals take the units for a sample of places that might have been; the errors of the figures are known.",
    "An index defined by its parts needs neither a high alpha nor one factor: the numbers describe it.",
)


class Part(StrEnum):
    """One part of the structure."""

    correlations = "correlations"
    reliability = "reliability"
    pca = "pca"
    factor = "factor"
    conditions = "conditions"


TITLES = {
    Part.correlations: "Correlations and noise shares",
    Part.reliability: "Reliability: alpha, and the part of the variance that is not sampling error",
    Part.pca: "Principal components of the correlations",
    Part.factor: "One common factor of the correlations, maximum likelihood",
}


def structure(
    name: EditionOption = MONITOR,
    part: Annotated[Part | None, typer.Option("--part", help="One part only; in CSV correlations by default.")] = None,
    area: Annotated[str | None, typer.Option("--area", help="One area of the conditions, by name or code.")] = None,
    level: Annotated[float, typer.Option("--level", min=0.5, max=0.999, help="Of the intervals.")] = 0.95,
    draws: Annotated[int, typer.Option("--draws", min=100, max=100_000, help="Resamples of the units.")] = 2000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the resamples.")] = 20260101,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Show how the parts of the index go together, and who does better or worse than conditions for good work suggest.

    JSON is one object with all parts, or the one asked for. CSV is one part: of the conditions, the areas.

    Example: gwm index structure --part conditions --area York
    """
    from gwm_models.data.edition import load_edition
    from gwm_models.errors import DataError

    edition = load_edition(name)
    code = code_of(edition, area)
    if code is not None and part not in (None, Part.conditions):
        raise typer.BadParameter("--area goes with --part conditions")
    if code is not None or (format is Format.csv and part is None):
        part = Part.correlations if code is None else Part.conditions
    chosen = [name for name in Part if name is not Part.conditions or edition.published] if part is None else [part]
    if Part.conditions in chosen and not edition.published:
        raise DataError(f"Edition {edition.name} has no Conditions for Good Work; they were published with {MONITOR}.")
    found = {name: part_rows(edition, name, level=level, n_draws=draws, seed=seed) for name in chosen}
    if code is not None:
        found[Part.conditions]["areas"] = [r for r in found[Part.conditions]["areas"] if r["area_code"] == code]
    if format is Format.json:
        write_json({"edition": edition.name, **{str(name): tables for name, tables in found.items()}})
    elif format is Format.csv:
        emit(found[chosen[0]].get("areas") or found[chosen[0]]["rows"], format=format)
    else:
        for name in chosen:
            _print(edition, name, found[name], one_area=code is not None)
        for note in dict.fromkeys(note for tables in found.values() for note in tables["notes"]):
            write_line(note)


def part_rows(edition: Edition, part: Part, *, level: float, n_draws: int, seed: int) -> dict[str, Any]:
    """Return one part: its rows, those of areas where it has them, what is missing, and notes."""
    from gwm_models.index.sampling import sampling_error
    from gwm_models.index.structure import correlations, domain_items, domain_pairs, indicator_items, reliability
    from gwm_models.index.structure_conditions import conditions_fit
    from gwm_models.index.structure_factors import components, factor

    how: dict[str, Any] = {"level": level, "n_draws": n_draws, "seed": seed}
    if part is Part.conditions:
        fit = conditions_fit(edition, **how)
        rows = [number.to_row() for number in fit.line]
        return {
            "rows": rows,
            "areas": fit.area_rows(),
            "missing": [],
            "notes": [*fit.notes, *sampling_error(edition).notes],
        }
    indicators = indicator_items(edition)
    sets: list[Items] = [indicators]
    if len(edition.spec.domains) > 1:
        sets.append(domain_items(edition))
    if part is Part.reliability:
        sets += domain_pairs(edition, indicators)
    make = {
        Part.correlations: correlations,
        Part.reliability: reliability,
        Part.pca: components,
        Part.factor: factor,
    }[part]
    return {
        "rows": [number.to_row() for items in sets for number in make(items, **how)],
        "missing": list(indicators.missing),
        "notes": list(
            dict.fromkeys([*(note for items in sets for note in items.notes), *NOTES, *sampling_error(edition).notes])
        ),
    }


def _print(edition: Edition, part: Part, tables: dict[str, Any], *, one_area: bool) -> None:
    if part is Part.conditions:
        _print_conditions(edition, tables, one_area=one_area)
    else:
        shown = [row for row in tables["rows"] if row["method"] != "no interval: not above chance"]
        for items in dict.fromkeys(row["items"] for row in shown):
            rows = [row for row in shown if row["items"] == items]
            emit(
                rows, format=Format.table, columns=SHOWN, title=_title(edition, part, items, rows[0], tables["missing"])
            )
            write_line()


def _title(edition: Edition, part: Part, items: str, row: dict[str, Any], missing: list[str]) -> str:
    """Say what a table is about: set, unit, period, level, what is missing."""
    what = f"{TITLES[part]}: {items}, score points, higher is better; {row['n']} units; {row['level']:.0%} intervals"
    if items == "domains":
        return f"{what}. {edition.spec.title}, {'published' if edition.published else 'computed'} scores; none missing"
    periods = "; ".join(dict.fromkeys(spec.period for spec in edition.spec.indicators if spec.id not in missing))
    return f"{what}. Figures of {periods}; missing: {', '.join(missing) or 'none'}"


def _print_conditions(edition: Edition, tables: dict[str, Any], *, one_area: bool) -> None:
    line, areas = tables["rows"], tables["areas"]
    about = f"{edition.spec.title}, points of 600, against conditions for good work as printed, points of 1200"
    if not one_area:
        title = f"{about}; {line[0]['n']} areas, {line[0]['level']:.0%} intervals; none missing"
        emit(line, format=Format.table, columns=SHOWN, title=title)
        write_line()
    meaning = "estimate: how far the true total is from the line, given its sampling error, and its interval"
    if one_area or len(areas) <= 2 * MOST:
        emit(areas, format=Format.table, columns=SHOWN_AREAS, title=f"{about}; {meaning}")
    else:
        emit(
            areas[:MOST],
            format=Format.table,
            columns=SHOWN_AREAS,
            title=f"Better than conditions suggest, the first {MOST} of {len(areas)} areas. {about}; {meaning}",
        )
        write_line()
        title = f"Worse than conditions suggest, the last {MOST}, the furthest below first. {about}; {meaning}"
        emit(areas[: -MOST - 1 : -1], format=Format.table, columns=SHOWN_AREAS, title=title)
    write_line()
    if not one_area:
        rate = 1 - line[0]["level"]
        outliers = [row["area_name"] for row in areas if row["q_value"] < rate]
        named = f": {', '.join(outliers)}" if outliers else ""
        write_line(f"Outliers from the line, at a false discovery rate of {rate:.0%}: {len(outliers)}{named}.")
