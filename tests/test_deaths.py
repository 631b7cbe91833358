"""Rates of deaths as outcomes of a scenario: levels by hand, slopes of made-up links, sums, words and the checker."""

from __future__ import annotations

import made_scenario
import numpy as np
import pytest

import gwm_models
from gwm_models.data.edition import load_edition, unit_values
from gwm_models.data.vocabulary import load_vocabulary
from gwm_models.models import mortality, mortality_links
from gwm_models.models.health import health_models
from gwm_models.models.links import HealthLinks, draw_links, links_to_arrays
from gwm_models.models.outcomes import find_outcome
from gwm_models.models.store import Record
from gwm_models.report.run_folder import run_manifest
from gwm_models.scenarios import outcomes
from gwm_models.scenarios.explain import explain
from gwm_models.scenarios.known import DEATH_RATE, MORTALITY, NOT_WITHIN, outcomes_of
from gwm_models.scenarios.measured import measure_draws, measure_label
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.reader import check_mapping
from gwm_models.scenarios.rows import area_rows
from gwm_models.scenarios.spec import Measured
from gwm_models.scenarios.summary import summarise

HEARTS, DRUGS, MEN = "preventable_cvd_mortality", "drug_poisoning_deaths", "healthy_life_expectancy_male"
DRAWS = 400


@pytest.fixture(scope="module")
def edition():
    return load_edition()


@pytest.fixture(scope="module", autouse=True)
def made_up():
    """Links that nobody has to fit: slopes per point around -0.07 and -0.02 between areas, weaker within them."""
    rng = np.random.default_rng(3)
    between, access, within = (
        rng.normal(means, 0.002, (500, 2)) for means in ((-0.07, -0.02), (-0.1, -0.04), (-0.01, 0.02))
    )
    units = (mortality_links.UNIT,) * 2
    labels = tuple(MORTALITY.values())
    links = HealthLinks(mortality_links.MORTALITY, labels, units, ("", ""), between, access, within, np.eye(6))
    slope = {"estimate": -7.0, "std_error": 0.2, "lower": -7.4, "upper": -6.6, "period": "2009 to 2017", "excluded": ""}
    facts = {
        "between": slope,
        "between_access": slope,
        "within_access": slope,
        "reliability_total": 0.95,
        "links": {"between": "", "within": "", "none": ""},
    }
    arrays = links_to_arrays(links)
    words = {name: array.tolist() for name, array in arrays.items() if array.dtype.kind in "US"}
    numbers = {name: (("draw", "outcome"), array) for name, array in arrays.items() if name not in words}
    record = Record(numbers, {"words": words, "models": dict.fromkeys(MORTALITY, facts)})
    kept = (
        mortality_links.stored_links,
        mortality_links.mortality_links,
        mortality.mortality_models,
        outcomes._slopes,
    )
    with pytest.MonkeyPatch.context() as patch:
        for cached in kept:
            cached.cache_clear()
        patch.setattr(mortality_links, "find", lambda name, key: record)
        yield links
    for cached in kept:
        cached.cache_clear()


DRIVE = {
    "id": "drive",
    "indicator": "economic_activity_rate",
    "change": {"kind": "absolute", "value": 2.0, "unit": "pp"},
    "target": {"regions": ["North West"]},
    "phasing": {"start": 2026, "full_by": 2028},
}


def scenario(*health, **changes):
    return check_mapping(made_scenario.content(DRIVE, **({"health": list(health), "draws": DRAWS} | changes)))


def sound(*health, **changes):
    return made_scenario.scenario(DRIVE, **({"health": list(health), "draws": DRAWS} | changes))


BOTH = ({"outcome": HEARTS, "link": "within"}, {"outcome": DRUGS, "link": "between"})


@pytest.fixture(scope="module")
def both():
    return project(sound({"outcome": MEN, "link": "within"}, *BOTH), variance=False)


def test_names_units_and_labels_are_those_of_the_models():
    assert tuple(MORTALITY) == mortality_links.MORTALITY
    assert mortality_links.UNIT == DEATH_RATE
    assert {name: find_outcome(name).label for name in MORTALITY} == MORTALITY
    assert set(NOT_WITHIN) <= set(MORTALITY)


