"""When a change is in place, year by year, and how health follows it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def phase_in(
    years: Sequence[int], start: int, full_by: int, *, shape: str = "linear", half_life: float | None = None
) -> Floats:
    """Return the share of a change in place in each year.

    Linear: 0 in `start`, 1 in `full_by`; s_curve: the same ends, slow, fast, slow (3x^2 - 2x^3 of the linear share x);
    step: 1 from `full_by`. With a half-life, it fades from `full_by`.

    Parameters
    ----------
    years : sequence of int
    start, full_by : int
    shape : {"linear", "s_curve", "step"}
    half_life : float, optional
        Years.

    Examples
    --------
    >>> phase_in(range(2026, 2031), 2026, 2028).tolist()
    [0.0, 0.5, 1.0, 1.0, 1.0]
    >>> phase_in(range(2026, 2031), 2026, 2030, shape="s_curve").tolist()
    [0.0, 0.15625, 0.5, 0.84375, 1.0]
    >>> phase_in(range(2026, 2031), 2026, 2026, half_life=2).round(3).tolist()
    [1.0, 0.707, 0.5, 0.354, 0.25]
    """
    year = np.asarray(years, dtype=float)
    reached = year >= full_by
    if shape == "step" or full_by == start:
        share = reached.astype(float)
    else:
        share = np.clip((year - start) / (full_by - start), 0, 1)
        if shape == "s_curve":
            share = share**2 * (3 - 2 * share)
    return np.asarray(share if half_life is None else share * faded(year, full_by, half_life))


def faded(year: Floats, full_by: int, half_life: float) -> Floats:
    """Return what is left in each year of an effect that fades from `full_by` on; 1 before."""
    return np.asarray(np.where(year >= full_by, 0.5 ** ((year - full_by) / half_life), 1.0))


def along_path(years: Sequence[int], points: Sequence[tuple[int, float]]) -> Floats:
    """Return a path in each year: straight lines between its points, 0 before the first, the last one held.

    Examples
    --------
    >>> along_path(range(2025, 2031), [(2026, 1.0), (2028, 2.0)]).tolist()
    [0.0, 1.0, 1.5, 2.0, 2.0, 2.0]
    """
    at, size = zip(*points, strict=True)
    return np.asarray(np.interp(np.asarray(years, dtype=float), at, size, left=0.0))


def peak(path: Sequence[float] | Floats) -> float:
    """Return the value of largest size on a path, the first of equals; a path of zeros has peak 0.

    Examples
    --------
    >>> peak([1.0, -3.0, 2.0])
    -3.0
    """
    sizes = np.asarray(path, dtype=float)
    return float(sizes[np.argmax(np.abs(sizes))])


def response_weights(n_years: int, lag: int, build_up: int) -> Floats:
    """Return how much of a change made `i` years ago is added to the response, i = 0 .. n_years - 1.

    The response starts after `lag` years and grows evenly over `build_up` years; weights sum to 1 once it is complete.

    Examples
    --------
    >>> response_weights(5, 1, 2).tolist()
    [0.0, 0.0, 0.5, 0.5, 0.0]
    """
    age = np.arange(-1, n_years)
    reached = np.clip((age - lag) / build_up, 0, 1) if build_up else (age >= lag).astype(float)
    return np.diff(reached)
