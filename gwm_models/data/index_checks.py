"""Faults of an index definition: every one is found in one pass, each with its place in the file."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gwm_models.errors import Problem, some

SCHEMA = "gwm-index/1"
STATUSES = ("reproduced", "stated", "calibrated", "proxy", "unknown")
WITH_BOUNDS = ("reproduced", "stated", "proxy")
TOP = ("schema", "id", "title", "publisher", "scale", "domains", "indicators", "outcomes", "notes")
DOMAIN = ("id", "label", "parent")
INDICATOR = (
    *("id", "label", "domain", "direction", "unit", "period", "source", "values", "bounds", "notes"),
    *("hard_limits", "usual_range", "usual_change", "sampling"),
)
OUTCOME = ("id", "label", "unit", "period", "table")
OPTIONAL = {
    *("schema", "outcomes", "parent", "values", "notes"),
    *("hard_limits", "usual_range", "usual_change", "sampling"),
}
TEXTS = ("id", "label", "title", "publisher", "unit", "period", "source")
TAKEN = frozenset(
    (
        *("rank", "total", "n", "name", "group", "unit", "year", "level", "quantity", "term", "typical", "prob_own"),
        *("estimate", "std_error", "lower", "upper", "report_name", "area_code", "area_name", "region_name"),
        *("residents_per_km2", "county_share", "healthy_life", "healthy_life_by_residents"),
    )
)
"""Columns of results: an id of the same name would hide one."""
ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
FIXES = {
    "direction": "write 1 where more is better, -1 where less is",
    "domain": "name the one domain it belongs to",
    "bounds": "write bounds: {status: ..., low: ..., high: ...}, or {status: unknown} where they are not known",
    "scale": "write scale: {low: 1, high: 100}",
}

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where in the definition, what is wrong, what to do about it."""

    path: Path
    what: str
    fix: str


def definition_faults(raw: object) -> list[Fault]:
    """Return every fault of a definition as it was read from YAML.

    Parameters
    ----------
    raw : object
        What the file holds.

    Returns
    -------
    list of Fault
        Empty if an index can be built from it.
    """
    if not isinstance(raw, Mapping):
        return [Fault((), f"expected a mapping, found {_found(raw)}", f"start with {TOP[0]}, {TOP[1]}, {TOP[2]}")]
    faults = [*_keys(raw, TOP, ())]
    if raw.get("schema", SCHEMA) != SCHEMA:
        faults.append(Fault(("schema",), f"expected {SCHEMA}, found {_found(raw['schema'])}", f"write {SCHEMA}"))
    if "scale" in raw:
        faults += _interval(raw["scale"], ("scale",), needed=True)
    lists = {name: _list(raw.get(name, []), name, faults) for name in ("domains", "indicators", "outcomes")}
    for name, keys in (("domains", DOMAIN), ("indicators", INDICATOR), ("outcomes", OUTCOME)):
        for place, item in lists[name].items():
            faults += _keys(item, keys, (name, place))
    domains = [str(item.get("id")) for item in lists["domains"].values()]
    faults += _domains(lists["domains"])
    faults += _twice(lists["indicators"], domains)
    for place, item in lists["indicators"].items():
        if "id" in item and str(item["id"]) in domains:
            what = f"the id '{item['id']}' is that of a domain too"
            faults.append(Fault(("indicators", place, "id"), what, "rename one of the two"))
        faults += _indicator(item, ("indicators", place), domains)
    for place, item in lists["outcomes"].items():
        table = item.get("table", {"variable": "", "sex": ""})
        if not isinstance(table, Mapping) or {*table} != {"variable", "sex"}:
            faults.append(Fault(("outcomes", place, "table"), "expected variable and sex", "name both"))
    return faults


def problems(faults: list[Fault], file: str, text: str, raw: object) -> list[Problem]:
    """Give each fault its line and column in the file, and its place in words.

    Parameters
    ----------
    faults : list of Fault
    file : str
        The file as the user named it.
    text : str
        Its text, which was read into `raw`.
    raw : object

    Returns
    -------
    list of Problem
        Sorted by line.
    """
    from ruamel.yaml import YAML

    tree = YAML(typ="safe", pure=True).compose(text)
    return sorted(
        Problem(file, *_mark(tree, fault.path), "error", _words(fault.path, raw), fault.what, fault.fix)
        for fault in faults
    )


