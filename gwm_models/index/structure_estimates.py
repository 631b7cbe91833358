"""Estimates about the structure of an index, each with the interval that suits it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.index.correlation import fisher_interval, interval_of_z, z_error

Floats = NDArray[np.float64]

SEED = 20260101
LEVEL = 0.95
DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Estimate:
    """One number about the structure of an index.

    Attributes
    ----------
    items : str
        The set of items it is about: ``indicators``, ``domains``, or a domain's two indicators.
    statistic, term, other : str
        What it is, and of which item or pair of items; empty where it is of the whole set.
    estimate, std_error, lower, upper : float
        NaN where there is none.
    n : int
        Units, areas that share a unit merged.
    level : float
        Of the interval.
    method : str
        Of the interval, or what the number cannot say.
    """

    items: str
    statistic: str
    term: str
    other: str
    estimate: float
    std_error: float
    lower: float
    upper: float
    n: int
    level: float
    method: str

    def to_row(self) -> dict[str, object]:
        """Return the number as one row."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Maker:
    """Writes the estimates of one set of items.

    Attributes
    ----------
    items : str
        What the set is called.
    n : int
        Units.
    level : float
        Of the intervals.
    """

    items: str
    n: int
    level: float

    def bounded(
        self,
        statistic: str,
        estimate: float,
        std_error: float = np.nan,
        lower: float = np.nan,
        upper: float = np.nan,
        method: str = "",
        term: str = "",
        other: str = "",
    ) -> Estimate:
        """Return an estimate with the bounds given."""
        numbers = (float(estimate), float(std_error), float(lower), float(upper))
        return Estimate(self.items, statistic, term, other, *numbers, self.n, self.level, method)

    def wald(
        self,
        statistic: str,
        estimate: float,
        std_error: float,
        quantile: float,
        method: str = "",
        term: str = "",
        other: str = "",
    ) -> Estimate:
        """Return an estimate with an interval of `quantile` standard errors to each side."""
        reach = quantile * std_error
        return self.bounded(statistic, estimate, std_error, estimate - reach, estimate + reach, method, term, other)

    def drawn(self, statistic: str, estimate: float, draws: Floats, term: str = "", other: str = "") -> Estimate:
        """Return an estimate with the percentile interval of its resampled values; NaN ones are left out."""
        kept = draws[np.isfinite(draws)]
        if len(kept) < 2 or not np.isfinite(estimate):
            return self.bounded(statistic, estimate, method="cannot be resampled", term=term, other=other)
        lower, upper = np.quantile(kept, [(1 - self.level) / 2, (1 + self.level) / 2])
        return self.bounded(statistic, estimate, float(kept.std()), lower, upper, "resampled units", term, other)

    def correlated(self, statistic: str, r: float, draws: Floats, term: str = "", other: str = "") -> Estimate:
        """Return a correlation with the error of its resampled values, its interval even on Fisher's scale.

        Covers better than percentiles, which are too narrow on the side away from 1.
        """
        plain = self.drawn(statistic, r, draws, term, other)
        if not np.isfinite(plain.std_error) or abs(r) >= 1:
            return plain
        lower, upper = map(float, interval_of_z(r, plain.std_error / (1 - r**2), self.level))
        method = "resampled units, Fisher z"
        return self.bounded(statistic, r, plain.std_error, lower, upper, method, term, other)

    def fisher(self, statistic: str, r: float, term: str = "", other: str = "") -> Estimate:
        """Return a correlation with the interval of its Fisher transform."""
        ranks = statistic == "spearman"
        lower, upper = map(float, fisher_interval(r, self.n, self.level, ranks=ranks))
        error = float((1 - r**2) * z_error(r, self.n, ranks=ranks))
        return self.bounded(statistic, r, error, lower, upper, "Bonett-Wright" if ranks else "Fisher z", term, other)
