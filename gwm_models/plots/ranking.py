"""Charts of areas: the caterpillar of rank intervals and the dumbbell of scores before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gwm_models.plots.theme import Spec, colour, column, key, label_axis, spec_of
from gwm_models.plots.words import drawn, interval, is_missing, level_words, number, places_for, unit_words

Row = Mapping[str, Any]

STATE_WORDS = {
    "baseline": "Before",
    "scenario": "After",
    "difference": "Difference",
    "published": "Published",
}
NAME_TIP = {"field": "name", "title": "Area"}


def by_area(rows: Iterable[Row], quantity: str) -> dict[str, dict[str, Row]]:
    """Collect the rows of one quantity as ``{area_code: {state: row}}``; a row needs an estimate."""
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        if row["quantity"] == quantity and not is_missing(row.get("estimate")):
            found.setdefault(str(row["area_code"]), {})[str(row["state"])] = row
    return found


def _datum(row: Row, kind: str, places: int, level: str) -> Spec:
    """Make the drawn row of one area in one state."""
    words = number(row["estimate"], places)
    span = interval(row.get("lower"), row.get("upper"), places)
    return {
        "code": row["area_code"],
        "name": row["area_name"],
        "kind": kind,
        "state": STATE_WORDS[row["state"]],
        "estimate": drawn(row["estimate"]),
        "lower": drawn(row.get("lower")),
        "upper": drawn(row.get("upper")),
        "interval": span,
        "tip": f"{words} ({level} {span})" if span else words,
    }


def _columns(title: str, places: int, level: str) -> list[Spec]:
    """Give the columns of the table of areas, states and their estimates."""
    estimate = column("estimate", title, places)
    return [column("name", "Area"), column("state", "State"), estimate, column("interval", level)]


def _level(rows: Iterable[Mapping[str, Row]]) -> str:
    """Give the words for the level that the rows' intervals share."""
    return level_words(next((row.get("level") for states in rows for row in states.values() if row.get("level")), None))


def _only(kind: str) -> list[Spec]:
    """Keep the rows of one kind."""
    return [{"filter": {"field": "kind", "equal": kind}}]


def _whisker(kind: str, name: str, offset: float, tip: str, *, filled: bool, width: float = 2) -> list[Spec]:
    """Draw an interval and its point for one kind of row, `offset` pixels below the middle of its line."""
    tips = [NAME_TIP, {"field": "tip", "title": tip}]
    rule = {
        "type": "rule",
        "color": colour(name),
        "strokeWidth": width,
        "yOffset": offset,
        "y2Offset": offset,
    }
    point = {
        "type": "point",
        "size": 34,
        "filled": True,
        "fill": colour(name if filled else "paper"),
        "stroke": colour(name),
        "strokeWidth": 1.5,
        "opacity": 1,
        "yOffset": offset,
    }
    where = _only(kind)
    ends = {"x": {"field": "lower", "type": "quantitative"}, "x2": {"field": "upper"}, "tooltip": tips}
    return [
        {"transform": where, "mark": {**rule, "opacity": 0.75}, "encoding": ends},
        {"transform": where, "mark": point, "encoding": {"x": {"field": "estimate"}, "tooltip": tips}},
    ]


