"""Wild cluster bootstrap: p values and intervals of a slope that hold with few or uneven clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import ModelError

Floats = NDArray[np.float64]
Weights = Literal["rademacher", "webb"]

WEBB = np.sqrt(np.array([0.5, 1.0, 1.5]))
SMALLEST_T = 1e-12
FURTHEST, HALVINGS = 16, 60
"""Doublings of two standard errors before a bound is taken as infinite, and halvings that find it."""


@dataclass(frozen=True, eq=False)
class WildBootstrap(Frozen):
    """A slope with its wild cluster bootstrap p value and interval.

    Attributes
    ----------
    estimate, std_error : float
        Least squares, clustered.
    p_value : float
        Two-sided and symmetric, of the slope being `null`. Where sign patterns are drawn, the sample counts as one
        draw, so it is never zero.
    lower, upper : float
        Bounds of the slopes that are not rejected at 1 - `level`; infinite where none is rejected on that side.
    t_draws : ndarray, shape (n_draws,)
        t statistics under the null.
    level, null : float
    """

    estimate: float
    std_error: float
    p_value: float
    lower: float
    upper: float
    t_draws: Floats
    level: float
    null: float


@dataclass(frozen=True, eq=False)
class _Terms(Frozen):
    """What each draw's t statistic is made of, as polynomials in the null: see `_squared_t`."""

    estimate: float
    std_error: float
    slope: Floats
    variance: Floats
    exact: bool


def wild_cluster(
    outcome: Floats,
    exposure: Floats,
    controls: Floats,
    cluster: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    null: float = 0.0,
    n_draws: int = 9999,
    weights: Weights = "rademacher",
    level: float = 0.95,
) -> WildBootstrap:
    """Test a slope, and invert the test into an interval, by the restricted wild cluster bootstrap-t.

    Residuals are those of the model with the null imposed; each cluster's keep or change sign together. The t
    statistics of all draws are polynomials in the null, so the interval costs no further draws.

    Parameters
    ----------
    outcome, exposure : ndarray, shape (n,)
    controls : ndarray, shape (n, p)
        Everything else in the regression, constant and effects included; columns may be dependent.
    cluster : ndarray of int, shape (n,)
    rng : Generator
    null : float
        The slope that is tested.
    n_draws : int
        If there are no more sign patterns than this, each is used once, the draws are exact and `rng` is not used.
    weights : {"rademacher", "webb"}
        Two points, or Webb's six where clusters are fewer than about ten.
    level : float

    Raises
    ------
    ModelError
        If there are fewer than five clusters, or the exposure follows from the controls.

    References
    ----------
    Cameron, Gelbach & Miller (2008), Review of Economics and Statistics 90, 414-427. Roodman, MacKinnon, Nielsen &
    Webb (2019), Stata Journal 19, 4-60. Webb (2023), Canadian Journal of Economics 56, 839-858. Phipson & Smyth (2010),
    Statistical Applications in Genetics and Molecular Biology 9, article 39 (p values are not zero).
    """
    _, place = np.unique(cluster, return_inverse=True)
    n_clusters = int(place.max()) + 1
    if n_clusters < 5:
        raise ModelError(f"The wild cluster bootstrap needs 5 clusters or more; there are {n_clusters}.")
    exact = weights == "rademacher" and n_clusters < 63 and 2**n_clusters <= n_draws
    signs = _every_sign(n_clusters) if exact else _signs(n_clusters, n_draws, weights, rng)
    terms = _terms(outcome, exposure, controls, place, signs, exact)
    squared = _squared_t(terms, null)
    own = ((terms.estimate - null) / terms.std_error) ** 2
    bounds = [_bound(terms, level, side) for side in (-1, 1)]
    t_draws = np.sign(terms.slope[0] - null * terms.slope[1]) * np.sqrt(squared)
    return WildBootstrap(
        estimate=terms.estimate,
        std_error=terms.std_error,
        p_value=_p_value(squared, own, exact),
        lower=bounds[0],
        upper=bounds[1],
        t_draws=t_draws,
        level=level,
        null=null,
    )


def _signs(n_clusters: int, n_draws: int, weights: Weights, rng: np.random.Generator) -> Floats:
    """Return the weight of each cluster in each draw, shape (n_draws, n_clusters)."""
    if weights == "webb":
        values = np.concatenate([-WEBB, WEBB])
        return np.asarray(values[rng.integers(0, 6, (n_draws, n_clusters))])
    return np.asarray(2.0 * rng.integers(0, 2, (n_draws, n_clusters)) - 1)


