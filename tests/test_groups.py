"""Groups of areas: known graphs, planted partitions, laws, rules worked by hand."""

import json
from dataclasses import fields, replace

import networkx as nx
import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import adjusted_rand_score, mutual_info_score
from typer.testing import CliRunner

from gwm_models.cli.index_groups import groups as groups_command
from gwm_models.data.edition import load_edition
from gwm_models.errors import DataError, ModelError
from gwm_models.index.communities import (
    TIMES,
    best_partition,
    canonical,
    choose_scale,
    linearised_stability,
    louvain_runs,
    match_labels,
    normalised_variation,
    scan_scales,
    split_into,
)
from gwm_models.index.group_claims import claim_rows, group_means, health_gap, healthy_life
from gwm_models.index.group_stability import gaussian_mixture, k_means, stability_rows
from gwm_models.index.group_tables import area_rows, group_rows, scale_rows
from gwm_models.index.groups import find_groups, membership_draws, name_groups
from gwm_models.index.profiles import area_profiles
from gwm_models.index.similarity import distances, similarity_graph

LABELS = arrays(np.int64, st.integers(2, 30), elements=st.integers(0, 5)).map(canonical)
N_DRAWS = 40


@pytest.fixture(scope="module")
def edition():
    return load_edition()


@pytest.fixture(scope="module")
def groups(edition):
    return find_groups(edition, n_draws=N_DRAWS)


def ring_of_cliques(n_cliques, size):
    graph = nx.ring_of_cliques(n_cliques, size)
    return nx.to_numpy_array(graph, nodelist=range(n_cliques * size)), np.repeat(np.arange(n_cliques), size)


def karate():
    graph = nx.karate_club_graph()
    club = np.array([graph.nodes[node]["club"] != "Mr. Hi" for node in range(34)], dtype=int)
    return nx.to_numpy_array(graph, nodelist=range(34), weight=None), club


def blobs(rng, sizes, k=4, apart=12.0):
    centres = np.eye(len(sizes), k) * apart
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return centres[labels] + rng.normal(size=(len(labels), k)), labels


def test_stability_of_two_triangles_by_hand():
    """Two triangles and one link between them: 6 of 14 link ends inside each, half of the degrees each."""
    adjacency = np.zeros((6, 6))
    for i, j in ((0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5), (2, 3)):
        adjacency[i, j] = adjacency[j, i] = 1
    labels = [0, 0, 0, 1, 1, 1]
    assert linearised_stability(adjacency, labels, 1.0) == pytest.approx(12 / 14 - 1 / 2)
    assert linearised_stability(adjacency, labels, 2.0) == pytest.approx(-1 + 24 / 14 - 1 / 2)
    assert linearised_stability(adjacency, [0] * 6, 3.0) == pytest.approx(0)


@pytest.mark.parametrize("time", [0.4, 1.0, 2.5])
def test_linearised_stability_is_modularity_at_the_inverse_resolution(time):
    rng = np.random.default_rng(1)
    weights = np.triu(rng.uniform(size=(12, 12)) * (rng.uniform(size=(12, 12)) < 0.5), 1)
    adjacency = weights + weights.T
    labels = canonical(rng.integers(0, 3, 12))
    parts = [set(np.flatnonzero(labels == g).tolist()) for g in range(labels.max() + 1)]
    q = nx.community.modularity(nx.from_numpy_array(adjacency), parts, resolution=1 / time)
    assert linearised_stability(adjacency, labels, time) == pytest.approx(1 - time + time * q)


def test_variation_of_information_by_hand():
    halves = np.array([0, 0, 1, 1])
    assert normalised_variation(halves, halves) == 0
    assert normalised_variation(halves, np.array([0, 1, 0, 1])) == pytest.approx(1)
    assert normalised_variation(halves, np.array([0, 0, 1, 2])) == pytest.approx(
        np.log(2) / 2 / (np.log(2) / 2 + np.log(4) / 2)
    )
    assert normalised_variation(np.zeros(3, dtype=int), np.zeros(3, dtype=int)) == 0


