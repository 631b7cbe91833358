"""The recession of 2009 as a forecast of 2020: path of the mean, and which areas go further than it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gwm_models.evaluation.backtest_origins import Indicator, indicators, layout, origin_of, then_of
from gwm_models.evaluation.backtest_scores import Forecast
from gwm_models.models.shocks import FIRST_YEARS, PROFILES, Departures, changes_since, departures, shock_profile

Floats = NDArray[np.float64]
Row = dict[str, object]

EARLIER, LATER = "2009", "2020"
RULE = "shock_2009"
SHOCKED = ("economic_activity_rate", "unemployment_rate")


def shock_forecasts(n_draws: int, seed: int) -> Iterator[Forecast]:
    """Yield the first years after 2019 as what the recession of 2009 did to each area would have them."""
    base = PROFILES[LATER] - 1
    for one in _shocked():
        origin = origin_of(one, base)
        if origin is None:
            continue
        shock = shock_profile(layout(), one.id, EARLIER)
        then = then_of(one, origin, n_draws, seed)
        deviation = shock.draw_deviation(n_draws, seed)[:, then.seen]
        before = one.published(base)[then.seen]
        direction = next(spec.direction for spec in layout().spec.indicators if spec.id == one.id)
        for t in range(min(FIRST_YEARS, len(shock.year))):
            came = one.published(base + 1 + t)[then.seen]
            here = np.isfinite(came)
            true = then.true_draws()
            hit = one.figure_of(one.level(true) + shock.path[t] + shock.persistence[t] * deviation)
            draws = then.later(hit - true, t + 1)
            yield Forecast(one.id, one.unit, RULE, base, t + 1, draws[:, here], before[here], came[here], direction)


def shock_rows() -> list[Row]:
    """Set the path of 2009 beside that of 2020, and say how far the areas that were hit harder were the same.

    Returns
    -------
    list of dict
        By indicator and year of the shock: ``path_2009``, ``path_2020`` (mean change since the year before, in the
        indicator's unit), ``departure_correlation`` (of the areas' shrunk departures over the first years) and
        ``spread_2009``, ``spread_2020`` (standard deviation of those departures).
    """
    rows: list[Row] = []
    for one in _shocked():
        first, second = (_found(one, name) for name in (EARLIER, LATER))
        together = float(np.corrcoef(first.deviation, second.deviation)[0, 1]) if _moved(first, second) else None
        for t in range(FIRST_YEARS):
            rows.append(
                {
                    "quantity": one.id,
                    "unit": one.unit,
                    "year_of_shock": t + 1,
                    "path_2009": float(first.path[t]),
                    "path_2020": float(second.path[t]),
                    "departure_correlation": together,
                    "spread_2009": float(first.deviation.std()),
                    "spread_2020": float(second.deviation.std()),
                }
            )
    return rows


def _shocked() -> list[Indicator]:
    return [one for one in indicators() if one.id in SHOCKED]


def _found(one: Indicator, profile: str) -> Departures:
    """Return the path and departures of the first years of a shock, whether or not it lasted that long."""
    first = PROFILES[profile]
    return departures(*changes_since(one.series.between(first - 1, first - 1 + FIRST_YEARS)))


def _moved(first: Departures, second: Departures) -> bool:
    return bool(first.deviation.std() > 0 and second.deviation.std() > 0)