def test_only_the_monitor_has_them(edition):
    assert list(outcomes_of(load_vocabulary()))[-2:] == [HEARTS, DRUGS]
    assert outcomes_of(load_vocabulary("open-2019")) == {}
    assert [spec.id for spec in outcomes.outcome_specs(edition)] == list(outcomes_of(load_vocabulary()))
    assert outcomes.outcome_specs(load_edition("open-2019")) == ()
    found, problems = scenario(BOTH[0], baseline={"edition": "open-2019"})
    assert found is None
    assert "unknown health outcome 'preventable_cvd_mortality'" in str(problems[0])


@pytest.mark.parametrize("health", [{"outcome": DRUGS}, {"outcome": DRUGS, "link": "within"}])
def test_no_slope_within_areas_is_taken_where_it_is_no_effect(health):
    found, problems = scenario(health)
    assert found is None
    assert "no effect of good work" in str(problems[0])
    assert scenario({"outcome": DRUGS, "link": {"causal_share": {"mean": 0.3, "sd": 0.1}}})[0] is not None


def test_deaths_from_drugs_are_a_rate_a_year_on_residents(edition):
    rate, areas = mortality.death_rate(edition, DRUGS), edition.areas
    hull = areas.name.index("Kingston upon Hull, City of")
    years = [unit_values("outcomes", DRUGS, year, areas.unit)["value"] for year in ("2016", "2017", "2018")]
    deaths = sum(float(year[hull]) for year in years)
    assert rate.value[hull] == pytest.approx(1e5 * deaths / 3 / areas.population[hull])
    assert rate.error[hull] == pytest.approx(rate.value[hull] / np.sqrt(deaths))


def test_units_whose_residents_are_only_known_together_have_one_rate(edition):
    rate, areas = mortality.death_rate(edition, DRUGS), edition.areas
    places = [areas.name.index(name) for name in ("Bournemouth", "Poole", "Dorset")]
    years = [unit_values("outcomes", DRUGS, year, ("E06000058", "E06000059"))["value"] for year in ("2016", "2017")]
    last = unit_values("outcomes", DRUGS, "2018", ("E06000058", "E06000059"))["value"]
    deaths = sum(float(year.sum()) for year in (*years, last))
    assert rate.value[places] == pytest.approx([1e5 * deaths / 3 / areas.population[places].sum()] * 3)
    assert len({rate.unit[place] for place in places}) == 1


def test_a_standardised_rate_is_as_published_and_missing_where_it_is_not(edition):
    rate, areas = mortality.death_rate(edition, HEARTS), edition.areas
    published = unit_values("outcomes", "preventable_cvd_mortality_u75_asmr", "2016-18", areas.unit)["value"]
    assert np.array_equal(rate.value, published, equal_nan=True)
    assert [areas.name[i] for i in np.flatnonzero(np.isnan(rate.value))] == ["Cumbria", "Northamptonshire"]


def test_slopes_come_in_the_order_asked_for_whatever_is_asked_for_beside_them(edition, made_up):
    mixed = outcomes.slopes_of(edition, [DRUGS, MEN, HEARTS], DRAWS, 5)
    alone = outcomes.slopes_of(edition, [HEARTS], DRAWS, 5)
    assert mixed.outcome == (DRUGS, MEN, HEARTS)
    assert np.array_equal(mixed.within_access[:, 2], alone.within_access[:, 0])
    men = draw_links(health_models(edition).links, n_draws=DRAWS, seed=5)
    assert np.array_equal(mixed.between[:, 1], men.between[:, men.outcome.index(MEN)])
    assert mixed.between[:, 0].mean() == pytest.approx(made_up.between[:, 1].mean(), abs=1e-4)
    central = outcomes.slopes_of(edition, [DRUGS], None, 5)
    assert central.between == pytest.approx(made_up.between[:, 1:].mean(axis=0, keepdims=True))
    assert outcomes.slopes_of(edition, [], DRAWS, 5).between.shape == (DRAWS, 0)


def test_a_change_is_the_slope_times_the_change_of_the_total(both, edition):
    men, hearts, drugs = both.health
    slopes = outcomes.slopes_of(edition, [HEARTS, DRUGS], DRAWS, 1)
    assert np.allclose(hearts.full, slopes.between[:, :1] * both.change)
    assert np.allclose(drugs.stated, slopes.between[:, 1:] * both.change)
    assert np.array_equal(drugs.stated, drugs.full)
    assert np.allclose(hearts.stated, slopes.within_access[:, :1] * both.domain_change[:, :, 0])
    alone = project(sound({"outcome": MEN, "link": "within"}), variance=False)
    assert np.array_equal(alone.health[0].stated, men.stated)


