"""Bayesian regression on exposures that are measured with known error, sampled exactly.

Unit i has outcomes ``y_i ~ N(Z_i gamma + beta' theta_i + a_g(i), R + V_i)`` with known error variance `V_i` (which may
be 0), published exposures ``x_i ~ N(theta_i, S_i)`` with known error covariance `S_i`, and true exposures
``theta_i ~ N(Z_i delta + c_g(i), T)``. Group effects ``a_g ~ N(0, diag(omega^2))`` and ``c_g ~ N(0, diag(kappa^2))``
are optional. `theta`, `gamma`, `delta` (flat priors) and the group effects are integrated out in closed form; `beta`
(flat prior), `T`, `R`, `omega` and `kappa` are drawn from the collapsed posterior.

Priors: standard deviations are half-normal with a scale of `PRIOR_SD` sample standard deviations of their figures,
correlations in `T` and in `R` are uniform (LKJ 1). Everything is fitted in standard deviations of the figures, so that
a change of unit changes nothing but the unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError
from gwm_models.models.collapse import sample_collapsed
from gwm_models.models.gaussian.noisy_core import KnownErrorModel
from gwm_models.models.gaussian.small_matrices import covariances, half_normal, log_uniform_correlations, n_pairs

Floats = NDArray[np.float64]

PRIOR_SD, GROUP_PRIOR_SD = 2.0, 1.0
START = -0.5
"""Of standard deviations, on the scale where their prior is standard normal."""
WORK = 400_000
"""Draws times units worked on at a time, so that memory does not grow with either."""


@dataclass(frozen=True, eq=False)
class NoisyRegression(Frozen):
    """Independent posterior draws, in the units of the figures.

    Attributes
    ----------
    slope : ndarray, shape (n_draws, k, m)
        Of each of m outcomes on each of k true exposures.
    coefficients : ndarray, shape (n_draws, q + 1, m)
        Intercept and covariates of the outcomes.
    residual_cov : ndarray, shape (n_draws, m, m)
        `R`: between units, beyond published error.
    exposure_cov : ndarray, shape (n_draws, k, k)
        `T`: of true exposures given covariates.
    group_sd : ndarray, shape (n_draws, m)
        `omega`; no columns where there are no groups.
    exposure_group_sd : ndarray, shape (n_draws, k)
        `kappa`.
    group_effects : ndarray, shape (n_draws, n_groups, m)
    parameters : ndarray, shape (n_draws, p)
        The draws behind these on the scale they are drawn on, for checks of the fit.
    problem : Problem
        What was fitted.
    efficiency, tail : float
        Of the importance sample; see `collapse.Collapsed`.
    """

    slope: Floats
    coefficients: Floats
    residual_cov: Floats
    exposure_cov: Floats
    group_sd: Floats
    exposure_group_sd: Floats
    group_effects: Floats
    parameters: Floats
    problem: Problem
    efficiency: float
    tail: float

    @property
    def residual_sd(self) -> Floats:
        """Standard deviations of `R`, shape (n_draws, m)."""
        return np.asarray(np.sqrt(np.einsum("sjj->sj", self.residual_cov)))

    @property
    def exposure_sd(self) -> Floats:
        """Standard deviations of `T`, shape (n_draws, k)."""
        return np.asarray(np.sqrt(np.einsum("sjj->sj", self.exposure_cov)))


def errors_in_variables(
    outcome: Floats,
    outcome_error: Floats,
    exposure: Floats,
    exposure_error: Floats,
    covariates: Floats | None = None,
    *,
    groups: NDArray[np.int64] | None = None,
    n_draws: int = 4000,
    seed: int = 20260101,
    key: str = "errors-in-variables",
) -> NoisyRegression:
    """Draw slopes of outcomes on true exposures, given published ones and the errors of both.

    Parameters
    ----------
    outcome : ndarray, shape (n,) or (n, m)
    outcome_error : ndarray, shape (n,) or (n, m)
        Known standard errors; 0 where the outcome is exact or its error is not known.
    exposure : ndarray, shape (n,) or (n, k)
    exposure_error : ndarray, shape (n,) or (n, k, k)
        Known standard errors of one exposure, or the error covariance of several; 0 for no error.
    covariates : ndarray, shape (n, q), optional
        Without the intercept.
    groups : ndarray of int, shape (n,), optional
        Group of each unit, 0 to n_groups - 1, for partially pooled group effects on outcomes and exposures.
    n_draws, seed : int
    key : str
        What is drawn: the same seed and key give the same draws.

    Returns
    -------
    NoisyRegression

    Raises
    ------
    ModelError
        If an array has the wrong shape, is not finite or does not vary, or the posterior cannot be explored.

    References
    ----------
    Carroll, Ruppert, Stefanski & Crainiceanu (2006), Measurement Error in Nonlinear Models, 2nd ed., ch. 9. Gelman
    et al. (2013), Bayesian Data Analysis, 3rd ed., sections 10.4 and 14.2. Gelman (2006), Bayesian Analysis 1, 515-534.
    """
    problem = make_problem(outcome, outcome_error, exposure, exposure_error, covariates, groups)
    block = max(50, WORK // len(problem.model.design))
    collapsed = sample_collapsed(
        problem.log_posterior,
        problem.start(),
        n_draws=n_draws,
        seed=seed,
        key=key,
        what="the slope and the spread between areas",
        block=block,
    )
    parts = [
        _conditionals(problem, collapsed.draws[first : first + block], keyed_rng(seed, key, "conditional", str(first)))
        for first in range(0, n_draws, block)
    ]
    coefficients, effects = (np.concatenate(piece) for piece in zip(*parts, strict=True))
    split = problem.split(collapsed.draws)
    x, y = problem.exposure_scale, problem.outcome_scale
    return NoisyRegression(
        slope=(split.slope / x[:, None, None] * y[:, None]).transpose(2, 0, 1),
        coefficients=coefficients,
        residual_cov=(split.residual_cov * np.outer(y, y)[..., None]).transpose(2, 0, 1),
        exposure_cov=(split.exposure_cov * np.outer(x, x)[..., None]).transpose(2, 0, 1),
        group_sd=split.group_sd * y[: split.group_sd.shape[1]],
        exposure_group_sd=split.exposure_group_sd * x[: split.exposure_group_sd.shape[1]],
        group_effects=effects,
        parameters=collapsed.draws,
        problem=problem,
        efficiency=collapsed.efficiency,
        tail=collapsed.tail,
    )


def _conditionals(problem: Problem, parameters: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw coefficients, (m, q + 1, outcomes), and group effects, (m, groups, outcomes), in units of the figures."""
    split, model = problem.split(parameters), problem.model
    solved = model.solve(*problem.spread(split))
    k = len(problem.exposure_scale)
    drawn = model.draw_coefficients(solved, rng.standard_normal(solved.half.shape))
    effects = model.draw_groups(
        solved, drawn, rng.standard_normal((len(drawn), model.groups.shape[1], len(parameters)))
    )
    y, x = problem.outcome_scale, problem.exposure_scale

    def structural(terms: Floats) -> Floats:
        own = terms[k:] - np.einsum("kms,kqs->mqs", split.slope, terms[:k])
        return np.asarray((own * y[:, None, None]).transpose(2, 1, 0))

    coefficients = structural(drawn)
    slope = split.slope / x[:, None, None] * y[:, None]
    coefficients[:, 0] += problem.outcome_centre - np.einsum("kms,k->sm", slope, problem.exposure_centre)
    return coefficients, structural(effects)


