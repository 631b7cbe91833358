"""Open editions: units counted once, scores by hand, bounds frozen over all years."""

import re
from dataclasses import replace

import numpy as np
import pytest

from gwm_models.data.edition import load_edition, monitor_areas, unit_values
from gwm_models.data.index_spec import read_index
from gwm_models.data.open_editions import open_edition, open_spec, unit_areas
from gwm_models.data.vocabulary import EDITIONS, OPEN_YEARS, load_vocabulary
from gwm_models.errors import DataError
from gwm_models.index.calibration import points_per_unit
from gwm_models.index.sampling import effective_respondents, sampling_error
from gwm_models.index.scoring import score_index
from gwm_models.ranks.posterior import score_posterior

BCP, DORSET, NORTHAMPTONSHIRE = "E06000058", "E06000059", "E10000021"


def place(edition, code):
    return edition.areas.code.index(code)


@pytest.fixture(params=OPEN_YEARS)
def edition(request):
    return load_edition(f"open-{request.param}")


def test_scores_of_york_in_2018_are_those_worked_by_hand():
    # Published for 2018: activity 81.2, unemployment 2.4, SOC 1-3 48.7, SOC 8-9 17.91, pay 406.0 a week; prices in
    # Yorkshire 97.7; the median unit (Southampton) has 443.1 at 101.5. Bounds as in open.yaml.
    edition = load_edition("open-2018")
    york = place(edition, "E06000014")
    pay = 100 * (406.0 / 0.977) / (443.1 / 1.015)
    assert edition.values[york] == pytest.approx([81.2, 2.4, 48.7, 17.91, pay], abs=1e-9)
    # 74.464286 + 87.375839; 49.774468 + 55.412474; 1 + 99 x (95.190972 - 79.256609) / 56.514097.
    assert edition.domain_scores[york] == pytest.approx([161.840125, 105.186942, 28.913424], abs=1e-5)
    assert edition.total[york] == pytest.approx(295.940491, abs=1e-5)
    assert edition.rank[york] == 38


def test_relative_pay_is_worked_by_hand_from_the_published_pay_and_regional_prices():
    edition = open_edition(2019, complete=False)
    pay = unit_values("indicators", "median_gross_weekly_pay", "2019-04", edition.areas.unit)["value"]
    prices = {"South East": 1.015, "North East": 0.988}
    real = pay / np.array([prices.get(region, np.nan) for region in edition.areas.region])
    known = np.isfinite(real)
    ratio = edition.values[known, 4] / real[known]
    assert known.sum() > 25
    assert ratio == pytest.approx(ratio[0], rel=1e-12)
    assert np.median(edition.values[:, 4]) == pytest.approx(100, abs=1e-12)


def test_every_pooled_bound_is_reached_by_a_unit_in_some_year_and_frozen_in_the_definition():
    frozen = [(one.low, one.high) for one in open_spec(2017).indicators]
    levels = np.concatenate([open_edition(year, complete=False).values for year in OPEN_YEARS])
    reached = np.column_stack([np.nanmin(levels, axis=0), np.nanmax(levels, axis=0)])
    assert reached == pytest.approx(np.array(frozen), abs=1e-12)
    assert {one.bounds_status for one in open_spec(2017).indicators} == {"stated"}


def test_a_level_at_a_pooled_bound_scores_the_end_of_the_scale_in_that_year():
    ends = {1.0: 0, 100.0: 0}
    for year in OPEN_YEARS:
        edition = open_edition(year, complete=False)
        scores = score_index(edition.spec, edition.values).indicator
        assert np.nanmin(scores) >= 1 - 1e-9
        assert np.nanmax(scores) <= 100 + 1e-9
        for end in ends:
            ends[end] += (np.abs(scores - end) < 1e-9).any(axis=0)
    for end, reached in ends.items():
        assert (reached >= 1).all(), end


def test_bounds_are_the_same_in_every_year_so_equal_levels_score_equally():
    bounds = {tuple((one.low, one.high) for one in open_spec(year).indicators) for year in OPEN_YEARS}
    assert len(bounds) == 1


def test_total_is_the_sum_of_the_domains_and_the_engine_for_every_index_agrees(edition):
    made = score_index(edition.spec, edition.values)
    assert edition.domain_scores == pytest.approx(made.domain, abs=1e-9)
    assert edition.total == pytest.approx(made.total, abs=1e-9)
    assert sorted(edition.rank) == list(range(1, len(edition.areas) + 1))
    assert np.all(np.diff(edition.total[np.argsort(edition.rank)]) <= 0)


