"""The size, unit and uncertainty of a change, against the indicator it is for."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gwm_models.data.index_spec import IndicatorSpec
from gwm_models.scenarios.findings import advice, escaped, listed, nearest, number_text, shown, suggestion
from gwm_models.scenarios.view import View

MOST_POINTS = 99.0
BENCHMARKS = ("median", "best_quintile")
KINDS = ("absolute", "relative", "target", "close_gap")
LEVEL_UNITS = ("percent", "GBP_per_week", "points")
CHANGE_UNITS = {"percent": "pp", "GBP_per_week": "GBP_per_week", "points": "points"}
MEANINGS = {
    "pp": "percentage points",
    "percent": "percent",
    "share": "a share, 0.5 for half",
    "points": "score points",
    "GBP_per_week": "pounds a week",
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
        None if the indicator is unknown.
    rivals : tuple of IndicatorSpec
        The indicators it could be for.
    """

    kind: str
    unit: str
    spec: IndicatorSpec | None
    rivals: tuple[IndicatorSpec, ...]


def check_change(action: View) -> None:
    """Check the change and the uncertainty of one action."""
    change, uncertainty = action / "change", action / "uncertainty"
    spec = action.vocabulary.indicators.get(action.text("indicator") or "")
    kind = change.text("kind")
    if kind in KINDS:
        if spec is not None and spec.unit == "points" and kind != "absolute":
            what = f"the bounds of {spec.id} are unknown, so its level cannot be changed by kind '{kind}'"
            (change / "kind").error(what, "write kind: absolute with unit: points")
        else:
            ask = _ask(change, kind, spec)
            _check_size(change / "value", ask, possible(ask))
            for end in ("low", "high"):
                _check_size(uncertainty / end, ask, _possible_ends(ask))
            _check_unusual(change, ask)
        _check_benchmark(change, kind)
    _check_uncertainty(uncertainty, change)


def fitting_units(kind: str, spec: IndicatorSpec | None) -> tuple[str, ...]:
    """Return the units a change may have; the more usual first.

    Examples
    --------
    >>> fitting_units("absolute", None), fitting_units("close_gap", None)
    (('pp', 'GBP_per_week', 'points'), ('percent', 'share'))
    """
    levels = LEVEL_UNITS if spec is None else (spec.unit,)
    if kind == "absolute":
        return tuple(dict.fromkeys([*(CHANGE_UNITS[unit] for unit in levels if unit in CHANGE_UNITS), "points"]))
    if kind == "target":
        return tuple(unit for unit in levels if unit in LEVEL_UNITS and unit != "points")
    return ("percent",) if kind == "relative" else ("percent", "share")


def _ask(change: View, kind: str, spec: IndicatorSpec | None) -> Ask:
    """Check the unit, and return what the change asks for."""
    units = fitting_units(kind, spec)
    words = "; ".join(MEANINGS[unit] for unit in units if MEANINGS[unit] != unit)
    write = f"{' or '.join(f'unit: {unit}' for unit in units)}{f' ({words})' if words else ''}"
    found = change.value.get("unit") if isinstance(change.value, dict) else None
    if not units and spec is not None:
        what = f"a target cannot be stated in the unit of {spec.id}, '{spec.unit}'"
        (change / "kind").error(what, "write kind: absolute with unit: points, relative or close_gap")
        return Ask(kind, "", spec, (spec,))
    if found is None and isinstance(change.value, dict):
        (change / "unit").error("missing key 'unit'", f"add {write}")
    elif isinstance(found, str) and found not in units:
        whose = f" of {spec.id}" if spec is not None else ""
        what = f"unit '{escaped(found)}' does not fit a change of kind '{kind}'{whose}"
        if spec is not None and spec.unit == "points":
            what = f"the bounds of {spec.id} are unknown, so '{escaped(found)}' cannot be turned into a score"
        (change / "unit").error(what, f"write {write}")
    rivals = (spec,) if spec is not None else tuple(change.vocabulary.indicators.values())
    return Ask(kind, found if isinstance(found, str) and found in units else "", spec, rivals)


def possible(ask: Ask) -> tuple[float, float]:
    """Return the smallest and largest value of a change that some area could have, in its unit or in any."""
    units = (ask.unit,) if ask.unit else fitting_units(ask.kind, ask.spec)
    ranges = [_possible_in(unit, ask) for unit in units] or [(-math.inf, math.inf)]
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _possible_in(unit: str, ask: Ask) -> tuple[float, float]:
    if ask.kind == "close_gap":
        return (0, 1) if unit == "share" else (0, 100)
    if unit == "points":
        return -MOST_POINTS, MOST_POINTS
    if ask.kind == "relative":
        return -100, max(map(_largest_relative, ask.rivals))
    limits = [spec.hard_limits for spec in ask.rivals if unit in (spec.unit, CHANGE_UNITS.get(spec.unit))]
    low, high = (
        min((low for low, _ in limits), default=-math.inf),
        max((h for _, h in limits), default=math.inf),
    )
    return (low, high) if ask.kind == "target" else (low - high, high - low)


