"""The table that cross-section models are fitted to: units once, merged by population, with what is missing said."""

import numpy as np
import pytest

from gwm_models.data.edition import load_edition, unit_values
from gwm_models.data.tables import read_table
from gwm_models.errors import DataError, ModelError
from gwm_models.index.sampling import sampling_error
from gwm_models.models.cross_section import cross_section
from gwm_models.models.outcomes import OUTCOMES, TOPICS, find_outcome, find_subject, source_of

BCP, DORSET, NORTHAMPTONSHIRE = "E06000058", "E06000059", "E10000021"


@pytest.fixture(scope="module")
def monitor():
    return load_edition()


@pytest.fixture(scope="module")
def male(monitor):
    return cross_section(monitor, find_outcome("healthy_life_expectancy_male"))


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.id)
def test_every_outcome_has_figures_a_source_and_each_unit_once(monitor, outcome):
    table = cross_section(monitor, outcome)
    assert len(set(table.code)) == len(table) == (116 if outcome.kind == "count" else 117)
    assert np.isfinite(table.value).sum() >= 115
    assert source_of(outcome).count(": ") >= 1
    assert table.population.sum() == pytest.approx(monitor.areas.population.sum())


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.id)
def test_a_rate_says_what_is_counted_and_over_which_time_and_its_source_says_which_rate(outcome):
    of = {"variable": outcome.variable, "table": outcome.table}
    published = read_table("variables", where=of)
    assert outcome.is_rate == (published["unit"][0] == "per_100k")
    if outcome.is_rate or outcome.kind == "count":
        time = "in four months" if outcome.group == "covid" else "a year"
        assert outcome.level_unit in {f"{what} per 100,000 {time}" for what in ("deaths", "admissions")}
    if outcome.is_rate:
        assert source_of(outcome).endswith(f"({published['label'][0]})")
        assert ("age-standardised" in source_of(outcome)) == outcome.variable.endswith(("_asr", "_asmr"))


def test_rates_of_spring_2020_are_of_four_months_as_deaths_over_residents_say(monitor):
    """Age standards move an area's rate, not their middle; rates of a year would be three times as high."""
    counted = cross_section(monitor, find_outcome("covid19_deaths"))
    crude = dict(zip(counted.code, 1e5 * counted.value / counted.population, strict=True))
    published = cross_section(monitor, find_outcome("covid19_mortality"))
    ratio = [rate / crude[code] for code, rate in zip(published.code, published.value, strict=True) if code in crude]
    assert len(ratio) == 115
    assert np.median(ratio) == pytest.approx(1, abs=0.05)


def test_areas_that_share_a_unit_are_one_row_merged_by_population(monitor, male):
    areas = monitor.areas
    pair = [i for i, unit in enumerate(areas.unit) if unit == BCP]
    people = areas.population[pair]
    here = male.code.index(BCP)
    assert [areas.name[i] for i in pair] == ["Poole", "Bournemouth"] and male.shared.sum() == 1 and male.shared[here]
    assert male.total[here] == pytest.approx(people @ monitor.total[pair] / people.sum())
    assert male.population[here] == people.sum()


def test_the_error_of_a_merged_unit_is_not_shrunk_as_if_its_areas_were_independent(monitor, male):
    errors = sampling_error(monitor).total_std_error
    pair = [i for i, unit in enumerate(monitor.areas.unit) if unit == BCP]
    people = monitor.areas.population[pair]
    independent = np.sqrt(people**2 @ errors[pair] ** 2) / people.sum()
    merged = male.total_error[male.code.index(BCP)]
    assert independent < merged <= errors[pair].max() + 1e-9
    alone = male.code.index("E06000009")
    assert male.total_error[alone] == pytest.approx(errors[monitor.areas.code.index("E06000009")])


def test_units_that_were_surveyed_apart_have_errors_of_their_own(monitor):
    deaths = cross_section(monitor, find_outcome("drug_poisoning_deaths"))
    levels = cross_section(monitor, find_outcome("healthy_life_expectancy_male"))
    pair = [levels.code.index(code) for code in (BCP, DORSET)]
    people, errors = levels.population[pair], levels.total_error[pair]
    joined = deaths.total_error[deaths.code.index(f"{BCP}+{DORSET}")]
    assert joined == pytest.approx(np.sqrt(people**2 @ errors**2) / people.sum(), rel=1e-9)