@dataclass(frozen=True, eq=False)
class Split(Frozen):
    """Parameters taken apart, in standard deviations of the figures; draws last, except the group deviations."""

    slope: Floats
    residual_cov: Floats
    exposure_cov: Floats
    group_sd: Floats
    exposure_group_sd: Floats


@dataclass(frozen=True, eq=False)
class Problem(Frozen):
    """Figures in standard deviations from their mean (exposures first), and what that took.

    Attributes
    ----------
    model : KnownErrorModel
    exposure_centre, exposure_scale : ndarray, shape (k,)
    outcome_centre, outcome_scale : ndarray, shape (m,)
    """

    model: KnownErrorModel
    exposure_centre: Floats
    exposure_scale: Floats
    outcome_centre: Floats
    outcome_scale: Floats

    def _sizes(self) -> tuple[int, int, int, int, bool]:
        k, m = len(self.exposure_scale), len(self.outcome_scale)
        return k, m, k + n_pairs(k), m + n_pairs(m), self.model.groups.shape[1] > 0

    def split(self, parameters: Floats) -> Split:
        """Take parameter vectors, shape (n_draws, p), apart."""
        k, m, n_exposure, n_residual, _ = self._sizes()
        ends = np.cumsum([n_exposure, k * m, n_residual])
        exposure, slope, residual, groups = np.split(parameters, ends, axis=1)
        return Split(
            slope=slope.T.reshape(k, m, len(parameters)),
            residual_cov=covariances(half_normal(residual[:, :m], PRIOR_SD), residual[:, m:]),
            exposure_cov=covariances(half_normal(exposure[:, :k], PRIOR_SD), exposure[:, k:]),
            group_sd=half_normal(groups[:, k:], GROUP_PRIOR_SD),
            exposure_group_sd=half_normal(groups[:, :k], GROUP_PRIOR_SD),
        )

    def spread(self, split: Split) -> tuple[Floats, Floats | None]:
        """Return the covariance of the figures between units, (d, d, n_draws), and that of their group effects."""
        between = _joint(split.exposure_cov, split.slope, split.residual_cov)
        if not self._sizes()[-1]:
            return between, None
        own = [np.einsum("ij,sj->ijs", np.eye(sd.shape[1]), sd**2) for sd in (split.exposure_group_sd, split.group_sd)]
        return between, _joint(own[0], split.slope, own[1])

    def log_prior(self, parameters: Floats) -> Floats:
        """Return the log prior density with all changes of variable, shape (n_draws,)."""
        k, m, n_exposure, n_residual, _ = self._sizes()
        exposure, _, residual, groups = np.split(parameters, np.cumsum([n_exposure, k * m, n_residual]), axis=1)
        normal = np.concatenate([exposure[:, :k], residual[:, :m], groups], axis=1)
        correlations = log_uniform_correlations(exposure[:, k:], k) + log_uniform_correlations(residual[:, m:], m)
        return np.asarray(correlations - 0.5 * (normal**2).sum(axis=1))

    def log_posterior(self, parameters: Floats) -> Floats:
        """Return the collapsed log posterior up to a constant, shape (n_draws,)."""
        return self.model.solve(*self.spread(self.split(parameters))).log_likelihood + self.log_prior(parameters)

    def start(self) -> Floats:
        """Return where the search for the mode begins."""
        k, m, n_exposure, n_residual, grouped = self._sizes()
        start = np.zeros(n_exposure + k * m + n_residual + grouped * (k + m))
        start[:k] = start[n_exposure + k * m :][:m] = START
        start[n_exposure + k * m + n_residual :] = 2 * START
        return start


