"""Draws of the few parameters that are left when everything Gaussian is integrated out.

The posterior of a handful of parameters is close to normal around its mode. A Student t proposal with the mode and the
curvature there, corrected by importance weights, gives independent draws without a Markov chain; the spread of the
weights says how far they can be trusted. Where the posterior is skewed, the proposal moves to the mean and covariance
of the weighted draws.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError

Floats = NDArray[np.float64]
LogDensity = Callable[[Floats], Floats]

FREEDOM = 6.0
DECIMALS, BITS = 6, 12
"""Kept of a mode, whose parameters are on a scale of about one, and of the width of a proposal."""
LEAST_EFFICIENCY = 0.1
LARGEST_TAIL = 0.7
"""Above this Pareto shape of the largest weights, importance sampling cannot be trusted (Vehtari et al. 2024)."""
GOOD_EFFICIENCY, GOOD_TAIL, MOST_REFITS = 0.5, 0.5, 3
"""A sample worse than that is drawn again around its own weighted mean and covariance, a few times at most."""
BLOCK = 2000
"""Draws worked on at a time, so that memory does not grow with their number."""


@dataclass(frozen=True, eq=False)
class Collapsed(Frozen):
    """Draws of the parameters that could not be integrated out.

    Attributes
    ----------
    draws : ndarray, shape (n_draws, p)
    mode : ndarray, shape (p,)
    efficiency : float in (0, 1]
        Effective share of the importance sample.
    tail : float
        Pareto shape of the largest weights; below 0.7 they can be trusted.
    """

    draws: Floats
    mode: Floats
    efficiency: float
    tail: float


def sample_collapsed(
    log_posterior: LogDensity, start: Floats, *, n_draws: int, seed: int, key: str, what: str, block: int = BLOCK
) -> Collapsed:
    """Draw from a low-dimensional posterior by importance resampling from a Laplace proposal.

    Parameters
    ----------
    log_posterior : callable
        Log density up to a constant at each of m parameter vectors: (m, p) to (m,). May be -inf.
    start : ndarray, shape (p,)
        Where the search for the mode begins; parameters should be on a scale of about one (logs of deviations,
        inverse hyperbolic tangents of correlations).
    n_draws, seed : int
    key : str
        What is drawn: the same seed and key give the same draws.
    what : str
        The same in words, for the error message.
    block : int
        Parameter vectors worked on at a time.

    Raises
    ------
    ModelError
        If the mode has no curvature, or the weights are too uneven to trust.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 10.4. Bugallo et al. (2017), IEEE Signal Processing
    Magazine 34(4), 60-79 (adaptive importance sampling). Vehtari, Simpson, Gelman, Yao & Gabry (2024), Journal of
    Machine Learning Research 25(72) (when weights can be trusted).
    """
    mode = find_mode(log_posterior, start)
    try:
        spread = coarse_root(np.linalg.cholesky(np.linalg.inv(curvature(log_posterior, mode))))
    except np.linalg.LinAlgError as error:
        raise ModelError(
            f"The posterior of {what} has no clear peak: too few areas, or figures that hardly differ."
        ) from error
    rng = keyed_rng(seed, key)
    blocks = [slice(first, first + block) for first in range(0, n_draws, block)]
    centre = mode
    for _ in range(1 + MOST_REFITS):
        scale = np.sqrt(FREEDOM / rng.chisquare(FREEDOM, n_draws))[:, None]
        white = rng.standard_normal((n_draws, len(mode))) * scale
        proposal = centre + white @ spread.T
        log_proposal = -0.5 * (FREEDOM + len(mode)) * np.log1p((white**2).sum(axis=1) / FREEDOM)
        log_weight = np.concatenate([log_posterior(proposal[part]) for part in blocks]) - log_proposal
        weight = _normalised(log_weight)
        if _efficiency(weight) >= GOOD_EFFICIENCY and pareto_tail(weight) < GOOD_TAIL:
            break
        centre, spread = _moments(proposal, weight, centre, spread)
        centre, spread = coarse(centre, np.diagonal(spread)), coarse_root(spread)
    resampled = resample(log_weight, rng, what)
    return Collapsed(proposal[rng.permutation(resampled.chosen)], mode, resampled.efficiency, resampled.tail)


def _moments(proposal: Floats, weight: Floats, centre: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Return the mean of a weighted sample and the root of its covariance, or the old ones if that has none."""
    mean = weight @ proposal
    cov = (proposal - mean).T @ ((proposal - mean) * weight[:, None])
    try:
        return mean, np.asarray(np.linalg.cholesky(cov), dtype=float)
    except np.linalg.LinAlgError:
        return centre, spread


def _normalised(log_weight: Floats) -> Floats:
    weight = np.exp(log_weight - log_weight.max())
    return np.asarray(weight / weight.sum())


