"""Stored fits: the same back, found by fingerprint, made anew when data or code have changed."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwm_models.cli.fit import make_fits
from gwm_models.data.edition import load_edition
from gwm_models.errors import DataError, OutputError
from gwm_models.models import catalogue, store
from gwm_models.models.fit import Fit, Spec, of_draws, wald
from gwm_models.models.outcomes import find_outcome

SUBJECT = find_outcome("suicide")


def a_fit(seed=1, **parts):
    draws = np.random.default_rng(seed).normal(size=(500, 2))
    made = Fit(
        outcome="suicide",
        label="Suicide",
        spec="made-up",
        title="a made-up fit",
        method="draws",
        citation="none",
        period="2016-18",
        source="nobody",
        term=("total", "sigma"),
        unit=("per 100,000 per 100 points", "per 100,000"),
        sample=("E06000001", "E06000002"),
        n=2,
        excluded=("Rutland (few deaths)",),
        focus="total",
        found="Found.",
        not_shown="Not shown.",
        influence=np.array([0.5, -0.5]),
        diagnostics={"efficiency": 0.9, "words": "good"},
        assumptions=("one", "two"),
        tables={"areas": [{"area_code": "E06000001", "estimate": np.float64(1.5), "odd": float("nan")}]},
        seed=seed,
        **of_draws(draws),
    )
    return replace(made, **parts)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GWM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(store, "reference_folder", lambda: None)
    return tmp_path / "cache"


@pytest.fixture
def counted():
    """Return a specification that counts how often it is fitted."""
    calls = []

    def make(edition, subject, *, n_draws, seed):
        calls.append((n_draws, seed))
        return a_fit(seed)

    spec = Spec("made-up", "made up", lambda _: True, make, "models.fit", bayes=True, stored=True)
    return SimpleNamespace(spec=spec, calls=calls)


@pytest.fixture
def forgetful():
    """Forget the hashes of a test, however it ends."""
    yield
    store._folder_hash.cache_clear()
    store._code_hash.cache_clear()


def same(one, other):
    assert one.to_json() | {"tables": 0} == other.to_json() | {"tables": 0}
    for name in store.DIMS:
        mine, yours = getattr(one, name), getattr(other, name)
        assert (mine is None) == (yours is None)
        if mine is not None:
            assert mine == pytest.approx(yours, rel=1e-6, abs=1e-6)


def test_a_stored_fit_comes_back_the_same_and_read_only(tmp_path):
    fit = a_fit()
    store.write_record(tmp_path / "fit.nc", "key", store.pack(fit))
    back = store.unpack(store.read_record(tmp_path / "fit.nc"))
    same(fit, back)
    assert back.term == fit.term and back.assumptions == fit.assumptions
    assert back.tables["areas"][0]["estimate"] == 1.5 and np.isnan(back.tables["areas"][0]["odd"])
    with pytest.raises(ValueError, match="read-only"):
        back.draws[0] = 0
    assert [path.name for path in tmp_path.iterdir()] == ["fit.nc"]


def test_the_file_is_netcdf_with_named_dimensions(tmp_path):
    xarray = pytest.importorskip("xarray")
    store.write_record(tmp_path / "fit.nc", "key", store.pack(a_fit()))
    with xarray.open_dataset(tmp_path / "fit.nc", engine="h5netcdf") as data:
        assert data["draws"].dims == ("draw", "term")
        assert data["cov"].shape == (2, 2)
        assert data.attrs["fingerprint"] == "key"
        assert json.loads(str(data["facts"].values))["facts"]["outcome"] == "suicide"


def test_a_fit_is_made_once_and_then_found(cache, counted):
    edition = load_edition()
    first = catalogue.fit_model(edition, SUBJECT, counted.spec, n_draws=500, seed=7)
    again = catalogue.fit_model(edition, SUBJECT, counted.spec, n_draws=500, seed=7)
    assert counted.calls == [(500, 7)]
    assert np.array_equal(first.draws, again.draws)
    catalogue.fit_model(edition, SUBJECT, counted.spec, n_draws=500, seed=8)
    catalogue.fit_model(edition, SUBJECT, counted.spec, n_draws=600, seed=7)
    catalogue.fit_model(load_edition("open-2019"), SUBJECT, counted.spec, n_draws=500, seed=7)
    catalogue.fit_model(edition, SUBJECT, counted.spec, n_draws=500, seed=7, fresh=True)
    assert counted.calls[1:] == [(500, 8), (600, 7), (500, 7), (500, 7)]


def test_a_stored_fit_is_read_once_and_none_is_found_before_it_is_made(cache, counted, monkeypatch):
    edition, read = load_edition(), []
    assert catalogue.stored_fit(edition, SUBJECT, counted.spec, seed=7) is None
    made = catalogue.fit_model(edition, SUBJECT, counted.spec, seed=7)
    whole = store.read_record
    monkeypatch.setattr(store, "read_record", lambda *asked: read.append(asked) or whole(*asked))
    (found,) = make_fits(edition, SUBJECT, [counted.spec], draws=catalogue.DRAWS, seed=7, fresh=False)
    same(made, found)
    assert len(read) == len(counted.calls) == 1
    assert catalogue.stored_fit(edition, SUBJECT, replace(counted.spec, stored=False), seed=7) is None


def test_what_is_not_stored_leaves_no_file(cache, counted):
    catalogue.fit_model(load_edition(), SUBJECT, replace(counted.spec, stored=False))
    assert not cache.exists()


def test_a_damaged_file_is_made_anew(cache, counted):
    fit = catalogue.fit_model(load_edition(), SUBJECT, counted.spec, seed=1)
    (file,) = cache.iterdir()
    sound = file.read_bytes()
    rng = np.random.default_rng(5)
    flipped = []
    for _ in range(40):
        bad = bytearray(sound)
        for place in rng.integers(0, len(bad), 30):
            bad[place] ^= 0xFF
        flipped.append(bytes(bad))
    for damage in (b"", b"not netCDF at all", sound[:300], *flipped):
        file.write_bytes(damage)
        found = catalogue.fit_model(load_edition(), SUBJECT, counted.spec, seed=1)
        assert found.outcome == "suicide" and found.draws.shape == fit.draws.shape
    assert len(counted.calls) > 4


@pytest.mark.parametrize(
    ("asked", "why"),
    [({"n_draws": 10}, "n_draws must be"), ({"n_draws": 400.0}, "whole number of 400"), ({"seed": -1}, "seed must be")],
)
def test_draws_and_seeds_that_make_no_sense_are_refused(counted, asked, why):
    with pytest.raises(DataError, match=why):
        catalogue.fit_model(load_edition(), SUBJECT, counted.spec, **asked)
    assert counted.calls == []


def test_a_fit_is_json_whatever_it_holds_and_names_its_terms():
    json.dumps(a_fit(lower=np.array([np.nan, np.inf])).to_json(), allow_nan=False)
    with pytest.raises(DataError, match=r"no term 'pay'\. It has: total, sigma"):
        a_fit().place("pay")


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch, counted):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GWM_CACHE", str(tmp_path / "file" / "cache"))
    same(a_fit(3), catalogue.fit_model(load_edition(), SUBJECT, counted.spec, seed=3))
    with pytest.raises(OutputError, match="cannot be written"):
        store.write_record(tmp_path / "file" / "x.nc", "key", store.pack(a_fit()))


def test_the_fingerprint_changes_with_code_that_is_imported_at_any_depth_and_with_the_figures(
    tmp_path, monkeypatch, forgetful
):
    package, data = tmp_path / "package", tmp_path / "data"
    (package / "models").mkdir(parents=True)
    data.mkdir()
    (package / "models" / "top.py").write_text(
        "def f():\n    from gwm_models.models.deep import (\n        part,\n    )\n"
    )
    (package / "models" / "deep").mkdir()
    (package / "models" / "deep" / "part.py").write_text("from gwm_models.draws import keyed_rng\n")
    (package / "draws.py").write_text("from gwm_models.errors import DataError\n")
    (package / "errors.py").write_text("x = 1\n")
    (package / "models" / "other.py").write_text("y = 1\n")
    (data / "figures.csv").write_text("a\n1\n")
    monkeypatch.setattr(store, "PACKAGE", package)
    monkeypatch.setattr(store, "data_home", lambda: data)
    edition = load_edition()

    def key(*words):
        store._folder_hash.cache_clear()
        store._code_hash.cache_clear()
        return store.fingerprint("models.top", edition, *words)

    first = key()
    assert store.fingerprint("models.top", replace(edition, domain_scores=edition.domain_scores[::-1])) != first
    (package / "models" / "other.py").write_text("y = 2\n")
    (package / "errors.py").write_text("x = 2\n")
    assert key() == first
    assert key("suicide") != first
    (package / "draws.py").write_text("from gwm_models.errors import DataError\nz = 1\n")
    second = key()
    assert second != first
    (data / "figures.csv").write_text("a\n2\n")
    assert key() not in (first, second)


@given(st.floats(-50, 50), st.floats(0.01, 50))
def test_a_wald_interval_and_its_p_value_agree(estimate, error):
    found = wald(np.array([estimate]), np.array([[error**2]]))
    outside = found["lower"][0] > 0 or found["upper"][0] < 0
    assert outside == (found["p_value"][0] < 0.05) or abs(found["p_value"][0] - 0.05) < 1e-6


def test_intervals_by_hand():
    found = wald(np.array([2.0]), np.array([[1.0]]), freedom=10)
    assert found["upper"][0] == pytest.approx(2 + 2.228139, abs=1e-6)
    assert found["p_value"][0] == pytest.approx(0.073388, abs=1e-6)
    draws = np.arange(101.0)[:, None]
    assert of_draws(draws)["lower"][0] == pytest.approx(2.5)
    assert of_draws(draws)["estimate"][0] == 50
