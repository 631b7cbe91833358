"""Areas over the years: every area as a line, some of them named, and the changes with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gwm_models.plots.labels import GAP, LINE, place_labels
from gwm_models.plots.theme import Spec, colour, column, key, number_axis, spec_of
from gwm_models.plots.words import drawn, interval, number

Row = Mapping[str, Any]

HEIGHT = 360
ROOM = 0.04
PLOT = (240.0, 320.0)
"""Pixels inside the axes of the smallest chart, for which names are placed."""
NAMED_EACH = 3
VERDICTS = {"rose": "before", "fell": "after"}


def year_lines(
    rows: Sequence[Row],
    *,
    named: Mapping[str, str],
    keys: Mapping[str, str],
    axis: str,
    description: str,
    title: str = "",
    break_at: float | None = None,
    break_words: str = "",
) -> list[Spec]:
    """Draw every area over the years, pale, and some in colour with their names and intervals.

    Parameters
    ----------
    rows : sequence of mapping
        With ``area_code, area_name, year, estimate, lower, upper``.
    named : mapping of str to str
        Colour of the theme of each area to set off, by code.
    keys : mapping of str to str
        What each of those colours stands for.
    axis : str
    description : str
        What the chart shows, for a listener.
    title : str
    break_at : float, optional
        A year at which the figures break, drawn as an upright line.
    break_words : str
        What broke, for the legend.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty without rows.
    """
    known = [row for row in rows if drawn(row["estimate"]) is not None]
    if not known:
        return []
    values = [_year(row) for row in known]
    years = sorted({value["year"] for value in values})
    bold = [{**value, "colour": colour(named[value["code"]])} for value in values if value["code"] in named]
    last = [value for value in bold if value["year"] == years[-1]]
    ends = [end for value in [*values, *bold] for end in (value["estimate"],)]
    ends += [end for value in bold for end in (value["lower"], value["upper"]) if end is not None]
    room = ROOM * (max(ends) - min(ends))
    x = {"field": "year", "type": "quantitative"}
    paint = {"field": "colour", "type": "nominal", "scale": None}
    tips = [
        {"field": "name", "title": "Area"},
        {"field": "year", "title": "Year"},
        {"field": "words", "title": axis},
    ]
    legend = [key("An area", "neutral", "line"), *(key(words, name, "line") for name, words in keys.items())]
    legend += [key(break_words, "alert", "tick")] if break_at is not None else []
    return [
        spec_of(
            description,
            values=values,
            legend=legend,
            table=[column("name", "Area"), column("year", "Year", 0), column("words", axis)],
            title=title,
            height=HEIGHT,
            encoding={
                "x": {
                    "type": "quantitative",
                    "scale": {"domain": [years[0] - 0.15, years[-1] + 0.15], "zero": False, "nice": False},
                    "axis": {"title": None, "grid": False, "format": "d", "values": years},
                },
                "y": {
                    "type": "quantitative",
                    "scale": {"domain": [min(ends) - room, max(ends) + room], "zero": False, "nice": False},
                    "axis": number_axis(axis, narrow=5, wide=7),
                },
            },
            layer=[
                *([_break(break_at)] if break_at is not None else []),
                {
                    "mark": {"type": "line", "color": colour("neutral"), "opacity": 0.28, "strokeWidth": 1},
                    "encoding": {"x": x, "y": {"field": "estimate"}, "detail": {"field": "code"}},
                },
                {
                    "data": {"values": bold},
                    "mark": {"type": "rule", "strokeWidth": 1.5, "opacity": 0.6},
                    "encoding": {
                        "x": x,
                        "y": {"field": "lower", "type": "quantitative"},
                        "y2": {"field": "upper"},
                        "color": paint,
                    },
                },
                {
                    "data": {"values": bold},
                    "mark": {"type": "line", "strokeWidth": 2.25, "point": {"size": 36}},
                    "encoding": {
                        "x": x,
                        "y": {"field": "estimate"},
                        "detail": {"field": "code"},
                        "color": paint,
                        "tooltip": tips,
                    },
                },
                *_end_names(last, min(ends) - room, max(ends) + room),
            ],
        )
    ]


def changes(rows: Sequence[Row], *, axis: str, description: str, title: str = "", level: str = "") -> list[Spec]:
    """Draw the change of every area with its interval, the largest fall first, and name the ends.

    Parameters
    ----------
    rows : sequence of mapping
        With ``area_code, area_name, estimate, lower, upper, verdict``; those without an estimate are left out.
    axis : str
    description : str
        What the chart shows, for a listener.
    title : str
    level : str
        Words for the interval.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty without rows.
    """
    known = sorted((row for row in rows if drawn(row["estimate"]) is not None), key=lambda row: float(row["estimate"]))
    if not known:
        return []
    values = [_change(place, row) for place, row in enumerate(known, start=1)]
    n = len(values)
    ends = [end for value in values for end in (value["lower"], value["upper"])]
    low, high = min(ends), max(ends)
    order = [*range(NAMED_EACH), *range(n - 1, n - 1 - NAMED_EACH, -1)] if n > 2 * NAMED_EACH else []
    at = [(value["place"] / (n + 1), (high - value["estimate"]) / (high - low)) for value in values]
    spots = place_labels(at, [value["name"] for value in values], order, width=PLOT[0], height=PLOT[1])
    named = [
        {**{field: values[one.place][field] for field in ("place", "estimate", "name")}, "align": one.align}
        | {"dx": one.dx, "dy": one.dy}
        for one in spots
    ]
    paint: Spec = {"value": colour("neutral")}
    paint["condition"] = [
        {"test": f"datum.verdict === '{verdict}'", "value": colour(name)} for verdict, name in VERDICTS.items()
    ]
    tips = [
        {"field": "name", "title": "Area"},
        {"field": "words", "title": axis},
        {"field": "interval", "title": level},
    ]
    return [
        spec_of(
            description,
            values=values,
            legend=[
                key("Within sampling error", "neutral", "dot"),
                *(key(f"{verdict.capitalize()} beyond it", name, "dot") for verdict, name in VERDICTS.items()),
                key(level, "neutral", "band"),
            ],
            table=[
                column("name", "Area"),
                column("words", axis),
                column("interval", level),
                column("verdict", "Verdict"),
            ],
            title=title,
            height=HEIGHT,
            encoding={
                "x": {
                    "field": "place",
                    "type": "quantitative",
                    "scale": {"domain": [0, n + 1], "nice": False},
                    "axis": {
                        "title": "Areas in order of change",
                        "labels": False,
                        "grid": False,
                    },
                },
                "y": {
                    "type": "quantitative",
                    "scale": {"domain": [low, high], "nice": True},
                    "axis": number_axis(axis, narrow=5, wide=7),
                },
            },
            layer=[
                {
                    "data": {"values": [{}]},
                    "mark": {"type": "rule", "color": colour("ink")},
                    "encoding": {"x": None, "y": {"datum": 0}},
                },
                {
                    "mark": {"type": "rule", "opacity": 0.4, "strokeWidth": 1.5},
                    "encoding": {
                        "y": {"field": "lower", "type": "quantitative"},
                        "y2": {"field": "upper"},
                        "color": paint,
                    },
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 26, "opacity": 1},
                    "encoding": {"y": {"field": "estimate"}, "color": paint, "tooltip": tips},
                },
                *_rimmed(named, {"x": {"field": "place"}, "y": {"field": "estimate"}}),
            ],
        )
    ]


def _year(row: Row) -> Spec:
    return {
        "code": row["area_code"],
        "name": row["area_name"],
        "year": int(row["year"]),
        **{end: drawn(row[end], 2) for end in ("estimate", "lower", "upper")},
        "words": f"{number(row['estimate'], 1)} ({interval(row['lower'], row['upper'], 1)})",
    }


def _change(place: int, row: Row) -> Spec:
    return {
        "place": place,
        "name": row["area_name"],
        **{end: drawn(row[end]) for end in ("estimate", "lower", "upper")},
        "verdict": row["verdict"],
        "words": number(row["estimate"], 1, sign=True),
        "interval": interval(row["lower"], row["upper"], 1),
    }


def _break(year: float) -> Spec:
    return {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": colour("alert"), "strokeDash": [4, 3]},
        "encoding": {"x": {"datum": year}, "y": None},
    }


def _end_names(last: Sequence[Row], low: float, high: float) -> list[Spec]:
    """Name the lines that are set off, before their last point; names that would meet are pushed apart."""
    named: list[Spec] = []
    below = -LINE
    for one in sorted(last, key=lambda value: -value["estimate"]):
        at = (high - one["estimate"]) / (high - low) * PLOT[1]
        place = max(at - LINE * 0.75, below + LINE)
        below = place
        named.append(
            {
                "year": one["year"],
                "estimate": one["estimate"],
                "name": one["name"],
                "align": "right",
                "dx": -GAP,
                "dy": round(place - at, 1),
            }
        )
    return _rimmed(named, {"x": {"field": "year"}, "y": {"field": "estimate"}})


def _rimmed(named: list[Spec], at: Spec) -> list[Spec]:
    """Write names with a rim that keeps the letters clear of what is under them."""
    mark: Spec = {
        "type": "text",
        "fontSize": 11,
        "baseline": "middle",
        "align": {"expr": "datum.align"},
        "dx": {"expr": "datum.dx"},
        "dy": {"expr": "datum.dy"},
    }
    rim = {"stroke": colour("paper"), "strokeWidth": 3, "strokeJoin": "round", "color": colour("paper"), "opacity": 0.9}
    shared = {
        "data": {"values": named},
        "encoding": {**at, "text": {"field": "name"}},
    }
    return [{**shared, "mark": {**mark, **rim}}, {**shared, "mark": {**mark, "color": colour("ink")}}]
