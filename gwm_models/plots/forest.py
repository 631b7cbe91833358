"""Estimates side by side: one row each, its point and interval, a wider interval behind and a second value beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gwm_models.plots.theme import (
    LETTERS,
    LINE,
    Spec,
    colour,
    column,
    key,
    long_label_axis,
    number_axis,
    spec_of,
)
from gwm_models.plots.words import drawn, interval, is_missing, lines, number

Row = Mapping[str, Any]

ROOM = 0.02
LETTERS_NARROW, LABEL_NARROW = 22, 165
"""Letters of a line of a label on a phone, and pixels for it."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a forest chart.

    Attributes
    ----------
    row, axis : str
        What a row is, and what the estimates are.
    estimate, span : str
        Of the point and its interval in the legend.
    wide, other : str
        Of the wider interval and of the second value; "" for none.
    places : int
    sign : bool
        Whether positive estimates carry a sign.
    """

    row: str
    axis: str
    estimate: str
    span: str
    wide: str = ""
    other: str = ""
    places: int = 2
    sign: bool = False


def forest(
    rows: Sequence[Row],
    words: Words,
    *,
    description: str,
    title: str = "",
    zero: bool = True,
    name: str = "after",
    domain: tuple[float, float] | None = None,
) -> list[Spec]:
    """Draw one estimate a row, in the order given.

    Parameters
    ----------
    rows : sequence of mapping
        With ``name, estimate, lower, upper``; ``wide_lower, wide_upper`` and ``other`` where the words name them.
    words : Words
    description : str
        What the chart shows, for a listener.
    title : str
    zero : bool
        Whether a line stands at zero, and the axis reaches it.
    name : str
        A colour of the theme.
    domain : (float, float), optional
        Ends of the axis; those of the figures by default.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty without rows.
    """
    if not rows:
        return []
    values = [_datum(str(place), row, words) for place, row in enumerate(rows)]
    codes = [value["code"] for value in values]
    names, short = (
        {value["code"]: lines(value["name"], width) for value in values} for width in (LETTERS, LETTERS_NARROW)
    )
    tall, low = (max(30, LINE * max(map(len, labels.values())) + 10) * len(codes) for labels in (short, names))
    legend = [key(words.estimate, name, "dot"), key(words.span, name, "band")]
    legend += [key(words.wide, "neutral", "band")] if words.wide else []
    legend += [key(words.other, "ink", "tick")] if words.other else []
    table = [column("name", words.row), column("words", words.axis), column("interval", words.span)]
    table += [column("wide", words.wide)] if words.wide else []
    table += [column("other_words", words.other)] if words.other else []
    tips = [{"field": one["field"], "title": one["title"]} for one in table]
    return [
        spec_of(
            description,
            values=values,
            legend=legend,
            table=table,
            title=title,
            params=[{"name": "names", "value": names}, {"name": "short", "value": short}, _height(tall, low)],
            height=low,
            encoding={
                "x": {
                    "type": "quantitative",
                    "scale": {"domain": list(domain or _domain(values, zero=zero)), "nice": domain is None},
                    "axis": number_axis(words.axis, narrow=4, wide=6),
                },
                "y": _rows(codes),
            },
            layer=[
                *([_zero()] if zero else []),
                *([_rule("wide_lower", "wide_upper", "neutral", 7, 0.3, tips)] if words.wide else []),
                _rule("lower", "upper", name, 3, 0.55, tips),
                _point(name, tips),
                *([_tick(tips)] if words.other else []),
            ],
        )
    ]


def _height(narrow: int, wide: int) -> Spec:
    """Give the rows the height that their labels need, which take more lines on a phone."""
    return {"name": "height", "expr": f"narrow ? {narrow} : {wide}"}


def _datum(code: str, row: Row, words: Words) -> Spec:
    places = words.places
    return {
        "code": code,
        "name": str(row["name"]),
        **{end: drawn(row.get(end)) for end in ("estimate", "lower", "upper", "wide_lower", "wide_upper", "other")},
        "words": number(row["estimate"], places, sign=words.sign),
        "interval": interval(row.get("lower"), row.get("upper"), places),
        "wide": interval(row.get("wide_lower"), row.get("wide_upper"), places),
        "other_words": number(row.get("other"), places, sign=words.sign),
    }


def _rows(codes: list[str]) -> Spec:
    """Encode one row for each estimate, with labels in several lines."""
    y = long_label_axis(codes)
    y["axis"]["labelLimit"] = {"expr": f"narrow ? {LABEL_NARROW} : 260"}
    return y


def _domain(values: Sequence[Row], *, zero: bool) -> tuple[float, float]:
    fields = ("estimate", "lower", "upper", "wide_lower", "wide_upper", "other")
    ends = [float(value[field]) for value in values for field in fields if not is_missing(value[field])]
    ends += [0.0] if zero else []
    room = ROOM * (max(ends) - min(ends))
    return min(ends) - room, max(ends) + room


def _zero() -> Spec:
    return {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": colour("neutral")},
        "encoding": {"x": {"datum": 0}, "y": None},
    }


def _rule(low: str, high: str, name: str, width: int, opacity: float, tips: list[Spec]) -> Spec:
    return {
        "transform": [{"filter": f"isValid(datum.{low})"}],
        "mark": {"type": "rule", "color": colour(name), "strokeWidth": width, "opacity": opacity},
        "encoding": {"x": {"field": low, "type": "quantitative"}, "x2": {"field": high}, "tooltip": tips},
    }


def _point(name: str, tips: list[Spec]) -> Spec:
    mark = {"type": "point", "filled": True, "size": 75, "color": colour(name), "opacity": 1}
    return {"mark": mark, "encoding": {"x": {"field": "estimate", "type": "quantitative"}, "tooltip": tips}}


def _tick(tips: list[Spec]) -> Spec:
    return {
        "transform": [{"filter": "isValid(datum.other)"}],
        "mark": {"type": "tick", "color": colour("ink"), "thickness": 2, "size": 16, "opacity": 1},
        "encoding": {"x": {"field": "other", "type": "quantitative"}, "tooltip": tips},
    }