@given(LABELS, st.randoms(use_true_random=False))
def test_variation_of_information_is_one_less_mutual_information_over_joint_entropy(first, random):
    second = canonical([random.randrange(4) for _ in first])
    _, counts = np.unique(first * 100 + second, return_counts=True)
    joint = -(counts / len(first) * np.log(counts / len(first))).sum()
    expected = 1 - mutual_info_score(first, second) / joint if joint > 1e-12 else 0
    assert normalised_variation(first, second) == pytest.approx(expected, abs=1e-9)
    assert normalised_variation(first, second) == pytest.approx(normalised_variation(second, first), abs=1e-12)


@pytest.mark.parametrize(("n_cliques", "size"), [(4, 6), (8, 5)])
def test_a_ring_of_cliques_is_recovered_and_every_run_agrees(n_cliques, size):
    adjacency, planted = ring_of_cliques(n_cliques, size)
    scan = scan_scales(adjacency, times=TIMES[:12], n_runs=8, seed=1)
    chosen = choose_scale(scan, n_cliques)
    assert (scan.labels[chosen] == planted).all()
    assert scan.run_variation[chosen] == 0 and scan.scale_variation[chosen] == 0
    assert scan.variation[chosen] == scan.variation.min()


def test_the_karate_club_has_its_known_best_modularity_of_0_4198():
    """Brandes et al. (2008), IEEE TKDE 20, 172-188: the optimum, four communities."""
    adjacency, _ = karate()
    best = best_partition(adjacency, 1.0, louvain_runs(adjacency, 1.0, n_runs=20, seed=1))
    assert linearised_stability(adjacency, best, 1.0) == pytest.approx(0.4198, abs=5e-5)
    assert best.max() + 1 == 4


def test_the_karate_club_splits_in_two_as_it_did_but_for_two_waverers():
    """Persons 9 and 10, known to be on the fence (Zachary 1977); nodes are numbered from 0."""
    adjacency, club = karate()
    scan = scan_scales(adjacency, n_runs=8, seed=1)
    two = scan.labels[choose_scale(scan, 2)]
    assert set(np.flatnonzero(match_labels(two, canonical(club)) != canonical(club))) <= {8, 9}


def test_a_run_with_the_same_seed_finds_the_same_and_longer_times_fewer_groups():
    adjacency, _ = karate()
    first, second = (louvain_runs(adjacency, 1.0, n_runs=5, seed=3) for _ in range(2))
    assert (first == second).all()
    scan = scan_scales(adjacency, times=(0.3, 1.0, 4.0), n_runs=5, seed=3)
    assert (np.diff(scan.n_groups) < 0).all()


def test_asking_for_a_number_of_groups_that_no_scale_has_names_those_found():
    adjacency, _ = ring_of_cliques(4, 6)
    scan = scan_scales(adjacency, times=(1.0,), n_runs=2, seed=1)
    with pytest.raises(ModelError, match=r"No scale has 3 groups; the scan found 4"):
        choose_scale(scan, 3)


@pytest.mark.parametrize("start", [0, 26])
def test_a_split_is_found_from_either_end_of_the_scales(start):
    adjacency, planted = ring_of_cliques(4, 6)
    labels, exact = split_into(adjacency, 4, times=TIMES, start=start, n_runs=4, seed=1)
    assert exact and (labels == planted).all()


def test_a_split_that_cannot_be_had_says_so_and_has_more_groups():
    """Two cliques without a link are never one community, nor five at these times."""
    adjacency = np.kron(np.eye(2), 1 - np.eye(5))
    labels, exact = split_into(adjacency, 1, times=(0.5, 1.0, 5.0), start=1, n_runs=2, seed=1)
    assert not exact and labels.max() + 1 == 2


@given(LABELS, st.randoms(use_true_random=False))
def test_renamed_groups_get_their_names_back(labels, random):
    names = list(range(labels.max() + 1))
    random.shuffle(names)
    assert (match_labels(np.array(names)[labels], labels) == labels).all()


def test_a_group_left_over_joins_the_one_it_overlaps_with_most():
    reference = np.array([0, 0, 0, 0, 1, 1])
    assert match_labels(np.array([1, 1, 2, 2, 0, 0]), reference).tolist() == reference.tolist()


