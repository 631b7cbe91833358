"""Goals: the value nearest to no change with which a goal is reached, or the best there is and why."""

from __future__ import annotations

import hashlib
import json
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import made_scenario
import numpy as np
import pytest
from ruamel.yaml import YAML

from gwm_models.cli import run_command
from gwm_models.data.edition import load_edition
from gwm_models.errors import InfeasibleError, ModelError
from gwm_models.files import OutputError
from gwm_models.report.goal import write_goal
from gwm_models.scenarios.goal import GoalFound, seek_goal
from gwm_models.scenarios.goal_words import binding, headline, summarise_goal, wanted_words
from gwm_models.scenarios.measured import measure_draws
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.reader import read_scenario
from gwm_models.scenarios.spec import Scenario
from gwm_models.scenarios.versions import plain_content, unit_at, version_of

SIZE = "actions.push.change.value"
DRAWS = 500


def question(
    goal: dict[str, Any], action: dict[str, Any] | None = None, draws: int = DRAWS, seed: int = 3, **more: Any
) -> Scenario:
    """Return a goal on one action in Stoke-on-Trent, without an uncertainty of its own."""
    push = {
        "id": "push",
        "indicator": "economic_activity_rate",
        "change": {"kind": "absolute", "value": 2.0, "unit": "pp"},
        "target": {"areas": ["Stoke-on-Trent"]},
        "phasing": {"start": 2026, "full_by": 2030, "shape": "linear"},
        "evidence": {"source": "made up for a test", "grade": "assumed"},
    }
    parts = {
        "kind": "goal",
        "horizon": {"start": 2026, "end": 2032},
        "health": [],
        "goal": {"measure": {"quantity": "total", "group": "Stoke-on-Trent"}, "probability": 0.8} | goal,
    }
    return made_scenario.scenario(push | (action or {}), name="a-goal", draws=draws, seed=seed, **(parts | more))


def vary(low: float, high: float, path: str = SIZE) -> dict[str, Any]:
    return {"path": path, "low": low, "high": high}


def effects(scenario: Scenario, values: dict[str, float]) -> np.ndarray:
    """Return draws of what a goal measures, from a projection of its own."""
    assert scenario.goal is not None
    return measure_draws(project(version_of(plain_content(scenario), values), variance=False), scenario.goal.measure)


def surely(draws: np.ndarray, share: float) -> float:
    """Return the value that this share of draws reach or pass."""
    return float(np.sort(draws)[::-1][int(np.ceil(share * len(draws))) - 1])


def test_the_size_found_is_the_one_of_a_straight_line():
    scenario = question({"vary": vary(0, 10), "at_least": 8.0})
    slope = effects(scenario, {SIZE: 1.0})
    exact = 8.0 / surely(slope, 0.8)
    found = seek_goal(scenario)
    assert 0.5 < exact < 9.5
    assert found.value is not None
    assert exact - 1e-9 <= found.value <= exact + found.tolerance
    assert found.best.probability >= 0.8
    assert found.rises
    assert found.start == 0


def test_a_fall_is_sought_downwards_from_no_change():
    scenario = question({"vary": vary(-10, 10), "at_most": -8.0})
    slope = effects(scenario, {SIZE: 1.0})
    found = seek_goal(scenario)
    assert found.value is not None
    assert found.value == pytest.approx(-8.0 / surely(slope, 0.8), abs=found.tolerance)


def test_the_largest_deadweight_that_a_goal_can_bear_is_found_from_the_side_of_no_effect():
    path = "actions.push.additionality.deadweight"
    scenario = question({"vary": vary(0, 0.9, path), "at_least": 4.0}, {"additionality": {"deadweight": 0.1}})
    whole = effects(scenario, {path: 0.0})
    found = seek_goal(scenario)
    assert found.start == 0.9
    assert found.value == pytest.approx(1 - 4.0 / surely(whole, 0.8), abs=found.tolerance)


def test_a_goal_that_is_reached_without_a_change_needs_none():
    found = seek_goal(question({"vary": vary(0, 10), "at_least": 0.0}))
    assert found.value == 0
    assert found.value_lower is None
    assert headline(found).startswith("Reached at actions.push.change.value = 0 percentage points")


