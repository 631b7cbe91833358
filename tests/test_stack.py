"""Several scenarios run together as one: how they are joined, and what is said where they meet."""

import json
import os
import subprocess
import sys
from functools import partial
from itertools import permutations

import made_scenario
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gwm_models.errors import DataError, ScenarioError
from gwm_models.report.run_folder import resolved_yaml
from gwm_models.scenarios.compare import compare
from gwm_models.scenarios.costs import cost_draws
from gwm_models.scenarios.layers import draw_effect
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.reader import read_scenario, shipped_scenarios
from gwm_models.scenarios.spec import Horizon
from gwm_models.scenarios.stack import stack

HEALTH = "healthy_life_expectancy_male"


def action(name="participation", indicator="economic_activity_rate", kind="absolute", size=2.0, unit="pp", **changes):
    base = {
        "id": name,
        "indicator": indicator,
        "change": {"kind": kind, "value": size, "unit": unit},
        "target": {"areas": ["Blackpool", "Derby"]},
        "phasing": {"start": 2026, "full_by": 2028},
    }
    return base | changes


scenario = partial(made_scenario.scenario, name="drive", health=[])


def said(*scenarios):
    return {problem.path: problem.what for problem in stack(scenarios)[1]}


JOBS = scenario(action("jobs", "professional_share"), name="jobs")


def test_the_whole_has_all_actions_in_order_and_says_what_it_is():
    whole, warnings = stack([scenario(action()), JOBS])
    assert [one.id for one in whole.actions] == ["participation", "jobs"]
    assert (whole.id, whole.title) == ("drive-and-jobs", "Together: Title of drive; Title of jobs")
    assert whole.question == "Question of drive? Question of jobs?"
    assert warnings == ()


def test_the_same_name_in_two_files_is_told_apart_by_the_scenario():
    whole, warnings = stack(
        [scenario(action()), scenario(action(indicator="unemployment_rate", size=-1.0), name="two")]
    )
    assert [one.id for one in whole.actions] == ["participation", "two-participation"]
    assert [warning.path for warning in warnings] == ["actions.two-participation"]
    assert str(warnings[0]) == (
        "drive + two: warning: actions.two-participation: 'participation' of two is called 'two-participation', since "
        "another file uses its name; the two share their draws, large or small together."
    )


def test_changes_of_one_indicator_in_shared_areas_are_named_and_add_up():
    elsewhere = action("more", size=1.5, target={"areas": ["Derby", "Slough"]})
    parts = [scenario(action()), scenario(elsewhere, name="more")]
    assert said(*parts) == {
        "actions.more": "participation (drive) and more (more) both change economic_activity_rate in the same areas "
        "(Derby); their changes add up"
    }
    apart = scenario(action("more", target={"areas": ["Slough"]}), name="more")
    assert said(parts[0], apart) == {} and said(parts[0], JOBS) == {}


def test_the_same_action_in_two_files_is_said_to_count_twice():
    found = said(scenario(action()), scenario(action("again", evidence={"source": "x", "grade": "weak"}), name="two"))
    assert (
        found["actions.again"]
        == "participation (drive) and again (two) are the same action, so it counts twice (Derby, Blackpool)"
    )


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (("target", 85.0, "percent"), "each brings it to a goal of its own from the level before, and they add up"),
        (("to_quantile", 0.5, "quantile"), "each brings it to a goal of its own from the level before"),
        (("absolute", 1.0, "pp"), "gap brings it to a goal from the level before, and the other comes on top"),
    ],
)
def test_goals_that_add_up_are_named(first, words):
    kind, size, unit = first
    gap = action("gap", change={"kind": "close_gap", "value": 50, "unit": "percent", "to": "median"})
    found = said(scenario(action(kind=kind, size=size, unit=unit)), scenario(gap, name="gap"))
    assert words in found["actions.gap"]


def test_the_horizon_is_the_union_and_costs_keep_their_years():
    cost = {"recurring": {"value": 5, "unit": "GBP_per_area"}, "price_base": 2025}
    early = scenario(action(cost=cost), horizon={"start": 2026, "end": 2029})
    late = scenario(action("jobs", "professional_share", phasing={"start": 2028, "full_by": 2030}), name="late")
    late = late.model_copy(update={"horizon": late.horizon.model_copy(update={"start": 2028, "end": 2034})})
    whole, warnings = stack([early, late])
    assert (whole.horizon.start, whole.horizon.end) == (2026, 2034)
    assert whole.actions[0].cost.recurring.years == (2026, 2029)
    assert [warning.path for warning in warnings] == ["horizon"]
    assert "(2026 to 2029, 2028 to 2034); the whole runs from 2026 to 2034" in warnings[0].what