def _joint(exposure: Floats, slope: Floats, residual: Floats) -> Floats:
    """Return the covariance of exposures and outcomes that a slope and a residual give."""
    cross = np.einsum("ijs,jms->ims", exposure, slope)
    outcome = np.einsum("ims,ins->mns", slope, cross) + residual
    return np.concatenate(
        [np.concatenate([exposure, cross], axis=1), np.concatenate([cross.transpose(1, 0, 2), outcome], axis=1)]
    )


def make_problem(
    outcome: Floats,
    outcome_error: Floats,
    exposure: Floats,
    exposure_error: Floats,
    covariates: Floats | None,
    groups: NDArray[np.int64] | None,
) -> Problem:
    """Check the figures and put them on a common scale; parameters as in `errors_in_variables`."""
    y, y_error = (np.asarray(a, dtype=float).reshape(len(outcome), -1) for a in (outcome, outcome_error))
    x = np.asarray(exposure, dtype=float).reshape(len(exposure), -1)
    x_error = np.asarray(exposure_error, dtype=float)
    if x_error.ndim == 1:
        x_error = x_error[:, None, None] ** 2
    (n, m), k = y.shape, x.shape[1]
    z = np.zeros((n, 0)) if covariates is None else np.asarray(covariates, dtype=float).reshape(n, -1)
    if y_error.shape != (n, m) or len(x) != n or x_error.shape != (n, k, k):
        raise ModelError(
            f"outcome {y.shape}, its error {y_error.shape}, exposure {x.shape} and its error {x_error.shape} do not "
            "fit together: expected (n, m), (n, m), (n, k) and (n, k, k)."
        )
    for name, values in {
        "outcome": y,
        "its error": y_error,
        "exposure": x,
        "its error ": x_error,
        "covariates": z,
    }.items():
        if not np.isfinite(values).all():
            raise ModelError(f"{name.strip()} is not finite for every unit. Leave out the units without a figure.")
    scale = [values.std(axis=0, ddof=1) for values in (x, y, z)]
    if any((own <= 0).any() for own in scale):
        raise ModelError("An outcome, exposure or covariate is the same in every unit, so no slope can be fitted.")
    design = np.column_stack([np.ones(n), z])
    if np.linalg.matrix_rank((design - np.r_[0, z.mean(axis=0)]) / np.r_[1, scale[2]]) < design.shape[1]:
        raise ModelError("The covariates are collinear, so no slope can be fitted. Leave one out.")
    error = np.zeros((k + m, k + m, n))
    error[:k, :k] = x_error.transpose(1, 2, 0) / np.outer(scale[0], scale[0])[..., None]
    error[k + np.arange(m), k + np.arange(m)] = (y_error / scale[1]).T ** 2
    figures = np.concatenate([(x - x.mean(axis=0)) / scale[0], (y - y.mean(axis=0)) / scale[1]], axis=1).T
    members = np.zeros((n, 0)) if groups is None else np.eye(int(groups.max()) + 1)[groups]
    model = KnownErrorModel(figures, error, design, members)
    return Problem(model, x.mean(axis=0), scale[0], y.mean(axis=0), scale[1])
