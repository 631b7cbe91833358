"""Second readers of what a reader took for sound, plain ones of other make: each fails where something was lost.

They know no rule of the toolkit but the formats: a figure is what YAML 1.2, JSON or a table says, to the last digit.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from gwm_models.data.edition import Edition
    from gwm_models.evaluation.panel import PanelMatrix
    from gwm_models.evaluation.panel_spec import PanelSpec

NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
NO_FIGURE = {"", "NA", "NaN", "nan", "N/A", "null", "NULL", "."}
HIDDEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


def hidden_in(content: Any) -> list[str]:
    """Return the texts of plain data in which a character does not show; a tab and the end of a line may be there."""
    return [
        text
        for text in _texts(content)
        if any(unicodedata.category(char) in HIDDEN for char in text if char not in "\t\n\r")
    ]


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for key, value in content.items():
            yield from (key, *_texts(value))
    elif isinstance(content, list | tuple):
        for value in content:
            yield from _texts(value)


def same_yaml(raw: bytes, content: dict[str, Any]) -> None:
    """Expect that plain data say what a scenario file says; a key given twice is an error of the loader itself."""
    told = YAML(typ="safe", pure=True).load(raw.decode("utf-8-sig"))
    if told.get("kind") == "portfolio":  # its options may take in the actions of other files
        content = content | {"actions": content["actions"][: len(told["actions"])]}
    same_numbers(told, content)


def same_json(raw: bytes, content: Any) -> None:
    """Expect that plain data say what a file of JSON says, in which no key is given twice."""

    def single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        twice = [key for key, number in Counter(key for key, _ in pairs).items() if number > 1]
        assert not twice, twice
        return dict(pairs)

    told = json.loads(raw.decode("utf-8"), object_pairs_hook=single)
    assert told == content


def same_numbers(told: Any, found: Any, place: str = "") -> None:
    """Expect every key, number and switch of plain data in others, as it is; names may be spelled otherwise there."""
    if isinstance(told, dict) and isinstance(found, dict):
        for key, value in told.items():
            if value not in (None, "", [], False):
                assert key in found, f"{place}.{key}"
            same_numbers(value, found.get(key), f"{place}.{key}")
    elif isinstance(told, list) and isinstance(found, list):
        if not all(isinstance(item, str) for item in told) and place != ".health":
            assert len(told) == len(found), place
            for number, (one, other) in enumerate(zip(told, found, strict=True)):
                same_numbers(one, other, f"{place}.{number}")
    elif isinstance(told, bool) or isinstance(found, bool):
        assert told is found or (not told and not found), place
    elif isinstance(found, int | float):
        # The loader takes .5e3 for a text.
        number = float(told) if isinstance(told, str) and NUMBER.fullmatch(told) else told
        assert isinstance(number, int | float) and number == found, (place, told, found)
    elif isinstance(told, int | float):
        assert isinstance(found, str), (place, told, found)


def same_edition(found: Edition, index: bytes, areas: bytes, indicators: bytes, borders: bytes | None) -> None:
    """Expect every area, figure, limit, border and bound of the tables of an edition, and no other."""
    told = YAML(typ="safe", pure=True).load(index.decode("utf-8-sig"))["indicators"]
    assert [one["id"] for one in told] == list(found.spec.indicator_ids)
    assert [one["direction"] for one in told] == [one.direction for one in found.spec.indicators]
    for one, other in zip(told, found.spec.indicators, strict=True):
        assert "low" not in one["bounds"] or (one["bounds"]["low"], one["bounds"]["high"]) == other.bounds
    people = _table(areas, ",")
    assert [row["area_code"] for row in people] == list(found.areas.code)
    assert [row["area_name"] for row in people] == list(found.areas.name)
    assert [row["region_name"] for row in people] == list(found.areas.region)
    assert [_number(row["population"]) for row in people] == found.areas.population.tolist()
    assert found.values is not None and found.level_errors is not None
    rows = {(row["area_code"], row["indicator"]): row for row in _table(indicators, ",")}
    places = [(code, name) for code in found.areas.code for name in found.spec.indicator_ids]
    assert len(_table(indicators, ",")) == len(rows) == len(places)
    assert [_number(rows[place]["value"]) for place in places] == found.values.ravel().tolist()
    for place, error in zip(places, found.level_errors.ravel().tolist(), strict=True):
        low, high = rows[place].get("lower_95", ""), rows[place].get("upper_95", "")
        assert error == (_number(high) - _number(low)) / 3.92 if high else error != error, place
    pairs = [] if borders is None else [{row["area_code_1"], row["area_code_2"]} for row in _table(borders, ",")]
    code = found.areas.code
    kept = [{code[i], code[j]} for i, j in found.areas.borders.tolist()]
    assert len(kept) == len(pairs) and all(pair in kept for pair in pairs)


def same_panel(found: PanelMatrix, content: bytes, asked: PanelSpec) -> None:
    """Expect every unit, time and figure of a panel file, and no other."""
    first = content.decode("utf-8-sig").partition("\n")[0]
    rows = _table(content, max(",;\t", key=first.count))
    given = [row[asked.outcome] for row in rows]
    figures = [None if cell in NO_FIGURE else _number(cell) for cell in given]
    if asked.population and not asked.counts:
        people = [None if row[asked.population] in NO_FIGURE else _number(row[asked.population]) for row in rows]
        figures = [None if y is None or n is None else 100_000 * y / n for y, n in zip(figures, people, strict=True)]
    assert len(rows) <= found.value.size
    assert _sorted(figures) == _sorted(None if y != y else y for y in found.value.ravel().tolist())
    if asked.unit is not None:
        assert {row[asked.unit] for row in rows} == {*found.unit}
    times = {row[asked.time] for row in rows}
    if not isinstance(found.time[0], str):
        assert {_number(time) for time in times} == {*found.time}
    assert len(times) >= len(found.time)


def _sorted(figures: Iterable[float | None]) -> list[float]:
    return sorted(figure for figure in figures if figure is not None)


def _table(raw: bytes, mark: str) -> list[dict[str, str]]:
    """Return the rows of a table, without blank ones; cells without the spaces around them."""
    text = io.StringIO(raw.decode("utf-8-sig"), newline="")
    lines = ([cell.strip() for cell in row] for row in csv.reader(text, delimiter=mark, strict=True))
    header, *rows = [row for row in lines if any(row)]
    return [dict(zip(header, row, strict=True)) for row in rows]


def _number(cell: str) -> float:
    assert NUMBER.fullmatch(cell), cell
    return float(cell)
