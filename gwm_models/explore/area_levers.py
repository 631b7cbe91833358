"""What would move an area most: the same move of each indicator, projected as a scenario file would be."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from gwm_models.data.edition import Edition
from gwm_models.data.index_spec import IndicatorSpec
from gwm_models.errors import ScenarioError
from gwm_models.explore.area_figures import PLACES, label_of
from gwm_models.index.calibration import points_per_unit
from gwm_models.plots.area import figure, short_figure
from gwm_models.plots.words import interval, number, places_for
from gwm_models.scenarios.projection import Projection, project
from gwm_models.scenarios.reader import check_mapping
from gwm_models.scenarios.spec import Scenario
from gwm_models.scenarios.spread import one, plain
from gwm_models.scenarios.words import level_unit

Json = dict[str, Any]

LEVEL, DRAWS, SEED = 0.9, 1000, 20260101
YEAR = 2026
"""Of the scenario; with everything else held, no result depends on it."""
OF_MEDIAN = "percentage points of the median"
MOVE = "half the gap to the best fifth"
RULE = (
    "What would move it most: each indicator in turn goes half of the way to the level that the best fifth of areas "
    "reach or better, and nothing else changes. The move is the same rule for every indicator, not an equal effort; no "
    "programme is known to bring it. Points and ranks are those of a scenario of that one action (kind close_gap, 50%, "
    "to best_quintile), with 90% intervals that hold the sampling error of the figures and the error of the points per "
    "unit. A move starts from the level that the draws give: the published figure weighed against what the other "
    "scores of the area suggest, by their errors. So it can differ from the published figure, which stands beside it."
)
UNKNOWN = (
    "not known: without open figures there is no gap to close, and the bounds that turn a level into points are not "
    "published; a scenario states the change in score points"
)
STATUS = {
    "reproduced": "exact: the bounds are reproduced",
    "stated": "exact: the bounds are stated",
    "calibrated": "calibrated: points per unit are estimated, and their error is in the interval",
    "proxy": "proxy: the range of the open figures stands in for the bounds, and its error is not known",
}


def lever_content(edition: Edition, indicator: str, place: int) -> Json:
    """Return the scenario file of one move, as plain data.

    Parameters
    ----------
    edition : Edition
    indicator : str
    place : int
        Of the area.
    """
    areas = edition.areas
    label, name = label_of(edition, indicator), areas.name[place]
    slug = indicator.replace("_", "-")
    return {
        "schema": "gwm-scenario/1",
        "id": f"half-the-gap-{slug}",
        "title": f"{label} of {name}: half the gap to the best fifth",
        "question": f"How many points and ranks would {name} gain if it closed half of its gap in this indicator?",
        "baseline": {"edition": edition.name, "rescale": "frozen"},
        "horizon": {"start": YEAR, "end": YEAR},
        "actions": [
            {
                "id": slug,
                "indicator": indicator,
                "change": {"kind": "close_gap", "value": 50, "unit": "percent", "to": "best_quintile"},
                "target": {"areas": [areas.code[place]]},
                "phasing": {"start": YEAR, "full_by": YEAR, "shape": "step"},
            }
        ],
        "health": [],
        "analysis": {"draws": DRAWS, "seed": SEED},
    }


def lever_scenario(edition: Edition, indicator: str, place: int) -> Scenario:
    """Return the checked scenario of one move.

    Raises
    ------
    ScenarioError
        If the move cannot be stated for that indicator.
    """
    scenario, problems = check_mapping(lever_content(edition, indicator, place))
    if scenario is None:
        raise ScenarioError(problems)
    return scenario


@lru_cache(maxsize=256)
def _rows(edition: Edition, place: int) -> tuple[Json, ...]:
    rows = [_row(edition, j, place) for j in range(len(edition.spec.indicators))]
    return tuple(sorted(rows, key=lambda row: -1.0 if row["points"] is None else row["points"], reverse=True))


def lever_rows(edition: Edition, place: int) -> list[Json]:
    """Return a row for each indicator, the largest gain first, what is not known last.

    Parameters
    ----------
    edition : Edition
    place : int
        Of the area.

    Returns
    -------
    list of dict
        ``move`` in the unit of the indicator, with ``level_before`` and ``level_after`` (means of draws) and the
        ``published`` figure; ``points`` of the total and ``ranks`` gained, each with limits; ``prob_rank_improves``;
        ``status`` and ``status_words`` of the points per unit; ``scenario``, the file of the move as plain data. None
        where it is not known.
    """
    return [dict(row) for row in _rows(edition, place)]


def _row(edition: Edition, j: int, place: int) -> Json:
    spec, status = edition.spec.indicators[j], points_per_unit(edition).status[j]
    label = label_of(edition, spec.id)
    row: Json = {"indicator": spec.id, "label": label, "unit": spec.unit, "period": spec.period, "status": status}
    if spec.unit == "points" or not np.isfinite(edition.values[:, j]).all():
        return row | _nothing()
    found = project(lever_scenario(edition, spec.id, place), edition, variance=False)
    return row | _gain(found, spec, j, place) | {"status_words": STATUS.get(status, status)}


def _nothing() -> Json:
    names = (
        "move",
        "published",
        "level_before",
        "level_after",
        "points",
        "lower",
        "upper",
        "ranks",
        "ranks_lower",
        "ranks_upper",
    )
    empty = dict.fromkeys((*names, "prob_rank_improves", "scenario"))
    return {**empty, "level": LEVEL, "move_words": "", "rank_words": "", "unusual": False, "status_words": UNKNOWN}


def _gain(found: Projection, spec: IndicatorSpec, j: int, place: int) -> Json:
    """Return what the move brings, from the draws of its projection."""
    moved, before = found.level_change[:, place, j], found.level_before[:, place, j]
    points = one(found.change[:, place], LEVEL)
    change = (found.rank_after - found.rank_before)[:, place]
    rank = one(change.astype(float), LEVEL, median=True)
    gained, low, high = (-float(str(rank[name])) + 0.0 for name in ("estimate", "upper", "lower"))
    move = float(moved.mean())
    row: Json = {
        "move": plain(move),
        "published": plain(float(found.edition.values[place, j])),
        "level_before": plain(before.mean()),
        "level_after": plain((before + moved).mean()),
        "points": points["estimate"],
        "lower": points["lower"],
        "upper": points["upper"],
        "ranks": gained,
        "ranks_lower": low,
        "ranks_upper": high,
        "level": LEVEL,
        "prob_rank_improves": plain((change < 0).mean()),
        "unusual": bool(abs(move) > spec.usual_change),
        "scenario": lever_content(found.edition, spec.id, place),
    }
    return row | {"move_words": _move_words(row, spec), "rank_words": _rank_words(gained, low, high)}


def _move_words(row: Json, spec: IndicatorSpec) -> str:
    if not row["move"]:
        return "already among the best fifth"
    places = PLACES.get(spec.unit, places_for(spec.unit, [row["level_before"]]))
    ends = " to ".join(short_figure(row[name], spec.unit, places) for name in ("level_before", "level_after"))
    published = short_figure(row["published"], spec.unit, places)
    if published != short_figure(row["level_before"], spec.unit, places):
        ends = f"{ends}; published {published}"
    if spec.unit == "GBP_per_week":
        return f"{figure(row['move'], spec.unit, places, sign=True)} ({ends})"
    unit = OF_MEDIAN if spec.unit == "percent_of_median" else level_unit(spec)
    return f"{number(row['move'], places, sign=True)} {unit} ({ends})"


def _rank_words(gained: float, low: float, high: float) -> str:
    return f"{number(gained, 0, sign=True)} ({interval(low, high, 0)})"