def _every_sign(n_clusters: int) -> Floats:
    """Return every pattern of signs once, shape (2**n_clusters, n_clusters)."""
    return np.asarray(2.0 * (np.arange(2**n_clusters)[:, None] >> np.arange(n_clusters) & 1) - 1)


def _terms(
    outcome: Floats, exposure: Floats, controls: Floats, place: NDArray[np.int64], signs: Floats, exact: bool
) -> _Terms:
    """Return the estimate and, for each draw, its slope and squared error as polynomials in the null.

    With exposure x and outcome y after the controls Z are taken out, restricted residuals are ``y - null x``. A draw
    weights them by cluster; its slope's distance from the null is ``sum_g w_g x_g'u_g / x'x``, and cluster g's score
    ``w_g x_g'u_g - x_g'Z (Z'Z)^- sum_h w_h Z_h'u_h - distance x_g'x_g``: all linear in the null.
    """
    basis = _orthonormal(controls)
    x, y = (values - basis @ (basis.T @ values) for values in (exposure, outcome))
    size = float(x @ x)
    if not size > 1e-18 * float(exposure @ exposure):
        raise ModelError("The exposure follows from the controls, so it has no slope of its own.")
    n_clusters = signs.shape[1]
    own = np.bincount(place, x * x, n_clusters)
    estimate = float(x @ y) / size
    residual = y - estimate * x
    variance = float((np.bincount(place, x * residual, n_clusters) ** 2).sum()) / size**2
    toward = _by_cluster(basis * x[:, None], place, n_clusters)
    slope, scores = [], []
    for values in (y, x):
        inside = np.bincount(place, x * values, n_clusters)
        spill = toward @ _by_cluster(basis * values[:, None], place, n_clusters).T
        distance = signs @ inside / size
        slope.append(distance)
        scores.append(signs * inside - signs @ spill.T - distance[:, None] * own)
    squares = [(scores[a] * scores[b]).sum(axis=1) / size**2 for a, b in ((0, 0), (0, 1), (1, 1))]
    n_controls = basis.shape[1]
    n = len(outcome)
    factor = n_clusters / (n_clusters - 1) * (n - 1) / (n - n_controls - 1)
    return _Terms(estimate, float(np.sqrt(factor * variance)), np.array(slope), factor * np.array(squares), exact)


def _squared_t(terms: _Terms, null: float) -> Floats:
    """Return the squared t statistic of each draw with that null imposed."""
    distance = terms.slope[0] - null * terms.slope[1]
    variance = terms.variance[0] - 2 * null * terms.variance[1] + null**2 * terms.variance[2]
    return np.asarray(distance**2 / np.maximum(variance, SMALLEST_T * terms.std_error**2))


def _p_value(squared: Floats, own: float, exact: bool) -> float:
    """Return the share of draws as far out as the sample, ties by rounding counted.

    The sample is one of the patterns where all are used; where they are drawn it is added to them.
    """
    above, more = int(np.count_nonzero(squared >= own * (1 - 1e-9))), 0 if exact else 1
    return (above + more) / (len(squared) + more)


def _bound(terms: _Terms, level: float, side: int) -> float:
    """Return where the p value falls to 1 - level on one side of the estimate, by bisection."""

    def rejected(null: float) -> bool:
        own = ((terms.estimate - null) / terms.std_error) ** 2
        return _p_value(_squared_t(terms, null), own, terms.exact) <= 1 - level

    inside, outside = terms.estimate, terms.estimate + 2 * side * terms.std_error
    for _ in range(FURTHEST):
        if rejected(outside):
            break
        inside, outside = outside, terms.estimate + 2 * (outside - terms.estimate)
    else:
        return side * np.inf
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if rejected(middle) else (middle, outside)
    return float((inside + outside) / 2)


def _orthonormal(controls: Floats) -> Floats:
    """Return an orthonormal basis of the columns."""
    vectors, values, _ = np.linalg.svd(controls, full_matrices=False)
    return np.asarray(vectors[:, values > 1e-10 * values.max()])


def _by_cluster(rows: Floats, place: NDArray[np.int64], n_clusters: int) -> Floats:
    total = np.zeros((n_clusters, rows.shape[1]))
    np.add.at(total, place, rows)
    return total
