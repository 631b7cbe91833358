"""Numbers and results in plain words."""

from __future__ import annotations

import math

from gwm_models.data.index_spec import IndicatorSpec
from gwm_models.scenarios.spec import Action, Cost

MINUS = "\u2212"
GAP = "\u2013"
UNITS = {
    "pp": "percentage points",
    "percent": "%",
    "GBP_per_week": "GBP per week",
    "points": "score points",
    "share": "of the gap",
}


def number(value: float | None, places: int = 1, *, sign: bool = False) -> str:
    """Write a number with a typographic minus, thousands commas and a fixed number of decimals.

    Parameters
    ----------
    value : float or None
        The number; None and nan are written as a dash.
    places : int
        Decimals kept.
    sign : bool
        Whether a positive number carries a plus, as a difference should.

    Examples
    --------
    >>> number(-1234.56), number(3.04, sign=True), number(-0.01), number(None)
    ('−1,234.6', '+3.0', '0.0', '–')
    """
    if value is None or math.isnan(value):
        return GAP
    text = f"{abs(value):,.{places}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def signed(value: float, places: int = 1) -> str:
    """Write a difference, with a plus where it is positive.

    Examples
    --------
    >>> signed(2.0), signed(-1.26), signed(0.0)
    ('+2.0', '−1.3', '0.0')
    """
    return number(value, places, sign=True)


def span(lower: float, upper: float, digits: int = 1) -> str:
    """Write an interval as ``a to b``."""
    return f"{number(lower, digits)} to {number(upper, digits)}"


def level_words(level: float) -> str:
    """Write a level as a percentage: ``90%``."""
    return f"{100 * level:g}%"


def counted(n: int, noun: str) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> counted(1, "area"), counted(20, "area")
    ('1 area', '20 areas')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def level_unit(indicator: IndicatorSpec) -> str:
    """Name the unit of a change of an indicator's level."""
    known = {"percent": "percentage points", "GBP_per_week": "GBP per week", "points": "score points"}
    return known.get(indicator.unit, indicator.unit.replace("_", " "))


def change_words(action: Action, indicator: IndicatorSpec) -> str:
    """Say what an action asks for."""
    change, unsure = action.change, action.uncertainty
    unit = UNITS[change.unit]
    gap = "" if unit == "%" else " "
    if change.kind == "absolute":
        text = f"{signed(change.value, 2).rstrip('0').rstrip('.')} {unit}"
    elif change.kind == "relative":
        text = f"{signed(change.value)}{gap}{unit} of its level"
    elif change.kind == "target":
        text = f"to {number(change.value)}{gap}{unit}, where it is not there yet"
    else:
        share = change.value if change.unit == "percent" else 100 * change.value
        text = f"{share:g}% of the gap to {_benchmark(change.to)} closed"
    range_words = ""
    if unsure is not None:
        range_words = f" ({level_words(unsure.level)} range {unsure.low:g} to {unsure.high:g}"
        if unsure.across_areas:
            range_words += f"; standard deviation between areas {unsure.across_areas:g}"
        range_words += ")"
    phase = action.phasing
    when = (
        f"in {phase.full_by}"
        if phase.start == phase.full_by
        else f"{phase.shape} from {phase.start}, full by {phase.full_by}"
    )
    if phase.fade is not None:
        when += f", then fading with a half-life of {phase.fade.half_life:g} years"
    return f"{indicator.label}: {text}{range_words}; {when}"


def _benchmark(name: str | None) -> str:
    known = {"median": "the median of all areas", "best_quintile": "the level that the best fifth reach"}
    return known.get(str(name), str(name))


def cost_total(cost: Cost, years: tuple[int, int], *, n_areas: int, residents: float, residents_16_64: float) -> float:
    """Return an action's whole cost in GBP at its price base, undiscounted, for the areas it reaches.

    A recurring amount without years of its own is paid in each year from the first to the last of `years`.
    """
    units = {
        "GBP": 1.0,
        "GBP_per_area": n_areas,
        "GBP_per_resident": residents,
        "GBP_per_resident_16_64": residents_16_64,
    }
    total = 0.0
    if cost.fixed is not None:
        total += cost.fixed.value * units[cost.fixed.unit]
    if cost.recurring is not None:
        first, last = cost.recurring.years or years
        total += cost.recurring.value * units[cost.recurring.unit] * (last - first + 1)
    return total
