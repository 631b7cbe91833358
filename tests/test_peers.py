"""Peers and profiles: distances by hand, laws, draws of true profiles against simulation."""

import json
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from typer.testing import CliRunner

from gwm_models.cli.index_peers import peers
from gwm_models.data.edition import load_edition
from gwm_models.data.lookup import find_area
from gwm_models.errors import DataError
from gwm_models.index.calibration import points_per_unit
from gwm_models.index.peers import distances_from, find_peers, gap_rows, nearest_to, peer_rows, share_nearest
from gwm_models.index.profiles import Profiles, area_profiles, profile_draws
from gwm_models.index.sampling import sampling_error
from gwm_models.index.similarity import distances, similarity_graph

PROFILES = arrays(float, st.tuples(st.integers(4, 12), st.integers(1, 5)), elements=st.floats(-5, 5))
POINTS = arrays(int, st.tuples(st.integers(4, 25), st.integers(1, 3)), elements=st.integers(-50, 50))


@pytest.fixture(scope="module")
def edition():
    return load_edition()


@pytest.fixture(scope="module")
def profiles(edition):
    return area_profiles(edition)


def made_up(scores, cov):
    """Profiles with nothing but standardised scores and their sampling covariance."""
    n, k = scores.shape
    return Profiles(
        unit=tuple(f"unit-{i}" for i in range(n)),
        name=tuple(f"Area {i}" for i in range(n)),
        indicator=tuple("abcdefgh"[:k]),
        measured=np.ones(k, dtype=bool),
        level=scores,
        points=np.ones(k),
        spread=np.ones(k),
        scores=scores,
        cov=cov,
        place=np.arange(n),
        weights=np.eye(n),
    )


def test_distances_by_hand_are_root_mean_square_differences():
    found = distances([[0, 0], [3, 4], [0, 1]])
    assert found == pytest.approx(np.sqrt(np.array([[0, 25, 1], [25, 0, 18], [1, 18, 0]]) / 2))


@given(PROFILES)
def test_distances_are_symmetric_and_obey_the_triangle(scores):
    d = distances(scores)
    assert (d == d.T).all() and (np.diag(d) == 0).all()
    assert (d[:, None] <= d[:, :, None] + d[None] + 1e-9).all()


def test_mahalanobis_distances_do_not_change_when_indicators_are_mixed():
    rng = np.random.default_rng(1)
    scores, mix = rng.normal(size=(30, 4)), rng.normal(size=(4, 4))
    assert distances(scores @ mix, "mahalanobis") == pytest.approx(distances(scores, "mahalanobis"), rel=1e-6)
    assert distances(scores @ mix) != pytest.approx(distances(scores), rel=0.1)


def test_mahalanobis_distance_equals_the_formula_written_out():
    scores = np.random.default_rng(2).normal(size=(12, 3)) @ np.array([[2, 1, 0], [0, 1, 0], [0, 0, 0.3]])
    gap = scores[4] - scores[7]
    expected = np.sqrt(gap @ np.linalg.solve(np.cov(scores.T, bias=True), gap) / 3)
    assert distances(scores, "mahalanobis")[4, 7] == pytest.approx(expected)


def test_collinear_indicators_have_no_mahalanobis_distance():
    with pytest.raises(DataError, match="collinear: use the Euclidean distance"):
        distances([[0, 0], [1, 1], [2, 2], [5, 5]], "mahalanobis")
    with pytest.raises(ValueError, match="'euclidean' or 'mahalanobis'; got 'cosine'"):
        distances([[0, 0], [1, 1]], "cosine")


def test_nearest_neighbours_by_hand():
    """On a line at 0, 1, 3, 3.5 and 9: from 3 the nearest are 3.5, then 1, then 0."""
    place = np.array([[0.0], [1.0], [3.0], [3.5], [9.0]])
    d = distances_from(place, 2)
    assert d.tolist() == [3, 2, 0, 0.5, 6]
    assert nearest_to(d, 2, 3).tolist() == [3, 1, 0]
    draws = np.array([[0, 1, 2, 9], [0, 2, 1, 9], [0, 3, 1, 2]], dtype=float)
    assert share_nearest(draws, 0, 1) == pytest.approx([0, 1 / 3, 2 / 3, 0])
    assert share_nearest(draws, 0, 2) == pytest.approx([0, 2 / 3, 1, 1 / 3])