def _keys(item: Mapping[str, Any], known: Collection[str], path: Path) -> Iterator[Fault]:
    """Find keys that are missing, unknown or not text where text is needed."""
    for name in item:
        if name not in known:
            yield _unknown(name, known, path)
    for name in known:
        if name not in item and name not in OPTIONAL:
            yield Fault(path, f"'{name}' is missing", FIXES.get(name, f"add {name}"))
    for name in TEXTS:
        if name in known and name in item and not (isinstance(item[name], str | int) and str(item[name]).strip()):
            yield Fault((*path, name), f"expected text, found {_found(item[name])}", f"write the {name}")
    if "id" in known and isinstance(item.get("id"), str | int) and str(item["id"]).strip():
        if not isinstance(item["id"], str) or not ID.fullmatch(item["id"]):
            yield Fault((*path, "id"), f"'{item['id']}' is not an id", "use letters, digits, - and _")
        elif path and item["id"] in TAKEN:
            yield Fault((*path, "id"), f"the id '{item['id']}' is the name of a result", "choose another")


def _unknown(name: object, known: Collection[str], path: Path) -> Fault:
    from difflib import get_close_matches

    close = get_close_matches(str(name), known, n=1)
    fix = f"write {close[0]}, or drop it" if close else f"drop it; known are {', '.join(known)}"
    return Fault((*path, str(name)), f"unknown key '{name}'", fix)


def _list(items: object, name: str, faults: list[Fault]) -> dict[int, Mapping[str, Any]]:
    """Return the mappings of a list by their place, and note what is none."""
    if not isinstance(items, list) or (not items and name == "indicators"):
        faults.append(Fault((name,), f"expected a list, found {_found(items)}", f"list the {name}, each with its id"))
        return {}
    for place, item in enumerate(items):
        if not isinstance(item, Mapping):
            faults.append(Fault((name, place), f"expected a mapping, found {_found(item)}", "give its keys and values"))
    return {place: item for place, item in enumerate(items) if isinstance(item, Mapping)}


def _domains(items: Mapping[int, Mapping[str, Any]]) -> Iterator[Fault]:
    """Find domains defined twice, unknown parents, and parents that lead back to where they started."""
    parent: dict[str, str] = {}
    at: dict[str, int] = {}
    names = [str(item.get("id")) for item in items.values()]
    for place, item in items.items():
        name, above = str(item.get("id")), item.get("parent")
        if name in at:
            yield Fault(("domains", place, "id"), f"domain '{name}' is defined twice", "drop or rename one of the two")
            continue
        at[name] = place
        if above is not None and str(above) not in names:
            known = ", ".join(dict.fromkeys(names))
            what = f"unknown domain '{above}'; expected one of {known}"
            yield Fault(("domains", place, "parent"), what, "name a domain of this index, or drop the parent")
        elif above is not None:
            parent[name] = str(above)
    seen: set[str] = set()
    for start in parent:
        chain = [start]
        while chain[-1] in parent and parent[chain[-1]] not in chain:
            chain.append(parent[chain[-1]])
        back = parent.get(chain[-1])
        if back == start and start not in seen:
            seen |= {*chain}
            ring = " > ".join([*chain, start])
            what = f"the domains {ring} form a cycle" if len(chain) > 1 else f"domain '{start}' is its own parent"
            yield Fault(("domains", at[start], "parent"), what, "drop one of these parents: a domain needs a top")


def _twice(items: Mapping[int, Mapping[str, Any]], domains: list[str]) -> Iterator[Fault]:
    """Find indicators defined twice, in one domain or in two."""
    first: dict[str, Mapping[str, Any]] = {}
    for place, item in items.items():
        name = str(item.get("id"))
        earlier = first.setdefault(name, item)
        if "id" not in item or earlier is item:
            continue
        homes = [str(one.get("domain")) for one in (earlier, item)]
        if homes[0] != homes[1] and {*homes} <= {*domains}:
            yield _in_two(("indicators", place, "domain"), name, homes)
        else:
            fix = "drop or rename one of the two"
            yield Fault(("indicators", place, "id"), f"indicator '{name}' is defined twice", fix)


def _in_two(path: Path, name: str, homes: list[str]) -> Fault:
    what = f"indicator '{name}' is in {len(homes)} domains ({', '.join(homes)}); it would count {len(homes)} times"
    return Fault(path, what, FIXES["domain"])


