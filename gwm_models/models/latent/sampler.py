"""Independent draws of parameters whose posterior is bent, not normal around its mode.

The first proposals are normal approximations at several values of the parameter the posterior bends with. Rounds of
points follow one another, each drawn from a mixture of Student t proposals fitted to all earlier ones. All points
together, weighted by the target over the mixture of everything they were drawn from, are the sample. It ends when its
effective size is large enough; the spread of the weights says how far they can be trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError
from gwm_models.models.collapse import FREEDOM, LARGEST_TAIL, LogDensity, curvature, find_mode, pareto_tail

Floats = NDArray[np.float64]

ROUND = 1000
"""Points drawn between two fits of the proposals."""
LEAST_ROUNDS, MOST_ROUNDS = 3, 20
"""Rounds before the sample may end, and after which it must."""
ENOUGH = 0.5
"""Effective size that ends the sample, for each draw asked for,"""
LEAST_SIZE = 400
"""and never below this."""
GOOD_TAIL = 0.6
PARTS, CYCLES = 5, 6
"""Proposals, and steps of expectation and maximisation between rounds."""
WIDER = 1.1
"""Proposals are that much wider than what they are fitted to, so that no tail is missed."""
BORROWED, LEAST_SHARE, LEAST_PART = 40, 0.1, 1e-3
FIRST_STEP, LEAST_CURVATURE = 0.1, 0.1
"""Parameters are on a scale of about one: the search for the mode starts with steps of a tenth, directions that curve
less than the second count as curved that much."""


@dataclass(frozen=True, eq=False)
class Adapted(Frozen):
    """Draws from a bent posterior.

    Attributes
    ----------
    draws : ndarray, shape (n_draws, p)
    efficiency : float in (0, 1]
        Effective share of the points drawn.
    tail : float
        Pareto shape of the largest weights; below 0.7 they can be trusted.
    log_evidence : float
        Log of the mean weight: the log probability of the figures, up to a constant of the density.
    effective : float
        Effective number of draws: independent ones that would be as precise.
    """

    draws: Floats
    efficiency: float
    tail: float
    log_evidence: float
    effective: float


@dataclass(frozen=True, eq=False)
class _Mixture:
    """Student t proposals: share, centre and triangular root of the scale of each."""

    share: Floats
    centre: Floats
    root: Floats

    def draw(self, n_draws: int, rng: np.random.Generator) -> Floats:
        """Draw points, shape (n_draws, p)."""
        part = np.repeat(np.arange(len(self.share)), rng.multinomial(n_draws, self.share))
        scale = np.sqrt(FREEDOM / rng.chisquare(FREEDOM, n_draws))[:, None]
        white = rng.standard_normal((n_draws, self.centre.shape[1])) * scale
        return np.asarray(self.centre[part] + np.einsum("npq,nq->np", self.root[part], white))

    def log_parts(self, points: Floats) -> tuple[Floats, Floats]:
        """Return log densities of points under each part up to a constant, and squared distances, both (n, k)."""
        white = np.linalg.solve(self.root, (points - self.centre[:, None]).transpose(0, 2, 1))
        away = (white**2).sum(axis=1).T
        size = np.log(np.diagonal(self.root, axis1=1, axis2=2)).sum(axis=1)
        power = FREEDOM + points.shape[1]
        return np.log(self.share) - size - 0.5 * power * np.log1p(away / FREEDOM), away

    def log_density(self, points: Floats) -> Floats:
        """Return the log density of points, up to a constant that all mixtures share."""
        return np.asarray(np.logaddexp.reduce(self.log_parts(points)[0], axis=1))


@dataclass(frozen=True, eq=False)
class _Pool:
    """All points drawn so far with their log target, and what they were drawn from."""

    points: Floats
    log_target: Floats
    proposals: tuple[_Mixture, ...]

    def log_weight(self) -> Floats:
        """Return log weights against the mixture of all proposals, each of which gave as many points."""
        each = [proposal.log_density(self.points) for proposal in self.proposals]
        return np.asarray(self.log_target - np.logaddexp.reduce(each, axis=0) + np.log(len(each)))


def sample_adapted(
    log_posterior: LogDensity,
    start: Floats,
    *,
    along: int,
    slices: Sequence[float] = (),
    split: int | None = None,
    n_draws: int,
    seed: int,
    key: str,
    what: str,
) -> Adapted:
    """Draw from a low-dimensional posterior by importance resampling from proposals that are fitted as it goes.

    Parameters
    ----------
    log_posterior : callable
        Log density up to a constant at each of m parameter vectors: (m, p) to (m,). May be -inf.
    start : ndarray, shape (p,)
        Where the search for the mode begins.
    along : int
        The parameter that the posterior bends with.
    slices : sequence of float
        Values of that parameter, in order and evenly apart, at which the first proposals lie; the mode alone if none.
    split : int, optional
        The parameter that the first sample is cut along, `along` if not given.
    n_draws, seed : int
    key : str
        What is drawn: the same seed and key give the same draws.
    what : str
        The same in words, for the error message.

    Raises
    ------
    ModelError
        If the mode has no curvature, or the weights are too uneven to trust.

    References
    ----------
    Cornuet, Marin, Mira & Robert (2012), Scandinavian Journal of Statistics 39, 798-812 (adaptive multiple importance
    sampling). Cappe, Douc, Guillin, Marin & Robert (2008), Statistics and Computing 18, 447-459 (fitting mixtures).
    Vehtari, Simpson, Gelman, Yao & Gabry (2024), Journal of Machine Learning Research 25(72).
    """
    rng = keyed_rng(seed, key)
    try:
        first = _laplace(log_posterior, start, along, slices)
        pool = _explore(log_posterior, first, along if split is None else split, n_draws, rng)
    except np.linalg.LinAlgError as error:
        raise ModelError(
            f"The posterior of {what} has no clear peak: too few areas, or figures that hardly differ."
        ) from error
    weight, evidence = _normalised(pool.log_weight())
    size, tail = 1 / float((weight**2).sum()), pareto_tail(weight)
    if size < LEAST_SIZE or tail >= LARGEST_TAIL:
        raise ModelError(
            f"The posterior of {what} is poorly explored (effective draws {size:.0f}, least {LEAST_SIZE}; tail of the "
            f"weights {tail:.2f}, most {LARGEST_TAIL}). Too few areas, or figures that hardly differ."
        )
    places = (np.arange(n_draws) + rng.random()) / n_draws
    chosen = np.minimum(np.searchsorted(np.cumsum(weight), places), len(weight) - 1)
    return Adapted(pool.points[rng.permutation(chosen)], size / len(weight), tail, evidence, size)


def _explore(log_posterior: LogDensity, first: _Mixture, split: int, n_draws: int, rng: np.random.Generator) -> _Pool:
    """Draw round after round, proposals fitted to all earlier ones, until there are enough effective draws."""
    points = first.draw(ROUND, rng)
    pool = _Pool(points, log_posterior(points), (first,))
    for done in range(1, MOST_ROUNDS):
        weight = _normalised(pool.log_weight())[0]
        enough = 1 / (weight**2).sum() >= max(LEAST_SIZE, ENOUGH * n_draws) and pareto_tail(weight) < GOOD_TAIL
        if enough and done >= LEAST_ROUNDS:
            break
        even = _evened(weight)
        proposal = _cut(pool.points, even, split, PARTS) if done == 1 else pool.proposals[-1]
        for _ in range(CYCLES):
            proposal = _refitted(proposal, pool.points, even)
        points = _wider(proposal).draw(ROUND, rng)
        pool = _Pool(
            np.concatenate([pool.points, points]),
            np.concatenate([pool.log_target, log_posterior(points)]),
            (*pool.proposals, _wider(proposal)),
        )
    return pool


def _normalised(log_weight: Floats) -> tuple[Floats, float]:
    """Return weights that sum to one, and the log of their mean before."""
    largest = float(log_weight.max())
    weight = np.exp(log_weight - largest)
    return weight / weight.sum(), largest + float(np.log(weight.mean()))


def _evened(weight: Floats) -> Floats:
    """Cut the largest weights, so that no few points decide where the proposal goes; they sum to one.

    References
    ----------
    Ionides (2008), Journal of Computational and Graphical Statistics 17, 295-311 (truncated importance sampling).
    """
    cut = np.minimum(weight, weight.mean() * np.sqrt(len(weight)))
    return np.asarray(cut / cut.sum())


def _laplace(log_posterior: LogDensity, start: Floats, along: int, slices: Sequence[float]) -> _Mixture:
    """Return normal approximations: at the mode, and given each value of the parameter the posterior bends with."""
    size = len(start)
    if not slices:
        mode = _mode_near(log_posterior, start, FIRST_STEP * np.eye(size))
        return _Mixture(np.ones(1), mode[None], _spread(log_posterior, mode)[None])
    given = _sliced(log_posterior, start, along, slices)
    best = given.share.argmax()
    mode = _mode_near(log_posterior, given.centre[best], given.root[best])
    return _Mixture(
        np.append(given.share, 1.0) / 2,
        np.concatenate([given.centre, mode[None]]),
        np.concatenate([given.root, _spread(log_posterior, mode)[None]]),
    )


def _sliced(log_posterior: LogDensity, start: Floats, along: int, slices: Sequence[float]) -> _Mixture:
    """Return the normal approximations given values of one parameter.

    Slices of little weight keep a share, so that no part of the bend is missed.
    """
    size, rest = len(start), np.delete(np.arange(len(start)), along)
    centre, root = np.empty((len(slices), size)), np.zeros((len(slices), size, size))
    log_share, begin, inner = np.empty(len(slices)), start[rest], FIRST_STEP * np.eye(size - 1)
    for place, value in enumerate(slices):

        def given(points: Floats, value: float = value) -> Floats:
            return log_posterior(np.insert(points, along, value, axis=1))

        begin = _mode_near(given, begin, inner)
        inner = _spread(given, begin)
        centre[place] = np.insert(begin, along, value)
        root[place][np.ix_(rest, rest)] = inner
        root[place, along, along] = (slices[-1] - slices[0]) / (len(slices) - 1)
        log_share[place] = given(begin[None])[0] + np.log(np.diag(inner)).sum()
    share = np.maximum(np.exp(log_share - log_share.max()), LEAST_SHARE)
    return _Mixture(share / share.sum(), centre, root)


def _mode_near(log_posterior: LogDensity, start: Floats, root: Floats) -> Floats:
    """Return the mode, searched for in steps of the size and shape that a root of a covariance gives."""
    steps = find_mode(lambda z: log_posterior(start + z @ root.T), np.zeros(len(start)))
    return np.asarray(start + root @ steps)


def _spread(log_posterior: LogDensity, mode: Floats) -> Floats:
    """Return the root of the inverse curvature at a mode; directions that hardly curve count as curved a little.

    Raises
    ------
    LinAlgError
        If the density is flat in every direction.
    """
    value, vector = np.linalg.eigh(curvature(log_posterior, mode))
    if not value[-1] > 0:
        raise np.linalg.LinAlgError
    return np.asarray(np.linalg.cholesky(vector / np.maximum(value, LEAST_CURVATURE) @ vector.T))


def _wider(proposal: _Mixture) -> _Mixture:
    return _Mixture(proposal.share, proposal.centre, WIDER * proposal.root)


def _cut(points: Floats, weight: Floats, along: int, n_parts: int) -> _Mixture:
    """Return one proposal for each part of equal weight along one parameter."""
    order = np.argsort(points[:, along], kind="stable")
    part = np.empty(len(points), dtype=np.int64)
    part[order] = np.minimum(n_parts * np.cumsum(weight[order]), n_parts - 1).astype(np.int64)
    here = (part[:, None] == np.arange(n_parts)).astype(float)
    return _moments(points, weight[:, None] * here, here)


def _refitted(proposal: _Mixture, points: Floats, weight: Floats) -> _Mixture:
    """Move the proposals one step of expectation and maximisation towards the weighted points."""
    log, away = proposal.log_parts(points)
    belongs = np.exp(log - np.logaddexp.reduce(log, axis=1, keepdims=True))
    pull = (FREEDOM + points.shape[1]) / (FREEDOM + away)
    return _moments(points, weight[:, None] * belongs, pull)


def _moments(points: Floats, weight: Floats, pull: Floats) -> _Mixture:
    """Return proposals with the weighted moments of points, each point pulling as strongly as given.

    The covariance of a part leans on that of all parts, as if they were `BORROWED` more points.

    Parameters
    ----------
    points : ndarray, shape (n, p)
    weight, pull : ndarray, shape (n, k)
    """
    share = weight.sum(axis=0)
    kept = share > LEAST_PART
    weight, pull, share = weight[:, kept], pull[:, kept], share[kept]
    pulled = weight * pull
    centre = (pulled / pulled.sum(axis=0)).T @ points
    away = points - centre[:, None]
    cov = np.matmul((away * (pulled / share).T[..., None]).transpose(0, 2, 1), away)
    size = (share**2 / (weight**2).sum(axis=0))[:, None, None]
    cov = (size * cov + BORROWED * np.einsum("k,kpq->pq", share / share.sum(), cov)) / (size + BORROWED)
    return _Mixture(share / share.sum(), centre, np.linalg.cholesky(cov))
