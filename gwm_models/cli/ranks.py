"""`gwm ranks`: how sure a rank is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwm_models.cli.output import Format, emit

if TYPE_CHECKING:
    from gwm_models.data.edition import Edition

SCORE = ("area_code", "area_name", "region_name", "published_score", "published_rank", "shrunk_score")
SHOWN = (
    "area_name",
    "published_score",
    "published_rank",
    "estimate",
    "lower",
    "upper",
    "prob_top_10",
    "prob_bottom_10",
)


def ranks(
    level: Annotated[
        float, typer.Option("--level", min=0.01, max=0.999, help="Probability of the rank intervals.")
    ] = 0.9,
    area: Annotated[str | None, typer.Option("--area", help="One area, by name or code.")] = None,
    draws: Annotated[int, typer.Option("--draws", min=100, max=100_000, help="Number of draws.")] = 4000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the draws.")] = 20260101,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Rank the areas with intervals that carry the sampling error of the indicators.

    Example: gwm ranks --area Blackpool
    """
    from gwm_models.data.edition import load_edition

    edition = load_edition()
    rows = rank_rows(edition, level=level, n_draws=draws, seed=seed)
    if area is not None:
        rows = [row for row in rows if row["area_code"] == _code(edition.name, area)]
    columns = list(SHOWN) if format is Format.table else None
    emit(
        rows, format=format, columns=columns, title=f"Monitor total, posterior ranks (1 is best), {level:.0%} intervals"
    )


def rank_rows(edition: Edition, *, level: float, n_draws: int, seed: int) -> list[dict[str, Any]]:
    """Return the rank table of an edition, areas in published order."""
    from gwm_models.ranks.table import rank_areas
    from gwm_models.scenarios.baseline import edition_posterior

    posterior = edition_posterior(edition, n_draws=n_draws, seed=seed)
    table = rank_areas(posterior.draws.sum(axis=2), edition.areas.code, level=level)
    shrunk = posterior.shrunk.sum(axis=1)
    return [
        {
            "area_code": row["area_code"],
            "area_name": edition.areas.name[i],
            "region_name": edition.areas.region[i],
            "published_score": float(edition.total[i]),
            "published_rank": int(edition.rank[i]),
            "shrunk_score": round(float(shrunk[i]), 1),
            **row,
        }
        for i, row in enumerate(table.to_rows())
    ]


def _code(edition: str, area: str) -> str:
    from gwm_models.data.descriptor import nearest
    from gwm_models.data.vocabulary import load_vocabulary
    from gwm_models.errors import DataError

    vocabulary = load_vocabulary(edition)
    code = vocabulary.area_code(area)
    if code is None:
        raise DataError(f"There is no area '{area}' in {edition}.{nearest(area, vocabulary.areas.values())}")
    return code