def test_deaths_are_counted_for_a_crude_rate_and_not_for_a_standardised_one(both, edition):
    summary = summarise(both)
    rows = [row for row in summary["sums"] if row["kind"] == "deaths"]
    assert {row["quantity"] for row in rows} == {DRUGS}
    (every,) = (row for row in rows if row["group"] == "All areas")
    by_hand = (both.health[2].stated * edition.areas.population / 1e5).sum(axis=1)
    assert every["estimate"] == pytest.approx(by_hand.mean(), abs=1e-6)
    assert every["estimate"] < 0
    said = " ".join(summary["assumptions"])
    assert "Deaths are the change of a crude rate" in said
    assert f"{MORTALITY[HEARTS]}: standardised for age, so times residents it is not a number of deaths" in said
    assert "drawn apart from healthy life expectancy" in said


def test_fewer_deaths_are_better(both):
    summary = summarise(both)
    for name in (HEARTS, DRUGS):
        (row,) = (
            row
            for row in summary["groups"]
            if (row["quantity"], row["group"], row["state"]) == (name, "Target areas", "difference")
        )
        assert row["estimate"] < 0
        assert row["prob_better"] > 0.9
    assert f"{MORTALITY[DRUGS]}: a fall there of " in summary["headline"]
    assert f"{DEATH_RATE} under the stated link" in summary["headline"]
    assert [found["outcome"] for found in summary["break_even"]] == [MEN]


def test_an_area_without_a_rate_has_a_change_and_is_left_out_of_the_level(both, edition):
    rows = {
        row["state"]: row for row in area_rows(both, 0.9) if (row["area_name"], row["quantity"]) == ("Cumbria", HEARTS)
    }
    assert rows["baseline"]["estimate"] is None
    assert rows["difference"]["estimate"] < 0
    level = measure_draws(both, Measured(quantity=HEARTS, group="North West", state="scenario")).mean()
    areas = edition.areas
    known = np.array([r == "North West" for r in areas.region]) & np.isfinite(both.health[1].published)
    published = both.health[1].published[known] @ areas.population[known] / areas.population[known].sum()
    assert level == pytest.approx(published, abs=1.5)


def test_a_measure_of_deaths_is_named_with_its_unit(both, edition):
    measured = Measured(quantity=DRUGS, group="all areas")
    label = "Deaths from drug poisoning (stated link), mean of all areas: change"
    for known in (both, edition, load_vocabulary()):
        assert measure_label(known, measured) == (label, DEATH_RATE)


def test_the_manifest_names_the_links_that_were_drawn_from(edition):
    def links(*health):
        found = run_manifest(sound(*health), command="", scenario_text="")
        return {name for name in found if name.endswith("links_sha256")}

    assert links() == set()
    assert links({"outcome": MEN}) == {"health_links_sha256"}
    assert links(BOTH[0]) == {"mortality_links_sha256"}
    assert links({"outcome": MEN}, BOTH[1]) == {"health_links_sha256", "mortality_links_sha256"}


def test_the_fitted_links_are_stored_with_what_the_report_says_of_them(edition, made_up, monkeypatch):
    monkeypatch.setattr(mortality_links, "fit_mortality", lambda edition: made_up)
    facts = mortality_links.links_record(edition).facts["models"]
    assert facts[HEARTS]["between"]["estimate"] == pytest.approx(100 * made_up.between[:, 0].mean())
    assert facts[HEARTS]["between"]["excluded"] == "Cumbria (no figure); Northamptonshire (no figure)"
    assert (facts[HEARTS]["between"]["n"], facts[DRUGS]["between"]["n"]) == (115, 114)
    assert "known together" in facts[DRUGS]["between"]["excluded"]
    assert facts[HEARTS]["within_access"]["n"] == 115 * 9
    assert 0.9 < facts[DRUGS]["reliability_total"] < 1


def test_the_plain_words_of_a_scenario_name_the_deaths(edition):
    assert any(MORTALITY[HEARTS] in line for line in str(explain(sound(*BOTH), edition)).split(";"))


def test_measures_and_the_slope_index_are_at_hand_from_the_package():
    assert gwm_models.measure_draws is measure_draws
    assert gwm_models.slope_index_of_inequality.__module__ == "gwm_models.scenarios.slope_index"
