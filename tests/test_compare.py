"""Comparisons of scenarios: by hand on small arrays, laws over random ones, and as a user meets them."""

import csv
import json
import os
import subprocess
import sys
from functools import partial

import made_scenario
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gwm_models.data.edition import load_edition
from gwm_models.errors import DataError, ModelError
from gwm_models.report.comparison import comparison_html, summarise_comparison
from gwm_models.scenarios.compare import compare, unique_labels
from gwm_models.scenarios.compare_rows import headline, league_rows, pair_rows, verdict
from gwm_models.scenarios.compare_terms import parse_measure, same_terms
from gwm_models.scenarios.league import SURE, standings
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.spec import Measured

DRAWS = 200
HEALTH = "healthy_life_expectancy_male"
VALUES = arrays(
    float,
    st.tuples(st.integers(2, 6), st.integers(1, 40)),
    elements=st.floats(-1e3, 1e3, allow_nan=False).map(lambda value: round(value, 2)),
)


def action(name="participation", size=2.0, spread=1.0, **changes):
    base = {
        "id": name,
        "indicator": "economic_activity_rate",
        "change": {"kind": "absolute", "value": size, "unit": "pp"},
        "uncertainty": {"low": size - spread, "high": size + spread},
        "target": {"worst": {"by": "total", "n": 10}},
        "phasing": {"start": 2026, "full_by": 2028},
    }
    return base | changes


scenario = partial(made_scenario.scenario, name="made-up", draws=DRAWS)


DRIVE = scenario(action(), name="drive")
MORE = scenario(
    action(),
    action(
        "jobs",
        indicator="professional_share",
        uncertainty=None,
        change={"kind": "absolute", "value": 1.0, "unit": "pp"},
    ),
    name="more",
)


@pytest.fixture(scope="module")
def drive_and_more():
    return compare([DRIVE, MORE])


def total(comparison):
    return next(league for league in comparison.leagues if league.measured.quantity == "total")


# Standings: by hand and by law


def test_probabilities_regret_and_ranks_of_three_options_in_four_draws_by_hand():
    found = standings(np.array([[3.0, 1, 2, 5], [1, 1, 4, 4], [0, 0, 0, 0]]), level=0.5)
    # First against second: better in draws 1 and 4, a tie in draw 2, worse in draw 3.
    assert found.prob_better[0].tolist() == [0.5, 0.625, 1.0]
    assert found.prob_better[1].tolist() == [0.375, 0.5, 1.0]
    assert found.prob_same[0].tolist() == [1.0, 0.25, 0.0]
    assert found.prob_best.tolist() == [0.625, 0.375, 0.0]
    # Best of each draw: 3, 1, 4, 5.
    assert found.expected_regret.tolist() == [0.5, 0.75, 3.25]
    assert found.expected_rank.tolist() == [1.375, 1.625, 3.0]
    # Worst ranks of the first, where a tie may come second: 1, 2, 2, 1.
    assert found.rank_lower.tolist() == [1, 1, 3] and found.rank_upper.tolist() == [2, 2, 3]
    assert found.leader == 0 and found.winner is None


def test_rounding_is_no_difference():
    values = np.random.default_rng(1).normal(size=(1, 500))
    found = standings(np.concatenate([values, values * (1 + 1e-13)]))
    assert (found.prob_same == 1).all() and found.winner is None
    assert found.prob_best.tolist() == [0.5, 0.5] and not found.expected_regret.any()


@given(VALUES)
def test_chances_of_being_best_sum_to_one_and_pairs_to_one(values):
    found = standings(values)
    assert found.prob_best.sum() == pytest.approx(1)
    assert found.prob_better + found.prob_better.T == pytest.approx(np.ones_like(found.prob_better))
    assert found.expected_rank.sum() == pytest.approx(len(values) * (len(values) + 1) / 2)
    assert (found.rank_lower >= 1).all() and (found.rank_upper <= len(values)).all()
    assert (found.rank_lower <= found.rank_upper).all()


@given(VALUES)
def test_the_leader_has_the_best_mean_and_regret_is_its_shortfall(values):
    found = standings(values)
    best = values.max(axis=0).mean()
    assert found.expected_regret == pytest.approx(best - values.mean(axis=1), abs=1e-5)
    assert values[found.leader].mean() >= values.mean(axis=1).max() - 1e-5
    assert found.level_with_leader[found.leader]


