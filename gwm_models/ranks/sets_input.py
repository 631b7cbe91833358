"""What rank confidence sets start from: estimates, and the joint error of their differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import DataError, some

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROUNDING = 1e-10
"""Share of a variance that is put down to rounding: smaller gaps count as none."""


@dataclass(frozen=True, eq=False)
class Independent(Frozen):
    """Errors of areas that behave as independent in every difference.

    Attributes
    ----------
    sd : ndarray, shape (n_areas,)
        Standard errors; zero for an estimate known exactly.
    """

    sd: Floats

    def gap_se(self) -> Floats:
        """Return the standard error of each difference, shape (n_areas, n_areas); 0 on the diagonal."""
        variance = np.add.outer(self.sd**2, self.sd**2)
        np.fill_diagonal(variance, 0)
        return np.asarray(np.sqrt(variance, out=variance))

    def draw(self, rng: np.random.Generator, n_draws: int) -> Floats:
        """Draw errors, shape (n_draws, n_areas)."""
        return np.asarray(rng.standard_normal((n_draws, len(self.sd))) * self.sd)

    def move(self, errors: Floats, i: Ints, j: Ints, by: Floats) -> None:
        """Add to each draw `by` times the covariance of the errors with the difference of areas `i` and `j`."""
        row = np.arange(len(errors))
        errors[row, i] += by * self.sd[i] ** 2
        errors[row, j] -= by * self.sd[j] ** 2

    def centre(self, errors: Floats) -> Floats:
        """Return a middle of each draw, shape (n_draws, 1)."""
        return np.zeros((len(errors), 1))

    def own_sd(self, gap_se: Floats) -> Floats:
        """Return `a` such that ``gap_se[i, j]**2 >= a[i]**2 + a[j]**2`` wherever `gap_se` is not zero."""
        return self.sd


@dataclass(frozen=True, eq=False)
class Joint(Frozen):
    """Errors of areas with any covariance; methods as in `Independent`.

    Attributes
    ----------
    cov : ndarray, shape (n_areas, n_areas)
    root : ndarray, shape (n_areas, n_areas)
        Lower triangular, with ``root @ root.T`` equal to `cov` up to rounding.
    """

    cov: Floats
    root: Floats

    def gap_se(self) -> Floats:
        """Return the standard error of each difference, zero where it is rounding only."""
        total = np.add.outer(np.diag(self.cov), np.diag(self.cov))
        variance = total - 2 * self.cov
        variance[variance <= 10 * ROUNDING * total] = 0
        np.fill_diagonal(variance, 0)
        return np.asarray(np.sqrt(variance, out=variance))

    def draw(self, rng: np.random.Generator, n_draws: int) -> Floats:
        """Draw errors, shape (n_draws, n_areas)."""
        return np.asarray(rng.standard_normal((n_draws, len(self.cov))) @ self.root.T)

    def move(self, errors: Floats, i: Ints, j: Ints, by: Floats) -> None:
        """Add to each draw `by` times the covariance of the errors with the difference of areas `i` and `j`."""
        errors += by[:, None] * (self.cov[i] - self.cov[j])

    def centre(self, errors: Floats) -> Floats:
        """Return a middle of each draw, shape (n_draws, 1)."""
        return np.asarray(np.median(errors, axis=1, keepdims=True))

    def own_sd(self, gap_se: Floats) -> Floats:
        """Return `a` such that ``gap_se[i, j]**2 >= a[i]**2 + a[j]**2`` wherever `gap_se` is not zero.

        Each difference is shared out in proportion to the two variances; the least share of an area is its own.
        """
        variance = np.diag(self.cov)
        total = np.add.outer(variance, variance)
        total[gap_se == 0] = np.inf
        share = gap_se**2 / total
        share[gap_se == 0] = np.inf
        least = share.min(axis=1)
        return np.asarray(np.sqrt(variance * np.where(np.isfinite(least), least, 0)))


Errors = Independent | Joint


def check_estimate(estimate: ArrayLike, area: Sequence[str] | None) -> tuple[Floats, tuple[str, ...]]:
    """Return the estimates with the codes of their areas (1, 2, ... where none are given), or say what is wrong."""
    values = np.array(estimate, dtype=float)
    if values.ndim != 1 or not len(values):
        raise DataError(f"estimate has shape {values.shape}; expected (n_areas,), one number an area.")
    codes = tuple(area) if area is not None else tuple(str(i + 1) for i in range(len(values)))
    if len(codes) != len(values):
        raise DataError(f"estimate has {len(values)} areas and area names {len(codes)}; expected one code an area.")
    _refuse(~np.isfinite(values), codes, "estimate is not finite", "a rank needs a number for every area")
    return values, codes


def check_errors(cov: ArrayLike, area: tuple[str, ...], order: Ints) -> Errors:
    """Return the errors of the estimates, put in `order`, or say what is wrong with them.

    `cov` holds standard errors, (n_areas,), or a covariance, (n_areas, n_areas). A covariance whose differences are
    those of independent errors (a diagonal one, or one with a common part) is returned as `Independent`.
    """
    n, values = len(area), np.array(cov, dtype=float)
    if values.shape not in ((n,), (n, n)):
        raise DataError(f"cov has shape {values.shape}; expected ({n},), standard errors, or ({n}, {n}), a covariance.")
    if values.ndim == 1:
        _refuse(~np.isfinite(values), area, "the standard error is not finite", "use 0 for a figure known exactly")
        _refuse(values < 0, area, "the standard error is negative", "give standard errors or a covariance matrix")
        return Independent(values[order])
    _refuse(~np.isfinite(values).all(axis=1), area, "the covariance is not finite", "fill or drop the rows")
    _refuse(np.diag(values) < 0, area, "the variance is negative", "give a covariance matrix")
    scale = np.sqrt(np.diag(values))
    uneven = np.abs(values - values.T) > 1e-8 * np.outer(scale, scale)
    _refuse(
        uneven.any(axis=1), area, "the covariance is not symmetric", "average it with its transpose if that is meant"
    )
    values = ((values + values.T) / 2)[np.ix_(order, order)]
    scale = scale[order]
    joint = Joint(values, _root(values, scale))
    independent = _as_independent(values, joint)
    return joint if independent is None else independent


def _refuse(bad: NDArray[np.bool_], area: tuple[str, ...], what: str, fix: str) -> None:
    if bad.any():
        names = [code for code, wrong in zip(area, bad, strict=True) if wrong]
        raise DataError(f"{what[0].upper()}{what[1:]} for {len(names)} of {len(area)} areas ({some(names)}); {fix}.")


def _root(cov: Floats, scale: Floats) -> Floats:
    """Return the Cholesky factor of a covariance, positive semi-definite up to rounding, or say that it is not."""
    unit = np.where(scale > 0, scale, 1)
    correlation = cov / unit[:, None] / unit
    np.fill_diagonal(correlation, 1 + ROUNDING)
    impossible = np.abs(correlation[scale == 0]).sum(axis=1) > 1 + 2 * ROUNDING
    try:
        if impossible.any():
            raise np.linalg.LinAlgError
        return np.asarray(np.linalg.cholesky(correlation) * scale[:, None])
    except np.linalg.LinAlgError:
        least = np.linalg.eigvalsh(cov)[0]
        raise DataError(
            f"cov is not positive semi-definite (smallest eigenvalue {least:.3g}): no errors can vary together in "
            "this way. Check the correlations, or give standard errors only."
        ) from None


def _as_independent(cov: Floats, joint: Joint) -> Independent | None:
    """Return independent errors with the same variance of every difference, if there are any."""
    n, variance = len(cov), np.diag(cov)
    if np.count_nonzero(cov) == np.count_nonzero(variance):
        return Independent(np.sqrt(variance))
    gaps = joint.gap_se() ** 2
    if n == 2:
        return Independent(np.sqrt(np.full(2, gaps[0, 1] / 2)))
    rows = gaps.sum(axis=1)
    own = (rows - rows.sum() / (2 * n - 2)) / (n - 2)
    fitted = np.add.outer(own, own)
    np.fill_diagonal(fitted, 0)
    if own.min() < 0 or np.abs(fitted - gaps).max() > ROUNDING * own.max():
        return None
    return Independent(np.sqrt(own))
