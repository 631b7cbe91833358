"""Back-test: what the engine would have projected from the data of earlier years, judged by what came after."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from gwm_models.evaluation.backtest_health import as_forecasts, health_forecasts, slope_row
from gwm_models.evaluation.backtest_origins import indicator_forecasts, indicators
from gwm_models.evaluation.backtest_ranks import (
    Chances,
    Gap,
    brier_rows,
    chances,
    gap_rows,
    reliability_rows,
    worst_gap,
)
from gwm_models.evaluation.backtest_scores import Forecast, Judged, judge, score_rows
from gwm_models.evaluation.backtest_shocks import shock_forecasts, shock_rows
from gwm_models.evaluation.backtest_total import TOTAL, total_forecasts
from gwm_models.models.trend_error import widening

Row = dict[str, object]

HORIZONS = tuple(range(1, 9))
DRAWS = 1000
SEED = 20260101
HELD = "held"
RANK_HORIZONS = 5
"""Years ahead at most for which chances of a better rank are pooled."""
GAP_HORIZONS = 3
NEAR = 5
"""Years ahead at most that headline scores are averaged over."""
LONG = ("economic_activity_rate", "unemployment_rate", "median_pay")
"""Indicators with ten years of figures and more; job shares have five."""
LEAKS = (
    "The structure of the trends, their lattice of scales and the assumed correlation of survey errors were chosen "
    "with all years in sight.",
    "The bounds of the open editions are frozen over 2017 to 2021; they set only how many points a unit is worth.",
    "The survey error of a later figure, which is no part of a projection, comes from that figure's own limits.",
    "Where a year of a survey has no published limits, its error is filled from those of all years.",
    "Errors from overlapping spans are not independent: there is one recession and one pandemic in the figures.",
    "Health links on the total cannot be fitted to fewer years, since there is one published Monitor; those on access "
    "are judged.",
)
"""What could not be hidden from the past, and how to read the scores."""


@dataclass(frozen=True, eq=False)
class Backtest:
    """Tables of a back-test; rows are dicts of plain values.

    Attributes
    ----------
    horizons : list of dict
        Scores by quantity, rule and years ahead: see `score_rows`.
    origins : list of dict
        Scores by quantity, rule and origin, years ahead pooled.
    health, health_slopes : list of dict
        Scores of the links by outcome and years ahead; and slopes known before beside later ones.
    ranks, reliability : list of dict
        Scores of the chances of a better rank, and chances beside shares.
    worst : list of dict
        Regression to the mean of the worst areas.
    shocks, shock_paths : list of dict
        The recession of 2009 as a forecast of 2020.
    factors : list of dict
        What the spread of trends is multiplied by.
    notes : tuple of str
        What could not be hidden from the past.
    """

    horizons: list[Row]
    origins: list[Row]
    health: list[Row]
    health_slopes: list[Row]
    ranks: list[Row]
    reliability: list[Row]
    worst: list[Row]
    shocks: list[Row]
    shock_paths: list[Row]
    factors: list[Row]
    notes: tuple[str, ...] = LEAKS


def backtest(*, n_draws: int = DRAWS, seed: int = SEED, health: bool = True) -> Backtest:
    """Project from every earlier year on data up to it, and judge the projections by what came after; under a minute.

    Parameters
    ----------
    n_draws, seed : int
    health : bool
        Whether the links with health are judged too, which takes a third of the time.

    References
    ----------
    Tashman (2000), International Journal of Forecasting 16, 437-450. Gneiting & Raftery (2007), JASA 102, 359-378.
    """
    tally = _Tally([], [], [])
    for one in indicator_forecasts(HORIZONS, n_draws, seed):
        tally.add(one)
    for one in total_forecasts(HORIZONS, n_draws, seed):
        tally.add(one)
    shocks = [judge(one) for one in shock_forecasts(n_draws, seed)]
    links = list(health_forecasts(seed)) if health else []
    by_link = (judge(one) for later, slopes in links for one in as_forecasts(later, slopes, seed))
    return Backtest(
        horizons=score_rows(tally.judged, ("quantity", "rule", "horizon")),
        origins=score_rows(tally.judged, ("quantity", "rule", "origin")),
        health=score_rows(by_link, ("quantity", "rule", "horizon")),
        health_slopes=[slope_row(later, slopes) for later, slopes in links],
        ranks=brier_rows(tally.chances, ("quantity", "rule")),
        reliability=reliability_rows(tally.chances),
        worst=gap_rows(tally.gaps),
        shocks=score_rows([*shocks, *_same_origin(tally.judged, shocks)], ("quantity", "rule", "horizon")),
        shock_paths=shock_rows(),
        factors=widening([one.past for one in indicators()]).rows(),
    )


def pooled(rows: Iterable[Row], name: str, *, rule: str, quantities: Collection[str], furthest: int) -> float | None:
    """Average one score over quantities and years ahead, each row counting as many times as it has origins.

    Parameters
    ----------
    rows : iterable of dict
        As in `Backtest.horizons`.
    name : str
        A score, such as ``coverage_90``.
    rule : str
    quantities : collection of str
    furthest : int
        Years ahead at most.
    """
    above = below = 0.0
    for row in rows:
        value, origins = row[name], row["origins"]
        near = isinstance(row["horizon"], int) and row["horizon"] <= furthest
        if row["rule"] == rule and row["quantity"] in quantities and near:
            if not isinstance(value, float) or not isinstance(origins, int):
                return None
            above, below = above + value * origins, below + origins
    return above / below if below else None


def headline(found: Backtest) -> dict[str, object]:
    """Return the scores that sum a back-test up, as plain data.

    Returns
    -------
    dict
        ``scores``: by quantity (and ``indicators``: those of ten years and more together) and rule, averages over the
        first `NEAR` years ahead; ``counts``; ``worst``, ``links``, ``shock`` in a few numbers.
    """
    kinds = {**{name: {name} for name in (*LONG, TOTAL)}, "indicators": set(LONG)}
    names = ("bias", "mae", "rmse", "crps", "coverage_50", "coverage_90", "coverage_90_of_mean", "width_90")
    rules = list(dict.fromkeys(str(row["rule"]) for row in found.horizons))
    scores: list[Row] = [
        {"quantity": kind, "rule": rule}
        | {name: pooled(found.horizons, name, rule=rule, quantities=which, furthest=NEAR) for name in names}
        for kind, which in kinds.items()
        for rule in rules
    ]
    return {
        "years_ahead": NEAR,
        "scores": [{**row, **_no_units(row)} for row in scores],
        "forecasts": sum(_int(row["n"]) for row in found.horizons if row["rule"] == HELD),
        "origins": [min(_years(found.origins)), max(_years(found.origins))],
        "links": {
            f"{link}_holds": sum(bool(row[f"{link}_holds"]) for row in found.health_slopes)
            for link in ("within", "between")
        }
        | {"trials": len(found.health_slopes)},
    }


def _no_units(row: Row) -> Row:
    """Leave out the scores of several quantities together that have their units."""
    return dict.fromkeys(("bias", "mae", "rmse", "crps", "width_90")) if row["quantity"] == "indicators" else {}


def _years(rows: Iterable[Row]) -> list[int]:
    return [_int(row["origin"]) for row in rows]


def _int(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a whole number is wanted, got {value!r}.")
    return value


@dataclass(frozen=True, eq=False)
class _Tally:
    """What is kept of each forecast: its draws are not."""

    judged: list[Judged]
    chances: list[Chances]
    gaps: list[Gap]

    def add(self, one: Forecast) -> None:
        self.judged.append(judge(one))
        if one.has_spread and one.horizon <= RANK_HORIZONS:
            self.chances.append(chances(one))
        if one.rule == HELD and one.horizon <= GAP_HORIZONS:
            self.gaps.append(worst_gap(one))


def _same_origin(judged: Iterable[Judged], like: list[Judged]) -> Iterator[Judged]:
    """Yield the forecasts of other rules for the same quantities, origins and years ahead."""
    wanted = {(one.quantity, one.origin, one.horizon) for one in like}
    return (one for one in judged if (one.quantity, one.origin, one.horizon) in wanted)
