"""The models of the exact samplers written in PyMC and sampled by a Markov chain, to be compared with."""

from __future__ import annotations

import warnings

import numpy as np

PRIOR_SD = 2.0


def sample_errors_in_variables(outcome, outcome_error, exposure, exposure_error, *, draws, seed):
    """Sample slope, intercept, residual_sd and exposure_sd of the errors-in-variables model, two chains merged."""
    import pymc as pm

    y_sd, x_sd = outcome.std(ddof=1), exposure.std(ddof=1)
    with pm.Model() as model:
        exposure_sd = pm.HalfNormal("exposure_sd", PRIOR_SD * x_sd)
        residual_sd = pm.HalfNormal("residual_sd", PRIOR_SD * y_sd)
        slope, middle, centre = (pm.Flat(name, initval=start) for name, start in _starts(outcome, exposure))
        true = pm.Normal("true", centre, exposure_sd, shape=len(outcome))
        pm.Normal("x", true, exposure_error, observed=exposure)
        line = middle + slope * (true - exposure.mean())
        pm.Normal("y", line, pm.math.sqrt(residual_sd**2 + outcome_error**2), observed=outcome)
        pm.Deterministic("intercept", middle - slope * exposure.mean())
    return _sample(model, ("slope", "intercept", "residual_sd", "exposure_sd"), draws, seed)


def sample_spatial(outcome, outcome_error, exposure, exposure_error, borders, islands, scale, *, draws, seed):
    """Sample slope, sigma_b, rho and exposure_sd of the BYM2 model on a map of one connected part and islands.

    The structured effect is written by differences between neighbours, tied to a sum of nearly zero.

    Parameters
    ----------
    islands : ndarray of bool, shape (n,)
    scale : float
        Geometric mean of the variances of the unscaled autoregression.
    """
    import pymc as pm
    import pytensor.tensor as pt

    n, y_sd, x_sd = len(outcome), outcome.std(ddof=1), exposure.std(ddof=1)
    linked = np.flatnonzero(~islands)
    with pm.Model() as model:
        exposure_sd = pm.HalfNormal("exposure_sd", PRIOR_SD * x_sd)
        sigma_b = pm.HalfNormal("sigma_b", PRIOR_SD * y_sd)
        rho = pm.Uniform("rho", 0, 1)
        slope, middle, centre = (pm.Flat(name, initval=start) for name, start in _starts(outcome, exposure))
        free = pm.Flat("free", shape=n, initval=np.zeros(n))
        pm.Potential("neighbours", -0.5 * ((free[borders[:, 0]] - free[borders[:, 1]]) ** 2).sum())
        pm.Potential("tied", -0.5 * (free[linked].mean() / 0.001) ** 2)
        pm.Potential("islands", -0.5 * (free[np.flatnonzero(islands)] ** 2).sum())
        structured = free / pt.where(islands, 1.0, np.sqrt(scale))
        true = pm.Normal("true", centre, exposure_sd, shape=n)
        pm.Normal("x", true, exposure_error, observed=exposure)
        line = middle + slope * (true - exposure.mean()) + sigma_b * pm.math.sqrt(rho) * structured
        pm.Normal("y", line, pm.math.sqrt(sigma_b**2 * (1 - rho) + outcome_error**2), observed=outcome)
    return _sample(model, ("slope", "sigma_b", "rho", "exposure_sd"), draws, seed)


def scores_model(scores, cov, region):
    """Return the hierarchical model of true domain scores: region means, correlated domains, known error by area.

    Parameters
    ----------
    scores : ndarray, shape (n_areas, k)
    cov : ndarray, shape (n_areas, k, k)
        Positive definite.
    region : ndarray of int, shape (n_areas,)
    """
    import pymc as pm

    n, k = scores.shape
    whiten = np.linalg.inv(np.linalg.cholesky(cov))
    with pm.Model() as model:
        spread = pm.HalfNormal.dist(100.0, shape=k)
        root, _, _ = pm.LKJCholeskyCov("between", n=k, eta=1.0, sd_dist=spread, compute_corr=True)
        mean = pm.Flat("mean", shape=(region.max() + 1, k), initval=np.tile(scores.mean(axis=0), (region.max() + 1, 1)))
        true = pm.MvNormal("true", mean[region], chol=root, shape=(n, k), initval=scores)
        missed = (whiten * (scores - true)[:, None, :]).sum(axis=2)
        pm.Potential("published", -0.5 * (missed**2).sum())
    return model


def sample_scores(scores, cov, region, *, draws, seed):
    """Sample the true scores, two chains merged.

    Returns
    -------
    tuple of ndarray
        Draws, shape (2 draws, n_areas, k), and their effective number for means and for standard deviations.
    """
    import arviz as az
    import pymc as pm

    with scores_model(scores, cov, region), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trace = pm.sample(
            draws=draws, tune=1000, chains=2, cores=1, nuts_sampler="nutpie", random_seed=seed, progressbar=False
        )
        effective = [az.ess(trace, var_names=["true"], method=of)["true"].to_numpy() for of in ("mean", "sd")]
    return np.asarray(trace.posterior["true"]).reshape(-1, *scores.shape), *effective


def _starts(outcome, exposure):
    slope = np.polyfit(exposure, outcome, 1)[0]
    return (("slope", slope), ("middle", outcome.mean()), ("centre", exposure.mean()))


def _sample(model, names, draws, seed):
    import pymc as pm

    with model, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trace = pm.sample(
            draws=draws, tune=1000, chains=2, cores=1, nuts_sampler="nutpie", random_seed=seed, progressbar=False
        )
    return {name: np.asarray(trace.posterior[name]).reshape(-1) for name in names}