@given(VALUES, st.integers(0, 5), st.sampled_from([0.0, 300.0, 900.0, 2100.0]))
def test_a_winner_is_told_apart_from_every_other_and_beats_them_all_at_once(values, place, more):
    place %= len(values)
    values[place] += more
    found = standings(np.repeat(values, 60, axis=1))
    own = np.delete(values, place, axis=0)
    if more > 2000:  # all values lie within 2,000 of each other
        assert (found.winner, found.leader) == (place, place) and found.level_with_leader.sum() == 1
        assert (np.delete(found.prob_better[place], place) == 1).all() and found.prob_best[place] == 1
    elif found.winner == place:
        assert found.leader == place and (values[place] > own).all(axis=0).mean() >= SURE
        assert (np.delete(found.prob_better[place], place) >= SURE).all()
    else:
        assert not (values[place] > own + 1e-6).all()


@given(VALUES, st.integers(0, 5))
def test_an_option_and_its_copy_never_win(values, place):
    copied = np.concatenate([values, values[[place % len(values)]]])
    found = standings(np.repeat(copied, 30, axis=1))
    assert found.winner not in (place % len(values), len(values))


@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_the_options_changes_nothing(values, random):
    order = list(range(len(values)))
    random.shuffle(order)
    first, again = standings(values), standings(values[order])
    assert again.prob_best == pytest.approx(first.prob_best[order])
    assert again.expected_regret == pytest.approx(first.expected_regret[order])
    assert again.prob_better == pytest.approx(first.prob_better[np.ix_(order, order)])


def test_a_probability_of_95_percent_needs_enough_draws_to_be_sure():
    def lead(n, worse):
        values = np.zeros((2, n))
        values[0] = 1.0
        values[0, :worse] = -1.0
        return standings(values).winner

    assert lead(100, 0) == 0 and lead(20, 0) is None
    assert lead(200, 8) is None  # 96% of 200 draws: 93% is not ruled out.
    assert lead(20_000, 800) == 0


def test_many_equal_options_have_no_winner_however_many_there_are():
    values = np.random.default_rng(5).normal(size=(50, 4000))
    found = standings(values)
    assert found.winner is None and found.level_with_leader.all()
    assert found.prob_best.max() < 0.05


# Comparisons of scenarios


def test_a_scenario_with_an_extra_good_action_wins(drive_and_more):
    league = total(drive_and_more)
    assert verdict(league, drive_and_more.labels) == (
        "more is best: the probability that it is better than all others at once is over 99%."
    )
    assert drive_and_more.labels == ("drive", "more", "nothing") and drive_and_more.reference == 2
    rows = [row for row in league_rows(drive_and_more) if row["measure"] == "total@all areas:difference"]
    assert [row["scenario"] for row in rows] == ["more", "drive", "nothing"]
    assert rows[0]["winner"] and rows[0]["expected_regret"] == 0


def test_values_are_those_of_each_scenario_projected_alone(drive_and_more):
    for place, alone in enumerate((DRIVE, MORE)):
        change = project(alone, variance=False).change.mean(axis=1)
        assert np.array_equal(total(drive_and_more).values[place], change)
    assert not total(drive_and_more).values[2].any()


def test_a_pair_is_compared_within_draws(drive_and_more):
    rows = pair_rows(drive_and_more)
    row = next(row for row in rows if row["measure"].startswith("total@all") and row["other"] == "more")
    apart = total(drive_and_more).values[0] - total(drive_and_more).values[1]
    assert row["estimate"] == pytest.approx(apart.mean(), abs=1e-6) and row["prob_better"] == (apart > 0).mean()
    assert len(rows) == 3 * len(drive_and_more.leagues)


@settings(max_examples=5, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(-3, 3).map(lambda size: round(size, 1)), st.integers(0, 2**31), st.integers(2, 4))
def test_identical_files_never_have_a_winner(size, seed, copies):
    one = scenario(action(size=size)).model_copy(update={"analysis": DRIVE.analysis.model_copy(update={"seed": seed})})
    found = compare([one] * copies)
    assert found.labels[:2] == ("made-up", "made-up (2)")
    for league in found.leagues:
        assert league.standings.winner in (None, copies)  # the last is the one in which nothing is done
        assert (league.standings.prob_same[:copies, :copies] == 1).all()


