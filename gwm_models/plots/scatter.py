"""Scatter of areas with a line, its band, the limits of each point, and the names of those that stand out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gwm_models.plots.labels import Placed, place_labels
from gwm_models.plots.theme import Spec, colour, column, key, number_axis, spec_of
from gwm_models.plots.words import drawn, interval, is_missing, number

Row = Mapping[str, Any]

HEIGHT = 320
WIDE, NARROW = (430.0, 250.0), (225.0, 250.0)
"""Pixels inside the axes, of the smallest wide chart and of one on a phone, for which labels are placed."""
MOST_WIDE, MOST_NARROW = 7, 4
PAD = 0.06
BAND = 0.18


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a scatter: the words on it, those of its column, and the decimals of its numbers."""

    title: str
    short: str
    places: int = 1


@dataclass(frozen=True, slots=True)
class Line:
    """A line over the points.

    Attributes
    ----------
    label : str
        Of the legend.
    points : sequence of mapping
        With ``x``, ``y`` and, for a band, ``lower`` and ``upper``.
    band_label : str
        Of the legend; "" for no band.
    name : str
        A colour of the theme.
    dashed : bool
    """

    label: str
    points: Sequence[Row]
    band_label: str = ""
    name: str = "after"
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of points: its words in the legend, a colour of the theme, and whether its points are filled."""

    label: str
    name: str = "before"
    filled: bool = True


AREA = (Kind("An area"),)


def scatter(
    rows: Sequence[Row],
    x: Axis,
    y: Axis,
    *,
    description: str,
    title: str = "",
    lines: Sequence[Line] = (),
    limits: str = "",
    outliers: Sequence[int] = (),
    kinds: Sequence[Kind] = AREA,
    more: Axis | None = None,
    height: int = HEIGHT,
) -> list[Spec]:
    """Draw areas by two quantities.

    Parameters
    ----------
    rows : sequence of mapping
        With ``area_code, area_name, x, y``; ``lower, upper`` of y where a point has limits; ``kind``, its place among
        the kinds, where there are several; ``z`` where `more` is given.
    x, y : Axis
    description : str
        What the chart shows, for a listener.
    title : str
    lines : sequence of Line
    limits : str
        What the limits of a point are, for the legend; "" for none.
    outliers : sequence of int
        Places of the rows to name, the most outlying first; those without room are left without a name.
    kinds : sequence of Kind
    more : Axis, optional
        A third number of each row, told and not drawn.
    height : int

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty without rows.
    """
    if not rows:
        return []
    values = [_datum(row, x, y, more) for row in rows]
    bounded = bool(limits) and any(value["lower"] is not None for value in values)
    span_x = _span([value["x"] for value in values])
    ends = [end for value in values for end in (value["lower"], value["upper"]) if bounded and end is not None]
    span_y = _span([*(value["y"] for value in values), *ends])
    legend = [key(kind.label, kind.name, "dot" if kind.filled else "ring") for kind in kinds]
    legend += [key(limits, "before", "band")] if bounded else []
    for line in lines:
        legend += [key(line.label, line.name, "line")] if line.label else []
        legend += [key(line.band_label, line.name, "band")] if line.band_label else []
    table = [column("name", "Area"), column("x", x.short, x.places), column("y", y.short, y.places)]
    table += [column("interval", limits)] if bounded else []
    table += [column("z", more.short, more.places)] if more else []
    tips = _tips(x, y, more)
    return [
        spec_of(
            description,
            values=values,
            legend=legend,
            table=table,
            title=title,
            height=height,
            encoding={
                "x": {
                    "type": "quantitative",
                    "scale": {"domain": span_x, "nice": False, "zero": False},
                    "axis": number_axis(x.title, narrow=4, wide=7, grid=False),
                },
                "y": {
                    "type": "quantitative",
                    "scale": {"domain": span_y, "nice": False, "zero": False},
                    "axis": number_axis(y.title, narrow=5, wide=6, labelPadding=4),
                },
            },
            layer=[
                *(layer for line in lines for layer in _band(line)),
                *([_whiskers(tips)] if bounded else []),
                *(_dots(place, kind, tips) for place, kind in enumerate(kinds)),
                *(layer for line in lines for layer in _line(line)),
                *_names(values, outliers, span_x, span_y),
            ],
        )
    ]


def _datum(row: Row, x: Axis, y: Axis, more: Axis | None) -> Spec:
    words = number(row["y"], y.places)
    span = interval(row.get("lower"), row.get("upper"), y.places)
    return {
        "code": row["area_code"],
        "name": row["area_name"],
        "x": drawn(row["x"]),
        "y": drawn(row["y"]),
        "lower": drawn(row.get("lower")),
        "upper": drawn(row.get("upper")),
        "interval": span,
        "tip_x": number(row["x"], x.places),
        "tip": f"{words} ({span})" if span else words,
        "kind": int(row.get("kind", 0)),
        **({"z": drawn(row["z"]), "tip_z": number(row["z"], more.places)} if more else {}),
    }


def _span(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    pad = PAD * ((high - low) or 1.0)
    return [round(low - pad, 5), round(high + pad, 5)]


def _tips(x: Axis, y: Axis, more: Axis | None) -> list[Spec]:
    return [
        {"field": "name", "title": "Area"},
        {"field": "tip_x", "title": x.short},
        {"field": "tip", "title": y.short},
        *([{"field": "tip_z", "title": more.short}] if more else []),
    ]


def _whiskers(tips: list[Spec]) -> Spec:
    return {
        "transform": [{"filter": "isValid(datum.lower)"}],
        "mark": {"type": "rule", "color": colour("before"), "opacity": 0.28, "strokeWidth": 1.5},
        "encoding": {
            "x": {"field": "x"},
            "y": {"field": "lower", "type": "quantitative"},
            "y2": {"field": "upper"},
            "tooltip": tips,
        },
    }


def _dots(place: int, kind: Kind, tips: list[Spec]) -> Spec:
    """Draw the points of one kind: filled with a rim of paper, or rings."""
    fill, rim, width = (kind.name, "paper", 0.7) if kind.filled else ("paper", kind.name, 2.0)
    mark = {
        "type": "point",
        "filled": True,
        "size": 42,
        "color": colour(fill),
        "opacity": 0.85 if kind.filled else 1,
        "stroke": colour(rim),
        "strokeWidth": width,
    }
    return {
        "transform": [{"filter": f"datum.kind === {place}"}],
        "mark": mark,
        "encoding": {"x": {"field": "x"}, "y": {"field": "y"}, "tooltip": tips},
    }


def _points(line: Line) -> list[Spec]:
    names = ("x", "y", "lower", "upper") if line.band_label else ("x", "y")
    return [{name: drawn(point[name]) for name in names} for point in line.points]


def _band(line: Line) -> list[Spec]:
    if not line.band_label:
        return []
    return [
        {
            "data": {"values": _points(line)},
            "mark": {"type": "area", "color": colour(line.name), "opacity": BAND, "clip": True},
            "encoding": {
                "x": {"field": "x"},
                "y": {"field": "lower", "type": "quantitative"},
                "y2": {"field": "upper"},
            },
        }
    ]


def _line(line: Line) -> list[Spec]:
    mark: Spec = {"type": "line", "color": colour(line.name), "strokeWidth": 2.25, "clip": True}
    mark |= {"strokeDash": [6, 4]} if line.dashed else {}
    return [
        {
            "data": {"values": _points(line)},
            "mark": mark,
            "encoding": {"x": {"field": "x"}, "y": {"field": "y"}},
        }
    ]


def _names(
    values: Sequence[Row], outliers: Sequence[int], span_x: Sequence[float], span_y: Sequence[float]
) -> list[Spec]:
    """Name some points, on a phone fewer of them, with a rim that keeps the letters clear of the points."""
    if not outliers:
        return []
    (left, right), (low, high) = span_x, span_y
    places = [((v["x"] - left) / (right - left), (high - v["y"]) / (high - low)) for v in values]
    names = [str(value["name"]) for value in values]
    found = {
        size: place_labels(places, names, list(outliers)[:most], width=shape[0], height=shape[1])
        for size, shape, most in (("wide", WIDE, MOST_WIDE), ("narrow", NARROW, MOST_NARROW))
    }
    data = [
        {"x": values[one.place]["x"], "y": values[one.place]["y"], "size": size, **_spot(one, names)}
        for size, spots in found.items()
        for one in spots
    ]
    at = {"x": {"field": "x"}, "y": {"field": "y"}, "text": {"field": "name"}}
    mark: Spec = {
        "type": "text",
        "fontSize": 11,
        "align": {"expr": "datum.align"},
        "dx": {"expr": "datum.dx"},
        "dy": {"expr": "datum.dy"},
        "baseline": "middle",
    }
    rim = {"stroke": colour("paper"), "strokeWidth": 3, "strokeJoin": "round", "color": colour("paper"), "opacity": 0.9}
    shared = {
        "data": {"values": data},
        "transform": [{"filter": "datum.size === (narrow ? 'narrow' : 'wide')"}],
        "encoding": at,
    }
    return [{**shared, "mark": {**mark, **rim}}, {**shared, "mark": {**mark, "color": colour("ink")}}]


def _spot(one: Placed, names: Sequence[str]) -> Spec:
    return {"name": names[one.place], "align": one.align, "dx": one.dx, "dy": one.dy}


def line_words(estimate: float, lower: float | None, upper: float | None, places: int) -> str:
    """Write an estimate with its interval: '3.16 (2.81 to 3.51)'.

    Examples
    --------
    >>> line_words(-0.24, -0.4, -0.06, 2)
    '−0.24 (−0.40 to −0.06)'
    """
    words = number(estimate, places)
    return words if is_missing(lower) or is_missing(upper) else f"{words} ({interval(lower, upper, places)})"
