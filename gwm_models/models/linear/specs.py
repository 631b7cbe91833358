"""Every reasonable linear model of an outcome on the index, side by side: the slope is judged over all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.errors import ModelError
from gwm_models.models.association.spatial_errors import Regression, spatial_numbers, with_neighbours
from gwm_models.models.cross_section import cross_section
from gwm_models.models.fit import LEVEL, Fit, Spec, wald
from gwm_models.models.linear.checks import equal_slopes, influence_rows, left_out, residual_check
from gwm_models.models.linear.choices import COVARIATES, REGION, TOTAL, Choice, Frame, frame_of
from gwm_models.models.linear.core import (
    Corrected,
    LeastSquares,
    Linear,
    check_design,
    corrected_for_noise,
    huber,
    least_squares,
)
from gwm_models.models.linear.joint import fit_joint
from gwm_models.models.linear.meta import meta_weights
from gwm_models.models.linear.report import assumptions_of, found_words, method_words, units_of, weight_words
from gwm_models.models.linear.words import NOT_SHOWN, percent_span, span_words
from gwm_models.models.outcomes import Outcome, Subject, Topic, source_of

Floats = NDArray[np.float64]

NO_NOISE, EQUAL = "survey noise in the scores removed", "all units counting the same"
PRECISE = "units weighted by published precision alone"
CHOICES = (
    Choice(TOTAL, "Main: on the index total"),
    Choice("corrected", "Survey noise in the total removed", estimator="corrected", how=NO_NOISE),
    Choice("unweighted", "All units weighted equally", weights="equal", how=EQUAL),
    Choice(
        "no-shared",
        "Without merged areas",
        weights="equal",
        merged=False,
        how=f"{EQUAL}, merged areas left out",
    ),
    Choice("precision", "Weighted by published precision alone", weights="precision", limits=True, how=PRECISE),
    Choice(
        "corrected-precision",
        "Published precision alone, noise removed",
        weights="precision",
        estimator="corrected",
        limits=True,
        how=f"{PRECISE}, {NO_NOISE}",
    ),
    Choice("population", "Weighted by population", weights="population", how="units counting by their residents"),
    Choice("huber", "Robust to outlying areas", weights="equal", estimator="huber", how="outlying units counting less"),
    Choice("conditions", "With Conditions for Good Work", adjusted=("conditions",)),
    Choice(
        "corrected-conditions",
        "With Conditions, noise removed",
        adjusted=("conditions",),
        estimator="corrected",
        how=NO_NOISE,
    ),
    Choice("region", "Within regions", adjusted=(REGION,)),
    Choice("region-conditions", "Within regions, with Conditions", adjusted=("conditions", REGION)),
    Choice("degrees", "With the share of degrees", adjusted=("degrees",)),
    Choice("deprivation", "With deprivation (over-adjusted)", adjusted=("deprivation",)),
    Choice("domains", "On the domains together", exposure="domains"),
    Choice(
        "domains-corrected", "On the domains, noise removed", exposure="domains", estimator="corrected", how=NO_NOISE
    ),
    Choice("indicators", "On the indicators together", exposure="indicators"),
    Choice("log", "On the logarithm of the rate", logarithm=True),
)
JOINT = "healthy_life_expectancy"
"""Topic whose members, one for each sex, are fitted together."""
CITATION = {
    "least squares": "MacKinnon & White (1985), Journal of Econometrics 29, 305-325.",
    "huber": "Huber & Ronchetti (2009), Robust Statistics, 2nd ed.",
    "corrected": "Fuller (1987), Measurement Error Models, section 3.1.",
}


def fit_choice(edition: Edition, outcome: Outcome, choice: Choice) -> Fit:
    """Fit an outcome in one way.

    Parameters
    ----------
    edition : Edition
    outcome : Outcome
        Of kind "level".
    choice : Choice

    Returns
    -------
    Fit
        With the influence of single areas, and Moran's I of the residuals over shared borders.

    Raises
    ------
    ModelError
        If it cannot be fitted, with what is missing.
    """
    c = cross_section(edition, outcome)
    frame = frame_of(c, choice)
    names = ("constant", *frame.control_names, *frame.exposure_names)
    try:
        found, design, weights = _estimate(frame, choice, names)
    except ModelError as error:
        raise ModelError(f"{outcome.label}, '{choice.id}': {error}") from error
    shown = [*frame.exposure_names, *(name for name in frame.control_names if name in choice.adjusted)]
    place = [names.index(name) for name in shown]
    estimate, cov = found.params[place], found.cov[np.ix_(place, place)]
    bounds = wald(estimate, cov, found.freedom)
    influence = found.influence[:, place]
    p = len(frame.exposure_names)
    diagnostics: dict[str, float | str] = {
        "degrees_of_freedom": found.freedom,
        "weights": weight_words(c, choice),
        "adjusted_for": "; ".join(REGION if name == REGION else COVARIATES[name].label for name in choice.adjusted),
        "outcome_sd": float(frame.outcome.std(ddof=1)),
        "effective_units": float(weights.sum() ** 2 / (weights**2).sum()),
        **_own(found, frame),
        **residual_check(found, weights, design, frame.borders),
    }
    if p == 1:
        diagnostics |= left_out(frame.name, estimate[0], influence[:, 0])
        root = np.sqrt(weights)
        near = Regression(design * root[:, None], found.residuals * root, place[0])
        diagnostics |= spatial_numbers(estimate[0], float(np.sqrt(cov[0, 0])), near, frame.borders, found.freedom)
        if isinstance(found, LeastSquares):
            diagnostics |= _classical(frame.outcome, design, weights, names)
    if choice.exposure == "domains":
        diagnostics["equal_slopes_p"] = equal_slopes(estimate[:p], cov[:p, :p], found.freedom)
    tables: dict[str, Sequence[dict[str, Any]]] = {
        "influence": influence_rows(frame.code, frame.name, frame.exposure_names, estimate[:p], influence[:, :p])
    }
    if choice.exposure == "indicators":
        tables["steps"] = _steps(edition, frame, estimate)
    if choice.logarithm:
        tables["rate_ratios"] = [_ratio(estimate[0], bounds["lower"][0], bounds["upper"][0])]
    return Fit(
        outcome=outcome.id,
        label=outcome.label,
        spec=choice.id,
        title=choice.title,
        method=method_words(c, choice),
        citation=CITATION[choice.estimator],
        period=outcome.period,
        source=source_of(outcome),
        term=tuple(shown),
        unit=units_of(outcome, choice, p),
        estimate=estimate,
        cov=cov,
        lower=bounds["lower"],
        upper=bounds["upper"],
        p_value=bounds["p_value"],
        sample=frame.code,
        n=len(frame.code),
        excluded=frame.excluded,
        focus=TOTAL if p == 1 else "",
        found=found_words(outcome, frame, choice, estimate, bounds),
        not_shown=_not_shown(outcome, choice, diagnostics),
        influence=influence[:, 0] if p == 1 else None,
        diagnostics=diagnostics,
        assumptions=assumptions_of(edition, c, frame, choice),
        tables=tables,
    )


def _estimate(frame: Frame, choice: Choice, names: tuple[str, ...]) -> tuple[Linear, Floats, Floats]:
    """Fit the arrays, and return the fit, its design with columns in the order of the names, and its weights."""
    design = np.column_stack([np.ones(len(frame.outcome)), frame.controls, frame.exposures])
    weights = np.ones(len(design)) if frame.weights is None else frame.weights
    if choice.weights == "meta" and frame.weights is not None:
        check_design(frame.outcome, design, weights, names)
        weights = meta_weights(frame.outcome, design, weights)
    if choice.estimator == "huber":
        return huber(frame.outcome, design, names=names), design, weights
    if choice.estimator == "least squares":
        return least_squares(frame.outcome, design, weights, names=names), design, weights
    corrected = corrected_for_noise(
        frame.outcome,
        frame.exposures,
        frame.noise,
        covariates=frame.controls,
        weights=weights,
        names=frame.exposure_names,
        covariate_names=frame.control_names,
    )
    return corrected, design, weights


def _own(found: Linear, frame: Frame) -> dict[str, float | str]:
    """Return what only some estimators tell: R squared, or the share of each exposure that is not noise."""
    if isinstance(found, LeastSquares):
        return {"r_squared": found.r_squared}
    if isinstance(found, Corrected):
        several = len(frame.exposure_names) > 1
        return {
            f"reliability_{name}" if several else "reliability": float(share)
            for name, share in zip(frame.exposure_names, found.reliability, strict=True)
        }
    return {}


def _classical(outcome: Floats, design: Floats, weights: Floats, names: Sequence[str]) -> dict[str, float | str]:
    """Return the standard error and t of the last column for one variance over the weights."""
    plain = least_squares(outcome, design, weights, "classical", names=names)
    error = float(plain.std_error[-1])
    return {"classical_std_error": error, "classical_t": float(plain.params[-1]) / error}


def _not_shown(outcome: Outcome, choice: Choice, diagnostics: Mapping[str, float | str]) -> str:
    """Say what is not shown, and the spatial interval where neighbours have like residuals."""
    names = ("residual_moran", "residual_moran_p", "spatial_lower", "spatial_upper")
    moran, p_value, lower, upper = (float(diagnostics.get(name, np.nan)) for name in names)
    if not np.isfinite(lower):
        return with_neighbours(NOT_SHOWN, moran, p_value)
    span = percent_span(lower, upper) if choice.logarithm else span_words(lower, upper, outcome.unit)
    return with_neighbours(NOT_SHOWN, moran, p_value, span)


def _ratio(estimate: float, lower: float, upper: float) -> dict[str, Any]:
    """Return the ratio of rates 100 points apart."""
    low, middle, high = np.exp([lower, estimate, upper]).tolist()
    return {"term": TOTAL, "estimate": middle, "lower": low, "upper": high, "level": LEVEL, "unit": "rate ratio"}


def _steps(edition: Edition, frame: Frame, estimate: Floats) -> list[dict[str, Any]]:
    """Return what a standard deviation of each indicator is in its unit, and the slope for one such unit."""
    known = {indicator.id: indicator for indicator in edition.spec.indicators}
    return [
        {
            "term": name,
            "label": known[name].label,
            "standard_deviation": float(scale),
            "unit": known[name].unit,
            "estimate_per_unit": float(slope / scale),
        }
        for name, scale, slope in zip(frame.exposure_names, frame.scale, estimate, strict=False)
    ]


def specification_table(edition: Edition, outcome: Outcome, extra: Sequence[Fit] = ()) -> list[dict[str, Any]]:
    """Return the slope on the index total under every choice.

    Parameters
    ----------
    edition : Edition
    outcome : Outcome
        Of kind "level".
    extra : sequence of Fit
        More fits, such as Bayesian or spatial ones; those of another outcome, or whose focus is not a slope for 100
        points of the total in the outcome's unit, are left out. One that is a choice of the table is not made again.

    Returns
    -------
    list of dict
        The row of the slope, with ``label, title, source``, the checks named in `CHECKS` and ``note``. A choice that
        cannot be fitted has its numbers empty and the reason as its note.
    """
    wanted = f"{outcome.unit} per 100 points"
    more = {
        fit.spec: fit for fit in extra if fit.outcome == outcome.id and fit.focus and fit.unit[fit.place()] == wanted
    }
    rows = []
    for choice in CHOICES:
        if choice.exposure == TOTAL and not choice.logarithm:
            try:
                found = more.pop(choice.id) if choice.id in more else fit_choice(edition, outcome, choice)
                rows.append(table_row(found))
            except ModelError as error:
                rows.append(_missing_row(outcome, choice, str(error)))
    return rows + [table_row(fit) for fit in more.values()]


CHECKS = (
    "adjusted_for",
    "weights",
    "effective_units",
    "r_squared",
    "leave_one_out_lower",
    "leave_one_out_upper",
    "most_influential",
    "residual_moran",
    "residual_moran_p",
    "spatial_lower",
    "spatial_upper",
)


def table_row(fit: Fit) -> dict[str, Any]:
    """Return the row of a specification table for one fit; a check it does not have is empty."""
    about = {"label": fit.label, "title": fit.title, "source": fit.source}
    return fit.focus_row() | about | {name: fit.diagnostics.get(name) for name in CHECKS} | {"note": ""}


def _missing_row(outcome: Outcome, choice: Choice, reason: str) -> dict[str, Any]:
    return {
        "outcome": outcome.id,
        "spec": choice.id,
        "term": TOTAL,
        **dict.fromkeys(("estimate", "std_error", "lower", "upper", "p_value")),
        "unit": f"{outcome.unit} per 100 points",
        "level": LEVEL,
        **dict.fromkeys(("n", "n_units")),
        "period": outcome.period,
        "method": "",
        "label": outcome.label,
        "title": choice.title,
        "source": source_of(outcome),
        **dict.fromkeys(CHECKS),
        "note": reason,
    }


def _is_level(subject: Subject) -> bool:
    return isinstance(subject, Outcome) and subject.kind == "level"


def _is_rate(subject: Subject) -> bool:
    return isinstance(subject, Outcome) and subject.kind == "level" and subject.is_rate


def _is_joint(subject: Subject) -> bool:
    return isinstance(subject, Topic) and subject.id == JOINT


def _maker(choice: Choice) -> Callable[..., Fit]:
    def make(edition: Edition, outcome: Outcome, **_draws: int) -> Fit:
        return fit_choice(edition, outcome, choice)

    return make


def _make_joint(edition: Edition, topic: Topic, **_draws: int) -> Fit:
    return fit_joint(edition, topic)


SPECS: tuple[Spec, ...] = (
    *(
        Spec(
            choice.id,
            choice.title,
            _is_rate if choice.logarithm else _is_level,
            _maker(choice),
            "models.linear.specs",
        )
        for choice in CHOICES
    ),
    Spec("joint", "Male and female together", _is_joint, _make_joint, "models.linear.joint", family="topic"),
)
