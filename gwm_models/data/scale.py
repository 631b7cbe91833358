"""The scale of an index: a level between two bounds as a score, and scores as ranks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.errors import DataError

Floats = NDArray[np.float64]


def min_max_score(
    values: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    direction: ArrayLike = 1,
    scale: tuple[float, float] = (1, 100),
) -> Floats:
    """Score values on a linear scale between two bounds.

    Parameters
    ----------
    values : array_like
        Indicator levels, in the unit of the bounds. A level beyond a bound scores beyond the scale: bounds are
        frozen, so a gain is a gain.
    low, high : array_like
        Bounds, broadcast against `values`.
    direction : array_like of {1, -1}
        -1 where the lowest level scores best.
    scale : tuple of float
        Scores of the worst and the best bound.

    Returns
    -------
    ndarray of float
        ``1 + 99 (x - low) / (high - low)`` for direction 1, ``1 + 99 (high - x) / (high - low)`` for -1.

    Raises
    ------
    DataError
        If a lower bound is not below its upper bound.

    References
    ----------
    Institute for the Future of Work (2021), Good Work Monitor. OECD/JRC (2008), Handbook on Constructing Composite
    Indicators, section 1.5 (min-max).

    Examples
    --------
    >>> min_max_score([67.1, 86.4], 67.1, 86.4).tolist()
    [1.0, 100.0]
    >>> min_max_score([9.5, 1.4], 1.4, 9.5, direction=-1).tolist()
    [1.0, 100.0]
    """
    x, lo, hi = (np.asarray(a, dtype=float) for a in (values, low, high))
    if not np.all(lo < hi):
        raise DataError("Each lower bound must lie below its upper bound; a constant indicator cannot be scored.")
    worst, best = scale
    above = np.where(np.asarray(direction) == 1, x - lo, hi - x)
    return np.asarray(worst + (best - worst) * above / (hi - lo))


def descending_rank(scores: ArrayLike) -> NDArray[np.int64]:
    """Rank scores, 1 for the highest; equal scores share the better rank, a missing one has rank 0.

    Examples
    --------
    >>> descending_rank([50, 70, 50, float("nan"), 20]).tolist()
    [2, 1, 2, 0, 4]
    """
    x = np.asarray(scores, dtype=float)
    known = np.sort(x[~np.isnan(x)])
    above = len(known) - np.searchsorted(known, x, side="right") + 1
    return np.where(np.isfinite(x), above, 0).astype(np.int64)
