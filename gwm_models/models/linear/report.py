"""The words of a linear fit: how it was made, what it found, and what its numbers stand on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.index.sampling import sampling_error
from gwm_models.models.cross_section import CrossSection
from gwm_models.models.linear.choices import COVARIATES, REGION, Choice, Frame, has_precision
from gwm_models.models.linear.words import dated, difference, percent_difference, several
from gwm_models.models.outcomes import Outcome

Floats = NDArray[np.float64]


def weight_words(c: CrossSection, choice: Choice) -> str:
    """Say what the units are weighted by."""
    if choice.weights == "population":
        return "population"
    if choice.weights == "equal" or not has_precision(c):
        return "equal"
    return "published precision and spread between units" if choice.weights == "meta" else "published precision"


def method_words(c: CrossSection, choice: Choice) -> str:
    """Name the estimator, the weights and the standard errors."""
    weights = weight_words(c, choice)
    if choice.estimator == "huber":
        return "Huber regression, equal weights, asymptotic standard errors"
    by = "equal weights" if weights == "equal" else f"weighted by {weights}"
    if choice.estimator == "corrected":
        return f"least squares less the products of known noise, {by}, jackknife standard errors"
    return f"least squares, {by}, robust (HC3) standard errors"


def units_of(outcome: Outcome, choice: Choice, n_exposures: int) -> tuple[str, ...]:
    """Return the unit of each coefficient: of the exposures, then of the covariates."""
    unit = "log rate" if choice.logarithm else outcome.unit
    step = "standard deviation" if choice.exposure == "indicators" else "100 points"
    covariates = (COVARIATES[name].per for name in choice.adjusted if name != REGION)
    return (*(f"{unit} per {step}",) * n_exposures, *(f"{unit} per {per}" for per in covariates))


def found_words(outcome: Outcome, frame: Frame, choice: Choice, estimate: Floats, bounds: dict[str, Floats]) -> str:
    """Say in one sentence what was found."""
    p, n = len(frame.exposure_names), len(frame.code)
    same = [COVARIATES[name].same for name in choice.adjusted if name != REGION]
    same += ["in the same region"] if REGION in choice.adjusted else []
    compared = f", compared {' and '.join(same)}" if same else ""
    how = f", {choice.how}" if choice.how else ""
    if p > 1:
        step = "one standard deviation" if choice.exposure == "indicators" else "100 points"
        values = (estimate[:p], bounds["lower"][:p], bounds["upper"][:p])
        return several(dated(outcome), frame.exposure_names, *values, outcome.unit, step, f"{n} units{how}.")
    where = f"in areas 100 points higher on the index total{compared}{how}, over {n} units."
    middle, low, high = (float(values[0]) for values in (estimate, bounds["lower"], bounds["upper"]))
    if choice.logarithm:
        return percent_difference(dated(outcome), middle, low, high, where)
    return difference(dated(outcome), middle, low, high, outcome.unit, where)


def assumptions_of(edition: Edition, c: CrossSection, frame: Frame, choice: Choice) -> tuple[str, ...]:
    """Say what the numbers stand on."""
    weighted = weight_words(c, choice)
    notes = ["The line is straight: a step on the index is worth the same at its bottom and its top."]
    if weighted == "published precision":
        notes.append(
            "A unit counts by its published precision: one over the squared standard error (limits / 3.92). Where "
            "units differ by more than sampling error, a few large ones may then count for most: see 'total', whose "
            "weights allow for that."
        )
    elif choice.weights in ("precision", "meta") and weighted == "equal":
        notes.append("No limits of the outcome are published, so every unit counts the same.")
    if weighted == "published precision and spread between units":
        notes.append(
            "A unit counts by one over the sum of its squared standard error and the spread between units that the "
            "score leaves unexplained: the weights that are efficient where units differ by more than sampling error."
        )
    if weighted == "population":
        notes.append("A unit counts by its residents of mid-2019, so the slope is that of people rather than places.")
    for place in np.flatnonzero(c.shared):
        if c.code[place] in frame.code:
            notes.append(
                f"{c.name[place]} stands for several areas of the index: their scores are merged by population."
            )
    notes += [COVARIATES[name].note for name in choice.adjusted if name != REGION]
    if frame.without:
        notes.append(f"Left out, as no figures by area are open: {', '.join(frame.without).replace('_', ' ')}.")
    if choice.exposure == "indicators":
        notes.append("An indicator's slope is for one standard deviation between the units, in its own direction.")
    if choice.estimator == "corrected":
        notes += _noise_notes(edition, c.outcome)
    else:
        notes.append(
            "Survey noise in the index is not removed: it pulls slopes towards zero, more so in adjusted fits."
        )
    return (
        *notes,
        "Units are taken as independent given their scores; Moran's I of the residuals checks that, and "
        "where neighbours share borders the spatial interval among the checks counts areas up to four borders apart as "
        "going together.",
    )


def _noise_notes(edition: Edition, outcome: Outcome) -> list[str]:
    notes = ["The noise of the scores is taken as independent of that of the outcome and between units."]
    if outcome.id.startswith("healthy_life_expectancy"):
        notes.append(
            "That is not quite so here: the health that people report in the Annual Population Survey enters healthy "
            "life expectancy, and the same survey gives most of the index."
        )
    return [*notes, *sampling_error(edition).notes]
