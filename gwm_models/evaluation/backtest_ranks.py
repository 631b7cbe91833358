"""Chances of a better rank against what happened, and the regression to the mean of areas picked for being worst."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.scale import descending_rank
from gwm_models.evaluation.backtest_scores import Forecast
from gwm_models.ranks.table import rank_draws

Floats = NDArray[np.float64]
Row = dict[str, object]

BINS = 10
"""Bins of equal width that chances are told in."""
WORST = 20
"""Areas picked for having the worst figure."""


@dataclass(frozen=True, eq=False)
class Chances(Frozen):
    """Chances of a better rank in one forecast, and who got one.

    Attributes
    ----------
    quantity, rule : str
    origin, horizon : int
    chance : ndarray, shape (n,)
    better : ndarray of bool, shape (n,)
    """

    quantity: str
    rule: str
    origin: int
    horizon: int
    chance: Floats
    better: NDArray[np.bool_]


def chances(one: Forecast) -> Chances:
    """Return each area's chance of a better rank in the later figures than in the published ones, and what came."""
    now = descending_rank(one.direction * one.before)
    then = descending_rank(one.direction * one.came)
    chance = (rank_draws(one.direction * one.draws) < now).mean(axis=0)
    return Chances(one.quantity, one.rule, one.origin, one.horizon, chance, then < now)


def reliability_rows(found: Iterable[Chances], by: Sequence[str] = ("rule",)) -> list[Row]:
    """Set chances beside the share of areas that did get a better rank, in bins of the chance.

    Returns
    -------
    list of dict
        The attributes of `by`, ``chance_from``, ``chance_to``, ``n``, ``mean_chance`` and ``share_better``.

    References
    ----------
    Murphy & Winkler (1977), Applied Statistics 26, 41-47 (reliability of probability forecasts).
    """
    rows: list[Row] = []
    for key, chance, better in _pooled(found, by):
        which = np.minimum((chance * BINS).astype(int), BINS - 1)
        for k in range(BINS):
            here = which == k
            if here.any():
                row: Row = {"chance_from": k / BINS, "chance_to": (k + 1) / BINS, "n": int(here.sum())}
                told = {"mean_chance": float(chance[here].mean()), "share_better": float(better[here].mean())}
                rows.append({**key, **row, **told})
    return rows


def brier_rows(found: Iterable[Chances], by: Sequence[str]) -> list[Row]:
    """Score chances by their mean squared distance from what came, beside that of always saying the overall share."""
    rows: list[Row] = []
    for key, chance, better in _pooled(found, by):
        share = float(better.mean())
        miss = float(((chance - better) ** 2).mean())
        always = share * (1 - share)
        rows.append(
            {**key, "n": len(chance), "share_better": share, "brier": miss, "brier_of_share": always}
            | {"skill": 1 - miss / always}
        )
    return rows


def _pooled(found: Iterable[Chances], by: Sequence[str]) -> list[tuple[Row, Floats, NDArray[np.bool_]]]:
    groups: dict[tuple[object, ...], list[Chances]] = {}
    for one in found:
        groups.setdefault(tuple(getattr(one, name) for name in by), []).append(one)
    return [
        (
            dict(zip(by, key, strict=True)),
            np.concatenate([one.chance for one in group]),
            np.concatenate([one.better for one in group]),
        )
        for key, group in groups.items()
    ]


@dataclass(frozen=True, slots=True)
class Gap:
    """How far the worst areas of one year were behind the mean of all: published, forecast and later.

    Attributes
    ----------
    quantity, unit : str
    origin, horizon : int
    published, forecast, came : float
    """

    quantity: str
    unit: str
    origin: int
    horizon: int
    published: float
    forecast: float
    came: float


def worst_gap(held: Forecast) -> Gap:
    """Follow the `WORST` areas of a year: the forecast is that of levels held, shrunk for survey noise."""
    worst = np.argsort(held.direction * held.before, kind="stable")[:WORST]

    def gap(values: Floats) -> float:
        return float(values[worst].mean() - values.mean())

    return Gap(
        held.quantity,
        held.unit,
        held.origin,
        held.horizon,
        gap(held.before),
        gap(held.draws.mean(axis=0)),
        gap(held.came),
    )


def gap_rows(gaps: Iterable[Gap]) -> list[Row]:
    """Average gaps over origins, by quantity and years ahead, and say what share of the gap went by itself.

    Returns
    -------
    list of dict
        ``quantity``, ``unit``, ``horizon``, ``origins``, ``published``, ``forecast``, ``came`` (mean gaps),
        ``share_forecast`` and ``share_came`` (of the published gap that is gone), ``std_error`` of ``share_came`` over
        origins, which overlap and are not independent (None for one origin).
    """
    groups: dict[tuple[str, int], list[Gap]] = {}
    for one in gaps:
        groups.setdefault((one.quantity, one.horizon), []).append(one)
    rows: list[Row] = []
    for (quantity, horizon), group in groups.items():
        published, forecast, came = (
            np.array([getattr(one, name) for one in group]) for name in ("published", "forecast", "came")
        )
        gone = 1 - came / published
        rows.append(
            {
                "quantity": quantity,
                "unit": group[0].unit,
                "horizon": horizon,
                "origins": len(group),
                "published": float(published.mean()),
                "forecast": float(forecast.mean()),
                "came": float(came.mean()),
                "share_forecast": float(1 - forecast.mean() / published.mean()),
                "share_came": float(1 - came.mean() / published.mean()),
                "std_error": float(gone.std(ddof=1) / np.sqrt(len(gone))) if len(gone) > 1 else None,
            }
        )
    return rows