def _efficiency(weight: Floats) -> float:
    return float(1 / (weight**2).sum() / len(weight))


@dataclass(frozen=True, eq=False)
class Resampled(Frozen):
    """Places of an importance sample picked by weight, shape (n_draws,), and how far the weights can be trusted."""

    chosen: NDArray[np.int64]
    efficiency: float
    tail: float


def resample(log_weight: Floats, rng: np.random.Generator, what: str) -> Resampled:
    """Pick draws of a proposal by their importance weights, in systematic order.

    Parameters
    ----------
    log_weight : ndarray, shape (n_draws,)
        Log of target over proposal, up to a constant.
    rng : Generator
    what : str
        What is drawn, for the error message.

    Raises
    ------
    ModelError
        If the weights are too uneven to trust.
    """
    n_draws = len(log_weight)
    weight = _normalised(log_weight)
    efficiency, tail = _efficiency(weight), pareto_tail(weight)
    if not (efficiency >= LEAST_EFFICIENCY and tail < LARGEST_TAIL):
        raise ModelError(
            f"The posterior of {what} is poorly explored (efficiency {efficiency:.0%}, least {LEAST_EFFICIENCY:.0%}; "
            f"tail of the weights {tail:.2f}, most {LARGEST_TAIL}). Too few areas, or figures that hardly differ."
        )
    places = (np.arange(n_draws) + rng.random()) / n_draws
    chosen = np.minimum(np.searchsorted(np.cumsum(weight), places), n_draws - 1)
    return Resampled(chosen, efficiency, tail)


def find_mode(log_posterior: LogDensity, start: Floats) -> Floats:
    """Find the most probable parameters to `DECIMALS`, derivatives by central differences in one batch."""
    from scipy.optimize import minimize

    step = 1e-5 * np.eye(len(start))

    def falls(point: Floats) -> tuple[float, Floats]:
        values = log_posterior(np.concatenate([point[None], point + step, point - step]))
        size = len(point)
        return -float(values[0]), -(values[1 : size + 1] - values[size + 1 :]) / 2e-5

    found = minimize(falls, start, jac=True, method="BFGS", options={"gtol": 1e-3})
    return np.asarray(found.x).round(DECIMALS)


def coarse(values: Floats, size: Floats) -> Floats:
    """Return values to `BITS` binary digits of a size; a size of zero leaves them as they are.

    What a proposal is matched to differs in its last digits between processors and versions of the libraries. Without
    them the same draws come out everywhere, and weights make up for the difference.
    """
    unit = 2.0 ** (np.floor(np.log2(np.where(size > 0, size, 1.0))) - BITS)
    return np.where(size > 0, np.round(values / unit) * unit, values)


def coarse_root(root: Floats) -> Floats:
    """Return the root of a covariance, (p, p), each column to `BITS` binary digits of its diagonal."""
    return coarse(root, np.diagonal(root))


def curvature(log_posterior: LogDensity, mode: Floats, step: float = 1e-3) -> Floats:
    """Return minus the Hessian of the log posterior at its mode, by central differences in one batch."""
    size = len(mode)
    shifts = np.eye(size) * step
    signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
    points = [mode + a * shifts[i] + b * shifts[j] for i in range(size) for j in range(size) for a, b in signs]
    values = log_posterior(np.array(points)).reshape(size, size, 4)
    hessian = (values[..., 0] - values[..., 1] - values[..., 2] + values[..., 3]) / (4 * step**2)
    return np.asarray(-(hessian + hessian.T) / 2)


def pareto_tail(weight: Floats) -> float:
    """Return the shape of the generalised Pareto distribution of the largest weights.

    Parameters
    ----------
    weight : ndarray, shape (n,)

    References
    ----------
    Zhang & Stephens (2009), Technometrics 51, 316-325; the size of the tail and the prior on the shape are those of
    Vehtari et al. (2024).
    """
    n_tail = int(min(len(weight) / 5, 3 * np.sqrt(len(weight))))
    ordered = np.sort(weight)
    excess = ordered[-n_tail:] - ordered[-n_tail - 1]
    excess = excess[excess > 0]
    n = len(excess)
    if n < 5:
        return -np.inf
    n_grid = 30 + int(np.sqrt(n))
    grid = 1 - np.sqrt(n_grid / (np.arange(1, n_grid + 1) - 0.5))
    grid = grid / (3 * excess[int(n / 4 + 0.5) - 1]) + 1 / excess[-1]
    shape = np.log1p(-grid[:, None] * excess).mean(axis=1)
    log_likelihood = n * (np.log(-grid / shape) - shape - 1)
    share = np.exp(log_likelihood - log_likelihood.max())
    share /= share.sum()
    fitted = np.log1p(-(grid @ share) * excess).mean()
    return float(fitted * n / (n + 10) + 0.5 * 10 / (n + 10))
