"""Posterior of the rate ratio of deaths: negative binomial law, with or without survey error in the score."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.draws import keyed_rng
from gwm_models.models.association.moran import moran
from gwm_models.models.association.spatial_errors import with_neighbours
from gwm_models.models.chains import Build, Chains, leave_one_out, sample
from gwm_models.models.counts.sample import ASSUMPTIONS, NOT_SHOWN, PER_100, CountSample, count_sample, total_column
from gwm_models.models.counts.specs import ratio_rows, ratio_words
from gwm_models.models.cross_section import CrossSection, cross_section
from gwm_models.models.fit import LEVEL, Fit, Spec, of_draws
from gwm_models.models.outcomes import Outcome, Subject, source_of

Floats = NDArray[np.float64]

N_PRIOR, N_PERMUTATIONS = 2000, 1999
SLOPE_SD, DISPERSION_SD, LEVEL_SD = 1.0, 1.0, 1.0
"""Prior standard deviations: log rate per 100 points, dispersion (half-normal), log rate around the pooled one."""


def build_counts(count: Floats, score: Floats, person_years: Floats, score_error: Floats | None = None) -> Build:
    """Return what makes the model of counts on a score when it is given the module ``pymc``.

    Parameters
    ----------
    count, score, person_years : ndarray, shape (n,)
        The score in hundreds of points from its mean.
    score_error : ndarray, shape (n,), optional
        Known standard errors of the score; without them it is taken as it is.
    """
    pooled = float(np.log(count.sum() / person_years.sum()))

    def make(pm: Any) -> Any:
        with pm.Model() as model:
            slope = pm.Normal("slope", 0, SLOPE_SD)
            intercept = pm.Normal("intercept", pooled, LEVEL_SD)
            dispersion = pm.HalfNormal("dispersion", DISPERSION_SD)
            true = score
            if score_error is not None:
                mean, sd = pm.Normal("score_mean", 0, 1), pm.HalfNormal("score_sd", 1)
                pm.Normal("score", mean, pm.math.sqrt(sd**2 + score_error**2), observed=score)
                kept = sd**2 / (sd**2 + score_error**2)
                raw = pm.Normal("raw", 0, 1, shape=len(score))
                true = pm.Deterministic("true", mean + kept * (score - mean) + pm.math.sqrt(kept) * score_error * raw)
            rate = person_years * pm.math.exp(intercept + slope * true)
            pm.NegativeBinomial("count", mu=rate, alpha=1 / dispersion, observed=count.astype(int))
        return model

    return make


def log_densities(count: Floats, expected: Floats, dispersion: Floats) -> Floats:
    """Return the negative binomial log density of each count, (n_draws, n), at `expected` (n_draws, n)."""
    from scipy.special import gammaln

    size = 1 / dispersion[:, None]
    ways = gammaln(count + size) - gammaln(size) - gammaln(count + 1)
    return np.asarray(ways - size * np.log1p(expected / size) + count * (np.log(expected) - np.log(expected + size)))


def replicate(expected: Floats, dispersion: Floats, rng: np.random.Generator) -> Floats:
    """Return counts of the negative binomial law, shape (n_draws, n), at `expected` (n_draws, n)."""
    size = np.broadcast_to(1 / dispersion[:, None], expected.shape)
    return np.asarray(rng.poisson(expected * rng.standard_gamma(size) / size), dtype=float)


def pearson_residuals(count: Floats, expected: Floats, dispersion: Floats) -> Floats:
    """Return what counts miss `expected` by, in standard deviations of the law, shape (n_draws, n)."""
    return np.asarray((count - expected) / np.sqrt(expected + dispersion[:, None] * expected**2))


def draw_prior(
    count: Floats,
    score: Floats,
    person_years: Floats,
    score_error: Floats | None,
    rng: np.random.Generator,
    n_draws: int = N_PRIOR,
) -> Floats:
    """Return counts that the priors of `build_counts` make at the published scores, shape (n_draws, n).

    References
    ----------
    Box (1980), Journal of the Royal Statistical Society A 143, 383-430 (the prior predictive check they are for).
    """
    slope, level, spread, mean, sd = rng.standard_normal((5, n_draws, 1))
    true = np.broadcast_to(score, (n_draws, len(score)))
    if score_error is not None:
        kept = sd**2 / (sd**2 + score_error**2)
        true = mean + kept * (score - mean) + np.sqrt(kept) * score_error * rng.standard_normal(true.shape)
    pooled = np.log(count.sum() / person_years.sum())
    expected = person_years * np.exp(pooled + LEVEL_SD * level + SLOPE_SD * slope * true)
    return replicate(expected, DISPERSION_SD * np.abs(spread[:, 0]), rng)


def _make(
    edition: Edition, subject: Outcome, *, spec: str, corrected: bool, n_draws: int = 4000, seed: int = 20260101
) -> Fit:
    c = cross_section(edition, subject)
    sampled = count_sample(c, total_column(c))
    chains = _sampled(c, sampled, spec, corrected, n_draws, seed)
    drawn = chains.draws
    summary = of_draws(np.column_stack([drawn["slope"], drawn["intercept"], drawn["dispersion"]]))
    ratio = np.exp(drawn["slope"])
    low, high = np.quantile(ratio, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    ratios = np.array([[ratio.mean()], [ratio.std(ddof=1)], [low], [high]])
    n = len(sampled.count)
    checks = _checks(c, sampled, drawn, corrected, seed)
    not_shown = NOT_SHOWN.format(what=subject.label[0].lower() + subject.label[1:])
    return Fit(
        outcome=subject.id,
        label=subject.label,
        spec=spec,
        title=TITLES[spec],
        method="Bayesian negative binomial regression with person-years as offset, No-U-Turn sampler",
        citation="Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., chapters 16 and 17; Hoffman & Gelman (2014), "
        "Journal of Machine Learning Research 15, 1593-1623",
        period=subject.period,
        source=source_of(subject),
        term=("total", "intercept", "dispersion"),
        unit=(PER_100, sampled.unit[-1], "extra variance over the squared mean"),
        estimate=summary["estimate"],
        cov=summary["cov"],
        lower=summary["lower"],
        upper=summary["upper"],
        draws=summary["draws"],
        sample=tuple(c.code[i] for i in np.flatnonzero(sampled.kept)),
        n=n,
        excluded=sampled.excluded,
        focus="total",
        found=f"{subject.label}, {subject.period}: rates are {ratio_words(ratio.mean(), low, high)} for each 100 "
        f"points more of the total, over {n} units and {sampled.count.sum():,.0f} deaths.",
        not_shown=with_neighbours(not_shown, float(checks["residual_moran"]), float(checks["residual_moran_p"])),
        diagnostics={**chains.diagnostics, **checks},
        assumptions=(*ASSUMPTIONS[:-1], CORRECTED if corrected else ASSUMPTIONS[-1], INDEPENDENT, PRIORS),
        tables={"rate_ratios": ratio_rows(("total",), ratios, n)},
        seed=seed,
    )


PLAIN = "negative-binomial"
TITLES = {
    PLAIN: "rate on the total, negative binomial, posterior",
    "negative-binomial-corrected": "rate on the total with its survey error taken out, negative binomial, posterior",
}
CORRECTED = "The published score is the true score with survey error of known size, which is taken out."
INDEPENDENT = "Units are independent given their scores, neighbours too; Moran's I of the residuals checks that."
PRIORS = "Priors: log rate ratio normal (0, 1), log rate normal around the pooled one (1), dispersion half-normal (1)."


def _sampled(c: CrossSection, s: CountSample, spec: str, corrected: bool, n_draws: int, seed: int) -> Chains:
    error = c.total_error[s.kept] / 100 if corrected else None
    model = build_counts(s.count, s.design[:, 0], s.person_years, error)
    return sample(model, n_draws=n_draws, seed=seed, key=f"counts:{spec}", what=f"{c.outcome.label} on the total")


def _checks(c: CrossSection, s: CountSample, drawn: Any, corrected: bool, seed: int) -> dict[str, float | str]:
    """Return leave-one-out figures, predictive p values, and Moran's I of the residuals."""
    score = drawn.get("true", s.design[None, :, 0])
    expected = s.person_years * np.exp(drawn["intercept"][:, None] + drawn["slope"][:, None] * score)
    left_out = leave_one_out(log_densities(s.count, expected, drawn["dispersion"]))
    made = replicate(expected, drawn["dispersion"], keyed_rng(seed, "counts:replicate")) / s.person_years
    real = s.count / s.person_years
    error = c.total_error[s.kept] / 100 if corrected else None
    prior = draw_prior(s.count, s.design[:, 0], s.person_years, error, keyed_rng(seed, "counts:prior")) / s.person_years
    residual = pearson_residuals(s.count, expected, drawn["dispersion"]).mean(axis=0)
    near = moran(residual, c.borders_of(s.kept), n_permutations=N_PERMUTATIONS, seed=seed)
    return {
        "elpd_loo": left_out.elpd,
        "elpd_loo_std_error": left_out.std_error,
        "pareto_k_largest": left_out.worst_tail,
        "pareto_k_over_0.7": float(left_out.n_bad),
        "p_predictive_sd_of_rates": float((made.std(axis=1) >= real.std()).mean()),
        "p_predictive_largest_rate": float((made.max(axis=1) >= real.max()).mean()),
        "prior_p_sd_of_rates": float((prior.std(axis=1) >= real.std()).mean()),
        "residual_moran": near.statistic,
        "residual_moran_p": near.p_value,
    }


def _applies(subject: Subject) -> bool:
    return isinstance(subject, Outcome) and subject.kind == "count" and subject.group == "despair"


SPECS: tuple[Spec, ...] = tuple(
    Spec(
        name,
        title,
        _applies,
        partial(_make, spec=name, corrected=name != PLAIN),
        "models.counts.posterior",
        bayes=True,
        stored=True,
    )
    for name, title in TITLES.items()
)
