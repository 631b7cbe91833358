"""Portfolios: the best set within a budget, against every set there is; what is sure about it; and its folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gwm_models
from gwm_models.cli import run_command
from gwm_models.errors import InfeasibleError, ModelError
from gwm_models.evaluation import portfolio as searching
from gwm_models.evaluation.portfolio import PortfolioFound, choose_portfolio
from gwm_models.evaluation.portfolio_menu import make_menu, together
from gwm_models.evaluation.portfolio_programme import best_set, climb, solve, statistic_of
from gwm_models.evaluation.portfolio_rules import Rules, enumerate_sets, make_rules
from gwm_models.evaluation.portfolio_value import best_of
from gwm_models.evaluation.portfolio_words import summarise_portfolio
from gwm_models.report.portfolio import write_portfolio
from gwm_models.scenarios.layers import draw_additional
from gwm_models.scenarios.measured import measure_draws
from gwm_models.scenarios.portfolio_parts import sized
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.reader import check_mapping, read_scenario
from gwm_models.scenarios.spec import Measured, Scenario

DRAWS = 200
TOTAL = {"quantity": "total", "group": "all areas"}


def action(name: str, indicator: str, value: float, areas: list[str], pounds: float, **more: Any) -> dict[str, Any]:
    spread = abs(value) * 0.8
    return {
        "id": name,
        "indicator": indicator,
        "change": {"kind": "absolute", "value": value, "unit": "pp"},
        "uncertainty": {"low": value - spread, "high": value + spread, "across_areas": abs(value) / 5},
        "target": {"areas": areas},
        "phasing": {"start": 2026, "full_by": 2030},
        "cost": {"fixed": {"value": pounds, "unit": "GBP"}, "price_base": 2025},
        "evidence": {"source": "made up for a test", "grade": "assumed"},
    } | more


ACTIONS = [
    action("stoke", "economic_activity_rate", 2.0, ["Stoke-on-Trent"], 30e6),
    action("hull", "economic_activity_rate", 1.5, ["Kingston upon Hull, City of"], 22e6),
    action("blackpool", "unemployment_rate", -1.0, ["Blackpool"], 18e6),
    action("north-east", "professional_share", 1.0, ["Sunderland", "Hartlepool"], 25e6),
    action("stoke-jobs", "professional_share", 1.5, ["Stoke-on-Trent"], 20e6),
]
SECOND = {"indicator": "economic_activity_rate", "value": 1.4, "areas": ["Blackpool"], "pounds": 22e6}


def asked(
    budget: dict[str, Any] | None = None,
    objective: dict[str, Any] | None = None,
    constraints: dict[str, Any] | None = None,
    options: list[dict[str, Any]] | None = None,
    actions: list[dict[str, Any]] | None = None,
    **more: Any,
) -> Scenario:
    """Return a portfolio of five options, the first of them at three sizes."""
    usual = [{"id": each["id"], "actions": [each["id"]]} for each in ACTIONS]
    usual[0] |= {"sizes": [0.5, 1.0, 1.5], "costs": [0.6, 1.0, 1.4]}
    content = {
        "schema": "gwm-scenario/1",
        "kind": "portfolio",
        "id": "a-portfolio",
        "title": "A portfolio",
        "question": "What is best?",
        "baseline": {"edition": "monitor-2021"},
        "horizon": {"start": 2026, "end": 2032},
        "actions": actions or ACTIONS,
        "health": [],
        "analysis": {"draws": DRAWS, "seed": 3},
        "portfolio": {
            "options": options or usual,
            "budget": {"price_base": 2025} | (budget or {"total": 70e6}),
            "constraints": constraints or {},
            "objective": {"measure": TOTAL} | (objective or {}),
        },
    }
    scenario, problems = check_mapping(content | more)
    assert scenario is not None, problems
    return scenario


@lru_cache(maxsize=1)
def usual() -> PortfolioFound:
    return choose_portfolio(asked())


def every_set(found: PortfolioFound) -> np.ndarray:
    """Return every set of choices, at most one size of each option, by plain loops."""
    menu = found.menu
    ways = [[None, *np.flatnonzero(menu.option == k).tolist()] for k in range(len(menu.options))]
    sets = []
    for picked in product(*ways):
        row = np.zeros(len(menu.option))
        row[[j for j in picked if j is not None]] = 1
        sets.append(row)
    return np.array(sets)


# Against every set there is


@pytest.mark.parametrize(
    "objective",
    [
        {},
        {"statistic": "quantile", "probability": 0.1},
        {"statistic": "tail_mean", "probability": 0.2},
        {"measure": {"quantity": "gap_10_10"}},
        {"measure": {"quantity": "gap_10_10"}, "statistic": "quantile", "probability": 0.1},
        {"measure": {"quantity": "access", "group": "West Midlands"}},
    ],
)
def test_the_set_chosen_is_the_best_of_all_sets_projected_one_by_one(objective):
    found = choose_portfolio(asked(objective=objective))
    menu, best, top = found.menu, None, -np.inf
    measure = menu.portfolio.objective.measure
    sign = -1 if measure.quantity == "gap_10_10" else 1
    for row in every_set(found):
        if row @ menu.cost > 70e6:
            continue
        draws = sign * measure_draws(project(together(menu, np.flatnonzero(row).tolist()), variance=False), measure)
        ordered = np.sort(draws)
        asked_for = found.menu.portfolio.objective
        value = {
            "mean": draws.mean(),
            "quantile": ordered[int(DRAWS * (asked_for.probability or 0))],
            "tail_mean": ordered[: int(DRAWS * (asked_for.probability or 1))].mean(),
        }[asked_for.statistic]
        if value > top + 1e-12:
            best, top = row, value
    assert best is not None
    assert found.choices == tuple(np.flatnonzero(best).tolist())
    assert found.objective == pytest.approx(sign * top, rel=1e-9)
    assert found.optimal and found.method == "enumeration"


def test_constraints_are_kept_and_the_best_is_found_within_them():
    rules = {
        "exclusive": [["stoke", "stoke-jobs"]],
        "requires": [{"option": "hull", "needs": ["blackpool"]}],
        "floors": [{"region": "North East", "options": 1}],
        "at_most": 3,
    }
    found = choose_portfolio(asked({"total": 90e6}, constraints=rules))
    menu = found.menu
    name = [menu.options[k].id for k in menu.option]

    def sound(row: np.ndarray) -> bool:
        held = {name[j] for j in np.flatnonzero(row)}
        return (
            row @ menu.cost <= 90e6
            and not {"stoke", "stoke-jobs"} <= held
            and ("hull" not in held or "blackpool" in held)
            and "north-east" in held
            and len(held) <= 3
        )

    sets = [row for row in every_set(found) if sound(row)]
    assert found.n_sets == len([row for row in every_set(found) if sound(row)])
    best = max(sets, key=lambda row: float(menu.effect.mean(axis=0) @ row))
    assert found.choices == tuple(np.flatnonzero(best).tolist())


@pytest.mark.slow
def test_integer_programming_finds_what_trying_all_sets_finds(monkeypatch):
    scenarios = [
        asked(objective=objective, analysis={"draws": 100, "seed": 3})
        for objective in (
            {},
            {"statistic": "tail_mean", "probability": 0.1},
            {"statistic": "quantile", "probability": 0.05},
        )
    ]
    tried = [choose_portfolio(scenario) for scenario in scenarios]
    monkeypatch.setattr(searching, "MOST_SETS", 1)
    monkeypatch.setattr(searching, "PROGRAMMES", 20)
    for scenario, expected in zip(scenarios, tried, strict=True):
        found = choose_portfolio(scenario)
        assert found.method == "programme"
        assert found.choices == expected.choices
        assert found.objective == pytest.approx(expected.objective, rel=1e-9)
        assert found.best == pytest.approx(expected.best[: len(found.best)], rel=1e-6)


def test_a_gap_over_too_many_sets_is_refused(monkeypatch):
    monkeypatch.setattr(searching, "MOST_GAPS", 1)
    with pytest.raises(ModelError, match="too many to work out a gap"):
        choose_portfolio(asked(objective={"measure": {"quantity": "gap_10_10"}}))


def random_problem(seed: int, n: int, n_draws: int = 30) -> tuple[np.ndarray, Rules, np.ndarray]:
    """Return made-up effects and rules, and every set within them."""
    rng = np.random.default_rng(seed)
    cost = rng.uniform(0.1, 1.0, n)
    matrix = np.vstack([cost / cost.sum(), np.ones(n) / n])
    rules = Rules(("budget", "most"), matrix, np.array([rng.uniform(0.2, 0.8), np.ceil(0.6 * n) / n]))
    sets = np.array(list(product([0.0, 1.0], repeat=n)))
    return rng.normal(0.3, 1.0, (n_draws, n)), rules, sets[rules.hold(sets)]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 7), st.sampled_from(["mean", "tail_mean", "quantile"]))
def test_a_programme_is_as_good_as_the_best_of_all_sets(seed, n, statistic):
    effect, rules, sets = random_problem(seed, n)
    base = np.random.default_rng(seed + 1).normal(size=len(effect))
    found = best_set(effect, base, rules, statistic, 0.2)
    value = statistic_of(base[:, None] + effect @ sets.T, statistic, 0.2)
    assert found is not None and rules.hold(found.chosen[None])[0]
    own = statistic_of(base[:, None] + effect @ found.chosen[:, None], statistic, 0.2)[0]
    assert own == pytest.approx(value.max(), abs=1e-6)
    assert found.bound >= own - 1e-6


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 7))
def test_the_best_set_of_each_draw_and_a_climb_keep_to_the_rules(seed, n):
    effect, rules, sets = random_problem(seed, n)
    best, place, mean = best_of(effect, sets)
    values = effect @ sets.T
    assert np.allclose(best, values.max(axis=1)) and np.allclose(values[np.arange(len(best)), place], best)
    assert np.allclose(mean, values.mean(axis=0))
    found = climb(np.zeros(n), lambda each: each @ effect.mean(axis=0), rules)
    assert rules.hold(found[None])[0]
    assert 0 <= found @ effect.mean(axis=0) <= mean.max() + 1e-12


def test_no_set_is_left_out_and_none_is_there_twice():
    menu = usual().menu
    rules = make_rules(menu)
    found = enumerate_sets(menu, rules, 10_000)
    expected = every_set(usual())
    expected = expected[expected @ menu.cost <= 70e6]
    assert found is not None
    assert {tuple(row) for row in found} == {tuple(row) for row in expected}
    assert len(found) == len(expected)
    assert enumerate_sets(menu, rules, len(expected) - 1) is None


# Laws


def test_more_money_is_never_worse_and_no_budget_is_passed():
    last = -np.inf
    for total in (15e6, 45e6, 60e6, 150e6):
        found = choose_portfolio(asked({"total": total}))
        assert found.menu.cost @ found.chosen <= total * (1 + 1e-9)
        assert found.objective >= last
        last = found.objective


def test_the_frontier_rises_and_holds_the_set_chosen():
    found = usual()
    cost, objective = ([getattr(point, name) for point in found.frontier] for name in ("cost", "objective"))
    assert cost == sorted(cost) and len(set(cost)) == len(cost)
    assert objective == sorted(objective)
    assert max((point for point in found.frontier if point.within), key=lambda p: p.cost).choices == found.choices
    assert found.frontier[0].choices == ()
    assert not found.frontier[-1].within


def test_a_dominated_option_is_never_chosen_before_the_one_that_dominates_it():
    dear = action("dear", "economic_activity_rate", 2.0, ["Stoke-on-Trent"], 31e6)
    cheap = action("cheap", "economic_activity_rate", 2.0, ["Stoke-on-Trent"], 20e6)
    cheap["uncertainty"] = dear["uncertainty"] = {"low": 1.9, "high": 2.1}
    options = [{"id": each["id"], "actions": [each["id"]]} for each in (dear, cheap)]
    found = choose_portfolio(
        asked({"total": 40e6}, constraints={"exclusive": [["dear", "cheap"]]}, options=options, actions=[dear, cheap])
    )
    assert [found.menu.label(j) for j in found.choices] == ["cheap"]


def test_an_option_that_does_nothing_is_not_chosen():
    idle = action("idle", "economic_activity_rate", 0.0, ["Blackpool"], 1e6)
    idle.pop("uncertainty")
    options = [{"id": "stoke", "actions": ["stoke"]}, {"id": "idle", "actions": ["idle"]}]
    found = choose_portfolio(asked({"total": 90e6}, options=options, actions=[ACTIONS[0], idle]))
    assert [found.menu.label(j) for j in found.choices] == ["stoke"]


def test_a_year_has_its_own_budget():
    free = choose_portfolio(asked({"total": 90e6}))
    held = choose_portfolio(asked({"total": 90e6, "years": [[2026, 40e6]]}))
    paid = sum(held.menu.money[j].by_year[2026] for j in held.choices)
    assert sum(free.menu.money[j].by_year[2026] for j in free.choices) > 40e6 >= paid
    assert held.objective < free.objective


def test_later_payments_are_discounted_to_the_first_year():
    cost = {"recurring": {"value": 1e6, "unit": "GBP", "years": [2026, 2028]}, "price_base": 2025}
    late = ACTIONS[0] | {"cost": cost}
    menu = make_menu(
        asked(
            {"total": 9e6, "discount_rate": 0.1},
            options=[{"id": "stoke", "actions": ["stoke"], "sizes": [1.0, 2.0]}],
            actions=[late],
        )
    )
    assert menu.cost == pytest.approx(np.array([1.0, 2.0]) * 1e6 * (1 + 1 / 1.1 + 1 / 1.21))
    assert menu.money[1].by_year == {2026: 2e6, 2027: 2e6, 2028: 2e6}


def test_a_size_multiplies_change_interval_and_cost_and_jobs_cost_what_they_cost():
    scenario = asked()
    twice = sized(scenario.actions[0], 2.0, 3.0)
    assert (twice.change.value, twice.uncertainty.low, twice.uncertainty.across_areas) == pytest.approx((4, 0.8, 0.8))
    assert twice.cost.fixed.value == 90e6
    jobs = scenario.actions[0].cost.fixed.model_copy(update={"unit": "GBP_per_job", "value": 6000.0})
    by_job = scenario.actions[0].model_copy(
        update={"cost": scenario.actions[0].cost.model_copy(update={"fixed": jobs})}
    )
    assert sized(by_job, 2.0, 2.0).cost.fixed.value == 6000
    assert sized(scenario.actions[0], 1.0, 1.0) == scenario.actions[0]


# Effects that do not just add up


def overlapping() -> Scenario:
    """Return two options that would together lift a share past its hard limit, so that one takes from the other."""
    first = action("first", "economic_activity_rate", 20.0, ["Stoke-on-Trent"], 10e6)
    second = action("second", "economic_activity_rate", 22.0, ["Stoke-on-Trent"], 12e6)
    third = action("third", "economic_activity_rate", 12.0, ["Blackpool"], 12e6)
    options = [{"id": each["id"], "actions": [each["id"]]} for each in (first, second, third)]
    return asked({"total": 24e6}, options=options, actions=[first, second, third])


def test_where_options_meet_the_leading_sets_are_projected_together_and_the_best_of_those_is_taken():
    found = choose_portfolio(overlapping())
    menu = found.menu
    joint = {}
    for pair in ((0, 1), (0, 2), (1, 2)):
        projection = project(together(menu, pair), variance=False)
        joint[pair] = measure_draws(projection, Measured(**TOTAL)).mean()
    added = {pair: menu.effect[:, list(pair)].sum(axis=1).mean() for pair in joint}
    assert max(added, key=added.__getitem__) == (0, 1) and joint[0, 1] < added[0, 1] - 0.01
    assert found.choices == max(joint, key=joint.__getitem__) == (1, 2)
    assert found.joint.mean() == pytest.approx(joint[1, 2])
    assert found.first == (0, 1)
    assert "another set is best: first, second" in " ".join(summarise_portfolio(found)["notes"])


def test_effects_of_options_in_different_places_add_up_exactly():
    found = usual()
    assert np.allclose(found.joint, found.draws, atol=1e-12)
    assert "do what their effects add up to" in " ".join(summarise_portfolio(found)["notes"])


# How sure the choice is


def test_regret_inclusion_and_the_value_of_knowing_everything_are_those_of_all_sets():
    found = usual()
    menu = found.menu
    sets = every_set(found)
    values = menu.effect @ sets[sets @ menu.cost <= 70e6].T
    assert found.best == pytest.approx(values.max(axis=1))
    assert found.regret == pytest.approx(values.max(axis=1) - found.draws)
    everything = found.information[-1]
    assert everything.layer == "everything"
    assert everything.value == pytest.approx(values.max(axis=1).mean() - values.mean(axis=0).max())
    rows = summarise_portfolio(found)["options"]
    held = {(row["option"], row["size"]): row["prob_in_best"] for row in rows}
    top = sets[sets @ menu.cost <= 70e6][values.argmax(axis=1)]
    for j in range(len(menu.option)):
        assert held[menu.options[menu.option[j]].id, menu.size[j]] == pytest.approx(top[:, j].mean())


def test_only_layers_that_move_the_effect_are_worth_knowing_and_none_more_than_everything():
    worth = {each.layer: each.value for each in usual().information}
    assert worth["effect"] > 0.5 * worth["everything"]
    assert worth["health"] == pytest.approx(0, abs=1e-9) and worth["sampling"] == pytest.approx(0, abs=1e-9)
    assert all(value <= worth["everything"] + 1e-9 for value in worth.values())


def test_with_one_uncertain_layer_it_is_worth_what_everything_is():
    found = choose_portfolio(asked(analysis={"draws": 1000, "seed": 5}, objective={"measure": {"quantity": "access"}}))
    worth = {each.layer: each.value for each in found.information}
    assert worth["effect"] == pytest.approx(worth["everything"], rel=0.1)


def test_a_layer_is_worth_what_its_exact_conditional_mean_says():
    # The effect is size times what is kept, drawn apart: given the size, it is the size times the mean kept.
    unsure = {"additionality": {"deadweight": {"mean": 0.4, "sd": 0.15}}}
    actions = [ACTIONS[0] | unsure, ACTIONS[1] | unsure, action("hull-2", **SECOND) | unsure]
    options = [{"id": each["id"], "actions": [each["id"]]} for each in actions]
    scenario = asked({"total": 52e6}, options=options, actions=actions, analysis={"draws": 1000, "seed": 4})
    found = choose_portfolio(scenario)
    kept = np.column_stack([draw_additional(each, 1000, 4) for each in scenario.actions])
    sets = every_set(found)
    sets = sets[sets @ found.menu.cost <= 52e6]
    size = found.menu.effect / kept
    for layer, effect in (("effect", size * kept.mean(axis=0)), ("additionality", size.mean(axis=0) * kept)):
        values = effect @ sets.T
        exact = values.max(axis=1).mean() - values.mean(axis=0).max()
        told = next(each.value for each in found.information if each.layer == layer)
        assert told == pytest.approx(exact, rel=0.1, abs=0.02 * found.information[-1].value), layer


# Out of reach


@pytest.mark.parametrize(
    ("budget", "constraints", "said"),
    [
        ({"total": 20e6}, {"include": ["stoke-jobs", "hull"]}, "The least that would do costs 42,000,000 pounds"),
        ({"total": 70e6}, {"floors": [{"region": "South East", "options": 1}]}, "1 option in South East"),
        ({"years": [[2026, 10e6]]}, {"at_least": 1}, "budget of 2026"),
    ],
)
def test_what_cannot_be_had_says_what_binds(budget, constraints, said):
    with pytest.raises(InfeasibleError, match=said) as caught:
        choose_portfolio(asked(budget, constraints=constraints))
    assert "\n" not in str(caught.value)


def test_the_least_budget_that_is_named_is_enough_and_a_pound_less_is_not():
    uneven = [
        each | {"cost": {"recurring": {"value": 1234567.89, "unit": "GBP"}, "price_base": 2025}} for each in ACTIONS
    ]
    rules = {"at_least": 2}
    with pytest.raises(InfeasibleError, match="The least that would do costs") as caught:
        choose_portfolio(asked({"total": 1e6, "discount_rate": 0.035}, constraints=rules, actions=uneven))
    least = int(re.search(r"costs ([\d,]+) pounds", str(caught.value))[1].replace(",", ""))
    choose_portfolio(asked({"total": float(least), "discount_rate": 0.035}, constraints=rules, actions=uneven))
    with pytest.raises(InfeasibleError):
        choose_portfolio(asked({"total": least - 1.0, "discount_rate": 0.035}, constraints=rules, actions=uneven))


def test_several_reasons_at_once_are_all_named():
    rules = {"floors": [{"region": name, "options": 1} for name in ("South East", "South West")]}
    with pytest.raises(InfeasibleError, match="No single one of them is the reason"):
        choose_portfolio(asked(constraints=rules))


def test_a_programme_without_an_answer_has_none():
    rules = Rules(("a", "b"), np.array([[1.0, 1.0], [-1.0, -1.0]]), np.array([0.5, -0.9]))
    assert solve(np.ones(2), 0.0, rules, 2) is None


SOLVES = """
import sys
import numpy as np
from gwm_models.evaluation.portfolio_programme import solve
from gwm_models.evaluation.portfolio_rules import Rules
for seed in range(12, 24):
    rng = np.random.default_rng(seed)
    cost, sizes = rng.uniform(20, 120, 12), np.array([0.25, 0.5, 0.75, 1.0])
    gain = cost * rng.normal(0.004, 0.002, 12)
    matrix = np.vstack([np.outer(cost, sizes).ravel() / 600, np.repeat(np.eye(12), 4, axis=1)])
    rules = Rules(tuple(f"r{i}" for i in range(13)), matrix, np.ones(13))
    found = solve(np.outer(gain, sizes).ravel(), 0.0, rules, 48)
    assert rules.hold(found.chosen[None])[0]
