"""Checks of a linear model: what single areas do to it, and whether neighbours have like residuals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.models.association.moran import moran, residual_moran
from gwm_models.models.linear.core import LeastSquares, Linear

Floats = NDArray[np.float64]

N_PERMUTATIONS = 1999
SHOWN = 5
"""Areas in a table of influence."""


def left_out(name: tuple[str, ...], estimate: float, influence: Floats) -> dict[str, float | str]:
    """Say between what a coefficient lies when any one unit is left out, and which unit matters most.

    Parameters
    ----------
    name : tuple of str, length n
    estimate : float
    influence : ndarray, shape (n,)
        Coefficient less that without the unit.
    """
    strongest = int(np.argmax(np.abs(influence)))
    return {
        "leave_one_out_lower": float((estimate - influence).min()),
        "leave_one_out_upper": float((estimate - influence).max()),
        "most_influential": name[strongest],
    }


def influence_rows(
    code: tuple[str, ...], name: tuple[str, ...], term: tuple[str, ...], estimate: Floats, influence: Floats
) -> list[dict[str, Any]]:
    """List the units that move a coefficient most: five for one coefficient, the first one of each for several.

    Parameters
    ----------
    code, name : tuple of str, length n
    term : tuple of str, length p
    estimate : ndarray, shape (p,)
    influence : ndarray, shape (n, p)

    Returns
    -------
    list of dict
        ``term, area_code, area_name, without`` (the coefficient without the unit) and ``change`` (what the unit adds).
    """
    most = SHOWN if len(term) == 1 else 1
    order = np.argsort(-np.abs(influence), axis=0, kind="stable")[:most]
    return [
        {
            "term": term[j],
            "area_code": code[i],
            "area_name": name[i],
            "without": float(estimate[j] - influence[i, j]),
            "change": float(influence[i, j]),
        }
        for j in range(len(term))
        for i in order[:, j].tolist()
    ]


def residual_check(fit: Linear, weights: Floats, design: Floats, borders: NDArray[np.int64]) -> dict[str, float | str]:
    """Return Moran's I of the residuals over shared borders with its permutation p; nothing where none are shared.

    Residuals of least squares are set against what residuals of that design have by themselves; those of other fits,
    which are not at right angles to the design, are dealt out as they are.

    Parameters
    ----------
    fit : Linear
    weights : ndarray, shape (n,)
        Of least squares.
    design : ndarray, shape (n, k)
    borders : ndarray of int, shape (n_pairs, 2)
    """
    if not len(borders):
        return {}
    if isinstance(fit, LeastSquares):
        root = np.sqrt(weights / weights.mean())
        found = residual_moran(root * fit.residuals, root[:, None] * design, borders, n_permutations=N_PERMUTATIONS)
    else:
        found = moran(fit.residuals, borders, n_permutations=N_PERMUTATIONS)
    return {"residual_moran": found.statistic, "residual_moran_p": found.p_value}


def equal_slopes(estimate: Floats, cov: Floats, freedom: float) -> float:
    """Return the p value of all slopes being the same, by a Wald F test.

    Parameters
    ----------
    estimate : ndarray, shape (p,)
    cov : ndarray, shape (p, p)
    freedom : float
        Of the denominator.
    """
    from scipy.stats import f

    gap = estimate[1:] - estimate[0]
    contrast = np.column_stack([-np.ones(len(gap)), np.eye(len(gap))])
    size = gap @ np.linalg.solve(contrast @ cov @ contrast.T, gap) / len(gap)
    return float(f.sf(size, len(gap), freedom))
