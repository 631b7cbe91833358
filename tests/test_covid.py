"""Jobs and deaths of spring 2020: worked by hand, known correlations, explicit matrices, laws, and simulation."""

import json
import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import nbinom, norm, t, ttest_ind

from gwm_models.data.edition import load_edition
from gwm_models.data.tables import read_table
from gwm_models.errors import DataError, ModelError
from gwm_models.models.counts.specs import negative_binomial
from gwm_models.models.covid.compare import (
    compare_correlations,
    correlations,
    leave_one_out,
    resample,
)
from gwm_models.models.covid.deaths import (
    ADJUSTMENTS,
    ENGLAND,
    _figures,
    design_of,
    effective_population,
    expected_deaths,
    read_toll,
)
from gwm_models.models.covid.double import difference_in_draws, double_blow, mean_difference
from gwm_models.models.covid.jobs import job_scores, labour_market
from gwm_models.models.covid.mortality import _found
from gwm_models.models.covid.rows import compare, rates_of, with_difference
from gwm_models.models.covid.specs import SPECS
from gwm_models.models.linear.core import least_squares
from gwm_models.models.outcomes import OUTCOMES, TOPICS, find_subject

CAUSAL = re.compile(r"\b(effects?|impacts?|leads? to|led to|causes? (?!of)|caused|because good work|due to)\b")
CORRELATION = st.floats(-0.9, 0.9)


@pytest.fixture(scope="module")
def edition():
    return load_edition()


@pytest.fixture(scope="module")
def fits(edition):
    return {spec.id: _make(spec, edition) for spec in SPECS}


def _make(spec, edition, **options):
    subject = next(s for s in (*OUTCOMES, *TOPICS) if spec.applies(s))
    return spec.make(edition, subject, **{"n_draws": 1000, "seed": 1, **options})


def _row(fit, measure, outcome, held=""):
    rows = [
        row
        for row in fit.tables["compared"]
        if (row["measure"], row["outcome"], row["held_equal"]) == (measure, outcome, held)
    ]
    return rows[0]


# Two correlations


def test_the_interval_of_a_difference_is_that_of_zous_worked_example():
    compared = compare_correlations(0.396, 0.179, 0.088, 66)
    assert compared.lower[2] == pytest.approx(-0.093, abs=0.0005)
    assert compared.upper[2] == pytest.approx(0.517, abs=0.0005)


def test_steigers_z_written_out():
    first, second, between, n = -0.24, -0.71, 0.61, 117
    pooled = (first + second) / 2
    psi = between * (1 - 2 * pooled**2) - pooled**2 / 2 * (1 - 2 * pooled**2 - between**2)
    shared = psi / (1 - pooled**2) ** 2
    z = (np.arctanh(first) - np.arctanh(second)) * np.sqrt(n - 3) / np.sqrt(2 - 2 * shared)
    compared = compare_correlations(first, second, between, n)
    assert compared.z == pytest.approx(z, abs=1e-10)
    assert compared.p_value[2] == pytest.approx(2 * norm.sf(abs(z)), rel=1e-10)


@given(CORRELATION, CORRELATION, st.floats(-0.5, 0.5), st.integers(10, 400))
def test_swapping_the_outcomes_turns_the_difference_round(first, second, between, n):
    assume(_lowest_eigenvalue(first, second, between) > 1e-6)
    one, other = compare_correlations(first, second, between, n), compare_correlations(second, first, between, n)
    assert one.r[2] == -other.r[2]
    assert one.lower[2] == pytest.approx(-other.upper[2], abs=1e-9)
    assert one.p_value[2] == pytest.approx(other.p_value[2], abs=1e-9)
    assert one.lower[2] <= one.r[2] <= one.upper[2]
    assert np.linalg.eigvalsh(one.cov)[0] > -1e-12


def _lowest_eigenvalue(first, second, between):
    return np.linalg.eigvalsh([[1, first, second], [first, 1, between], [second, between, 1]])[0]


