"""Links with avoidable deaths: rates by hand, the samples, draws apart from those of other outcomes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gwm_models.data.edition import Edition, load_edition
from gwm_models.errors import ModelError
from gwm_models.models import mortality_links as mortality
from gwm_models.models.cross_section import CHRISTCHURCH
from gwm_models.models.links import AccessDraws, HealthLinks, draw_links, links_to_arrays
from gwm_models.models.outcomes import find_outcome
from gwm_models.models.panel.table import load_panel
from gwm_models.models.store import Record


@pytest.fixture(scope="module")
def edition() -> Edition:
    return load_edition()


def made_up_links() -> HealthLinks:
    rng = np.random.default_rng(1)
    between, access, within = (rng.normal(mean, 0.01, (500, 2)) for mean in (-0.07, -0.16, -0.02))
    names = ("label", "label")
    return HealthLinks(mortality.MORTALITY, names, names, ("", ""), between, access, within, np.eye(6))


def test_deaths_from_drugs_are_rates_a_year_on_residents(edition):
    sample = mortality.sample_of(edition, find_outcome("drug_poisoning_deaths"))
    counts = load_panel(edition, find_outcome("drug_poisoning_deaths"))
    i, j = sample.code.index("E06000009"), counts.unit.index("E06000009")
    three = counts.value[j, [counts.year.index(year) for year in (2016, 2017, 2018)]].sum()
    assert sample.value[i] == pytest.approx(1e5 * three / 3 / counts.population[j])
    assert sample.error[i] == pytest.approx(sample.value[i] / np.sqrt(three))
    assert not {*CHRISTCHURCH} & {*sample.code}


def test_a_panel_of_counts_has_poisson_errors_of_its_mean(edition):
    counts = load_panel(edition, find_outcome("drug_poisoning_deaths"))
    rates = mortality.as_rates(counts)
    j, k = counts.unit.index("E06000009"), rates.unit.index("E06000009")
    assert np.allclose(rates.value[k], 1e5 * counts.value[j] / counts.population[j])
    assert np.allclose(rates.value_error[k], 1e5 * np.sqrt(counts.value[j].mean()) / counts.population[j])
    assert np.array_equal(rates.exposure[:, k], counts.exposure[:, j], equal_nan=True)
    assert len(rates) == len(counts) - 2
    assert rates.outcome.kind == "level"


def test_a_standardised_rate_is_taken_as_it_is_published(edition):
    outcome = find_outcome("preventable_cvd_mortality")
    sample = mortality.sample_of(edition, outcome)
    assert sample.panel is load_panel(edition, outcome)
    assert len(sample.code) >= 114
    assert (sample.error > 0).all()


def test_draws_stand_apart_from_those_of_other_outcomes():
    links = made_up_links()
    one, again = (mortality.draw_mortality(links, n_draws=400, seed=9) for _ in range(2))
    assert one.between.tobytes() == again.between.tobytes()
    other = draw_links(links, n_draws=400, seed=9)
    assert abs(np.corrcoef(one.between[:, 0], other.between[:, 0])[0, 1]) < 0.2


def test_stored_links_come_back_as_they_were(edition, monkeypatch):
    links = made_up_links()
    monkeypatch.setattr(mortality, "fit_mortality", lambda edition: links)
    monkeypatch.setattr(mortality, "stored_links", mortality.stored_links.__wrapped__)
    record = mortality.links_record(edition)
    monkeypatch.setattr(mortality, "find", lambda name, key: Record(record.arrays, record.facts))
    back = mortality.mortality_links.__wrapped__(edition)
    assert back.outcome == links.outcome
    for name, array in links_to_arrays(links).items():
        assert np.array_equal(array, links_to_arrays(back)[name])


def test_a_slope_that_may_be_zero_is_no_link():
    with pytest.raises(ModelError, match="has no meaning"):
        mortality._check_clear(find_outcome("drug_poisoning_deaths"), np.linspace(-1, 1, 100))


def test_other_links_have_another_fingerprint(edition):
    other = replace(edition, total=edition.total + 1)
    assert mortality.links_key(edition) != mortality.links_key(other)


def test_a_slope_of_the_other_sign_within_areas_is_told():
    across, over_time = np.linspace(-5, -4, 50), np.linspace(0.1, 3, 50)
    slopes = AccessDraws(across, over_time, np.zeros((50, 1)))
    drugs, hearts = (find_outcome(name) for name in ("drug_poisoning_deaths", "preventable_cvd_mortality"))
    assert "other sign" in mortality.note_on(drugs, slopes)
    assert "standardised" not in mortality.note_on(drugs, slopes)
    assert mortality.note_on(drugs, AccessDraws(across, -over_time, np.zeros((50, 1)))) == ""
    assert "standardised for age" in mortality.note_on(hearts, AccessDraws(across, -over_time, np.zeros((50, 1))))


@pytest.mark.slow
def test_avoidable_deaths_go_with_good_work_between_areas_and_hardly_within(edition):
    links = mortality.fit_mortality(edition, n_draws=1000)
    between, access, within = (
        100 * draws.mean(axis=0) for draws in (links.between, links.between_access, links.within_access)
    )
    assert (between < 0).all()
    assert (access < between).all()
    assert abs(within[0]) < 0.2 * abs(access[0])
    assert within[1] > 0
    assert "other sign" in links.note[1]
    assert np.linalg.eigvalsh(links.correlation).min() > -1e-8