def caterpillar(areas: Iterable[Row], *, rows_per_part: int = 60) -> list[Spec]:
    """Draw the rank interval of every area, best first, with the scenario over it for treated areas.

    Parameters
    ----------
    areas : iterable of mapping
        Rows of ``areas.csv``; the quantity ``rank`` is used (1 is best).
    rows_per_part : int
        Most areas in one chart. More areas are shared out over charts of equal height and scale, so that they
        stand side by side on a wide screen and fit a printed page.

    Returns
    -------
    list of dict
        Vega-Lite specs, top ranks first; empty when there is no rank.
    """
    found = {code: states for code, states in by_area(areas, "rank").items() if "baseline" in states}
    order = sorted(found, key=lambda code: _place(found[code]["baseline"]))
    parts = -(-len(order) // rows_per_part) if order else 0
    size = -(-len(order) // parts) if parts else 1
    return [_ranks([found[code] for code in order], start, size) for start in range(0, len(order), size)]


def _place(row: Row) -> tuple[float, float, float, str]:
    """Sort by rank, then by the limits of its interval, then by name."""
    middle = row["estimate"]
    return middle, row.get("lower") or middle, row.get("upper") or middle, str(row["area_name"])


def _ranks(everyone: Sequence[Mapping[str, Row]], start: int, size: int) -> Spec:
    """Draw a run of consecutive areas on the scale of all of them."""
    found, n_areas, level = everyone[start : start + size], len(everyone), _level(everyone)
    any_treated = any(states["baseline"].get("treated") for states in everyone)
    values = []
    for states in found:
        treated = bool(states["baseline"].get("treated"))
        values.append(_datum(states["baseline"], "target" if treated else "other", 0, level))
        if treated and "scenario" in states:
            values.append(_datum(states["scenario"], "scenario", 0, level))
    codes = [states["baseline"]["area_code"] for states in found]
    treated_codes = [value["code"] for value in values if value["kind"] == "target"]
    bold = "indexof(treated, datum.value) >= 0"
    x_axis = {"title": "Rank (1 is best)", "orient": "top", "values": _ticks(n_areas), "format": "d"}
    legend = [key("Not a target" if any_treated else f"Rank with {level}", "neutral", "ring")]
    if any_treated:
        legend += [key("Target, before", "before", "ring"), key("Target, after", "after", "dot")]
    return spec_of(
        f"Rank and {level} of areas {start + 1} to {start + len(found)} of {n_areas} by baseline rank. "
        f"{len(treated_codes)} of them are targets and show their rank after the scenario as well.",
        values=values,
        legend=legend,
        table=_columns("Rank", 0, level),
        params=[
            {"name": "names", "value": {states["baseline"]["area_code"]: _name(states) for states in found}},
            {"name": "treated", "value": treated_codes},
        ],
        height=14 * len(codes),
        encoding={
            "x": {
                "type": "quantitative",
                "scale": {"domain": [0.5, n_areas + 0.5], "nice": False, "zero": False},
                "axis": x_axis,
            },
            "y": label_axis(
                codes,
                labelFontSize=11,
                labelFontWeight={"condition": {"test": bold, "value": 600}, "value": 400},
                labelColor={"condition": {"test": bold, "value": colour("ink")}, "value": colour("soft")},
            ),
        },
        layer=[
            *_whisker("other", "neutral", 0, "Rank", filled=False, width=1.5),
            *_whisker("target", "before", -2.5, "Rank before", filled=False),
            *_whisker("scenario", "after", 2.5, "Rank after", filled=True),
        ],
    )


def _name(states: Mapping[str, Row]) -> str:
    """Give the name of the area the rows are about."""
    return str(next(iter(states.values()))["area_name"])


def _ticks(n_areas: int) -> list[int]:
    """Give round ranks for an axis from 1 to `n_areas`.

    Examples
    --------
    >>> _ticks(118)
    [1, 20, 40, 60, 80, 100, 118]
    """
    step = 20 if n_areas > 60 else 10 if n_areas > 30 else 5
    inner = [rank for rank in range(step, n_areas, step) if n_areas - rank > step // 3]
    return [1, *inner, n_areas] if n_areas > 1 else [1]


def before_after(areas: Iterable[Row], *, quantity: str = "total") -> list[Spec]:
    """Draw the score of each treated area before and after, with intervals and the published score.

    Parameters
    ----------
    areas : iterable of mapping
        Rows of ``areas.csv``.
    quantity : str
        The score to draw, in its own unit.

    Returns
    -------
    list of dict
        One Vega-Lite spec, areas sorted by the score before, highest first; empty without treated areas.
    """
    found = {
        code: states
        for code, states in by_area(areas, quantity).items()
        if {"baseline", "scenario"} <= set(states) and states["baseline"].get("treated")
    }
    if not found:
        return []
    order = sorted(found, key=lambda code: -found[code]["baseline"]["estimate"])
    return [_dumbbell([found[code] for code in order])]


def _dumbbell(found: Sequence[Mapping[str, Row]]) -> Spec:
    """Draw one line per area: two intervals, two joined points, a tick and the difference in figures."""
    unit, level = str(found[0]["baseline"]["unit"]), _level(found)
    places = places_for(unit)
    values, names = [], {}
    for states in found:
        shown = [state for state in ("published", "baseline", "scenario") if state in states]
        values += [_datum(states[state], state, places, level) for state in shown]
        before, after = states["baseline"], states["scenario"]
        change = after["estimate"] - before["estimate"]
        change = states.get("difference", {}).get("estimate", change)
        values[-1] |= {"start": drawn(before["estimate"]), "change": number(change, places, sign=True)}
        names[before["area_code"]] = _name(states)
    label = str(found[0]["baseline"].get("label", "Score"))
    areas = "target area" if len(found) == 1 else "target areas"
    join = {"x": {"field": "start", "type": "quantitative"}, "x2": {"field": "estimate"}}
    figures = {"type": "text", "align": "left", "dx": 10}
    at_the_end = {"x": {"value": {"expr": "width"}}, "text": {"field": "change"}}
    return spec_of(
        f"{label} of {len(found)} {areas} before and after the scenario, with {level}. "
        "A vertical tick marks the published score; figures on the right give the difference.",
        values=values,
        legend=[
            key("Before", "before", "ring"),
            key("After", "after", "dot"),
            key(level, "neutral", "band"),
            *([key("Published score", "ink", "tick")] if any("published" in states for states in found) else []),
        ],
        table=_columns(f"{label} ({unit_words(unit)})", places, level),
        params=[{"name": "names", "value": names}],
        height=28 * len(names),
        encoding={
            "x": {
                "type": "quantitative",
                "scale": {"zero": False, "nice": True},
                "axis": {
                    "title": f"{label} ({unit_words(unit)})",
                    "orient": "top",
                    "tickCount": {"expr": "narrow ? 4 : 8"},
                },
            },
            "y": label_axis(list(names)),
        },
        layer=[
            _bar("baseline", "before", -4, "Before"),
            _bar("scenario", "after", 4, "After"),
            _published(),
            {
                "transform": _only("scenario"),
                "mark": {"type": "rule", "color": colour("ink")},
                "encoding": join,
            },
            *_points(),
            {"transform": _only("scenario"), "mark": figures, "encoding": at_the_end},
        ],
    )


def _bar(kind: str, name: str, offset: float, tip: str) -> Spec:
    """Draw the interval of one state as a pale bar, `offset` pixels below the middle of its line."""
    return {
        "transform": _only(kind),
        "mark": {"type": "bar", "height": 6, "color": colour(name), "opacity": 0.3, "yOffset": offset},
        "encoding": {
            "x": {"field": "lower", "type": "quantitative"},
            "x2": {"field": "upper"},
            "tooltip": [NAME_TIP, {"field": "tip", "title": tip}],
        },
    }


def _published() -> Spec:
    """Draw the published score as a small upright tick."""
    return {
        "transform": _only("published"),
        "mark": {"type": "tick", "thickness": 2, "size": 16, "color": colour("ink"), "opacity": 1},
        "encoding": {
            "x": {"field": "estimate"},
            "tooltip": [NAME_TIP, {"field": "estimate", "title": "Published"}],
        },
    }


def _points() -> list[Spec]:
    """Draw the two ends of the dumbbell."""
    return [
        {
            "transform": _only(kind),
            "mark": {
                "type": "point",
                "size": 70,
                "fill": colour(fill),
                "stroke": colour(name),
                "strokeWidth": 2,
                "opacity": 1,
            },
            "encoding": {"x": {"field": "estimate"}, "tooltip": [NAME_TIP, {"field": "tip", "title": tip}]},
        }
        for kind, name, fill, tip in (
            ("baseline", "before", "paper", "Before"),
            ("scenario", "after", "after", "After"),
        )
    ]
