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
"""Share of a variance that is put down to rounding."""
DROWNED = 1e-9
"""Variance of a difference, as a share of the two areas' own, below which rounding is too large a part of it."""
SAME = 32 * float(np.finfo(float).eps)
"""Difference of two rows of a covariance, in terms of the standard errors, that makes them one row."""
FARTHEST = 1e-100
"""Least standard error above zero, as a share of the largest, whose square is still a number."""


@dataclass(frozen=True, eq=False)
class Independent(Frozen):
    """Errors of areas that behave as independent in every difference.

    Attributes
    ----------
    sd : ndarray, shape (n_areas,)
        Standard errors in terms of `unit`; zero for an estimate known exactly.
    unit : float
        A power of two near the largest error, so that squares neither overflow nor vanish.
    """

    sd: Floats
    unit: float = 1.0

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
        In terms of the square of `unit`.
    root : ndarray, shape (n_areas, n_areas)
        Lower triangular, with ``root @ root.T`` equal to `cov` up to rounding.
    same : ndarray of bool, shape (n_areas, n_areas)
        Pairs of areas with one error between them.
    unit : float
    """

    cov: Floats
    root: Floats
    same: NDArray[np.bool_]
    unit: float = 1.0

    def gap_se(self) -> Floats:
        """Return the standard error of each difference, zero where two areas have one error between them."""
        total = np.add.outer(np.diag(self.cov), np.diag(self.cov))
        variance = np.maximum(total - 2 * self.cov, 0)
        variance[self.same] = 0
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
        """Return `a` such that ``gap_se[i, j]**2 >= a[i]**2 + a[j]**2`` wherever `gap_se`, not all of it, is not zero.

        Each difference is shared out in proportion to the two variances; the least share of an area is its own.
        """
        variance = np.diag(self.cov)
        total, none = np.add.outer(variance, variance), np.full(gap_se.shape, np.inf)
        share = np.divide(gap_se**2, total, out=none, where=gap_se > 0)
        return np.asarray(np.sqrt(variance * share.min(axis=1)))


Errors = Independent | Joint


def check_estimate(estimate: ArrayLike, area: Sequence[str] | None) -> tuple[Floats, tuple[str, ...]]:
    """Return the estimates with the codes of their areas (1, 2, ... where none are given), or say what is wrong."""
    values = _numbers(estimate, "estimate")
    if values.ndim != 1 or not len(values):
        raise DataError(f"estimate has shape {values.shape}; expected (n_areas,), one number an area.")
    codes = tuple(area) if area is not None else tuple(str(i + 1) for i in range(len(values)))
    if len(codes) != len(values):
        raise DataError(f"estimate has {len(values)} areas and area names {len(codes)}; expected one code an area.")
    if len(set(codes)) < len(codes):
        twice = next(code for code in codes if codes.count(code) > 1)
        raise DataError(f"area code {twice!r} appears more than once; expected one code an area.")
    _refuse(~np.isfinite(values), codes, "estimate is not finite", "a rank needs a number for every area")
    return values, codes


def _numbers(values: ArrayLike, what: str) -> Floats:
    try:
        return np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"{what} is not an array of numbers; expected numbers only, in rows of one length.") from None


def check_errors(cov: ArrayLike, area: tuple[str, ...], order: Ints) -> Errors:
    """Return the errors of the estimates, put in `order`, or say what is wrong with them.

    `cov` holds standard errors, (n_areas,) or one for all, or a covariance, (n_areas, n_areas). A covariance whose
    differences are those of independent errors (a diagonal one, or one with a common part) is returned as
    `Independent`.
    """
    n, values = len(area), _numbers(cov, "cov")
    if values.ndim == 0:
        values = np.full(n, values)
    if values.shape not in ((n,), (n, n)):
        raise DataError(f"cov has shape {values.shape}; expected ({n},), standard errors, or ({n}, {n}), a covariance.")
    if values.ndim == 1:
        _refuse(~np.isfinite(values), area, "the standard error is not finite", "use 0 for a figure known exactly")
        _refuse(values < 0, area, "the standard error is negative", "give standard errors or a covariance matrix")
        _refuse_far(values, area)
        unit = _unit(float(values.max()))
        return Independent(values[order] / unit, unit)
    _refuse(np.asarray(~np.isfinite(values).all(axis=1)), area, "the covariance is not finite", "fill or drop the rows")
    _refuse(np.asarray(np.diag(values) < 0), area, "the variance is negative", "give a covariance matrix")
    _refuse_far(np.sqrt(np.diag(values)), area)
    unit = _unit(float(np.sqrt(np.diag(values).max())))
    values = values / unit / unit
    scale = np.sqrt(np.diag(values))
    uneven = np.abs(values - values.T) > 1e-8 * np.outer(scale, scale)
    uneven_rows = np.asarray(uneven.any(axis=1))
    _refuse(uneven_rows, area, "the covariance is not symmetric", "average it with its transpose if that is meant")
    values = ((values + values.T) / 2)[np.ix_(order, order)]
    scale = scale[order]
    joint = Joint(values, _root(values, scale), _same(values, scale, [area[i] for i in order]), unit)
    independent = _as_independent(values, joint)
    return joint if independent is None else independent


def _unit(largest: float) -> float:
    return float(np.ldexp(1.0, int(np.frexp(largest)[1]))) if largest > 0 else 1.0


def _refuse_far(sd: Floats, area: tuple[str, ...]) -> None:
    far = np.asarray((sd > 0) & (sd < FARTHEST * sd.max()))
    _refuse(far, area, f"the standard error is less than {FARTHEST:g} of the largest one", "use 0 for none")


def _same(cov: Floats, scale: Floats, area: Sequence[str]) -> NDArray[np.bool_]:
    """Return which pairs of areas have one error between them: the same row of the covariance.

    Raises
    ------
    DataError
        If nearly all of two errors is common, but not all: rounding would then make up the difference.
    """
    total = np.add.outer(np.diag(cov), np.diag(cov))
    close = total - 2 * cov <= DROWNED * total
    same, unit = np.eye(len(cov), dtype=bool), np.where(scale > 0, scale, 1)
    for i in np.flatnonzero(close.sum(axis=1) > 1):
        if same[i].sum() > 1:
            continue  # found with an area before it
        others = np.flatnonzero(close[i])
        one = others[(np.abs(cov[others] - cov[i]) <= SAME * unit[i] * unit).all(axis=1)]
        same[np.ix_(one, one)] = True
    drowned = np.argwhere(close & ~same & (total > 0))
    if len(drowned):
        i, j = drowned[0]
        raise DataError(
            f"The errors of {area[i]} and {area[j]} have all but {DROWNED:g} of their variance in common: what is left "
            "is lost in rounding. Subtract the common part from cov, or make their rows the same."
        )
    return np.asarray(same | (total == 0))


def _refuse(bad: NDArray[np.bool_], area: tuple[str, ...], what: str, fix: str) -> None:
    if bad.any():
        names = [code for code, wrong in zip(area, bad, strict=True) if wrong]
        raise DataError(f"{what[0].upper()}{what[1:]} for {len(names)} of {len(area)} areas ({some(names)}); {fix}.")


def _root(cov: Floats, scale: Floats) -> Floats:
    """Return the Cholesky factor of a covariance, positive semi-definite up to rounding, or say that it is not."""
    unit = np.where(scale > 0, scale, 1)
    correlation = cov / unit[:, None] / unit
    if np.abs(correlation[scale == 0]).max(initial=0) <= 2 * ROUNDING:
        for rounding in (ROUNDING / 1000, ROUNDING):
            np.fill_diagonal(correlation, 1 + rounding)
            try:
                return np.asarray(np.linalg.cholesky(correlation) * scale[:, None])
            except np.linalg.LinAlgError:
                continue
    np.fill_diagonal(correlation, np.where(scale > 0, 1.0, 0.0))
    least = np.linalg.eigvalsh(correlation)[0]
    raise DataError(
        f"cov is not positive semi-definite (smallest eigenvalue of the correlations {least:.3g}): no errors can vary "
        "together in this way. Check the correlations, or give standard errors only."
    )


def _as_independent(cov: Floats, joint: Joint) -> Independent | None:
    """Return independent errors with the same variance of every difference, if there are any."""
    n, variance = len(cov), np.diag(cov)
    if np.count_nonzero(cov) == np.count_nonzero(variance):
        return Independent(np.sqrt(variance), joint.unit)
    gaps = joint.gap_se() ** 2
    if n == 2:
        return Independent(np.sqrt(np.full(2, gaps[0, 1] / 2)), joint.unit)
    rows = gaps.sum(axis=1)
    own = (rows - rows.sum() / (2 * n - 2)) / (n - 2)
    own[joint.same.sum(axis=1) > 1] = 0  # areas with one error between them have none of their own
    fitted = np.add.outer(own, own)
    np.fill_diagonal(fitted, 0)
    rounding = ROUNDING * own.max()
    if own.min() < -rounding or np.abs(fitted - gaps).max() > rounding:
        return None
    return Independent(np.sqrt(np.maximum(own, 0)), joint.unit)
