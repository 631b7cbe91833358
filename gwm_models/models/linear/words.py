"""What a linear model found, in plain sentences for a reader of policy."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, floor, log10
from re import search

import numpy as np
from numpy.typing import NDArray

from gwm_models.models.outcomes import Outcome

Floats = NDArray[np.float64]

NOT_SHOWN = (
    "Areas that differ in score differ in much else as well, so this does not show what would happen in an area whose "
    "score rose."
)


def decimals(std_error: float) -> int:
    """Return the decimals that give a standard error two significant figures.

    Examples
    --------
    >>> decimals(0.198), decimals(25.0), decimals(1.2)
    (2, 0, 1)
    """
    return max(0, 1 - floor(log10(std_error))) if std_error > 0 else 2


def unit_words(unit: str) -> str:
    """Return the words for a difference in an outcome's unit.

    Examples
    --------
    >>> unit_words("years"), unit_words("% of people aged 16-64")
    ('years', 'percentage points')
    """
    return "percentage points" if unit.startswith("%") else unit


def dated(outcome: Outcome, label: str = "") -> str:
    """Return the label of an outcome (or another one for it) and its period, unless the label names a year itself."""
    words = label or outcome.label
    return words if search(r"\b\d{4}\b", words) else f"{words}, {outcome.period}"


def difference(label: str, estimate: float, lower: float, upper: float, unit: str, where: str) -> str:
    """Say by how much the outcome differs between areas.

    Examples
    --------
    >>> difference("Suicide", -1.049, -1.63, -0.47, "deaths per 100,000 a year", "in areas 100 higher.")
    'Suicide: 1.05 deaths per 100,000 a year lower (95% interval 0.47 to 1.63) in areas 100 higher.'
    >>> difference("Suicide", -0.2, -1.1, 0.7, "deaths", "in areas 100 points higher.")
    'Suicide: not clearly different (0.20 deaths lower; 95% interval 1.10 lower to 0.70 higher) in areas 100 ...'
    """
    places = decimals((upper - lower) / 4)

    def size(value: float) -> str:
        return f"{abs(value):,.{places}f}"

    def way(value: float) -> str:
        return "lower" if value < 0 else "higher"

    words = f"{size(estimate)} {unit_words(unit)} {way(estimate)}"
    if lower <= 0 <= upper:
        span = f"95% interval {size(lower)} lower to {size(upper)} higher"
        return f"{label}: not clearly different ({words}; {span}) {where}"
    near, far = sorted((lower, upper), key=abs)
    return f"{label}: {words} (95% interval {size(near)} to {size(far)}) {where}"


def percent_difference(label: str, estimate: float, lower: float, upper: float, where: str) -> str:
    """Say by how many per cent the outcome differs, given a difference of its logarithm and limits.

    Examples
    --------
    >>> percent_difference("Suicide", -0.105, -0.163, -0.047, "in areas 100 points higher.")
    'Suicide: 10% lower (95% interval 5% to 15%) in areas 100 points higher.'
    """
    return f"{label}: {percent_words(*(100 * (exp(value) - 1) for value in (estimate, lower, upper)))} {where}"


def percent_words(middle: float, low: float, high: float) -> str:
    """Say a difference in per cent with its interval.

    Examples
    --------
    >>> percent_words(-24.0, -29.0, -18.0)
    '24% lower (95% interval 18% to 29%)'
    >>> percent_words(-10.2, -19.7, -0.3), percent_words(50.0, -10.0, 150.0)
    ('10.2% lower (95% interval 0.3% to 19.7%)', 'not clearly different (50% higher; 95% interval 10% lower to ...')
    """
    places = 1 if min(abs(low), abs(high)) < 0.5 else 0

    def size(value: float) -> str:
        return f"{abs(value):.{places}f}%"

    def way(value: float) -> str:
        return "lower" if value < 0 else "higher"

    if low <= 0 <= high:
        span = f"95% interval {size(low)} lower to {size(high)} higher"
        return f"not clearly different ({size(middle)} {way(middle)}; {span})"
    near, far = sorted((low, high), key=abs)
    return f"{size(middle)} {way(middle)} (95% interval {size(near)} to {size(far)})"


def span_words(lower: float, upper: float, unit: str) -> str:
    """Return an interval of a difference in words.

    Examples
    --------
    >>> span_words(2.71, 3.63, "years"), span_words(-1.2, 0.31, "% of people")
    ('2.71 to 3.63 years', '-1.20 to +0.31 percentage points')
    """
    places = decimals((upper - lower) / 4)
    sign = "" if lower > 0 else "+"
    return f"{lower:{sign}.{places}f} to {upper:{sign}.{places}f} {unit_words(unit)}"


def percent_span(lower: float, upper: float) -> str:
    """Return an interval of a difference of logarithms as one in per cent.

    Examples
    --------
    >>> percent_span(-0.357, -0.163)
    '-30.0% to -15.0%'
    """
    low, high = 100 * (exp(lower) - 1), 100 * (exp(upper) - 1)
    places = decimals((high - low) / 4)
    return f"{low:+.{places}f}% to {high:+.{places}f}%"


def several(
    label: str, names: Sequence[str], estimate: Floats, lower: Floats, upper: Floats, unit: str, step: str, end: str
) -> str:
    """List the slopes of a fit on several exposures in one sentence.

    Examples
    --------
    >>> one, low, high = np.array([1.25]), np.array([0.4]), np.array([2.1])
    >>> several("Suicide", ["pay"], one, low, high, "years", "100 points", "5 units.")
    'Suicide (years; for 100 points more of one, the others the same; 95% intervals): pay +1.25 (+0.40 to ...'
    """
    places = decimals(float(np.median(upper - lower)) / 4)
    each = (
        f"{name.replace('_', ' ')} {middle:+.{places}f} ({low:+.{places}f} to {high:+.{places}f})"
        for name, middle, low, high in zip(names, estimate, lower, upper, strict=True)
    )
    more = f"for {step} more of one, the others the same; 95% intervals"
    return f"{label} ({unit_words(unit)}; {more}): {', '.join(each)}, {end}"
