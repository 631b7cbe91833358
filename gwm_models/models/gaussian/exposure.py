"""Bayesian fits on true scores: the total, the domains, at the same conditions, and both sexes together."""

from __future__ import annotations

import numpy as np

from gwm_models.data.edition import Edition
from gwm_models.models.fit import Fit, of_draws
from gwm_models.models.gaussian.errors_in_variables import errors_in_variables
from gwm_models.models.gaussian.fit import DRAWS, SEED, fit_of, numbers_of, reliability_of, spreads_of
from gwm_models.models.gaussian.words import POINTS, found_words, sample_of
from gwm_models.models.linear.choices import COVARIATES
from gwm_models.models.linear.words import decimals, several
from gwm_models.models.outcomes import Outcome, Topic, find_outcome

CARROLL = "Carroll, Ruppert, Stefanski & Crainiceanu (2006), Measurement Error in Nonlinear Models, 2nd ed., ch. 9."
CONDITIONS = "conditions"


def make_errors_in_variables(edition: Edition, outcome: Outcome, *, n_draws: int = DRAWS, seed: int = SEED) -> Fit:
    """Fit the outcome on the true index total."""
    s = sample_of(edition, outcome)
    fit = errors_in_variables(s.value, s.error, s.total, s.total_error, n_draws=n_draws, seed=seed)
    slope = fit.slope[:, 0, 0]
    terms = {
        "total": (f"{outcome.unit} per 100 points", slope),
        "intercept": (outcome.unit, fit.coefficients[:, 0, 0]),
        **spreads_of(fit, outcome.unit),
    }
    return fit_of(
        edition,
        [s],
        terms,
        spec="errors-in-variables",
        subject=outcome,
        method="Bayesian regression on true scores, published errors of score and outcome known",
        citation=CARROLL,
        focus="total",
        found=found_words(outcome, slope, len(s.code)),
        diagnostics={"reliability": reliability_of(fit, s), **numbers_of(fit, s, seed)},
        assumptions=(),
        seed=seed,
    )


def make_with_conditions(edition: Edition, outcome: Outcome, *, n_draws: int = DRAWS, seed: int = SEED) -> Fit:
    """Fit the outcome on the true index total at the same Conditions for Good Work."""
    covariate = COVARIATES[CONDITIONS]
    c = sample_of(edition, outcome).c
    s = sample_of(edition, outcome, (covariate.values(c), covariate.missing))
    adjusted = covariate.values(c)[s.kept] / POINTS
    fit = errors_in_variables(s.value, s.error, s.total, s.total_error, adjusted, n_draws=n_draws, seed=seed)
    slope = fit.slope[:, 0, 0]
    terms = {
        "total": (f"{outcome.unit} per 100 points", slope),
        CONDITIONS: (f"{outcome.unit} per {covariate.per}", fit.coefficients[:, 1, 0]),
        **spreads_of(fit, outcome.unit),
    }
    return fit_of(
        edition,
        [s],
        terms,
        spec="errors-in-variables-conditions",
        subject=outcome,
        method="Bayesian regression on true scores and conditions, published errors of score and outcome known",
        citation=CARROLL,
        focus="total",
        found=found_words(outcome, slope, len(s.code), f", compared {covariate.same}"),
        diagnostics={
            "adjusted_for": covariate.label,
            "reliability": reliability_of(fit, s),
            **numbers_of(fit, s, seed),
        },
        assumptions=(covariate.note, "Conditions for Good Work are taken as measured without error."),
        seed=seed,
    )


def make_domains(edition: Edition, outcome: Outcome, *, n_draws: int = DRAWS, seed: int = SEED) -> Fit:
    """Fit the outcome on all true domain scores together."""
    s = sample_of(edition, outcome)
    domains, cov = s.c.domains[s.kept] / POINTS, s.c.domain_cov[s.kept] / POINTS**2
    fit = errors_in_variables(s.value, s.error, domains, cov, n_draws=n_draws, seed=seed)
    names = s.c.domain_ids
    terms = {
        **{name: (f"{outcome.unit} per 100 points", fit.slope[:, j, 0]) for j, name in enumerate(names)},
        "residual_sd": (outcome.unit, fit.residual_sd[:, 0]),
        **{f"exposure_sd_{name}": ("points", POINTS * fit.exposure_sd[:, j]) for j, name in enumerate(names)},
    }
    shown = of_draws(fit.slope[:, :, 0])
    bounds = (shown["estimate"], shown["lower"], shown["upper"])
    return fit_of(
        edition,
        [s],
        terms,
        spec="errors-in-variables-domains",
        subject=outcome,
        method="Bayesian regression on true domain scores, published errors of scores and outcome known",
        citation=CARROLL,
        focus="",
        found=several(outcome.label, names, *bounds, outcome.unit, "100 true points", f"{len(s.code)} units."),
        diagnostics=numbers_of(fit, s, seed),
        assumptions=("Correlations between true domain scores have a uniform prior (LKJ 1).",),
        seed=seed,
    )


def make_joint(edition: Edition, topic: Topic, *, n_draws: int = DRAWS, seed: int = SEED) -> Fit:
    """Fit the male and the female outcome of a topic together on the true index total."""
    male, female = (find_outcome(name) for name in topic.members)
    other = sample_of(edition, female).c
    first = sample_of(
        edition, male, (np.column_stack([other.value, other.error]), "no published figures of the other sex")
    )
    own = sample_of(
        edition, female, (first.c.value, "no published value of the other sex"), (first.c.error, "no published limits")
    )
    fit = errors_in_variables(
        np.column_stack([first.value, own.value]),
        np.column_stack([first.error, own.error]),
        first.total,
        first.total_error,
        n_draws=n_draws,
        seed=seed,
        key="joint-errors-in-variables",
    )
    slope, sd = fit.slope[:, 0], fit.residual_sd
    unit = f"{male.unit} per 100 points"
    gap = slope[:, 1] - slope[:, 0]
    terms = {
        "male": (unit, slope[:, 0]),
        "female": (unit, slope[:, 1]),
        "mean": (unit, slope.mean(axis=1)),
        "difference": (unit, gap),
        "residual_sd_male": (male.unit, sd[:, 0]),
        "residual_sd_female": (male.unit, sd[:, 1]),
        "residual_correlation": ("correlation", fit.residual_cov[:, 0, 1] / sd.prod(axis=1)),
        "exposure_sd": ("points", POINTS * fit.exposure_sd[:, 0]),
    }
    low, high = np.quantile(gap, [0.025, 0.975])
    places = decimals((high - low) / 4)
    apart = "differ" if low > 0 or high < 0 else "are not clearly different"
    mean = found_words(male, slope.mean(axis=1), len(first.code), ", the mean of both sexes").replace(
        male.label, topic.label, 1
    )
    return fit_of(
        edition,
        [first, own],
        terms,
        spec="joint-errors-in-variables",
        subject=topic,
        method="Bayesian regression of both outcomes on the same true scores, published errors known",
        citation=CARROLL,
        focus="mean",
        found=f"{mean[:-1]}; the slopes of women and men {apart} (female less male {gap.mean():+.{places}f}, "
        f"95% interval {low:+.{places}f} to {high:+.{places}f}).",
        diagnostics={"reliability": reliability_of(fit, first), **numbers_of(fit, first, seed)},
        assumptions=(
            "Both outcomes share the true score of a unit, and what is left of them is correlated, with a uniform "
            "prior on the correlation (LKJ 1). Their published errors are taken as independent of each other.",
        ),
        seed=seed,
    )