@pytest.mark.parametrize(("path", "low", "high"), [("full_by", 2026, 2032), ("start", 2026, 2030)])
def test_of_years_that_change_as_much_the_latest_is_taken_and_it_is_said_that_all_do(path, low, high):
    found = seek_goal(question({"vary": vary(low, high, f"actions.push.phasing.{path}"), "at_least": 4.0}))
    assert found.value == high
    assert {point.probability for point in found.points} == {1.0}
    said = headline(found)
    assert f"as at every value from {low} to {high}: all of them change the scenario alike by 2032" in said
    assert "the last of them is taken" in said and "least" not in said


def test_of_years_of_which_some_change_less_the_one_nearest_the_end_that_reaches_is_found():
    found = seek_goal(question({"vary": vary(2028, 2040, "actions.push.phasing.full_by"), "at_least": 8.0}))
    assert found.start == 2040
    shares = {point.value: point.probability for point in found.points}
    assert found.value is not None and 2032 <= found.value < 2040
    assert shares[found.value] >= 0.8 and all(p < 0.8 for year, p in shares.items() if year > found.value)


def test_the_longest_wait_for_health_that_reaches_a_goal_is_found():
    health = [{"outcome": "healthy_life_expectancy_male", "link": "within", "lag": {"years": 1, "build_up": 0}}]
    path = "health.healthy_life_expectancy_male.lag.years"
    measure = {"quantity": "healthy_life_expectancy_male", "group": "Stoke-on-Trent"}
    goal = {"vary": vary(0, 6, path), "measure": measure, "at_least": 0.0, "probability": 0.5}
    found = seek_goal(question(goal, health=health))
    assert found.value == found.start == 6
    assert "as at every value from 0 to 6" in headline(found)


def test_where_every_value_reaches_a_goal_that_is_said():
    found = seek_goal(question({"vary": vary(1, 5), "at_least": 0.5}))
    said = headline(found)
    assert found.value == 1
    assert "where the scenario changes least; every value from 1 percentage point to 5 percentage points" in said


def test_a_goal_on_the_level_itself_is_said_without_a_change():
    measure = {"quantity": "total", "group": "Stoke-on-Trent", "state": "scenario"}
    goal = question({"vary": vary(0, 5), "measure": measure, "at_least": 240.0}).goal
    assert goal is not None
    assert wanted_words(goal, load_edition(), 2032) == "Total, Stoke-on-Trent: 240 points or more in 2032"
    ranked = {"quantity": "rank", "group": "Stoke-on-Trent", "state": "scenario"}
    goal = question({"vary": vary(0, 5), "measure": ranked, "at_most": 100.0}).goal
    assert goal is not None
    assert wanted_words(goal, load_edition(), 2032) == "Rank (1 is best), Stoke-on-Trent: 100 or less in 2032"


def test_the_first_year_that_reaches_a_goal_is_found_among_whole_numbers():
    scenario = question({"vary": vary(2026, 2032, "horizon.end"), "at_least": 4.0})
    found = seek_goal(scenario)
    shares = {year: float((effects(scenario, {"horizon.end": year}) >= 4.0).mean()) for year in range(2026, 2033)}
    assert found.whole
    assert found.value == min(year for year, share in shares.items() if share >= 0.8)
    assert "horizon.end = 20" in headline(found)


def test_the_interval_of_a_change_keeps_its_proportion_to_the_value_found():
    unsure = {"uncertainty": {"low": 1.0, "high": 3.0, "level": 0.9}}
    found = seek_goal(question({"vary": vary(0, 20), "at_least": 5.0}, unsure))
    kept = found.projection.scenario.actions[0].uncertainty
    assert found.value is not None
    assert kept is not None
    assert kept.low == pytest.approx(found.value / 2)
    assert kept.high == pytest.approx(found.value * 1.5)


def test_a_range_that_is_too_short_is_named_as_what_binds():
    unsure = {"uncertainty": {"low": 0.2, "high": 3.8, "level": 0.9}}
    for at_least in (100.0, 12.0):
        found = seek_goal(question({"vary": vary(0, 4), "at_least": at_least, "probability": 0.95}, unsure))
        assert found.value is None
        assert found.best.value == 4
        assert any("range searched ends at 4 percentage points" in line for line in binding(found))