def test_planted_groups_of_profiles_are_recovered_by_every_method():
    scores, planted = blobs(np.random.default_rng(2), (30, 25, 20, 15))
    scan = scan_scales(similarity_graph(distances(scores)), n_runs=5, seed=1)
    chosen = choose_scale(scan, 4)
    assert (scan.labels[chosen] == planted).all()
    assert scan.robust[chosen]
    assert adjusted_rand_score(k_means(scores, 4, seed=1), planted) == 1
    labels, _, preferred = gaussian_mixture(scores, 4, seed=1)
    assert adjusted_rand_score(labels, planted) == 1 and preferred == 4


@pytest.mark.parametrize(
    ("total", "density", "county_share", "names"),
    [
        ([300, 200, 400, 250], [100, 50, 60, 900], [0.4, 0, 0.3, 0.1], ("rural", "lowest", "highest", "urban")),
        ([300, 200, 400, 250], [900, 50, 60, 100], [0.4, 0, 0.3, 0.1], ("middle 1", "lowest", "highest", "middle 2")),
        ([400, 300, 200], [30, 12, 20], [0.3, 0.5, 0], ("highest", "rural", "lowest")),
        ([400, 300, 200], [10, 500, 20], [0.3, 0.1, 0.2], ("highest", "urban", "lowest")),
        ([400, 300, 200], [10, 500, 20], [0.3, 0.5, 0.2], ("highest", "middle 1", "lowest")),
        ([2, 1], [1, 1], [0, 0], ("highest", "lowest")),
        (
            [5, 4, 3, 2, 1],
            [1, 30, 20, 10, 1],
            [0, 0.1, 0.2, 0.3, 0],
            ("highest", "urban", "middle 1", "rural", "lowest"),
        ),
        ([4, 3, 2, 1], [np.nan] * 4, [np.nan] * 4, ("highest", "middle 1", "middle 2", "lowest")),
    ],
)
def test_names_follow_the_rule(total, density, county_share, names):
    assert name_groups(total, density, county_share) == names


def turn(record, order):
    """A copy of a dataclass with everything that has one entry an area in another order."""
    changed = {}
    for item in fields(record):
        value = getattr(record, item.name)
        if isinstance(value, np.ndarray) and len(value) == len(order):
            changed[item.name] = value[order]
        elif isinstance(value, tuple) and len(value) == len(order):
            changed[item.name] = tuple(value[i] for i in order)
    return replace(record, **changed)


@pytest.mark.slow
def test_the_groups_of_the_monitor_do_not_depend_on_order_units_regions_or_borders(edition, groups):
    """Areas shuffled, pay by the year, regions dealt out anew, no borders: the same groups and probabilities."""
    order = np.random.default_rng(5).permutation(len(edition.areas))
    turned = turn(edition, order)
    areas = turn(edition.areas, order)
    region = tuple(np.random.default_rng(6).permutation(edition.areas.region))
    by_year = np.array([1, 1, 1, 1, 365.25 / 7, 1])
    turned = replace(
        turned,
        areas=replace(areas, region=region, borders=np.empty((0, 2), dtype=int)),
        values=turned.values * by_year,
        level_errors=turned.level_errors * by_year,
    )
    assert area_profiles(turned).scores == pytest.approx(area_profiles(edition).scores, abs=1e-9)
    other = find_groups(turned, n_draws=N_DRAWS)
    assert (other.area_labels == groups.area_labels[order]).all()
    assert other.name == groups.name and other.chosen == groups.chosen
    assert other.prob == pytest.approx(groups.prob, abs=2 / N_DRAWS)


def test_membership_probabilities_sum_to_one_and_areas_of_one_unit_share_them(edition, groups):
    assert groups.prob.sum(axis=1) == pytest.approx(np.ones(117))
    rows = {row["area_name"]: row for row in area_rows(groups)}
    assert len(rows) == 118
    for row in rows.values():
        assert sum(row[f"prob_{name}"] for name in groups.name) == pytest.approx(1)
        assert row["prob_own"] == row[f"prob_{row['name']}"]
    pair = [
        {k: v for k, v in rows[area].items() if k.startswith(("prob", "group"))} for area in ("Poole", "Bournemouth")
    ]
    assert pair[0] == pair[1]


