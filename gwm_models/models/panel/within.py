"""Areas compared with themselves over time: fixed effects, within and between together, differences.

Every function takes arrays of units by years with NaN where there is no figure, and gives coefficients with a
covariance that is robust to anything within a unit: overlapping windows, trends of its own, unequal variances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import ModelError

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

LEAST_UNITS = 10


@dataclass(frozen=True, eq=False)
class PanelFit(Frozen):
    """Coefficients of one panel model.

    Attributes
    ----------
    coef : ndarray, shape (k,)
    cov : ndarray, shape (k, k)
        Clustered by unit.
    influence : ndarray, shape (k, n_units)
        What each unit adds to the error of each coefficient: ``influence @ influence.T`` is the covariance before the
        small-sample factor. Zero for units that are not used.
    used : ndarray of bool, shape (n_units,)
        Units in the fit: those with two observations or more.
    n : int
        Observations.
    """

    coef: Floats
    cov: Floats
    influence: Floats
    used: Mask
    n: int

    @property
    def std_error(self) -> Floats:
        """Standard errors, shape (k,)."""
        return np.asarray(np.sqrt(np.diag(self.cov)))

    @property
    def freedom(self) -> int:
        """Degrees of freedom of Student's t: units less one."""
        return int(self.used.sum()) - 1

    def combine(self, weights: Floats) -> PanelFit:
        """Return sums of the coefficients, `weights` of shape (m, k) times `coef`, with their covariance."""
        return PanelFit(
            weights @ self.coef, weights @ self.cov @ weights.T, weights @ self.influence, self.used, self.n
        )


@dataclass(frozen=True, eq=False)
class TwoWay(Frozen):
    """The projection that takes unit and year effects out of a panel with gaps.

    Attributes
    ----------
    seen : ndarray of bool, shape (n_units, n_years)
    years : ndarray, shape (n_units, n_years, n_years)
        Year dummies less their mean in the unit.
    inverse : ndarray, shape (n_years, n_years)
        Generalised inverse of the cross-products of `years`.
    rank : int
        Unit and year effects that can be told apart.
    """

    seen: Mask
    years: Floats
    inverse: Floats
    rank: int

    def residual(self, values: Floats) -> Floats:
        """Take both effects out of values of shape (..., n_units, n_years); zero where not seen."""
        left = np.where(self.seen, values, 0.0)
        number = np.maximum(self.seen.sum(axis=1, keepdims=True), 1)
        left = left - self.seen * (left.sum(axis=-1, keepdims=True) / number)
        flat = left.reshape(*left.shape[:-2], -1)
        years = self.years.reshape(flat.shape[-1], -1)
        return np.asarray((flat - (flat @ years) @ self.inverse @ years.T).reshape(left.shape))

    def blocks(self) -> Floats:
        """Return each unit's own block of the projection, shape (n_units, n_years, n_years)."""
        number = np.maximum(self.seen.sum(axis=1), 1)[:, None, None]
        both = self.seen[:, :, None] & self.seen[:, None, :]
        own = np.eye(self.seen.shape[1]) * both - both / number
        return np.asarray(own - self.years @ self.inverse @ self.years.transpose(0, 2, 1))


def two_way(seen: Mask) -> TwoWay:
    """Return the projection off unit and year effects for the cells that are seen, shape (n_units, n_years)."""
    n_units, n_years = seen.shape
    number = np.maximum(seen.sum(axis=1), 1)[:, None, None]
    both = seen[:, :, None] & seen[:, None, :]
    years = np.eye(n_years) * both - both / number
    flat = years.reshape(n_units * n_years, n_years)
    inverse = np.linalg.pinv(flat.T @ flat, rcond=1e-10, hermitian=True)
    rank = int(np.linalg.matrix_rank(flat.T @ flat, tol=1e-8, hermitian=True))
    return TwoWay(seen, years, inverse, int(seen.any(axis=1).sum()) + rank)


def observed(value: Floats, exposure: Floats) -> Mask:
    """Return the cells with every figure, of units with two or more of them.

    Parameters
    ----------
    value : ndarray, shape (n_units, n_years)
    exposure : ndarray, shape (k, n_units, n_years)

    Raises
    ------
    ModelError
        If fewer than ten units are left.
    """
    seen = np.isfinite(value) & np.isfinite(exposure).all(axis=0)
    seen &= (seen.sum(axis=1) >= 2)[:, None]
    units = int(seen.any(axis=1).sum())
    if units < LEAST_UNITS:
        raise ModelError(
            f"A panel model needs {LEAST_UNITS} units or more with the outcome and the exposure in two years; "
            f"there are {units}."
        )
    return np.asarray(seen)


def fixed_effects(value: Floats, exposure: Floats, *, count_units: bool = True) -> PanelFit:
    """Fit slopes within units: unit and year effects, standard errors clustered by unit.

    Parameters
    ----------
    value : ndarray, shape (n_units, n_years)
    exposure : ndarray, shape (k, n_units, n_years)
        Exposures fitted together: several indicators, or one exposure at several lags.
    count_units : bool
        Whether the unit effects count as parameters in the small-sample factor, as programs with a dummy for each unit
        do. They are within the clusters, so this makes standard errors too wide: by 6% with ten years, which is
        harmless, by 24% with three, which is not.

    Raises
    ------
    ModelError
        If there are too few units, or an exposure does not move apart from unit, year and the others.

    References
    ----------
    Arellano (1987), Oxford Bulletin of Economics and Statistics 49, 431-434; the small-sample factor is
    ``G / (G - 1) (n - 1) / (n - p)`` with p counting the effects. Cameron & Miller (2015), Journal of Human Resources
    50, 317-372, section III.B (effects within clusters).
    """
    seen = observed(value, exposure)
    effects = two_way(seen)
    left, right = effects.residual(exposure), effects.residual(value)
    return _solve(left, right, seen, effects.rank - (0 if count_units else int(seen.any(axis=1).sum()) - 1))