def test_units_are_the_117_of_april_2019_each_counted_once():
    areas, parts = unit_areas(), monitor_areas()
    assert len(areas) == 117 == len(set(areas.code))
    assert areas.population.sum() == parts.population.sum()
    assert areas.population_16_64.sum() == parts.population_16_64.sum()
    merged = [i for i, unit in enumerate(parts.unit) if unit == BCP]
    assert {parts.name[i] for i in merged} == {"Bournemouth", "Poole"}
    bcp = areas.code.index(BCP)
    assert areas.name[bcp] == "Bournemouth, Christchurch and Poole"
    assert areas.population[bcp] == parts.population[merged].sum()
    assert areas.name[areas.code.index(DORSET)] == "Dorset"


def test_borders_are_carried_over_without_an_area_beside_itself_or_a_pair_twice():
    areas, parts = unit_areas(), monitor_areas()
    wanted = {frozenset((parts.unit[a], parts.unit[b])) for a, b in parts.borders}
    wanted = {pair for pair in wanted if len(pair) == 2}
    assert {frozenset((areas.code[a], areas.code[b])) for a, b in areas.borders} == wanted
    assert len(areas.borders) == len(wanted) == 268


@pytest.mark.parametrize(("year", "code"), [(2017, BCP), (2021, NORTHAMPTONSHIRE)])
def test_a_unit_without_pay_is_left_out_with_its_borders_and_named(year, code):
    whole, edition = open_edition(year, complete=False), load_edition(f"open-{year}")
    assert len(whole.areas) == 117
    assert len(edition.areas) == 116
    assert code not in edition.areas.code
    assert whole.rank[place(whole, code)] == 0
    assert np.isnan(whole.total[place(whole, code)])
    assert np.isfinite(whole.domain_scores[place(whole, code), :2]).all()
    assert whole.areas.name[place(whole, code)] in edition.notes[-1]
    kept = {frozenset((edition.areas.code[a], edition.areas.code[b])) for a, b in edition.areas.borders}
    everyone = {frozenset((whole.areas.code[a], whole.areas.code[b])) for a, b in whole.areas.borders}
    assert kept == {pair for pair in everyone if code not in pair}


def test_every_title_says_what_is_missing_and_where_the_figures_break(edition):
    title = edition.spec.title
    for words in ("not published", "satisfactory hours missing", "2020", "furlough", edition.name[-4:]):
        assert words in title
    assert not edition.published
    assert edition.survey_period == f"{edition.name[-4:]}-01/{edition.name[-4:]}-12"
    assert "{year}" not in repr(edition.spec)


def test_standard_errors_are_those_of_the_published_limits_of_that_year(edition):
    error = sampling_error(edition)
    limits = unit_values("indicators", "economic_activity_rate_16_64", edition.survey_period, edition.areas.unit)
    known = np.isfinite(limits["lower_95"])
    wanted = ((limits["upper_95"] - limits["lower_95"]) / 3.92)[known]
    assert edition.level_errors[known, 0] == pytest.approx(wanted, abs=1e-12)
    assert error.std_error[known, 0] == pytest.approx(wanted, abs=1e-12)
    assert error.cov_points[known, 0, 0] == pytest.approx((wanted * 99 / 25.2) ** 2, rel=1e-12)
    assert np.isfinite(error.std_error).all()
    assert np.linalg.eigvalsh(error.domain_cov).min() > 1
    assert edition.survey_period[:4] in " ".join(error.notes)
    assert "hours" not in " ".join(error.notes)


def test_the_error_of_relative_pay_is_that_of_the_published_pay_in_proportion(edition):
    pay = unit_values("indicators", "median_gross_weekly_pay", f"{edition.survey_period[:4]}-04", edition.areas.unit)
    share = (pay["upper_95"] - pay["lower_95"]) / 3.92 / pay["value"]
    assert edition.level_errors[:, 4] / edition.values[:, 4] == pytest.approx(share, rel=1e-12)


def test_shares_of_one_area_are_correlated_as_parts_of_one_sample(edition):
    error, points = sampling_error(edition), points_per_unit(edition).estimate
    n = edition.values[:, 2] * (100 - edition.values[:, 2]) / error.std_error[:, 2] ** 2
    wanted = -edition.values[:, 2] * edition.values[:, 3] / n * points[2] * points[3]
    assert error.cov_points[:, 2, 3] == pytest.approx(wanted, rel=1e-9)


