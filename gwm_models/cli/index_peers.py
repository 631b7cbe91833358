"""`gwm index peers`: the areas most similar to one, for compacts."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from gwm_models.cli.area import code_of
from gwm_models.cli.options import MONITOR, EditionOption
from gwm_models.cli.output import Format, emit, write_json, write_line

GAPS = (
    "label",
    "unit",
    "level_here",
    "best_area_name",
    "best_level",
    "estimate",
    "lower",
    "upper",
    "prob_behind",
    "points_per_unit",
    "points",
    "points_std_error",
)


class Metric(StrEnum):
    """How distance is measured."""

    euclidean = "euclidean"
    mahalanobis = "mahalanobis"


class Part(StrEnum):
    """One table of the answer."""

    peers = "peers"
    gaps = "gaps"


def peers(
    area: Annotated[str, typer.Option("--area", help="The area, by name or code.")],
    name: EditionOption = MONITOR,
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="Number of peers.")] = 10,
    metric: Annotated[Metric, typer.Option("--metric", help="How distance is measured.")] = Metric.euclidean,
    draws: Annotated[int, typer.Option("--draws", min=100, max=20_000, help="Draws behind the probabilities.")] = 2000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the draws.")] = 20260101,
    show: Annotated[Part | None, typer.Option("--show", help="One table only.")] = None,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Find the areas most similar to one, and its gap to the best of them, indicator by indicator.

    Example: gwm index peers --area Blackpool -n 5
    """
    from gwm_models.data.edition import load_edition
    from gwm_models.errors import DataError
    from gwm_models.index.peers import find_peers, gap_rows, peer_rows
    from gwm_models.index.profiles import area_profiles, figure_years

    edition = load_edition(name)
    others = len(area_profiles(edition)) - 1
    if number > others:
        raise DataError(f"-n {number} is more than the {others} other areas of {edition.name}. Ask for fewer.")
    found = find_peers(
        edition,
        str(code_of(edition, area)),
        n_peers=number,
        metric=metric.value,
        n_draws=draws,
        seed=seed,
    )
    made = {Part.peers: peer_rows, Part.gaps: gap_rows}
    if format is Format.csv:
        emit(made[show or Part.peers](found), format=format)
    elif format is Format.json:
        parts = list(Part) if show is None else [show]
        tables = {str(part): made[part](found) for part in parts}
        write_json(tables if show is None else tables[str(show)])
    else:
        here = found.profiles.name[found.unit]
        heads = {
            Part.peers: (
                f"Peers of {here}: {metric} distance between profiles, in standard deviations an indicator; estimate "
                "and 90% interval are those of the true profiles given sampling error; totals in points; figures of "
                f"{figure_years(edition)}; an indicator without open figures is its domain's published score"
            ),
            Part.gaps: (
                f"Gap of {here} to its best peer, indicator by indicator: estimate and 90% interval of the true gap in "
                f"the unit, and in score points (points_status in csv and json). Figures of {figure_years(edition)}; "
                "an indicator without open figures shows its domain's published score: do not add that row to the rest"
            ),
        }
        for place, part in enumerate([show] if show else list(Part)):
            if place:
                write_line()
            columns = GAPS if part is Part.gaps else None
            emit(made[part](found), format=format, columns=columns, title=heads[part])
