"""What is asked for and not delivered: areas short of their goal, limits that cut often, scores off the scale."""

from __future__ import annotations

from functools import partial
from typing import Any

import made_scenario
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwm_models.data.edition import load_edition
from gwm_models.scenarios.baseline import draw_baseline
from gwm_models.scenarios.cautions import warnings_of
from gwm_models.scenarios.conditions import edition_conditions
from gwm_models.scenarios.explain import explain
from gwm_models.scenarios.known import condition
from gwm_models.scenarios.plans import size_of
from gwm_models.scenarios.projection import Projection, project
from gwm_models.scenarios.shortfall import projected_shortfall
from gwm_models.scenarios.summary import summarise

scenario = partial(made_scenario.scenario, draws=300)
NORTH = ["Middlesbrough", "Hartlepool", "Northumberland"]
FLOOR = {
    "id": "floor",
    "indicator": "economic_activity_rate",
    "change": {"kind": "target", "value": 80.0, "unit": "percent"},
    "target": {"areas": NORTH},
    "phasing": {"start": 2026, "full_by": 2028},
}


def run(*actions: dict[str, Any], **parts: Any) -> Projection:
    return project(scenario(*actions, **parts), variance=False)


def warnings(projection: Projection) -> list[str]:
    return warnings_of(projection, [])


@pytest.mark.parametrize(
    ("change", "kept", "why"),
    [
        ({"reach": 0.5}, 0.5, "the action reaches 50% of the residents"),
        ({"additionality": {"deadweight": 0.2}}, 0.8, "80% of the change is additional"),
        ({"phasing": {"start": 2026, "full_by": 2034}}, 0.5, "50% of it is in place by then"),
    ],
)
def test_areas_short_of_a_level_are_named_with_how_far_and_why(change, kept, why):
    projection = run(FLOOR | change)
    places = np.flatnonzero(projection.treated)
    gap = np.maximum(80.0 - projection.level_before[:, places, 0], 0.0).mean(axis=0)
    found = projected_shortfall(projection, 0)
    assert found is not None
    assert found.needed == pytest.approx(gap)
    assert found.short == pytest.approx((1 - kept) * gap)
    text = next(line for line in warnings(projection) if line.startswith("floor: by itself"))
    first = max(range(3), key=lambda i: gap[i])
    assert f"by up to {(1 - kept) * gap[first]:.1f} percentage points ({found.name[first]} " in text
    assert text.endswith(f"in 2030, {text.split('in 2030, ')[1]}") and text.endswith(f": {why}.")
    rows = summarise(projection)["actions"][0]["short_of_goal"]
    assert [row["area_name"] for row in rows] == [found.name[i] for i in found.order]
    assert rows[0]["short"] == pytest.approx(rows[0]["needed"] - rows[0]["delivered"])


def test_a_level_that_is_reached_is_not_called_short_and_other_kinds_have_none():
    projection = run(FLOOR)
    assert not any("short of the level" in line for line in warnings(projection))
    assert summarise(projection)["actions"][0]["short_of_goal"] == []
    more = FLOOR | {"change": {"kind": "absolute", "value": 1.0, "unit": "pp"}, "reach": 0.5}
    assert projected_shortfall(run(more), 0) is None
    late = FLOOR | {"phasing": {"start": 2030, "full_by": 2032}}
    assert projected_shortfall(run(late), 0) is None


def test_one_area_is_named_alone_and_a_lower_level_is_short_in_its_own_direction():
    jobless = FLOOR | {
        "indicator": "unemployment_rate",
        "change": {"kind": "to_quantile", "value": 0.9, "unit": "quantile"},
        "target": {"areas": ["Middlesbrough"]},
        "reach": 0.4,
    }
    projection = run(jobless)
    found = projected_shortfall(projection, 0)
    assert found is not None and found.short[0] == pytest.approx(0.6 * found.needed[0]) and found.short[0] > 1
    assert f"by itself it leaves Middlesbrough short of the level asked for in 2030, by {found.short[0]:.1f} " in (
        found.words()
    )


@settings(max_examples=10, deadline=None)
@given(
    st.sampled_from(["target", "close_gap", "to_quantile"]),
    st.floats(0.1, 1.0),
    st.floats(0.0, 0.9),
    st.floats(60.0, 90.0),
)
def test_what_is_missing_and_what_is_delivered_make_up_what_it_takes(kind, reach, lost, level):
    change = {
        "target": {"value": level, "unit": "percent"},
        "close_gap": {"value": 0.7, "unit": "share", "to": "South East"},
        "to_quantile": {"value": 0.7, "unit": "quantile"},
    }[kind]
    action = FLOOR | {"change": {"kind": kind} | change, "reach": reach, "additionality": {"leakage": lost}}
    found = projected_shortfall(run(action, draws=100), 0)
    assert found is not None
    assert found.needed == pytest.approx(found.short + found.delivered)


