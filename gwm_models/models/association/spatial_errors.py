"""Standard errors that allow for neighbours being alike: units so few borders apart count as going together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gwm_models.models.association.core import border_steps
from gwm_models.models.fit import wald

Floats = NDArray[np.float64]

REACH = 4
"""Borders between two units up to which what they add to an error is taken to go together."""
CLEAR = 0.05
"""Moran's I with a p value below this is told."""


def spatial_std_error(influence: Floats, steps: Floats, reach: int = REACH) -> float:
    """Return the standard error of an estimate whose units are not independent of their neighbours.

    The products of what two units add to the error are summed with a weight that falls in a straight line from 1 (the
    unit itself) to 0 (`reach` + 1 borders apart). Such a sum can fall below that of independent units, and even below
    0, as borders are no distances on a plane: the error is therefore never below that of independent units. Where
    exposure and outcome are both very much alike among neighbours, intervals still hold the slope somewhat less often
    than they say, though more often than those for independent units.

    Parameters
    ----------
    influence : ndarray, shape (n,)
        What each unit adds to the error; the sum of squares is the variance if units are independent.
    steps : ndarray, shape (n, n)
        Borders between units, infinite where there is no way over land; see `border_steps`.
    reach : int

    References
    ----------
    Conley (1999), Journal of Econometrics 92, 1-45 (the sum). Newey & West (1987), Econometrica 55, 703-708 (the
    weights, after Bartlett).

    Examples
    --------
    >>> steps = border_steps(np.array([[0, 1]]), 3)
    >>> round(spatial_std_error(np.array([1.0, 1.0, 1.0]), steps, reach=1) ** 2, 6)  # 3 + 2 x 1/2
    4.0
    """
    weight = np.clip(1 - steps / (reach + 1), 0.0, 1.0)
    variance = max(float(influence @ weight @ influence), float(influence @ influence))
    return float(np.sqrt(variance))


def spatial_numbers(
    estimate: float, influence: Floats, borders: NDArray[np.int64], freedom: float
) -> dict[str, float | str]:
    """Return the spatial standard error of a coefficient with its interval; nothing where no borders are shared.

    Parameters
    ----------
    estimate : float
    influence : ndarray, shape (n,)
    borders : ndarray of int, shape (n_pairs, 2)
    freedom : float
        Degrees of freedom of the t interval.
    """
    if not len(borders):
        return {}
    error = spatial_std_error(influence, border_steps(borders, len(influence)))
    bounds = wald(np.array([estimate]), np.array([[error**2]]), freedom)
    return {
        "spatial_std_error": error,
        "spatial_lower": float(bounds["lower"][0]),
        "spatial_upper": float(bounds["upper"][0]),
    }


def with_neighbours(not_shown: str, moran: float, p_value: float, interval: str = "") -> str:
    """Add to a sentence that residuals of neighbours are alike, where they clearly are.

    Parameters
    ----------
    not_shown : str
        Ends with a full stop.
    moran, p_value : float
        Moran's I of the residuals and its p value; NaN where no borders are shared.
    interval : str
        The interval that allows for it, in words; empty where there is none.

    Examples
    --------
    >>> with_neighbours("Nothing is shown.", 0.31, 0.001, "2.1 to 3.4 years")
    "Nothing is shown; neighbours are alike (Moran's I 0.31): counting that, the interval is 2.1 to 3.4 years."
    """
    if not p_value < CLEAR:
        return not_shown
    end = (
        f"counting that, the interval is {interval}"
        if interval
        else "the intervals do not count that, and are likely to be too narrow"
    )
    return f"{not_shown.removesuffix('.')}; neighbours are alike (Moran's I {moran:.2f}): {end}."
