"""A figure of one area over the years, with its limits, beside its region and all areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gwm_models.plots.area import figure
from gwm_models.plots.theme import Spec, colour, column, key, spec_of
from gwm_models.plots.words import drawn, interval, level_words, unit_words

Row = Mapping[str, Any]


def over_time(
    rows: Sequence[Row],
    *,
    area: str,
    region: str,
    whole: str,
    title: str,
    unit: str,
    places: int,
    level: float,
    direction: int,
    broken: int | None = None,
) -> list[Spec]:
    """Draw a figure of an area over the years, with its limits and the medians of its region and of all areas.

    Parameters
    ----------
    rows : sequence of mapping
        ``year`` (the last of the period), ``period, value, lower, upper, region, whole``; None where missing.
    area, region, whole : str
    title : str
        What is drawn.
    unit : str
    places : int
    level : float
        Of the limits.
    direction : {1, -1, 0}
        Whether more is better.
    broken : int, optional
        First year of a new method: a line is drawn before it.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty without a figure of the area.
    """
    known = [row for row in rows if row["value"] is not None]
    if not known:
        return []
    better = {1: "higher is better", -1: "lower is better", 0: ""}[direction]
    words = level_words(level).replace("interval", "limits" if level == 0.95 else "interval")
    bounded = any(row["lower"] is not None for row in known)
    first, last = known[0], known[-1]
    said = (
        f"{title} of {area}, {first['period']} to {last['period']}: {figure(first['value'], unit, places)} at first, "
        f"{figure(last['value'], unit, places)} in the end, beside the medians of {region} and of {whole}"
    )
    change = f"; the method changed in {broken}" if broken else ""
    values = [_year(row, unit, places, words) for row in rows]
    names = {str(row["year"]): row["period"] for row in rows}
    return [
        spec_of(
            f"{said}{change}.",
            values=values,
            title=title,
            legend=[
                key(area, "before", "line"),
                *([key(words, "before", "band")] if bounded else []),
                key(f"Median of {region}", "after", "line"),
                key(f"Median of {whole}", "neutral", "line"),
            ],
            table=[
                column("period", "Period"),
                column("figure", area),
                *([column("interval", words)] if bounded else []),
                column("region_words", f"Median of {region}"),
                column("whole_words", f"Median of {whole}"),
            ],
            params=[{"name": "periods", "value": names}],
            height=210,
            encoding={"x": _years(rows)},
            layer=[
                *_time_layers(", ".join(filter(None, (unit_words(unit), better))), bounded=bounded),
                *_break(broken, rows),
            ],
        )
    ]


def _year(row: Row, unit: str, places: int, words: str) -> Spec:
    text, span = figure(row["value"], unit, places), interval(row["lower"], row["upper"], places)
    return {
        "year": row["year"],
        "period": row["period"],
        "value": drawn(row["value"]),
        "lower": drawn(row["lower"]),
        "upper": drawn(row["upper"]),
        "region": drawn(row["region"]),
        "whole": drawn(row["whole"]),
        "figure": text,
        "interval": span,
        "region_words": figure(row["region"], unit, places),
        "whole_words": figure(row["whole"], unit, places),
        "tip": f"{text} ({words} {span})" if span else text,
    }


def _years(rows: Sequence[Row]) -> Spec:
    axis = {
        "title": None,
        "values": [row["year"] for row in rows],
        "labelExpr": "periods[datum.value]",
        "labelOverlap": "greedy",
        "labelSeparation": 8,
        "labelFlush": False,
        "grid": False,
        "ticks": True,
        "tickColor": colour("line"),
    }
    scale = {"zero": False, "nice": False, "padding": 26}
    return {"field": "year", "type": "quantitative", "scale": scale, "axis": axis}


def _time_layers(title: str, *, bounded: bool) -> list[Spec]:
    """Draw limits, where there are any, the two medians, and the figures of the area over them."""
    axis = {"title": title[:1].upper() + title[1:], "tickCount": 5}
    tips = [
        {"field": "period", "title": "Period"},
        {"field": "tip", "title": "Here"},
        {"field": "region_words", "title": "Region"},
        {"field": "whole_words", "title": "All areas"},
    ]
    limits = {"type": "bar", "width": 7, "color": colour("before"), "opacity": 0.3}
    y = {"type": "quantitative", "scale": {"zero": False, "nice": True}, "axis": axis}
    layers: list[Spec] = []
    if bounded:
        layers.append(
            {
                "transform": [{"filter": "datum.lower !== null"}],
                "mark": limits,
                "encoding": {"y": {"field": "lower", **y}, "y2": {"field": "upper"}, "tooltip": tips},
            }
        )
    for field, name, dash in (("whole", "neutral", [2, 3]), ("region", "after", [6, 3])):
        mark = {"type": "line", "color": colour(name), "strokeWidth": 2, "strokeDash": dash}
        layers.append({"mark": mark, "encoding": {"y": {"field": field, **y}}})
    own = {"field": "value", **y}
    line = {"type": "line", "color": colour("before"), "strokeWidth": 2.5}
    dot = {"type": "point", "filled": True, "size": 45, "color": colour("before"), "opacity": 1}
    known = [{"filter": "datum.value !== null"}]
    return [
        *layers,
        {"mark": line, "encoding": {"y": own}},
        {"transform": known, "mark": dot, "encoding": {"y": own, "tooltip": tips}},
    ]


def _break(year: int | None, rows: Sequence[Row]) -> list[Spec]:
    """Mark the change of method, where both sides of it are drawn."""
    if year is None or not min(row["year"] for row in rows) < year <= max(row["year"] for row in rows):
        return []
    at: Spec = {"values": [{"year": year - 0.5}]}
    rule = {"type": "rule", "color": colour("soft"), "strokeDash": [4, 4]}
    text = {"type": "text", "align": "right", "dx": -5, "baseline": "bottom", "color": colour("soft"), "fontSize": 11}
    words = {"text": {"value": "new method"}, "y": {"value": -3}}
    return [{"data": at, "mark": rule}, {"data": at, "mark": text, "encoding": words}]
