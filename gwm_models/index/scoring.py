"""Scores of an index: indicators on a common scale, summed into domains and a total."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.data.edition import Edition
from gwm_models.data.index_spec import IndexSpec
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


def access_scores(edition: Edition) -> Floats:
    """Recompute the labour market access domain from the published rates.

    Returns
    -------
    ndarray of float, shape (n_areas,)
        ``[1 + 99 (a - 67.1) / 19.3] + [1 + 99 (9.5 - u) / 8.1]``, 2-200.
    """
    scores = [
        indicator_score(edition.spec, spec.id, edition.values[:, j])
        for j, spec in enumerate(edition.spec.indicators)
        if spec.domain == "access"
    ]
    return np.asarray(np.sum(scores, axis=0))


def indicator_score(spec: IndexSpec, name: str, values: ArrayLike) -> Floats:
    """Score the levels of an indicator whose bounds are reproduced.

    Raises
    ------
    DataError
        If its bounds are not known.
    """
    indicator = spec.indicator(name)
    return min_max_score(values, *indicator.bounds, direction=indicator.direction, scale=spec.scale)


def exact_points_per_unit(spec: IndexSpec) -> dict[str, float]:
    """Return score points per unit of each indicator whose bounds are reproduced, signed by direction.

    Examples
    --------
    >>> from gwm_models.data.index_spec import read_index
    >>> {name: round(points, 3) for name, points in exact_points_per_unit(read_index()).items()}
    {'economic_activity_rate': 5.13, 'unemployment_rate': -12.222}
    """
    span = spec.scale[1] - spec.scale[0]
    return {
        indicator.id: indicator.direction * span / (indicator.bounds[1] - indicator.bounds[0])
        for indicator in spec.indicators
        if indicator.bounds_status == "reproduced"
    }