def test_correlations_and_those_without_each_unit_are_numpys():
    x, y, z = np.random.default_rng(5).normal(size=(3, 20)) + np.linspace(0, 2, 20)
    whole, without = correlations(x, y, z), leave_one_out(x, y, z)
    full = np.corrcoef([x, y, z])
    assert whole == pytest.approx([full[0, 1], full[0, 2], full[1, 2]], abs=1e-12)
    for i in range(20):
        left = np.corrcoef(np.delete([x, y, z], i, axis=1))
        assert without[:, i] == pytest.approx([left[0, 1], left[0, 2], left[1, 2]], abs=1e-12)


def test_resampled_units_keep_their_three_figures_together():
    x = np.arange(30.0)
    drawn = resample(x, 2 * x + 1, -x, np.random.default_rng(1), 50)
    assert drawn == pytest.approx(np.tile([[1.0], [-1.0], [-1.0]], 50), abs=1e-12)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((0.2, 0.5, 0.1, 9), "need 10 areas or more to be compared; there are 9"),
        ((0.9, -0.9, 0.9, 50), "are no correlations of three variables"),
        ((0.5, 0.5, 1.0, 50), "or two the same"),
        ((float("nan"), 0.5, 0.2, 50), "One may be constant"),
    ],
)
def test_correlations_that_cannot_be_compared_are_refused(numbers, message):
    with pytest.raises(ModelError, match=message):
        compare_correlations(*numbers)


# The labour-market index


def test_labour_market_index_by_hand():
    rise, takeup = np.array([8.0, 2, 5, 3.5]), np.array([30.0, 25, 35, 27])
    scores = job_scores(rise, takeup)
    assert scores[:, 0] == pytest.approx([1, 100, 50.5, 75.25])
    assert scores[:, 1] == pytest.approx([50.5, 100, 1, 80.2])
    with pytest.raises(DataError, match="constant indicator cannot be scored"):
        job_scores(rise, np.full(4, 30.0))


@given(arrays(float, (12, 2), elements=st.floats(0, 50)), st.floats(0.1, 10), st.floats(-20, 20))
def test_the_index_does_not_depend_on_the_unit_of_its_figures(figures, size, shift):
    assume((np.ptp(figures, axis=0) > 0.01).all())
    moved = job_scores(figures[:, 0] * size + shift, figures[:, 1])
    assert moved == pytest.approx(job_scores(*figures.T), abs=1e-6)
    assert moved.min(axis=0) == pytest.approx([1, 1])
    assert moved.max(axis=0) == pytest.approx([100, 100])


def test_the_labour_market_index_of_every_area_comes_out_of_the_tables(edition, fits):
    fit = fits["labour-market"]
    assert fit.n == len(fit.sample) == 115
    assert [text.split(" (")[0] for text in fit.excluded] == ["Bournemouth, Christchurch and Poole", "Buckinghamshire"]
    figures = {}
    for variable, period in (
        ("uc_households_increase_share_16_64", "2020-01/2020-06"),
        ("furlough_takeup_rate", "to 2020-07-31"),
    ):
        rows = read_table("indicators", where={"variable": variable, "period": period, "sex": "Persons"})
        by_unit = dict(zip(rows["unit_code"], rows["value"], strict=True))
        x = np.array([by_unit[code] for code in fit.sample])
        figures[variable] = 1 + 99 * (x.max() - x) / (x.max() - x.min())
    index = dict(zip(fit.sample, sum(figures.values()), strict=True))
    assert {row["area_code"]: row["labour_market_index"] for row in fit.tables["areas"]} == pytest.approx(index)
    place = {code: i for i, code in enumerate(edition.areas.unit)}
    total = edition.total[[place[code] for code in fit.sample]] / 100
    y, x = np.array([*index.values()]), np.column_stack([np.ones(115), total])
    bread = np.linalg.inv(x.T @ x)
    slope = bread @ x.T @ y
    left = (y - x @ slope) / (1 - np.einsum("ij,jk,ik->i", x, bread, x))
    cov = bread @ (x.T * left**2) @ x @ bread
    assert fit.estimate == pytest.approx(slope, abs=1e-8)
    assert fit.cov == pytest.approx(cov, abs=1e-8)
    assert fit.diagnostics["r"] == pytest.approx(np.corrcoef(y, total)[0, 1], abs=1e-12)


