"""The sizes of changes, against what they change: units that fit, what is impossible, what is unusual."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

from gwm_models.data.index_spec import IndicatorSpec
from gwm_models.data.vocabulary import Vocabulary
from gwm_models.scenarios.findings import number_text
from gwm_models.scenarios.known import condition_levels
from gwm_models.scenarios.usual import typical_level
from gwm_models.scenarios.view import View

MOST_POINTS = 99.0
MOST_TIMES = 2.0
"""A shock more than this many times as large as it was is unusual."""
LEAST_PERCENT = 2.0
"""A share above this was meant as a percentage; one above 1 and below it is a share that is too large."""
MOST_FOLD = 100.0
"""Where a level has no hard limit, this many times the largest usual one is impossible; so is such a shock."""
LEVEL_UNITS = {"percent": "percent", "GBP_per_week": "GBP_per_week", "GBP": "GBP", "share_0_1": "share"}
"""Unit of an indicator or condition to the unit in which a level of it is stated."""
CHANGE_UNITS = LEVEL_UNITS | {"percent": "pp"}
"""The same to the unit in which a change of it is stated."""
INDICATOR_UNITS = ("percent", "GBP_per_week")
CONDITION_UNITS = ("percent", "GBP", "share_0_1")
OTHER_UNITS = {
    "relative": ("percent",),
    "close_gap": ("percent", "share"),
    "to_quantile": ("quantile",),
    "shock": ("times",),
}
SIGNED = ("absolute", "path", "relative", "shock")
"""Kinds of change whose sign says which way a level goes."""
MEANINGS = {
    "pp": "percentage points",
    "percent": "percent",
    "share": "a share, 0.5 for half",
    "points": "score points",
    "GBP_per_week": "pounds a week",
    "GBP": "pounds",
    "quantile": "0.5 is the median, 0.8 the level of the best fifth",
    "times": "1 is the shock as it was",
}


@dataclass(frozen=True)
class Ask:
    """What a change asks for.

    Attributes
    ----------
    kind : str
    unit : str
        Empty if missing, or if it does not fit.
    spec : IndicatorSpec or None
        None if the indicator or condition is unknown.
    rivals : tuple of IndicatorSpec
        The indicators or conditions it could be for.
    on_condition : bool
        Whether it is for a condition.
    """

    kind: str
    unit: str
    spec: IndicatorSpec | None
    rivals: tuple[IndicatorSpec, ...]
    on_condition: bool = False


def fitting_units(kind: str, spec: IndicatorSpec | None = None, *, on_condition: bool = False) -> tuple[str, ...]:
    """Return the units a change may have; the more usual first. Score points are for indicators only.

    Examples
    --------
    >>> fitting_units("absolute"), fitting_units("close_gap"), fitting_units("target", on_condition=True)
    (('pp', 'GBP_per_week', 'points'), ('percent', 'share'), ('percent', 'GBP', 'share'))
    """
    if kind in OTHER_UNITS:
        return OTHER_UNITS[kind]
    levels = (spec.unit,) if spec is not None else CONDITION_UNITS if on_condition else INDICATOR_UNITS
    if kind == "target":
        return tuple(LEVEL_UNITS[unit] for unit in levels if unit in LEVEL_UNITS)
    points = () if on_condition else ("points",)
    return (*(CHANGE_UNITS[unit] for unit in levels if unit in CHANGE_UNITS), *points)


def check_sizes(change: View, uncertainty: View, ask: Ask) -> None:
    """Report every size of a change, and every end of its interval, that no area could have or few do."""
    sizes = [item / 1 for item in change.items("path")] if ask.kind == "path" else [change / "value"]
    for at in sizes:
        _check_possible(at, ask, possible(ask))
        _check_unusual(at, ask)
    for end in ("low", "high"):
        _check_possible(uncertainty / end, ask, _possible_ends(ask))
    _check_widening(uncertainty / "low", ask)
    spread, most = uncertainty / "across_areas", max(map(abs, possible(ask)))
    value = spread.own_number()
    if value is not None and value > most:
        what = f"areas cannot differ by a standard deviation of {number_text(value)} {ask.unit}".rstrip()
        spread.error(what, f"give a value up to {number_text(round(most, 1))}")
    _check_unsure(uncertainty, ask, [value for at in sizes if (value := at.own_number()) is not None])


def _check_widening(at: View, ask: Ask) -> None:
    """Warn of an interval in which a gap may widen."""
    low = at.own_number()
    if ask.kind == "close_gap" and low is not None and low < 0 and not at.findings.has_error(at.keys):
        what = f"at {number_text(low)} {ask.unit}".rstrip() + " the gap widens, and areas get worse"
        at.warning(what, "write 0 or more if it cannot widen, or keep it")


def _check_unsure(uncertainty: View, ask: Ask, sizes: list[float]) -> None:
    """Warn of an uncertainty that leaves open which way a change goes, or that ends where few changes do."""
    size = max(sizes, key=abs, default=0.0)
    if ask.kind not in SIGNED or size == 0:
        return
    asked = f"{number_text(size)} {ask.unit}".rstrip()
    for key in ("low", "high"):
        end, at = uncertainty.number(key), uncertainty / key
        if end is None or at.findings.has_error(at.keys):
            continue
        if end * size < 0 and abs(end) > abs(size):
            what = f"at {number_text(end)} the change goes further the other way than at {asked}"
            at.warning(what, f"write {number_text(-size)} or {'more' if size > 0 else 'less'}, or keep it")
        elif ask.spec is not None and ask.unit == CHANGE_UNITS.get(ask.spec.unit, ask.spec.unit):
            why = None if _far(abs(size), ask, ask.spec) else _far(abs(end), ask, ask.spec)
            if why is not None:
                at.warning(f"{number_text(end)} {ask.unit} is unusual: {why}", "check it, or keep it")
    spread = uncertainty / "across_areas"
    value = spread.own_number()
    if value is not None and value > abs(size) and not spread.findings.has_error(spread.keys):
        what = (
            f"areas differ by a standard deviation of {number_text(value)} {ask.unit}".rstrip()
            + f", which is more than the change of {asked} itself: in many it goes the other way"
        )
        spread.warning(what, f"write less than {number_text(abs(size))}, or keep it")


def possible(ask: Ask) -> tuple[float, float]:
    """Return the smallest and largest value of a change that some area could have, in its unit or in any."""
    units = (ask.unit,) if ask.unit else fitting_units(ask.kind, ask.spec, on_condition=ask.on_condition)
    ranges = [_possible_in(unit, ask) for unit in units] or [(-math.inf, math.inf)]
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _possible_in(unit: str, ask: Ask) -> tuple[float, float]:
    if ask.kind == "close_gap":
        return (0, 1) if unit == "share" else (0, 100)
    if unit == "quantile":
        return math.nextafter(0, 1), math.nextafter(1, 0)
    if unit == "points":
        return -MOST_POINTS, MOST_POINTS
    if unit == "times":
        return -MOST_FOLD, MOST_FOLD
    if ask.kind == "relative":
        return -100, max(map(_largest_relative, ask.rivals), default=math.inf)
    names = LEVEL_UNITS if ask.kind == "target" else CHANGE_UNITS
    limits = [_limits(spec) for spec in ask.rivals if unit == names.get(spec.unit)]
    low, high = min((low for low, _ in limits), default=-math.inf), max((h for _, h in limits), default=math.inf)
    return (low, high) if ask.kind == "target" else (low - high, high - low)


def _largest_relative(spec: IndicatorSpec) -> float:
    """Return the percentage that takes the lowest usual level to the upper limit."""
    low = spec.usual_range[0]
    return 100 * (_limits(spec)[1] / low - 1) if low > 0 else 100 * MOST_FOLD


def _limits(spec: IndicatorSpec) -> tuple[float, float]:
    """Return the hard limits; where there are none, many times the largest usual level."""
    most = MOST_FOLD * max(map(abs, spec.usual_range))
    low, high = spec.hard_limits
    return low if math.isfinite(low) else -most, high if math.isfinite(high) else most


def _possible_ends(ask: Ask) -> tuple[float, float]:
    """Return the range of the ends of an interval: an action may be thought to widen a gap."""
    low, high = possible(ask)
    return (-high, high) if ask.kind == "close_gap" else (low, high)


def _check_possible(at: View, ask: Ask, ends: tuple[float, float]) -> None:
    """Report a value that no area could have."""
    value = at.own_number()
    low, high = ends
    if value is None or low <= value <= high:
        return
    whose = f" for {ask.spec.id}" if ask.spec is not None else ""
    fix = f"give a value {span_text(low, high)} {ask.unit}"
    if ask.unit == "share" and ask.kind == "close_gap" and 1 < value <= 100:
        fix = f"write {number_text(value / 100)}, or unit: percent" if value > LEAST_PERCENT else "give a value up to 1"
    elif ask.unit == "quantile":
        fix = f"write {number_text(value / 100)}" if 1 < value < 100 else "give a value above 0 and below 1"
    asked = f"quantile {number_text(value)}" if ask.unit == "quantile" else f"{number_text(value)} {ask.unit}".strip()
    at.error(f"{asked} is impossible{whose}", fix.strip())


def span_text(low: float, high: float) -> str:
    """Return two ends in words, rounded.

    Examples
    --------
    >>> span_text(0, 86.44)
    'between 0 and 86.4'
    """
    return f"between {number_text(round(low, 1))} and {number_text(round(high, 1))}"


def _check_unusual(at: View, ask: Ask) -> None:
    value = at.own_number()
    if value is None or not ask.unit or at.findings.has_error(at.keys):
        return
    number, more = number_text(value), number_text(value * 100)
    if ask.kind == "relative" and 0 < abs(value) < 1:
        what = f"{number} percent is a very small relative change (did you mean {more}?)"
        at.warning(what, f"write {more}, or keep it")
    elif ask.kind == "close_gap" and ask.unit == "percent" and 0 < value <= 1:
        what = f"{number} percent of the gap is very little (did you mean {more}?)"
        at.warning(what, f"write {more}, or unit: share, or keep it")
    elif ask.kind == "to_quantile" and value < 0.5:
        what = f"quantile {number} is below the median, so only the areas below that are changed"
        at.warning(what, f"write {number_text(round(1 - value, 12))} for the level of the best, or keep it")
    elif ask.kind == "shock" and value < 0:
        at.warning(f"{number} times a shock is its opposite", "remove the sign, or keep it")
    elif ask.kind == "shock" and value > MOST_TIMES:
        at.warning(f"{number} times is far more than the shock was", "write 1 for the shock as it was, or keep it")
    elif ask.spec is not None:
        _check_usual(at, value, ask, ask.spec)


def _check_usual(at: View, value: float, ask: Ask, spec: IndicatorSpec) -> None:
    """Warn of a size that is rare: a level that few areas have, a change that few ever had."""
    asked, why = f"{number_text(value)} {ask.unit}", None
    if ask.kind == "target":
        low, high = spec.usual_range
        lies = f"{spec.id} lies {span_text(low, high)} {_where(ask)}"
        why = None if low <= value <= high else lies
    elif ask.kind in ("absolute", "path") and ask.unit == CHANGE_UNITS.get(spec.unit, spec.unit):
        why = _far(abs(value), ask, spec)
    elif ask.kind == "relative":
        why = _relatively_far(value, ask, spec, _typical(ask, spec, at.vocabulary))
    if why is not None:
        at.warning(f"{asked} is unusual: {why}", "check it, or keep it")


def _typical(ask: Ask, spec: IndicatorSpec, vocabulary: Vocabulary) -> float:
    """Return the level of the median area, or the middle of the usual range where that is not known."""
    levels = condition_levels(spec.id, vocabulary) if ask.on_condition else None
    return median(levels.values()) if levels else typical_level(spec, vocabulary)


def _where(ask: Ask) -> str:
    return "over the areas" if ask.on_condition else "in most years"


def _far(moved: float, ask: Ask, spec: IndicatorSpec) -> str | None:
    """Say what a change is more than; None for one that is usual."""
    unit, width = CHANGE_UNITS.get(spec.unit, spec.unit), spec.usual_range[1] - spec.usual_range[0]
    if moved > spec.usual_change:
        often = " from one year to the next" if ask.on_condition else ""
        return f"{spec.id} of an area rarely moves by more than {number_text(spec.usual_change)} {unit}{often}"
    if math.isinf(spec.usual_change) and moved > width:
        return f"the areas with the most and the least {spec.id} are {number_text(round(width, 1))} {unit} apart"
    return None


def _relatively_far(value: float, ask: Ask, spec: IndicatorSpec, typical: float) -> str | None:
    """Say where a relative change takes a typical level; None if that is usual."""
    if typical <= 0:
        return None
    low, high = spec.usual_range
    after = typical * (1 + value / 100)
    usual, then = (number_text(float(f"{level:.3g}")) for level in (typical, after))
    takes = f"it takes a typical level of {usual} to {then}, and"
    why = _far(abs(after - typical), ask, spec)
    if why is None and not low <= after <= high:
        why = f"{spec.id} lies {span_text(low, high)} {_where(ask)}"
    return None if why is None else f"{takes} {why}"
