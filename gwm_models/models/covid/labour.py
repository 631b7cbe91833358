"""Labour markets in spring 2020 against good work: the fit of the labour-market index on the Monitor total."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.models.association.moran import residual_moran
from gwm_models.models.covid.jobs import ASSUMPTIONS, JOBS_PERIOD, Jobs, correlation, jobs_source, labour_market
from gwm_models.models.fit import Fit, wald
from gwm_models.models.linear.core import LeastSquares, corrected_for_noise, least_squares
from gwm_models.models.outcomes import Subject

Floats = NDArray[np.float64]

TITLE = "labour-market index of spring 2020 on the total"
TERMS = ("intercept", "total")
UNITS = ("index points", "index points per 100 points")
POINTS, PERCENT = "index points per 100 points", "percentage points per 100 points"
SEED = 20260101


def make_labour_market(edition: Edition, subject: Subject, *, n_draws: int = 0, seed: int = SEED) -> Fit:
    """Fit the labour-market index on the Monitor total by least squares, HC3 standard errors.

    `n_draws` is not used by a classical fit; `seed` is that of the permutations of Moran's I.

    Raises
    ------
    ModelError, DataError
        If too few units have both figures, or one is the same in all.
    """
    jobs = labour_market(edition)
    places = np.flatnonzero(jobs.kept)
    fit = _line(jobs.index, jobs.total)
    bounds = wald(fit.params, fit.cov, fit.freedom)
    r = correlation(jobs.index, jobs.total)
    slope, lower, upper = fit.params[1], bounds["lower"][1], bounds["upper"][1]
    more = "higher (jobs less affected)" if slope > 0 else "lower (jobs more affected)"
    return Fit(
        outcome=subject.id,
        label=subject.label,
        spec="labour-market",
        title=TITLE,
        method="ordinary least squares, HC3 standard errors",
        citation="MacKinnon & White (1985), Journal of Econometrics 29, 305-325",
        period=JOBS_PERIOD,
        source=jobs_source(),
        term=TERMS,
        unit=UNITS,
        estimate=fit.params,
        cov=fit.cov,
        lower=bounds["lower"],
        upper=bounds["upper"],
        p_value=bounds["p_value"],
        sample=tuple(jobs.section.code[i] for i in places),
        n=len(places),
        excluded=jobs.excluded,
        focus="total",
        found=(
            f"Over {len(places)} areas, 100 more points of the index total go with a labour-market index that is "
            f"{abs(slope):.0f} of 198 points {more} (95% interval {lower:.0f} to {upper:.0f}; correlation "
            f"{r['r']:.2f}, {r['r_lower']:.2f} to {r['r_upper']:.2f})."
        ),
        not_shown=(
            "It does not show why: areas differ in their industries, in how many people could work from home and in "
            "who may claim, and Universal Credit and furlough count claims rather than hardship."
        ),
        influence=fit.influence[:, 1],
        diagnostics={**r, **_checks(jobs, fit, seed), **_without_noise(jobs)},
        assumptions=(
            *ASSUMPTIONS,
            "Areas that share one set of figures are left out, as the report left out Bournemouth and Poole; the table "
            "of comparisons has them merged into one unit.",
            "The main slope takes the total as it stands; the slope without its sampling error is in the diagnostics.",
        ),
        tables={"compared": _variants(edition, jobs), "areas": jobs.rows()},
    )


def _line(outcome: Floats, total: Floats) -> LeastSquares:
    return least_squares(outcome, _design(total), names=TERMS)


def _design(total: Floats) -> Floats:
    return np.column_stack([np.ones(len(total)), total / 100])


def _checks(jobs: Jobs, fit: LeastSquares, seed: int) -> dict[str, float | str]:
    """Return fit, influence of single units and likeness of neighbours."""
    alone = fit.params[1] - fit.influence[:, 1]
    strongest = np.flatnonzero(jobs.kept)[int(np.argmax(np.abs(fit.influence[:, 1])))]
    checks: dict[str, float | str] = {
        "degrees_of_freedom": fit.freedom,
        "r_squared": fit.r_squared,
        "leave_one_out_lower": float(alone.min()),
        "leave_one_out_upper": float(alone.max()),
        "most_influential": jobs.section.name[strongest],
    }
    borders = jobs.section.borders_of(jobs.kept)
    if len(borders):
        near = residual_moran(fit.residuals, _design(jobs.total), borders, seed=seed)
        checks |= {"residual_moran": near.statistic, "residual_moran_p": near.p_value}
    return checks


def _without_noise(jobs: Jobs) -> dict[str, float]:
    """Return the slope with the sampling error of the total taken out."""
    noise = (jobs.section.total_error[jobs.kept] / 100) ** 2
    fit = corrected_for_noise(jobs.index, jobs.total / 100, noise, names=("total",))
    bounds = wald(fit.params, fit.cov, fit.freedom)
    return {
        "slope_without_noise": float(fit.params[-1]),
        "slope_without_noise_lower": float(bounds["lower"][-1]),
        "slope_without_noise_upper": float(bounds["upper"][-1]),
        "reliability": float(fit.reliability[0]),
    }


def _variants(edition: Edition, jobs: Jobs) -> list[dict[str, Any]]:
    """Return the association under other choices of sample and of index."""
    merged = labour_market(edition, shared=True)
    whole = [_variant("labour-market index, shared units merged in", POINTS, merged.index, merged.total)]
    figures = jobs.section.value[jobs.kept], jobs.takeup.value[jobs.kept]
    standard = sum(-(x - x.mean()) / x.std() for x in figures)
    return [
        _variant("labour-market index", POINTS, jobs.index, jobs.total),
        *(whole if jobs.section.shared.any() else []),
        _variant("index of standard deviations", "standard deviations per 100 points", standard, jobs.total),
        _variant("rise in Universal Credit", PERCENT, figures[0], jobs.total),
        _variant("furlough take-up", PERCENT, figures[1], jobs.total),
    ]


def _variant(what: str, unit: str, outcome: Floats, total: Floats) -> dict[str, Any]:
    fit = _line(outcome, total)
    bounds = wald(fit.params, fit.cov, fit.freedom)
    return {
        "measure": what,
        "estimate": float(fit.params[1]),
        "std_error": float(fit.std_error[1]),
        "lower": float(bounds["lower"][1]),
        "upper": float(bounds["upper"][1]),
        "p_value": float(bounds["p_value"][1]),
        "unit": unit,
        "n": len(outcome),
        **correlation(outcome, total),
    }