def test_furlough_has_its_known_correlation_with_the_total(fits):
    row = next(row for row in fits["labour-market"].tables["compared"] if row["measure"] == "furlough take-up")
    assert row["n"] == 115
    assert row["r"] == pytest.approx(-0.29, abs=0.005)


def test_merging_the_shared_unit_in_adds_one_unit_and_not_two(edition):
    merged = labour_market(edition, shared=True)
    assert len(merged.index) == 116
    assert merged.excluded == ("Buckinghamshire (no furlough figure)",)
    bournemouth, poole = (edition.areas.name.index(name) for name in ("Bournemouth", "Poole"))
    weights = edition.areas.population[[bournemouth, poole]]
    at = [merged.section.code[i] for i in np.flatnonzero(merged.kept)].index("E06000058")
    assert merged.total[at] == pytest.approx(np.average(edition.total[[bournemouth, poole]], weights=weights))


def test_taking_survey_noise_out_of_the_total_makes_the_slope_steeper(fits):
    found = fits["labour-market"].diagnostics
    slope = fits["labour-market"].focus_row()["estimate"]
    assert slope < found["slope_without_noise"] < slope / found["reliability"] * 1.05


def test_an_index_of_too_few_areas_is_refused(edition):
    nothing = np.full(len(edition.areas.units()[0]), np.nan)
    with pytest.raises(ModelError, match=r"0 of 117 units can be used.*most are left out for: no moon"):
        labour_market(edition, needs=((nothing, "no moon"),))


# Deaths against those expected


def test_effective_population_by_hand():
    # Two ages, 1,000 and 500 residents with rates 0.01 and 0.1: 60 deaths. Weights 0.7 and 0.3: 3,700 per 100,000.
    assert effective_population(np.array([60.0]), np.array([3700.0]))[0] == pytest.approx(60 / 0.037)


@given(
    arrays(float, (6, 4), elements=st.floats(100, 1e5)),
    arrays(float, 4, elements=st.floats(1e-4, 0.2)),
    arrays(float, 6, elements=st.floats(0.5, 2)),
    st.floats(0.01, 0.5),
)
def test_expected_deaths_are_those_of_indirect_standardisation_where_rates_by_age_are_proportional(
    residents, rates, level, share
):
    weights = np.array([0.4, 0.3, 0.2, 0.1])
    deaths, standardised = residents @ rates * level, weights @ rates * level * 1e5
    covid = residents @ (share * rates)
    assert expected_deaths(covid, effective_population(deaths, standardised)) == pytest.approx(covid, rel=1e-9)


def test_effective_population_hardly_depends_on_the_cause_of_death(edition):
    deaths, rate = _figures(ENGLAND)
    england = effective_population(deaths, rate)[:, 0]
    assert england == pytest.approx(np.full(3, england[2]), rel=0.005)
    toll = read_toll(edition)
    assert np.log(toll.effective[0] / toll.effective[2]).std() < 0.015
    assert np.log(toll.effective[1] / toll.effective[2]).std() < 0.005


def test_expected_deaths_add_up_to_those_observed_over_117_units_each_once(edition):
    toll = read_toll(edition)
    assert toll.n == len(set(toll.code)) == 117
    assert {"E06000058", "E06000059"} < set(toll.code)
    assert toll.deaths[0] + toll.deaths[1] == pytest.approx(toll.deaths[2])
    for cause in range(2):
        assert toll.expected(cause).sum() == pytest.approx(toll.deaths[cause].sum())


