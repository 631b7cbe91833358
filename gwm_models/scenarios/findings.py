"""Faults found in one file: where each thing stands, what it is called, and what was found there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher, get_close_matches
from typing import Any, Literal

from gwm_models.errors import Problem, printable
from gwm_models.errors import is_hidden as is_hidden

Keys = tuple[str | int, ...]
Severity = Literal["error", "warning"]
MOST_FAULTS = 200


class Stop(Exception):
    """Checking cannot go on; the reason is among the findings."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a value stands and, for a value under a key, where the key stands; line and column from 1."""

    value: tuple[int, int]
    key: tuple[int, int] | None = None


@dataclass
class Findings:
    """The faults of one file, kept by their keys until all are known.

    Attributes
    ----------
    file : str
        The file as the user named it.
    data : object
        Its content as plain data.
    marks : dict
        Where each part of the content stands, by its keys.
    misplaced : set of tuple
        Keys that stand in the wrong place, as the part of the file they are in and their name.
    """

    file: str
    data: Any = None
    marks: dict[Keys, Mark] = field(default_factory=dict)
    misplaced: set[Keys] = field(default_factory=set)
    _found: dict[tuple[Keys, tuple[int, int], Severity, str, str], None] = field(default_factory=dict)
    _errors: set[Keys] = field(default_factory=set)

    def error(
        self, keys: Keys, what: str, fix: str, *, at: tuple[int, int] | None = None, on_key: bool = False
    ) -> None:
        """Record a fault; it stands at its value unless `at` or `on_key` says otherwise."""
        self._add(keys, "error", what, fix, at or self.place(keys, on_key=on_key))

    def warning(self, keys: Keys, what: str, fix: str) -> None:
        """Record something that is possible but unusual."""
        self._add(keys, "warning", what, fix, self.place(keys))

    def _add(self, keys: Keys, severity: Severity, what: str, fix: str, at: tuple[int, int]) -> None:
        if len(self._found) >= MOST_FAULTS:
            self._found[(), (0, 0), "error", f"has more than {MOST_FAULTS} faults", "mend these first"] = None
            raise Stop
        self._found[keys, at, severity, what, fix] = None
        if severity == "error":
            self._errors.add(keys)

    def has_error(self, keys: Keys) -> bool:
        """Tell whether a fault is recorded at these keys."""
        return keys in self._errors

    @property
    def faulty(self) -> bool:
        """Whether any error is recorded."""
        return any(severity == "error" for _, _, severity, _, _ in self._found)

    def place(self, keys: Keys, *, on_key: bool = False) -> tuple[int, int]:
        """Return line and column of what stands at these keys, or of the nearest part around it."""
        mark = self.marks.get(keys)
        if mark is None:
            return self.place(keys[:-1], on_key=True) if keys else (0, 0)
        at_key = on_key or isinstance(value_at(self.data, keys), dict | list | None)
        return mark.key if at_key and mark.key else mark.value

    def rename(self, old: Keys, new: Keys) -> None:
        """Move the marks of everything under `old` to `new`."""
        moved = {keys: mark for keys, mark in self.marks.items() if keys[: len(old)] == old}
        for keys, mark in moved.items():
            del self.marks[keys]
            self.marks[new + keys[len(old) :]] = mark

    def problems(self) -> list[Problem]:
        """Return the faults in the order of the file."""
        return sorted(
            Problem(self.file, line, column, severity, self.named(keys), what, fix)
            for keys, (line, column), severity, what, fix in self._found
        )

    def named(self, keys: Keys) -> str:
        """Return keys as a dotted path; an item of a list goes by its id, or by its number from 1."""
        words = []
        for depth, key in enumerate(keys):
            name = value_at(self.data, (*keys[: depth + 1], "id")) if isinstance(key, int) else key
            plain = isinstance(name, str) and name.isprintable() and 0 < len(name) <= 80
            words.append(str(name) if plain else str(key + 1) if isinstance(key, int) else escaped(key))
        return ".".join(words)


def value_at(data: Any, keys: Keys) -> Any:
    """Return what stands at these keys, None if nothing does."""
    for key in keys:
        found = isinstance(key, int) and key < len(data) if isinstance(data, list) else False
        if not found and not (isinstance(data, dict) and key in data):
            return None
        data = data[key]
    return data


