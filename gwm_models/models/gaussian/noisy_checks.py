"""Checks of a regression with known errors: predictive p values, and how well it predicts units it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.models.collapse import pareto_tail
from gwm_models.models.gaussian.errors_in_variables import PRIOR_SD, NoisyRegression
from gwm_models.models.gaussian.small_matrices import cholesky, half_normal, invert

Floats = NDArray[np.float64]

USED = 500
"""Draws that checks are made with."""


@dataclass(frozen=True, eq=False)
class Checks(Frozen):
    """Predictive checks.

    Attributes
    ----------
    spread, extreme : float
        Posterior predictive p values: how often figures simulated from the model have a larger standard deviation, and
        a larger most extreme value, of standardised residuals than the published ones. Near 0 or 1 the model is wrong.
    prior_spread : float
        Prior predictive p value: how often the prior gives a larger residual standard deviation than was seen.
    elpd, elpd_error : float
        Expected log density of an unseen unit's outcomes given its published exposure, summed over units, and its
        standard error: higher predicts better. Compare models of the same units only.
    worst_tail : float
        Largest Pareto shape over units of the weights behind `elpd`; below 0.7 it can be trusted.
    residual : ndarray, shape (n, m)
        Outcomes less what published exposures and all other units predict, in the units of the outcomes.
    """

    spread: float
    extreme: float
    prior_spread: float
    elpd: float
    elpd_error: float
    worst_tail: float
    residual: Floats


def check_regression(fit: NoisyRegression, *, seed: int, n_used: int = USED) -> Checks:
    """Check a fit against its own figures.

    Coefficients and group effects are integrated out, so that each unit is predicted from the others in closed form at
    each draw of the variances; weights over these draws make the prediction exact.

    Parameters
    ----------
    fit : NoisyRegression
    seed : int
    n_used : int
        Draws used at most.

    References
    ----------
    Gelman, Meng & Stern (1996), Statistica Sinica 6, 733-807 (realised discrepancies). Vehtari et al. (2016), Journal
    of Machine Learning Research 17(103) (leave-one-out with Gaussian latent values integrated out).
    """
    problem, rng = fit.problem, keyed_rng(seed, "checks")
    parameters = fit.parameters[:n_used]
    model, k = problem.model, len(problem.exposure_scale)
    between, groups_cov = problem.spread(problem.split(parameters))
    solved = model.solve(between, groups_cov)
    white = rng.standard_normal(solved.half.shape)
    effects_white = rng.standard_normal((len(model.figures), model.groups.shape[1], len(parameters)))
    coefficients = model.draw_coefficients(solved, white)
    effects = model.draw_groups(solved, coefficients, effects_white)
    mean = np.einsum("iqs,nq->isn", coefficients, model.design) + np.einsum("igs,ng->isn", effects, model.groups)
    missed, cov = _given_exposure(model.figures[:, None] - mean, between[..., None] + model.error[:, :, None], k)
    seen = _whitened(missed, cov)
    simulated = rng.standard_normal(seen.shape)
    centre = model.draw_coefficients(solved, 0 * white)
    others = model.leave_one_out(solved, centre, model.draw_groups(solved, centre, 0 * effects_white))
    left, left_cov = _given_exposure(*others, k)
    elpd, tail = _unseen(left, left_cov)
    elpd = elpd - np.log(problem.outcome_scale).sum()
    return Checks(
        spread=_share_above(simulated.std(axis=(0, 2)), seen.std(axis=(0, 2))),
        extreme=_share_above(np.abs(simulated).max(axis=(0, 2)), np.abs(seen).max(axis=(0, 2))),
        prior_spread=_prior_spread(fit, rng),
        elpd=float(elpd.sum()),
        elpd_error=float(np.sqrt(len(elpd)) * elpd.std(ddof=1)),
        worst_tail=tail,
        residual=(left.mean(axis=1) * problem.outcome_scale[:, None]).T,
    )


def _share_above(simulated: Floats, seen: Floats) -> float:
    return float((simulated >= seen).mean())


def _given_exposure(missed: Floats, cov: Floats, k: int) -> tuple[Floats, Floats]:
    """Turn errors of exposures (first k) and outcomes into those of outcomes given exposures."""
    inverse, _ = invert(np.ascontiguousarray(cov[:k, :k]))
    gain = np.einsum("iasn,absn->ibsn", cov[k:, :k], inverse)
    own = cov[k:, k:] - np.einsum("ibsn,bjsn->ijsn", gain, cov[:k, k:])
    return missed[k:] - np.einsum("ibsn,bsn->isn", gain, missed[:k]), own


def _whitened(missed: Floats, cov: Floats) -> Floats:
    """Return errors divided by the root of their covariance, (m, n_draws, n)."""
    root, out = cholesky(np.broadcast_to(cov, cov.shape).copy()), np.zeros_like(missed)
    for j in range(len(missed)):
        out[j] = (missed[j] - (root[j, :j] * out[:j]).sum(axis=0)) / root[j, j]
    return out


def _unseen(missed: Floats, cov: Floats) -> tuple[Floats, float]:
    """Return the log density of each unit given the others, shape (n,), and the worst Pareto shape of the weights."""
    root = cholesky(cov)
    log_det = 2 * sum(np.log(root[j, j]) for j in range(len(root)))
    log_density = -0.5 * (log_det + (_whitened(missed, cov) ** 2).sum(axis=0) + len(missed) * np.log(2 * np.pi))
    low = log_density.min(axis=0)
    weight = np.exp(low - log_density)
    return low - np.log(weight.mean(axis=0)), max(pareto_tail(column) for column in weight.T)


def _prior_spread(fit: NoisyRegression, rng: np.random.Generator) -> float:
    """Compare the residual deviation of least squares with what the prior says it might be, outcomes pooled."""
    problem = fit.problem
    model, k = problem.model, len(problem.exposure_scale)
    design = np.column_stack([model.design, model.figures[:k].T])
    outcome = model.figures[k:].T
    left = outcome - design @ np.linalg.lstsq(design, outcome, rcond=None)[0]
    freedom = design.shape[0] - design.shape[1]
    own = half_normal(rng.standard_normal((4 * USED, outcome.shape[1])), PRIOR_SD) ** 2
    known = np.einsum("iin->i", model.error[k:, k:]) / len(left)
    simulated = ((own + known) * rng.chisquare(freedom, own.shape) / freedom).sum(axis=1)
    return _share_above(np.sqrt(simulated), np.sqrt((left**2).sum() / freedom))
