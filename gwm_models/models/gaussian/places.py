"""Bayesian fits on true scores with places: regions partially pooled, and neighbours that are alike."""

from __future__ import annotations

import numpy as np

from gwm_models.data.edition import Edition
from gwm_models.draws import keyed_rng
from gwm_models.models.fit import Fit
from gwm_models.models.gaussian.errors_in_variables import GROUP_PRIOR_SD, errors_in_variables
from gwm_models.models.gaussian.fit import DRAWS, SEED, fit_of, spreads_of
from gwm_models.models.gaussian.noisy_checks import check_regression
from gwm_models.models.gaussian.regions import region_fits
from gwm_models.models.gaussian.spatial import SpatialRegression, spatial_elpd, spatial_regression
from gwm_models.models.gaussian.words import (
    POINTS,
    check_numbers,
    found_words,
    residual_moran,
    sample_of,
    summary_row,
)
from gwm_models.models.outcomes import Outcome

GELMAN = "Gelman & Hill (2007), Data Analysis Using Regression and Multilevel/Hierarchical Models, ch. 12."
RIEBLER = "Riebler, Sorbye, Simpson & Rue (2016), Statistical Methods in Medical Research 25, 1145-1165."
GROUP_PRIORS = (
    f"Spreads between regions have half-normal priors with a scale of {GROUP_PRIOR_SD:g} standard deviation of the "
    "figures."
)


def make_regions(edition: Edition, outcome: Outcome, *, n_draws: int = DRAWS, seed: int = SEED) -> Fit:
    """Fit the outcome on the true index total with partially pooled regions."""
    s = sample_of(edition, outcome)
    region = [s.c.region[i] for i in np.flatnonzero(s.kept)]
    fits = region_fits(s.value, s.error, s.total, s.total_error, region, n_draws=n_draws, seed=seed)
    ways = (("pooled", fits.pooled), ("fixed", fits.fixed), ("without", fits.without))
    checks = {name: check_regression(fit, seed=seed) for name, fit in ways}
    compared = [
        summary_row(
            f"regions {name}", fit.slope[:, 0, 0], elpd=checks[name].elpd, elpd_std_error=checks[name].elpd_error
        )
        for name, fit in ways
    ]
    slope = fits.pooled.slope[:, 0, 0]
    terms = {
        "total": (f"{outcome.unit} per 100 points", slope),
        "region_sd": (outcome.unit, fits.pooled.group_sd[:, 0]),
        "exposure_region_sd": ("points", POINTS * fits.pooled.exposure_group_sd[:, 0]),
        **spreads_of(fits.pooled, outcome.unit),
    }
    effects = fits.pooled.group_effects[:, :, 0]
    residual = checks["pooled"].residual[:, 0]
    return fit_of(
        edition,
        [s],
        terms,
        spec="regions-pooled",
        subject=outcome,
        method="Bayesian regression on true scores with partially pooled regions, published errors known",
        citation=GELMAN,
        focus="total",
        found=found_words(outcome, slope, len(s.code), ", regions partially pooled"),
        diagnostics={
            "adjusted_for": "region (partially pooled)",
            "efficiency": fits.pooled.efficiency,
            "pareto_tail": fits.pooled.tail,
            **check_numbers(checks["pooled"]),
            **residual_moran(residual, s.borders, seed),
        },
        assumptions=(
            GROUP_PRIORS,
            "Regional differences in the outcome are normal and independent of those in the score; where they are not, "
            "the slope with a constant for each region (in the table) is the safer one.",
        ),
        seed=seed,
        tables={
            "compared": compared,
            "regions": [
                summary_row(name, effects[:, r], unit=outcome.unit, prob_above=float((effects[:, r] > 0).mean()))
                for r, name in enumerate(fits.region)
            ],
        },
    )


def make_spatial(edition: Edition, outcome: Outcome, *, n_draws: int = DRAWS, seed: int = SEED) -> Fit:
    """Fit the outcome on the true index total with residuals that are alike between neighbours."""
    s = sample_of(edition, outcome)
    figures = (s.value, s.error, s.total)
    fit = spatial_regression(*figures, s.total_error, s.borders, n_draws=n_draws, seed=seed)
    published = spatial_regression(*figures, 0 * s.total_error, s.borders, n_draws=n_draws, seed=seed)
    apart = errors_in_variables(*figures, s.total_error, n_draws=n_draws, seed=seed)
    elpd, elpd_error = spatial_elpd(*figures, s.total_error, s.borders)
    checks = check_regression(apart, seed=seed)
    terms = {
        "total": (f"{outcome.unit} per 100 points", fit.slope),
        "sigma_b": (outcome.unit, fit.sigma_b),
        "rho": ("share", fit.rho),
        "spatial_share": ("share", fit.spatial_share),
        "exposure_sd": ("points", POINTS * fit.exposure_sd),
    }
    before = residual_moran(checks.residual[:, 0], s.borders, seed)
    islands = ", ".join(np.array(s.name)[fit.islands].tolist())
    notes = ["Neighbours share a land border; the map's connected parts are scaled one by one, rho is uniform."]
    notes += [f"Without neighbours, and so with an effect of their own only: {islands}."] if islands else []
    notes.append("True scores of neighbours are taken as independent: only the outcome's residuals are alike.")
    return fit_of(
        edition,
        [s],
        terms,
        spec="spatial",
        subject=outcome,
        method="Bayesian regression on true scores with BYM2 residuals on shared borders, published errors known",
        citation=RIEBLER,
        focus="total",
        found=found_words(outcome, fit.slope, len(s.code), ", neighbours' residuals allowed to be alike"),
        diagnostics={
            "adjusted_for": "neighbours (BYM2)",
            "efficiency": fit.efficiency,
            "pareto_tail": fit.tail,
            **_spatial_p(fit, len(s.code), seed),
            "prior_p_spread": checks.prior_spread,
            "elpd": elpd,
            "elpd_std_error": elpd_error,
            **residual_moran(fit.residual, s.borders, seed),
            "moran_without_neighbours": before.get("residual_moran", np.nan),
            "moran_without_neighbours_p": before.get("residual_moran_p", np.nan),
        },
        assumptions=notes,
        seed=seed,
        tables={
            "compared": [
                summary_row("spatial", fit.slope, elpd=elpd, elpd_std_error=elpd_error),
                summary_row("spatial, scores taken as exact", published.slope, elpd=None, elpd_std_error=None),
                summary_row("not spatial", apart.slope[:, 0, 0], elpd=checks.elpd, elpd_std_error=checks.elpd_error),
            ]
        },
    )


def _spatial_p(fit: SpatialRegression, n: int, seed: int) -> dict[str, float | str]:
    """Return posterior predictive p values of the spread and the most extreme of standardised residuals."""
    white = keyed_rng(seed, "spatial", "checks").standard_normal((len(fit.discrepancy), n))
    simulated = np.column_stack([white.std(axis=1), np.abs(white).max(axis=1)])
    spread, extreme = (simulated >= fit.discrepancy).mean(axis=0)
    return {"posterior_p_spread": float(spread), "posterior_p_extreme": float(extreme)}
