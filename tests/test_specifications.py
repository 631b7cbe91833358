"""Linear specifications of the shipped outcomes against known answers, explicit matrices and their own promises."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from gwm_models.data.edition import load_edition, published_std_error, unit_values
from gwm_models.errors import ModelError
from gwm_models.models.cross_section import cross_section
from gwm_models.models.fit import wald
from gwm_models.models.linear.choices import COVARIATES, Choice, frame_of
from gwm_models.models.linear.meta import spread_between
from gwm_models.models.linear.specs import CHOICES, SPECS, fit_choice, specification_table, table_row
from gwm_models.models.outcomes import OUTCOMES, TOPICS, find_outcome
from gwm_models.plots.specification import specification_curve
from gwm_models.plots.theme import colour

MALE, FEMALE = "healthy_life_expectancy_male", "healthy_life_expectancy_female"
CAUSAL = re.compile(r"\b(effects?|impacts?|leads? to|caus\w+|because of)\b", re.IGNORECASE)
LEVELS = [outcome for outcome in OUTCOMES if outcome.kind == "level"]


@pytest.fixture(scope="module")
def edition():
    return load_edition()


def fit(edition, name, spec):
    outcome = find_outcome(name)
    return {s.id: s for s in SPECS if s.applies(outcome)}[spec].make(edition, outcome, n_draws=10, seed=1)


@pytest.fixture(scope="module")
def tables(edition):
    return {name: specification_table(edition, find_outcome(name)) for name in (MALE, "furlough_takeup")}


@pytest.fixture(scope="module")
def joint(edition):
    return SPECS[-1].make(edition, TOPICS[0])


@pytest.mark.parametrize(("name", "slope", "error"), [(MALE, 3.16, 0.20), (FEMALE, 3.52, 0.25)])
def test_equal_weights_without_merged_areas_give_the_known_slopes(edition, name, slope, error):
    found = fit(edition, name, "no-shared")
    assert (found.n, len(set(found.sample))) == (116, 116)
    assert found.estimate[0] == pytest.approx(slope, abs=0.005)
    assert found.diagnostics["classical_std_error"] == pytest.approx(error, abs=0.005)
    assert found.std_error[0] ** 2 == pytest.approx((found.influence**2).sum(), rel=1e-9)
    assert found.method.endswith("robust (HC3) standard errors")
    assert found.excluded == ("Bournemouth, Christchurch and Poole (several areas of the index in one unit)",)


def test_merging_or_dropping_the_shared_unit_changes_little_and_counts_it_once(edition):
    merged, dropped = (fit(edition, MALE, spec) for spec in ("unweighted", "no-shared"))
    assert set(merged.sample) - set(dropped.sample) == {"E06000058"}
    assert (merged.n, dropped.n) == (117, 116)
    assert merged.estimate[0] - dropped.estimate[0] == pytest.approx(0.003, abs=0.002)
    place = merged.sample.index("E06000058")
    assert merged.estimate[0] - merged.influence[place] == pytest.approx(dropped.estimate[0], abs=1e-10)


def test_the_main_slope_equals_explicit_matrices(edition):
    for name in (MALE, FEMALE):
        outcome, found = find_outcome(name), fit(edition, name, "total")
        unit, merge = edition.areas.units()
        rows = unit_values("outcomes", outcome.variable, outcome.period, unit, sex=outcome.sex)
        error = published_std_error(rows)
        keep = np.isfinite(error)
        y = rows["value"][keep]
        x = np.column_stack([np.ones(keep.sum()), (merge @ edition.total)[keep] / 100])
        w = 1 / (error[keep] ** 2 + spread_between(y, x, error[keep] ** 2))
        bread = np.linalg.inv(x.T @ (w[:, None] * x))
        params = bread @ x.T @ (w * y)
        leverage = w * np.einsum("ij,jk,ik->i", x, bread, x)
        meat = (x * (w * (y - x @ params) / (1 - leverage))[:, None] ** 2).T @ x
        assert found.estimate == pytest.approx(params[1:], abs=1e-8)
        assert found.cov[0, 0] == pytest.approx((bread @ meat @ bread)[1, 1], abs=1e-8)
        assert found.lower == pytest.approx(wald(found.estimate, found.cov, 114.0)["lower"])
        assert found.excluded == ("Northamptonshire (no published limits)",)
        assert found.unit == ("years per 100 points",)


def test_region_constants_equal_taking_region_means_out(edition):
    c = cross_section(edition, find_outcome("life_expectancy_male"))
    found = fit(edition, "life_expectancy_male", "region")
    member = np.array(c.region)[:, None] == np.unique(c.region)
    member = member / member.sum(axis=0)

    def within(values):
        return values - (member > 0) @ (member.T @ values)

    x, y = within(c.total / 100), within(c.value)
    assert found.estimate[0] == pytest.approx(x @ y / (x @ x), abs=1e-8)
    assert found.diagnostics["degrees_of_freedom"] == 117 - 9


def test_noise_removed_is_the_slope_over_its_reliability_with_equal_weights(edition):
    name = "avoidable_mortality"
    plain, corrected = fit(edition, name, "total"), fit(edition, name, "corrected")
    reliability = corrected.diagnostics["reliability"]
    assert 0.93 < reliability < 0.98
    assert corrected.estimate[0] == pytest.approx(plain.estimate[0] / reliability, rel=1e-9)


def test_domains_scaled_alike_give_back_the_total(edition):
    c = cross_section(edition, find_outcome(MALE))
    domains, total = fit(edition, MALE, "domains"), fit(edition, MALE, "total")
    frame = frame_of(c, Choice("domains", "", exposure="domains"))
    assert frame.exposures.sum(axis=1) * 100 == pytest.approx(c.total[np.isin(c.code, frame.code)], abs=0.11)
    assert domains.term == ("access", "status", "pay")
    assert domains.diagnostics["r_squared"] > total.diagnostics["r_squared"]
    assert domains.diagnostics["equal_slopes_p"] < 0.001
    assert domains.focus == ""
    assert domains.influence is None


def test_indicators_without_figures_are_left_out_and_said(edition):
    found = fit(edition, MALE, "indicators")
    assert "satisfactory_hours" not in found.term
    assert len(found.term) == 5
    assert any("satisfactory hours" in line for line in found.assumptions)
    steps = {row["term"]: row for row in found.tables["steps"]}
    for term, slope in zip(found.term, found.estimate, strict=True):
        row = steps[term]
        assert row["estimate_per_unit"] * row["standard_deviation"] == pytest.approx(slope)
    levels = cross_section(edition, find_outcome(MALE))
    here = np.isin(levels.code, found.sample)
    assert steps["unemployment_rate"]["standard_deviation"] == pytest.approx(levels.indicators[here, 1].std(ddof=1))


def test_a_rate_ratio_is_the_exponential_of_the_log_slope(edition):
    found = fit(edition, "suicide", "log")
    (ratio,) = found.tables["rate_ratios"]
    assert ratio["estimate"] == pytest.approx(np.exp(found.estimate[0]))
    assert (ratio["lower"], ratio["upper"]) == pytest.approx(tuple(np.exp([found.lower[0], found.upper[0]])))
    assert found.unit == ("log rate per 100 points",)


def test_leaving_out_the_unit_that_matters_most_gives_the_slope_that_is_said(edition):
    outcome = find_outcome(MALE)
    c = cross_section(edition, outcome)
    found = fit(edition, MALE, "precision")
    top = found.tables["influence"][0]
    assert found.diagnostics["most_influential"] == top["area_name"] == "Blackpool"
    place = c.code.index(top["area_code"])
    value = c.value.copy()
    value[place] = np.nan
    frame = frame_of(replace(c, value=value), Choice("precision", "", weights="precision"))
    x = np.column_stack([np.ones(115), frame.exposures])
    root = np.sqrt(frame.weights)
    again = np.linalg.lstsq(root[:, None] * x, root * frame.outcome, rcond=None)[0][1]
    assert top["without"] == pytest.approx(again, abs=1e-10)
    assert found.diagnostics["leave_one_out_lower"] <= again <= found.diagnostics["leave_one_out_upper"]


def test_male_and_female_together_have_the_slopes_and_errors_they_have_alone(edition, joint):
    alone = [fit(edition, name, "total") for name in (MALE, FEMALE)]
    assert joint.term == ("male", "female", "mean", "difference")
    assert joint.estimate[:2] == pytest.approx([found.estimate[0] for found in alone], abs=1e-9)
    assert joint.std_error[:2] == pytest.approx([found.std_error[0] for found in alone], abs=1e-9)
    assert joint.cov[0, 1] == pytest.approx(alone[0].influence @ alone[1].influence, abs=1e-9)
    assert joint.estimate[2:] == pytest.approx([joint.estimate[:2].mean(), joint.estimate[1] - joint.estimate[0]])
    variance = joint.cov[0, 0] + joint.cov[1, 1] - 2 * joint.cov[0, 1]
    assert joint.cov[3, 3] == pytest.approx(variance, abs=1e-12)
    assert (joint.n, len(joint.sample)) == (232, 116)


@pytest.mark.parametrize("outcome", LEVELS, ids=lambda outcome: outcome.id)
def test_every_fit_says_what_it_is_in_plain_words_without_causal_ones(edition, outcome, monkeypatch):
    monkeypatch.setattr("gwm_models.models.linear.checks.N_PERMUTATIONS", 99)
    for choice in CHOICES:
        if choice.limits and not np.isfinite(cross_section(edition, outcome).error).any():
            continue
        found = fit_choice(edition, outcome, choice)
        for words in (found.found, found.not_shown):
            assert words.endswith(".")
            assert not CAUSAL.search(words)
            assert "nan" not in words
        assert str(len(found.sample)) in found.found
        assert len(set(found.sample)) == len(found.sample) <= 117
        assert len(found.sample) + len(found.excluded) == 117
        assert {"degrees_of_freedom", "residual_moran", "residual_moran_p", "weights"} <= set(found.diagnostics)
        assert len(found.term) == len(found.unit) == len(found.estimate)
        assert np.isfinite(found.cov).all()
        json.dumps(found.to_json())
        alike = found.diagnostics["residual_moran_p"] < 0.05
        assert ("neighbours are alike (Moran's I" in found.not_shown) == alike
        assert ("counting that, the interval is" in found.not_shown) == (alike and bool(found.focus))
        assert {"spatial_std_error", "spatial_lower", "spatial_upper"} <= set(found.diagnostics) or not found.focus


def test_the_main_interval_is_wider_when_neighbours_count_as_alike(edition, joint):
    found = fit(edition, MALE, "total")
    numbers = found.diagnostics
    assert numbers["spatial_share"] == pytest.approx(0.15, abs=0.01)
    assert numbers["spatial_std_error"] / found.std_error[0] == pytest.approx(1.34, abs=0.01)
    assert numbers["spatial_lower"] < found.lower[0] < found.upper[0] < numbers["spatial_upper"]
    words = f"the interval is {numbers['spatial_lower']:.2f} to {numbers['spatial_upper']:.2f} years."
    assert found.not_shown.endswith(words)
    assert joint.diagnostics["spatial_std_error"] > joint.std_error[2]


def test_the_classical_t_is_that_of_explicit_matrices_with_the_same_weights(edition):
    outcome = find_outcome(MALE)
    c, found = cross_section(edition, outcome), fit(edition, MALE, "total")
    frame = frame_of(c, CHOICES[0])
    x = np.column_stack([np.ones(116), frame.exposures])
    w = 1 / (1 / frame.weights + spread_between(frame.outcome, x, 1 / frame.weights))
    bread = np.linalg.inv(x.T @ (w[:, None] * x))
    params = bread @ x.T @ (w * frame.outcome)
    left = (w * (frame.outcome - x @ params) ** 2).sum() / 114
    assert found.diagnostics["classical_t"] == pytest.approx(params[1] / np.sqrt(left * bread[1, 1]), abs=1e-8)
    t = found.diagnostics["classical_t"]
    assert t**2 / (t**2 + 114) == pytest.approx(found.diagnostics["r_squared"], abs=1e-10)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        (MALE, "Healthy life expectancy at birth, male, 2016-18: 3.17 years higher"),
        ("covid19_mortality", "Covid-19 mortality, March to June 2020: 8.9"),
    ],
)
def test_what_is_found_names_its_period_once(edition, name, start):
    assert fit(edition, name, "total").found.startswith(start)


def test_the_same_fit_has_the_same_numbers(edition):
    once, again = (fit(edition, "suicide", "total").to_json() for _ in range(2))
    assert once == again


def test_an_adjusted_slope_shows_its_covariate_and_says_when_too_much_is_adjusted_for(edition):
    found = fit(edition, MALE, "deprivation")
    assert found.term == ("total", "deprivation")
    assert found.unit[1] == "years per point of the Index of Multiple Deprivation"
    assert any("over-adjustment" in line for line in found.assumptions)
    assert found.estimate[0] < 0.5 * fit(edition, MALE, "total").estimate[0]
    assert found.diagnostics["adjusted_for"] == COVARIATES["deprivation"].label


def test_precision_weights_let_few_units_count_where_areas_differ_by_more_than_sampling_error(edition):
    """Why the main weights hold the spread too: without it the Covid slope has another sign than the correlation."""
    precise, total, equal = (fit(edition, "covid19_mortality", spec) for spec in ("precision", "total", "unweighted"))
    assert precise.diagnostics["effective_units"] < 50 < 110 < total.diagnostics["effective_units"]
    assert precise.estimate[0] > 0
    assert total.estimate[0] == pytest.approx(equal.estimate[0], abs=0.5)


def test_the_table_has_a_row_for_each_choice_of_slope_on_the_total(edition, tables):
    rows = tables[MALE]
    assert [row["spec"] for row in rows][:3] == ["total", "corrected", "unweighted"]
    assert len(rows) == len({row["spec"] for row in rows}) == 14
    assert {row["unit"] for row in rows} == {"years per 100 points"}
    assert {"domains", "indicators", "log", "separate"}.isdisjoint(row["spec"] for row in rows)
    assert rows[0] == table_row(fit(edition, MALE, "total"))
    assert all(row["residual_moran_p"] < 0.05 for row in rows if row["spec"] in ("total", "unweighted"))
    assert next(row for row in rows if row["spec"] == "region")["residual_moran_p"] > 0.05


def test_a_choice_that_cannot_be_fitted_keeps_its_row_with_the_reason(tables):
    missing = [row for row in tables["furlough_takeup"] if row["estimate"] is None]
    assert [row["spec"] for row in missing] == ["precision", "corrected-precision"]
    assert all("no limits are published" in row["note"] for row in missing)
    assert {tuple(row) for row in tables["furlough_takeup"]} == {tuple(missing[0])}


def test_further_fits_join_the_table_only_where_they_are_slopes_of_the_same_kind(edition, joint):
    outcome = find_outcome("suicide")
    spatial = replace(fit(edition, "suicide", "total"), spec="spatial", title="Spatial")
    own = replace(fit(edition, "suicide", "unweighted"), title="Made before")
    others = (spatial, own, fit(edition, MALE, "total"), fit(edition, "suicide", "log"), joint)
    rows = specification_table(edition, outcome, others)
    assert [row["spec"] for row in rows if row["spec"] not in {choice.id for choice in CHOICES}] == ["spatial"]
    assert rows[-1] == table_row(spatial)
    assert [row["spec"] for row in rows if row["title"] == "Made before"] == ["unweighted"]
    assert len(rows) == len({row["spec"] for row in rows}) == 15


def test_specifications_are_offered_where_they_apply():
    offered = {outcome.id: {spec.id for spec in SPECS if spec.applies(outcome)} for outcome in OUTCOMES}
    assert offered["drug_poisoning_deaths"] == set()
    assert "log" in offered["suicide"]
    assert "log" not in offered[MALE]
    assert [spec.id for spec in SPECS if spec.applies(TOPICS[0])] == ["joint"]
    assert len({spec.id for spec in SPECS}) == len(SPECS)


def test_what_an_edition_does_not_have_is_refused_by_name():
    with pytest.raises(ModelError, match="most are left out for: no total of Conditions for Good Work"):
        fit(load_edition("open-2019"), MALE, "conditions")


def test_the_only_unit_of_a_region_is_left_out_of_a_fit_within_regions(edition):
    c = cross_section(edition, find_outcome(MALE))
    region = ("Elsewhere", *c.region[1:])
    frame = frame_of(replace(c, region=region), Choice("region", "", adjusted=("region",)))
    assert f"{c.name[0]} (the only unit of its region)" in frame.excluded
    assert c.code[0] not in frame.code


def test_an_index_that_does_not_differ_is_refused_by_name(edition, monkeypatch):
    outcome = find_outcome("suicide")
    flat = replace(cross_section(edition, outcome), total=np.full(117, 300.0))
    monkeypatch.setattr("gwm_models.models.linear.specs.cross_section", lambda *_: flat)
    with pytest.raises(ModelError, match=r"Suicide, ages 10 and over, 'total': 'total' is the same in every area"):
        fit_choice(edition, outcome, CHOICES[0])


def test_the_curve_sorts_the_slopes_and_sets_off_the_main_one(tables):
    rows = tables[MALE]
    spec = specification_curve(rows)
    values = spec["data"]["values"]
    estimates = [value["estimate"] for value in values]
    assert estimates == sorted(estimates)
    assert sorted(estimates) == pytest.approx(sorted(row["estimate"] for row in rows), abs=1e-5)
    assert [value["code"] for value in values if value["kind"] == "main"] == ["total"]
    assert spec["encoding"]["y"]["scale"]["domain"] == [value["code"] for value in values]
    low, high = spec["encoding"]["x"]["scale"]["domain"]
    assert low == 0 < high == max(value["upper"] for value in values)
    caption = spec["usermeta"]["caption"]
    for part in ("years per 100 points", "Period: 2016-18", "Office for National Statistics", "116 to 117 units"):
        assert part in caption
    assert caption in spec["description"]
    assert spec["encoding"]["color"]["scale"]["range"] == [colour("after"), colour("before")]
    json.dumps(spec)


def test_the_curve_counts_what_could_not_be_fitted_and_shows_negative_slopes_with_a_minus(tables):
    rows = tables["furlough_takeup"]
    before = json.dumps(rows)
    spec = specification_curve(rows)
    assert len(spec["data"]["values"]) == 12
    assert "Not fitted: 2." in spec["usermeta"]["caption"]
    assert all(value["words"].startswith("−0.") for value in spec["data"]["values"])
    assert spec["encoding"]["x"]["scale"]["domain"][1] >= 0
    assert json.dumps(rows) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: [], "must hold one estimate or more"),
        (lambda rows: [{**rows[0], "estimate": None}], "must hold one estimate or more"),
        (lambda rows: [rows[0], {**rows[1], "label": "Something else"}], "must share one label"),
        (lambda rows: [rows[0], {**rows[1], "unit": "days"}], "must share one unit"),
        (lambda rows: [rows[0], rows[0]], "'total' is there more than once"),
    ],
)
def test_rows_that_do_not_belong_in_one_curve_are_refused(tables, change, message):
    with pytest.raises(ValueError, match=message):
        specification_curve(change(tables[MALE]))


@pytest.mark.parametrize("name", [MALE, FEMALE, "preventable_cvd_mortality", "covid19_mortality"])
def test_the_fast_correction_agrees_with_the_bayesian_errors_in_variables_model(edition, name):
    from gwm_models.models.gaussian.specs import SPECS as BAYES

    outcome = find_outcome(name)
    (spec,) = (spec for spec in BAYES if spec.id == "errors-in-variables")
    bayes = spec.make(edition, outcome, n_draws=2000, seed=1)
    fast = fit(edition, name, "corrected")
    assert set(bayes.sample) == set(fast.sample)
    assert fast.estimate[0] == pytest.approx(bayes.estimate[bayes.place()], abs=0.15 * bayes.std_error[bayes.place()])


def test_precision_of_a_logarithm_is_that_of_its_relative_error(edition):
    c = cross_section(edition, find_outcome("non_covid19_mortality"))
    design = np.column_stack([np.ones(117), c.total / 100])
    variance = (c.error / c.value) ** 2
    root = 1 / np.sqrt(variance + spread_between(np.log(c.value), design, variance))
    slope = np.linalg.lstsq(root[:, None] * design, root * np.log(c.value), rcond=None)[0][1]
    assert fit(edition, "non_covid19_mortality", "log").estimate[0] == pytest.approx(slope, abs=1e-10)


def test_adjusted_slopes_equal_explicit_least_squares(edition):
    c = cross_section(edition, find_outcome("life_expectancy_female"))
    design = np.column_stack([np.ones(117), c.total / 100, c.conditions / 100])
    slopes = np.linalg.lstsq(design, c.value, rcond=None)[0][1:]
    assert fit(edition, "life_expectancy_female", "conditions").estimate == pytest.approx(slopes, abs=1e-9)


def test_weights_by_population_equal_explicit_least_squares(edition):
    c = cross_section(edition, find_outcome("life_expectancy_female"))
    root = np.sqrt(c.population)
    design = root[:, None] * np.column_stack([np.ones(117), c.total / 100])
    slope = np.linalg.lstsq(design, root * c.value, rcond=None)[0][1]
    assert fit(edition, "life_expectancy_female", "population").estimate[0] == pytest.approx(slope, abs=1e-9)