@pytest.mark.parametrize("name", list(ADJUSTMENTS))
def test_rate_ratios_are_at_the_top_of_the_negative_binomial_likelihood(edition, fits, name):
    fit, toll = fits[name], read_toll(edition)
    design = design_of(ADJUSTMENTS[name][1](toll.section), toll.kept)
    alpha = fit.diagnostics["dispersion"]

    def log_likelihood(params, dispersion):
        mean = np.exp(design @ params) * toll.expected(0)
        return nbinom.logpmf(toll.deaths[0], 1 / dispersion, 1 / (1 + dispersion * mean)).sum()

    top = log_likelihood(fit.estimate, alpha)
    assert top == pytest.approx(fit.diagnostics["log_likelihood"], abs=1e-6)
    mean = np.exp(design @ fit.estimate) * toll.expected(0)
    assert design.T @ ((toll.deaths[0] - mean) / (1 + alpha * mean)) == pytest.approx(np.zeros(len(design.T)), abs=1e-5)
    for step in (0.98, 1.02):
        assert log_likelihood(fit.estimate, alpha * step) < top


def test_the_association_of_covid_deaths_is_gone_at_the_same_density_and_that_of_other_deaths_is_not(fits):
    fit, held = fits["mortality"], "at the same density"
    assert _row(fit, "rate ratio", "covid19_mortality")["upper"] < 1
    covid, other = (_row(fit, "rate ratio", name, held) for name in ("covid19_mortality", "non_covid19_mortality"))
    assert covid["lower"] < 1 < covid["upper"]
    assert other["upper"] < 1
    assert covid["estimate"] == pytest.approx(fits["density"].tables["rate_ratios"][0]["estimate"], rel=1e-9)


def test_the_rate_ratio_does_not_hang_on_which_deaths_give_the_effective_population(fits):
    for name in ADJUSTMENTS:
        ratio = np.exp(fits[name].focus_row()["estimate"])
        assert fits[name].diagnostics["rate_ratio_other_offset"] == pytest.approx(ratio, abs=0.002)


# Covid-19 and other mortality


def test_covid_and_other_mortality_have_their_known_correlations_with_the_total(fits):
    fit = fits["mortality"]
    alone = "without areas that share figures"
    rows = [_row(fit, "correlation", name, alone) for name in ("covid19_mortality", "non_covid19_mortality")]
    assert [row["n"] for row in rows] == [116, 116]
    assert [row["estimate"] for row in rows] == pytest.approx([-0.24, -0.71], abs=0.005)
    assert fit.n == len(set(fit.sample)) == 117
    assert fit.estimate == pytest.approx([-0.24, -0.71, 0.48], abs=0.005)
    assert fit.lower[2] > 0.3
    assert fit.diagnostics["bootstrap_lower"] > 0.3


def test_neighbours_alike_widen_the_interval_and_leave_a_difference(fits):
    fit = fits["mortality"]
    alike, plain = (_row(fit, measure, "difference") for measure in ("correlation, neighbours alike", "correlation"))
    assert alike["estimate"] == pytest.approx(plain["estimate"], abs=1e-12)
    assert 10 <= alike["n"] < 60
    assert 0.1 < alike["lower"] < plain["lower"]
    assert alike["upper"] > plain["upper"]
    assert any(f"Counted as the {alike['n']} independent areas" in text for text in fit.assumptions)


def test_slopes_weighted_by_limits_and_spread_are_those_of_explicit_matrices(edition, fits):
    toll = read_toll(edition)
    total, rates = rates_of(toll)
    x = np.column_stack([np.ones(117), total / 100])
    for y, c, name in zip(
        rates, (toll.section, toll.other), ("covid19_mortality", "non_covid19_mortality"), strict=True
    ):
        low, high = 0.0, 1e5
        for _ in range(200):
            spread = (low + high) / 2
            w = 1 / (c.error**2 + spread)
            slope = np.linalg.solve(x.T @ (w[:, None] * x), x.T @ (w * y))
            low, high = (spread, high) if (w * (y - x @ slope) ** 2).sum() > 115 else (low, spread)
        rows = [
            row for row in fits["mortality"].tables["compared"] if (row["measure"], row["outcome"]) == ("slope", name)
        ]
        assert rows[1]["estimate"] == pytest.approx(slope[1], abs=1e-6)
        assert rows[0]["estimate"] == pytest.approx(slope[1] / y.std(ddof=1), abs=1e-8)
        assert rows[0]["p_value"] == pytest.approx(rows[1]["p_value"], rel=1e-6)