def test_the_monitor_keeps_its_sampling_error_by_the_formulas_written_out():
    edition = load_edition("monitor-2021")
    error = sampling_error(edition)
    respondents = effective_respondents(edition)
    employed = (
        respondents
        * unit_values("indicators", "employment_rate_16_64", "2018-01/2018-12", edition.areas.unit)["value"]
        / 100
    )
    for j, name in ((0, "economic_activity_rate_16_64"), (1, "unemployment_rate_16_64")):
        rows = unit_values("indicators", name, "2018-01/2018-12", edition.areas.unit)
        limits = (rows["upper_95"] - rows["lower_95"]) / 3.92
        binomial = np.sqrt(edition.values[:, j] * (100 - edition.values[:, j]) / respondents)
        wanted = np.where(np.isnan(limits), np.nanmedian(limits / binomial) * binomial, limits)
        assert error.std_error[:, j] == pytest.approx(wanted, abs=1e-12)
    for j in (2, 3):
        share = edition.values[:, j]
        assert error.std_error[:, j] == pytest.approx(np.sqrt(share * (100 - share) / employed), abs=1e-12)
    points = points_per_unit(edition).estimate
    assert error.std_error[:, 5] == pytest.approx(np.abs(error.std_error[:, 2] * points[2]), abs=1e-12)
    member = np.eye(3)[list(edition.spec.domain_of())]
    assert error.domain_cov == pytest.approx(np.einsum("jd,njk,ke->nde", member, error.cov_points, member), abs=1e-12)
    # Printed before sampling errors were made to work for any edition.
    assert error.total_std_error[:3] == pytest.approx([22.94933348, 21.95747461, 15.95864417], abs=1e-8)
    assert error.total_std_error.mean() == pytest.approx(18.111570623867127, abs=1e-10)


def test_the_monitor_is_published_and_rests_on_2018():
    edition = load_edition()
    assert edition.published
    assert edition.survey_period == "2018-01/2018-12"
    assert np.isnan(edition.level_errors[:, [2, 3, 5]]).all()
    assert edition.total[0] == 502.0


def test_an_edition_made_without_errors_has_none_that_are_published():
    edition = load_edition("open-2019")
    assert np.isnan(replace(edition, level_errors=np.empty((0, 0))).level_errors).all()


def test_ranks_come_out_of_every_open_edition(edition):
    posterior = score_posterior(
        edition.domain_scores,
        sampling_error(edition).domain_cov,
        edition.areas.region_index(),
        edition.areas.code,
        n_draws=500,
    )
    assert posterior.efficiency > 0.5
    assert np.corrcoef(posterior.shrunk.sum(axis=1), edition.total)[0, 1] > 0.98


def test_an_open_edition_agrees_with_the_published_monitor_as_far_as_open_figures_can():
    published, rebuilt = load_edition(), load_edition("open-2018")
    total = dict(zip(published.areas.unit, published.total, strict=True))
    assert np.corrcoef(rebuilt.total, [total[code] for code in rebuilt.areas.code])[0, 1] > 0.94


def test_the_words_of_an_open_edition_are_its_areas_and_indicators():
    words = load_vocabulary("open-2021")
    assert len(words.areas) == 116
    assert words.area_code("bournemouth, christchurch  and poole") == BCP
    assert "satisfactory_hours" not in words.indicators
    assert len(load_vocabulary().areas) == 118


def test_an_edition_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    known = "monitor-2021, open-2017, open-2018, open-2019, open-2020, open-2021"
    message = f"Unknown edition 'open-2022'; expected one of {known}, or a folder that gwm data build wrote."
    for load in (load_edition, load_vocabulary):
        with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
            load("open-2022")
        with pytest.raises(DataError, match=r"is no edition \(no edition.json\). Run gwm data build on it first.$"):
            load(str(tmp_path))
    with pytest.raises(DataError, match=r"^There is no open edition of 2016; expected 2017 to 2021.$"):
        open_edition(2016)
    assert len(EDITIONS) == 6


def test_an_index_without_sampling_definitions_has_no_sampling_error(shipped):
    edition = replace(load_edition("open-2019"), spec=read_index(shipped.data / "conditions.yaml"))
    with pytest.raises(DataError, match="does not say where the sampling error of 'gva_per_head' comes from"):
        sampling_error(edition)
