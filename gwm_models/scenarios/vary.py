"""One number of a scenario, found by its path and set to another value: what goals and sweeps vary."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gwm_models.errors import ModelError
from gwm_models.scenarios.findings import Keys, as_lists, escaped, listed, suggestion, value_at
from gwm_models.scenarios.shape import fields_of
from gwm_models.scenarios.spec import Scenario, Sweep
from gwm_models.scenarios.view import LARGEST

TOPS = ("actions", "health", "horizon")
"""Parts of a scenario whose numbers may be varied; the others say how it is computed, not what is done."""
NAMES = ("id", "outcome")
"""Keys by which the items of a list are addressed."""
MOST_RUNS = 100_000
MOST_VALUE = 100.0
"""Largest percentage of a gap, and of a level in percent."""


class PathError(ModelError):
    """A path that leads to no number of a scenario.

    Attributes
    ----------
    what, fix : str
    """

    def __init__(self, path: str, what: str, fix: str) -> None:
        self.what, self.fix = what, fix
        super().__init__(f"{escaped(path, 200)}: {what}. {fix[:1].upper()}{fix[1:]}.")


@dataclass(frozen=True)
class Found:
    """A number of a scenario.

    Attributes
    ----------
    keys : tuple
        Where it stands in the content.
    value : float
        Its value; the one that holds by default where the file leaves it out.
    whole : bool
        Whether it must be a whole number, such as a year.
    """

    keys: Keys
    value: float
    whole: bool


def find_number(content: dict[str, Any], path: str) -> Found:
    """Find the number at a path such as ``actions.participation.change.value``.

    Actions go by their id, health links by their outcome, the points of a path by their year
    (``actions.recovery.change.path.2029``), items of other lists by their place from 1.

    Raises
    ------
    PathError
        If nothing stands there, or no number, or one that may not be varied.

    Examples
    --------
    >>> find_number({"actions": [{"id": "pay", "change": {"value": 20}}]}, "actions.pay.change.value").value
    20.0
    """
    words = path.split(".")
    if words[0] not in TOPS:
        raise PathError(path, f"only numbers of {listed(TOPS)} can be varied", f"begin it with {TOPS[0]}")
    part: Any = as_lists(content)
    keys: Keys = ()
    field: FieldInfo | None = None
    model: type[BaseModel] | None = Scenario
    for depth, word in enumerate(words):
        at = f"'{escaped('.'.join(words[:depth]), 200)}'" if depth else "the scenario"
        if isinstance(part, list):
            place = _place(part, word, path, at)
            keys, part = (*keys, place), part[place]
        elif isinstance(part, dict):
            field, inner = fields_of(model).get(word, (None, None)) if model else (None, None)
            part = _step(part, word, field, path, at)
            keys, model = (*keys, word), inner or model
        else:
            raise PathError(path, f"{at} holds nothing called '{escaped(word)}'", "end the path there")
    if keys[-2:-1] == ("path",) and _is_point(part):
        keys, part, field = (*keys, 1), part[1], None
    if isinstance(part, bool) or not isinstance(part, int | float) or not abs(part) <= LARGEST:
        further = [key for key, value in part.items() if _leads_on(value)] if isinstance(part, dict) else []
        fix = f"go on with {listed(further)}" if further else "name a number"
        raise PathError(path, f"'{escaped(path, 200)}' is no number", fix)
    return Found(keys, float(part), field is not None and _is_whole(field.annotation))


def _leads_on(value: Any) -> bool:
    """Tell whether a value is a number, or holds some."""
    return isinstance(value, dict | list | int | float) and not isinstance(value, bool)


def set_number(content: dict[str, Any], path: str, value: float) -> dict[str, Any]:
    """Return a copy of a scenario's content with one number set to another value.

    The interval of a change or of a cost keeps its proportion to the value: its ends (and the spread across areas) are
    multiplied by what the value is multiplied by, or moved with it where the value was 0; ends beyond what a gap,
    a quantile or a percentage can be are cut there. Numbers that must be whole are rounded.

    Parameters
    ----------
    content : dict
        As read from a file, or of a `Scenario` (``scenario.model_dump(by_alias=True)``); it is not changed.
    path : str
        As for `find_number`.
    value : float

    Raises
    ------
    PathError
        As `find_number`.

    Examples
    --------
    >>> content = {"actions": [{"id": "a", "change": {"value": 2}, "uncertainty": {"low": 1, "high": 3}}]}
    >>> set_number(content, "actions.a.change.value", 4.0)["actions"][0]["uncertainty"]
    {'low': 2.0, 'high': 6.0}
    """
    made: dict[str, Any] = as_lists(content)
    found = find_number(made, path)
    peak = _peak(value_at(made, found.keys[:-2])) if _is_size(found.keys) else 0.0
    part: Any = made
    for key in found.keys[:-1]:
        if isinstance(part, dict) and part.get(key) is None:
            part[key] = {}
        part = part[key]
    part[found.keys[-1]] = round(value) if found.whole else float(value)
    if found.keys[-2:] == ("change", "value"):
        _rescale(value_at(made, (*found.keys[:2], "uncertainty")), found.value, value, _most(part))
    elif _is_size(found.keys):
        after = _peak(value_at(made, found.keys[:-2]))
        _rescale(value_at(made, (*found.keys[:2], "uncertainty")), peak, after, math.inf)
    elif found.keys[-1] == "value" and found.keys[2:3] == ("cost",):
        _rescale(part, found.value, value, math.inf)
    return made


def without_search(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a goal, sweep or portfolio as that of an ordinary scenario, ready to be varied and checked.

    Examples
    --------
    >>> without_search({"kind": "goal", "goal": {"at_least": 5}, "id": "a"})
    {'kind': 'scenario', 'id': 'a'}
    """
    plain = {key: value for key, value in content.items() if key not in ("goal", "sweep", "portfolio")}
    return {**plain, "kind": "scenario"} if "kind" in plain else plain


