"""Numbers, intervals and units as readers expect them: typographic minus, thousands commas, 'a to b'."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable

from gwm_models.scenarios.words import GAP as GAP
from gwm_models.scenarios.words import MINUS
from gwm_models.scenarios.words import number as number

SPACE = "\u00a0"
RANGE = re.compile(r"(?<=\d)-(?=\d)")
HYPHEN = re.compile(r"(?<![^\s(])-(?=\d)")

PLACES = {
    "points": 1,
    "rank": 0,
    "ranks": 1,
    "years": 1,
    "percent": 1,
    "pp": 2,
    "GBP_per_week": 2,
    "GBP": 0,
    "share": 2,
}
PLACES_OF_CHANGE = {"years": 2}
FINE = 0.05
UNITS = {
    "points": "points",
    "rank": "places",
    "ranks": "places",
    "years": "years",
    "percent": "%",
    "pp": "percentage points",
    "GBP_per_week": "£ a week",
    "GBP": "£",
    "ratio": "",
    "share": "",
    "index": "",
}
SYNONYMS = {
    "percentage points": "pp",
    "GBP per week": "GBP_per_week",
    "score points": "points",
    "%": "percent",
}
STEPS = ((1e9, "billion"), (1e6, "million"))


def base_unit(unit: str) -> str:
    """Give a unit without the detail in brackets after it, by its short name.

    Examples
    --------
    >>> base_unit("points (6-600)"), base_unit("percentage points")
    ('points', 'pp')
    """
    bare = unit.partition(" (")[0]
    return SYNONYMS.get(bare, bare)


def is_missing(value: float | None) -> bool:
    """Tell whether a value is absent: None or not a number."""
    return value is None or math.isnan(value)


def drawn(value: float | None, places: int = 5) -> float | None:
    """Give a value as a chart's data hold it: a rounded float, or None where it is absent."""
    return None if value is None or math.isnan(value) else round(float(value), places)


def places_for(unit: str, values: Iterable[float | None] = (), *, change: bool = False) -> int:
    """Give the decimals for numbers of one unit; a unit without a rule gets three significant figures.

    Years are given one decimal more where they would all but vanish: a change of less than 0.05.

    Parameters
    ----------
    unit : str
        A unit of the result rows, such as ``points`` or ``years``.
    values : iterable of float or None
        The numbers to be written together, such as an estimate and its limits.
    change : bool
        Whether they are differences, which some units show more finely.

    Examples
    --------
    >>> places_for("years", [61.2]), places_for("years", [0.3], change=True), places_for("years", [0.01], change=True)
    (1, 2, 3)
    >>> places_for("ratio", [0.0123]), places_for("ranks", [0.0123], change=True)
    (4, 1)
    """
    unit = base_unit(unit)
    largest = max((abs(value) for value in values if value is not None and not math.isnan(value)), default=0.0)
    if unit in PLACES:
        places = PLACES_OF_CHANGE.get(unit, PLACES[unit]) if change else PLACES[unit]
        return places + (unit == "years" and change and 0 < largest < FINE)
    return min(max(2 + change - math.floor(math.log10(largest)), 0), 6) if largest > 0 else 2


def typographic(text: str) -> str:
    """Return a text whose negative numbers have a minus sign instead of a hyphen.

    Examples
    --------
    >>> typographic("from -0.2 to 0.1 (2016-18), gwm --level 0.9")
    'from −0.2 to 0.1 (2016-18), gwm --level 0.9'
    """
    return HYPHEN.sub(MINUS, text)


def interval(lower: float | None, upper: float | None, places: int = 1) -> str:
    """Write an interval as 'a to b'; an absent limit gives an empty text.

    Examples
    --------
    >>> interval(-1.2, 3.44)
    '−1.2 to 3.4'
    """
    if is_missing(lower) or is_missing(upper):
        return ""
    return f"{number(lower, places)} to {number(upper, places)}"


def lines(text: str, width: int) -> list[str]:
    """Break a text into lines of no more than so many letters, for the title or label of a chart.

    Examples
    --------
    >>> lines("Participation drive: size of change, pp", 22)
    ['Participation drive:', 'size of change, pp']
    """
    return textwrap.wrap(text, width, break_on_hyphens=False)


def unit_words(unit: str, *, detail: bool = False) -> str:
    """Give the words for a unit, on request with its detail; an unknown unit is shown without underscores.

    Examples
    --------
    >>> unit_words("points (6-600)"), unit_words("points (6-600)", detail=True)
    ('points', 'points, 6–600')
    """
    bare = base_unit(unit)
    words = UNITS.get(bare, bare.replace("_", " "))
    more = unit.partition(" (")[2].removesuffix(")")
    return ", ".join(part for part in (words, RANGE.sub(GAP, more)) if part) if detail else words


def with_unit(text: str, unit: str) -> str:
    r"""Join a written number and its unit, by a space that does not break.

    Examples
    --------
    >>> with_unit("3.0", "points"), with_unit("+12", "percent"), with_unit("5", "ratio")
    ('3.0\xa0points', '+12%', '5')
    """
    words = unit_words(unit)
    if not words or text == GAP:
        return text
    return f"{text}{words}" if words == "%" else f"{text}{SPACE}{words}"


def percent(value: float | None) -> str:
    """Write a share as a whole percentage that rounds to 0% or 100% only what is exactly that.

    Examples
    --------
    >>> percent(0.934), percent(0.9996), percent(0.001), percent(1.0)
    ('93%', 'over 99%', 'under 1%', '100%')
    """
    if value is None or math.isnan(value):
        return GAP
    if 0 < value < 0.005:
        return "under 1%"
    if 0.995 <= value < 1:
        return "over 99%"
    return f"{value:.0%}"


def chance(value: float | None) -> str:
    """Write a probability estimated from draws as a whole percentage; draws prove nothing certain.

    Examples
    --------
    >>> chance(0.934), chance(1.0), chance(0.0), chance(None)
    ('93%', 'over 99%', 'under 1%', '–')
    """
    if value is None or math.isnan(value):
        return GAP
    return percent(min(max(value, 0.001), 0.999))


def money(value: float | None, unit: str = "GBP") -> str:
    """Write a sum of money, in millions or billions where it is large.

    Examples
    --------
    >>> money(1.234e9), money(-2.5e6), money(950)
    ('£1.23 billion', '−£2.5 million', '£950')
    """
    if value is None or math.isnan(value):
        return GAP
    sign, size = (MINUS if value < 0 else ""), abs(value)
    symbol = "£" if unit.startswith("GBP") else ""
    for step, name in STEPS:
        if size >= step:
            return f"{sign}{symbol}{size / step:.3g}{SPACE}{name}".replace(SPACE, " ")
    return f"{sign}{symbol}{size:,.0f}"


def level_words(level: float | None) -> str:
    """Write the level of an interval: '90% interval'.

    Examples
    --------
    >>> level_words(0.9), level_words(0.975)
    ('90% interval', '97.5% interval')
    """
    return "Interval" if level is None else f"{100 * level:.4g}% interval"
