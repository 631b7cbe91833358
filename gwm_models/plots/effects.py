"""Charts of effects: the change over the years, the three lines of health, and the layers of uncertainty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gwm_models.plots.theme import Spec, colour, column, key, label_axis, spec_of
from gwm_models.plots.words import (
    drawn,
    interval,
    is_missing,
    level_words,
    number,
    percent,
    places_for,
    unit_words,
)

Row = Mapping[str, Any]

TARGETS = "Target areas"
ENDS = ("estimate", "lower", "upper")
LINES = ("full association", "stated link", "none")
LINE_COLOURS = {"full association": "neutral", "stated link": "after", "none": "before"}


def change_over_years(
    path: Iterable[Row],
    *,
    group: str = TARGETS,
    quantity: str = "total",
    label: str = "score",
    unit: str = "points",
) -> list[Spec]:
    """Draw the difference from the baseline year by year for one group, with its interval as a band.

    Parameters
    ----------
    path : iterable of mapping
        Rows with ``group, quantity, year, state, estimate, lower, upper, level``; of the states,
        ``difference`` is used.
    group, quantity : str
        Which rows to draw.
    label, unit : str
        Words for the vertical axis.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty when no such row differs from zero.
    """
    wanted = {"group": group, "quantity": quantity, "state": "difference"}
    rows = [row for row in path if all(row.get(name) == value for name, value in wanted.items())]
    rows = sorted((row for row in rows if not is_missing(row.get("estimate"))), key=lambda row: row["year"])
    if not _changes(rows):
        return []
    level = level_words(rows[0].get("level"))
    places = places_for(unit, change=True)
    values = [_year(row, places, level) for row in rows]
    last = {"filter": {"field": "year", "equal": values[-1]["year"]}}
    tips = [{"field": "year", "title": "Year"}, {"field": "tip", "title": "Difference"}]
    band = {"type": "area", "color": colour("after"), "opacity": 0.22}
    line = {"type": "line", "color": colour("after"), "strokeWidth": 2.5}
    point = {"type": "point", "filled": True, "size": 45, "color": colour("after"), "opacity": 1}
    figure = {"type": "text", "align": "left", "dx": 10, "fontSize": 13, "fontWeight": 600}
    estimate = {"field": "estimate", "type": "quantitative"}
    span = {"y": {"field": "lower", "type": "quantitative"}, "y2": {"field": "upper"}}
    return [
        spec_of(
            f"Difference from the baseline in the {label} of the {group[0].lower() + group[1:]}, "
            f"{values[0]['year']} to {values[-1]['year']}, with {level}: "
            f"{values[-1]['tip']} {unit_words(unit)} in the last year.",
            values=values,
            legend=[key("Estimate", "after", "line"), key(level, "after", "band")],
            table=[
                column("year", "Year", 0),
                column("estimate", f"Difference ({unit_words(unit)})", places, sign=True),
                column("interval", level),
            ],
            height=260,
            encoding={
                "x": {
                    "field": "year",
                    "type": "quantitative",
                    "scale": {"zero": False, "nice": False},
                    "axis": {"title": None, "format": "d", "grid": False, "tickMinStep": 1, "ticks": True}
                    | {"tickCount": {"expr": "narrow ? 4 : 10"}, "tickColor": colour("line")},
                },
                "y": {"axis": {"title": f"Difference ({unit_words(unit)})", "tickCount": 5}},
            },
            layer=[
                {"mark": band, "encoding": span},
                {
                    "data": {"values": [{}]},
                    "mark": {"type": "rule"},
                    "encoding": {"x": None, "y": {"datum": 0}},
                },
                {"mark": line, "encoding": {"y": estimate}},
                {"mark": point, "encoding": {"y": estimate, "tooltip": tips}},
                {
                    "transform": [last],
                    "mark": figure,
                    "encoding": {"y": estimate, "text": {"field": "words"}},
                },
            ],
        )
    ]


def _year(row: Row, places: int, level: str) -> Spec:
    """Make the drawn row of one year."""
    words, span = (
        number(row["estimate"], places, sign=True),
        interval(row.get("lower"), row.get("upper"), places),
    )
    return {
        "year": int(row["year"]),
        "estimate": drawn(row.get("estimate")),
        "lower": drawn(row.get("lower")),
        "upper": drawn(row.get("upper")),
        "words": words,
        "interval": span,
        "tip": f"{words} ({level} {span})" if span else words,
    }


def health_lines(health: Iterable[Row], *, group: str = TARGETS) -> list[Spec]:
    """Draw the change in each health outcome under the three readings of the link between work and health.

    Parameters
    ----------
    health : iterable of mapping
        Rows with ``outcome, label, unit, group, line, estimate, lower, upper, level``.
    group : str
        Which areas to draw.

    Returns
    -------
    list of dict
        One Vega-Lite spec for each outcome, all on one scale; empty when no such row differs from zero.
    """
    rows = [row for row in health if row.get("group") == group and not is_missing(row.get("estimate"))]
    if not _changes(rows):
        return []
    outcomes = list(dict.fromkeys(row["outcome"] for row in rows))
    ends = [0.0, *(float(row[name]) for row in rows for name in ENDS if not is_missing(row.get(name)))]
    return [
        _outcome([row for row in rows if row["outcome"] == outcome], (min(ends), max(ends))) for outcome in outcomes
    ]


def _changes(rows: Iterable[Row]) -> bool:
    """Tell whether any row differs from zero, in its estimate or its interval."""
    return any(row.get(name) for row in rows for name in ENDS)


def _outcome(rows: Sequence[Row], domain: tuple[float, float]) -> Spec:
    """Draw the three lines of one outcome."""
    unit, level, label = str(rows[0]["unit"]), level_words(rows[0].get("level")), str(rows[0]["label"])
    places = places_for(unit, change=True)
    order = [line for line in LINES if any(row["line"] == line for row in rows)]
    order += sorted({str(row["line"]) for row in rows} - set(order))
    values = [_line(row, places, level) for row in sorted(rows, key=lambda row: order.index(row["line"]))]
    paint = {line: colour(LINE_COLOURS.get(line, "neutral")) for line in order}
    scale = {"domain": list(paint), "range": list(paint.values())}
    tips = [{"field": "name", "title": "Link"}, {"field": "tip", "title": f"Change ({unit_words(unit)})"}]
    figure = {"type": "text", "align": "left", "dx": 10, "fontWeight": 600}
    return spec_of(
        f"Change in {label[0].lower() + label[1:]} ({unit_words(unit)}) under three readings of the link: "
        + "; ".join(f"{value['name'].lower()} {value['tip']}" for value in values)
        + ".",
        values=values,
        legend=[],
        table=[
            column("name", "Link"),
            column("estimate", f"Change ({unit_words(unit)})", places, sign=True),
            column("interval", level),
        ],
        title=label,
        params=[{"name": "names", "value": {line: line[0].upper() + line[1:] for line in order}}],
        height=32 * len(order),
        encoding={
            "x": {
                "type": "quantitative",
                "scale": {"domain": [drawn(end) for end in domain], "nice": True},
                "axis": {"title": f"Change ({unit_words(unit)})", "grid": True}
                | {"tickCount": {"expr": "narrow ? 4 : 6"}},
            },
            "y": label_axis(order, grid=False),
            "color": {"field": "code", "type": "nominal", "scale": scale, "legend": None},
        },
        layer=[
            {"data": {"values": [{}]}, "mark": {"type": "rule"}, "encoding": _upright(0)},
            {
                "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.6},
                "encoding": {
                    "x": {"field": "lower", "type": "quantitative"},
                    "x2": {"field": "upper"},
                    "tooltip": tips,
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 75, "opacity": 1},
                "encoding": {"x": {"field": "estimate"}, "tooltip": tips},
            },
            {
                "mark": {**figure, "color": colour("ink")},
                "encoding": {"x": {"value": {"expr": "width"}}, "text": {"field": "words"}, "color": None},
            },
        ],
    )


def _upright(value: float) -> Spec:
    """Encode an upright rule at one value of the horizontal axis."""
    return {"x": {"datum": value}, "y": None, "color": None}


def _line(row: Row, places: int, level: str) -> Spec:
    """Make the drawn row of one reading of the link."""
    words, span = (
        number(row["estimate"], places, sign=True),
        interval(row.get("lower"), row.get("upper"), places),
    )
    return {
        "code": row["line"],
        "name": row["line"][0].upper() + row["line"][1:],
        "estimate": drawn(row.get("estimate")),
        "lower": drawn(row.get("lower")),
        "upper": drawn(row.get("upper")),
        "words": words,
        "interval": span,
        "tip": f"{words} ({level} {span})" if span else words,
    }


def variance_layers(variance: Iterable[Row]) -> list[Spec]:
    """Draw the share of the variance of each result that each layer of uncertainty brings.

    Parameters
    ----------
    variance : iterable of mapping
        Rows with ``quantity, label, layer, label_layer, share``; shares run from 0 to 1.

    Returns
    -------
    list of dict
        One Vega-Lite spec for each quantity, layers in the order of their largest share; empty without rows.
    """
    rows = [row for row in variance if not is_missing(row.get("share"))]
    largest: dict[str, float] = {}
    for row in rows:
        largest[row["layer"]] = max(largest.get(row["layer"], 0.0), row["share"])
    order = sorted(largest, key=lambda layer: -largest[layer])
    quantities = dict.fromkeys(row["quantity"] for row in rows)
    return [_shares([row for row in rows if row["quantity"] == name], order) for name in quantities]


def _shares(rows: Sequence[Row], order: Sequence[str]) -> Spec:
    """Draw the layers of one quantity as labelled bars."""
    label = str(rows[0]["label"])
    values = [
        {
            "code": row["layer"],
            "name": row["label_layer"],
            "share": drawn(row["share"]),
            "words": percent(row["share"]),
        }
        for row in sorted(rows, key=lambda row: order.index(row["layer"]))
    ]
    share = {"field": "share", "type": "quantitative"}
    tips = [{"field": "name", "title": "Layer"}, {"field": "words", "title": "Share of variance"}]
    return spec_of(
        f"Share of the variance of the difference in {label[0].lower() + label[1:]} by layer of uncertainty: "
        + ", ".join(f"{value['name'].lower()} {value['words']}" for value in values)
        + ".",
        values=values,
        legend=[],
        table=[column("name", "Layer"), column("words", "Share of variance")],
        title=label,
        params=[{"name": "names", "value": {value["code"]: value["name"] for value in values}}],
        height=24 * len(values),
        encoding={
            "x": {
                **share,
                "scale": {"domainMin": 0, "domainMax": {"expr": "narrow ? 2 : 1.15"}, "nice": False},
                "axis": None,
            },
            "y": label_axis([value["code"] for value in values], narrow=190, grid=False, labelFontSize=11.5),
        },
        layer=[
            {"mark": {"type": "bar", "height": 14, "color": colour("before")}, "encoding": {"tooltip": tips}},
            {"mark": {"type": "text", "align": "left", "dx": 6}, "encoding": {"text": {"field": "words"}}},
        ],
    )
