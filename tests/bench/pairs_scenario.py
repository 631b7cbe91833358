"""A scenario run in memory beside the same model in pandas, draw by draw and all draws at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from pairs import Contest, Pair, timed

from gwm_models.data.edition import load_edition
from gwm_models.scenarios.inputs import draw_inputs
from gwm_models.scenarios.layers import draw_effect
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.reader import check_mapping

INDICATOR, DOMAIN = "economic_activity_rate", "access"
SCALE = (2.0, 200.0)
"""Ends of the printed scale of a domain; a drawn score beyond one may not move farther out."""
IN_PLACE = 0.5 ** ((2035 - 2030) / 5)
"""Share of the change in place in the last year: it fades with a half-life of five years from 2030 on."""


def everywhere(draws: int = 4000) -> dict[str, Any]:
    """Return a scenario of all 118 areas over 10 years, every year different."""
    return {
        "schema": "gwm-scenario/1",
        "id": "everywhere",
        "title": "Every area",
        "question": "How fast is it?",
        "baseline": {"edition": "monitor-2021"},
        "horizon": {"start": 2026, "end": 2035},
        "actions": [
            {
                "id": "activity",
                "indicator": INDICATOR,
                "change": {"kind": "absolute", "value": 2.0, "unit": "pp"},
                "uncertainty": {"low": 0.5, "high": 3.2, "across_areas": 0.5},
                "target": {"everyone": True},
                "phasing": {"start": 2026, "full_by": 2030, "shape": "s_curve", "fade": {"half_life": 5}},
            }
        ],
        "analysis": {"draws": draws, "seed": 1},
    }


def drawn(scenario: Any) -> dict[str, Any]:
    """Return what an analyst has at hand: draws of levels, scores, points a unit and sizes, and the share in place."""
    edition, analysis = load_edition(scenario.baseline.edition), scenario.analysis
    inputs = draw_inputs(edition, analysis.draws, analysis.seed)
    place = [indicator.id for indicator in edition.spec.indicators].index(INDICATOR)
    domain = edition.spec.domain_ids.index(DOMAIN)
    action = scenario.actions[0]
    return {
        "level": inputs.baseline.level[:, :, place],
        "own": inputs.baseline.score[:, :, domain],
        "total": inputs.baseline.score.sum(axis=2),
        "points": inputs.points[:, place],
        "size": draw_effect(action, edition.areas.code, analysis.draws, analysis.seed),
        "share": IN_PLACE,
        "limits": inputs.baseline.limits[place],
        "area": edition.areas.code,
        "region": edition.areas.region,
    }


def pandas_loop(given: dict[str, Any]) -> Callable[[], Any]:
    """Return the work draw by draw: change, ranks after by area, mean change by region; ranks before are at hand."""
    import pandas

    before = [pandas.Series(total).rank(ascending=False, method="first").to_numpy() for total in given["total"]]

    def work() -> Any:
        change, after, regions = [], [], []
        for draw in range(len(given["total"])):
            frame = pandas.DataFrame(
                {name: given[name][draw] for name in ("level", "own", "total", "size")}, index=given["area"]
            )
            level = (frame["level"] + frame["size"] * given["share"]).clip(*given["limits"])
            score = frame["own"] + (level - frame["level"]) * given["points"][draw]
            score = score.clip(np.minimum(SCALE[0], frame["own"]), np.maximum(SCALE[1], frame["own"]))
            frame["change"] = score - frame["own"]
            frame["after"] = frame["total"] + frame["change"]
            change.append(frame["change"].to_numpy())
            after.append(frame["after"].rank(ascending=False, method="first").to_numpy())
            regions.append(frame["change"].groupby(np.array(given["region"])).mean().to_numpy())
        return np.array(change), np.array(before), np.array(after), np.array(regions)

    return work


def pandas_whole(given: dict[str, Any]) -> Callable[[], Any]:
    """Return the same work on frames of all draws by areas, with no loop."""
    import pandas

    names = ("level", "own", "total", "size")
    level, own, total, size = (pandas.DataFrame(given[name], columns=given["area"]) for name in names)
    before = total.rank(axis=1, ascending=False, method="first").to_numpy()
    region = np.array(given["region"])

    def work() -> Any:
        later = (level + size * given["share"]).clip(*given["limits"])
        score = own + (later - level).mul(given["points"], axis=0)
        change = score.clip(np.minimum(SCALE[0], own), np.maximum(SCALE[1], own)) - own
        after = (total + change).rank(axis=1, ascending=False, method="first")
        regions = change.T.groupby(region).mean().T
        return change.to_numpy(), before, after.to_numpy(), regions.to_numpy()

    return work


def _apart(projection: Any, theirs: Any) -> float:
    change, before, after, regions = theirs
    names = sorted(set(projection.edition.areas.region))
    means = np.array([projection.history[name][-1] for name in names]).T
    ours = (projection.change, projection.rank_before, projection.rank_after, means)
    theirs = (change, before, after, regions)
    return max(float(np.abs(own - other).max()) for own, other in zip(ours, theirs, strict=True))


def _build(quick: bool, *, plain: Callable[[dict[str, Any]], Callable[[], Any]]) -> Contest:
    scenario, problems = check_mapping(everywhere(200 if quick else 4000))
    if scenario is None:
        raise ValueError(f"the scenario has faults: {problems}")
    return Contest(timed(lambda: project(scenario, variance=False)), timed(plain(drawn(scenario))), _apart)


MORE = (
    "the draws of the edition and the ranks before are at hand on both sides, those of the action's size for pandas "
    "alone; ours does more: "
    "all 10 years, domains and levels, the printed change with moved bounds"
)
PAIRS = tuple(
    Pair(
        name=f"scenario-pandas-{name}",
        compared=f"scenario run in memory: change, ranks before and after, means of regions; in pandas {how}",
        size="118 areas x 4,000 draws",
        checked="change and both ranks of every area in every draw, mean change of every region",
        peer="pandas",
        build=partial(_build, plain=plain),
        tolerance=1e-8,
        rounds=rounds,
        notes=MORE,
    )
    for name, how, plain, rounds in (
        ("loop", "draw by draw, last year alone", pandas_loop, 3),
        ("whole", "all draws at once, last year alone", pandas_whole, 9),
    )
)
