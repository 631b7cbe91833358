"""Where indicators went after the year of an edition, as far as figures tell: survey noise taken out."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.errors import DataError
from gwm_models.models.shocks import changes_since, spread_between
from gwm_models.models.yearly import Yearly

Floats = NDArray[np.float64]


def edition_year(edition: Edition) -> int:
    """Return the year that the levels of an edition are of: the first that its period names.

    Raises
    ------
    DataError
        If its period names none.

    Examples
    --------
    >>> from gwm_models.data.edition import load_edition
    >>> edition_year(load_edition("open-2019"))
    2019
    """
    found = re.search(r"\b(19|20)\d\d\b", edition.period)
    if found is None:
        raise DataError(
            f"{edition.name}: its period '{edition.period}' names no year, so a trend has no start. "
            "Write counterfactual: held."
        )
    return int(found[0])


@dataclass(frozen=True, eq=False)
class Observed(Frozen):
    """Changes of one series since the year of an edition, as far as there are figures; on the scale of the series.

    Attributes
    ----------
    base : int
        The year of the edition.
    year : tuple of int
        Years with figures after it; may be none.
    last : int
        Last year of the series, which may be before `base`.
    mean, mean_sd : ndarray, shape (n_years,)
        Mean change of the units, and what survey noise leaves uncertain of it.
    own, own_sd : ndarray, shape (n_years, n_units)
        How much further each unit went, shrunk for survey noise, and its posterior standard deviation.
    """

    base: int
    year: tuple[int, ...]
    last: int
    mean: Floats
    mean_sd: Floats
    own: Floats
    own_sd: Floats

    def at(self, years_ahead: int) -> int | None:
        """Return the place of the newest figure up to that many years after the edition, None before the first."""
        return max((t for t, year in enumerate(self.year) if year <= self.base + years_ahead), default=None)

    def beyond(self, years_ahead: int) -> int:
        """Return how many years after the last figure that is, 0 up to it."""
        return max(self.base + years_ahead - self.last, 0)

    def central(self, years_ahead: int) -> Floats:
        """Return the expected change of every unit so far, shape (n_units,)."""
        t = self.at(years_ahead)
        return np.zeros(self.own.shape[1]) if t is None else np.asarray(self.mean[t] + self.own[t])

    def drawn(self, years_ahead: int, common: Floats, luck: Floats) -> Floats:
        """Draw the change of every unit so far.

        Parameters
        ----------
        years_ahead : int
        common : ndarray, shape (n_draws, 1)
            Standard normals for the mean.
        luck : ndarray, shape (n_draws, n_units)
            Standard normals for the units.
        """
        t = self.at(years_ahead)
        if t is None:
            return np.zeros(luck.shape)
        return np.asarray(self.mean[t] + self.mean_sd[t] * common + self.own[t] + self.own_sd[t] * luck)


def nothing_known(base: int, last: int, n_units: int) -> Observed:
    """Return what is known of a series without figures after the year of the edition: nothing."""
    none = np.empty((0, n_units))
    return Observed(base, (), last, np.empty(0), np.empty(0), none, none)


def observed_since(series: Yearly, base: int) -> Observed:
    """Take the changes of a series since a year, or since its first year after that.

    Each year's departures from the mean are shrunk by what published limits say of noise (empirical Bayes). A unit
    without a figure departs by nothing known.

    Parameters
    ----------
    series : Yearly
    base : int

    References
    ----------
    Morris (1983), JASA 78, 47-55 (empirical Bayes).
    """
    later = series.between(base, series.year[-1])
    if len(later.year) < 2:
        return nothing_known(base, series.year[-1], len(series.unit))
    change, noise = changes_since(later)
    seen = np.isfinite(change)
    variance = np.where(seen, np.diagonal(noise, axis1=1, axis2=2), 0.0)
    number = seen.sum(axis=0)
    mean = np.nanmean(change, axis=0)
    apart = np.where(seen, change - mean, 0.0)
    spread = [spread_between(apart[here, t], variance[here, t]) for t, here in enumerate(seen.T)]
    total = np.where(seen, spread + variance, 1.0)
    kept = np.where(seen, np.divide(spread, total, out=np.zeros_like(total), where=total > 0), 0.0)
    return Observed(
        base=base,
        year=later.year[1:],
        last=series.year[-1],
        mean=mean,
        mean_sd=np.sqrt(variance.sum(axis=0)) / number,
        own=(kept * apart).T,
        own_sd=np.sqrt(np.array(spread) * (1 - kept)).T,
    )
