"""`gwm index groups`: groups of areas with alike profiles."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwm_models.cli.area import code_of
from gwm_models.cli.options import MONITOR, EditionOption
from gwm_models.cli.output import Format, emit, write_json, write_line

if TYPE_CHECKING:
    from gwm_models.index.groups import AreaGroups

MEANINGS = {
    "residents_per_km2": "residents per km2 (mid-2019)",
    "healthy_life": "healthy life expectancy at birth in years (2016-18, mean of male and female)",
}
SCALES = ("markov_time", "n_groups", "run_variation", "scale_variation", "robust", "chosen")
STABILITY = ("comparison", "estimate", "lower", "upper", "same", "n_groups", "n")
REPORT = ("statement", "ours", "agrees", "prob_agrees", "lower", "upper")


class Part(StrEnum):
    """One table of the answer."""

    groups = "groups"
    areas = "areas"
    scales = "scales"
    stability = "stability"
    report = "report"


def groups(
    name: EditionOption = MONITOR,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the searches and draws.")] = 20260101,
    area: Annotated[str | None, typer.Option("--area", help="One area, by name or code.")] = None,
    n_groups: Annotated[int, typer.Option("--groups", min=2, max=20, help="Number of groups.")] = 4,
    draws: Annotated[int, typer.Option("--draws", min=10, max=10_000, help="Draws behind the probabilities.")] = 200,
    show: Annotated[Part | None, typer.Option("--show", help="One table only.")] = None,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Group areas by their indicator profiles (Markov Stability), and say how sure the groups are.

    Example: gwm index groups --area Leeds
    """
    from gwm_models.data.edition import load_edition
    from gwm_models.errors import DataError
    from gwm_models.index.groups import find_groups

    edition = load_edition(name)
    code = code_of(edition, area)
    if show is Part.report and not edition.published:
        raise DataError(f"The report says nothing of {edition.name}: it is about {MONITOR}.")
    found = find_groups(edition, n_groups=n_groups, n_draws=draws, seed=seed)
    if format is Format.csv:
        part = show or Part.areas
        emit(rows_of(found, part, code), format=format)
    elif format is Format.json:
        parts = (
            [part for part in Part if part is not Part.report or found.edition.published] if show is None else [show]
        )
        tables = {str(part): rows_of(found, part, code) for part in parts}
        write_json(tables if show is None else tables[str(show)])
    else:
        _print(found, show, code)


def rows_of(found: AreaGroups, part: Part, code: str | None = None) -> list[dict[str, Any]]:
    """Return the rows of one table; those of one area only, if a code is given, in the table of areas."""
    from gwm_models.index.group_claims import claim_rows
    from gwm_models.index.group_stability import stability_rows
    from gwm_models.index.group_tables import area_rows, group_rows, scale_rows

    made = {
        Part.groups: group_rows,
        Part.areas: area_rows,
        Part.scales: scale_rows,
        Part.stability: stability_rows,
        Part.report: claim_rows,
    }
    rows = made[part](found)
    return [row for row in rows if row["area_code"] == code] if part is Part.areas and code else rows


def titles(found: AreaGroups) -> dict[Part, str]:
    """Return the heading of each table: unit, period, what is missing."""
    from gwm_models.index.profiles import figure_years

    edition, scan = found.edition, found.scan
    stand_in = [
        spec.id for spec, known in zip(edition.spec.indicators, found.profiles.measured, strict=True) if not known
    ]
    missing = f"; {', '.join(stand_in)} has no open figures, its domain's published score stands in" if stand_in else ""
    n, basis = len(found.draws), f"{edition.spec.title}, figures of {figure_years(edition)}"
    return {
        Part.groups: (
            f"Groups at Markov time {scan.time[found.chosen]:.2g}: {basis}; "
            f"{', '.join(['mean scores in points', *_meanings(found)])}{missing}. "
            "Names by rule; the data have no coastline"
        ),
        Part.areas: (
            f"Group of each area: {basis}; total in points; prob is the share of {n} draws of the true profiles"
            f"{missing}"
        ),
        Part.scales: (
            f"Scales: {basis}; groups found at each Markov time, and normalised variation of information (0 to 1) "
            f"between {scan.n_runs} runs and between neighbouring scales{missing}"
        ),
        Part.stability: (
            "Stability: adjusted Rand index with these groups (1 the same, 0 chance), 90% of the comparisons where "
            f"there are several; share of units in the same group; {basis}{missing}"
        ),
        Part.report: (
            f"What the report says of its groups, in our words, and ours: {basis}; prob_agrees is the share of {n} "
            "draws; gaps in years of healthy life, 2016-18, with 90% of the draws; the report shows the members of its "
            "groups on a map only"
        ),
    }


def _meanings(found: AreaGroups) -> list[str]:
    """Return what the columns that have figures mean."""
    return [words for name, words in MEANINGS.items() if name in _group_columns(found)]


def _group_columns(found: AreaGroups) -> list[str]:
    """Return the columns of the table of groups: scores, and what else has figures."""
    from gwm_models.index.group_tables import group_rows

    rows = group_rows(found)
    extra = [name for name in (*MEANINGS, "county_share") if any(row[name] == row[name] for row in rows)]
    return ["name", "n", "total", *found.edition.spec.domain_ids, *extra, "prob_own", "typical"]


def _print(found: AreaGroups, show: Part | None, code: str | None) -> None:
    report = [Part.report] if found.edition.published else []
    default = [Part.areas] if code else [Part.groups, Part.stability, *report]
    parts = default if show is None else [show]
    columns: dict[Part, Sequence[str]] = {Part.scales: SCALES, Part.stability: STABILITY, Part.report: REPORT}
    columns[Part.groups] = _group_columns(found)
    for place, part in enumerate(parts):
        if place:
            write_line()
        emit(rows_of(found, part, code), format=Format.table, columns=columns.get(part), title=titles(found)[part])
