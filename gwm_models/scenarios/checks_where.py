"""A rule of a target on a field of an area: a field that exists, limits that some area can pass."""

from __future__ import annotations

from gwm_models.data.index_spec import IndicatorSpec
from gwm_models.scenarios.findings import advice, escaped, listed, number_text, suggestion
from gwm_models.scenarios.known import (
    NUMBER_FIELDS,
    condition,
    field_span,
    field_texts,
    field_values,
    is_number,
    number_fields,
    spelled,
    text_fields,
)
from gwm_models.scenarios.view import View

LIMITS = ("at_least", "at_most")


def check_rule(rule: View) -> set[str] | None:
    """Check one rule; return the areas that pass it, None where it is unsound or takes a computation."""
    given = [key for key in (*LIMITS, "equals") if key in rule]
    if not given:
        rule.error("has no limit", "add at_least, at_most or equals")
    field = rule.text("field")
    if field is None or not field.strip():
        return None
    if field in text_fields(rule.vocabulary):
        return _by_text(rule, field)
    if is_number(field, rule.vocabulary):
        return _by_number(rule, field)
    known = (*text_fields(rule.vocabulary), *number_fields(rule.vocabulary))
    what = f"unknown field '{escaped(field)}'{suggestion(field, known)}"
    fix = advice(field, known) if suggestion(field, known) else f"use one of {listed(known, len(known))}"
    (rule / "field").error(what, fix)
    return None


def _by_text(rule: View, field: str) -> set[str] | None:
    for key in LIMITS:
        if key in rule:
            (rule / key).error(f"'{key}' has no meaning for {field}, which is a text", "write equals")
    text, values = rule.text("equals"), field_values(field, rule.vocabulary)
    if text is None or not text.strip():
        return None
    known = field_texts(field, rule.vocabulary)
    found = spelled(text, known)
    if found is None:
        what = f"no area has {field} '{escaped(text)}'{suggestion(text, known)}"
        (rule / "equals").error(what, advice(text, known))
    if found is None or values is None:
        return None
    return {code for code, value in values.items() if value == found}


def _by_number(rule: View, field: str) -> set[str] | None:
    if "equals" in rule:
        what = f"'equals' has no meaning for {field}, which is a number"
        (rule / "equals").error(what, "write at_least, at_most or both")
    spec = None if field in NUMBER_FIELDS else rule.vocabulary.indicators.get(field) or condition(field)
    if spec is not None and spec.unit == "points":
        what = f"no figures by area are open for {field}, so no area can be told by it"
        (rule / "field").error(what, "use another field, or worst by its domain")
        return None
    low, high = rule.number("at_least"), rule.number("at_most")
    if low is not None and high is not None and low > high:
        what = f"at_least {number_text(low)} is above at_most {number_text(high)}, so no area passes"
        (rule / "at_least").error(what, "swap the two")
        return None
    if spec is not None and not _in_reach(rule, spec, low, high):
        return None
    span = field_span(field, rule.vocabulary)
    if span is not None and not _within(rule, field, span, low, high):
        return None
    values = field_values(field, rule.vocabulary)
    if values is None or "equals" in rule or (low is None and high is None):
        return None
    numbers = {code: value for code, value in values.items() if isinstance(value, float)}
    return {code for code, v in numbers.items() if (low is None or v >= low) and (high is None or v <= high)}


def _within(rule: View, field: str, span: tuple[float, float], low: float | None, high: float | None) -> bool:
    """Report a limit beyond every figure that is published."""
    least, most = span
    for key, limit, passes in (
        ("at_least", low, low is None or low <= most),
        ("at_most", high, high is None or high >= least),
    ):
        if not passes and limit is not None:
            what = f"no area passes {key} {number_text(limit)}: {field} goes from {number_text(least)} to "
            (rule / key).error(f"{what}{number_text(most)}", "write a limit within that range")
            return False
    return True


def _in_reach(rule: View, spec: IndicatorSpec, low: float | None, high: float | None) -> bool:
    """Report a limit that no area can pass."""
    least, most = spec.hard_limits
    for key, limit, passes in (
        ("at_least", low, low is None or low <= most),
        ("at_most", high, high is None or high >= least),
    ):
        if not passes and limit is not None:
            what = f"no area passes {key} {number_text(limit)}: {spec.id} lies between {number_text(least)} and "
            (rule / key).error(f"{what}{number_text(most)}", "write a limit within that range")
            return False
    return True
