"""Deaths counted by area: rate ratios by negative binomial or Poisson regression with a population offset.

Deaths of an area vary more than a Poisson law allows, because areas differ in more than the covariates. The negative
binomial law has a variance of ``mu + alpha mu^2``; where the figures show no more than Poisson variance, its
likelihood is highest at or next to ``alpha = 0`` and the Poisson law is fitted instead. Standard errors are robust to
either law being wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.errors import ModelError
from gwm_models.models.association.spatial_errors import Regression, spatial_numbers, with_neighbours
from gwm_models.models.counts.sample import (
    ASSUMPTIONS,
    NOT_SHOWN,
    OVERLAP,
    Columns,
    CountSample,
    count_sample,
    deprivation_columns,
    domain_columns,
    region_columns,
    total_column,
)
from gwm_models.models.cross_section import CrossSection, cross_section
from gwm_models.models.fit import LEVEL, Fit, Spec, wald
from gwm_models.models.linear.words import percent_span, percent_words
from gwm_models.models.outcomes import Outcome, Subject, source_of

Floats = NDArray[np.float64]

LEAST_UNITS = 10
DECREMENT_LIMIT = 1e-16
"""The search has ended where the next Newton step is under this, squared and in standard errors."""
COARSE_LIMIT = 1e-6
"""The same where no step makes the fit better: next to the Poisson law the likelihood is flat to rounding."""
ROUNDING = 1e-12
NEGLIGIBLE = 0.02
"""Variance above that of the Poisson law, as a share of it, below which the Poisson law is fitted."""
MOST_STEPS = 100
LARGEST_LOG_RATE = 1e3
LEAST_FREE = 1e-6
"""Least share of an area's residual that the regression leaves free."""
CITATION = (
    "Cameron & Trivedi (2013), Regression Analysis of Count Data, 2nd ed., chapter 3; "
    "MacKinnon & White (1985), Journal of Econometrics 29, 305-325 (HC3)"
)


@dataclass(frozen=True, eq=False)
class CountFit(Frozen):
    """A fitted count regression with a log link.

    Attributes
    ----------
    params : ndarray, shape (k,)
        Coefficients of the log rate.
    cov : ndarray, shape (k, k)
        Robust covariance, corrected for leverage (HC3).
    dispersion, dispersion_error : float
        ``alpha`` of the negative binomial law and its robust standard error; 0 and NaN for the Poisson law.
    expected : ndarray, shape (n,)
        Fitted counts.
    residuals : ndarray, shape (n,)
        Pearson residuals.
    influence : ndarray, shape (n, k)
        Each unit's share of each coefficient's error: the sum of squares is the robust variance.
    log_likelihood : float
    law : {"negative binomial", "Poisson"}
    df : int
        Units less coefficients of the log rate.
    """

    params: Floats
    cov: Floats
    dispersion: float
    dispersion_error: float
    expected: Floats
    residuals: Floats
    influence: Floats
    log_likelihood: float
    law: str
    df: int


def negative_binomial(count: Floats, design: Floats, exposure: Floats) -> CountFit:
    """Fit a negative binomial regression (NB2) with a log link and an offset.

    Parameters
    ----------
    count : ndarray, shape (n,)
        Whole numbers, 0 or more.
    design : ndarray, shape (n, k)
        With its constant. Columns should be on a scale of about one.
    exposure : ndarray, shape (n,)
        Person-years, or expected deaths; above 0.

    Returns
    -------
    CountFit
        Of the Poisson law if the counts show less than 2% more than its variance.

    Raises
    ------
    ModelError
        If a count cannot be used, there are too few units, the columns overlap, or the search does not end.

    References
    ----------
    Cameron & Trivedi (2013), Regression Analysis of Count Data, 2nd ed., section 3.3.
    """
    from statsmodels.discrete.discrete_model import NegativeBinomial

    plain = poisson(count, design, exposure)
    extra = _extra_variance(count, plain.expected).sum()
    if extra <= NEGLIGIBLE * plain.expected.sum():
        return plain
    start = np.append(plain.params, extra / (plain.expected**2).sum())
    model = NegativeBinomial(count, design, exposure=exposure)
    return _fitted(model, start, count, design, "negative binomial")