def test_files_that_all_do_nothing_are_the_same():
    found = compare([scenario(name="a"), scenario(name="b")])
    assert found.labels == ("a", "b") and found.reference == 0
    assert {verdict(league, found.labels) for league in found.leagues} == {"All are the same in every draw."}
    assert headline(found).startswith("No scenario can be named as the best on any of the ")


def test_a_file_without_actions_is_the_reference_whatever_health_rules_it_has():
    still = scenario(name="still", health=[])
    found = compare([DRIVE, still], measures=[Measured(quantity=HEALTH, group="all areas")])
    assert found.labels == ("drive", "still") and found.reference == 1
    assert not found.leagues[0].values[1].any() and found.leagues[0].values[0].any()


def test_the_level_reached_without_actions_is_that_of_the_baseline():
    measured = Measured(quantity="gap_10_10", group="all areas", state="scenario")
    found = compare([DRIVE], measures=[measured])
    alone = project(scenario(name="still"), variance=False)
    ordered = np.sort(alone.total_before, axis=1)
    assert found.labels == ("drive", "nothing")
    assert np.allclose(found.leagues[0].values[1], ordered[:, -12:].mean(axis=1) - ordered[:, :12].mean(axis=1))


def test_a_worse_scenario_loses_to_doing_nothing():
    found = compare([scenario(action(size=-3.0), name="cut")])
    league = total(found)
    assert found.labels[league.standings.winner] == "nothing"


def test_target_areas_are_measured_only_where_they_are_the_same(drive_and_more):
    assert any(league.measured.group == "target areas" for league in drive_and_more.leagues)
    other = scenario(action(target={"regions": ["South East"]}), name="south")
    assert all(league.measured.group == "all areas" for league in compare([DRIVE, other]).leagues)
    with pytest.raises(DataError, match="reach different areas, so total of the target areas is not one measure"):
        compare([DRIVE, other], measures=[Measured(quantity="total")])


def test_health_under_different_links_is_left_out_and_refused_where_asked_for():
    link = {"outcome": HEALTH, "link": "between", "lag": {"years": 2, "build_up": 5}}
    other = scenario(action(), name="other", health=[link])
    found = compare([DRIVE, other])
    assert all(not league.measured.quantity.startswith("healthy") for league in found.leagues)
    assert any(
        note.startswith(f"{HEALTH} is not compared") and "between, lag 2 + 5 years in other" in note
        for note in found.notes
    )
    with pytest.raises(DataError, match=f"link {HEALTH} in different ways"):
        compare([DRIVE, other], measures=[Measured(quantity=HEALTH, group="all areas")])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"analysis": {"draws": 300, "seed": 1}},
            r"number of draws \(200 in drive, 300 in other\).*Give one with --draws",
        ),
        ({"analysis": {"draws": DRAWS, "seed": 2}}, r"seed \(1 in drive, 2 in other\).*--seed"),
        ({"horizon": {"start": 2026, "end": 2031}}, r"last year \(2030 in drive, 2031 in other\).*--year"),
        ({"baseline": {"edition": "open-2021"}}, "edition"),
        ({"baseline": {"edition": "monitor-2021", "counterfactual": "trend"}}, "counterfactual.*--counterfactual"),
    ],
)
def test_scenarios_on_different_terms_are_refused_by_name(changes, words):
    with pytest.raises(DataError, match=words):
        compare([DRIVE, scenario(action(), name="other", **changes)])


def test_terms_that_are_given_hold_for_all():
    other = scenario(
        action(cost={"recurring": {"value": 5, "unit": "GBP_per_area", "years": [2026, 2032]}, "price_base": 2025}),
        name="other",
        horizon={"start": 2026, "end": 2032},
        analysis={"draws": 300, "seed": 2},
    )
    alike = same_terms([DRIVE, other], ["drive", "other"], draws=100, seed=9, year=2029)
    assert {(s.analysis.draws, s.analysis.seed, s.horizon.end) for s in alike} == {(100, 9, 2029)}
    assert alike[1].actions[0].cost.recurring.years == (2026, 2029)
    with pytest.raises(DataError, match="drive runs from 2026 to 2030, so it has no 2031"):
        same_terms([DRIVE, other], ["drive", "other"], year=2031, draws=100, seed=9)


