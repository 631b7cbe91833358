"""The scales that trends are fitted on, and the way back: levels that move along them stay inside their limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.index_spec import IndicatorSpec
from gwm_models.models.yearly import Yearly

Floats = NDArray[np.float64]
Kind = Literal["logit", "log", "linear"]

HUNDRED = 100.0
"""Values on a logarithmic scale are in hundredths, which for small changes are percentages."""
PRINTED = 0.05
"""Half of the last printed digit of a rate: one that is printed as at a limit is no nearer to it than this."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale on which the trend of an indicator is additive.

    Attributes
    ----------
    kind : {"logit", "log", "linear"}
        Rates move by the logarithm of their odds between their limits, pay by its logarithm, all else in its own unit.
    low, high : float
        Limits of a rate; without meaning for the others.
    """

    kind: Kind
    low: float = 0.0
    high: float = 100.0

    def on(self, series: Yearly) -> Yearly:
        """Put a series and its survey noise on this scale; pay comes on it, and all else but rates stays as it is.

        The error of a rate is divided by the slope of the scale. That is taken half at the figure itself, which its
        published error was worked out from, and half at a rate smoothed over units and years, so that a rate that is
        low by chance is not given a large error for it.
        """
        if self.kind != "logit":
            return series
        rate = np.clip(series.value, self.low + PRINTED, self.high - PRINTED)
        value = np.log((rate - self.low) / (self.high - rate))
        unit = _mean(value, axis=1)
        smooth = 1 / (1 + np.exp(-unit - _mean(value - unit, axis=0)))
        slopes = (rate - self.low) * (self.high - rate) * smooth * (1 - smooth)
        return replace(series, value=HUNDRED * value, error=HUNDRED * series.error / np.sqrt(slopes))

    def growth(self, change: Floats) -> Floats:
        """Turn changes on this scale into growth: of the odds of a rate or of pay, as a share; else as it is.

        No change is no growth, exactly.
        """
        return change if self.kind == "linear" else np.expm1(change / HUNDRED)

    def grown(self, level: Floats, growth: Floats) -> Floats:
        """Return levels after growth of their odds, of themselves, or by a change in their own unit.

        A rate never passes a limit, pay never falls below nothing, and a level without growth stays exactly what it is.

        Parameters
        ----------
        level : ndarray
            In the indicator's unit.
        growth : ndarray
            Of a shape that goes with it.

        References
        ----------
        Hyndman & Athanasopoulos (2021), Forecasting: Principles and Practice, 3rd edition, section 13.3 (forecasts that
        stay inside limits by a scaled logit).

        Examples
        --------
        Odds of 1 to 4 that double are 1 to 2:

        >>> Scale("logit").grown(np.array([20.0]), np.array([1.0])).round(4)
        array([33.3333])
        """
        if self.kind == "linear":
            return np.asarray(level + growth)
        if self.kind == "log":
            return np.asarray(level + level * growth)
        above = level - self.low
        part = above * growth
        return np.asarray(level + part * (self.high - level) / (part + (self.high - self.low)))


def scale_of(indicator: IndicatorSpec, *, relative: bool) -> Scale:
    """Return the scale of an indicator's trend.

    Parameters
    ----------
    indicator : IndicatorSpec
    relative : bool
        Whether its series is the logarithm of pay over that of the median unit.
    """
    if relative:
        return Scale("log")
    if indicator.unit == "percent" and np.isfinite(indicator.hard_limits).all():
        return Scale("logit", *indicator.hard_limits)
    return Scale("linear")


def _mean(value: Floats, axis: int) -> Floats:
    """Return means of known values, kept as a column or a row; 0 where none is known."""
    seen = np.isfinite(value)
    number = np.maximum(seen.sum(axis=axis, keepdims=True), 1)
    return np.asarray(np.where(seen, value, 0.0).sum(axis=axis, keepdims=True) / number)