def count_points(sweep: Sweep) -> int:
    """Return the number of points of a sweep: combinations of a grid, or the points asked for."""
    if sweep.design != "grid":
        return sweep.points or 0
    return math.prod(len(vary.values) if vary.values else sweep.steps or 0 for vary in sweep.vary)


def _place(items: list[Any], word: str, path: str, at: str) -> int:
    """Return the place of an item: by id, by year, or by number from 1."""
    names = [_name(item) for item in items]
    if word in names:
        return names.index(word)
    if not any(names) and word.isascii() and word.isdigit() and 1 <= int(word) <= len(items):
        return int(word) - 1
    known = [escaped(name) for name in names if name]
    what = f"{at} has no '{escaped(word)}'{suggestion(word, known)}"
    raise PathError(path, what, f"use {listed(known)}" if known else f"use a number from 1 to {len(items)}")


def _name(item: Any) -> str:
    if isinstance(item, dict):
        return next((str(item[key]) for key in NAMES if isinstance(item.get(key), str)), "")
    return str(item[0]) if _is_point(item) else ""


def _is_point(item: Any) -> bool:
    """Tell whether an item is a year and a size."""
    return isinstance(item, list) and len(item) == 2 and isinstance(item[0], int)


def _step(part: dict[str, Any], word: str, field: FieldInfo | None, path: str, at: str) -> Any:
    """Return what stands under a key, or what holds there by default."""
    if part.get(word) is not None:
        return part[word]
    default = None if field is None else field.default
    if isinstance(default, BaseModel):
        return default.model_dump(by_alias=True)
    if isinstance(default, int | float):
        return default
    known = [key for key, value in part.items() if value is not None]
    what = f"{at} has no '{escaped(word)}'{suggestion(word, known)}"
    raise PathError(path, what, f"use one of {listed(known, len(known))}, or write '{escaped(word)}' in the file")


def _is_whole(annotation: Any) -> bool:
    types = set(_types(annotation))
    return int in types and float not in types


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _types(part)


def _is_size(keys: Keys) -> bool:
    """Tell whether keys are those of a size of a change by path."""
    return keys[2:4] == ("change", "path") and len(keys) == 6


def _peak(points: Any) -> float:
    sizes = [point[1] for point in points if _is_point(point)] if isinstance(points, list) else []
    return float(max(sizes, key=abs, default=0.0))


def _most(change: dict[str, Any]) -> float:
    """Return the largest magnitude that an end of the interval of a change can have."""
    kind, unit = change.get("kind"), change.get("unit")
    if unit == "quantile":
        return math.nextafter(1, 0)
    if kind == "close_gap" and unit == "share":
        return 1.0
    return MOST_VALUE if kind in ("close_gap", "target") and unit == "percent" else math.inf


def _rescale(interval: Any, before: float, after: float, most: float) -> None:
    """Move the ends of an interval with the value they are about."""
    if not isinstance(interval, dict):
        return
    ends = [interval.get(key) for key in ("low", "high")]
    if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends):
        return
    factor = after / before if before else 1.0
    moved = sorted(float(end) * factor if before else float(end) + after for end in ends)  # type: ignore[arg-type]
    cut = [max(-most, min(most, end)) for end in moved]
    interval["low"], interval["high"] = min(cut[0], after), max(cut[1], after)
    if before and isinstance(interval.get("across_areas"), int | float):
        interval["across_areas"] = float(interval["across_areas"]) * abs(factor)