def test_correlations_with_more_held_equal_are_those_of_residuals(edition):
    toll = read_toll(edition)
    total, rates = rates_of(toll)
    density = np.log2(toll.section.density[toll.kept])
    found = compare(total, rates, (density - density.mean())[:, None])
    r = np.corrcoef([total, rates[0], density])
    partial = (r[0, 1] - r[0, 2] * r[1, 2]) / np.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    assert found.r[0] == pytest.approx(partial, abs=1e-10)
    assert found.n == 116


def test_a_difference_of_slopes_is_the_slope_of_the_difference():
    rng = np.random.default_rng(8)
    x, first, second = rng.normal(size=(3, 40))
    design = np.column_stack([np.ones(40), x])
    numbers = with_difference([least_squares(first, design), least_squares(second, design)], 1, 38)
    fit = least_squares(first - second, design)
    assert numbers[2][0] == pytest.approx(fit.params[1], abs=1e-10)
    assert numbers[2][1] == pytest.approx(fit.std_error[1], abs=1e-10)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (-0.24, -0.71, "was far more closely related to the index total than"),
        (-0.50, -0.68, "was more closely related to the index total than"),
        (-0.71, -0.24, "was far less closely related to the index total than"),
        (-0.30, -0.31, "was about as closely related to the index total as"),
    ],
)
def test_the_sentence_says_what_the_numbers_say(first, second, words):
    sentence = _found(compare_correlations(first, second, 0.5, 117))
    assert words in sentence
    assert f"correlation {second:.2f} " in sentence


def test_the_second_sentence_says_that_both_lines_are_as_steep(fits):
    ratio = _row(fits["mortality"], "rate ratio", "ratio")
    assert ratio["lower"] < 1 < ratio["upper"]
    assert "Covid-19 deaths were 9% lower" in fits["mortality"].not_shown
    assert "other deaths 10% lower" in fits["mortality"].not_shown


# The double blow


def test_double_blow_by_hand():
    mortality, index = np.array([10.0, 9, 8, 1, 2, 0]), np.array([20.0, 150, 30, 40, 160, 170])
    blow = double_blow(mortality, np.zeros(6), index, np.zeros((1, 6)))
    assert blow.deadly.tolist() == [True, True, True, False, False, False]
    assert blow.hard_hit.tolist() == [True, False, True, True, False, False]
    assert blow.both.tolist() == [True, False, True, False, False, False]
    assert blow.prob_both.tolist() == [1, 0, 1, 0, 0, 0]
    assert blow.expected == pytest.approx(1.5)
    # Of the 20 ways to choose three of six, 9 have two of the three deadly, and none is likelier: p is 1.
    assert blow.p_value == pytest.approx(1.0)
    # Only 1 has all three and 1 none of them: p is 2 in 20.
    assert double_blow(mortality, np.zeros(6), -mortality, np.zeros((1, 6))).p_value == pytest.approx(0.1)


def test_the_probability_of_mortality_above_the_mean_is_that_of_the_normal_distribution():
    rng = np.random.default_rng(2)
    rate, error = rng.normal(80, 30, 60), rng.uniform(2, 12, 60)
    blow = double_blow(rate, error, rng.normal(size=60), rng.standard_normal((20_000, 60)))
    spread = np.sqrt((error * (1 - 1 / 60)) ** 2 + ((error**2).sum() - error**2) / 60**2)
    assert blow.prob_deadly == pytest.approx(norm.cdf((rate - rate.mean()) / spread), abs=0.015)