def test_the_graph_of_points_on_a_line_by_hand():
    """Points 0, 1, 2, 10, 12 with one neighbour: reach 1, 1, 1, 2, 2; only the tree joins anything."""
    adjacency = similarity_graph(distances([[0], [1], [2], [10], [12]]), neighbours=1)
    links = {(i, j) for i, j in zip(*np.nonzero(np.triu(adjacency)), strict=True)}
    assert links == {(0, 1), (1, 2), (2, 3), (3, 4)}
    two = similarity_graph(distances([[0], [1], [2], [10], [12]]), neighbours=2)
    assert two[0, 1] == two[1, 2] == two[3, 4] == 1 and two[0, 2] == two[2, 4] == 0
    assert two[2, 3] == 1  # the tree


@given(POINTS, st.integers(-3, 3))
def test_the_graph_is_connected_symmetric_and_free_of_scale(points, power):
    d = distances(points / 10)
    adjacency = similarity_graph(d, neighbours=3)
    assert (adjacency == adjacency.T).all() and (np.diag(adjacency) == 0).all()
    assert nx.is_connected(nx.from_numpy_array(adjacency))
    assert (similarity_graph(2.0**power * d, neighbours=3) == adjacency).all()


def test_a_graph_needs_fewer_neighbours_than_points():
    with pytest.raises(ValueError, match="neighbours must lie between 1 and 2; got 3"):
        similarity_graph(np.zeros((3, 3)), neighbours=3)


def test_a_profile_column_is_the_standardised_level_with_better_up(edition, profiles):
    activity, unemployment = profiles.scores[:, 0], profiles.scores[:, 1]
    _, weights = edition.areas.units()
    levels = weights @ edition.values[:, :2]
    assert activity == pytest.approx((levels[:, 0] - levels[:, 0].mean()) / levels[:, 0].std())
    assert unemployment == pytest.approx(-(levels[:, 1] - levels[:, 1].mean()) / levels[:, 1].std())
    assert profiles.to_levels(profiles.scores) == pytest.approx(profiles.level)


def test_hours_is_not_made_up_but_replaced_by_the_published_domain_score(edition, profiles):
    assert dict(zip(profiles.indicator, profiles.measured.tolist(), strict=True)) == {
        name: name != "satisfactory_hours" for name in edition.spec.indicator_ids
    }
    unit = profiles.unit.index("E06000021")
    area = edition.areas.unit.index("E06000021")
    assert profiles.level[unit, 5] == edition.domain_scores[area, 2]


def test_the_sampling_error_of_a_profile_is_that_of_its_figures(edition, profiles):
    error = sampling_error(edition)
    unit, area = profiles.unit.index("E06000021"), edition.areas.unit.index("E06000021")
    assert profiles.cov[unit, 0, 0] == pytest.approx((error.std_error[area, 0] / profiles.spread[0]) ** 2)
    pay = error.cov_points[area, 4, 4] + error.cov_points[area, 5, 5]
    assert profiles.cov[unit, 5, 5] == pytest.approx(pay / profiles.spread[5] ** 2)
    together = error.cov_points[area, 4, 4] / (profiles.points[4] * profiles.spread[4] * profiles.spread[5])
    assert profiles.cov[unit, 4, 5] == pytest.approx(together)


def test_areas_that_share_their_figures_are_one_unit_and_never_peers(edition, profiles):
    assert len(profiles) == 117
    found = find_peers(edition, "Bournemouth", n_peers=116, n_draws=100)
    assert profiles.name[found.unit] == "Bournemouth and Poole"
    assert found.unit not in found.peer and len(set(found.peer.tolist())) == 116
    assert (found.prob == 1).all()
    assert find_peers(edition, "poole", n_peers=3, n_draws=100).peer.tolist() == found.peer[:3].tolist()


