"""Checks of published scores and their sampling error, before their posterior is drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.errors import DataError, ModelError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROUNDING = 1e-9
"""Asymmetry or negative eigenvalue, as a share of the largest variance, that rounding may leave."""


MOST_OUT = 10.0
"""Prior scales of a spread between areas that put its prior at odds with the scores."""


def check_table(values: ArrayLike, what: str, area: Sequence[str], *, ndim: int = 2) -> Floats:
    """Return finite figures, one row an area.

    Raises
    ------
    DataError
        If there is not one row for each area, or a figure is not finite.
    """
    table = np.asarray(values, dtype=float)
    if table.ndim != ndim or table.size == 0 or len(table) != len(area):
        raise DataError(f"{what} has shape {table.shape}; expected {ndim} axes, the first one of {len(area)} areas.")
    bad = ~np.isfinite(table).reshape(len(table), -1).all(axis=1)
    if bad.any():
        raise DataError(
            f"{what} is not finite for {bad.sum()} of {len(table)} areas ({_first(area, bad)}). Drop the areas "
            "without a figure."
        )
    return table


def check_codes(area: Sequence[str]) -> None:
    """Raise DataError if two areas have the same code: they would share their random numbers."""
    if len(set(area)) < len(area):
        twice = next(code for code in area if list(area).count(code) > 1)
        raise DataError(f"area code {twice!r} appears more than once; expected one row for each area.")


def check_n_draws(n_draws: int) -> None:
    """Raise DataError unless a whole number of draws is asked for, one at least."""
    if not isinstance(n_draws, (int, np.integer)) or n_draws < 1:
        raise DataError(f"n_draws is {n_draws}; expected a whole number, 1 or more.")


def check_prior(prior_sd: ArrayLike | None, scores: Floats, variance: Floats, region: Ints) -> Floats:
    """Return the prior scale of the spread between areas for each column of scores, shape (k,).

    Where none is given it follows the figures, so that their unit does not matter: twice the standard deviation of the
    scores, or twice their root mean square sampling error if that is larger (few scores may happen to lie close).

    Parameters
    ----------
    prior_sd : array_like, shape () or (k,), or None
    scores, variance : ndarray, shape (n_areas, k)
        Published scores and their sampling variance.
    region : ndarray of int, shape (n_areas,)

    Raises
    ------
    DataError
        If a scale is not a number above zero.
    ModelError
        If the scores spread so far beyond their errors that a scale given is at odds with them.
    """
    k = scores.shape[1]
    if prior_sd is None:
        found = 2 * np.maximum(scores.std(axis=0), np.sqrt(variance.mean(axis=0)))
        return np.asarray(np.where(found > 0, found, found.max()))
    given = np.asarray(prior_sd, dtype=float)
    if given.shape not in ((), (k,)) or not (np.isfinite(given) & (given > 0)).all():
        raise DataError(f"prior_sd is {prior_sd}; expected a number above zero, in the unit of the scores.")
    excess = np.diag(spread_seen(scores, region)) - variance.mean(axis=0)  # nan where every region has one area
    share = float(np.max(np.sqrt(np.maximum(excess, 0)) / given))
    if share > MOST_OUT:
        raise ModelError(
            f"The scores spread {share:.0f} times as far as prior_sd, beyond their errors: the prior is at odds "
            "with them. Give a larger one, in the unit of the scores, or none."
        )
    return np.asarray(np.broadcast_to(given, (k,)))


def check_regions(region: ArrayLike, n_areas: int) -> Ints:
    """Return region numbers.

    Raises
    ------
    DataError
        If they are not integers from 0 on, each with one area or more, one number for each area.
    """
    number = np.asarray(region)
    if number.shape != (n_areas,) or number.dtype.kind not in "iu":
        raise DataError(f"region has shape {number.shape} and type {number.dtype}; expected {n_areas} integers.")
    number = number.astype(np.int64)
    if number.min() < 0 or number.max() >= n_areas or not np.bincount(number).all():
        raise DataError("region must number the groups 0, 1, 2, ... without gaps, each with one area or more.")
    return number


def check_errors(std_error: ArrayLike, area: Sequence[str]) -> Floats:
    """Return standard errors, one for each area; one number stands for all.

    Raises
    ------
    DataError
        If one is negative or not finite, or there is not one for each area.
    """
    given = np.asarray(std_error, dtype=float)
    error = check_table(np.full(len(area), given) if given.ndim == 0 else given, "std_error", area, ndim=1)
    if (error < 0).any():
        raise DataError(f"std_error is negative for {_first(area, error < 0)}; expected zero or more.")
    return error


def check_cov(cov: ArrayLike, shape: tuple[int, ...], area: Sequence[str]) -> Floats:
    """Return sampling covariances, made exactly symmetric.

    Raises
    ------
    DataError
        If one is not finite, not symmetric or not positive semi-definite.
    """
    matrix = check_table(cov, "cov", area, ndim=3)
    if matrix.shape != (*shape, shape[1]):
        raise DataError(f"cov has shape {matrix.shape}; expected {(*shape, shape[1])}, as scores have shape {shape}.")
    allowed = ROUNDING * np.abs(matrix).max(axis=(1, 2))
    turned = matrix.transpose(0, 2, 1)
    uneven = np.abs(matrix - turned).max(axis=(1, 2)) > allowed
    if uneven.any():
        raise DataError(f"the covariance of {_first(area, uneven)} is not symmetric.")
    matrix = (matrix + turned) / 2
    negative = np.linalg.eigvalsh(matrix)[:, 0] < -allowed
    if negative.any():
        raise DataError(f"the covariance of {_first(area, negative)} is not positive semi-definite.")
    return np.asarray(matrix)


def check_spread(scores: Floats, exact: NDArray[np.bool_], region: Ints) -> None:
    """Refuse exact scores that are all tied inside their regions, which would make the spread between areas zero.

    Parameters
    ----------
    scores : ndarray, shape (n_areas, k)
    exact : ndarray of bool, shape (n_areas, k)
        Which scores have no sampling error.
    region : ndarray of int, shape (n_areas,)

    Raises
    ------
    ModelError
        If two or more exact scores of a region are the same and none in any region differ.
    """
    for column, known in zip(scores.T, exact.T, strict=True):
        groups = [column[known & (region == r)] for r in np.unique(region[known])]
        if any(len(group) > 1 for group in groups) and all((group == group[0]).all() for group in groups):
            raise ModelError(
                "All scores without sampling error are tied inside their regions, so that the spread between areas "
                "has no posterior. Give them a standard error, if only that of rounding."
            )


def spread_seen(scores: Floats, region: Ints) -> Floats:
    """Return the covariance inside regions, shape (k, k); nan where every region has one area."""
    size = np.bincount(region)
    mean = np.array([np.bincount(region, weights=column) for column in scores.T]) / size
    left = scores - mean.T[region]
    freedom = len(scores) - len(size)
    return left.T @ left / freedom if freedom else np.full((scores.shape[1], scores.shape[1]), np.nan)


def _first(area: Sequence[str], bad: NDArray[np.bool_]) -> str:
    return str(area[int(np.flatnonzero(bad)[0])])
