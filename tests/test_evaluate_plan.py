"""The evaluation block of a scenario on real figures: by hand from the tables, against the projection, and refusals."""

import csv
import json
from functools import cache

import numpy as np
import pytest

import gwm_models.evaluation as room
from gwm_models.errors import DataError, ModelError
from gwm_models.evaluation.answer import answer_plan, effect_rows, part_rows, summarise_plan
from gwm_models.evaluation.effect import Effect, PathRow, Words
from gwm_models.evaluation.neighbours import neighbour_pairs
from gwm_models.evaluation.plan import make_plan, predicted
from gwm_models.evaluation.plan_panel import measures_of, plan_matrix, yearly_series
from gwm_models.evaluation.plan_score import covered_share, score_rows
from gwm_models.evaluation.planned import evaluate_plan
from gwm_models.report.evaluation import check_evaluation_folder, write_evaluation
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.reader import read_scenario, shipped_scenarios

GM = "evaluate-greater-manchester-2015"
NORTH = "northern-participation-2026"
RATE = "economic_activity_rate_16_64"
LIFE = "life_expectancy_at_birth"
HEALTHY = "healthy_life_expectancy_at_birth"


@cache
def scenario(name=GM, design="did", outcomes=(RATE,), **plan):
    found = read_scenario(shipped_scenarios()[name]).scenario
    analysis = found.analysis.model_copy(update={"draws": 200})
    block = found.evaluation.model_copy(update={"design": design, "outcomes": outcomes, **plan})
    return found.model_copy(update={"analysis": analysis, "evaluation": block})


def on_everyone(found):
    target = found.actions[0].target.model_copy(update={"areas": None, "everyone": True})
    return found.model_copy(update={"actions": (found.actions[0].model_copy(update={"target": target}),)})


