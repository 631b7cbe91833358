"""Charts of one area: its profile of indicators, figures over the years, and what would move it most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gwm_models.plots.theme import Spec, colour, column, key, long_label_axis, long_names, number_axis, spec_of
from gwm_models.plots.words import drawn, interval, is_missing, level_words, number, with_unit

Row = Mapping[str, Any]

LIMITS = "95% limits"
NOTHING = "no open figures"
ROW_HEIGHT = 46
OF_UNIT = {"percent_of_median": " (% of the median)"}
"""Said beside the label of an indicator, where its unit does not say it."""
BETTER = "Standard deviations from the mean of areas; further right is better"
BETTER_NARROW = ["Standard deviations from the mean;", "further right is better"]


def figure(value: float | None, unit: str, places: int, *, sign: bool = False) -> str:
    """Write a figure with its unit; of money the pound sign goes before it.

    Examples
    --------
    >>> figure(71.24, "percent", 1), figure(480.5, "GBP_per_week", 0), figure(None, "years", 1)
    ('71.2%', '£480 a week', '–')
    """
    if unit == "GBP_per_week" and not is_missing(value):
        text = number(value, places, sign=sign)
        digits = text.lstrip("+\u2212")
        return f"{text[: len(text) - len(digits)]}£{digits} a week"
    if unit == "percent_of_median" and not is_missing(value):
        return f"{number(value, places, sign=sign)}% of the median"
    return with_unit(number(value, places, sign=sign), unit)


def short_figure(value: float | None, unit: str, places: int) -> str:
    """Write a figure for the end of a row, where the label of the row says what it is.

    Examples
    --------
    >>> short_figure(480.5, "GBP_per_week", 0), short_figure(98.21, "percent_of_median", 1)
    ('£480', '98.2%')
    """
    return figure(value, unit, places).removesuffix(" a week").removesuffix(" of the median")


def profile(rows: Sequence[Row], others: Sequence[Row], *, area: str, region: str, whole: str) -> list[Spec]:
    """Draw the indicators of an area on one scale, beside its peers, its region and all areas.

    Parameters
    ----------
    rows : sequence of mapping
        One an indicator: ``indicator, label, unit, places, value, lower, upper``, and ``score, score_lower,
        score_upper, region_score, whole_score`` in standard deviations, higher is better; ``peers_median``,
        ``region_median`` and ``whole_median`` in the unit. Without a value, the row says that there is none.
    others : sequence of mapping
        ``indicator, name, score, peer``: every other area, and whether it is a peer.
    area, region, whole : str
        Names of the area, its region, and all areas together.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty without a figure.
    """
    if not any(row["value"] is not None for row in rows):
        return []
    level = LIMITS
    values = [_profile_row(row) for row in rows]
    names, height = long_names({row["indicator"]: row["label"] + OF_UNIT.get(row["unit"], "") for row in rows})
    strip = [
        {"code": one["indicator"], "other": one["name"], "at": drawn(one["score"], 3), "peer": one["peer"]}
        for one in others
    ]
    return [
        spec_of(
            f"Profile of {area}: each indicator in standard deviations from the mean of areas, turned so that further "
            f"right is better, with {level}, its most similar areas, and the medians of {region} and of {whole}. "
            f"{_profile_words(rows)}",
            values=values,
            legend=[
                key(area, "before", "dot"),
                key(level, "before", "band"),
                key("Most similar areas", "after", "ring"),
                key("Other areas", "neutral", "tick"),
                key(f"Median of {region}", "ink", "ring"),
                key(f"Median of {whole}", "ink", "tick"),
            ],
            table=[
                column("name", "Indicator"),
                column("figure", area),
                column("interval", level),
                column("peers", "Median of its most similar areas"),
                column("region", f"Median of {region}"),
                column("whole", f"Median of {whole}"),
                column("score", "Standard deviations (higher is better)", 2, sign=True),
            ],
            params=names,
            height=max(ROW_HEIGHT, height) * len(rows),
            encoding={"y": long_label_axis([row["indicator"] for row in rows])},
            layer=_profile_layers(strip),
        )
    ]


def _profile_row(row: Row) -> Spec:
    unit, places, known = row["unit"], row["places"], row["value"] is not None
    span = interval(row["lower"], row["upper"], places) if known else ""
    words = figure(row["value"], unit, places) if known else NOTHING
    return {
        "code": row["indicator"],
        "name": row["label"],
        "figure": words,
        "short": short_figure(row["value"], unit, places) if known else "",
        "interval": span,
        "score": drawn(row["score"], 3),
        "low": drawn(row["score_lower"], 3),
        "high": drawn(row["score_upper"], 3),
        "region_at": drawn(row["region_score"], 3),
        "whole_at": drawn(row["whole_score"], 3),
        **{name: figure(row[f"{name}_median"], unit, places) if known else "" for name in ("peers", "region", "whole")},
        "tip": f"{words} ({LIMITS} {span})" if span else words,
    }


def _profile_words(rows: Sequence[Row]) -> str:
    """Say what the chart shows of each indicator."""
    said = []
    for row in rows:
        text = NOTHING if row["value"] is None else figure(row["value"], row["unit"], row["places"])
        said.append(f"{row['label']}: {text}")
    return "; ".join(said) + "."


def _profile_layers(strip: list[Spec]) -> list[Spec]:
    title = {"expr": f"narrow ? {BETTER_NARROW!r} : {BETTER!r}"}
    axis = number_axis(title, narrow=4, wide=8, orient="top")  # type: ignore[arg-type]
    own_tip = [{"field": "name", "title": "Indicator"}, {"field": "tip", "title": "Here"}]
    other_tip = [{"field": "other", "title": "Area"}, {"field": "at", "title": "Standard deviations", "format": "+.1f"}]
    at = {"field": "at", "type": "quantitative"}
    tick = {"type": "tick", "color": colour("neutral"), "opacity": 0.35, "thickness": 1, "size": 14}
    ring = {"type": "point", "size": 42, "stroke": colour("after"), "strokeWidth": 1.5, "fill": None, "opacity": 0.9}
    bar = {"type": "bar", "height": 8, "color": colour("before"), "opacity": 0.35}
    dot = {"type": "point", "size": 110, "filled": True, "color": colour("before"), "opacity": 1}
    mean = {"type": "rule", "color": colour("line"), "strokeDash": [4, 3]}
    blank = {"type": "text", "align": "center", "color": colour("soft"), "fontStyle": "italic"}
    value = {"type": "text", "align": "left", "dx": 10, "fontWeight": 600}
    known, unknown = [{"filter": "datum.score !== null"}], [{"filter": "datum.score === null"}]
    return [
        {"data": {"values": [{}]}, "mark": mean, "encoding": {"x": {"datum": 0}, "y": None}},
        {
            "data": {"values": [one for one in strip if not one["peer"]]},
            "mark": tick,
            "encoding": {"x": {**at, "axis": axis}, "tooltip": other_tip},
        },
        {
            "transform": known,
            "mark": bar,
            "encoding": {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}, "tooltip": own_tip},
        },
        {
            "data": {"values": [one for one in strip if one["peer"]]},
            "mark": ring,
            "encoding": {"x": at, "tooltip": other_tip},
        },
        _median("whole_at", "whole", "Median of all areas", {"shape": "stroke", "angle": 90, "size": 520}),
        _median("region_at", "region", "Median of the region", {"shape": "diamond", "size": 90}),
        {
            "transform": known,
            "mark": dot,
            "encoding": {"x": {"field": "score", "type": "quantitative"}, "tooltip": own_tip},
        },
        {"transform": unknown, "mark": blank, "encoding": {"x": {"datum": 0}, "text": {"value": NOTHING}}},
        {
            "transform": known,
            "mark": value,
            "encoding": {"x": {"value": {"expr": "width"}}, "text": {"field": "short"}},
        },
    ]


def _median(field: str, words: str, title: str, shape: Spec) -> Spec:
    """Draw one median of an indicator."""
    mark = {"type": "point", "stroke": colour("ink"), "strokeWidth": 2, "fill": None, "opacity": 1, **shape}
    tip = [{"field": "name", "title": "Indicator"}, {"field": words, "title": title}]
    return {
        "transform": [{"filter": f"datum.{field} !== null"}],
        "mark": mark,
        "encoding": {"x": {"field": field, "type": "quantitative"}, "tooltip": tip},
    }


def levers(rows: Sequence[Row], *, area: str, move: str) -> list[Spec]:
    """Draw what a comparable move of each indicator would do to the total of an area, the most first.

    Parameters
    ----------
    rows : sequence of mapping
        ``indicator, label, move_words, points, lower, upper, rank_words``; points None where not known.
    area : str
    move : str
        The move, in words.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty where nothing moves it.
    """
    known = [row for row in rows if row["points"]]
    if not known:
        return []
    level = level_words(0.9)
    names, height = long_names({row["indicator"]: row["label"] for row in known})
    values = [
        {
            "code": row["indicator"],
            "name": row["label"],
            "move": row["move_words"],
            "points": drawn(row["points"]),
            "low": drawn(row["lower"]),
            "high": drawn(row["upper"]),
            "words": number(row["points"], 1, sign=True),
            "interval": interval(row["lower"], row["upper"]),
            "ranks": row["rank_words"],
        }
        for row in known
    ]
    tips = [
        {"field": field, "title": title}
        for field, title in (
            ("name", "Indicator"),
            ("move", "Move"),
            ("words", "Points"),
            ("interval", level),
            ("ranks", "Ranks gained"),
        )
    ]
    axis = number_axis("Points of the total", narrow=4, wide=8, orient="top")
    low = {"field": "low", "type": "quantitative", "scale": {"zero": True}, "axis": axis}
    points = {"field": "points", "type": "quantitative"}
    bar = {"type": "bar", "height": 8, "color": colour("after"), "opacity": 0.3}
    dot = {"type": "point", "filled": True, "size": 90, "color": colour("after"), "opacity": 1}
    text = {"type": "text", "align": "left", "dx": 10, "fontWeight": 600}
    return [
        spec_of(
            f"What {move} would add to the total of {area}, in points, with {level}: "
            + "; ".join(f"{one['name']} {one['words']}" for one in values)
            + ".",
            values=values,
            legend=[key("Points gained", "after", "dot"), key(level, "after", "band")],
            table=[
                column("name", "Indicator"),
                column("move", "Move"),
                column("points", "Points", 1, sign=True),
                column("interval", level),
                column("ranks", "Ranks gained"),
            ],
            params=names,
            height=max(34, height) * len(values),
            encoding={"y": long_label_axis([row["indicator"] for row in known])},
            layer=[
                {"mark": bar, "encoding": {"x": low, "x2": {"field": "high"}, "tooltip": tips}},
                {"mark": dot, "encoding": {"x": points, "tooltip": tips}},
                {"mark": text, "encoding": {"x": {"value": {"expr": "width"}}, "text": {"field": "words"}}},
            ],
        )
    ]