def test_what_is_unsure_is_named_where_more_of_the_same_does_not_help():
    unsure = {"uncertainty": {"low": -1.0, "high": 5.0, "level": 0.9}}
    found = seek_goal(question({"vary": vary(0, 12), "at_least": 1.0, "probability": 0.95}, unsure))
    assert found.value is None
    assert 0.5 < found.best.probability < 0.95
    assert any("levels off" in line for line in binding(found))
    assert any("The estimate itself reaches the goal" in line for line in binding(found))


def test_a_hard_limit_is_named_as_what_binds():
    found = seek_goal(question({"vary": vary(0, 90), "at_least": 500.0}))
    limits = summarise_goal(found)["limits"]
    assert found.value is None
    assert limits[0]["action"] == "push"
    assert limits[0]["share"] == 1
    assert any("A hard limit cuts the change of economic_activity_rate (push)" in line for line in binding(found))
    assert headline(found).startswith("Out of reach")


def test_a_number_without_a_part_in_the_measure_is_named():
    unsure = {"cost": {"fixed": {"value": 5.0, "unit": "GBP"}, "price_base": 2024}}
    found = seek_goal(question({"vary": vary(1, 9, "actions.push.cost.fixed.value"), "at_least": 300.0}, unsure))
    assert found.value is None
    assert any("no part in what is measured" in line for line in binding(found))


def overtaking(draws: int = DRAWS) -> Scenario:
    """Return a goal on the differences between regions, where pay of one can be raised beyond the others."""
    return question(
        {"vary": vary(0, 1500), "measure": {"quantity": "theil_region"}, "at_most": -0.0002, "probability": 0.9},
        {
            "indicator": "median_pay",
            "change": {"kind": "absolute", "value": 100.0, "unit": "GBP_per_week"},
            "target": {"regions": ["East Midlands"]},
        },
        draws,
    )


def test_a_goal_that_is_lost_again_with_more_is_told_and_the_nearer_value_taken():
    found = seek_goal(overtaking())
    probabilities = [point.probability for point in found.points if point.coarse]
    assert max(probabilities) > probabilities[-1]
    assert not found.rises
    assert any("falls again" in note for note in summarise_goal(found)["notes"])


@pytest.mark.slow
def test_the_simulation_error_of_the_value_is_its_spread_over_seeds():
    found: list[GoalFound] = [
        seek_goal(question({"vary": vary(0, 10), "at_least": 8.0}, seed=seed, draws=1000)) for seed in range(40)
    ]
    values = np.array([one.value for one in found], dtype=float)
    told = np.array([(one.value_upper - one.value_lower) / 2 / 1.645 for one in found])  # type: ignore[operator]
    # The spread of 40 values is known to about 11%; the slope of each run adds its own noise.
    assert values.std(ddof=1) == pytest.approx(told.mean(), rel=0.35)


def test_the_same_seed_gives_the_same_answer_and_another_one_another():
    scenario = question({"vary": vary(0, 10), "at_least": 8.0}, draws=200)
    again, other = (question({"vary": vary(0, 10), "at_least": 8.0}, draws=200, seed=s) for s in (3, 4))
    assert summarise_goal(seek_goal(scenario)) == summarise_goal(seek_goal(again))
    assert summarise_goal(seek_goal(scenario)) != summarise_goal(seek_goal(other))


def test_an_ordinary_scenario_has_no_goal():
    scenario = question({"vary": vary(0, 10), "at_least": 8.0})
    plain = version_of(plain_content(scenario), {})
    with pytest.raises(ModelError, match="has no goal"):
        seek_goal(plain)


def test_the_unit_of_a_number_is_the_one_written_beside_it():
    content = plain_content(question({"vary": vary(0, 10), "at_least": 8.0}))
    kept = deepcopy(content)
    assert unit_at(content, SIZE) == "pp"
    assert unit_at(content, "actions.push.phasing.start") == ""
    assert content == kept


