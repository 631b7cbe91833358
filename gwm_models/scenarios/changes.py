"""What a change asks for: its kind, the keys and the unit that go with it, its benchmark and its path."""

from __future__ import annotations

from gwm_models.data.index_spec import IndicatorSpec
from gwm_models.scenarios.checks_size import MEANINGS, Ask, check_sizes, fitting_units
from gwm_models.scenarios.findings import closest, escaped, listed, number_text, shown
from gwm_models.scenarios.known import SHOCKS, condition, conditions, shocks_of, spelled
from gwm_models.scenarios.view import View

BENCHMARKS = ("median", "best_quintile", "mean")
CLOSE = 0.75
"""Likeness from which a name may be meant by another."""
KINDS = ("absolute", "relative", "target", "close_gap", "to_quantile", "path", "shock")
SELF_TIMED = ("path", "shock")
"""Kinds that say themselves when they come, so that they have no phasing."""
OWN_KEYS = {"to": "close_gap", "path": "path", "profile": "shock"}
"""Keys of one kind only, which needs them."""
EXAMPLES = {"value": "2.0", "path": "[[2026, 0.5], [2029, 2.0]]", "profile": '"2009"'}


def check_change(action: View, horizon: View) -> None:
    """Check the change and the uncertainty of one action."""
    change, uncertainty = action / "change", action / "uncertainty"
    kind = change.text("kind")
    if kind in KINDS:
        _check_keys(change, kind)
        spec = _spec_of(action)
        if _can_be(change, kind, spec, on_condition=_on_condition(action)):
            check_sizes(change, uncertainty, _ask(change, kind, spec, _on_condition(action)))
        _check_benchmark(change, kind)
        if kind == "path":
            check_years(change, year_span(horizon, "start", "end"), "the horizon")
    _check_uncertainty(uncertainty, change)


def _on_condition(action: View) -> bool:
    return "condition" in action and "indicator" not in action


def _spec_of(action: View) -> IndicatorSpec | None:
    """Return the definition of what the action changes, None if that is not known."""
    if _on_condition(action):
        return condition(action.text("condition") or "")
    return action.vocabulary.indicators.get(action.text("indicator") or "")


def _check_keys(change: View, kind: str) -> None:
    """Check that the change has the keys of its kind, and no others."""
    if kind == "path":
        if "value" in change:
            (change / "value").error("'value' has no meaning for kind 'path'", "remove it: a path gives its own sizes")
    else:
        change.need("value", EXAMPLES["value"])
    for key, owner in OWN_KEYS.items():
        if kind != owner and key in change:
            (change / key).error(f"'{key}' has no meaning for kind '{kind}'", f"remove it, or write kind: {owner}")
        elif kind == owner and key in EXAMPLES:
            change.need(key, EXAMPLES[key])


def _can_be(change: View, kind: str, spec: IndicatorSpec | None, *, on_condition: bool) -> bool:
    """Report a kind of change that is impossible for an indicator or condition."""
    at = change / "kind"
    if kind == "shock" and on_condition:
        what = "a shock is what happened to an indicator; no condition has one"
        at.error(what, "name an indicator, or write kind: absolute")
    elif spec is not None and spec.unit == "points" and kind not in ("absolute", "path"):
        what = f"the bounds of {spec.id} are unknown, so its level cannot be changed by kind '{kind}'"
        at.error(what, "write kind: absolute with unit: points")
    elif kind == "shock" and not change.vocabulary.panel_variables:
        what = f"{change.vocabulary.edition} has no yearly figures, so it has no shocks"
        at.error(what, "write kind: absolute or path, with the size of the shock")
    elif kind == "shock" and spec is not None and change.text("profile") in set(SHOCKS) - set(shocks_of(spec)):
        what = (
            f"what {change.text('profile')} did to {spec.id} is not known: it has no figures of those years to compare"
        )
        known = [name for name, other in change.vocabulary.indicators.items() if shocks_of(other)]
        at.error(what, f"write kind: path, or choose {listed(known)}")
    else:
        return True
    return False