def test_a_constant_figure_is_refused_by_name(edition):
    scores = edition.domain_scores.copy()
    scores[:, 2] = 50.0
    with pytest.raises(DataError, match="satisfactory_hours: every area has the same figure"):
        area_profiles(replace(edition, domain_scores=scores))


def test_an_area_without_figure_and_domain_score_has_no_profile(edition):
    scores = edition.domain_scores.copy()
    scores[:2, 2] = np.nan
    with pytest.raises(DataError, match="Wokingham, Windsor and Maidenhead: neither a figure nor a domain score"):
        area_profiles(replace(edition, domain_scores=scores))


def test_peers_are_the_nearest_by_brute_force(edition, profiles):
    found = find_peers(edition, "E08000035", n_peers=5, n_draws=100)
    leeds = profiles.name.index("Leeds")
    gap = {
        name: np.sqrt(((profiles.scores[i] - profiles.scores[leeds]) ** 2).mean())
        for i, name in enumerate(profiles.name)
        if i != leeds
    }
    nearest = sorted(gap, key=gap.__getitem__)[:5]
    rows = peer_rows(found)
    assert [row["area_name"] for row in rows] == nearest
    assert [row["published_distance"] for row in rows] == pytest.approx([gap[name] for name in nearest])


def test_a_gap_in_points_is_the_gap_in_units_times_the_points_per_unit(edition, profiles):
    found = find_peers(edition, "Blackpool", n_draws=400)
    rows = {row["indicator"]: row for row in gap_rows(found)}
    here, peer_units = profiles.name.index("Blackpool"), found.peer
    row = rows["unemployment_rate"]
    assert row["level_here"] == pytest.approx(edition.values[find_area(edition, "Blackpool"), 1])
    assert row["best_level"] == profiles.level[peer_units, 1].min()
    assert row["published_gap"] == pytest.approx(row["best_level"] - row["level_here"])
    assert row["published_points"] == pytest.approx(-99 / 8.1 * row["published_gap"])
    assert row["points"] == pytest.approx(-99 / 8.1 * row["estimate"])
    assert row["points_std_error"] == pytest.approx(99 / 8.1 * row["std_error"])
    best = profiles.name.index(row["best_area_name"])
    both = (profiles.cov[[here, best], 1, 1] * profiles.spread[1] ** 2).sum()
    assert row["published_std_error"] == pytest.approx(np.sqrt(both))
    pay, known = rows["median_pay"], points_per_unit(edition)
    expected = np.hypot(known.estimate[4] * pay["std_error"], known.std_error[4] * pay["estimate"])
    assert pay["points_std_error"] == pytest.approx(expected)
    hours = rows["satisfactory_hours"]
    assert hours["unit"] == "points" and hours["points_per_unit"] == 1 and hours["points_status"] == "published"
    assert "published domain score" in hours["label"]


def test_the_best_of_several_noisy_figures_is_shrunk(edition):
    """Picked for being the best published, a peer's true lead is smaller on average over areas."""
    published, true = [], []
    for area in ("Leeds", "Blackpool", "York", "Derby", "Kent", "Devon", "Bolton", "Luton"):
        row = gap_rows(find_peers(edition, area, n_draws=300))[1]
        published.append(row["published_points"])
        true.append(row["points"])
    assert 0 < np.mean(true) < np.mean(published)


def test_with_next_to_no_sampling_error_the_draws_are_the_published_profiles(profiles):
    exact = replace(profiles, cov=profiles.cov * 1e-10)
    assert profile_draws(exact, n_draws=20, seed=1) == pytest.approx(
        np.broadcast_to(profiles.scores, (20, *profiles.scores.shape)), abs=1e-3
    )


def test_draws_follow_the_normal_posterior_worked_by_hand():
    """One indicator, variance 1, error variance 0.2: T = 0.8, mean 0.8 z, variance 0.16."""
    rng = np.random.default_rng(3)
    z = rng.normal(size=(50, 1))
    z = (z - z.mean()) / z.std()
    draws = profile_draws(made_up(z, np.full((50, 1, 1), 0.2)), n_draws=20_000, seed=4)[..., 0]
    assert draws.mean(axis=0) == pytest.approx(0.8 * z[:, 0], abs=0.02)
    assert draws.var(axis=0) == pytest.approx(np.full(50, 0.16), rel=0.06)