def _largest_relative(spec: IndicatorSpec) -> float:
    """Return the percentage that takes the lowest usual level to the upper hard limit."""
    low = spec.usual_range[0]
    return 100 * (spec.hard_limits[1] / low - 1) if low > 0 else math.inf


def _possible_ends(ask: Ask) -> tuple[float, float]:
    """Return the range of the ends of an interval: an action may be thought to widen a gap."""
    low, high = possible(ask)
    return (-high, high) if ask.kind == "close_gap" else (low, high)


def _check_size(at: View, ask: Ask, ends: tuple[float, float]) -> None:
    """Report a value that no area could have."""
    value = at.own_number()
    low, high = ends
    if value is None or low <= value <= high:
        return
    whose = f" for {ask.spec.id}" if ask.spec is not None else ""
    fix = f"give a value {_span(low, high)} {ask.unit}"
    if ask.unit == "share" and 1 < value <= 100:
        fix = f"write {number_text(value / 100)}, or unit: percent"
    at.error(f"{number_text(value)} {ask.unit}".strip() + f" is impossible{whose}", fix.strip())


def _span(low: float, high: float) -> str:
    return f"between {number_text(round(low, 1))} and {number_text(round(high, 1))}"


def _check_unusual(change: View, ask: Ask) -> None:
    value, at = change.number("value"), change / "value"
    if value is None or not ask.unit or change.findings.has_error(at.keys):
        return
    number, more = number_text(value), number_text(value * 100)
    if ask.kind == "relative" and 0 < abs(value) < 1:
        what = f"{number} percent is a very small relative change (did you mean {more}?)"
        at.warning(what, f"write {more}, or keep it")
    elif ask.kind == "close_gap" and ask.unit == "percent" and 0 < value <= 1:
        what = f"{number} percent of the gap is very little (did you mean {more}?)"
        at.warning(what, f"write {more}, or unit: share, or keep it")
    elif ask.spec is not None:
        _check_usual(at, value, ask, ask.spec)


def _check_usual(at: View, value: float, ask: Ask, spec: IndicatorSpec) -> None:
    low, high = spec.usual_range
    natural = CHANGE_UNITS.get(spec.unit, spec.unit)
    asked = f"{number_text(value)} {ask.unit}"
    moves = f"{spec.id} of an area rarely moves by more than {number_text(spec.usual_change)} {natural}"
    if ask.kind == "target" and not low <= value <= high:
        at.warning(f"{asked} is unusual: {spec.id} lies {_span(low, high)} in most years", "check it, or keep it")
    elif (ask.kind == "absolute" and ask.unit == natural and abs(value) > spec.usual_change) or (
        ask.kind == "relative" and abs(value) / 100 * low > spec.usual_change
    ):
        at.warning(f"{asked} is unusual: {moves}", "check it, or keep it")


def _check_benchmark(change: View, kind: str) -> None:
    to, at = change.text("to"), change / "to"
    if kind != "close_gap":
        if "to" in change:
            at.error(f"'to' has no meaning for kind '{kind}'", "remove it, or write kind: close_gap")
    elif "to" not in change:
        what = "missing key 'to': the level that the gap is measured to"
        at.error(what, f"add to: median, or to: {BENCHMARKS[1]}, or an area")
    elif to is not None and to not in BENCHMARKS and change.vocabulary.area_code(to) is None:
        names = [*BENCHMARKS, *change.vocabulary.areas.values()]
        what = f"expected {listed(BENCHMARKS)}, or an area; found {shown(to)}{suggestion(to, names)}"
        at.error(what, advice(to, names) if nearest(to, names) else "write median")


def _check_uncertainty(part: View, change: View) -> None:
    low, high, value = part.number("low"), part.number("high"), change.number("value")
    if low is None or high is None:
        return
    interval = f"low {number_text(low)} to high {number_text(high)}"
    if low > high:
        (part / "low").error(f"low {number_text(low)} is above high {number_text(high)}", "swap low and high")
    elif value is not None and not low <= value <= high:
        what = f"the value {number_text(value)} lies outside {interval}"
        part.error(what, "widen the interval, or mend change.value")
