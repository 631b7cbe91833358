"""Remade figures of the report's first chapter: the index, its ranks, its domains and its regions."""

from __future__ import annotations

from statistics import median
from typing import Any

from gwm_models.data.edition import Edition
from gwm_models.index.sampling import sampling_error
from gwm_models.index.series import critical
from gwm_models.index.structure import shared_areas
from gwm_models.plots.forest import Words, forest
from gwm_models.plots.labels import plain_name
from gwm_models.plots.maps import tile_map
from gwm_models.plots.rank_charts import rank_caterpillar
from gwm_models.plots.words import number
from gwm_models.ranks.edition import hours_words, rank_rows
from gwm_models.report.figures_parts import (
    DRAWS,
    LEVEL,
    RANK_LEVEL,
    SEED,
    Asked,
    Made,
    Number,
    Row,
    Spec,
    by_level,
    edition_period,
    score_unit,
)
from gwm_models.report.figures_sources import area_sources, edition_sources

SHARED = (
    "Bournemouth and Poole carry the same survey figures: they are drawn as two areas, and are not two independent ones"
)
ERROR = "sampling error of the surveys behind each score, by the normal distribution"
LONGEST = 175
"""Pixels for the name of an area beside its rank."""
ENDS = 10
"""Areas at each end whose scores are drawn with their intervals."""


def monitor_map(asked: Asked) -> Made:
    """Map the total of every area, with its sampling error."""
    edition = asked.edition
    rows = score_rows(edition)
    best, worst = max(rows, key=_total), min(rows, key=_total)
    half = median((row["upper"] - row["lower"]) / 2 for row in rows)
    order = sorted(rows, key=_total, reverse=True)
    most = min(ENDS, len(rows) // 2)
    ends = [
        {"name": row["area_name"], "estimate": row["total"], "lower": row["lower"], "upper": row["upper"]}
        for row in (*order[:most], *order[len(order) - most :])
    ]
    unit = score_unit(edition)
    return Made(
        title=(
            f"The total runs from {number(worst['total'], 0)} in {worst['area_name']} to {number(best['total'], 0)} in "
            f"{best['area_name']}; surveys leave about {number(half, 0)} points either way in each score"
        ),
        specs=[
            *tile_map(
                rows,
                value="total",
                title="The total of every area",
                description="Map of the index total.",
                unit="points",
                places=1,
                kind="sequential",
                label="Total",
                edition=edition,
                boundaries=asked.boundaries,
            ),
            *forest(
                ends,
                Words("Area", "Total of the index, points", "Total", "95% interval", places=1),
                description="The highest and the lowest totals, with 95% intervals: "
                + "; ".join(f"{row['name']} {number(row['estimate'], 0)}" for row in ends)
                + ".",
                title=f"The {len(ends) // 2} highest and the {len(ends) // 2} lowest, with intervals",
                zero=False,
            ),
        ],
        reading=("Darker areas have a higher total. The table under the map has the interval of every score.",),
        interval=by_level(LEVEL, ERROR),
        period=edition_period(edition),
        unit=unit,
        n=f"{len(rows)} areas",
        numbers=tuple(
            Number(
                f"Total: {row['area_name']}", "points", row["total"], row["lower"], row["upper"], LEVEL, len(rows), 1
            )
            for row in (best, worst)
        ),
        sources=(*edition_sources(edition), *area_sources(edition)),
        left_out=(*outside(edition), *asked.shapeless),
        caution=f"{assumed(edition)}Scores that lie within each other's intervals do not tell two areas apart.",
    )


def all_ranks(asked: Asked) -> Made:
    """Draw the rank of every area with its interval."""
    edition = asked.edition
    rows = rank_rows(edition, level=RANK_LEVEL, n_draws=DRAWS, seed=SEED)
    widths = [int(str(row["upper"])) - int(str(row["lower"])) + 1 for row in rows]
    width = median(widths)
    n = len(rows)
    best, worst = rows[0], rows[-1]
    specs: list[Spec] = rank_caterpillar([{**row, "area_name": plain_name(str(row["area_name"]))} for row in rows])
    for spec in specs:
        spec["encoding"]["y"]["axis"]["labelLimit"] = LONGEST
    return Made(
        title=(
            f"A typical area could stand on any of {width:.0f} ranks: only the ends of the table are sure, from "
            f"{best['area_name']} to {worst['area_name']}"
        ),
        specs=specs,
        reading=(
            "A ring is the median rank over draws of the true scores, a line its interval. Each draw is ranked on its "
            "own, so the interval carries how areas stand to each other.",
        ),
        interval=by_level(RANK_LEVEL, f"ranks over {DRAWS:,} exact draws of the true scores"),
        period=edition_period(edition),
        unit=f"rank, 1 (best) to {n}",
        n=f"{n} areas",
        numbers=(
            *(_rank_number(row, n) for row in (best, worst)),
            Number(
                "Ranks in a typical interval (median; the narrowest and the widest beside it)",
                "ranks",
                float(width),
                float(min(widths)),
                float(max(widths)),
                None,
                n,
                0,
            ),
        ),
        sources=edition_sources(edition),
        left_out=outside(edition),
        caution=f"{assumed(edition)}Each interval holds for its area alone, not for all areas at once.",
    )


def score_rows(edition: Edition) -> list[dict[str, Any]]:
    """Return one row an area: its total and domains, each with the interval of its sampling error."""
    error = sampling_error(edition)
    reach = critical(LEVEL) * error.total_std_error
    areas = edition.areas
    rows = []
    for i, code in enumerate(areas.code):
        row: dict[str, Any] = {
            "area_code": code,
            "area_name": plain_name(areas.name[i]),
            "region_name": areas.region[i],
            "total": float(edition.total[i]),
            "lower": float(edition.total[i] - reach[i]),
            "upper": float(edition.total[i] + reach[i]),
        }
        for d, name in enumerate(edition.spec.domain_ids):
            score = float(edition.domain_scores[i, d])
            half = critical(LEVEL) * float(error.domain_cov[i, d, d]) ** 0.5
            row |= {name: score, f"{name}_lower": score - half, f"{name}_upper": score + half}
        rows.append(row)
    return rows


def outside(edition: Edition) -> tuple[str, ...]:
    """Say which areas of England are not in an edition, and which are not independent."""
    if not edition.published:
        return ()
    same = (SHARED,) if shared_areas(edition.areas) else ()
    return ("London and the Isles of Scilly, which are not in the Monitor", *same)


def assumed(edition: Edition) -> str:
    """Say what is assumed of sampling errors that have no source, with a space after it; empty where nothing is."""
    words = hours_words(edition, advice=False)
    return f"{words} " if words else ""


def _rank_number(row: Row, n: int) -> Number:
    return Number(f"Rank: {row['area_name']}", "rank", row["estimate"], row["lower"], row["upper"], RANK_LEVEL, n, 0)


def _total(row: Row) -> float:
    return float(row["total"])
