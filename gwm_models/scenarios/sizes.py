"""How large a change is, area by area and draw by draw, before anything is taken off it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BEST_FIFTH = 0.8
"""The level that the best fifth of areas reach or better is this quantile, counted from the worst area up."""
FROM_LEVEL = ("relative", "target", "close_gap", "to_quantile")
"""Kinds of change that are worked out from the level of the area."""


@dataclass(frozen=True, eq=False)
class Size:
    """What a change asks for.

    Attributes
    ----------
    kind : str
        ``absolute``, ``points`` or one of `FROM_LEVEL`.
    direction : {1, -1}
        In which the level is better.
    benchmark : str or ndarray
        For ``close_gap``: ``median``, ``best_quintile``, or weights of all areas that sum to 1 (of a mean, a region or
        one area).
    """

    kind: str
    direction: int = 1
    benchmark: str | Floats = ""

    @property
    def from_level(self) -> bool:
        """Whether the change depends on levels."""
        return self.kind in FROM_LEVEL


def change_of_level(size: Size, value: Floats, level: Floats, places: Ints, points: Floats) -> Floats:
    """Return the full change of a level that is asked for.

    Parameters
    ----------
    size : Size
    value : ndarray, shape (S, m)
        Size of the change in the m areas reached, in the unit of its kind: percent for ``relative`` (20), a share for
        ``close_gap`` (0.5), a quantile for ``to_quantile`` (0.8; cut at 0 and 1).
    level : ndarray, shape (S, n)
        Levels of all areas.
    places : ndarray of int, shape (m,)
        The areas reached.
    points : ndarray, shape (S,)
        Score points per unit, signed; for a change stated in points.

    Returns
    -------
    ndarray, shape (S, m)
        In the unit of the level. ``target`` and ``to_quantile`` never make an area worse, nor does ``close_gap`` with a
        share of 0 or more: an area that is already there keeps its level. A share below 0, which an uncertain one may
        be drawn as, widens the gap.
    """
    if size.kind == "absolute":
        return value
    if size.kind == "points":
        return np.asarray(value / points[:, None])
    own = np.take(level, places, axis=1)
    if size.kind == "relative":
        return np.asarray(own * value / 100)
    if size.kind == "close_gap":
        return np.asarray(_better(benchmark_level(size, level) - own, size.direction) * value)
    goal = value if size.kind == "target" else quantile_level(_known(level), value, size.direction)
    return _better(goal - own, size.direction)


def _better(change: Floats, direction: int) -> Floats:
    """Keep a change where it makes an area better; exactly 0 elsewhere."""
    return np.asarray(direction * np.maximum(direction * change, 0))


def benchmark_level(size: Size, level: Floats) -> Floats:
    """Return the level that a gap is measured to, in each draw; shape (S, 1)."""
    if not isinstance(size.benchmark, str):
        places = np.flatnonzero(size.benchmark)
        return np.asarray((np.take(level, places, axis=1) * size.benchmark[places]).sum(axis=1, keepdims=True))
    level = _known(level)
    if size.benchmark == "median":
        return np.median(level, axis=1, keepdims=True)
    return np.asarray(size.direction * np.quantile(size.direction * level, BEST_FIFTH, axis=1, keepdims=True))


def _known(level: Floats) -> Floats:
    """Leave out areas without a figure, which a condition may have."""
    missing = np.isnan(level[0])
    return level[:, ~missing] if missing.any() else level


def quantile_level(level: Floats, share: Floats, direction: int) -> Floats:
    """Return the level of a quantile of the areas, in each draw, counted from the worst area up.

    Parameters
    ----------
    level : ndarray, shape (S, n)
    share : ndarray, shape (S, m)
        0 to 1, drawn by draw and area; linear between areas.
    direction : {1, -1}

    Examples
    --------
    >>> quantile_level(np.arange(11.0)[None], np.array([[0.8]]), -1).tolist()
    [[2.0]]
    """
    ordered = np.sort(direction * level, axis=1)
    draws = np.arange(max(len(ordered), len(share)))[:, None]
    rows = draws if len(ordered) > 1 else np.zeros_like(draws)
    place = np.clip(share, 0, 1) * (ordered.shape[1] - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, ordered.shape[1] - 1)
    low, high = ordered[rows, below], ordered[rows, above]
    return np.asarray(direction * (low + (high - low) * (place - below)))
