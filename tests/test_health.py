"""What scenarios draw from: stored slopes of health on the index, and the fits behind them."""

import numpy as np
import pytest

from gwm_models.data.edition import load_edition
from gwm_models.models import health, store
from gwm_models.models.links import SLOPES, central_links, draw_links


@pytest.fixture(scope="module")
def models():
    return health.health_models(load_edition())


def test_the_stored_links_are_those_of_todays_data_and_code():
    """Where this fails: `gwm reproduce` fits them anew, which takes minutes."""
    folder = store.reference_folder()
    assert folder is not None
    record = store.read_record(folder / f"{health.FILE}.nc", health.links_key(load_edition()))
    assert record is not None
    assert record.arrays["between"][1].shape == (health.DRAWS, 2)


def test_slopes_that_are_shown_are_those_that_are_drawn(models):
    for o, model in enumerate(models.models):
        for name, shown in zip(SLOPES, (model.between, model.between_access, model.within_access), strict=True):
            draws = 100 * getattr(models.links, name)[:, o]
            assert shown["estimate"] == pytest.approx(draws.mean(), abs=1e-4)
            assert shown["lower"] < shown["estimate"] < shown["upper"]
            assert (shown["lower"], shown["upper"]) == pytest.approx(
                tuple(np.quantile(draws, [0.025, 0.975])), abs=1e-3
            )


def test_slopes_corrected_for_noise_lie_beyond_the_plain_ones(models):
    for model in models.models:
        plain = model.plain["between"]["estimate"]
        assert plain < model.between["estimate"] < plain / (model.reliability_total - 0.02)
        assert model.plain["within"]["n"] == 1164 and model.between["n"] == 116
        assert model.between["excluded"] == "Northamptonshire (no published limits)"


def test_most_of_the_association_does_not_move_with_an_area_over_time(models):
    """The Monitor's own known answer, with noise taken out: the slope within areas is a fraction of that between."""
    draws = draw_links(models.links, n_draws=4000, seed=1)
    assert (np.median(draws.within_share, axis=0) < 0.5).all()
    assert (draws.within_share.mean(axis=0) < 0.5).all()
    central = central_links(models.links)
    assert central.between.shape == (1, 2) and (central.between > 0).all()


def test_each_link_says_what_it_assumes(models):
    for model in models.models:
        assert set(model.links) == {"between", "within", "none"}
        assert "years" in model.links["between"] and "survey" in model.links["within"]


def test_an_edition_without_outcomes_has_no_links():
    found = health.health_models(load_edition("open-2019"))
    assert found.models == () and found.links.outcome == ()
    assert draw_links(found.links, n_draws=5, seed=1).between.shape == (5, 0)


def test_links_come_back_from_a_file_as_they_were(models, tmp_path):
    record = store.read_record(store.reference_folder() / f"{health.FILE}.nc")
    store.write_record(tmp_path / "again.nc", "key", record)
    again = health._unpack(load_edition(), store.read_record(tmp_path / "again.nc", "key"))
    assert [vars(model) for model in again.models] == [vars(model) for model in models.models]
    for name in (*SLOPES, "correlation"):
        assert np.array_equal(getattr(again.links, name), getattr(models.links, name))


def test_a_stored_record_of_another_fingerprint_is_not_used(tmp_path, monkeypatch):
    folder = tmp_path / "fits"
    record = store.read_record(store.reference_folder() / f"{health.FILE}.nc")
    store.write_record(folder / f"{health.FILE}.nc", "old", record)
    monkeypatch.setattr(store, "reference_folder", lambda: folder)
    monkeypatch.setenv("GWM_CACHE", str(tmp_path / "cache"))
    made = []
    monkeypatch.setattr(health, "links_record", lambda edition: made.append(edition.name) or record)
    health.health_models.__wrapped__(load_edition())
    health.health_models.__wrapped__(load_edition())
    assert made == ["monitor-2021"]