def rates_from_the_file(home):
    """Return economic activity by unit and calendar year, read without the toolkit."""
    found = {}
    with (home / "indicators.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            year, _, end = row["period"].partition("-01/")
            if row["variable"] == RATE and end == f"{year}-12":
                found.setdefault(row["unit_code"], {})[int(year)] = float(row["value"])
    with (home / "areas.csv").open(encoding="utf-8") as file:
        units = {row["unit_code"]: row["area_name"] for row in csv.DictReader(file)}
    return {unit: found[unit] for unit in units if unit in found}, units


# The estimate


def test_difference_in_differences_of_the_plan_is_that_of_the_tables_by_hand(shipped):
    rates, names = rates_from_the_file(shipped.data)
    found = evaluate_plan(scenario()).results[0].effect
    before, after = range(2004, 2015), range(2015, 2021)
    treated = {code for code, name in names.items() if name in found.treated}
    near = {b for pair in neighbour_pairs() for a, b in (pair, pair[::-1]) if a in treated} - treated
    whole = [code for code in rates if {*before, *after} <= rates[code].keys()]
    donors = [code for code in whole if code not in treated | near]
    assert len(treated) == 10 and near and found.sample["donors"] == len(donors)

    def rise(code):
        return np.mean([rates[code][year] for year in after]) - np.mean([rates[code][year] for year in before])

    by_hand = np.mean([rise(code) for code in treated]) - np.mean([rise(code) for code in donors])
    assert found.att == pytest.approx(by_hand, abs=1e-10)
    assert found.start == 2015 and found.level == 0.9


def test_neighbours_are_donors_where_the_plan_lets_them(shipped):
    found = evaluate_plan(scenario(donors=None)).results[0].effect
    apart = evaluate_plan(scenario()).results[0].effect
    assert found.sample["donors"] > apart.sample["donors"]
    assert {"Leeds", "Kirklees", "Derbyshire"} & set(found.weights)


@pytest.mark.parametrize("design", ["synthetic_control", "synthetic_did", "interrupted_series"])
def test_every_design_of_a_scenario_runs_on_real_figures(design):
    found = evaluate_plan(scenario(design=design)).results[0]
    assert found.status == "estimated" and np.isfinite(found.effect.att)
    assert len(found.effect.treated) == 10
    assert found.score[-1]["time"] == "all"


def test_a_window_of_three_years_that_holds_years_of_both_sides_is_on_neither():
    series = yearly_series(measures_of("life_expectancy_at_birth")[0], ("E08000001", "E08000003"))
    before, after = series.split((2001, 2014), 2015, 2020)
    names = np.array(series.period)
    assert names[before].tolist()[-1] == "2012-14"
    assert names[after].tolist() == ["2015-17", "2016-18"]
    assert not {"2013-15", "2014-16"} & set(names[before | after])
    assert series.names()[2016] == "2015-17"


def test_years_to_another_month_are_left_out_where_calendar_years_are_more_frequent():
    series = yearly_series(measures_of(RATE)[0], ("E08000001",))
    assert set(series.first) == set(range(2004, 2024)) and series.first == series.last
    assert series.names()[2010] == "2010"


def test_a_measure_is_made_for_each_sex_and_an_unknown_variable_is_refused():
    assert [each.id for each in measures_of(HEALTHY)] == [f"{HEALTHY}_female", f"{HEALTHY}_male"]
    assert [each.id for each in measures_of(RATE)] == [RATE]
    with pytest.raises(DataError, match="'sunshine' has no figures by unit and period"):
        measures_of("sunshine")


def test_gaps_of_the_treated_cost_times_and_gaps_of_others_cost_units():
    series = yearly_series(measures_of(RATE)[0], ("E08000001", "E08000002", "E08000003", "E08000004"))
    value = series.value[:, :6].copy()
    value[0, 1] = value[2, 3] = np.nan
    value[3, :5] = np.nan
    made = type(series)(
        series.measure, series.unit, series.period[:6], series.first[:6], series.last[:6], series.year[:6], value
    )
    matrix, treated = plan_matrix(made, np.ones(6, dtype=bool), ["E08000001", "E08000004"])
    assert treated == ("E08000001",)
    assert matrix.time == (2004, 2006, 2007, 2008, 2009)
    assert matrix.unit == ("E08000001", "E08000002")
    said = " ".join(matrix.excluded)
    assert "Oldham: treated, without most figures" in said and "2005: no figure for a treated unit" in said
    assert "1 unit with gaps (Manchester)" in said
    with pytest.raises(ModelError, match="no treated unit has figures"):
        plan_matrix(made, np.ones(6, dtype=bool), ["E08000004"])


@pytest.mark.slow
def test_one_set_of_weights_serves_all_outcomes():
    found = evaluate_plan(scenario(design="synthetic_control", outcomes=(LIFE,)), common_weights=True)
    women, men = (each.effect for each in found.estimated)
    assert women.weights == men.weights and women.att != men.att


def test_common_weights_are_those_of_synthetic_control_and_of_the_same_times():
    with pytest.raises(ModelError, match="the design is did"):
        evaluate_plan(scenario(), common_weights=True)
    with pytest.raises(ModelError, match="outcomes of the same times"):
        evaluate_plan(scenario(design="synthetic_control", outcomes=(RATE, LIFE)), common_weights=True)


# The projection made before


def test_what_is_predicted_is_what_the_engine_projects_for_the_mean_of_the_treated():
    plan = make_plan(scenario())
    draws = predicted(plan, plan.measures[0], plan.treated, [2015, 2016, 2017, 2020])
    whole = project(scenario().model_copy(update={"evaluation": None}), variance=False)
    assert draws[3] == pytest.approx(whole.level_change[:, whole.treated, 0].mean(axis=1), abs=1e-12)
    assert not draws[0].any()
    assert draws[1] == pytest.approx(0.5 * draws[2], abs=1e-12)


def test_a_plan_of_the_past_is_read_without_a_warning_and_says_from_which_levels_it_projects():
    assert read_scenario(shipped_scenarios()[GM]).warnings == ()
    assert "starts from levels of 2018, though the action starts in 2015" in make_plan(scenario()).notes[0]
    assert make_plan(scenario(NORTH)).notes == ()


def test_health_is_predicted_as_the_mean_over_the_years_of_each_window():
    found = evaluate_plan(scenario(outcomes=(HEALTHY,)))
    plan, score = found.plan, found.results[0].score
    yearly = predicted(plan, found.results[0].measure, plan.treated, range(2015, 2021)).mean(axis=1)
    rows = [row["predicted"] for row in score]
    assert rows[:-1] == pytest.approx([yearly[k : k + 3].mean() for k in range(4)], abs=1e-10)
    assert rows[-1] == pytest.approx(np.mean(rows[:-1]), abs=1e-10)


def test_an_outcome_that_the_engine_does_not_know_has_no_score_and_says_so():
    found = summarise_plan(answer_plan(scenario(outcomes=("employment_rate_16_64",))))
    assert found["results"][0]["score"] == []
    assert "predicts nothing for this outcome" in found["results"][0]["score_words"]


def an_effect(**parts):
    path = (PathRow(1, 5.0, 5.0, 0.0, post=False), PathRow(2, 6.0, 5.0, 1.0, 0.0, 2.0), PathRow(3, 8.0, 5.0, 3.0))
    head = {"method": "did", "outcome": "rate", "treated": ("A",), "start": 2, "att": 2.0, "std_error": None}
    ends = {"lower": 1.0, "upper": 3.0, "level": 0.9, "p_value": None, "interval": "", "valid": True, "valid_why": ""}
    return Effect(**(head | ends | {"path": path, "words": Words("", "", "")} | parts))


def test_a_score_by_hand():
    """Predicted 0 to 2 evenly at the first time, 3.5 at the second; estimated 1 (0 to 2), 3, and 2 (1 to 3) in all."""
    rows = score_rows(an_effect(), np.array([np.linspace(0, 2, 101), np.full(101, 3.5)]))
    first, second, whole = rows
    assert [row["time"] for row in rows] == [2, 3, "all"]
    assert (first["predicted"], first["difference"]) == pytest.approx((1.0, 0.0))
    assert first["predicted_lower"] == pytest.approx(0.1) and first["z"] == pytest.approx(0)
    assert first["estimate_in_prediction"] and first["prediction_in_interval"] and first["covered"]
    assert second["z"] is None and second["covered"] is None and not second["estimate_in_prediction"]
    spread = np.linspace(0, 1, 101).std()
    assert whole["predicted"] == pytest.approx(2.25) and whole["difference"] == pytest.approx(-0.25)
    assert whole["z"] == pytest.approx(-0.25 / np.hypot(1 / 1.6448536, spread), rel=1e-6)
    assert covered_share(rows) == (1, 1)
    with pytest.raises(ValueError, match="predicted has 1 times; expected 2"):
        score_rows(an_effect(), np.ones((1, 5)))


@pytest.mark.parametrize(
    ("lower", "upper", "at", "words"),
    [
        (-1.0, 5.0, 2.2, "agrees with it and with no effect"),
        (1.0, 3.0, 2.2, "agrees with it, and not with no effect"),
        (-1.0, 5.0, 9.0, "speaks against it and agrees with no effect"),
        (1.0, 3.0, 9.0, "agrees neither with it nor with no effect"),
        (None, None, 2.0, "without an interval"),
    ],
)
def test_the_words_of_a_score_say_what_the_estimate_agrees_with(lower, upper, at, words):
    from gwm_models.evaluation.answer_words import score_words

    effect = an_effect(lower=lower, upper=upper)
    assert words in score_words(effect, score_rows(effect, np.full((2, 50), at)), "points")


# Before there are figures, and rehearsals


def test_without_figures_after_the_start_the_plan_is_rehearsed_and_its_power_measured():
    found = answer_plan(scenario(NORTH))
    summary = summarise_plan(found)
    assert [row["status"] for row in summary["results"]] == ["no_data_after_start", "estimated"]
    assert [row["rehearsal"] for row in summary["results"]] == [False, True]
    assert "figures end with 2023, and the action starts in 2026" in summary["headline"]
    assert "with 80% power" in summary["more"][0]
    assert found.rehearsal.plan.start == 2021 and summary["power"][0]["n_treated"] == 20
    assert "worst of a random two thirds" in summary["power"][0]["chosen"]
    json.dumps(summary, allow_nan=False)


def test_a_rehearsal_moves_the_whole_plan_back_and_keeps_its_projection():
    found = evaluate_plan(scenario(NORTH), as_if_start=2016)
    plan = found.plan
    assert (plan.start, plan.before, plan.end, plan.shift) == (2016, (2002, 2015), 2025, 10)
    score = found.results[0].score
    assert [row["time"] for row in score] == [*range(2016, 2024), "all"]
    true = make_plan(scenario(NORTH))
    later = predicted(true, true.measures[0], true.treated, [2029]).mean()
    assert score[3]["predicted"] == pytest.approx(later, rel=1e-9)
    summary = summarise_plan(answer_plan(scenario(NORTH), as_if_start=2016))
    assert summary["rehearsal"] and summary["results"][0]["headline"].startswith("Rehearsal: nothing of the kind")


def test_a_rehearsal_must_be_of_the_past_and_of_years_with_figures():
    with pytest.raises(DataError, match=r"before the action does, in 2026; asked for 2026"):
        evaluate_plan(scenario(NORTH), as_if_start=2026)
    found = evaluate_plan(scenario(NORTH), as_if_start=1950).results[0]
    assert found.status == "refused" and "no figure lies between 1936 and 1949" in found.why


def test_a_scenario_without_a_plan_or_an_action_is_refused():
    whole = scenario()
    with pytest.raises(DataError, match=r"has no evaluation block\. Add one, such as"):
        evaluate_plan(whole.model_copy(update={"evaluation": None}))
    with pytest.raises(DataError, match="has no action"):
        evaluate_plan(whole.model_copy(update={"actions": ()}))


def test_where_everyone_is_treated_no_donor_is_left_but_a_series_can_be_evaluated():
    found = evaluate_plan(on_everyone(scenario())).results[0]
    assert found.status == "refused" and "no donor is left" in found.why
    series = evaluate_plan(on_everyone(scenario(design="interrupted_series"))).results[0]
    assert series.status == "estimated"


# Folder, names and the same again


def test_the_folder_of_an_evaluation_holds_all_parts_and_a_page_and_no_other_folder_is_touched(tmp_path):
    from gwm_models.errors import OutputError

    asked = scenario(outcomes=(HEALTHY,)).model_copy(update={"title": "Is 1 < 2 & <b>so</b>?"})
    summary = summarise_plan(answer_plan(asked))
    write_evaluation(tmp_path / "out", summary, command="gwm evaluate x", scenario=asked)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"effects.csv", "path.csv", "placebo.csv", "checks.csv", "score.csv", "weights.csv"} <= names
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "Is 1 &lt; 2 &amp; &lt;b&gt;so&lt;/b&gt;?" in page and "<b>so</b>" not in page
    assert "It cannot say" in page and "Observed and counterfactual" in page
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert manifest["kind"] == "evaluation" and manifest["seed"] == 20260101
    rows = list(csv.DictReader((tmp_path / "out" / "effects.csv").read_text("utf-8").splitlines()))
    assert [row["outcome"] for row in rows] == [f"{HEALTHY}_female", f"{HEALTHY}_male"]
    assert float(rows[0]["estimate"]) == pytest.approx(summary["results"][0]["effect"]["att"])
    assert len(part_rows(summary, "score")) == 10
    assert [row["level"] for row in effect_rows(summary)] == [0.9, 0.9]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(OutputError, match="is not just an evaluation"):
        check_evaluation_folder(tmp_path / "mine")


