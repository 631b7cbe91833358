"""Groups of areas with alike indicator profiles, found without their places, and how sure each membership is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.data.edition import Edition
from gwm_models.data.tables import read_table
from gwm_models.errors import DataError
from gwm_models.index.communities import (
    TIMES,
    Scan,
    best_partition,
    choose_scale,
    louvain_runs,
    match_labels,
    scan_scales,
    split_into,
)
from gwm_models.index.profiles import Profiles, area_profiles, profile_draws
from gwm_models.index.similarity import NEIGHBOURS, distances, similarity_graph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SEED = 20260101
DRAWS = 200
FINAL_RUNS = 50
"""Runs of the search at the chosen scale, of which the best is kept."""
DRAW_RUNS = 2
"""Runs of the search on each draw of the true profiles."""
REPORT_NAMES = {
    "highest": "Good Work Winners (D)",
    "lowest": "Northern Towns (A)",
    "rural": "Rural and Coastal Counties (C)",
    "urban": "Regional Urban Centres (B)",
}


@dataclass(frozen=True, eq=False)
class AreaGroups:
    """Groups of the units of an edition, numbered from the highest mean total down.

    Attributes
    ----------
    edition : Edition
    profiles : Profiles
    labels : ndarray of int, shape (n_units,)
        Group of each unit.
    name : tuple of str, length n_groups
        By the rule of `name_groups`.
    draws : ndarray of int, shape (n_draws, n_units)
        Group of each unit when the whole search is run on a draw of the true profiles, names matched by overlap.
    exact : ndarray of bool, shape (n_draws,)
        Whether that draw had as many groups.
    scan : Scan
        Every scale of the published profiles.
    chosen : int
        Place of the scale used.
    total, density, county_share : ndarray, shape (n_groups,)
        Mean Monitor total of the units; residents per square kilometre; share of areas that are counties. The last
        two are NaN where the edition's areas have no land area.
    neighbours, seed : int
    """

    edition: Edition
    profiles: Profiles
    labels: Ints
    name: tuple[str, ...]
    draws: Ints
    exact: NDArray[np.bool_]
    scan: Scan
    chosen: int
    total: Floats
    density: Floats
    county_share: Floats
    neighbours: int
    seed: int

    def __repr__(self) -> str:
        """Return one line: groups, their sizes, the mean probability of a membership."""
        sizes = ", ".join(f"{name} {n}" for name, n in zip(self.name, np.bincount(self.labels), strict=True))
        return f"AreaGroups({len(self.labels)} units: {sizes}; mean prob {self.prob_own.mean():.2f})"

    @property
    def prob(self) -> Floats:
        """Share of draws in which each unit is in each group, shape (n_units, n_groups); rows sum to one."""
        return np.stack([(self.draws == group).mean(axis=0) for group in range(len(self.name))], axis=1)

    @property
    def prob_own(self) -> Floats:
        """Share of draws in which each unit is in its own group, shape (n_units,)."""
        return np.asarray(self.prob[np.arange(len(self.labels)), self.labels])

    @property
    def area_labels(self) -> Ints:
        """Group of each area of the edition, shape (n_areas,)."""
        return np.asarray(self.labels[self.profiles.place])


def find_groups(
    edition: Edition,
    *,
    n_groups: int = 4,
    n_draws: int = DRAWS,
    seed: int = SEED,
    neighbours: int = NEIGHBOURS,
) -> AreaGroups:
    """Group the areas of an edition by their indicator profiles.

    Standardised profiles are joined in a continuous k-nearest-neighbour graph; communities maximise linearised Markov
    Stability at Markov times from 0.5 to 10; of the scales with `n_groups` communities the one is used on which
    repeated runs and neighbouring scales agree most. The same search on draws of the true profiles gives each
    membership a probability. Regions, borders and coordinates play no part.

    Parameters
    ----------
    edition : Edition
    n_groups : int
        The report has four.
    n_draws : int
        Draws of the true profiles behind the probabilities.
    seed : int
        The same seed gives the same groups and probabilities.
    neighbours : int
        `k` of the graph.

    Raises
    ------
    DataError
        If the edition has too few areas for such a graph.
    ModelError
        If no scale has that number of groups.
    ValueError
        If `n_groups` is below 2 or `n_draws` below 1.

    References
    ----------
    Lambiotte, Delvenne & Barahona (2014), IEEE Transactions on Network Science and Engineering 1, 76-90. Liu &
    Barahona (2020), Applied Network Science 5, 3.
    """
    if n_groups < 2 or n_draws < 1:
        raise ValueError(f"n_groups must be 2 or more and n_draws 1 or more; got {n_groups!r} and {n_draws!r}.")
    profiles = area_profiles(edition)
    if len(profiles) <= neighbours:
        raise DataError(
            f"{edition.name} has {len(profiles)} areas with figures of their own; a graph of {neighbours} neighbours "
            f"needs {neighbours + 1} or more."
        )
    adjacency = similarity_graph(distances(profiles.scores), neighbours=neighbours)
    scan = scan_scales(adjacency, seed=seed)
    chosen = choose_scale(scan, n_groups)
    found = _best_of(adjacency, scan, chosen, n_groups, seed)
    total = _means(profiles.weights @ edition.total, found)
    order = np.argsort(-total, kind="stable")
    labels = np.argsort(order)[found]
    density, county_share = _settlement(edition, labels[profiles.place])
    draws, exact = membership_draws(profiles, labels, start=chosen, n_draws=n_draws, neighbours=neighbours, seed=seed)
    return AreaGroups(
        edition=edition,
        profiles=profiles,
        labels=labels,
        name=name_groups(total[order], density, county_share),
        draws=draws,
        exact=exact,
        scan=scan,
        chosen=chosen,
        total=total[order],
        density=density,
        county_share=county_share,
        neighbours=neighbours,
        seed=seed,
    )


def name_groups(total: ArrayLike, density: ArrayLike, county_share: ArrayLike) -> tuple[str, ...]:
    """Name groups by rule, from their mean totals, densities of population and shares of counties.

    The highest and the lowest mean total name two groups. Of the others the least densely peopled is ``rural`` and the
    most densely peopled ``urban``, if the first also has the larger share of counties (one alone is measured against
    the median of all groups). Where density and the kind of authority point different ways, or are not known, no such
    name is given: the others are ``middle 1`` and so on, by total. The data have no coastline, so no name says coast.

    Examples
    --------
    >>> name_groups([400, 330, 300, 220], [900, 250, 1800, 2000], [0.3, 0.5, 0.1, 0])
    ('highest', 'rural', 'urban', 'lowest')
    >>> name_groups([400, 330, 300, 220], [900, 250, 1800, 2000], [0.3, 0.1, 0.5, 0])
    ('highest', 'middle 1', 'middle 2', 'lowest')
    """
    totals, densities, counties = (np.asarray(x, dtype=float) for x in (total, density, county_share))
    names = np.full(len(totals), "", dtype=object)
    names[np.argmin(totals)], names[np.argmax(totals)] = "lowest", "highest"
    others = np.flatnonzero(names == "")
    if len(others) == 1:
        sparse = np.sign(np.median(densities) - densities[others[0]])
        if sparse == np.sign(counties[others[0]] - np.median(counties)) != 0:
            names[others[0]] = "rural" if sparse > 0 else "urban"
    elif len(others):
        first, last = (others[pick(densities[others])] for pick in (np.argmin, np.argmax))
        if densities[first] < densities[last] and counties[first] > counties[last]:
            names[first], names[last] = "rural", "urban"
    rest = np.flatnonzero(names == "")
    names[rest[np.argsort(-totals[rest], kind="stable")]] = [f"middle {i + 1}" for i in range(len(rest))]
    return tuple(str(name) for name in names)


def partition_of(
    scores: Floats, n_groups: int, *, start: int, n_runs: int, neighbours: int, seed: int
) -> tuple[Ints, bool]:
    """Group profiles, (n_units, n_indicators), from the scale at `start` outwards; see `split_into`."""
    adjacency = similarity_graph(distances(scores), neighbours=neighbours)
    return split_into(adjacency, n_groups, times=TIMES, start=start, n_runs=n_runs, seed=seed)


def membership_draws(
    profiles: Profiles, labels: Ints, *, start: int, n_draws: int, neighbours: int, seed: int
) -> tuple[Ints, NDArray[np.bool_]]:
    """Run the search on draws of the true profiles, and name the groups of each after those they overlap with most.

    Parameters
    ----------
    labels : ndarray of int, shape (n_units,)
        Groups of the published profiles.
    start : int
        Place of their scale among `TIMES`.

    Returns
    -------
    draws : ndarray of int, shape (n_draws, n_units)
    exact : ndarray of bool, shape (n_draws,)
        Whether a draw has as many groups. A draw that jumps over that number has more, the surplus joined to the
        groups it overlaps with.
    """
    true = profile_draws(profiles, n_draws=n_draws, seed=seed)
    found = np.empty((n_draws, len(profiles)), dtype=np.int64)
    exact = np.empty(n_draws, dtype=bool)
    for draw in range(n_draws):
        own, exact[draw] = partition_of(
            true[draw] / true[draw].std(axis=0),
            int(labels.max()) + 1,
            start=start,
            n_runs=DRAW_RUNS,
            neighbours=neighbours,
            seed=seed + 1 + draw,
        )
        found[draw] = match_labels(own, labels)
    return found, exact


def _best_of(adjacency: Floats, scan: Scan, chosen: int, n_groups: int, seed: int) -> Ints:
    """Search the chosen scale longer; keep the best partition with the number of groups asked for."""
    time = float(scan.time[chosen])
    runs = louvain_runs(adjacency, time, n_runs=FINAL_RUNS, seed=seed)
    fits = [labels for labels in runs if labels.max() + 1 == n_groups]
    return best_partition(adjacency, time, np.array([scan.labels[chosen], *fits]))


def _means(values: Floats, labels: Ints) -> Floats:
    return np.asarray(np.bincount(labels, weights=values) / np.bincount(labels))


def _settlement(edition: Edition, area_labels: Ints) -> tuple[Floats, Floats]:
    """Return residents per square kilometre, and the share of counties, by group; NaN for areas not in the table.

    An area of another edition that stands for several of the table (Bournemouth, Christchurch and Poole) is found by
    its unit.
    """
    n_groups = int(area_labels.max()) + 1
    table = read_table("areas")
    member = np.array(
        [
            code == table["area_code"] if code in table["area_code"] else code == table["unit_code"]
            for code in edition.areas.code
        ],
        dtype=float,
    )
    if not member.any(axis=1).all():
        return np.full(n_groups, np.nan), np.full(n_groups, np.nan)
    people, land = (np.bincount(area_labels, weights=member @ table[name]) for name in ("population", "land_area_m2"))
    county = member @ (table["area_type"] == "County") / member.sum(axis=1)
    return np.asarray(people / land * 1e6), _means(county, area_labels)