def test_the_mean_of_the_areas_is_drawn_with_them():
    # The rate of the first is exact, so it is above the mean where the other two are below 80 on average.
    rate, error = np.array([80.0, 70, 75]), np.array([0.0, 30, 40])
    blow = double_blow(rate, error, np.array([1.0, 2, 3]), np.random.default_rng(3).standard_normal((20_000, 3)))
    assert blow.prob_deadly[0] == pytest.approx(norm.cdf((80 - 72.5) / 25), abs=0.015)


def test_difference_of_means_is_welchs():
    rng = np.random.default_rng(4)
    values, inside = rng.normal(size=30), np.arange(30) < 11
    estimate, error, freedom = mean_difference(values, inside)
    welch = ttest_ind(values[inside], values[~inside], equal_var=False)
    assert estimate / error == pytest.approx(welch.statistic, abs=1e-10)
    assert freedom == pytest.approx(welch.df, abs=1e-10)
    draws = difference_in_draws(values, np.array([inside, ~inside, np.zeros(30, bool)]))
    assert draws[:2] == pytest.approx([estimate, -estimate])
    assert np.isnan(draws[2])


def test_a_comparison_with_one_area_hit_twice_is_refused():
    with pytest.raises(ModelError, match="1 of 20 areas are hit twice"):
        mean_difference(np.arange(20.0), np.arange(20) == 3)
    with pytest.raises(ModelError, match="the same in every area of each group"):
        mean_difference(np.repeat([1.0, 2.0], 10), np.arange(20) < 10)


def test_the_areas_hit_twice_are_listed_with_their_probability(edition, fits):
    fit = fits["double-blow"]
    hit, areas = fit.tables["double_blow"], fit.tables["areas"]
    rate = np.array([row["mortality"] for row in areas])
    index = np.array([row["labour_market_index"] for row in areas])
    twice = {
        row["area_name"] for row, a, b in zip(areas, rate > rate.mean(), index < index.mean(), strict=True) if a & b
    }
    assert {row["area_name"] for row in hit} == twice
    assert len(hit) == fit.diagnostics["areas_hit_twice"] > fit.diagnostics["expected_if_independent"]
    assert [row["prob_double_blow"] for row in hit] == sorted((row["prob_double_blow"] for row in hit), reverse=True)
    assert min(row["prob_double_blow"] for row in hit) >= 0.4
    ranks = dict(zip(edition.areas.name, edition.rank, strict=True))
    assert all(row["rank"] == ranks[row["area_name"]] for row in hit)
    regions = fit.tables["regions"]
    assert sum(row["n"] for row in regions) == fit.n == 115
    assert sum(row["double_blow"] for row in regions) == len(hit)
    inside = np.array([row["area_name"] in twice for row in areas])
    total = np.array([row["total"] for row in areas])
    assert fit.estimate[0] == pytest.approx(total[inside].mean() - total[~inside].mean())
    interval = ttest_ind(total[inside], total[~inside], equal_var=False).confidence_interval()
    assert (fit.lower[0], fit.upper[0]) == pytest.approx((interval.low, interval.high))


def test_the_same_seed_gives_the_same_draws(edition, fits):
    for name, key in (("double-blow", "areas_hit_twice_in_draws"), ("mortality", "bootstrap_lower")):
        spec = next(spec for spec in SPECS if spec.id == name)
        assert _make(spec, edition).diagnostics[key] == fits[name].diagnostics[key]
        assert _make(spec, edition, seed=2).diagnostics[key] != fits[name].diagnostics[key]


# Every fit


