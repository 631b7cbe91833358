"""A scenario file as plain data, with the line and column of every key and value.

The events of the YAML parser are followed one by one, so that a file can neither build objects nor grow:
tags, anchors and aliases are refused, depth and size are bounded, duplicate keys are all found. Plain words
are read by the core schema of YAML 1.2: ``no`` and ``2026-01-01`` stay texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from gwm_models.scenarios.findings import Findings, Keys, Mark, Stop, escaped, is_hidden

MOST_BYTES = 1_000_000
MOST_VALUES = 20_000
MOST_DEPTH = 50
VERSION = (1, 2)

NULL = re.compile(r"~|null|Null|NULL|")
TRUE = re.compile(r"true|True|TRUE")
FALSE = re.compile(r"false|False|FALSE")
INTEGER = re.compile(r"[-+]?[0-9]+")
OCTAL = re.compile(r"0o[0-7]+")
HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)")
NOT_A_NUMBER = re.compile(r"\.(nan|NaN|NAN)")


SYNTAX = (
    ("stream end", "the file ends too early", "close the bracket or quote, or restore the end of the file"),
    (
        "end of stream",
        "the file ends too early",
        "close the bracket or quote, or restore the end of the file",
    ),
    ("'\\t'", "a tab stands where only spaces may", "indent with spaces"),
    ("<block end>", "is not indented like the lines it belongs with", "indent all keys of one part alike"),
    (
        "mapping values",
        "a colon is not expected here",
        "put a text with a colon in quotes, or mend the indent",
    ),
)

Tagged = ScalarEvent | MappingStartEvent | SequenceStartEvent


class Unreadable:
    """Stands for a value that was refused; nothing more is said about it."""


UNREADABLE = Unreadable()


def plain_value(text: str) -> Any:
    """Return what a plain word of YAML 1.2 stands for.

    Examples
    --------
    >>> [plain_value(text) for text in ("no", "true", "2026", "2.0", "1_000", "~", "0x10")]
    ['no', True, 2026, 2.0, '1_000', None, 16]
    """
    if NULL.fullmatch(text):
        return None
    if TRUE.fullmatch(text) or FALSE.fullmatch(text):
        return text[0] in "tT"
    if len(text) <= 20:
        for form, base in ((INTEGER, 10), (OCTAL, 8), (HEXADECIMAL, 16)):
            if form.fullmatch(text):
                return int(text.removeprefix("0o"), base)
    if FLOAT.fullmatch(text):
        return float(text)
    if INFINITE.fullmatch(text):
        return float("-inf" if text.startswith("-") else "inf")
    return float("nan") if NOT_A_NUMBER.fullmatch(text) else text


def read_source(path: Path, findings: Findings) -> str:
    """Read a file into ``findings.data`` and ``findings.marks``.

    Parameters
    ----------
    path : Path
    findings : Findings
        Filled with the content, the marks and every fault of the text.

    Returns
    -------
    str
        The text.

    Raises
    ------
    Stop
        If it cannot be read as YAML; `findings` says why.
    """
    text = _read_text(path, findings)
    findings.data = _Reader(findings).read(text)
    return text


def read_text(text: str, findings: Findings) -> None:
    """Read a text as `read_source` reads a file: into ``findings.data`` and ``findings.marks``.

    Raises
    ------
    Stop
        If it cannot be read as YAML; `findings` says why.
    """
    raw = text.encode("utf-8", "surrogatepass")
    if len(raw) > MOST_BYTES:
        raise _refuse(findings, "is larger than 1 MB", "a scenario is a few kilobytes; check that this is one")
    findings.data = _Reader(findings).read(_decoded(raw, findings))


def _refuse(findings: Findings, what: str, fix: str, at: tuple[int, int] = (0, 0)) -> Stop:
    findings.error((), what, fix, at=at)
    return Stop()


def _read_text(path: Path, findings: Findings) -> str:
    try:
        if path.is_dir():
            raise _refuse(findings, "is a folder, not a scenario file", "name a .yaml file inside it")
        if not path.exists():
            raise _refuse(findings, "no such file", "check the name and the folder")
        if not path.is_file():
            raise _refuse(findings, "is not a regular file", "name a .yaml file")
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _refuse(findings, f"cannot be read ({reason})", "check its name and permissions") from error
    if len(raw) > MOST_BYTES:
        raise _refuse(findings, "is larger than 1 MB", "a scenario is a few kilobytes; check that this is one")
    return _decoded(raw, findings)


def _decoded(raw: bytes, findings: Findings) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _refuse(findings, "is UTF-16 text, not UTF-8", "save it as UTF-8")
    if b"\x00" in raw:
        raise _refuse(findings, "is binary, not text", "name a .yaml file written as UTF-8 text")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        at = (before.count("\n") + 1, len(before) - before.rfind("\n"))
        what = f"byte 0x{raw[error.start]:02x} is not UTF-8 text"
        raise _refuse(findings, what, "save the file as UTF-8", at) from error
    return _without_hidden(text, findings)


def _without_hidden(text: str, findings: Findings) -> str:
    """Report the first hidden character of each line, and return the text without any."""
    if text.isascii() and text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable():
        return text
    clean = []
    for number, line in enumerate(re.split(r"(?<=\n)|(?<=\r)(?!\n)", text), start=1):
        hidden = [place for place, char in enumerate(line) if is_hidden(char)]
        if hidden:
            what = f"hidden character {escaped(line[hidden[0]])}"
            findings.error((), what, "delete it and type the text again", at=(number, hidden[0] + 1))
        clean.append("".join(char for char in line if not is_hidden(char)) if hidden else line)
    return "".join(clean)


@dataclass
class _Frame:
    """A list or mapping that is still open."""

    keys: Keys
    kept: bool
    items: list[Any] | None = None
    entries: dict[str, Any] | None = None
    key: str | None = None
    key_mark: tuple[int, int] | None = None
    key_is_repeated: bool = False
    first: dict[str, int] = field(default_factory=dict)


class _Reader:
    """Builds plain data from the events of a YAML parser."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.stack: list[_Frame] = []
        self.root: Any = None
        self.values = 0
        self.last = (1, 1)
        self.shared: list[tuple[int, int]] = []

    def read(self, text: str) -> Any:
        """Return the content of the only document of a text."""
        documents = 0
        for event in self._events(text):
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._second_document(event)
                    break
                self._version(event)
            elif isinstance(event, SequenceEndEvent | MappingEndEvent):
                self.stack.pop()
            elif isinstance(event, NodeEvent):
                self._node(event)
        if self.shared:
            what = f"anchors and aliases (&name, *name) are not read; this file has {len(self.shared)}"
            self.findings.error((), what, "write the value out where it is used", at=self.shared[0])
        if not documents or self.root is None:
            raise _refuse(self.findings, "is empty", "start from a shipped scenario: gwm schema lists the keys")
        if not isinstance(self.root, dict):
            kind = "a list" if isinstance(self.root, list) else "a single value"
            what = f"expected a mapping of keys at the top; found {kind}"
            raise _refuse(self.findings, what, "start with 'schema: gwm-scenario/1'", (1, 1))
        return self.root

    def _events(self, text: str) -> Iterator[Event]:
        try:
            yield from YAML(typ="safe", pure=True).parse(text)
        except MarkedYAMLError as error:
            raise self._not_yaml(error) from error
        except (YAMLError, ValueError, OverflowError, AssertionError) as error:
            what = f"is not valid YAML here or soon after: {escaped(' '.join(str(error).split()), 100)}"
            raise _refuse(self.findings, what, "check escapes and directives (%)", self.last) from error

    def _not_yaml(self, error: MarkedYAMLError) -> Stop:
        at = _position_of(error.problem_mark or error.context_mark) or (1, 1)
        problem = escaped(" ".join(str(error.problem or error.context or "cannot be read").split()), 100)
        opened = _position_of(error.context_mark)
        since = f" (in the part that begins at line {opened[0]})" if opened and opened[0] != at[0] else ""
        for sign, what, fix in SYNTAX:
            if sign in problem:
                return _refuse(self.findings, what + since, fix, at)
        what = f"is not valid YAML here: {problem}{since}"
        return _refuse(self.findings, what, "check brackets, quotes, colons and indents", at)

    def _version(self, event: DocumentStartEvent) -> None:
        """Refuse a file of another YAML, in which 010 is eight and no is false."""
        if event.version is not None and tuple(event.version) != VERSION:
            what = f"is written for YAML {'.'.join(map(str, event.version))}; a scenario is read as YAML 1.2"
            self.findings.error((), what, "delete the line that begins with %YAML", at=_position(event))

    def _second_document(self, event: Event) -> None:
        at = _position(event)
        self.findings.error((), "a second document begins here", "keep one scenario in a file", at=at)

    def _node(self, event: NodeEvent) -> None:
        self.values += 1
        self.last = at = _position(event)
        if self.values > MOST_VALUES:
            raise _refuse(self.findings, f"holds more than {MOST_VALUES} values", "check that it is a scenario", at)
        if event.anchor is not None:
            self.shared.append(at)
        frame = self.stack[-1] if self.stack else None
        if frame and frame.entries is not None and frame.key is None:
            self._key(frame, event, at)
        else:
            self._value(frame, event, at)

    def _key(self, frame: _Frame, event: NodeEvent, at: tuple[int, int]) -> None:
        if not isinstance(event, ScalarEvent):
            frame.key, frame.key_mark, frame.key_is_repeated = "?", at, True
            if not isinstance(event, AliasEvent):
                self.findings.error(frame.keys, "a key must be a plain word", "write the key as one word", at=at)
                self._open(event, _Frame(frame.keys, kept=False), at)
            return
        key = str(event.value)
        if event.tag is not None:
            self._tag((*frame.keys, key), event, at)
        if any(is_hidden(char) for char in key):
            self.findings.error(frame.keys, f"hidden character in key '{escaped(key)}'", "type the key again", at=at)
        frame.key, frame.key_mark, frame.key_is_repeated = key, at, key in frame.first
        if frame.key_is_repeated:
            what = f"duplicate key '{escaped(key)}' (first at line {frame.first[key]})"
            self.findings.error((*frame.keys, key), what, "keep one of the two", at=at)
        else:
            frame.first[key] = at[0]

    def _value(self, frame: _Frame | None, event: NodeEvent, at: tuple[int, int]) -> None:
        keys: Keys = ()
        kept, key_mark = True, None
        if frame is not None:
            step = len(frame.items) if frame.items is not None else frame.key or ""
            keys = (*frame.keys, step)
            kept, key_mark = frame.kept and not frame.key_is_repeated, frame.key_mark
        if kept:
            self.findings.marks[keys] = Mark(at, key_mark)
        value: Any = UNREADABLE
        if isinstance(event, ScalarEvent):
            value = self._scalar(keys, event, at)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            value = self._open(event, _Frame(keys, kept), at)
        if isinstance(event, Tagged) and event.tag is not None:
            self._tag(keys, event, at)
            value = UNREADABLE
        self._place(frame, value)

    def _place(self, frame: _Frame | None, value: Any) -> None:
        if frame is None:
            self.root = value
        elif frame.items is not None:
            frame.items.append(value)
        elif frame.entries is not None and frame.key is not None:
            if not frame.key_is_repeated:
                frame.entries[frame.key] = value
            frame.key, frame.key_mark, frame.key_is_repeated = None, None, False

    def _open(self, event: NodeEvent, frame: _Frame, at: tuple[int, int]) -> Any:
        if len(self.stack) >= MOST_DEPTH:
            raise _refuse(self.findings, f"is nested more than {MOST_DEPTH} deep", "check that it is a scenario", at)
        if isinstance(event, MappingStartEvent):
            frame.entries = {}
        else:
            frame.items = []
        self.stack.append(frame)
        return frame.entries if frame.items is None else frame.items

    def _scalar(self, keys: Keys, event: ScalarEvent, at: tuple[int, int]) -> Any:
        text = str(event.value)
        if event.implicit[0]:
            return plain_value(text)
        hidden = [char for char in text if is_hidden(char)]
        if hidden:
            what = f"hidden character {escaped(hidden[0])} in a text"
            self.findings.error(keys, what, "delete it and type the text again", at=at)
            return UNREADABLE
        return text

    def _tag(self, keys: Keys, event: Tagged, at: tuple[int, int]) -> None:
        tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
        what = f"tag '{escaped(tag)}' is not read"
        self.findings.error(keys, what, "delete the tag: a scenario holds plain values only", at=at)


def _position(event: Event) -> tuple[int, int]:
    return _position_of(event.start_mark) or (1, 1)


def _position_of(mark: Any) -> tuple[int, int] | None:
    return (mark.line + 1, mark.column + 1) if mark else None