def test_draws_are_the_most_the_seed_the_first_and_the_rest_the_union():
    first = scenario(action(), analysis={"draws": 200, "seed": 1, "intervals": [0.9], "inequality": ["sii"]})
    second = JOBS.model_copy(
        update={
            "analysis": JOBS.analysis.model_copy(
                update={"draws": 500, "seed": 2, "intervals": (0.5,), "inequality": ("cv", "sii"), "memory": 2.0}
            )
        }
    )
    whole, warnings = stack([first, second])
    analysis = whole.analysis
    assert (analysis.draws, analysis.seed, analysis.memory) == (500, 1, 2.0)
    assert analysis.intervals == (0.5, 0.9) and analysis.inequality == ("sii", "cv")
    assert {warning.path for warning in warnings} == {"analysis.seed", "analysis.draws"}


def test_health_outcomes_are_joined_and_two_links_for_one_are_refused():
    own = {"outcome": HEALTH, "link": "within", "lag": {"years": 2, "build_up": 5}}
    first, other = scenario(action(), health=[own]), {"outcome": "healthy_life_expectancy_female", "link": "between"}
    second = scenario(action("jobs", "professional_share"), name="jobs", health=[own, other])
    whole, warnings = stack([first, second])
    assert [link.outcome for link in whole.health] == [HEALTH, "healthy_life_expectancy_female"]
    assert [warning.path for warning in warnings] == ["health"]
    clash = scenario(action("jobs", "professional_share"), name="jobs", health=[own | {"link": "between"}])
    with pytest.raises(
        DataError, match=r"link healthy_life_expectancy_male in different ways \(within, lag 2 \+ 5 years"
    ):
        stack([first, clash])


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (scenario(action()), "drive is given twice, which would count it twice"),
        (scenario(action("x"), name="open", baseline={"edition": "open-2021"}), "differ in their edition"),
        (
            scenario(action("x"), name="t", baseline={"edition": "monitor-2021", "counterfactual": "trend"}),
            r"differ in their counterfactual \(held in drive, trend in t\)",
        ),
        (
            scenario(
                action("x"),
                name="s",
                kind="sweep",
                sweep={"vary": [{"path": "actions.x.change.value", "values": [1, 2]}]},
            ),
            "s is a sweep, which cannot be stacked",
        ),
    ],
)
def test_what_cannot_be_joined_is_refused_by_name(other, words):
    with pytest.raises(DataError, match=words):
        stack([scenario(action()), other])


def test_one_scenario_is_no_stack():
    with pytest.raises(DataError, match="two scenarios or more; 1 given"):
        stack([JOBS])


def test_the_whole_is_checked_as_any_file_is():
    early = scenario(action(phasing={"start": 1950, "full_by": 1951}), horizon={"start": 1950, "end": 1960})
    assert not any("long horizon" in warning.what for warning in stack([scenario(action()), JOBS])[1])
    assert any("81 years is a long horizon" in warning.what for warning in stack([early, JOBS])[1])
    wordless = [part.model_copy(update={"question": " "}) for part in (scenario(action()), JOBS)]
    with pytest.raises(ScenarioError, match="question"):
        stack(wordless)


def test_long_names_are_cut_to_what_a_file_may_hold():
    parts = [scenario(action(f"a{n}"), name=f"{'x' * 60}-{n}", title="t" * 150) for n in range(3)]
    whole, _ = stack(parts)
    assert whole.id == "x" * 60 + "-0-and-2-more" and len(whole.title) == 200
    clash = [scenario(action("n" * 70), name="y" * 70), scenario(action("n" * 70, size=1.0), name="y" * 71)]
    names = [one.id for one in stack(clash)[0].actions]
    assert len(set(names)) == 2 and len(names[1]) <= 80


def test_what_is_written_reads_back_as_the_same_scenario_and_the_same_numbers(tmp_path):
    unsure = {"low": 1.0, "high": 3.0}
    whole, _ = stack([scenario(action(uncertainty=unsure)), scenario(action(uncertainty=unsure, size=1.5), name="two")])
    path = tmp_path / "whole.yaml"
    path.write_text(resolved_yaml(whole))
    again = read_scenario(path).scenario
    assert resolved_yaml(again) == resolved_yaml(whole)
    assert np.array_equal(project(again, variance=False).change, project(whole, variance=False).change)


SIZES = st.floats(0.2, 3).map(lambda size: round(size, 1))


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(SIZES, SIZES, st.sampled_from(["economic_activity_rate", "unemployment_rate", "professional_share"]))
def test_changes_away_from_limits_add_up_in_every_draw(first, second, indicator):
    unsure = {"low": 0.1, "high": 3.1}
    one = scenario(action("one", size=first, uncertainty=unsure))
    two = scenario(action("two", indicator, size=second, uncertainty=unsure), name="two")
    whole, _ = stack([one, two])
    parts = [project(part, variance=False).change for part in (one, two)]
    assert project(whole, variance=False).change == pytest.approx(parts[0] + parts[1], abs=1e-9)


UNSURE = {
    "uncertainty": {"low": 0.5, "high": 3.2, "across_areas": 0.4},
    "additionality": {"deadweight": {"mean": 0.2, "sd": 0.1}},
    "cost": {"fixed": {"value": 100, "unit": "GBP", "low": 50, "high": 200}, "price_base": 2025},
}