def test_the_same_scenario_gives_the_same_bytes():
    once, twice = (json.dumps(summarise_plan(answer_plan(scenario(design="synthetic_did")))) for _ in range(2))
    assert once == twice


def test_the_room_offers_its_functions_under_their_names_whatever_was_imported_before():
    import gwm_models

    for name in room.__all__:
        assert callable(getattr(room, name)) and getattr(room, name).__doc__
        assert f"`{name}`" in room.__doc__, name
    for name in ("synthetic_control", "event_study", "staggered", "interrupted_series", "Effect", "evaluate_plan"):
        assert getattr(gwm_models, name) is getattr(room, name)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = room.nothing


def test_charts_draw_every_time_the_start_and_the_treated_among_placebos():
    from gwm_models.plots.evaluation import path_charts, placebo_chart, power_chart

    result = summarise_plan(answer_plan(scenario()))["results"][0]
    levels, gap = path_charts(result)
    assert [row["time"] for row in levels["data"]["values"]] == list(range(2004, 2021))
    lines = [layer for layer in levels["layer"] if isinstance(layer["mark"], dict) and layer["mark"]["type"] == "line"]
    assert [layer["encoding"]["y"]["field"] for layer in lines] == ["counterfactual", "observed"]
    assert all(layer["encoding"]["x"] == {"field": "time"} for layer in lines)
    assert {"datum": 2014.5} in [layer["encoding"]["x"] for layer in levels["layer"] + gap["layer"]]
    first = gap["data"]["values"][-1]
    assert first["lower"] < first["effect"] < first["upper"]
    dots = placebo_chart(result)[0]["data"]["values"]
    assert [dot["kind"] for dot in dots].count("treated") == 1 and len(dots) > 200
    assert power_chart({"curve": []}) == []
    effect = result["effect"]
    without = {**result, "effect": {**effect, "placebo": [], "path": [{**effect["path"][0], "counterfactual": None}]}}
    assert placebo_chart(without) == [] and len(path_charts(without)) == 1
