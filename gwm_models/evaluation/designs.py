"""Synthetic control, synthetic difference in differences and difference in differences, on arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.evaluation.simplex import simplex_fit

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Method = Literal["sc", "sdid", "did"]
METHODS: tuple[Method, ...] = ("sc", "sdid", "did")
TIME_RIDGE = 1e-6
"""Of the time weights, in noise levels: it only makes them unique (as in the paper's own program)."""


@dataclass(frozen=True, eq=False)
class DesignFit(Frozen):
    """One treated series against its counterfactual.

    Attributes
    ----------
    gap : ndarray, shape (n_times,)
        Observed minus counterfactual.
    weight : ndarray, shape (n_donors,)
        At least 0, sum 1.
    time_weight : ndarray, shape (cut,)
        Of the times before the start, sum 1; all zero for synthetic control, which takes the level as it is.
    cut : int
        Times before the start.
    unique : bool
        Whether no other donor weights fit as well.
    """

    gap: Floats
    weight: Floats
    time_weight: Floats
    cut: int
    unique: bool

    @property
    def att(self) -> float:
        """Mean gap from the start on."""
        return float(self.gap[self.cut :].mean())

    @property
    def rmspe_pre(self) -> float:
        """Root mean squared gap before the start."""
        return float(np.sqrt(np.mean(self.gap[: self.cut] ** 2)))

    @property
    def rmspe_post(self) -> float:
        """Root mean squared gap from the start on."""
        return float(np.sqrt(np.mean(self.gap[self.cut :] ** 2)))


@dataclass(frozen=True, eq=False)
class Data(Frozen):
    """What a design is fitted to: outcomes, and what the donor weights should match.

    Attributes
    ----------
    value : ndarray, shape (n_units, n_times)
        The outcome, without gaps.
    cut : int
        Times before the start.
    match : ndarray, shape (n_units, n_rows)
        What donor weights are fitted to; the outcome before the start where nothing else is asked for.
    """

    value: Floats
    cut: int
    match: Floats


def fit_design(method: Method, data: Data, treated: Rows, donors: Rows, weight: Floats | None = None) -> DesignFit:
    """Fit one design to the mean of some units, from others.

    Parameters
    ----------
    method : {"sc", "sdid", "did"}
    data : Data
    treated, donors : ndarray of int
        Rows of `data`.
    weight : ndarray, shape (n_donors,), optional
        Fixed donor weights, instead of fitting them.

    Returns
    -------
    DesignFit

    References
    ----------
    Abadie, Diamond & Hainmueller (2010), JASA 105(490), 493-505, doi:10.1198/jasa.2009.ap08746.
    Arkhangelsky, Athey, Hirshberg, Imbens & Wager (2021), Synthetic difference-in-differences, American Economic
    Review 111(12), 4088-4118, doi:10.1257/aer.20190159.
    """
    value, cut, unique = data.value[donors], data.cut, True
    if weight is None:
        weight, unique = _donor_weights(method, data, treated, donors)
    gap = data.value[treated].mean(axis=0) - weight @ value
    time_weight = _time_weights(method, value, cut)
    return DesignFit(gap - time_weight @ gap[:cut], weight, time_weight, cut, unique)


def noise_level(donors: Floats, cut: int) -> float:
    """Return the standard deviation of the donors' changes from one time to the next, before the start."""
    changes = np.diff(donors[:, :cut], axis=1)
    return float(changes.std(ddof=1)) if changes.size > 1 else 0.0


def residuals(method: Method, series: Floats, donors: Floats, after: int) -> Floats:
    """Return what is left of a series when its counterfactual is fitted to all times, the last `after` included."""
    weight = np.full(len(donors), 1 / len(donors))
    if method == "sc":
        weight = simplex_fit(donors.T, series).weight
    elif method == "sdid":
        centred = donors - donors.mean(axis=1, keepdims=True)
        ridge = after**0.5 * noise_level(donors, len(series)) ** 2 * len(series)
        weight = simplex_fit(centred.T, series - series.mean(), ridge=ridge).weight
    gap = series - weight @ donors
    return gap if method == "sc" else np.asarray(gap - gap.mean())


def _donor_weights(method: Method, data: Data, treated: Rows, donors: Rows) -> tuple[Floats, bool]:
    if method == "did":
        return np.full(len(donors), 1 / len(donors)), True
    columns, target, ridge = data.match[donors].T, data.match[treated].mean(axis=0), 0.0
    if method == "sdid":
        columns, target = columns - columns.mean(axis=0), target - target.mean()
        after = data.value.shape[1] - data.cut
        zeta = (len(treated) * after) ** 0.25 * noise_level(data.value[donors], data.cut)
        ridge = zeta**2 * len(target)
    found = simplex_fit(columns, target, ridge=ridge)
    return found.weight, found.unique


def _time_weights(method: Method, donors: Floats, cut: int) -> Floats:
    if method == "sc":
        return np.zeros(cut)
    if method == "did":
        return np.full(cut, 1 / cut)
    columns, target = donors[:, :cut], donors[:, cut:].mean(axis=1)
    ridge = (TIME_RIDGE * noise_level(donors, cut)) ** 2 * len(donors)
    return simplex_fit(columns - columns.mean(axis=0), target - target.mean(), ridge=ridge).weight
