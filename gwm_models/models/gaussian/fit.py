"""How a Bayesian cross-section fit is put together from draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.models.fit import Fit, of_draws
from gwm_models.models.gaussian.errors_in_variables import PRIOR_SD, NoisyRegression
from gwm_models.models.gaussian.noisy_checks import check_regression
from gwm_models.models.gaussian.words import POINTS, Sample, assumptions_of, check_numbers, residual_moran, warnings_of
from gwm_models.models.linear.words import NOT_SHOWN
from gwm_models.models.outcomes import Subject, source_of

Floats = NDArray[np.float64]

TITLES = {
    "errors-in-variables": "Bayesian, noise in the total removed",
    "errors-in-variables-conditions": "Bayesian, noise removed, at the same conditions",
    "errors-in-variables-domains": "Bayesian, all domains, noise removed",
    "regions-pooled": "Bayesian, noise removed, regions partially pooled",
    "spatial": "Bayesian, noise removed, neighbours alike (BYM2)",
    "joint-errors-in-variables": "Bayesian, male and female together, noise removed",
}
SEED, DRAWS = 20260101, 4000
EXACT = "independent draws: latent values integrated out, importance resampling of the variances and slopes"
PRIORS = (
    "Priors: flat on slopes and intercepts; standard deviations half-normal with a scale of "
    f"{PRIOR_SD:g} standard deviations of the figures."
)


def fit_of(
    edition: Edition,
    samples: Sequence[Sample],
    terms: dict[str, tuple[str, Floats]],
    *,
    spec: str,
    subject: Subject,
    method: str,
    citation: str,
    focus: str,
    found: str,
    diagnostics: dict[str, float | str],
    assumptions: Sequence[str],
    seed: int,
    tables: dict[str, list[dict[str, Any]]] | None = None,
) -> Fit:
    """Put a fit together; `terms` maps each term to its unit and draws, `samples` has one sample for each outcome."""
    first = samples[0]
    drawn = of_draws(np.column_stack([draws for _, draws in terms.values()]))
    weights = "published and true spread" if first.known else "equal"
    return Fit(
        outcome=subject.id,
        label=subject.label,
        spec=spec,
        title=TITLES[spec],
        method=f"{method}; {EXACT}",
        citation=citation,
        period=first.c.outcome.period,
        source=source_of(first.c.outcome),
        term=tuple(terms),
        unit=tuple(unit for unit, _ in terms.values()),
        estimate=drawn["estimate"],
        cov=drawn["cov"],
        lower=drawn["lower"],
        upper=drawn["upper"],
        draws=drawn["draws"],
        sample=first.code,
        n=len(first.code) * len(samples),
        excluded=first.excluded,
        focus=focus,
        found=found,
        not_shown=NOT_SHOWN,
        diagnostics={"weights": weights, **diagnostics},
        assumptions=(*assumptions_of(edition, samples, PRIORS, *assumptions), *warnings_of(diagnostics)),
        tables=tables or {},
        seed=seed,
    )


def numbers_of(fit: NoisyRegression, sample: Sample, seed: int) -> dict[str, float | str]:
    """Return how well a fit was sampled, its predictive checks, and Moran's I of its residuals."""
    checks = check_regression(fit, seed=seed)
    sampled: dict[str, float | str] = {"efficiency": fit.efficiency, "pareto_tail": fit.tail}
    return sampled | check_numbers(checks) | residual_moran(checks.residual.mean(axis=1), sample.borders, seed)


def spreads_of(fit: NoisyRegression, unit: str) -> dict[str, tuple[str, Floats]]:
    """Return the deviations of the first outcome's residual and of true scores as terms."""
    return {
        "residual_sd": (unit, fit.residual_sd[:, 0]),
        "exposure_sd": ("points", POINTS * fit.exposure_sd[:, 0]),
    }


def reliability_of(fit: NoisyRegression, s: Sample) -> float:
    """Return the posterior mean share of the variance of published totals, given covariates, that is not noise."""
    true = fit.exposure_cov[:, 0, 0]
    return float((true / (true + (s.total_error**2).mean())).mean())
