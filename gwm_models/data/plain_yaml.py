"""A YAML file of anyone's, looked at event by event before anything is built from it.

So it can neither build objects nor grow: anchors, aliases, tags and directives are refused, size and depth are bounded,
and so are numbers. Hidden characters, which could make a text show as another one, are refused as well.
"""

from __future__ import annotations

import re
from typing import Any

from gwm_models.errors import Problem, is_hidden, printable

MOST_BYTES = 2_000_000
MOST_VALUES = 20_000
MOST_DEPTH = 30
LONGEST = 10_000
"""Of a text, in characters."""
LARGEST = 1e15
"""No bound, limit or change is larger; sums of larger ones would not be numbers."""
NUMBER = re.compile(r"[-+]?(0[xob])?[\da-fA-F_.:]+([eE][-+]?\d+)?|[-+]?\.(inf|nan)", re.IGNORECASE)
PLAIN = "write the value out, as plain text or number"

Fault = tuple[int, int, str, str]


def read_plain(file: str, raw: bytes) -> tuple[str, Any, list[Problem]]:
    """Return a file as text and as plain data, or why it cannot be read.

    Parameters
    ----------
    file : str
        As messages show it.
    raw : bytes

    Returns
    -------
    text : str
    content : object
        None where there is a problem, or nothing in the file.
    problems : list of Problem
    """
    text, content = "", None
    if len(raw) > MOST_BYTES:
        fault: Fault | None = (1, 1, f"the file has over {MOST_BYTES // 10**6} MB", "leave out what is not needed")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            column = error.start - raw.rfind(b"\n", 0, error.start)
            fault = (line, column, f"byte {raw[error.start]:#04x} is not UTF-8", "save the file as UTF-8")
        else:
            fault = _hidden(text)
            if fault is None:
                content, fault = _loaded(text)
    if fault is None:
        return text, content, []
    line, column, what, fix = fault
    return text, None, [Problem(file, line, column, "error", "", what, fix)]


def _hidden(text: str) -> Fault | None:
    """Find the first character of a text that does not show."""
    place = next((place for place, char in enumerate(text) if not char.isprintable() and is_hidden(char)), None)
    if place is None:
        return None
    line, column = text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)
    return line, column, f"hidden character {printable(text[place])}", "delete it and type the text again"


def _loaded(text: str) -> tuple[Any, Fault | None]:
    """Look at a text event by event, then build what it says; return that, or the first fault."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    at, depth = (1, 1), 0
    try:
        for values, event in enumerate(YAML(typ="safe", pure=True).parse(text)):
            mark = event.start_mark
            at = (mark.line + 1, mark.column + 1) if mark is not None else at
            name = type(event).__name__
            depth += name.endswith(("SequenceStartEvent", "MappingStartEvent"))
            depth -= name.endswith(("SequenceEndEvent", "MappingEndEvent"))
            fault = _event_fault(event, name, depth, values)
            if fault is not None:
                return None, (*at, *fault)
        return YAML(typ="safe", pure=True).load(text), None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = " ".join(str(error.problem or error.context).split("\n")[0].split())
        return None, (*at, printable(what, 300), "correct the YAML here")
    except (YAMLError, ValueError, OverflowError, AssertionError) as error:
        what = printable(" ".join(str(error).split()), 300)
        return None, (*at, what, "correct the YAML here, or soon after")


def _event_fault(event: Any, name: str, depth: int, values: int) -> tuple[str, str] | None:
    """Return what is wrong with an event of the parser, and what to do, if anything is."""
    if depth > MOST_DEPTH:
        return f"nested more than {MOST_DEPTH} deep", "check that it is an index definition"
    if values > MOST_VALUES:
        return f"more than {MOST_VALUES:,} values", "check that it is an index definition"
    if name == "DocumentStartEvent":
        return ("directives (%) are not read", "delete the line") if event.version or event.tags else None
    if getattr(event, "anchor", None) is not None:
        return "anchors and aliases (&name, *name) are not read", PLAIN
    if getattr(event, "tag", None) is not None:
        return f"tag '{printable(str(event.tag), 60)}' is not read", PLAIN
    if name != "ScalarEvent":
        return None
    value = str(event.value)
    if len(value) > LONGEST:
        return f"a text of {len(value):,} characters", f"shorten it to {LONGEST:,} at most, and check the quotes"
    if event.implicit[0] and _is_too_large(value):
        return f"'{printable(value, 60)}' is too large, or no number", f"write a number below {LARGEST:g}"
    if event.implicit[0] and value == "<<":
        return "merge keys (<<) are not read", PLAIN
    if any(is_hidden(char) for char in value):
        return "hidden character in a text", "delete it and type the text again"
    return None


def _is_too_large(text: str) -> bool:
    """Tell whether a plain word is a number that is too large, infinite or none."""
    if not NUMBER.fullmatch(text):
        return False
    if len(text) > 40:
        return True
    try:
        return not abs(float(text)) < LARGEST
    except ValueError:
        return text.lower().lstrip("+-") in (".inf", ".nan") or len(text) > 20
