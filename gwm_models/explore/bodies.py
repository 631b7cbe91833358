"""The body of a request: JSON without anything that other readers would take otherwise."""

from __future__ import annotations

import re
from typing import Any

from gwm_models.explore.guard import Refused
from gwm_models.files.strict_json import read_strict_json
from gwm_models.scenarios.findings import escaped

MOST_DEPTH = 20
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
        return read_strict_json(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"Send valid JSON: {escaped(str(error), 120)}.") from error


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