def test_draws_of_a_unit_do_not_depend_on_the_order_of_units(profiles):
    turned = np.arange(len(profiles))[::-1]
    other = replace(
        profiles,
        unit=tuple(profiles.unit[i] for i in turned),
        scores=profiles.scores[turned],
        cov=profiles.cov[turned],
    )
    first, second = (profile_draws(p, n_draws=10, seed=7) for p in (profiles, other))
    assert second[:, turned] == pytest.approx(first, abs=1e-9)
    assert (profile_draws(profiles, n_draws=10, seed=7) == first).all()
    assert not (profile_draws(profiles, n_draws=10, seed=8) == first).any()


def test_asking_for_too_many_peers_or_an_unknown_area_is_refused(edition):
    with pytest.raises(ValueError, match="n_peers must lie between 1 and 116, the other units; got 117"):
        find_peers(edition, "Leeds", n_peers=117)
    run = CliRunner().invoke(command(), ["--area", "Leeds", "-n", "117"])
    assert "-n 117 is more than the 116 other areas" in str(run.exception)
    with pytest.raises(DataError, match=r"no area 'Leds' in monitor-2021. Did you mean Leeds"):
        find_peers(edition, "Leds")


def command():
    app = typer.Typer()
    app.command()(peers)
    return app


def test_the_command_writes_both_tables_in_every_format():
    run = CliRunner().invoke(command(), ["--area", "blackpool", "-n", "3", "--draws", "100", "--format", "json"])
    assert run.exit_code == 0, run.output
    answer = json.loads(run.output)
    assert [len(answer[part]) for part in ("peers", "gaps")] == [3, 6]
    assert {"area_code", "area_name", "estimate", "std_error", "lower", "upper", "level", "n", "prob_nearest_3"} <= set(
        answer["peers"][0]
    )
    csv = CliRunner().invoke(command(), ["--area", "Leeds", "--draws", "100", "--show", "gaps", "--format", "csv"])
    assert csv.output.startswith("indicator,label,unit,") and len(csv.output.splitlines()) == 7
    table = CliRunner().invoke(command(), ["--area", "Leeds", "--draws", "100", "--metric", "mahalanobis"])
    assert "mahalanobis distance between profiles, in standard deviations" in table.output
    assert "without open figures shows its domain's published score" in table.output


@pytest.mark.slow
def test_probabilities_and_intervals_of_peers_hold_as_often_as_they_say():
    rng = np.random.default_rng(11)
    n, k, n_peers = 80, 4, 10
    root = np.linalg.cholesky(0.5 * np.eye(k) + 0.5)
    said, came_true, inside = [], [], []
    for replicate in range(150):
        truth = rng.normal(size=(n, k)) @ root.T
        error = rng.uniform(0.3, 0.6, (n, k))
        published = truth + error * rng.normal(size=(n, k))
        centre, spread = published.mean(axis=0), published.std(axis=0)
        profiles = made_up((published - centre) / spread, np.einsum("nj,jk->njk", (error / spread) ** 2, np.eye(k)))
        drawn = distances_from(profile_draws(profiles, n_draws=400, seed=replicate), 0)
        true = distances_from((truth - centre) / spread, 0)
        share = share_nearest(drawn, 0, n_peers)[1:]
        said.append(share)
        came_true.append(np.isin(np.arange(n), nearest_to(true, 0, n_peers))[1:])
        low, high = np.quantile(drawn[:, 1:], [0.05, 0.95], axis=0)
        inside.append(((low <= true[1:]) & (true[1:] <= high)).mean())
    said, came_true = np.concatenate(said), np.concatenate(came_true)
    assert 0.87 <= np.mean(inside) <= 0.93
    for low, high in ((0.05, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.9)):
        chosen = (said >= low) & (said < high)
        assert chosen.sum() > 100
        assert came_true[chosen].mean() == pytest.approx(said[chosen].mean(), abs=0.06), (low, high)