def test_a_renamed_action_keeps_the_draws_of_its_size_shares_and_cost():
    rate = action("a", "unemployment_rate", size=-1.0, **UNSURE | {"uncertainty": {"low": -2, "high": -0.2}})
    parts = scenario(action("a", **UNSURE), name="one"), scenario(rate, name="two")
    whole, _ = stack(parts)
    assert [(one.id, one.drawn_as) for one in whole.actions] == [("a", "a"), ("two-a", "a")]
    together = project(whole, variance=False)
    for a, part in enumerate(parts):
        alone = project(part, variance=False)
        assert np.array_equal(together.asked[a], alone.asked[0])
        assert np.array_equal(cost_draws(together, a), cost_draws(alone, 0))


def test_a_stack_of_stacks_still_draws_every_action_as_alone():
    one, two, three = (scenario(action("a", size=size, **UNSURE), name=f"s{size:.0f}") for size in (1.0, 2.0, 3.0))
    whole, _ = stack([stack([two, three])[0], one])
    assert len({part.id for part in whole.actions}) == 3
    assert {part.drawn_as for part in whole.actions} == {"a"}


@pytest.mark.parametrize("order", list(permutations(range(3)))[1:])
def test_any_order_of_the_files_gives_the_same_bytes(order):
    sizes = {"one": 0.7, "two": 1.3, "three": 2.1}
    parts = [
        scenario(action("a", size=size, **UNSURE), name=name, analysis={"draws": 200, "seed": len(name)})
        for name, size in sizes.items()
    ]
    first, said_first = stack(parts)
    second, said_second = stack([parts[i] for i in order])
    assert resolved_yaml(second) == resolved_yaml(first) and said_second == said_first
    assert project(second, variance=False).change.tobytes() == project(first, variance=False).change.tobytes()


def test_actions_of_one_name_share_draws_in_a_stack_as_in_a_comparison():
    parts = [scenario(action("a", size=size, **UNSURE), name=name) for name, size in (("one", 1.0), ("two", 2.0))]
    whole = project(stack(parts)[0], variance=False)
    notes = compare(parts).notes
    assert any("Actions of one name in several files (a) share their draws" in note for note in notes)
    sizes = [draw_effect(one, ("E06000001",), 200, 1)[:, 0] for one in whole.scenario.actions]
    assert np.corrcoef(sizes)[0, 1] > 0.8


def gwm(*words, cwd, check=0):
    environment = os.environ | {"COLUMNS": "200", "PYTHONPATH": os.pathsep.join(sys.path)}
    start = "from gwm_models.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", start, *map(str, words)], capture_output=True, text=True, cwd=cwd, env=environment
    )
    assert done.returncode == check, done.stderr
    return done


def test_the_command_stacks_and_its_folder_can_be_run_again(tmp_path):
    names = ("northern-participation-2026", "professional-jobs-gap")
    done = gwm("run", *names, "--stack", "--draws", "200", "--out", "both", "--keep-draws", cwd=tmp_path)
    assert "Together: Participation drive" in done.stdout
    manifest = json.loads((tmp_path / "both/manifest.json").read_text())
    assert manifest["command"] == f"gwm run {' '.join(names)} --stack --out both --draws 200 --keep-draws"
    assert (tmp_path / "both/draws.nc").is_file()
    gwm("run", "both/scenario.yaml", "--out", "again", cwd=tmp_path)
    for name in ("areas.csv", "scenario.yaml"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "both" / name).read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nothing", "jobs-shock-2009"), "gwm run takes one scenario; 2 given. Add --stack to run them together"),
        (("participation-goal",), "is a goal, not a scenario. Use gwm goal participation-goal."),
        (("participation-sweep",), "is a sweep, not a scenario. Use gwm sweep participation-sweep."),
        (("nothing", "--stack"), "two scenarios or more; 1 given"),
        (("nothing", "participation-goal", "--stack"), "is a goal, which cannot be stacked"),
    ],
)
def test_what_cannot_be_run_is_one_line_that_says_what_to_do(words, message, tmp_path):
    done = gwm("run", *words, cwd=tmp_path, check=1)
    assert message in done.stderr and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_shock_that_is_over_before_the_last_year_is_named():
    shipped = shipped_scenarios()
    shock = read_scenario(shipped["recession-2009"]).scenario
    longer = shock.model_copy(update={"id": "longer", "actions": (), "horizon": Horizon(start=2026, end=2045)})
    _, warnings = stack([shock, longer])
    named = [warning.what for warning in warnings if "is over after" in warning.what]
    assert len(named) == len(shock.actions)
    assert all(what.endswith("and the whole runs to 2045: its results of that year do not show it") for what in named)
    same = longer.model_copy(update={"horizon": shock.horizon})
    assert not any("is over after" in warning.what for warning in stack([shock, same])[1])
