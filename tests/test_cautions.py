"""What a run says beside its numbers: shocks that end, trends at a limit, health not begun, links not found."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import Any

import made_scenario

from gwm_models.scenarios.explain import explain
from gwm_models.scenarios.notes import assumptions
from gwm_models.scenarios.projection import Projection, project
from gwm_models.scenarios.summary import summarise

EVERYONE = {"everyone": True}
ACTIVE = {
    "id": "active",
    "indicator": "economic_activity_rate",
    "change": {"kind": "absolute", "value": 2.0, "unit": "pp"},
    "target": EVERYONE,
    "phasing": {"start": 2026, "full_by": 2028},
}


scenario = partial(made_scenario.scenario, draws=500)


def shock(profile: str, indicator: str, start: int = 2027) -> dict[str, Any]:
    change = {"kind": "shock", "value": 1.0, "unit": "times", "profile": profile}
    return {"id": indicator[:5], "indicator": indicator, "change": change, "target": EVERYONE, "start": start}


@cache
def recession(end: int) -> Projection:
    both = [shock("2009", "unemployment_rate"), shock("2009", "economic_activity_rate")]
    return project(scenario(*both, horizon={"start": 2026, "end": end}), variance=False)


def test_a_recession_stretched_past_its_end_brings_neither_gains_nor_jobs():
    summary = summarise(recession(2035))
    assert (recession(2035).change == 0).all()
    assert "fewer" not in summary["headline"]
    assert any("the shock is over after 2032; nothing is left of it in 2035" in words for words in summary["warnings"])
    assert not any("already there" in words for words in summary["warnings"])


def test_no_year_of_a_recession_is_a_gain_over_all_areas():
    mean = recession(2035).history["All areas"].mean(axis=1)
    assert mean.max() <= 0
    assert mean.min() < -20


def test_a_shock_is_not_said_to_be_additional_or_certain():
    lines = [line for line in assumptions(recession(2035)) if line.startswith("unemp:")]
    assert "once over; its mean is drawn" in lines[0]
    assert not any("taken as certain" in line or "additional" in line for line in lines)


def test_a_shock_is_explained_with_its_size_in_each_year():
    lines = explain(recession(2035).scenario).actions[0].lines
    assert "+2.15 in 2027, +1.92 in 2028" in lines[0]
    assert "over after that" in lines[0]


def test_health_that_has_not_begun_is_said_not_to_respond():
    late = scenario(
        shock("2009", "unemployment_rate"),
        horizon={"start": 2026, "end": 2028},
        health=[{"outcome": "healthy_life_expectancy_male", "lag": {"years": 2, "build_up": 5}}],
    )
    text = summarise(project(late, variance=False))["headline"]
    assert "male does not respond by 2028: it does so from 2 years later" in text
    assert "0.00 years" not in text


def test_a_link_that_the_yearly_figures_do_not_show_is_said_not_to_be_found():
    action = {
        "id": "skills",
        "condition": "nvq4plus_share",
        "change": {"kind": "absolute", "value": 3.0, "unit": "pp"},
        "target": EVERYONE,
        "phasing": {"start": 2026, "full_by": 2028},
    }
    within, between = (scenario({**action, "link": link}) for link in ("within", "between"))
    words = "a gain by the link within is not found"
    assert words in summarise(project(within, variance=False))["headline"]
    assert words not in summarise(project(between, variance=False))["headline"]
    assert any(words in line for line in explain(within).assumed)
    assert "that is" not in summarise(project(within, variance=False))["headline"]


def test_a_trend_takes_no_rate_to_a_limit_and_what_it_takes_to_an_end_of_the_scale_is_warned_of():
    file = {"horizon": {"start": 2026, "end": 2035}, "baseline": {"edition": "monitor-2021", "counterfactual": "trend"}}
    projection = project(scenario(ACTIVE, **file), variance=False)
    rates = projection.level_before[:, :, :4]
    assert rates.min() > 0 and rates.max() < 100
    warnings = summarise(projection)["warnings"]
    assert not any("to a limit of its level" in words for words in warnings)
    assert any("the trend itself brings" in words and "to an end of the scale" in words for words in warnings)
    level = projection.level_before.copy()
    level[: len(level) // 5, :, 1] = 0.0
    warnings = summarise(replace(projection, level_before=level))["warnings"]
    assert any("Unemployment" in words and "brings 20% of draws and areas to a limit" in words for words in warnings)
    held = summarise(project(scenario(ACTIVE), variance=False))["warnings"]
    assert not any("the trend itself" in words for words in held)