def test_a_year_on_the_way_gives_what_the_shorter_scenario_gives():
    longer = scenario(action(), name="longer", horizon={"start": 2026, "end": 2034})
    found = compare([DRIVE, longer], year=2030)
    assert np.array_equal(total(found).values[0], total(found).values[1])


def test_a_year_before_a_change_is_whole_gives_the_part_that_is_there():
    slow = scenario(action(phasing={"start": 2026, "full_by": 2034}), name="slow", horizon={"start": 2026, "end": 2034})
    found = compare([slow], year=2029)
    assert found.year == 2029
    whole = project(slow, variance=False)
    assert total(found).values[0] == pytest.approx(whole.history["All areas"][3], abs=1e-9)


def test_doing_nothing_follows_the_trend_where_the_files_do():
    baseline = {"edition": "monitor-2021", "counterfactual": "trend"}
    level = Measured(quantity="total", group="all areas", state="scenario")
    found = compare([scenario(action(), baseline=baseline)], measures=[level])
    alone = project(scenario(name="still", baseline=baseline), variance=False)
    assert found.leagues[0].values[1] == pytest.approx(alone.total_before.mean(axis=1))
    held = compare([scenario(action(), baseline=baseline)], measures=[level], counterfactual="held")
    still = project(scenario(name="still"), variance=False)
    assert held.leagues[0].values[1] == pytest.approx(still.total_before.mean(axis=1))
    assert not np.allclose(held.leagues[0].values[1], found.leagues[0].values[1])


def test_goals_and_sweeps_are_sent_to_their_command():
    goal = scenario(
        action(),
        name="goal",
        kind="goal",
        goal={
            "vary": {"path": "actions.participation.change.value", "low": 0, "high": 9},
            "measure": {"quantity": "total"},
            "at_least": 1,
        },
    )
    with pytest.raises(DataError, match=r"goal is a goal, not a scenario\. Run gwm goal on it"):
        compare([goal])


def test_costs_stand_beside_and_missing_ones_are_named():
    cost = {"fixed": {"value": 1000.0, "unit": "GBP_per_area"}, "price_base": 2025}
    found = compare([scenario(action(cost=cost), name="paid"), DRIVE])
    assert [(row["scenario"], row["estimate"], row["price_base"]) for row in found.costs] == [("paid", 10_000.0, 2025)]
    assert "Some actions have no cost (drive), so costs are not those of the whole." in found.notes


def test_a_measure_without_a_value_in_most_draws_is_refused():
    percent = Measured(quantity="total", group="all areas", state="percent_change")
    assert compare([DRIVE], measures=[percent]).leagues[0].values.shape == (2, DRAWS)
    found = pytest.MonkeyPatch()
    with found.context() as patch:
        patch.setattr("gwm_models.scenarios.compare.measure_draws", lambda projection, measured: np.full(DRAWS, np.nan))
        with pytest.raises(ModelError, match="in only 0 of 200 draws"):
            compare([DRIVE], measures=[percent])


def test_labels_are_never_the_same():
    assert unique_labels(["a", "b", "a", "a"]) == ("a", "b", "a (2)", "a (3)")
    named = scenario(action(), name="nothing")
    assert compare([named]).labels == ("nothing", "no action")


def test_measures_are_read_from_the_command_line():
    edition = load_edition()
    assert parse_measure("total", edition) == Measured(quantity="total", group="all areas")
    assert parse_measure(" total @ north east : percent_change", edition) == Measured(
        quantity="total", group="north east", state="percent_change"
    )
    assert parse_measure("rank@Bristol, City of", edition).group == "Bristol, City of"
    for text, words in (
        ("totl", "unknown quantity 'totl' .did you mean 'total'"),
        ("total@Nort East", "unknown group 'Nort East' .did you mean 'North East'"),
        ("gap_10_10@North East", "gap_10_10 is over all areas and has no group"),
        ("sii@Leeds:percent_change", "sii is over all areas and has no group"),
        ("total:diference", "unknown state 'diference' .did you mean 'difference'"),
    ):
        with pytest.raises(DataError, match=words):
            parse_measure(text, edition)


# The page and the command