def test_a_scenario_explained_names_who_is_short_before_anything_is_run():
    half = scenario(FLOOR | {"reach": 0.5})
    lines = explain(half).actions[0].lines
    shrunk = draw_baseline(load_edition(), 100, 1).shrunk_level[:, 0]
    gap = {name: 80.0 - shrunk[load_edition().areas.name.index(name)] for name in NORTH}
    ordered = sorted(gap, key=lambda name: -gap[name])
    least, most = ordered[-1], ordered[0]
    assert lines[0] == (
        f"What it takes, percentage points, by shrunk levels: {gap[least]:.1f} ({least}) to {gap[most]:.1f} ({most})."
    )
    assert lines[1].startswith("By itself it leaves 3 of 3 areas short of the level asked for in 2030, by up to ")
    there = scenario(FLOOR | {"change": {"kind": "target", "value": 60.0, "unit": "percent"}})
    assert explain(there).actions[0].lines[0].startswith("No area that it reaches is to change")


def test_a_gap_to_an_area_is_said_by_its_name():
    gap = FLOOR | {"change": {"kind": "close_gap", "value": 0.5, "unit": "share", "to": "Leeds"}}
    assert "50% of the gap to Leeds closed" in explain(scenario(gap)).actions[0].what
    assert "50% of the gap to Leeds closed" in summarise(run(gap))["actions"][0]["change"]


def test_a_condition_is_better_in_the_direction_of_its_link():
    edition = load_edition()
    links = edition_conditions(edition).links
    action = scenario({**FLOOR, "indicator": None, "condition": "nvq4plus_share"}).actions[0]
    assert size_of(action, edition).direction == links.direction[links.conditions.index("nvq4plus_share")]
    for name, direction in zip(links.conditions, links.direction, strict=True):
        assert condition(name).direction == direction


def test_a_limit_that_cuts_often_is_said_first_with_what_is_left():
    fewer = {
        **FLOOR,
        "id": "fewer",
        "indicator": "unemployment_rate",
        "change": {"kind": "absolute", "value": -6.0, "unit": "pp"},
        "target": {"everyone": True},
        "additionality": {"deadweight": 0.1},
    }
    projection = run(fewer)
    share = projection.clamped[0].mean()
    assert share > 0.2
    assert warnings(projection)[0] == (
        f"fewer: a hard limit cuts the change in {share:.0%} of draws and areas: it asks for −6.0 percentage points on "
        f"average, of which 90% is additional, and −{-projection.delivered[0].mean():.1f} is delivered. Results are "
        "for what is delivered; more of it changes little."
    )
    few = run(fewer | {"change": {"kind": "absolute", "value": -3.0, "unit": "pp"}})
    assert 0.01 < few.clamped[0].mean() < 0.2
    assert warnings(few)[0] == f"fewer: a hard limit cuts the change in {few.clamped[0].mean():.0%} of draws and areas."


@pytest.mark.parametrize(
    ("indicator", "size", "which", "n", "met"),
    [
        ("economic_activity_rate", 6.0, "best", 40, "upper"),
        ("economic_activity_rate", -6.0, "worst", 118, "lower"),
        ("unemployment_rate", 6.0, "worst", 30, "lower"),
        ("unemployment_rate", -6.0, "best", 118, "upper"),
        ("unemployment_rate", -0.1, "worst", 30, ""),
    ],
)
def test_whoever_the_end_of_the_scale_stops_is_named(indicator, size, which, n, met):
    """The score of labour market access runs from 2 to 200; activity raises it, unemployment lowers it."""
    change = {"kind": "absolute", "value": size, "unit": "pp"}
    target = {which: {"by": indicator, "n": n}}
    projection = run(FLOOR | {"indicator": indicator, "change": change, "target": target})
    rise = projection.level_change[:, :, projection.edition.spec.indicator_ids.index(indicator)]
    rise = rise if indicator == "economic_activity_rate" else -rise
    after = (projection.score_before + projection.domain_change)[:, :, 0]
    for end, stopped in (("upper", (rise > 0) & (after > 200 - 1e-9)), ("lower", (rise < 0) & (after < 2 + 1e-9))):
        share = stopped.mean(axis=0)
        lines = [line for line in warnings(projection) if f"the {end} end of its scale" in line]
        assert len(lines) == (end == met)
        assert (share > 0.01).any() == (end == met)
        if lines:
            worst = int(np.argmax(share))
            assert f"in {stopped[:, projection.treated].mean():.0%} of draws and target areas" in lines[0]
            assert f"and in {(share > 0.01).sum()} area" in lines[0]
            assert f": {projection.edition.areas.name[worst]} ({share[worst]:.0%})" in lines[0]


def test_an_action_on_top_of_a_goal_is_warned_of():
    extra = {
        **FLOOR,
        "id": "extra",
        "change": {"kind": "relative", "value": 5.0, "unit": "percent"},
        "target": {"areas": ["Hartlepool", "Leeds"]},
    }
    line = next(line for line in warnings(run(FLOOR, extra)) if "sets a goal" in line)
    assert line.startswith("floor sets a goal for economic_activity_rate in 1 area, which extra changes too")
    apart = extra | {"target": {"areas": ["Leeds"]}}
    assert not any("sets a goal" in line for line in warnings(run(FLOOR, apart)))
