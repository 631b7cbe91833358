"""Charts of the gap: each tenth of areas before and after, and what each gains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gwm_models.plots.theme import Spec, colour, column, key, label_axis, spec_of
from gwm_models.plots.words import drawn, interval, is_missing, level_words, number, places_for, unit_words

Row = Mapping[str, Any]

ENDS = ("estimate", "lower", "upper")
ROW_HEIGHT = 30
LAST = 10


def tenth_charts(rows: Iterable[Row]) -> list[Spec]:
    """Draw the mean score of each tenth of areas before and after, and beside it the difference, with intervals.

    Parameters
    ----------
    rows : iterable of mapping
        With ``tenth`` (1 is the worst), ``state`` (baseline, scenario or difference), ``label, unit, estimate, lower,
        upper, level``.

    Returns
    -------
    list of dict
        Two Vega-Lite specs, the best tenth at the top; empty where no tenth changes.
    """
    found: dict[int, dict[str, Row]] = {}
    for row in rows:
        if not is_missing(row.get("estimate")):
            found.setdefault(int(row["tenth"]), {})[str(row["state"])] = row
    whole = {k: states for k, states in found.items() if {"baseline", "scenario", "difference"} <= set(states)}
    if not any(states["difference"][end] for states in whole.values() for end in ENDS):
        return []
    ordered = [whole[k] for k in sorted(whole, reverse=True)]
    return [_levels(ordered), _changes(ordered)]


def _called(tenth: int) -> str:
    """Name a tenth, the first and the last in words.

    Examples
    --------
    >>> [_called(k) for k in (1, 2, 3, 10)]
    ['Worst tenth', '2nd', '3rd', 'Best tenth']
    """
    if tenth in (1, LAST):
        return "Worst tenth" if tenth == 1 else "Best tenth"
    return f"{tenth}{ {2: 'nd', 3: 'rd'}.get(tenth, 'th') }"


def _datum(row: Row, places: int, level: str, *, sign: bool) -> Spec:
    words, span = number(row["estimate"], places, sign=sign), interval(row["lower"], row["upper"], places)
    return {
        "code": str(row["tenth"]),
        "name": _called(int(row["tenth"])),
        "state": {"baseline": "Before", "scenario": "After", "difference": "Difference"}[str(row["state"])],
        **{end: drawn(row[end]) for end in ENDS},
        "words": words,
        "interval": span,
        "tip": f"{words} ({level} {span})" if span else words,
    }


def _levels(ordered: list[dict[str, Row]]) -> Spec:
    first = ordered[0]["baseline"]
    level, unit = level_words(first.get("level")), str(first["unit"])
    places = places_for(unit)
    values = [
        _datum(states[state], places, level, sign=False) for states in ordered for state in ("baseline", "scenario")
    ]
    title = f"{first['label']} ({unit_words(unit)})"
    return spec_of(
        f"Mean of the {first['label']} in each tenth of areas before and after, with {level}: "
        f"{_spoken(ordered, 'baseline', places)} before; {_spoken(ordered, 'scenario', places)} after.",
        values=values,
        legend=[key("Before", "before", "ring"), key("After", "after", "dot"), key(level, "neutral", "line")],
        table=[column("name", "Tenth"), column("state", "State"), column("words", title), column("interval", level)],
        title="Score of each tenth",
        height=ROW_HEIGHT * len(ordered),
        params=[_names(ordered)],
        encoding={
            "x": {
                "type": "quantitative",
                "scale": {"zero": False, "nice": True},
                "axis": {"title": title, "orient": "top", "tickCount": {"expr": "narrow ? 4 : 6"}},
            },
            "y": _tenth_axis(ordered),
        },
        layer=[
            *_marks("Before", "before", -4, filled=False),
            *_marks("After", "after", 4, filled=True),
        ],
    )


def _changes(ordered: list[dict[str, Row]]) -> Spec:
    first = ordered[0]["difference"]
    level, unit = level_words(first.get("level")), str(first["unit"])
    ends = [states["difference"][end] for states in ordered for end in ENDS]
    places = places_for(unit, ends, change=True)
    values = [_datum(states["difference"], places, level, sign=True) for states in ordered]
    title = f"Difference ({unit_words(unit)})"
    at_the_end = {"x": {"value": {"expr": "width"}}, "text": {"field": "words"}}
    return spec_of(
        f"Difference in the mean of each tenth of areas, with {level}: {_spoken(ordered, 'difference', places)}.",
        values=values,
        legend=[],
        table=[column("name", "Tenth"), column("words", title), column("interval", level)],
        title="Difference",
        height=ROW_HEIGHT * len(ordered),
        params=[_names(ordered)],
        encoding={
            "x": {
                "type": "quantitative",
                "scale": {"domain": [min(0.0, *ends), max(0.0, *ends)], "nice": True},
                "axis": {"title": title, "orient": "top", "tickCount": {"expr": "narrow ? 3 : 6"}},
            },
            "y": _tenth_axis(ordered),
        },
        layer=[
            {
                "data": {"values": [{}]},
                "mark": {"type": "rule", "color": colour("neutral")},
                "encoding": {"x": {"datum": 0}, "y": None},
            },
            *_marks("Difference", "after", 0, filled=True),
            {"mark": {"type": "text", "align": "left", "dx": 10, "color": colour("ink")}, "encoding": at_the_end},
        ],
    )


def _spoken(ordered: list[dict[str, Row]], state: str, places: int) -> str:
    """Say the best and the worst tenth in figures."""
    best, worst = (number(ordered[place][state]["estimate"], places, sign=state == "difference") for place in (0, -1))
    return f"{best} in the best and {worst} in the worst"


def _names(ordered: list[dict[str, Row]]) -> Spec:
    tenths = [int(states["baseline"]["tenth"]) for states in ordered]
    return {"name": "names", "value": {str(tenth): _called(tenth) for tenth in tenths}}


def _tenth_axis(ordered: list[dict[str, Row]]) -> Spec:
    return label_axis([str(states["baseline"]["tenth"]) for states in ordered], minExtent={"expr": "narrow ? 60 : 90"})


def _marks(state: str, name: str, offset: float, *, filled: bool) -> list[Spec]:
    """Draw interval and point of one state, `offset` pixels below the middle of the line."""
    where = [{"filter": {"field": "state", "equal": state}}]
    tips = [{"field": "name", "title": "Tenth"}, {"field": "tip", "title": state}]
    span = {"x": {"field": "lower", "type": "quantitative"}, "x2": {"field": "upper"}, "tooltip": tips}
    rule = {"type": "rule", "color": colour(name), "strokeWidth": 2.5, "opacity": 0.7}
    point = {"type": "point", "size": 55, "filled": True, "opacity": 1, "strokeWidth": 2, "stroke": colour(name)}
    return [
        {"transform": where, "mark": {**rule, "yOffset": offset, "y2Offset": offset}, "encoding": span},
        {
            "transform": where,
            "mark": {**point, "fill": colour(name if filled else "paper"), "yOffset": offset},
            "encoding": {"x": {"field": "estimate"}, "tooltip": tips},
        },
    ]