def test_the_page_tells_every_verdict_and_escapes_words(drive_and_more):
    summary = summarise_comparison(drive_and_more)
    summary["scenarios"][0]["title"] = "<script>alert(1)</script>"
    made = {"command": "gwm compare", "toolkit_version": "0", "created": "", "data_sha256": "", "code_sha256": ""}
    page = comparison_html(summary, made)
    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page
    assert all(text in page for text in summary["verdict_titles"])
    assert page.count('class="chart"') == len(drive_and_more.leagues)
    assert "http://" not in page.split("</style>")[0]


def test_the_pairs_of_many_scenarios_are_left_to_their_table(drive_and_more):
    made = {"command": "", "toolkit_version": "0", "created": "", "data_sha256": "", "code_sha256": ""}
    assert "Every pair" in comparison_html(summarise_comparison(drive_and_more), made)
    measured = [Measured(quantity="total", group="all areas")]
    many = summarise_comparison(compare([DRIVE] * 12, measures=measured))
    page = comparison_html(many, made)
    assert "Every pair" not in page and "The pairs of so many scenarios are in pairs.csv." in page
    assert len(many["pairs"]) == 13 * 12 / 2


def gwm(*words, cwd=None, check=0):
    environment = os.environ | {"COLUMNS": "200", "PYTHONPATH": os.pathsep.join(sys.path)}
    start = "from gwm_models.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", start, *map(str, words)], capture_output=True, text=True, cwd=cwd, env=environment
    )
    assert done.returncode == check, done.stderr
    return done


def test_the_command_prints_a_league_and_writes_its_folder(tmp_path):
    words = ("compare", "northern-participation-2026", "professional-jobs-gap", "--draws", "200")
    done = gwm(*words, cwd=tmp_path)
    folder = tmp_path / "results/runs/compare-northern-participation-2026-and-professional-jobs-gap"
    assert "P(best)" in done.stdout and "No winner: professional-jobs-gap leads" in done.stdout
    assert sorted(path.name for path in folder.iterdir()) == [
        "areas.csv",
        "comparison.json",
        "costs.csv",
        "league.csv",
        "manifest.json",
        "pairs.csv",
        "report.html",
    ]
    kept = json.loads((folder / "comparison.json").read_text())
    assert [one["id"] for one in kept["scenarios_as_run"]] == ["northern-participation-2026", "professional-jobs-gap"]
    with (folder / "league.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(float(row["prob_best"]) for row in rows if row["measure"].startswith("total")) == pytest.approx(1)
    again = gwm(*words, "--format", "json", cwd=tmp_path)
    assert json.loads(again.stdout)["league"] == kept["league"]


def test_wrong_words_are_one_line_and_nothing_is_written(tmp_path):
    done = gwm("compare", "nothing", "--measure", "totl", cwd=tmp_path, check=1)
    assert done.stderr.count("\n") == 1 and "did you mean 'total'" in done.stderr
    done = gwm("compare", "nothing", "no-such", "nor-such", cwd=tmp_path, check=1)
    assert done.stderr.count("\n") == 2 and "no-such" in done.stderr and "nor-such" in done.stderr
    done = gwm("compare", "nothing", cwd=tmp_path, check=1)
    assert "nothing does nothing, so there is nothing to hold it against" in done.stderr
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("mine")
    done = gwm("compare", "nothing", "--out", "mine", cwd=tmp_path, check=1)
    assert "is not just a comparison: it holds thesis.txt" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


FIFTY = """
import resource, sys
from gwm_models.scenarios.compare import compare
from tests.test_compare import action, scenario
analysis = {"draws": 10_000, "seed": 3}
horizon = {"start": 2026, "end": 2040}
files = [
    scenario(action(f"a{i}", size=0.0, spread=2.0), name=f"s{i}", analysis=analysis, horizon=horizon)
    for i in range(50)
]
found = compare(files)
for league in found.leagues:
    assert league.standings.winner is None and league.standings.level_with_leader.all(), league.label
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
assert peak < 1, peak
"""


@pytest.mark.slow
def test_fifty_scenarios_that_expect_nothing_have_no_winner_and_stay_under_their_memory(checkout):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (checkout, checkout / "tests")))}
    done = subprocess.run([sys.executable, "-c", FIFTY], capture_output=True, text=True, cwd=checkout, env=environment)
    assert done.returncode == 0, done.stderr
