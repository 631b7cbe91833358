"""What the checker says of time, against what models and engine make of the same file."""

from __future__ import annotations

from typing import Any

import made_scenario
import pytest

from gwm_models.data.edition import load_edition
from gwm_models.data.vocabulary import load_vocabulary
from gwm_models.models.shocks import shock_profile
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.reader import check_mapping
from gwm_models.scenarios.shock_years import shock_years

WORDS = load_vocabulary()
HEALTH = "healthy_life_expectancy_male"
PUSH = {
    "id": "push",
    "indicator": "economic_activity_rate",
    "change": {"kind": "absolute", "value": 2.0, "unit": "pp"},
    "target": {"areas": ["Leeds"]},
}
COURSES: dict[str, dict[str, Any]] = {
    "linear": {"phasing": {"start": 2027, "full_by": 2029}},
    "at once": {"phasing": {"start": 2027, "full_by": 2027}},
    "step": {"phasing": {"start": 2027, "full_by": 2028, "shape": "step"}},
    "by a path": {"phasing": {"start": 2026, "full_by": 2029, "shape": "path", "path": [[2027, 0], [2029, 1]]}},
    "a path": {"change": {"kind": "path", "unit": "pp", "path": [[2028, 1.0], [2029, 0.5]]}},
    "a shock": {"change": {"kind": "shock", "value": 1, "unit": "times", "profile": "2009"}, "start": 2028},
}


@pytest.mark.parametrize("indicator", ["economic_activity_rate", "unemployment_rate"])
@pytest.mark.parametrize("profile", ["2009", "2020"])
def test_a_shock_lasts_as_long_in_the_checker_as_in_the_model(indicator, profile):
    found = shock_years(WORDS.indicators[indicator], profile)
    model = shock_profile(load_edition(), indicator, profile)
    assert found is not None
    assert (found.first, found.last, found.number) == (model.year[0], model.year[-1], len(model.path))
    assert found.returned == ("back where it started" in model.notes[0])


def test_an_indicator_without_figures_of_those_years_has_no_shock():
    assert shock_years(WORDS.indicators["median_pay"], "2009") is None
    assert shock_years(WORDS.indicators["professional_share"], "2020") is None


@pytest.mark.parametrize("course", COURSES)
@pytest.mark.parametrize("lag", [(0, 0), (2, 0), (1, 1), (2, 5)])
@pytest.mark.parametrize("end", [2028, 2030, 2031])
def test_health_that_does_not_respond_is_warned_of_and_only_then(course, lag, end):
    link = {"outcome": HEALTH, "lag": {"years": lag[0], "build_up": lag[1]}}
    horizon = {"start": 2026, "end": max(end, 2029) if "path" in course else end}
    content = made_scenario.content(PUSH | COURSES[course], draws=100, health=[link], horizon=horizon)
    found, problems = check_mapping(content)
    assert found is not None, problems
    projection = project(found, variance=False)
    there = projection.history["All areas"][-1].any()
    silent = there and not projection.health[0].full.any()
    assert any("health does not respond" in problem.what for problem in problems) == silent


def test_one_downturn_in_two_indicators_is_over_when_both_are():
    def shock(name: str, indicator: str) -> dict[str, Any]:
        change = {"kind": "shock", "value": 1, "unit": "times", "profile": "2009"}
        return {"id": name, "indicator": indicator, "change": change, "target": {"everyone": True}, "start": 2026}

    both = shock("jobs", "unemployment_rate"), shock("active", "economic_activity_rate")

    def warned(end: int, *actions: dict[str, Any]) -> list[str]:
        problems = check_mapping(made_scenario.content(*actions, horizon={"start": 2026, "end": end}))[1]
        return [problem.path for problem in problems if "taken as over" in problem.what]

    assert warned(2030, both[1]) == ["actions.active.start"]
    assert warned(2031, *both) == []
    assert sorted(warned(2032, *both)) == ["actions.active.start", "actions.jobs.start"]
