"""A rule of a target on a field of an area: a field that exists, limits that some area can pass."""

from __future__ import annotations

from gwm_models.scenarios.findings import advice, escaped, limits_text, listed, number_text, suggestion
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
from gwm_models.scenarios.usual import level_span
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


def none_passes(rule: View, left: set[str]) -> tuple[str, str]:
    """Say that a sound rule passes none of the areas that the rest of its target leaves, and what to write."""
    field, values = rule.text("field") or "", field_values(rule.text("field") or "", rule.vocabulary) or {}
    own = [values[code] for code in left if code in values]
    said = limits_text(rule.number("at_least"), rule.number("at_most"), rule.text("equals"))
    numbers = [value for value in own if isinstance(value, float)]
    many = len(left) > 1
    whom = f"the {len(left)} areas that the rest of the target leaves" if many else "the one area left"
    what = f"no area passes '{field} {said}': "
    if numbers:
        span = f"it goes from {number_text(_rounded(min(numbers)))} to {number_text(_rounded(max(numbers)))}"
        return f"{what}in {whom} {span}", "write a limit within that range, or widen the rest"
    if not own:
        return f"{what}{whom} {'have' if many else 'has'} no figure", "use another field, or widen the rest"
    texts = listed(sorted({str(value) for value in own}))
    return f"{what}{whom} {'have' if many else 'has'} {texts}", "name one of these, or widen the rest"


def _rounded(value: float) -> float:
    return float(f"{value:.4g}") if abs(value) < 1000 else round(value)


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
    ends = (low, high)
    if spec is not None and not _within(rule, f"{spec.id} lies between", spec.hard_limits, "and", ends):
        return None
    span = field_span(field, rule.vocabulary)
    if span is not None and not _within(rule, f"{field} goes from", span, "to", ends):
        return None
    levels = level_span(field, rule.vocabulary)
    said = f"{field} of an area, sampling error taken out, goes from"
    if levels is not None and not _within(rule, said, levels, "to", ends):
        return None
    values = field_values(field, rule.vocabulary)
    if values is None or "equals" in rule or (low is None and high is None):
        return None
    numbers = {code: value for code, value in values.items() if isinstance(value, float)}
    return {code for code, v in numbers.items() if (low is None or v >= low) and (high is None or v <= high)}


def _within(rule: View, what: str, span: tuple[float, float], to: str, ends: tuple[float | None, float | None]) -> bool:
    """Report a limit that no figure within a span passes."""
    (least, most), (low, high) = span, ends
    for key, limit, passes in (
        ("at_least", low, low is None or low <= most),
        ("at_most", high, high is None or high >= least),
    ):
        if not passes and limit is not None:
            said = f"no area passes {key} {number_text(limit)}: {what} {number_text(least)} {to} {number_text(most)}"
            (rule / key).error(said, "write a limit within that range")
            return False
    return True