def test_planted_groups_without_noise_are_certain_and_with_noise_are_not():
    scores, planted = blobs(np.random.default_rng(6), (20, 20, 20), k=3, apart=9.0)
    scores = (scores - scores.mean(axis=0)) / scores.std(axis=0)
    base = area_profiles(load_edition())
    keep = dict.fromkeys(base.unit[:60])

    def probability(error):
        profiles = replace(base, unit=tuple(keep), scores=scores, cov=np.broadcast_to(error**2 * np.eye(3), (60, 3, 3)))
        draws, _ = membership_draws(profiles, planted, start=13, n_draws=15, neighbours=7, seed=1)
        return (draws == planted).mean()

    certain, unsure = probability(1e-4), probability(0.7)
    assert certain == 1
    assert 0.4 < unsure < 0.95


def test_groups_are_numbered_from_the_highest_mean_total_down(edition, groups):
    rows = group_rows(groups)
    assert [row["group"] for row in rows] == [1, 2, 3, 4]
    assert (np.diff([row["total"] for row in rows]) < 0).all()
    assert rows[0]["name"] == "highest" and rows[-1]["name"] == "lowest"
    assert {row["name"] for row in rows} == {"highest", "rural", "urban", "lowest"}
    assert sum(row["n"] for row in rows) == 118
    density = {row["name"]: row["residents_per_km2"] for row in rows}
    counties = {row["name"]: row["county_share"] for row in rows}
    assert density["rural"] < density["urban"] and counties["rural"] > counties["urban"]
    _, weights = edition.areas.units()
    unemployment = (weights @ edition.values[:, 1])[groups.labels == 0].mean()
    assert rows[0]["unemployment_rate"] == pytest.approx(unemployment)
    assert "satisfactory_hours" not in rows[0]


def test_the_monitor_has_a_plateau_of_four_groups_and_the_scale_chosen_lies_on_it(groups):
    rows = scale_rows(groups)
    four = [row for row in rows if row["n_groups"] == 4]
    assert max(row["markov_time"] for row in four) / min(row["markov_time"] for row in four) > 2
    chosen = [row for row in rows if row["chosen"]]
    assert len(chosen) == 1 and chosen[0] in four
    agreement = [row["run_variation"] + row["scale_variation"] for row in four]
    assert chosen[0]["run_variation"] + chosen[0]["scale_variation"] == pytest.approx(min(agreement))
    assert all(row["resolution"] == pytest.approx(1 / row["markov_time"]) for row in rows)


def test_weighted_means_by_group_by_hand_leave_out_gaps():
    means = group_means(np.array([60.0, 70, np.nan, 50]), np.array([0, 0, 1, 2]), 4, np.array([1.0, 3, 5, 2]))
    assert means[[0, 2]].tolist() == [67.5, 50] and np.isnan(means[[1, 3]]).all()


def test_the_gap_in_healthy_life_by_hand_takes_the_two_weakest_groups_together():
    years, labels = np.array([66.0, 64, 62, 60, 57]), np.array([0, 0, 1, 2, 3])
    assert health_gap(years, labels, 4, np.ones(5)) == pytest.approx(65 - 58.5)
    assert health_gap(years, labels, 4, np.array([3.0, 1, 1, 1, 3])) == pytest.approx(65.5 - 57.75)


def test_healthy_life_is_the_mean_of_male_and_female(groups):
    from gwm_models.data.tables import read_table

    years, error = healthy_life(groups.profiles)
    where = {"variable": "healthy_life_expectancy_at_birth", "period": "2016-18", "unit_code": "E06000021"}
    rows = read_table("outcomes", where={**where, "sex": ("Male", "Female")})
    unit = groups.profiles.unit.index("E06000021")
    assert years[unit] == pytest.approx(rows["value"].mean())
    half_widths = (rows["upper_95"] - rows["lower_95"]) / 3.92
    assert error[unit] == pytest.approx(np.sqrt((half_widths**2).sum()) / 2)


