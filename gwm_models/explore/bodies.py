"""The body of a request: JSON without anything that other readers would take otherwise."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from gwm_models.explore.guard import Refused
from gwm_models.scenarios.findings import escaped

MOST_DEPTH = 20
MOST_WHOLE = 2**63
TOKEN = re.compile(rb'"(?:[^"\\]|\\.?)*(?:"|\Z)|[\[\]{}]', re.DOTALL)
"""A text, closed or not, or a bracket; every part of a body is passed once."""


def read_json(body: bytes) -> Any:
    """Read the body of a request.

    Raises
    ------
    Refused
        If it is not JSON, is nested too deep, or holds a key twice, a number that is none, or a text that is none.
    """
    if _depth(body) > MOST_DEPTH:
        raise Refused(400, f"Send JSON that is nested {MOST_DEPTH} deep at most.")
    try:
        found = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_pairs,
            parse_constant=_no_number,
            parse_float=_float,
            parse_int=_whole,
        )
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"Send valid JSON: {escaped(str(error), 120)}.") from error
    return found


def _depth(body: bytes) -> int:
    """Return how deep the brackets outside of texts go."""
    depth = most = 0
    for found in TOKEN.finditer(body):
        letter = found.group()[:1]
        if letter in (b"[", b"{"):
            depth += 1
            most = max(most, depth)
        elif letter != b'"':
            depth -= 1
    return most


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
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


def form_in(body: Any, *keys: str) -> list[dict[str, Any]]:
    """Return the parts of a request that hold a form, and no other part.

    Raises
    ------
    Refused
        If a part is missing, is not a mapping, or there is another one.
    """
    wanted = " and ".join(f"'{key}'" for key in keys)
    if not isinstance(body, dict) or set(body) != set(keys):
        raise Refused(400, f"Send a JSON object with {wanted} and nothing else.")
    if not all(isinstance(body[key], dict) for key in keys):
        raise Refused(400, f"Send {wanted} as a JSON object.")
    return [body[key] for key in keys]