def test_known_correlations_with_the_total_without_the_shared_unit(monitor):
    known = {
        "healthy_life_expectancy_male": (0.82, 116),
        "healthy_life_expectancy_female": (0.80, 116),
        "alcohol_related_admissions": (-0.59, 115),
        "drug_misuse_admissions": (-0.53, 116),
        "self_harm_admissions": (-0.26, 115),
        "avoidable_mortality": (-0.74, 116),
        "covid19_mortality": (-0.24, 116),
        "non_covid19_mortality": (-0.71, 116),
        "furlough_takeup": (-0.29, 115),
    }
    for name, (r, n) in known.items():
        table = cross_section(monitor, find_outcome(name))
        kept, _ = table.keep((table.value, "no published value"), (~table.shared, "two Monitor areas in one unit"))
        assert np.corrcoef(table.total[kept], table.value[kept])[0, 1] == pytest.approx(r, abs=0.0051)
        assert kept.sum() == n


def test_suicide_has_its_known_correlation_only_with_rutland_whose_figure_is_unreliable(monitor):
    table = cross_section(monitor, find_outcome("suicide"))
    every = unit_values("outcomes", "suicide_asmr", "2016-18", table.code)["value"]
    for value, r, n in ((every, -0.330, 116), (table.value, -0.315, 115)):
        kept = np.isfinite(value) & ~table.shared
        assert (np.corrcoef(table.total[kept], value[kept])[0, 1], kept.sum()) == (pytest.approx(r, abs=0.001), n)


def test_counts_take_the_two_units_that_christchurch_moved_between_as_one(monitor):
    deaths = cross_section(monitor, find_outcome("drug_poisoning_deaths"))
    here = deaths.code.index(f"{BCP}+{DORSET}")
    assert deaths.value[here] == 38 + 45 + 31 + 20 + 21 + 23
    assert deaths.name[here] == "Bournemouth, Christchurch and Poole with Dorset"
    assert BCP not in deaths.code and DORSET not in deaths.code


def test_a_count_of_one_of_the_two_units_alone_is_left_out():
    edition = load_edition("open-2017")
    assert BCP not in edition.areas.unit and DORSET in edition.areas.unit
    deaths = cross_section(edition, find_outcome("drug_poisoning_deaths"))
    kept, out = deaths.keep((deaths.value, "no published value"))
    assert "Dorset (its residents are only known together with a unit that is missing)" in out
    assert not kept[deaths.code.index(DORSET)]


def test_what_is_left_out_is_named_with_its_reason(male, monitor):
    kept, out = male.keep((male.value, "no published value"), (male.error, "no published limits"))
    assert out == ("Northamptonshire (no published limits)",) and kept.sum() == 116
    suicide = cross_section(monitor, find_outcome("suicide"))
    kept, out = suicide.keep((suicide.value, "no published value"))
    assert out == ("Rutland (few deaths, published as unreliable)",) and kept.sum() == 116


def test_too_few_units_are_refused_in_one_line_that_says_why(male):
    few = np.where(np.arange(len(male)) < 4, 1.0, np.nan)
    with pytest.raises(ModelError, match=r"4 of 117 units can be used, a fit needs 10.*no pay published") as caught:
        male.keep((male.value, "no published value"), (few, "no pay published"))
    assert "\n" not in str(caught.value)


def test_borders_are_between_units_and_the_isle_of_wight_has_none(male):
    island = male.code.index("E06000046")
    assert island not in male.borders
    assert (male.borders[:, 0] < male.borders[:, 1]).all()
    assert len(np.unique(male.borders, axis=0)) == len(male.borders) == 268
    kept = np.ones(len(male), dtype=bool)
    kept[0] = False
    gone = (male.borders == 0).any(axis=1).sum()
    assert len(male.borders_of(kept)) == 268 - gone
    first = male.borders[~(male.borders == 0).any(axis=1)][0]
    assert male.borders_of(kept)[0].tolist() == (first - 1).tolist()


def test_an_unknown_outcome_is_refused_with_the_nearest_one():
    with pytest.raises(DataError, match=r"no outcome 'sucide'\. Did you mean suicide\?"):
        find_subject("sucide")
    with pytest.raises(DataError, match="several outcomes together"):
        find_outcome("despair")


def test_topics_name_outcomes_that_exist():
    for topic in TOPICS:
        assert set(topic.members) <= {outcome.id for outcome in OUTCOMES}