def _ask(change: View, kind: str, spec: IndicatorSpec | None, on_condition: bool) -> Ask:
    """Check the unit, and return what the change asks for."""
    units = fitting_units(kind, spec, on_condition=on_condition)
    known = conditions() if on_condition else change.vocabulary.indicators
    rivals = (spec,) if spec is not None else tuple(known.values())
    if not units and spec is not None:
        noun = "target" if kind == "target" else "change"
        what = f"a {noun} cannot be stated in the unit of {spec.id}, '{spec.unit}'"
        others = "kind: relative or close_gap" if on_condition else "kind: absolute with unit: points, relative or"
        (change / "kind").error(what, f"write {others}" + ("" if on_condition else " close_gap"))
        return Ask(kind, "", spec, rivals, on_condition)
    words = "; ".join(MEANINGS[unit] for unit in units if MEANINGS[unit] != unit)
    write = f"{' or '.join(f'unit: {unit}' for unit in units)}{f' ({words})' if words else ''}"
    found = change.value.get("unit") if isinstance(change.value, dict) else None
    if found is None and isinstance(change.value, dict):
        (change / "unit").error("missing key 'unit'", f"add {write}")
    elif isinstance(found, str) and found not in units:
        whose = f" of {spec.id}" if spec is not None else ""
        what = f"unit '{escaped(found)}' does not fit a change of kind '{kind}'{whose}"
        if spec is not None and spec.unit == "points":
            what = f"the bounds of {spec.id} are unknown, so '{escaped(found)}' cannot be turned into a score"
        (change / "unit").error(what, f"write {write}")
    return Ask(kind, found if isinstance(found, str) and found in units else "", spec, rivals, on_condition)


def _check_benchmark(change: View, kind: str) -> None:
    to, at, words = change.text("to"), change / "to", change.vocabulary
    if kind != "close_gap":
        return
    if "to" not in change:
        what = "missing key 'to': the level that the gap is measured to"
        at.error(what, f"add to: median, or to: {BENCHMARKS[1]}, or a region, or an area")
    elif to is not None and to not in BENCHMARKS and not spelled(to, words.regions) and words.area_code(to) is None:
        names = [*BENCHMARKS, *words.regions, *words.areas.values()]
        near = closest(to, names, cutoff=CLOSE)
        meant = f" (did you mean {listed(near)}?)" if near else ""
        what = f"expected {listed(BENCHMARKS)}, or a region or an area; found {shown(to)}{meant}"
        regions = f"write median, one of the regions {listed(words.regions)}, or an area's name"
        at.error(what, f"write {listed(near)}" if near else regions)


def points_of(part: View) -> list[tuple[View, int, float]]:
    """Return the sound points of a path: where each stands, its year, its size."""
    found = []
    for item in part.items("path"):
        year, size = item.whole(0), item.number(1)
        if isinstance(item.value, list) and len(item.value) == 2 and year is not None and size is not None:
            found.append((item, year, size))
    return found


def year_span(part: View, first: str, last: str) -> tuple[int, int] | None:
    """Return the first and the last year of a part, None if they are not sound and in order."""
    start, end = part.whole(first), part.whole(last)
    return (start, end) if start is not None and end is not None and start <= end else None


def check_years(part: View, ends: tuple[int, int] | None, inside: str) -> None:
    """Check that the years of a path rise and lie between two ends, and that some size is not 0."""
    points = points_of(part)
    before: int | None = None
    for at, year, _ in points:
        if before is not None and year <= before:
            at.error(f"year {year} does not come after year {before} before it", "put the years in order, each once")
        before = max(year, before or year)
        if ends is not None and not ends[0] <= year <= ends[1]:
            what = f"year {year} is outside {inside}, {ends[0]} to {ends[1]}"
            at.error(what, f"write a year from {ends[0]} to {ends[1]}, or mend {inside}")
    if points and not any(size for _, _, size in points):
        (part / "path").error("every size is 0, so nothing ever changes", "give a size other than 0, or remove it")


def _check_uncertainty(part: View, change: View) -> None:
    low, high, value = part.number("low"), part.number("high"), _size(change)
    if low is None or high is None:
        return
    interval = f"low {number_text(low)} to high {number_text(high)}"
    if low > high:
        (part / "low").error(f"low {number_text(low)} is above high {number_text(high)}", "swap low and high")
    elif value is not None and not low <= value <= high:
        key, name = ("path", "largest size of the path,") if change.text("kind") == "path" else ("value", "value")
        what = f"the {name} {number_text(value)}{',' if key == 'path' else ''} lies outside {interval}"
        part.error(what, f"widen the interval, or mend change.{key}")


def _size(change: View) -> float | None:
    """Return the size that the uncertainty is about: the value, or the largest size of a path, sign kept."""
    if change.text("kind") != "path":
        return change.number("value")
    sizes = [size for _, _, size in points_of(change)]
    return max(sizes, key=abs) if sizes and len(sizes) == len(list(change.items("path"))) else None