def as_lists(content: Any) -> Any:
    """Return a copy of plain data in which every mapping is a dict with texts as keys and every sequence a list.

    Examples
    --------
    >>> as_lists({"pre": (2012, 2025)})
    {'pre': [2012, 2025]}
    """
    if isinstance(content, Mapping):
        return {str(key): as_lists(value) for key, value in content.items()}
    return [as_lists(item) for item in content] if isinstance(content, list | tuple) else content


def nearest(word: str, among: Iterable[str], *, most: int = 1, cutoff: float = 0.6) -> list[str]:
    """Return the names that hold a word or are most like it, whatever its case.

    Examples
    --------
    >>> nearest("phasng", ["phasing", "target"]), nearest("hull", ["Kingston upon Hull, City of", "Halton"])
    (['phasing'], ['Kingston upon Hull, City of'])
    """
    by_key = {name.casefold(): name for name in among}
    key = " ".join(word[:100].casefold().split())
    holding = [name for name in by_key if len(key) > 2 and key in name]
    holding.sort(key=lambda name: key not in name.replace(",", " ").split())
    close = get_close_matches(key, by_key, n=most, cutoff=cutoff)
    return [by_key[name] for name in dict.fromkeys([*holding, *close])][:most]


def closest(word: str, among: Iterable[str], *, cutoff: float = 0.6) -> list[str]:
    """Return the name most like a word, and any that is exactly as like it.

    Examples
    --------
    >>> closest("North Eest", ["North East", "North West", "South West"])
    ['North West', 'North East']
    """
    near = nearest(word, among, most=3, cutoff=cutoff)
    alike = [SequenceMatcher(None, name.casefold(), word.casefold()).ratio() for name in near]
    return [name for name, ratio in zip(near, alike, strict=True) if ratio == alike[0]]


def listed(names: Iterable[str], most: int = 12) -> str:
    """Join names with commas and a last 'or'; long lists are cut.

    Examples
    --------
    >>> listed(["pp", "points"])
    "'pp' or 'points'"
    """
    quoted = [f"'{name}'" for name in names]
    if len(quoted) > most:
        return ", ".join(quoted[:most]) + f" and {len(quoted) - most} more"
    return " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]])) if quoted else "nothing"


def suggestion(word: str, among: Iterable[str], *, most: int = 1, cutoff: float = 0.6) -> str:
    """Return " (did you mean 'x'?)" with the nearest name and its equals, or with up to `most`, or nothing."""
    near = nearest(word, among, most=most, cutoff=cutoff) if most > 1 else closest(word, among, cutoff=cutoff)
    return f" (did you mean {listed(near)}?)" if near else ""


def advice(word: str, among: Iterable[str]) -> str:
    """Return what to write in place of an unknown word: the nearest name or names, or else what there is."""
    names = list(among)
    if not names:
        return "remove it: there is none to choose from"
    near = closest(word, names)
    if len(near) != 1:
        return f"write {listed(near)}" if near else f"use one of {listed(names)}"
    return f"write '{near[0]}'" + (", quotes included" if "," in near[0] else "")


def shown(value: object) -> str:
    """Return a value as a message names it, short and on one line.

    Examples
    --------
    >>> shown("yes"), shown(2.0), shown(True), shown(None), shown([1])
    ("the text 'yes'", 'the number 2', 'true', 'nothing', 'a list')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {number_text(value)}"
    if isinstance(value, str):
        return f"the text '{escaped(value)}'" if value else "an empty text"
    return "a list" if isinstance(value, list | tuple) else "a mapping of keys"


def number_text(value: float) -> str:
    """Return a number as people write it: 20, 0.5, never 20.0."""
    return str(value) if isinstance(value, int) else f"{value:.12g}"


def limits_text(at_least: float | None, at_most: float | None, equals: str | None) -> str:
    """Return the limits of a rule as the file states them.

    Examples
    --------
    >>> limits_text(2.0, 5.5, None)
    'at_least 2 and at_most 5.5'
    """
    given = {"at_least": at_least, "at_most": at_most, "equals": equals}
    return " and ".join(
        f"{key} {value if isinstance(value, str) else number_text(value)}"
        for key, value in given.items()
        if value is not None
    )


def escaped(text: str, most: int = 60) -> str:
    r"""Return a text on one line, cut to length, with every hidden character spelled out.

    Examples
    --------
    >>> escaped("a\u200bb")
    'a\\u200bb'
    """
    return printable(text, most)
