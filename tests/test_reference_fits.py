"""Stored posteriors: stale ones are found, fresh ones agree, and only what has changed is fitted anew."""

from dataclasses import replace

import numpy as np
import pytest

from gwm_models.models import store
from gwm_models.report import reference_fits
from gwm_models.report.reference_fits import compare_fits, compare_records, stored_results, write_fits

FAST = "healthy_life_expectancy_male.errors-in-variables"


def test_every_stored_result_has_a_file_of_its_own_that_is_of_todays_data_and_code(checkout):
    """Where this fails: `gwm reproduce` fits what has changed."""
    folder = checkout / "results"
    differences, _ = compare_fits(folder, names=())
    assert differences == []
    names = {f"{each.name}.nc" for each in stored_results()}
    assert {path.name for path in (folder / "fits").iterdir()} == names and len(names) > 10


def test_stored_fits_are_small_and_hold_parameters(checkout):
    paths = list((checkout / "results" / "fits").glob("*.nc"))
    assert len(paths) > 10
    for path in paths:
        assert path.stat().st_size < 1_000_000
        record = store.read_record(path)
        assert all(size[1].shape[1] < 60 for size in record.arrays.values() if size[0][0] == "draw")


def test_a_fresh_fit_agrees_with_the_stored_one(checkout):
    differences, numbers = compare_fits(checkout / "results", names=(FAST,))
    assert differences == [] and numbers >= 9


def test_a_posterior_that_has_moved_is_found(checkout):
    record = store.read_record(checkout / "results" / "fits" / f"{FAST}.nc")
    dims, draws = record.arrays["draws"]
    moved = draws.copy()
    moved[:, 0] += 0.2 * moved[:, 0].std()
    wide = draws.copy()
    wide[:, 1] = wide[:, 1].mean() + 1.3 * (wide[:, 1] - wide[:, 1].mean())
    same = compare_records("x", record, record)
    assert same == ([], 3 * draws.shape[1])
    for changed, words in ((moved, "draws 0: mean is"), (wide, "draws 1: lower is")):
        found, _ = compare_records("x", record, replace(record, arrays={**record.arrays, "draws": (dims, changed)}))
        assert any(words in line for line in found)


def test_only_what_is_stale_is_fitted_anew(tmp_path, monkeypatch, checkout):
    (one,) = (each for each in stored_results() if each.name == FAST)
    record = store.read_record(checkout / "results" / "fits" / f"{FAST}.nc")
    made = []

    class Counted(reference_fits.Stored):
        def make(self):
            made.append(self.name)
            return record

    other = Counted("other", "k", one.edition)
    monkeypatch.setattr(reference_fits, "stored_results", lambda: iter([Counted(FAST, "k2", one.edition), other]))
    (tmp_path / "fits").mkdir()
    store.write_record(tmp_path / "fits" / "gone.nc", "old", record)
    (tmp_path / "fits" / "somebody's.nc").write_bytes(b"not ours")
    assert write_fits(tmp_path) == 2 and write_fits(tmp_path) == 0
    assert made == [FAST, "other"]
    assert sorted(path.name for path in (tmp_path / "fits").iterdir()) == [f"{FAST}.nc", "other.nc", "somebody's.nc"]
    store.write_record(tmp_path / "fits" / "other.nc", "stale", record)
    stale = "fits/other.nc is of other data or code, or damaged. Run `gwm reproduce`."
    assert compare_fits(tmp_path, names=())[0] == [stale]
    (tmp_path / "fits" / "other.nc").unlink()
    assert compare_fits(tmp_path, names=())[0] == ["fits/other.nc is missing. Run `gwm reproduce`."]


@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_tolerances_let_simulation_noise_pass(shift):
    rng = np.random.default_rng(1)
    first, second = (store.Record({"draws": (("draw", "term"), rng.normal(size=(4000, 3)))}, {}) for _ in range(2))
    moved = store.Record({"draws": (("draw", "term"), second.arrays["draws"][1] + shift)}, {})
    assert compare_records("x", first, moved)[0] == []
