"""What differs between two scenarios in meaning: actions matched by id, lists of names as sets, defaults filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gwm_models.scenarios.findings import number_text
from gwm_models.scenarios.source import plain_value
from gwm_models.scenarios.spec import Scenario

MATCHED = {"actions": "id", "health": "outcome", "vary": "path", "options": "id", "floors": "region"}
"""Lists whose items go by a name; their order has no meaning."""
NAMES = ("areas", "regions", "clusters", "exclude", "intervals", "inequality", "outcomes")
"""Lists that are read as sets."""
WORDS_ONLY = ("title", "question", "source", "evidence", "evaluation", "schema")
"""Parts that no number depends on."""
SHOWN_ONLY = ("intervals", "inequality", "memory", "measures")
"""Parts of the analysis that decide what is shown, not what is drawn."""

NOT_PLAIN = re.compile(r"[,:{}\[\]#]")


@dataclass(frozen=True)
class Difference:
    """One thing that two scenarios do not share.

    Attributes
    ----------
    path : str
        Where it stands; actions by their id.
    kind : {"changed", "only in first", "only in second"}
    first, second : object
        What stands in each; None where nothing does.
    effect : {"results", "presentation", "words"}
        Whether the projected numbers can differ for it, or only which of them are shown, or only words.
    """

    path: str
    kind: str
    first: Any
    second: Any
    effect: str

    def __str__(self) -> str:
        """Return it as one line."""
        if self.kind == "changed":
            return f"{self.path}: {value_words(self.first)} -> {value_words(self.second)}"
        return f"{self.path}: {self.kind}: {value_words(self.first if self.second is None else self.second)}"


def differences(first: Scenario, second: Scenario, names: Mapping[str, str] | None = None) -> list[Difference]:
    """Return what differs between two checked scenarios.

    Parameters
    ----------
    first, second : Scenario
        As the reader resolves them, so that two spellings of one area are the same.
    names : mapping, optional
        Area code to name, for lists of areas.

    Returns
    -------
    list of Difference
        In the order of the first file. An action that only changed its id is one difference: draws go by the id, so
        its results differ within simulation error.
    """
    plain = [_plain(scenario, names or {}) for scenario in (first, second)]
    return list(_mappings(plain[0], plain[1], ()))


def _plain(scenario: Scenario, names: Mapping[str, str]) -> dict[str, Any]:
    return dict(_named(scenario.model_dump(by_alias=True, exclude_none=True, mode="json"), names))


def _named(value: Any, names: Mapping[str, str]) -> Any:
    """Return plain data with areas by name and lists of named things as mappings."""
    if isinstance(value, dict):
        return {key: _named(_keyed(key, item), names) for key, item in value.items()}
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def _keyed(key: str, value: Any) -> Any:
    name = MATCHED.get(key)
    if name is None or not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return value
    if len({item[name] for item in value}) < len(value):
        return value
    return {item[name]: {part: inner for part, inner in item.items() if part != name} for item in value}


def _mappings(first: dict[str, Any], second: dict[str, Any], place: tuple[str, ...]) -> Iterator[Difference]:
    keys = dict.fromkeys([*first, *second])
    renamed = _renamed(first, second) if place == ("actions",) else {}
    for old, new in renamed.items():
        yield Difference("actions", "changed", old, new, "results")
    for key in keys:
        if key in renamed or key in renamed.values():
            continue
        here = (*place, key)
        if key not in second:
            yield _difference(here, "only in first", first[key], None)
        elif key not in first:
            yield _difference(here, "only in second", None, second[key])
        else:
            yield from _values(first[key], second[key], here)


def _renamed(first: dict[str, Any], second: dict[str, Any]) -> dict[str, str]:
    """Return the actions that differ in their id only, old id to new."""
    left = {key: value for key, value in second.items() if key not in first}
    found: dict[str, str] = {}
    for old, value in first.items():
        new = next((key for key, other in left.items() if other == value), None) if old not in second else None
        if new is not None:
            found[old] = new
            del left[new]
    return found


def _values(first: Any, second: Any, place: tuple[str, ...]) -> Iterator[Difference]:
    if first == second:
        return
    if isinstance(first, dict) and isinstance(second, dict):
        yield from _mappings(first, second, place)
    elif place[-1] in NAMES and isinstance(first, list) and isinstance(second, list):
        yield from _sets(first, second, place)
    else:
        yield _difference(place, "changed", first, second)


def _sets(first: list[Any], second: list[Any], place: tuple[str, ...]) -> Iterator[Difference]:
    gone, new = [item for item in first if item not in second], [item for item in second if item not in first]
    if gone:
        yield _difference(place, "only in first", gone, None)
    if new:
        yield _difference(place, "only in second", None, new)


def _difference(place: tuple[str, ...], kind: str, first: Any, second: Any) -> Difference:
    return Difference(".".join(place), kind, first, second, _effect(place))


def _effect(place: tuple[str, ...]) -> str:
    """Tell what a difference at a place can change."""
    if place == ("id",) or place[0] in WORDS_ONLY or (place[0] == "actions" and place[2:3] == ("evidence",)):
        return "words"
    last = place[1:2] if place[0] in ("analysis", "sweep") else ()
    return "presentation" if last and last[0] in SHOWN_ONLY else "results"


def value_words(value: Any) -> str:
    """Return a value in the way a scenario file writes it.

    Examples
    --------
    >>> value_words({"kind": "absolute", "value": 2.0, "exclude": []}), value_words(["Hull, City of", "York"])
    ('{kind: absolute, value: 2}', '["Hull, City of", York]')
    """
    if isinstance(value, dict):
        said = {key: item for key, item in value.items() if item is not False and item != []}
        return "{" + ", ".join(f"{key}: {_inner_words(item)}" for key, item in said.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inner_words, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return number_text(value) if isinstance(value, int | float) else str(value)


def _inner_words(value: Any) -> str:
    """Return a value inside a list or mapping, in quotes where it would be read as something else."""
    text = value_words(value)
    quoted = isinstance(value, str) and (not value or NOT_PLAIN.search(value) or plain_value(value) != value)
    return f'"{text}"' if quoted else text