def poisson(count: Floats, design: Floats, exposure: Floats) -> CountFit:
    """Fit a Poisson regression with a log link and an offset; robust standard errors. See `negative_binomial`."""
    from statsmodels.discrete.discrete_model import Poisson

    check_counts(count, design, exposure)
    start = np.asarray(np.linalg.lstsq(design, np.log((count + 0.5) / exposure), rcond=None)[0], dtype=float)
    return _fitted(Poisson(count, design, exposure=exposure), start, count, design, "Poisson")


def overdispersion(count: Floats, expected: Floats) -> tuple[float, float]:
    """Test Poisson variance against the larger variance of the negative binomial law.

    Parameters
    ----------
    count, expected : ndarray, shape (n,)
        Counts, and what a Poisson regression expects.

    Returns
    -------
    z, p_value : float
        One-sided: large where the counts vary more than a Poisson law allows.

    References
    ----------
    Dean & Lawless (1989), Journal of the American Statistical Association 84, 467-472.
    """
    from scipy.special import ndtr

    z = float(_extra_variance(count, expected).sum() / np.sqrt(2 * (expected**2).sum()))
    return z, float(ndtr(-z))


def rate_ratios(estimate: Floats, cov: Floats, df: float, level: float = LEVEL) -> Floats:
    """Return ratio, standard error (delta method), lower and upper bound of each log rate, shape (4, k)."""
    bounds = wald(estimate, cov, df, level)
    ratio = np.exp(estimate)
    return np.array([ratio, ratio * np.sqrt(np.diag(cov)), np.exp(bounds["lower"]), np.exp(bounds["upper"])])


def check_counts(count: Floats, design: Floats, exposure: Floats) -> None:
    """Refuse a count regression that cannot be made.

    Raises
    ------
    ModelError
        With what is missing.
    """
    if not (np.isfinite(count).all() and (count >= 0).all() and (count == np.round(count)).all()):
        raise ModelError("A count regression needs whole numbers of 0 or more in every area. Leave the others out.")
    if not (np.isfinite(exposure).all() and (exposure > 0).all()):
        raise ModelError("A count regression needs a population above 0 in every area. Leave the others out.")
    if len(count) < max(LEAST_UNITS, design.shape[1] + 2):
        raise ModelError(f"A count regression of {design.shape[1]} terms has only {len(count)} areas with figures.")
    if not count.any():
        raise ModelError("A count regression needs deaths; every count is 0.")
    if not np.isfinite(design).all() or np.linalg.matrix_rank(design) < design.shape[1]:
        raise ModelError("A column of the regression is constant or follows from the others. Leave it out.")


def _extra_variance(count: Floats, expected: Floats) -> Floats:
    """Return squared residuals less counts: above 0 on average where variance is above that of the Poisson law."""
    return np.asarray((count - expected) ** 2 - count)


def _fitted(model: Any, start: Floats, count: Floats, design: Floats, law: str) -> CountFit:
    """Search with BFGS, finish with Newton steps, and take the leverage-corrected sandwich of all parameters."""
    (n, k), size = design.shape, len(start)
    rough = model.fit(start_params=start, method="bfgs", maxiter=500, disp=0, warn_convergence=False).params
    params = _newton(model, rough, k)
    if params is None:
        raise ModelError(f"The {law} regression has no clear best fit: too few areas, or a term that separates them.")
    bread = np.linalg.inv(-model.hessian(params))
    expected = np.asarray(model.predict(params))
    dispersion = float(params[k]) if size > k else 0.0
    weight = expected / (1 + dispersion * expected)
    free = 1 - _leverage(design, weight)
    if free.min() < LEAST_FREE:
        raise ModelError(
            "A term of the regression picks out a single area, so its error cannot be known. Leave it out."
        )
    influence = model.score_obs(params) @ bread / free[:, None]
    cov = influence.T @ influence
    return CountFit(
        params=params[:k],
        cov=cov[:k, :k],
        dispersion=dispersion,
        dispersion_error=float(np.sqrt(cov[k, k])) if size > k else float("nan"),
        expected=expected,
        residuals=(count - expected) * np.sqrt(weight) / expected,
        influence=influence[:, :k],
        log_likelihood=float(model.loglike(params)),
        law=law,
        df=n - k,
    )


