"""What the Bayesian cross-section fits share: the sample, what they assume, and how their results are worded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.index.sampling import sampling_error
from gwm_models.models.collapse import LARGEST_TAIL
from gwm_models.models.cross_section import CrossSection, cross_section
from gwm_models.models.fit import LEVEL
from gwm_models.models.gaussian.noisy_checks import Checks
from gwm_models.models.linear.words import dated, difference
from gwm_models.models.outcomes import Outcome

Floats = NDArray[np.float64]

POINTS = 100.0
"""Score points that a slope is given for."""
UNUSUAL = 0.01
"""A predictive p value within that of 0 or 1 is pointed out."""


@dataclass(frozen=True, eq=False)
class Sample(Frozen):
    """The units of one fit, exposures in hundreds of points.

    Attributes
    ----------
    c : CrossSection
    kept : ndarray of bool, shape (n_all,)
    code, name : tuple of str, length n
    excluded : tuple of str
    value, error : ndarray, shape (n,)
        `error` is 0 throughout where no limits are published.
    total, total_error : ndarray, shape (n,)
    borders : ndarray of int, shape (n_pairs, 2)
    known : bool
        Whether the outcome's error is published.
    """

    c: CrossSection
    kept: NDArray[np.bool_]
    code: tuple[str, ...]
    name: tuple[str, ...]
    excluded: tuple[str, ...]
    value: Floats
    error: Floats
    total: Floats
    total_error: Floats
    borders: NDArray[np.int64]
    known: bool


def sample_of(edition: Edition, outcome: Outcome, *needed: tuple[NDArray[Any], str]) -> Sample:
    """Take the units with every figure that a fit needs.

    Parameters
    ----------
    edition : Edition
    outcome : Outcome
    *needed : (array, reason)
        Further figures, as `CrossSection.keep` takes them.
    """
    c = cross_section(edition, outcome)
    known = bool(np.isfinite(c.error).any())
    error = c.error if known else np.zeros(len(c))
    kept, excluded = c.keep(
        (c.value, "no published value"), (error, "no published limits"), (c.total, "no figures of the total"), *needed
    )
    code, name = (tuple(np.array(all_of)[kept].tolist()) for all_of in (c.code, c.name))
    figures = (c.value, error, c.total / POINTS, c.total_error / POINTS)
    value, own, total, total_error = (figure[kept] for figure in figures)
    return Sample(c, kept, code, name, excluded, value, own, total, total_error, c.borders_of(kept), known)


def found_words(outcome: Outcome, draws: Floats, n: int, how: str = "") -> str:
    """Say in one sentence by how much areas differ, from draws of the slope."""
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    where = f"in areas 100 points higher on the true index total{how}, over {n} units."
    return difference(dated(outcome), float(draws.mean()), float(low), float(high), outcome.unit, where)


def summary_row(name: str, draws: Floats, **more: object) -> dict[str, Any]:
    """Return mean, deviation and interval of draws as a row of a table."""
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    numbers = {"estimate": draws.mean(), "std_error": draws.std(ddof=1), "lower": low, "upper": high}
    return {"term": name, **{key: float(value) for key, value in numbers.items()}, "level": LEVEL, **more}


def check_numbers(checks: Checks) -> dict[str, float | str]:
    """Return predictive checks under their names in `Fit.diagnostics`."""
    return {
        "posterior_p_spread": checks.spread,
        "posterior_p_extreme": checks.extreme,
        "prior_p_spread": checks.prior_spread,
        "elpd": checks.elpd,
        "elpd_std_error": checks.elpd_error,
        "elpd_pareto_tail": checks.worst_tail,
    }


def residual_moran(residual: Floats, borders: NDArray[np.int64], seed: int) -> dict[str, float | str]:
    """Return Moran's I of residuals over shared borders and its permutation p value."""
    from gwm_models.models.association.moran import moran

    if not len(borders):
        return {}
    found = moran(residual, borders, n_permutations=1999, seed=seed)
    return {"residual_moran": found.statistic, "residual_moran_p": found.p_value}


def warnings_of(diagnostics: Mapping[str, float | str]) -> list[str]:
    """Say which predictive checks stand out."""
    notes = []
    named = {
        "posterior_p_spread": "the spread of the residuals",
        "posterior_p_extreme": "the most extreme residual",
        "prior_p_spread": "the residual spread that the prior expects",
    }
    for name, what in named.items():
        p = float(diagnostics.get(name, 0.5))
        if not UNUSUAL <= p <= 1 - UNUSUAL:
            notes.append(f"The model does not reproduce {what} (predictive p {p:.3f}): read its interval with care.")
    if float(diagnostics.get("elpd_pareto_tail", 0.0)) >= LARGEST_TAIL:
        notes.append("Single units weigh so much that the predictive score (elpd) cannot be trusted.")
    return notes


def assumptions_of(edition: Edition, samples: Sequence[Sample], *more: str) -> tuple[str, ...]:
    """Say what the numbers stand on."""
    first = samples[0]
    notes = [
        "The line is straight: a step on the index is worth the same at its bottom and its top.",
        "True scores are normal around their mean (given what is adjusted for), and so are the true outcomes around "
        "the line.",
    ]
    if first.known:
        notes.append("The outcome's own error is known from its published limits (limits / 3.92), and normal.")
    else:
        notes.append(
            "No limits of the outcome are published: its error is part of the residual, the same for every unit."
        )
    notes.append("The noise of the scores is taken as independent of that of the outcome and between units.")
    if first.c.outcome.id.startswith("healthy_life_expectancy"):
        notes.append(
            "That is not quite so here: the health that people report in the Annual Population Survey enters healthy "
            "life expectancy, and the same survey gives most of the index."
        )
    for place in np.flatnonzero(first.c.shared & first.kept):
        notes.append(
            f"{first.c.name[place]} stands for several areas of the index: their scores are merged by population."
        )
    return (*notes, *more, *sampling_error(edition).notes)