def test_statements_of_the_report_are_checked_against_the_groups_given(edition, groups):
    place = {name: int(groups.profiles.place[i]) for i, name in enumerate(edition.areas.name)}

    def agreement(moves):
        labels, draws = groups.labels.copy(), groups.draws.copy()
        for area, name in moves.items():
            labels[place[area]] = draws[:, place[area]] = groups.name.index(name)
        rows = claim_rows(replace(groups, labels=labels, draws=draws))
        return {row["statement"].split(",")[0].split(" and ")[0]: row for row in rows}

    cities = dict.fromkeys(("Leicester", "Nottingham", "Coventry", "Leeds", "Sheffield"), "urban")
    leaders = dict.fromkeys(("York", "Cheshire East", "Cheshire West and Chester"), "highest")
    found = agreement({**cities, **leaders, "Portsmouth": "urban", "Blackpool": "lowest"})
    assert [(row["agrees"], row["prob_agrees"]) for row in list(found.values())[1:4]] == [(True, 1.0)] * 3
    found = agreement({"Leeds": "highest", "Leicester": "lowest", "York": "rural", "Portsmouth": "rural"})
    assert [(row["agrees"], row["prob_agrees"]) for row in list(found.values())[1:4]] == [(False, 0.0)] * 3


def test_an_edition_of_other_areas_has_no_statements_to_check_but_the_number_of_groups(edition, groups):
    other = replace(
        groups,
        edition=replace(edition, areas=replace(edition.areas, name=tuple(f"Place {i}" for i in range(118)))),
        profiles=replace(groups.profiles, unit=tuple(f"X{i}" for i in range(117))),
    )
    assert [row["statement"] for row in claim_rows(other)] == ["there are four groups"]
    assert np.isnan([row["healthy_life"] for row in group_rows(other)]).all()


def test_too_few_areas_for_the_graph_are_refused(edition):
    with pytest.raises(DataError, match="117 areas with figures of their own; a graph of 117 neighbours needs 118"):
        find_groups(edition, n_draws=1, neighbours=117)


def test_what_the_report_says_of_the_groups_stands_beside_ours(groups):
    rows = claim_rows(groups)
    assert len(rows) == 6
    assert all(isinstance(row["agrees"], bool) and row["ours"] for row in rows)
    for row in rows[4:]:
        assert row["lower"] < row["estimate"] < row["upper"]
        assert row["agrees"] == (abs(row["estimate"] - 5) <= 0.5)


def test_stability_is_reported_against_seeds_error_graphs_and_other_methods(groups):
    rows = {row["comparison"]: row for row in stability_rows(groups)}
    assert rows["other seeds"]["estimate"] > 0.8
    assert rows["sampling error and other seeds"]["same"] == pytest.approx(groups.prob_own.mean())
    own = k_means(groups.profiles.scores, 4, seed=groups.seed)
    assert rows["k-means"]["estimate"] == pytest.approx(adjusted_rand_score(own, groups.labels))
    assert all(-1 <= row["estimate"] <= 1 and 0 < row["same"] <= 1 for row in rows.values())


def test_a_single_group_or_no_draw_is_refused(edition):
    with pytest.raises(ValueError, match="n_groups must be 2 or more and n_draws 1 or more; got 1 and 5"):
        find_groups(edition, n_groups=1, n_draws=5)


def command(*words):
    app = typer.Typer()
    app.command()(groups_command)
    return CliRunner().invoke(app, [*words, "--draws", "10"])


def test_the_command_writes_every_table(monkeypatch, groups):
    monkeypatch.setattr("gwm_models.index.groups.find_groups", lambda *_, **__: groups)
    answer = json.loads(command("--format", "json").output)
    assert set(answer) == {"groups", "areas", "scales", "stability", "report"}
    assert len(answer["groups"]) == 4 and len(answer["areas"]) == 118
    csv = command("--format", "csv", "--area", "leeds").output.splitlines()
    assert csv[0].startswith("area_code,area_name,group,name,total,prob_own") and len(csv) == 2
    table = command().output
    assert "satisfactory_hours has no open figures" in table and "the data have no coastline" in table
    assert "adjusted Rand index" in table and "there are four groups" in table
    assert len(command("--area", "York").output.splitlines()) == 3
    assert (
        command("--show", "scales")
        .output.splitlines()[0]
        .startswith("Scales: Good Work Monitor, January 2021, figures of 2017-2018")
    )