sys.stdout.write("done")
"""


def test_the_solver_prints_nothing_where_results_go():
    # Its own code prints a line for some of these programmes, at the latest when the process ends.
    environment = os.environ | {"PYTHONPATH": str(Path(gwm_models.__file__).resolve().parents[1])}
    done = subprocess.run([sys.executable, "-c", SOLVES], env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("done", 0), done.stderr


def test_the_same_seed_gives_the_same_answer_and_another_one_other_numbers():
    first, again = (summarise_portfolio(choose_portfolio(asked())) for _ in range(2))
    other = summarise_portfolio(choose_portfolio(asked(analysis={"draws": DRAWS, "seed": 4})))
    assert first == again
    assert first["options"] != other["options"]


# The folder and the command


def test_the_folder_holds_the_chosen_scenario_the_question_and_a_page(tmp_path):
    summary = write_portfolio(tmp_path / "out", usual(), command="gwm portfolio x")
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert {"portfolio.json", "scenario.yaml", "question.yaml", "report.html", "manifest.json", "frontier.csv"} <= names
    chosen = read_scenario(tmp_path / "out" / "scenario.yaml").scenario
    draws = measure_draws(project(chosen, variance=False), Measured(**TOTAL))
    assert draws.mean() == pytest.approx(summary["effect"][1]["estimate"], abs=1e-6)
    assert read_scenario(tmp_path / "out" / "question.yaml").scenario == usual().menu.scenario
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert (manifest["kind"], manifest["file"], manifest["seed"]) == ("portfolio", "question.yaml", 3)
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "the efficient frontier" in page and "What binds" in page


def ask(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["gwm", *map(str, words)])
    return run_command()


def test_the_command_prints_rows_and_leaves_with_2_where_nothing_can_be_chosen(tmp_path, monkeypatch, capfd):
    from gwm_models.report.run_folder import resolved_yaml

    file: Path = tmp_path / "portfolio.yaml"
    file.write_text(resolved_yaml(asked()), encoding="utf-8")
    assert ask(monkeypatch, "portfolio", file, "--out", tmp_path / "out", "--format", "json") == 0
    summary = json.loads(capfd.readouterr().out)
    assert summary["chosen"] == [usual().menu.label(j) for j in usual().choices]
    assert sum(row["cost"] for row in summary["years"]) == pytest.approx(summary["cost"]["estimate"])
    assert ask(monkeypatch, "portfolio", file, "--out", tmp_path / "out") == 0
    assert "chosen options are marked" in capfd.readouterr().out
    scenario = asked({"total": 1e6}, constraints={"at_least": 1})
    file.write_text(resolved_yaml(scenario), encoding="utf-8")
    assert ask(monkeypatch, "portfolio", file, "--out", tmp_path / "none") == 2
    told = capfd.readouterr()
    assert told.err.startswith("Out of reach") and told.err.count("\n") == 1
    assert not (tmp_path / "none").exists()


def test_an_option_by_file_carries_out_the_actions_of_that_file(tmp_path):
    from gwm_models.report.run_folder import resolved_yaml

    here = Path(__file__).parent / "files" / "ok" / "portfolio-file.yaml"
    scenario = read_scenario(here).scenario
    more = next(option for option in scenario.portfolio.options if option.id == "again")
    assert more.file is None and set(more.actions) == {"into-work", "better-jobs"}
    assert {each.id for each in scenario.actions} >= set(more.actions)
    (tmp_path / "again.yaml").write_text(resolved_yaml(scenario), encoding="utf-8")
    assert read_scenario(tmp_path / "again.yaml").scenario == scenario


def test_a_scenario_of_another_kind_is_no_portfolio():
    with pytest.raises(ModelError, match="is no portfolio"):
        choose_portfolio(asked().model_copy(update={"portfolio": None}))