def _newton(model: Any, params: Floats, k: int) -> Floats | None:
    """Climb from near the top of a likelihood until the next step is a rounding error; None if it never is.

    A step that makes the dispersion (after the first k parameters) negative or the fit worse is halved.
    """
    best = float(model.loglike(params))
    for _ in range(MOST_STEPS):
        score = model.score(params)
        step = np.linalg.lstsq(-model.hessian(params), score, rcond=None)[0]
        if not np.isfinite(step).all() or np.abs(params).max() > LARGEST_LOG_RATE:
            return None
        if abs(score @ step) < DECREMENT_LIMIT:
            return params
        for share in 0.5 ** np.arange(40):
            there = params + share * step
            if (there[k:] > 0).all() and model.loglike(there) >= best - ROUNDING * abs(best):
                break
        else:
            return params if abs(score @ step) < COARSE_LIMIT else None
        params, best = there, float(model.loglike(there))
    return None


def _leverage(design: Floats, weight: Floats) -> Floats:
    """Return the leverage of each unit in the last step of iterated weighted least squares."""
    basis = np.linalg.qr(design * np.sqrt(weight)[:, None])[0]
    return np.asarray((basis**2).sum(axis=1))


def _make(
    edition: Edition,
    subject: Outcome,
    *,
    spec: str,
    title: str,
    columns: Callable[[CrossSection], Columns],
    law: Callable[[Floats, Floats, Floats], CountFit] = negative_binomial,
    n_draws: int = 0,
    seed: int = 20260101,
) -> Fit:
    """Fit one specification; `n_draws` is not used by a classical fit."""
    c = cross_section(edition, subject)
    sample = count_sample(c, columns(c))
    fit = law(sample.count, sample.design, sample.person_years)
    bounds, ratios = wald(fit.params, fit.cov, fit.df), rate_ratios(fit.params, fit.cov, fit.df)
    focus = "total" if "total" in sample.term else ""
    place = sample.term.index(focus) if focus else 0
    units = np.flatnonzero(sample.kept)
    diagnostics, span = _diagnostics(c, sample, fit, place, seed), ""
    if focus:
        root = np.sqrt(fit.expected / (1 + fit.dispersion * fit.expected))
        weighted = Regression(sample.design * root[:, None], fit.residuals, place)
        error = float(np.sqrt(fit.cov[place, place]))
        near = spatial_numbers(float(fit.params[place]), error, weighted, c.borders_of(sample.kept), float(fit.df))
        span = percent_span(float(near["spatial_lower"]), float(near["spatial_upper"])) if near else ""
        diagnostics |= near
    not_shown = NOT_SHOWN.format(what=subject.label[0].lower() + subject.label[1:])
    return Fit(
        outcome=subject.id,
        label=subject.label,
        spec=spec,
        title=title,
        method=f"{fit.law} regression with person-years as offset, robust (HC3) standard errors",
        citation=CITATION,
        period=subject.period,
        source=source_of(subject),
        term=sample.term,
        unit=sample.unit,
        estimate=fit.params,
        cov=fit.cov,
        lower=bounds["lower"],
        upper=bounds["upper"],
        p_value=bounds["p_value"],
        sample=tuple(c.code[i] for i in units),
        n=len(units),
        excluded=sample.excluded,
        focus=focus,
        found=_found(subject, sample, ratios, focus),
        not_shown=with_neighbours(not_shown, float(diagnostics["moran_i"]), float(diagnostics["moran_p"]), span),
        influence=fit.influence[:, place],
        diagnostics=diagnostics,
        assumptions=(*ASSUMPTIONS, *([OVERLAP] if "deprivation" in sample.term else [])),
        tables={"rate_ratios": ratio_rows(sample.term, ratios, len(units))},
    )


