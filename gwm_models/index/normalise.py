"""Indicators of different units on one positive scale, many rebuilds at a time.

Arrays have areas last, ``(..., n_indicators, n_areas)``, and higher is better.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.errors import DataError

Floats = NDArray[np.float64]

NORMALISATIONS = ("min_max", "z", "rank", "percentile")
SCALE = (1.0, 100.0)
"""The Monitor's own scale; above zero, so that geometric and harmonic means exist."""
TAIL = 0.05
"""Share of areas beyond each bound of the ``percentile`` method."""
TIE_BITS = 40
"""Values closer than ``2**-40`` of a row's range are tied: wider than rounding, far below any real difference."""


def normalise(levels: ArrayLike, method: str) -> Floats:
    """Put indicators on the scale 1-100.

    Parameters
    ----------
    levels : array_like, shape (..., n_indicators, n_areas)
        Levels, higher is better. Not modified.
    method : {"min_max", "z", "rank", "percentile"}
        ``min_max``: the smallest level scores 1, the largest 100.
        ``z``: z-scores of all indicators, moved together by one straight line so that the smallest of them all is 1
        and the largest 100. The indicators keep equal standard deviations, not equal ranges.
        ``rank``: equal steps from 1 (lowest) to 100; tied areas share the mean of their ranks.
        ``percentile``: min-max between the 5th and the 95th percentile, levels beyond them set to 1 and 100, so that
        one extreme area does not set the scale. (The percentile *rank* is a straight line of the rank, so it would be
        ``rank`` a second time.)

    Raises
    ------
    DataError
        If an indicator has no spread between its bounds.
    ValueError
        If `method` is unknown.

    References
    ----------
    OECD/JRC (2008), Handbook on Constructing Composite Indicators, section 5. Sachs et al. (2023), Sustainable
    Development Report, annex A.1 (bounds at percentiles).

    Examples
    --------
    >>> normalise([[2.0, 4.0, 3.0, 3.0]], "min_max").tolist()
    [[1.0, 100.0, 50.5, 50.5]]
    >>> normalise([[2.0, 9.0, 3.0, 3.0]], "rank").tolist()
    [[1.0, 100.0, 50.5, 50.5]]
    """
    x = np.asarray(levels, dtype=float)
    if method == "min_max":
        return _between(x, *_ends(x))
    if method == "z":
        centred = x - x.mean(axis=-1, keepdims=True)
        z = centred / _spread(np.sqrt(np.mean(centred**2, axis=-1, keepdims=True)))
        return _between(z, z.min(axis=(-2, -1), keepdims=True), z.max(axis=(-2, -1), keepdims=True))
    if method == "rank":
        _spread(np.subtract(*_ends(x)[::-1]))
        return _between(mid_ranks(x), np.array(1.0), np.array(float(x.shape[-1])))
    if method == "percentile":
        low, high = _percentiles(x, TAIL)
        return np.asarray(np.clip(_between(x, low, high), *SCALE))
    raise ValueError(f"method must be one of {', '.join(NORMALISATIONS)}; got {method!r}.")


def mid_ranks(values: ArrayLike) -> Floats:
    """Rank along the last axis, 1 for the lowest; tied values share the mean of their ranks.

    Examples
    --------
    >>> mid_ranks([30, 10, 20, 20]).tolist()
    [4.0, 1.0, 2.5, 2.5]
    """
    return _ranked(np.asarray(values, dtype=float), "mean")


def ranks_of(scores: ArrayLike) -> Floats:
    """Rank along the last axis, 1 for the highest; tied areas share the better rank.

    Examples
    --------
    >>> ranks_of([[30, 10, 20, 20], [5, 5, 5, 5]]).tolist()
    [[1.0, 4.0, 2.0, 2.0], [1.0, 1.0, 1.0, 1.0]]
    """
    return _ranked(-np.asarray(scores, dtype=float), "better")


def _ranked(x: Floats, ties: Literal["mean", "better"]) -> Floats:
    """Rank by sorting whole numbers that hold the value, in steps of ``2**-TIE_BITS`` of the range, and the place."""
    n = x.shape[-1]
    low, high = _ends(x)
    span = np.where(high > low, high - low, 1.0)
    bits = max(1, (n - 1).bit_length())
    key = np.rint((x - low) * (2.0**TIE_BITS / span)).astype(np.int64)
    key <<= bits
    key |= np.arange(n)
    key.sort(axis=-1)
    place = key & ((1 << bits) - 1)
    key >>= bits
    starts = np.ones(key.shape, dtype=bool)
    np.not_equal(key[..., 1:], key[..., :-1], out=starts[..., 1:])
    rank = np.arange(1.0, n + 1)
    first = np.maximum.accumulate(np.where(starts, rank, 0.0), axis=-1)
    if ties == "mean":
        ends = np.ones(key.shape, dtype=bool)
        ends[..., :-1] = starts[..., 1:]
        last = np.minimum.accumulate(np.where(ends, rank, np.inf)[..., ::-1], axis=-1)[..., ::-1]
        first = (first + last) / 2
    ranks = np.empty(x.shape)
    np.put_along_axis(ranks, place, first, axis=-1)
    return ranks


def _ends(x: Floats) -> tuple[Floats, Floats]:
    return x.min(axis=-1, keepdims=True), x.max(axis=-1, keepdims=True)


def _percentiles(x: Floats, tail: float) -> tuple[Floats, Floats]:
    """Return the percentiles at both tails, linear between order statistics (Hyndman & Fan's type 7)."""
    ordered = np.sort(x, axis=-1)
    below, share = divmod(tail * (x.shape[-1] - 1), 1)
    i = int(below)
    low = ordered[..., i, None] + share * (ordered[..., i + 1, None] - ordered[..., i, None])
    high = ordered[..., -1 - i, None] - share * (ordered[..., -1 - i, None] - ordered[..., -2 - i, None])
    return low, high


def _between(x: Floats, low: Floats, high: Floats) -> Floats:
    """Move values by a straight line: `low` becomes 1, `high` becomes 100."""
    scaled = x - low
    scaled *= (SCALE[1] - SCALE[0]) / _spread(high - low)
    scaled += SCALE[0]
    return scaled


def _spread(span: Floats) -> Floats:
    if not np.all(span > 0):
        raise DataError(
            "An indicator has no spread between its bounds, so it cannot be put on a scale. Leave it out, or look at "
            "its values and standard errors."
        )
    return span