def _indicator(item: Mapping[str, Any], path: Path, domains: list[str]) -> Iterator[Fault]:
    """Find faults of one indicator's domain, direction, bounds and limits."""
    home = item.get("domain")
    if isinstance(home, list) and len(home) > 1:
        yield _in_two((*path, "domain"), str(item.get("id")), list(map(str, home)))
    elif "domain" in item and str(home) not in domains:
        what = f"unknown domain {_found(home)}; expected one of {', '.join(domains)}"
        yield Fault((*path, "domain"), what, FIXES["domain"])
    direction = item.get("direction", 1)
    if isinstance(direction, bool) or direction not in (1, -1):
        what = f"direction must be 1 or -1; found {direction!r}"
        yield Fault((*path, "direction"), what, FIXES["direction"])
    if "bounds" in item:
        yield from _bounds(item["bounds"], (*path, "bounds"))
    for name in ("hard_limits", "usual_range"):
        ends = item.get(name, [0, 1])
        if not (isinstance(ends, list) and len(ends) == 2 and all(map(_number, ends)) and ends[0] < ends[1]):
            what = f"expected two numbers, the lower first; found {_found(ends)}"
            yield Fault((*path, name), what, f"write {name}: [lowest, highest]")
    change = item.get("usual_change", 1)
    if not _number(change) or change <= 0:
        yield Fault((*path, "usual_change"), f"expected a number above 0, found {_found(change)}", "correct it")
    for name in ("values", "sampling"):
        if not isinstance(item.get(name, {}), Mapping):
            yield Fault((*path, name), f"expected a mapping, found {_found(item[name])}", "give its keys and values")


def _bounds(bounds: object, path: Path) -> Iterator[Fault]:
    if not isinstance(bounds, Mapping):
        yield Fault(path, f"expected a mapping, found {_found(bounds)}", FIXES["bounds"])
        return
    keys = ("status", "low", "high")
    yield from (_unknown(name, keys, path) for name in bounds if name not in keys)
    status = bounds.get("status")
    if status not in STATUSES:
        what = f"unknown bounds status {_found(status)}; expected one of {', '.join(STATUSES)}"
        yield Fault((*path, "status"), what, "say how the bounds are known")
    else:
        yield from _interval(bounds, path, needed=status in WITH_BOUNDS, what=f"{status} bounds")


def _interval(ends: object, path: Path, *, needed: bool, what: str = "the bounds of the scale") -> Iterator[Fault]:
    """Find bounds that are missing, not numbers, equal or upside down."""
    if not isinstance(ends, Mapping):
        yield Fault(path, f"expected low and high, found {_found(ends)}", FIXES["scale"])
        return
    missing = [name for name in ("low", "high") if ends.get(name) is None]
    given = {name: ends[name] for name in ("low", "high") if name not in missing}
    odd = [name for name, end in given.items() if not _number(end)]
    yield from (
        Fault((*path, name), f"{name} must be a number; found {_found(given[name])}", "write it as a number")
        for name in odd
    )
    if missing and (needed or given):
        lack = f"{what} need both low and high; {' and '.join(missing)} missing"
        yield Fault(path, lack, "give the smallest and the largest value")
    elif not missing and not odd and not given["low"] < given["high"]:
        why = "equal bounds leave nothing to score" if given["low"] == given["high"] else "they are upside down"
        yield Fault(path, f"low {given['low']} must be below high {given['high']}: {why}", "correct the bounds")


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _found(value: object) -> str:
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, Mapping):
        return f"a mapping of {some(list(value))}"
    return f"a list of {len(value)}" if isinstance(value, list) else f"'{value}'"


def _words(path: Path, raw: object) -> str:
    """Return a path with the ids of indicators and domains in place of their numbers."""
    words: list[str] = []
    for step in path:
        raw = raw[step] if _has(raw, step) else None  # type: ignore[index]
        named = raw.get("id") if isinstance(step, int) and isinstance(raw, Mapping) else None
        words.append(str(named or step + 1) if isinstance(step, int) else str(step))
    return ".".join(words)


def _has(raw: object, step: str | int) -> bool:
    return (isinstance(raw, Mapping) and step in raw) or (isinstance(raw, list) and isinstance(step, int))


def _mark(node: Any, path: Path) -> tuple[int, int]:
    """Return line and column, from 1, of the deepest part of the path that the file has."""
    mark = node.start_mark if node is not None else None
    for step in path:
        if node is None or isinstance(node.value, str):
            break
        if isinstance(step, int):
            node = node.value[step] if step < len(node.value) else None
            mark = node.start_mark if node is not None else mark
        else:
            pair = next((pair for pair in node.value if isinstance(pair, tuple) and pair[0].value == step), None)
            node, mark = (pair[1], pair[0].start_mark) if pair else (None, mark)
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
