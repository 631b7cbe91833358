"""The index definition of an edition of one's own: as any other, but its figures come from the folder."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.index_checks import Fault, definition_faults, problems
from gwm_models.data.plain_yaml import read_plain
from gwm_models.data.user_checks import MOST_FAULTS, Asked
from gwm_models.errors import Problem

Floats = NDArray[np.float64]


def read_definition(file: str, raw: bytes) -> tuple[dict[str, Any], list[Problem]]:
    """Return the index definition as it was read, and its faults; an empty one if it cannot be used at all."""
    text, content, found = read_plain(file, raw)
    if found:
        return {}, found
    if content is None:
        return {}, [Problem(file, 1, 1, "error", "", "the file is empty", "write the index definition")]
    faults = definition_faults(_stated(content))
    ring = any(fault.path[:1] == ("domains",) and fault.path[-1:] == ("parent",) for fault in faults)
    faults += [fault for fault in _own_faults(content) if not (ring and fault.path[-1:] == ("parent",))]
    sound = content if isinstance(content, dict) and isinstance(content.get("indicators"), list) else {}
    return sound, problems(faults, file, text, content)[:MOST_FAULTS]


def _from_data(item: Any) -> bool:
    bounds = item.get("bounds") if isinstance(item, dict) else None
    return isinstance(bounds, dict) and "from" in bounds


def _stated(content: Any) -> Any:
    """Return a definition with bounds from data replaced by stand-ins, so that the usual checks can be made."""
    if not isinstance(content, dict) or not isinstance(content.get("indicators"), list):
        return content
    stand_in = {"bounds": {"status": "stated", "low": 0, "high": 1}}
    return content | {"indicators": [item | stand_in if _from_data(item) else item for item in content["indicators"]]}


def _own_faults(content: Any) -> list[Fault]:
    """Find what a definition may say, but not that of an edition made from a folder."""
    if not isinstance(content, dict):
        return []
    faults = []
    if content.get("outcomes"):
        faults.append(Fault(("outcomes",), "a folder of an edition holds no outcomes", "drop outcomes"))
    for name in ("domains", "indicators"):
        for place, item in enumerate(_items(content, name)):
            faults += _item_faults((name, place), item)
    used = [item.get("domain") for item in _items(content, "indicators")]
    for place, item in enumerate(_items(content, "domains")):
        if item.get("id") not in used:
            what = f"domain '{item.get('id')}' has no indicator"
            faults.append(Fault(("domains", place), what, "give it one, or drop it"))
    return faults


def _items(content: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the mappings of a list, or an empty list if it holds anything else."""
    items = content.get(name)
    return items if isinstance(items, list) and all(isinstance(item, dict) for item in items) else []


def _item_faults(path: tuple[str, int], item: dict[str, Any]) -> list[Fault]:
    if path[0] == "domains":
        nested = Fault((*path, "parent"), "domains of an edition are not nested", "drop parent")
        return [nested] if item.get("parent") is not None else []
    faults = [
        Fault((*path, name), f"an edition takes its {what} from indicators.csv", f"drop {name}")
        for name, what in (("values", "values"), ("sampling", "sampling errors"))
        if name in item
    ]
    bounds = item.get("bounds")
    if _from_data(item) and bounds != {"from": "data"}:
        faults.append(Fault((*path, "bounds"), "bounds from data are {from: data} and nothing else", "write that"))
    elif isinstance(bounds, dict) and bounds.get("status") in ("reproduced", "calibrated", "proxy", "unknown"):
        what = f"the bounds of an edition are stated, not {bounds['status']}"
        faults.append(Fault((*path, "bounds"), what, "write {status: stated, low: ..., high: ...} or {from: data}"))
    return faults


def asked_of(content: dict[str, Any]) -> tuple[Asked, ...]:
    """Return what the definition asks of each indicator, as far as it can be read."""
    asked = {}
    for item in content.get("indicators", []):
        if isinstance(item, dict) and isinstance(item.get("id"), str):
            low, high = (0.0, 100.0) if item.get("unit") == "percent" else (-np.inf, np.inf)
            given = item.get("hard_limits")
            if isinstance(given, list) and len(given) == 2 and all(isinstance(end, int | float) for end in given):
                low, high = given
            asked[item["id"]] = Asked(item["id"], (float(low), float(high)))
    return tuple(asked.values())


def with_bounds(content: dict[str, Any], values: Floats) -> tuple[dict[str, Any], list[str]]:
    """Return the definition with bounds from data as numbers, and the ids of those indicators."""
    items, from_data = [], []
    for j, item in enumerate(content["indicators"]):
        if _from_data(item):
            low, high = float(values[:, j].min()), float(values[:, j].max())
            item = item | {"bounds": {"status": "stated", "low": low, "high": high}}
            from_data.append(str(item["id"]))
        items.append(item)
    return content | {"indicators": items}, from_data


def yaml_bytes(content: dict[str, Any]) -> bytes:
    """Return a definition as the text of a YAML file."""
    from ruamel.yaml import YAML

    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.width = 100_000  # no line is broken: versions of the writer break lines in different places
    buffer = io.BytesIO()
    writer.dump(content, buffer)
    return buffer.getvalue()