def test_the_folder_holds_a_scenario_that_gives_the_answer_when_it_is_run(tmp_path: Path):
    found = seek_goal(question({"vary": vary(0, 10), "at_least": 8.0}))
    summary = write_goal(tmp_path / "goal", found, command="gwm goal x")
    assert {file.name for file in (tmp_path / "goal").iterdir()} == {
        "curve.csv",
        "goal.json",
        "manifest.json",
        "question.yaml",
        "report.html",
        "scenario.yaml",
    }
    version = read_scenario(tmp_path / "goal" / "scenario.yaml").scenario
    assert version.kind == "scenario"
    assert version.actions[0].change.value == summary["value"]
    draws = measure_draws(project(version, variance=False), found.goal.measure)
    assert float((draws >= 8.0).mean()) == summary["best"]["probability"]
    assert json.loads((tmp_path / "goal" / "goal.json").read_text("utf-8"))["value"] == summary["value"]
    assert read_scenario(tmp_path / "goal" / "question.yaml").scenario == found.scenario
    manifest = json.loads((tmp_path / "goal" / "manifest.json").read_text("utf-8"))
    assert (manifest["kind"], manifest["seed"], manifest["draws"]) == ("goal", 3, DRAWS)
    kept = hashlib.sha256((tmp_path / "goal" / "curve.csv").read_bytes()).hexdigest()
    assert manifest["results_sha256"]["curve.csv"] == kept
    page = (tmp_path / "goal" / "report.html").read_text("utf-8")
    assert "Data behind this answer" in page and "Assumptions" in page
    assert summary["sources"] and summary["assumptions"]


def test_a_goal_on_the_wrong_side_is_said_to_lead_away():
    found = seek_goal(question({"vary": vary(0, 10), "at_most": -80.0}))
    assert found.value is None and found.best.value == found.start
    said = " ".join(binding(found))
    assert "Every change goes the other way" in said and "levels off" not in said
    assert "fall of 80 points or more" in headline(found)
    assert "with an estimate of 0 points: the probability there is 0.0%" in headline(found)


def test_an_unusual_answer_is_called_unusual():
    usual = seek_goal(question({"vary": vary(0, 20), "at_least": 8.0}))
    assert "unusual" not in headline(usual)
    found = seek_goal(question({"vary": vary(0, 20), "at_least": 60.0}))
    assert found.value is not None and found.value > 6
    assert "Mind: 11.7 pp is unusual" in headline(found)
    assert "rarely moves by more than 6 pp" in headline(found)
    assert any("Mind the value: 11.7 pp is unusual" in note for note in summarise_goal(found)["notes"])


def test_a_measure_of_inequality_is_kept_without_a_group():
    found = seek_goal(question({"vary": vary(0, 2), "measure": {"quantity": "sii"}, "at_least": -500.0}))
    assert summarise_goal(found)["measure"]["group"] is None


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    found = seek_goal(question({"vary": vary(0, 10), "at_least": 8.0}, draws=100))
    with pytest.raises(OutputError, match="not just a goal"):
        write_goal(tmp_path, found, command="gwm goal x")


def written(scenario: Scenario, place: Path) -> Path:
    plain = json.loads(scenario.model_dump_json(by_alias=True, exclude_none=True))
    plain["actions"][0]["target"].pop("exclude", None)
    with place.open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(plain, file)
    return place


def ask(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["gwm", *map(str, words)])
    return run_command()


def test_the_command_leaves_with_0_where_the_goal_is_reached(tmp_path, monkeypatch, capsys):
    file = written(question({"vary": vary(0, 10), "at_least": 8.0}, draws=200), tmp_path / "goal.yaml")
    assert ask(monkeypatch, "goal", file, "--out", tmp_path / "out", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["reached"] is True
    assert ask(monkeypatch, "goal", file, "--out", tmp_path / "out") == 0
    assert "needs actions.push.change.value" in capsys.readouterr().out


def test_the_command_leaves_with_2_where_the_goal_is_out_of_reach_and_writes_the_best(tmp_path, monkeypatch, capsys):
    file = written(question({"vary": vary(0, 2), "at_least": 100.0}, draws=200), tmp_path / "goal.yaml")
    assert ask(monkeypatch, "goal", file, "--out", tmp_path / "out") == InfeasibleError.exit_code == 2
    told = capsys.readouterr()
    assert told.err.startswith("Out of reach")
    assert told.err.count("\n") == 1
    assert "Out of reach" in told.out
    assert json.loads((tmp_path / "out" / "goal.json").read_text("utf-8"))["reached"] is False


def test_the_command_sends_another_kind_of_file_to_its_own_command(tmp_path, monkeypatch, capsys):
    assert ask(monkeypatch, "goal", "nothing", "--out", tmp_path / "out") == 1
    assert "is a scenario, not a goal. Use gwm run nothing." in capsys.readouterr().err
