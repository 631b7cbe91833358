"""What a comparison shows beyond its measures: each scenario's change by area, and what the scenarios rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.plots.maps import change_map, tile_map
from gwm_models.plots.words import chance, level_words, places_for
from gwm_models.report.basis import basis_of, shared_basis
from gwm_models.report.views import Cell, Column, TableView, number_cell, text_cell
from gwm_models.scenarios.compare import Comparison
from gwm_models.scenarios.projection import Projection, project
from gwm_models.scenarios.rows import points_words, total_words
from gwm_models.scenarios.spread import plain, spreads

if TYPE_CHECKING:
    from gwm_models.plots.boundaries import Boundaries

Row = Mapping[str, Any]
Names = Mapping[str, str]
Floats = NDArray[np.float64]

MOST = 5
"""Scenarios with a column of their own in the tables of areas and measures, and a colour on the map."""


@dataclass(frozen=True)
class Studied:
    """What a second look at each scenario of a comparison gives.

    Attributes
    ----------
    basis : dict
        From `gwm_models.report.basis.shared_basis`.
    areas : list of dict
        The change of the total in each area under each scenario, against doing nothing; where two scenarios act, the
        second against the first as well. ``scenario, other, area_code, area_name, region_name``, the usual numbers and
        ``prob_better``, a tie counted half.
    """

    basis: dict[str, list[Any]]
    areas: list[dict[str, Any]]


def study(comparison: Comparison) -> Studied:
    """Project each scenario once more, one after another, and keep what the page shows beyond the measures.

    Parameters
    ----------
    comparison : Comparison
    """
    acting = [entrant for entrant in comparison.entrants if entrant.scenario is not None and entrant.n_areas]
    nothing = comparison.entrants[comparison.reference].label
    found: dict[str, dict[str, list[Any]]] = {}
    rows: list[dict[str, Any]] = []
    first: tuple[str, Floats] | None = None
    for entrant in comparison.entrants:
        if entrant.scenario is None:
            continue
        projection = project(entrant.scenario, comparison.edition, variance=False)
        found[entrant.label] = basis_of(projection)
        if entrant not in acting:
            continue
        rows += _area_rows(projection, projection.change, (entrant.label, nothing), comparison.level)
        if len(acting) == 2 and first is not None:
            rows += _area_rows(projection, projection.change - first[1], (entrant.label, first[0]), comparison.level)
        elif len(acting) == 2:
            first = entrant.label, projection.change
    return Studied(shared_basis(found), rows)


def _area_rows(projection: Projection, change: Floats, pair: tuple[str, str], level: float) -> list[dict[str, Any]]:
    areas = projection.edition.areas
    numbers = spreads(change, [level])[level]
    better = (change > 0).mean(axis=0) + 0.5 * (change == 0).mean(axis=0)
    head = {
        "scenario": pair[0],
        "other": pair[1],
        "quantity": "total",
        "label": total_words(projection.edition),
        "unit": points_words(projection.edition),
        "state": "difference",
    }
    return [
        {
            "area_code": areas.code[i],
            "area_name": areas.name[i],
            "region_name": areas.region[i],
            **head,
            **{name: plain(values[i]) for name, values in numbers.items()},
            "level": level,
            "n": len(change),
            "prob_better": plain(better[i]),
        }
        for i in range(len(areas))
    ]


def _by_pair(areas: Sequence[Row]) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in areas:
        found.setdefault((row["scenario"], row["other"]), []).append(row)
    return found


def comparison_map(
    areas: Sequence[Row], reference: str, names: Names, boundaries: Boundaries | None = None
) -> tuple[str, list[dict[str, Any]]]:
    """Map one scenario's change, the difference of two, or which of several does most for each area.

    Parameters
    ----------
    areas : sequence of mapping
        From `study`.
    reference : str
        Label of doing nothing.
    names : mapping of str to str
        What each scenario is called on the page.
    boundaries : Boundaries, optional

    Returns
    -------
    heading : str
    specs : list of dict
        Empty where no scenario acts, or too many do for a colour each.
    """
    found = _by_pair(areas)
    acting = [pair for pair in found if pair[1] == reference]
    head = next((pair for pair in found if pair[1] != reference), None)
    if len(acting) == 1:
        return f"Change under {names[acting[0][0]]}", change_map(found[acting[0]], boundaries)
    if head is not None:
        return f"{names[head[0]]} minus {names[head[1]]}", _difference(found[head], names, head, boundaries)
    if not 2 < len(acting) <= MOST:
        return "", []
    return "Which scenario does most for each area", _leaders(found, acting, names, boundaries)


def _difference(rows: Sequence[Row], names: Names, pair: tuple[str, str], boundaries: Boundaries | None) -> list[Any]:
    level, unit = level_words(rows[0]["level"]), rows[0]["unit"]
    return tile_map(
        rows,
        value="estimate",
        title="",
        description=f"Difference of the score between two scenarios in each area, with {level}: {names[pair[0]]} minus "
        f"{names[pair[1]]}.",
        unit=unit,
        places=places_for(unit, change=True),
        kind="diverging",
        label="Difference",
        boundaries=boundaries,
    )


def _leaders(
    found: Mapping[tuple[str, str], Sequence[Row]],
    acting: Sequence[tuple[str, str]],
    names: Names,
    boundaries: Boundaries | None,
) -> list[Any]:
    rows = []
    for lines in zip(*(found[pair] for pair in acting), strict=True):
        best = max(lines, key=lambda row: row["estimate"])
        rows.append({**best, "best": names[best["scenario"]] if best["estimate"] > 0 else None})
    return tile_map(
        rows,
        value="best",
        title="",
        description="The scenario with the largest estimate of the change of the score in each area.",
        unit="",
        places=0,
        kind="groups",
        label="Most by estimate",
        note="An area that no scenario raises has no figure.",
        boundaries=boundaries,
    )


def area_table(areas: Sequence[Row], reference: str, names: Names) -> TableView | None:
    """Make the table of areas that any scenario changes: its change under each, with the interval.

    None where no scenario acts, or there are too many for a column each.
    """
    found = _by_pair(areas)
    acting = [pair for pair in found if pair[1] == reference]
    head = next((pair for pair in found if pair[1] != reference), None)
    if not 0 < len(acting) <= MOST:
        return None
    lines = []
    for rows in zip(*(found[pair] for pair in [*acting, *([head] if head else [])]), strict=True):
        if not any(row[end] for row in rows for end in ("estimate", "lower", "upper")):
            continue
        line = [text_cell(rows[0]["area_name"]), text_cell(rows[0]["region_name"])]
        line += [number_cell(row, change=True) for row in rows]
        if head:
            line.append(Cell(chance(rows[-1]["prob_better"]), "", rows[-1]["prob_better"]))
        lines.append(line)
    first = found[acting[0]][0]
    level = level_words(first["level"])
    columns = [Column("Area", numeric=False), Column("Region", numeric=False)]
    columns += [Column(names[pair[0]], f"Change of the {first['label']} (points)") for pair in acting]
    if head:
        columns += [Column("Second minus first", "The two"), Column("Chance that the second is better", "The two")]
    return TableView(
        "areas", f"Areas that any scenario changes; {level} below each estimate.", columns, lines, tall=True
    )
