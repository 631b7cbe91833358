"""Covid-19 and other mortality side by side: correlations, slopes and rate ratios on the Monitor total, in rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.models.association.core import border_steps, effective_size
from gwm_models.models.counts.specs import CountFit, negative_binomial
from gwm_models.models.covid.compare import LEAST_UNITS, Compared, compare_correlations, correlations
from gwm_models.models.covid.deaths import ADJUSTMENTS, Toll, design_of
from gwm_models.models.fit import LEVEL, wald
from gwm_models.models.linear.core import LeastSquares, least_squares
from gwm_models.models.linear.meta import spread_between

Floats = NDArray[np.float64]
Numbers = tuple[float, float, float, float, float]
"""Estimate, standard error, lower and upper bound, p value."""

OUTCOMES = ("covid19_mortality", "non_covid19_mortality", "difference")
ALIKE = "correlation, neighbours alike"
ALONE = "without areas that share figures"
NAMES = ("intercept", "total")


def rates_of(toll: Toll) -> tuple[Floats, Floats]:
    """Return the total and both age-standardised rates of the sample, (n,) and (2, n)."""
    return toll.section.total[toll.kept], np.array([c.value[toll.kept] for c in (toll.section, toll.other)])


def compare(total: Floats, rates: Floats, held: Floats | None = None) -> Compared:
    """Compare correlations, or partial ones given centred columns held equal, (n, k)."""
    if held is None:
        first, second, between = map(float, correlations(total, rates[0], rates[1]))
        return compare_correlations(first, second, between, len(total))
    design = np.column_stack([np.ones(len(held)), held])
    figures = np.column_stack([total, *rates])
    left = figures - design @ np.linalg.lstsq(design, figures, rcond=None)[0]
    first, second, between = map(float, correlations(left[:, 0], left[:, 1], left[:, 2]))
    return compare_correlations(first, second, between, len(total) - held.shape[1])


def _row(measure: str, held: str, outcome: str, numbers: Numbers, unit: str, n: int) -> dict[str, Any]:
    estimate, std_error, lower, upper, p_value = numbers
    return {
        "measure": measure,
        "outcome": outcome,
        "held_equal": held,
        "estimate": float(estimate),
        "std_error": float(std_error),
        "lower": float(lower),
        "upper": float(upper),
        "p_value": float(p_value),
        "level": LEVEL,
        "unit": unit,
        "n": n,
    }


def correlation_rows(toll: Toll) -> list[dict[str, Any]]:
    """Return correlations and their difference: of all units, of those of one area, and with more held equal."""
    total, rates = rates_of(toll)
    alone = ~toll.section.shared[toll.kept]
    compared = [("", compare(total, rates))]
    if not alone.all():
        compared.append((ALONE, compare(total[alone], rates[:, alone])))
    for name, (held, adjust) in ADJUSTMENTS.items():
        if name != "total":
            design = design_of(adjust(toll.section), toll.kept)
            compared.append((held, compare(total, rates, design[:, 1:-1])))
    rows = [("correlation", held, c, len(total) if held != ALONE else int(alone.sum())) for held, c in compared]
    rows += [(ALIKE, "", c, c.n) for c in _among_neighbours(toll, total, rates)]
    return [
        _row(
            measure,
            held,
            OUTCOMES[j],
            (c.r[j], np.sqrt(c.cov[j, j]), c.lower[j], c.upper[j], c.p_value[j]),
            "correlation",
            n,
        )
        for measure, held, c, n in rows
        for j in range(3)
    ]


def _among_neighbours(toll: Toll, total: Floats, rates: Floats) -> list[Compared]:
    """Return correlations over as many units as they are worth given how alike neighbours are, the fewer of the two.

    None where no units share a border, or ten are not left.
    """
    borders = toll.section.borders_of(toll.kept)
    if not len(borders):
        return []
    steps = border_steps(borders, toll.n)
    size = int(min(effective_size(rate, total, steps) for rate in rates))
    if size < LEAST_UNITS:
        return []
    first, second, between = map(float, correlations(total, rates[0], rates[1]))
    return [compare_correlations(first, second, between, size)]


def slope_rows(toll: Toll) -> list[dict[str, Any]]:
    """Return slopes in standard deviations between areas and in deaths, under three choices of weights."""
    total, rates = rates_of(toll)
    errors = np.array([c.error[toll.kept] for c in (toll.section, toll.other)])
    design = np.column_stack([np.ones(len(total)), total / 100])
    return [
        _row(measure, "", OUTCOMES[j], numbers, unit, toll.n)
        for unit, size in (
            ("standard deviations per 100 points", rates.std(axis=1, ddof=1, keepdims=True)),
            (f"{toll.section.outcome.unit} per 100 points", np.ones((2, 1))),
        )
        for measure, weights in _weightings(rates / size, errors / size, design).items()
        for j, numbers in enumerate(_slopes(rates / size, design, weights))
    ]


def _slopes(rates: Floats, design: Floats, weights: Floats) -> list[Numbers]:
    fits = [least_squares(rate, design, weight, names=NAMES) for rate, weight in zip(rates, weights, strict=True)]
    return with_difference(fits, 1, fits[0].freedom)


def _weightings(rates: Floats, errors: Floats, design: Floats) -> dict[str, Floats]:
    """Return the weights of each rate, (2, n), by name of the slope they give."""
    between = np.array([[spread_between(rate, design, error**2)] for rate, error in zip(rates, errors, strict=True)])
    return {
        "slope": 1 / (errors**2 + between),
        "slope, areas weighted equally": np.ones(rates.shape),
        "slope, weighted by published precision alone": 1 / errors**2,
    }


def ratio_rows(toll: Toll) -> list[dict[str, Any]]:
    """Return rate ratios of both, and the first over the second, with nothing and with more held equal."""
    rows = []
    for held, adjust in ADJUSTMENTS.values():
        design = design_of(adjust(toll.section), toll.kept)
        fits = [negative_binomial(toll.deaths[cause], design, toll.expected(cause)) for cause in range(2)]
        for j, (log, error, lower, upper, p_value) in enumerate(with_difference(fits, 0, fits[0].df)):
            ratio = float(np.exp(log))
            numbers = (ratio, ratio * error, np.exp(lower), np.exp(upper), p_value)
            outcome = OUTCOMES[j] if j < 2 else "ratio"
            rows.append(_row("rate ratio", held, outcome, numbers, "rate ratio per 100 points", toll.n))
    return rows


def with_difference(fits: list[LeastSquares] | list[CountFit], place: int, freedom: float) -> list[Numbers]:
    """Return the numbers of one coefficient in two fits of the same units, and of the first minus the second.

    The two are correlated as their influence by unit is.

    References
    ----------
    Weesie (1999), Stata Technical Bulletin 52, 34-47 (seemingly unrelated estimation).
    """
    estimate = np.array([fit.params[place] for fit in fits])
    error = np.sqrt([fit.cov[place, place] for fit in fits])
    pull = np.array([fit.influence[:, place] for fit in fits])
    size = np.sqrt((pull**2).sum(axis=1))
    cov = (pull @ pull.T) / np.outer(size, size) * np.outer(error, error)
    sums = np.array([[1, 0], [0, 1], [1, -1]])
    estimate, cov = sums @ estimate, sums @ cov @ sums.T
    bounds = wald(estimate, cov, freedom)
    return list(zip(estimate, np.sqrt(np.diag(cov)), bounds["lower"], bounds["upper"], bounds["p_value"], strict=True))
