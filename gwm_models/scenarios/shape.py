"""The shape of a scenario: misspelt and misplaced keys, and the faults pydantic finds, in plain words."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from gwm_models.scenarios.findings import (
    Findings,
    Keys,
    escaped,
    listed,
    nearest,
    number_text,
    shown,
    value_at,
)
from gwm_models.scenarios.source import UNREADABLE
from gwm_models.scenarios.spec import Scenario

Model = type[BaseModel]
LEAST_PERCENT = 10.0
"""A share from here on was meant as a percentage; one above 1 and below it may be a slip of the point."""
OF_NUMBERS = re.compile(r": \[[\d.]")
"""What the example of a list of numbers looks like."""
FORM = "form: "
"""What the names that spec gives to the forms of a union begin with."""


def repair_keys(findings: Findings) -> None:
    """Report every unknown key, and put what stands under a misspelt one where it belongs.

    So the content of a misspelt key is checked too, and the right key is not reported as missing.
    """
    _repair(findings, Scenario, ())


def _repair(findings: Findings, model: Model, keys: Keys) -> None:
    part = value_at(findings.data, keys)
    fields = fields_of(model)
    for key in [key for key in part if key not in fields]:
        target = _unknown(findings, key, fields, keys)
        value = part.pop(key)
        if target is not None:
            part[target] = value
            findings.rename((*keys, key), (*keys, target))
    for key, (_, inner) in fields.items():
        value = part.get(key)
        if inner is None:
            continue
        if isinstance(value, dict):
            _repair(findings, inner, (*keys, key))
        elif isinstance(value, list):
            for place, item in enumerate(value):
                if isinstance(item, dict):
                    _repair(findings, inner, (*keys, key, place))


def _unknown(findings: Findings, key: str, fields: dict[str, Any], keys: Keys) -> str | None:
    """Report an unknown key; return the key that was meant, if that is still free."""
    part = value_at(findings.data, keys)
    place, word = (*keys, key), f"unknown key '{escaped(key)}'"
    home = _homes().get(key)
    near = nearest(key, fields, cutoff=0.8 if home else 0.6)
    if near and near[0] in part:
        findings.error(place, f"{word}; '{near[0]}' is given already", "remove it", on_key=True)
    elif near:
        findings.error(place, f"{word} (did you mean '{near[0]}'?)", f"write '{near[0]}'", on_key=True)
        return near[0]
    elif home:
        findings.misplaced.add((*keys[:2], key))
        findings.error(place, f"{word} here; it belongs in {home}", "move it there", on_key=True)
    else:
        findings.error(place, word, f"remove it; the keys here are {listed(fields, len(fields))}", on_key=True)
    return None


@lru_cache(maxsize=64)
def fields_of(model: Model) -> dict[str, tuple[FieldInfo, Model | None]]:
    """Return the keys of a part of the file, each with the kind of part it holds, if any."""
    return {field.alias or name: (field, _model_in(field.annotation)) for name, field in model.model_fields.items()}


def _model_in(annotation: Any) -> Model | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


@lru_cache(maxsize=1)
def _homes() -> dict[str, str]:
    """Return the first part of the file that each key belongs to."""
    homes = dict.fromkeys(fields_of(Scenario), "the top level")

    def visit(model: Model, path: str) -> None:
        inner = [(key, part) for key, (_, part) in fields_of(model).items() if part is not None]
        for key, part in inner:
            for name in fields_of(part):
                homes.setdefault(name, f"'{path}{key}'")
        for key, part in inner:
            visit(part, f"{path}{key}.")

    visit(Scenario, "")
    return homes


def check_shape(findings: Findings) -> tuple[Scenario | None, list[dict[str, Any]]]:
    """Validate the content; return the scenario, or the faults with ``loc`` as keys of the file."""
    try:
        return Scenario.model_validate(findings.data), []
    except ValidationError as error:
        faults: list[dict[str, Any]] = [{**fault} for fault in error.errors(include_url=False)]
    for fault in faults:
        keys = tuple(_keys_in_file(findings.data, fault["loc"]))
        fault["loc"] = keys[:-1] if fault["type"] == "missing" and isinstance(keys[-1], int) else keys
    return None, [fault for fault in faults if fault.get("input") is not UNREADABLE]


def _keys_in_file(data: Any, loc: Keys) -> Iterator[str | int]:
    """Leave out the names pydantic gives to the forms of a union."""
    for key in loc:
        if isinstance(key, str) and key.startswith(FORM):
            continue
        yield key
        data = value_at(data, (key,))


def report_shape(findings: Findings, faults: list[dict[str, Any]]) -> None:
    """Report the faults of shape, but where something more exact is known already."""
    for fault in faults:
        keys: Keys = fault["loc"]
        if findings.has_error(keys) or _is_long_enough(fault):
            continue
        if fault["type"] == "missing" and (*keys[:2], keys[-1]) in findings.misplaced:
            continue
        what, fix = _in_words(fault, findings)
        findings.error(keys, what, fix)


def _is_long_enough(fault: dict[str, Any]) -> bool:
    """Tell whether a list is called too short only because items of it are unsound, which are reported themselves."""
    value = fault.get("input")
    return fault["type"] == "too_short" and isinstance(value, list) and len(value) >= fault["ctx"]["min_length"]


def _in_words(fault: dict[str, Any], findings: Findings) -> tuple[str, str]:
    keys, kind, value = fault["loc"], fault["type"], fault.get("input")
    field = _field(keys)
    if kind == "missing" and isinstance(value, list):
        pair = "a year and a number" if "path" in keys else "two years, first and last"
        return f"expected {pair}", f"write {_example(field)}"
    if kind == "missing":
        return f"missing key '{keys[-1]}'", f"add '{_line(keys[-1], field)}'"
    if value is None:
        return "is empty", _give(keys, field)
    percentage = _percentage(value) if kind == "float_type" else None
    if percentage is not None and "unit" not in _siblings(keys):
        number = percentage / 100 if _is_share(field) else percentage
        return f"expected a number; found {shown(value)}", f"write {number_text(number)}"
    words = WORDS.get(kind)
    if words is None:
        return f"{fault['msg'][:1].lower()}{fault['msg'][1:]}; found {shown(value)}", _give(keys, field)
    return words(value, fault.get("ctx", {}), _give(keys, field))


def _field(keys: Keys) -> FieldInfo | None:
    """Return the definition of what stands at these keys."""
    model: Model | None = Scenario
    field = None
    for key in keys:
        if isinstance(key, str) and model is not None:
            field, model = fields_of(model).get(key, (None, None))
    return field


def _siblings(keys: Keys) -> set[str]:
    """Return the keys that may stand beside the last of these."""
    model: Model | None = Scenario
    for key in [key for key in keys if isinstance(key, str)][:-1]:
        model = fields_of(model)[key][1] if model is not None else None
    return set(fields_of(model)) if model is not None else set()


def _percentage(value: Any) -> float | None:
    """Return the number of a text such as 80%, None for another."""
    text = value.strip() if isinstance(value, str) else ""
    try:
        return float(text[:-1]) if text.endswith("%") else None
    except ValueError:
        return None


def _is_share(part: Any) -> bool:
    """Tell whether a number, by the definition of its field or type, is 1 at most."""
    if isinstance(part, FieldInfo):
        bounded = any(getattr(rule, "lt", getattr(rule, "le", None)) == 1 for rule in part.metadata)
        return bounded or _is_share(part.annotation)
    return any(map(_is_share, get_args(part)))


def _example(field: FieldInfo | None) -> str:
    example = field.examples[0] if field is not None and field.examples else ""
    if isinstance(example, str):
        return example
    return json.dumps(example).replace('"', "")


def _line(key: str | int, field: FieldInfo | None) -> str:
    example = _example(field)
    return f"{key}: {example}" if example else f"{key}: ..."


def _give(keys: Keys, field: FieldInfo | None) -> str:
    named = [key for key in keys if isinstance(key, str)]
    if keys and isinstance(keys[-1], int):
        return f"write it as in '{_line(named[-1], field)}'"
    return f"write it as '{_line(named[-1], field)}'" if named else "start with 'schema: gwm-scenario/1'"


Words = Callable[[Any, dict[str, Any], str], tuple[str, str]]


def _expected(noun: str) -> Words:
    return lambda value, _, give: (f"expected {noun}; found {shown(value)}", give)


def _number(noun: str) -> Words:
    def words(value: Any, _: dict[str, Any], give: str) -> tuple[str, str]:
        return f"expected {noun}; found {shown(value)}", _number_fix(value) or give

    return words


def _number_fix(value: Any) -> str:
    if isinstance(value, float):
        whole = math.isfinite(value) and value == round(value)
        return f"write {round(value)}" if whole else ""
    if not isinstance(value, str):
        return ""
    bare = value.strip().removesuffix("%").strip()
    for text, fix in (
        (value, f"write {value.strip()[:40]} without quotes"),
        (bare, f"write {bare[:40]}, and name the unit in 'unit'"),
        (value.replace(",", "."), f"write {value.replace(',', '.')[:40]}"),
        (value.replace("_", "").replace(",", ""), "write the digits only"),
    ):
        try:
            float(text)
        except ValueError:
            continue
        return escaped(fix, 120)
    return "write a number"


def _list(value: Any, _: dict[str, Any], give: str) -> tuple[str, str]:
    if isinstance(value, int | float) and not isinstance(value, bool) and OF_NUMBERS.search(give):
        return f"expected a list; found {shown(value)}", f"write [{number_text(value)}]"
    text = isinstance(value, str) and not any(char in value for char in "[]{},")
    return f"expected a list; found {shown(value)}", f"write [{escaped(value)}]" if text else give


def _mapping(value: Any, _: dict[str, Any], give: str) -> tuple[str, str]:
    return f"expected a mapping of keys; found {shown(value)}", give


def _word(value: Any, ctx: dict[str, Any], give: str) -> tuple[str, str]:
    allowed = [word.strip("'") for word in ctx["expected"].replace(" or ", ", ").split(", ")]
    quoted = [word for word in allowed if word.isdigit()]
    if quoted:
        fix = f"write {listed([str(value)] if str(value) in quoted else quoted)}, quotes included"
        return f"expected {listed(allowed)}; found {shown(value)}", fix
    near = nearest(value, allowed) if isinstance(value, str) else []
    meant = f" (did you mean '{near[0]}'?)" if near else ""
    fix = f"write {near[0]}" if near else f"write {listed(allowed)}"
    return f"expected {listed(allowed)}; found {shown(value)}{meant}", fix


def _bound(words: str, name: str) -> Words:
    def say(value: Any, ctx: dict[str, Any], give: str) -> tuple[str, str]:
        limit = ctx[name]
        fix = f"give a value {words} {number_text(limit)}"
        if name in ("lt", "le") and limit == 1 and 1 < value <= 100:
            fix = _share_fix(value)
        return f"must be {words} {number_text(limit)}; found {shown(value)}", fix

    return say


def _share_fix(value: float) -> str:
    """Say what a share above 1 may stand for: a percentage, or below 10 a slip of the point just as well."""
    percent = f"{number_text(value / 100)} for {number_text(value)} percent"
    return f"write {percent}" if value >= LEAST_PERCENT else f"write {number_text(value / 10)}, or {percent}"


def _slug(value: Any, ctx: dict[str, Any], give: str) -> tuple[str, str]:
    if ctx["pattern"] == r"\S":
        return "is blank", give
    slug = "-".join("".join(char if char.isascii() and char.isalnum() else " " for char in value.lower()).split())
    what = f"must be lower-case letters, digits and hyphens, not a hyphen first; found {shown(value)}"
    return what, f"write '{slug[:80]}'" if slug else give


def _length(words: str, name: str, noun: str) -> Words:
    def say(value: Any, ctx: dict[str, Any], give: str) -> tuple[str, str]:
        found = ctx.get("actual_length", len(value))
        return f"must have {words} {ctx[name]} {noun}; found {found}", "shorten it" if noun == "characters" else give

    return say


WORDS: dict[str, Words] = {
    "string_type": _expected("a text"),
    "string_unicode": _expected("a text of ordinary characters"),
    "bool_type": _expected("true or false"),
    "float_type": _number("a number"),
    "finite_number": _number("a finite number"),
    "int_type": _number("a whole number"),
    "tuple_type": _list,
    "model_type": _mapping,
    "model_attributes_type": _mapping,
    "literal_error": _word,
    "greater_than": _bound("above", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("below", "lt"),
    "less_than_equal": _bound("at most", "le"),
    "string_pattern_mismatch": _slug,
    "string_too_long": _length("at most", "max_length", "characters"),
    "too_short": _length("at least", "min_length", "item"),
    "too_long": _length("at most", "max_length", "items"),
}
