"""Changes kept inside limits: levels inside their hard limits, domain scores inside the printed scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Moved:
    """A change kept inside limits.

    Attributes
    ----------
    by : ndarray
        Change after limits; the array that was given where they cut nothing.
    beyond : ndarray of bool
        Where a limit cut it.
    kept : ndarray
        Share of what was asked for that limits leave, 0 to 1; 1, shape (1, 1), where they cut nothing.
    """

    by: Floats
    beyond: Bools
    kept: Floats


def within_limits(before: Floats, change: Floats, limits: Floats) -> Moved:
    """Cut a change where it would pass a limit.

    What lies outside its limits before the change, as an estimate may, has no room to move farther out, and may come
    back by the whole change.

    Parameters
    ----------
    before : ndarray, shape (B or 1, n)
    change : ndarray, shape (B or 1, n)
    limits : ndarray, shape (2,)
        Infinite for none.

    Examples
    --------
    >>> before, change = np.array([[190.0, 205.0, 205.0]]), np.array([[20.0, 20.0, -20.0]])
    >>> within_limits(before, change, np.array([2.0, 200.0])).by.tolist()
    [[10.0, 0.0, -20.0]]
    """
    after = before + change
    low, high = limits
    beyond = ((after < low) | (after > high)) & (change != 0)
    if beyond.any():
        low, high = np.minimum(low, before), np.maximum(high, before)
        beyond &= (after < low) | (after > high)
    if not beyond.any():
        return Moved(change, beyond, np.ones((1, 1)))
    by = np.where(beyond, np.clip(after, low, high) - before, change)
    return Moved(by, beyond, np.divide(by, change, out=np.ones_like(by), where=beyond))
