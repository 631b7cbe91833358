"""Charts of ranks: the caterpillar with confidence sets behind it, the heat map of all ranks, and one area's ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gwm_models.plots.ranking import NAME_TIP, caterpillar
from gwm_models.plots.theme import Spec, colour, column, key, label_axis, spec_of
from gwm_models.plots.words import chance, drawn, interval, level_words

Row = Mapping[str, Any]

LEAST_SHOWN = 0.005
"""Probabilities below it are left blank in the heat map."""
ROW_HEIGHT = 14


def rank_caterpillar(rows: Sequence[Row], *, rows_per_part: int = 60) -> list[Spec]:
    """Draw the rank interval of every area, best first, over its confidence set where there is one.

    Parameters
    ----------
    rows : sequence of mapping
        With ``area_code, area_name, estimate, lower, upper, level`` of ranks, and ``set_lower, set_upper, set_level``
        if sets are to be drawn.
    rows_per_part : int
        Most areas in one chart, as in `caterpillar`.

    Returns
    -------
    list of dict
        Vega-Lite specs, top ranks first; empty without rows.
    """
    specs = caterpillar(
        [{**row, "quantity": "rank", "state": "baseline", "treated": False} for row in rows],
        rows_per_part=rows_per_part,
    )
    level = level_words(rows[0].get("level")) if rows else ""
    seen = 0
    for spec in specs:
        shown = len(spec["data"]["values"])
        spec["description"] = (
            f"Median rank and {level} of areas {seen + 1} to {seen + shown} of {len(rows)}, best first."
        )
        spec["usermeta"]["table"] = [one for one in spec["usermeta"]["table"] if one["field"] != "state"]
        seen += shown
    if not rows or "set_lower" not in rows[0]:
        return specs
    found = {row["area_code"]: row for row in rows}
    title = level_words(rows[0]["set_level"]).replace("interval", "confidence set")
    return [_with_sets(spec, found, title) for spec in specs]


def _with_sets(spec: Spec, found: Mapping[str, Row], title: str) -> Spec:
    """Put confidence sets as pale bars behind the intervals of a caterpillar."""
    values = []
    for value in spec["data"]["values"]:
        low, high = found[value["code"]]["set_lower"], found[value["code"]]["set_upper"]
        ends = {"set_lower": drawn(low - 0.5), "set_upper": drawn(high + 0.5)}
        values.append({**value, **ends, "set": interval(low, high, 0)})
    bar = {
        "mark": {"type": "bar", "height": 8, "color": colour("before"), "opacity": 0.25},
        "encoding": {
            "x": {"field": "set_lower", "type": "quantitative"},
            "x2": {"field": "set_upper"},
            "tooltip": [NAME_TIP, {"field": "set", "title": title}],
        },
    }
    meta = spec["usermeta"]
    return {
        **spec,
        "description": f"{spec['description']} A pale bar behind each is its {title}.",
        "usermeta": {
            **meta,
            "legend": [*meta["legend"], key(title, "before", "band")],
            "table": [*meta["table"], column("set", title)],
        },
        "data": {"values": values},
        "layer": [bar, *spec["layer"]],
    }


def rank_heat_map(prob: ArrayLike, code: Sequence[str], name: Sequence[str], *, rows_per_part: int = 60) -> list[Spec]:
    """Draw the probability of each rank of each area, the darker the more probable; areas by expected rank.

    Parameters
    ----------
    prob : array_like, shape (n_areas, n_areas)
        Probability of rank 1, 2, ... of each area; rows add up to 1.
    code, name : sequence of str
        Of the areas, in the order of the rows.
    rows_per_part : int
        Most areas in one chart. More are shared out over charts of one scale.

    Returns
    -------
    list of dict
        Vega-Lite specs, top ranks first; empty without areas. The table of a chart has a row an area.
    """
    p = np.asarray(prob, dtype=float)
    n = len(code)
    if p.shape != (n, n) or len(name) != n:
        raise ValueError(f"prob has shape {p.shape}; expected ({n}, {n}), and {len(name)} names for {n} areas.")
    if not n:
        return []
    expected = p @ np.arange(1.0, n + 1)
    order = np.argsort(expected, kind="stable")
    size = -(-n // -(-n // rows_per_part))
    darkest = float(p.max())
    starts = range(0, n, size)
    return [
        _heat(p, order[start : start + size].tolist(), code, name, start, darkest, expected.tolist())
        for start in starts
    ]


def _heat(
    p: np.ndarray[Any, np.dtype[np.float64]],
    places: Sequence[int],
    code: Sequence[str],
    name: Sequence[str],
    start: int,
    darkest: float,
    expected: Sequence[float],
) -> Spec:
    n = len(p)
    values, cells = [], []
    for i in places:
        likeliest = int(p[i].argmax())
        values.append(
            {
                "code": code[i],
                "name": name[i],
                "expected": drawn(expected[i], 1),
                "likeliest": likeliest + 1,
                "chance": chance(float(p[i, likeliest])),
            }
        )
        cells += [
            {
                "code": code[i],
                "name": name[i],
                "from": rank + 0.5,
                "to": rank + 1.5,
                "prob": drawn(float(p[i, rank]), 4),
                "tip": f"rank {rank + 1}: {chance(float(p[i, rank]))}",
            }
            for rank in np.flatnonzero(p[i] >= LEAST_SHOWN).tolist()
        ]
    codes = [code[i] for i in places]
    shade = {"type": "sqrt", "domain": [0, darkest], "range": [0, 1]}
    return spec_of(
        f"Probability of each rank, 1 is best, for areas {start + 1} to {start + len(places)} of {n} by expected rank; "
        f"the darkest cell is {chance(darkest)}, and cells below {LEAST_SHOWN:.1%} are blank.",
        values=values,
        legend=[key(f"Probability of the rank, up to {chance(darkest)}", "before", "bar")],
        table=[
            column("name", "Area"),
            column("expected", "Expected rank", 1),
            column("likeliest", "Most probable rank", 0),
            column("chance", "Its probability"),
        ],
        params=[{"name": "names", "value": {code[i]: name[i] for i in places}}],
        height=ROW_HEIGHT * len(codes),
        encoding={"y": label_axis(codes, labelFontSize=11)},
        layer=[
            {
                "data": {"values": cells},
                "mark": {"type": "bar", "height": ROW_HEIGHT - 1, "color": colour("before")},
                "encoding": {
                    "x": _rank_axis("from", n),
                    "x2": {"field": "to"},
                    "opacity": {"field": "prob", "type": "quantitative", "scale": shade, "legend": None},
                    "tooltip": [NAME_TIP, {"field": "tip", "title": "Probability"}],
                },
            }
        ],
    )


def rank_distribution(row: Row, prob: ArrayLike) -> list[Spec]:
    """Draw the probability of each rank of one area; the ranks inside its interval are darker.

    Parameters
    ----------
    row : mapping
        With ``area_name, lower, upper, level``.
    prob : array_like, shape (n_areas,)
        Probability of rank 1, 2, ...

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty without ranks.
    """
    p = np.asarray(prob, dtype=float)
    if not p.size:
        return []
    level = level_words(row["level"])
    values = [
        {
            "rank": rank,
            "from": rank - 0.5,
            "to": rank + 0.5,
            "prob": drawn(100 * share),
            "inside": row["lower"] <= rank <= row["upper"],
            "tip": f"rank {rank}: {chance(share)}",
        }
        for rank, share in enumerate(p.tolist(), start=1)
        if share > 0
    ]
    return [
        spec_of(
            f"Probability of each rank of {row['area_name']}, 1 is best of {len(p)}; {level}: "
            f"{interval(row['lower'], row['upper'], 0)}.",
            values=values,
            legend=[key(f"Inside the {level}", "before", "bar"), key("Outside it", "neutral", "bar")],
            table=[column("rank", "Rank", 0), column("prob", "Probability (%)", 1)],
            height=220,
            layer=[
                {
                    "mark": {"type": "rect", "stroke": colour("paper"), "strokeWidth": 0.5},
                    "encoding": {
                        "x": _rank_axis("from", len(p)),
                        "x2": {"field": "to"},
                        "y": {
                            "field": "prob",
                            "type": "quantitative",
                            "axis": {"title": "Probability (%)", "tickCount": 5},
                        },
                        "y2": {"datum": 0},
                        "color": {
                            "condition": {"test": "datum.inside", "value": colour("before")},
                            "value": colour("neutral"),
                        },
                        "tooltip": [{"field": "tip", "title": "Probability"}],
                    },
                }
            ],
        )
    ]


def _rank_axis(field: str, n_areas: int) -> Spec:
    """Encode ranks from 1 to `n_areas`, half a rank of room at each end."""
    step = 20 if n_areas > 60 else 10 if n_areas > 30 else 5
    inner = [rank for rank in range(step, n_areas, step) if n_areas - rank > step // 3]
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": [0.5, n_areas + 0.5], "nice": False, "zero": False},
        "axis": {
            "title": "Rank (1 is best)",
            "orient": "top",
            "values": [1, *inner, n_areas] if n_areas > 1 else [1],
            "format": "d",
            "grid": False,
        },
    }
