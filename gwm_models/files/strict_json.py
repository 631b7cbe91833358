"""JSON without anything that other readers would take otherwise."""

from __future__ import annotations

import json
import math
from typing import Any

from gwm_models.errors import printable

MOST_WHOLE = 2**63


def read_strict_json(text: str) -> Any:
    """Read JSON in which no key stands twice and every number and text is one.

    Parameters
    ----------
    text : str

    Raises
    ------
    json.JSONDecodeError
        If it is not JSON.
    ValueError
        If it holds a key twice, NaN or Infinity, a number too large for a machine's, or half of a character.
    RecursionError
        If it is nested too deep.

    Examples
    --------
    >>> read_strict_json('{"draws": 4000}')
    {'draws': 4000}
    """
    found = json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_number, parse_float=_float, parse_int=_whole)
    json.dumps(found, ensure_ascii=False).encode("utf-8")
    return found


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key '{printable(key, 60)}' is given twice")
        found[key] = value
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _whole(text: str) -> int:
    if len(text) > 20 or abs(value := int(text)) >= MOST_WHOLE:
        raise ValueError("a number is too large")
    return value
