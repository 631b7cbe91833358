"""Weights from published precision together with what the exposure leaves unexplained: meta-regression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS = 200


def meta_weights(outcome: Floats, design: Floats, precision: Floats) -> Floats:
    """Return one over the sum of the published variance and the spread between units, shape (n,).

    Parameters
    ----------
    outcome : ndarray, shape (n,)
    design : ndarray, shape (n, k)
    precision : ndarray, shape (n,)
        One over the squared standard errors of the outcome.
    """
    return 1 / (1 / precision + spread_between(outcome, design, 1 / precision))


def spread_between(outcome: Floats, design: Floats, variance: Floats) -> float:
    """Return the variance between units that neither the design nor published errors account for.

    The value at which the weighted sum of squared residuals, with weights ``1 / (variance + spread)``, is its
    expectation ``n - k``; 0 where published errors alone account for the residuals.

    Parameters
    ----------
    outcome : ndarray, shape (n,)
    design : ndarray, shape (n, k)
    variance : ndarray, shape (n,)
        Squared standard errors of the outcome, positive.

    References
    ----------
    Paule & Mandel (1982), Journal of Research of the National Bureau of Standards 87, 377-385. DerSimonian & Kacker
    (2007), Contemporary Clinical Trials 28, 105-114.

    Examples
    --------
    >>> y = np.tile([-3.0, 3.0], 6)
    >>> round(spread_between(y, np.ones((12, 1)), np.ones(12)), 6)  # 12 x 9 / (1 + spread) = 11
    8.818182
    """
    freedom = float(np.subtract(*design.shape))

    def excess(spread: float) -> float:
        root = 1 / np.sqrt(variance + spread)
        white = root[:, None] * design
        left = root * outcome
        left = left - white @ np.linalg.lstsq(white, left, rcond=None)[0]
        return float(left @ left) - freedom

    low, high = 0.0, float(np.var(outcome)) * len(outcome)
    if excess(low) <= 0:
        return 0.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
        if high - low <= 1e-12 * high:
            break
    return (low + high) / 2