def ratio_rows(term: tuple[str, ...], ratios: Floats, n: int) -> list[dict[str, Any]]:
    """Return a row for each rate ratio; the constant is not one."""
    return [
        {
            "term": name,
            "estimate": float(ratios[0, j]),
            "std_error": float(ratios[1, j]),
            "lower": float(ratios[2, j]),
            "upper": float(ratios[3, j]),
            "level": LEVEL,
            "unit": "rate ratio",
            "n": n,
        }
        for j, name in enumerate(term)
        if name != "intercept"
    ]


def ratio_words(ratio: float, lower: float, upper: float) -> str:
    """Say a rate ratio in words.

    Examples
    --------
    >>> ratio_words(0.76, 0.71, 0.82)
    '24% lower (95% interval 18% to 29%)'
    """
    return percent_words(*(100 * (value - 1) for value in (ratio, lower, upper)))


def _found(subject: Outcome, sample: CountSample, ratios: Floats, focus: str) -> str:
    terms = [focus] if focus else [name for name in sample.term if name != "intercept"]
    others = [name for name in sample.term if name not in (*terms, "intercept")]
    held = " at the same deprivation" if "deprivation" in others else " within regions" if others else ""
    said = [
        f"{ratio_words(*ratios[[0, 2, 3], sample.term.index(name)])} for each 100 points more of {_named(name)}"
        for name in terms
    ]
    return (
        f"{subject.label}, {subject.period}: rates{held} are {'; '.join(said)}, "
        f"over {len(sample.count)} units and {sample.count.sum():,.0f} deaths."
    )


def _named(term: str) -> str:
    return "the total" if term == "total" else f"the {term} domain"


def _diagnostics(c: CrossSection, sample: CountSample, fit: CountFit, place: int, seed: int) -> dict[str, float | str]:
    from gwm_models.models.association.moran import residual_moran

    plain = fit if fit.law == "Poisson" else poisson(sample.count, sample.design, sample.person_years)
    z, p_value = overdispersion(sample.count, plain.expected)
    variance = fit.expected + fit.dispersion * fit.expected**2
    weighted = sample.design * (fit.expected / np.sqrt(variance))[:, None]
    spatial = residual_moran(fit.residuals, weighted, c.borders_of(sample.kept), seed=seed)
    strongest = int(np.argmax(np.abs(fit.influence[:, place])))
    return {
        "degrees_of_freedom": float(fit.df),
        "dispersion": fit.dispersion,
        **({} if fit.law == "Poisson" else {"dispersion_std_error": fit.dispersion_error}),
        "overdispersion_z": z,
        "overdispersion_p": p_value,
        "pearson_chi2_per_df": float((fit.residuals**2).sum() / fit.df),
        "log_likelihood": fit.log_likelihood,
        "moran_i": spatial.statistic,
        "moran_p": spatial.p_value,
        "most_influential": c.name[int(np.flatnonzero(sample.kept)[strongest])],
    }


def _applies(subject: Subject) -> bool:
    return isinstance(subject, Outcome) and subject.kind == "count" and subject.group == "despair"


def _spec(name: str, title: str, columns: Callable[[CrossSection], Columns], **options: Any) -> Spec:
    make = partial(_make, spec=name, title=title, columns=columns, **options)
    return Spec(name, title, _applies, make, "models.counts.specs")


SPECS: tuple[Spec, ...] = (
    _spec("total", "rate on the total, negative binomial", total_column),
    _spec("domains", "rate on all domains together, negative binomial", domain_columns),
    _spec("deprivation", "rate on the total and deprivation, negative binomial", deprivation_columns),
    _spec("region", "rate on the total within regions, negative binomial", region_columns),
    _spec("poisson", "rate on the total, Poisson with robust standard errors", total_column, law=poisson),
)
