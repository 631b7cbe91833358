"""Numbers and results in plain words."""

from __future__ import annotations

import math
from collections.abc import Iterable

from gwm_models.data.index_spec import IndicatorSpec
from gwm_models.errors import DataError
from gwm_models.scenarios.known import condition
from gwm_models.scenarios.spec import Action, Amount, Phasing, UncertainShare

MINUS = "\u2212"
GAP = "\u2013"
UNITS = {
    "pp": "percentage points",
    "percent": "%",
    "GBP_per_week": "GBP per week",
    "points": "score points",
    "share": "of the gap",
    "GBP": "GBP",
    "quantile": "",
    "times": "times",
}
SHAPES = {"linear": "linear", "s_curve": "along an S-curve"}
PAID = {
    "GBP": " in all",
    "GBP_per_area": " for each area",
    "GBP_per_resident": " for each resident",
    "GBP_per_resident_16_64": " for each resident aged 16 to 64",
    "GBP_per_job": " for each person whose work it changes",
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


def thousands(value: float, *, sign: bool = False) -> str:
    """Write a number of people to three figures.

    Examples
    --------
    >>> thousands(41658.9), thousands(-512.2), thousands(0.3), thousands(9950.37, sign=True)
    ('41,700', '−512', '0', '+9,950')
    """
    digits = len(f"{abs(value):.0f}")
    return number(round(value, -max(digits - 3, 0)), 0, sign=sign)


def signed(value: float, places: int = 1) -> str:
    """Write a difference, with a plus where it is positive.

    Examples
    --------
    >>> signed(2.0), signed(-1.26), signed(0.0)
    ('+2.0', '−1.3', '0.0')
    """
    return number(value, places, sign=True)


def span(lower: float, upper: float, digits: int = 1) -> str:
    """Write an interval as ``a to b``; an end below zero that rounds to it keeps its sign.

    Examples
    --------
    >>> span(-1.26, 3), span(-0.0019, 0.02, 2)
    ('−1.3 to 3.0', '−0.00 to 0.02')
    """
    low, high = number(lower, digits), number(upper, digits)
    hidden = lower < 0 < upper and not low.startswith(MINUS)
    return f"{MINUS if hidden else ''}{low} to {high}"


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


def subject_of(action: Action, indicators: Iterable[IndicatorSpec]) -> IndicatorSpec:
    """Return what an action changes: one of the indicators given, or a condition for good work."""
    if action.condition is not None:
        found = condition(action.condition)
        if found is None:
            raise DataError(f"{action.id}: no condition is called '{action.condition}'. Run gwm check on the file.")
        return found
    return next(indicator for indicator in indicators if indicator.id == action.indicator)


def change_words(action: Action, subject: IndicatorSpec) -> str:
    """Say what an action asks for, how sure that is, when it comes and whom it reaches.

    Parameters
    ----------
    action : Action
    subject : IndicatorSpec
        From `subject_of`.
    """
    parts = [f"{subject.label}: {size_words(action)}{_range_words(action)}"]
    if action.phasing is not None:
        parts.append(phase_words(action.phasing))
    if action.start is not None:
        parts.append(f"beginning in {action.start}")
    if action.reach < 1:
        parts.append(f"for {level_words(action.reach)} of the residents")
    return "; ".join(parts)


def size_words(action: Action) -> str:
    """Say the size of a change."""
    change = action.change
    value, unit = change.value or 0.0, UNITS[change.unit]
    gap = "" if unit == "%" else " "
    if change.kind == "path":
        sizes = ", ".join(f"{short(size, sign=True)} in {year}" for year, size in change.path or ())
        return f"{sizes} ({unit}), straight lines between, the last one held"
    if change.kind == "shock":
        times = "" if value == 1 else f"{short(value)} times "
        return f"{times}what happened to it from {change.profile} on"
    if change.kind == "absolute":
        return f"{short(value, sign=True)} {singular(value, unit)}"
    if change.kind == "relative":
        return f"{short(value, sign=True)}{gap}{unit} of its level"
    if change.kind == "target":
        return f"to {short(value)}{gap}{unit}, where it is not there yet"
    if change.kind == "to_quantile":
        return (
            f"to the level that the best {level_words(1 - value)} of areas reach or better, where it is not there yet"
        )
    share = value if change.unit == "percent" else 100 * value
    return f"{share:g}% of the gap to {_benchmark(change.to)} closed"


def singular(value: float, unit: str) -> str:
    """Give a unit in points in the singular where there is one of it.

    Examples
    --------
    >>> singular(-1.0, "percentage points"), singular(1.5, "points"), singular(1.0, "GBP per week")
    ('percentage point', 'points', 'GBP per week')
    """
    return unit.removesuffix("s") if unit.endswith("points") and short(abs(value)) == "1" else unit


def short(value: float, *, sign: bool = False) -> str:
    """Write a number as it stands in a file: no more than three decimals, no zeros at their end.

    Examples
    --------
    >>> short(2.0, sign=True), short(-0.25), short(1500)
    ('+2', '−0.25', '1,500')
    """
    text = number(value, 3, sign=sign)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _range_words(action: Action) -> str:
    unsure = action.uncertainty
    if unsure is None:
        return ""
    text = f" ({level_words(unsure.level)} range {short(unsure.low)} to {short(unsure.high)}"
    if unsure.across_areas:
        text += f"; standard deviation between areas {short(unsure.across_areas)}"
    return text + ")"


def phase_words(phase: Phasing) -> str:
    """Say when a change comes."""
    if phase.shape == "path":
        shares = ", ".join(f"{level_words(round(share, 6))} in {year}" for year, share in phase.path or ())
        when = f"in place: {shares}"
    elif phase.start == phase.full_by or phase.shape == "step":
        when = f"in {phase.full_by}"
    else:
        when = f"{SHAPES[phase.shape]} from {phase.start}, full by {phase.full_by}"
    if phase.fade is not None:
        when += f", then fading with a half-life of {phase.fade.half_life:g} years"
    return when


def _benchmark(name: str | None) -> str:
    known = {
        "median": "the median of all areas",
        "best_quintile": "the level that the best fifth reach",
        "mean": "the mean of all areas (by population)",
    }
    return known.get(str(name), str(name))


def share_words(share: float | UncertainShare) -> str:
    """Write a share, with its standard deviation where it is drawn.

    Examples
    --------
    >>> share_words(0.2)
    '20%'
    """
    if isinstance(share, UncertainShare):
        return f"{level_words(share.mean)} on average (standard deviation {level_words(share.sd)})"
    return f"{share:.0%}"


def amount_words(amount: Amount) -> str:
    """Write an amount of money with what it is paid for.

    Examples
    --------
    >>> amount_words(Amount(value=40, unit="GBP_per_resident_16_64", low=30, high=55))
    '£40 (90% range £30 to £55) for each resident aged 16 to 64'
    """
    text = _pounds(amount.value)
    if amount.low is not None and amount.high is not None:
        text += f" (90% range {_pounds(amount.low)} to {_pounds(amount.high)})"
    text += PAID[amount.unit]
    return text + (f" from {amount.years[0]} to {amount.years[1]}" if amount.years else "")


def _pounds(value: float) -> str:
    return f"{MINUS if value < 0 else ''}£{short(abs(value))}"