def differences(value: Floats, exposure: Floats, length: int) -> PanelFit:
    """Fit a slope on changes over `length` years, with a common change for each pair of years.

    Parameters
    ----------
    value, exposure : ndarray, shape (n_units, n_years)
    length : int
        Years between the two figures; below the number of years.

    References
    ----------
    Griliches & Hausman (1986), Journal of Econometrics 31, 93-118: the longer the difference, the less noise matters.
    """
    y, x = value[:, length:] - value[:, :-length], exposure[:, length:] - exposure[:, :-length]
    seen = np.isfinite(y) & np.isfinite(x)
    if seen.any(axis=1).sum() < LEAST_UNITS:
        raise ModelError(
            f"A slope on changes over {length} years needs {LEAST_UNITS} units or more with both years; "
            f"there are {int(seen.any(axis=1).sum())}."
        )
    left, right = (np.where(seen, a - _mean_of_years(a, seen), 0.0) for a in (x, y))
    return _solve(left[None], right, seen, int(seen.any(axis=0).sum()))


def within_between(value: Floats, exposure: Floats) -> PanelFit:
    """Fit the slope within units and the slope between them in one model with random unit effects and year effects.

    Coefficients: the slope on the departure from the unit's mean (within), the slope on that mean (between), and
    between less within (the contextual difference). Generalised least squares with a random intercept; standard errors
    clustered by unit hold whether or not the random intercept is the right model.

    Parameters
    ----------
    value, exposure : ndarray, shape (n_units, n_years)

    References
    ----------
    Mundlak (1978), Econometrica 46, 69-85. Bell & Jones (2015), Political Science Research and Methods 3, 133-153.
    Swamy & Arora (1972), Econometrica 40, 261-275 (variance components).
    """
    seen = observed(value, exposure[None])
    number = np.maximum(seen.sum(axis=1, keepdims=True), 1)
    y, design = np.where(seen, value, 0.0), means_and_departures(exposure, seen)
    share = _quasi_demeaning(y, design, seen)
    left, right = (a - seen * share * (a.sum(axis=-1, keepdims=True) / number) for a in (design, y))
    return _solve(left, right, seen, 0).combine(contrasts(len(design)))


def leave_one_out(value: Floats, exposure: Floats) -> Floats:
    """Return the fixed-effects slope with each unit left out in turn, shape (n_units,)."""
    rest = ~np.eye(len(value), dtype=bool)
    return np.array([fixed_effects(value[keep], exposure[:, keep]).coef[0] for keep in rest])


def check_moves(left: Floats) -> None:
    """Refuse exposures, shape (k, n_units, n_years) with effects taken out, that do not move.

    Raises
    ------
    ModelError
        If one is flat, or follows from the others.
    """
    flat = left.reshape(len(left), -1)
    size = np.sqrt((flat**2).sum(axis=1))
    if not (size > 1e-9).all() or np.linalg.cond(flat / size[:, None]) > 1e7:
        raise ModelError("An exposure does not move within units apart from the years and the other exposures.")


def _solve(left: Floats, right: Floats, seen: Mask, rank: int) -> PanelFit:
    """Regress (n_units, n_years) on (k, n_units, n_years), effects already out, clustered by unit."""
    check_moves(left)
    k, flat = len(left), left.reshape(len(left), -1)
    bread = np.linalg.inv(flat @ flat.T)
    coef = bread @ (flat @ right.ravel())
    error = right - np.tensordot(coef, left, axes=1)
    influence = bread @ (left * error).sum(axis=2)
    n, units = int(seen.sum()), int(seen.any(axis=1).sum())
    factor = units / (units - 1) * (n - 1) / (n - rank - k)
    return PanelFit(coef, factor * influence @ influence.T, influence, np.asarray(seen.any(axis=1)), n)


def _mean_of_years(values: Floats, seen: Mask) -> Floats:
    return np.asarray(np.where(seen, values, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1))


def means_and_departures(exposure: Floats, seen: Mask) -> Floats:
    """Return departures from the unit's mean, that mean, and year dummies, shape (k, n_units, n_years)."""
    x = np.where(seen, exposure, 0.0)
    mean = x.sum(axis=1, keepdims=True) / np.maximum(seen.sum(axis=1, keepdims=True), 1)
    years = [seen * (np.arange(seen.shape[1]) == t) for t in np.flatnonzero(seen.any(axis=0))]
    return np.array([seen * (x - mean), seen * mean, *years], dtype=float)


def contrasts(k: int) -> Floats:
    """Return the weights of the slope within, the slope between, and between less within."""
    weights = np.zeros((3, k))
    weights[:, :2] = [[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]]
    return weights


def _quasi_demeaning(y: Floats, design: Floats, seen: Mask) -> Floats:
    """Return the share of each unit's mean that generalised least squares takes out, shape (n_units, 1)."""
    number = seen.sum(axis=1)
    used = number > 0
    effects = two_way(seen)
    within, outcome = effects.residual(design[0]), effects.residual(y)
    error = outcome - within * (within * outcome).sum() / (within**2).sum()
    own = (error**2).sum() / (seen.sum() - effects.rank - 1)
    means = design[1:, used].sum(axis=2) / number[used]
    level = y[used].sum(axis=1) / number[used]
    left = level - means.T @ np.linalg.lstsq(means.T, level, rcond=None)[0]
    spread = (left**2).sum() / (used.sum() - np.linalg.matrix_rank(means.T))
    unit = max(spread - own * np.mean(1 / number[used]), 0.0)
    return np.asarray(1 - np.sqrt(own / (own + number * unit)))[:, None]