def test_every_fit_of_the_chapter_explains_itself(fits):
    assert list(fits) == ["total", "density", "region", "density-region", "labour-market", "mortality", "double-blow"]
    for name, fit in fits.items():
        assert fit.spec == name
        assert len(set(fit.sample)) == len(fit.sample) == fit.n
        assert fit.estimate.shape == fit.lower.shape == fit.upper.shape == fit.p_value.shape == (len(fit.term),)
        assert (fit.lower <= fit.estimate).all()
        assert (fit.estimate <= fit.upper).all()
        for sentence in (fit.found, fit.not_shown):
            assert sentence.endswith(".")
            assert len(re.findall(r"[.?!](?=\s+[A-Z]|$)", sentence)) == 1
        if fit.influence is not None:
            assert fit.influence.shape == (fit.n,)
            assert (fit.influence**2).sum() == pytest.approx(fit.cov[fit.place(), fit.place()], rel=1e-6)
        assert not CAUSAL.search(fit.found)
        assert re.search(r"\d.*95% interval", fit.found)
        assert json.loads(json.dumps(fit.to_json(), allow_nan=False))["spec"] == name


def test_an_edition_without_shared_units_keeps_all_of_them():
    spec = next(spec for spec in SPECS if spec.id == "labour-market")
    fit = _make(spec, load_edition("open-2019"))
    assert fit.n == 116
    assert "E06000058" in fit.sample
    assert not [row for row in fit.tables["compared"] if "merged" in row["measure"]]


def test_specs_apply_to_the_topic_and_to_the_counted_deaths_only():
    for spec in SPECS:
        wanted = "covid" if spec.family == "topic" else "covid19_deaths"
        assert spec.applies(find_subject(wanted))
        assert [s.id for s in (*OUTCOMES, *TOPICS) if spec.applies(s)] == [wanted]


# Simulation


@pytest.mark.slow
@pytest.mark.parametrize(("first", "second", "between"), [(-0.24, -0.71, 0.61), (0.5, 0.5, 0.3), (0.8, 0.1, 0.2)])
def test_intervals_of_a_difference_of_correlations_cover_as_often_as_they_say(first, second, between):
    rng = np.random.default_rng(21)
    root = np.linalg.cholesky([[1, first, second], [first, 1, between], [second, between, 1]])
    drawn = rng.standard_normal((4000, 117, 3)) @ root.T
    r = correlations(*np.moveaxis(drawn, 2, 0))
    compared = [compare_correlations(*map(float, row), 117) for row in r.T]
    inside = [c.lower[2] < first - second < c.upper[2] for c in compared]
    assert 0.94 <= np.mean(inside) <= 0.96
    if first == second:
        assert 0.04 <= np.mean([c.p_value[2] < 0.05 for c in compared]) <= 0.06


@pytest.mark.slow
def test_intervals_of_a_ratio_of_rate_ratios_cover_as_often_as_they_say():
    rng = np.random.default_rng(22)
    covered = []
    for _ in range(500):
        x, expected = rng.normal(size=117), rng.uniform(100, 1500, 117)
        shared = rng.normal(size=117)
        design = np.column_stack([x, np.ones(117)])
        rates = np.exp(np.array([[-0.09], [-0.10]]) * x + 0.3 * shared * np.array([[1.0], [0.2]]))
        uneven = rng.gamma(20, 1 / 20, (2, 117))
        fits = [negative_binomial(count, design, expected) for count in rng.poisson(rates * expected * uneven)]
        _, _, lower, upper, _ = with_difference(fits, 0, fits[0].df)[2]
        covered.append(lower < 0.01 < upper)
    assert 0.93 <= np.mean(covered) <= 0.97


@pytest.mark.slow
def test_intervals_of_the_difference_between_areas_hit_twice_and_others_cover_as_often_as_they_say():
    rng = np.random.default_rng(24)
    inside = np.arange(115) < 33
    covered = []
    for _ in range(2000):
        values = np.where(inside, rng.normal(240, 60, 115), rng.normal(320, 85, 115))
        estimate, error, freedom = mean_difference(values, inside)
        reach = t.ppf(0.975, freedom) * error
        covered.append(abs(estimate + 80) < reach)
    assert 0.93 <= np.mean(covered) <= 0.97
