"""Keyed draws: the same for the same key, independent of order."""

import numpy as np

from gwm_models.draws import keyed_normals, keyed_rng


def test_draws_of_an_area_do_not_depend_on_the_other_areas():
    both = keyed_normals(7, "score", ["a", "b"], 50)
    turned = keyed_normals(7, "score", ["b", "a"], 50)
    assert np.array_equal(both, turned[:, ::-1])
    assert np.array_equal(both[:, :1], keyed_normals(7, "score", ["a"], 50))


def test_more_draws_begin_with_the_same_ones():
    assert np.array_equal(keyed_normals(7, "score", ["a"], 500)[:50], keyed_normals(7, "score", ["a"], 50))


def test_seeds_quantities_and_areas_are_independent():
    keys = [(1, "x", "a"), (2, "x", "a"), (1, "y", "a"), (1, "x", "b")]
    draws = np.array([keyed_rng(seed, *key).standard_normal(20_000) for seed, *key in keys])
    off_diagonal = np.corrcoef(draws)[~np.eye(4, dtype=bool)]
    assert np.abs(off_diagonal).max() < 0.03


def test_keys_cannot_run_into_each_other():
    assert keyed_rng(1, "ab", "c").normal() != keyed_rng(1, "a", "bc").normal()
