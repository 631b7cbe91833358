"""Peers of an area: those with the most similar profiles, and what it is short of the best of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.data.lookup import find_area
from gwm_models.index.calibration import points_per_unit
from gwm_models.index.profiles import Profiles, area_profiles, profile_draws
from gwm_models.index.similarity import Metric, scale_root

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SEED = 20260101
DRAWS = 2000
LEVEL = 0.9


@dataclass(frozen=True, eq=False)
class Peers:
    """The units most similar to one unit; arrays over peers have the nearest first.

    Attributes
    ----------
    edition : Edition
    profiles : Profiles
    unit : int
        Place of the unit asked for.
    metric : {"euclidean", "mahalanobis"}
    peer : ndarray of int, shape (n_peers,)
        Places of its peers.
    distance : ndarray, shape (n_peers,)
        Between published profiles, in standard deviations (root mean square over the indicators).
    drawn_distance : ndarray, shape (n_draws, n_peers)
        The same between draws of the true profiles.
    prob : ndarray, shape (n_peers,)
        Share of draws in which the peer is among the `n_peers` nearest.
    drawn_scores : ndarray, shape (n_draws, n_peers + 1, n_indicators)
        Draws of the true profiles of the unit asked for (first) and of its peers.
    """

    edition: Edition
    profiles: Profiles
    unit: int
    metric: Metric
    peer: Ints
    distance: Floats
    drawn_distance: Floats
    prob: Floats
    drawn_scores: Floats

    def __repr__(self) -> str:
        """Return one line: whose peers, and the nearest."""
        names = self.profiles.name
        return f"Peers of {names[self.unit]}: {len(self.peer)}, nearest {names[self.peer[0]]}"


def find_peers(
    edition: Edition,
    area: str,
    *,
    n_peers: int = 10,
    metric: Metric = "euclidean",
    n_draws: int = DRAWS,
    seed: int = SEED,
) -> Peers:
    """Find the areas most similar to one, by the distance between indicator profiles.

    An area that shares its figures with another (Bournemouth and Poole) is never its peer.

    Parameters
    ----------
    edition : Edition
    area : str
        Name or code.
    n_peers : int
    metric : {"euclidean", "mahalanobis"}
        Standardised Euclidean counts every indicator alike, as the index does; Mahalanobis counts once what several
        indicators share.
    n_draws, seed : int
        Draws of the true profiles, for the probabilities and intervals.

    Raises
    ------
    DataError
        If there is no such area.
    ValueError
        If `n_peers` is not within 1 to the number of other units, or the metric is unknown.

    References
    ----------
    Mahalanobis (1936), Proceedings of the National Institute of Sciences of India 2, 49-55.
    """
    profiles = area_profiles(edition)
    if not 1 <= n_peers < len(profiles):
        raise ValueError(f"n_peers must lie between 1 and {len(profiles) - 1}, the other units; got {n_peers!r}.")
    unit = int(profiles.place[find_area(edition, area)])
    root = scale_root(profiles.scores, metric)
    published = distances_from(profiles.scores @ root, unit)
    peer = nearest_to(published, unit, n_peers)
    true = profile_draws(profiles, n_draws=n_draws, seed=seed)
    drawn = distances_from(true @ root, unit)
    return Peers(
        edition=edition,
        profiles=profiles,
        unit=unit,
        metric=metric,
        peer=peer,
        distance=published[peer],
        drawn_distance=drawn[:, peer],
        prob=share_nearest(drawn, unit, n_peers)[peer],
        drawn_scores=true[:, np.array([unit, *peer])],
    )


def distances_from(coordinates: Floats, unit: int) -> Floats:
    """Return distances of all units from one, (..., n_units), given coordinates (..., n_units, n_dimensions)."""
    return np.asarray(np.sqrt(((coordinates - coordinates[..., unit : unit + 1, :]) ** 2).sum(axis=-1)))


def nearest_to(distance: Floats, unit: int, n: int) -> Ints:
    """Return the places of the `n` smallest distances, without the unit itself; ties in order of place.

    Examples
    --------
    >>> nearest_to(np.array([0.0, 2.0, 1.0, 2.0]), 0, 2).tolist()
    [2, 1]
    """
    order = np.argsort(distance, kind="stable")
    return np.asarray(order[order != unit][:n])


def share_nearest(distance: Floats, unit: int, n: int) -> Floats:
    """Return the share of draws in which each unit is among the `n` nearest to one; 0 for that unit itself.

    Parameters
    ----------
    distance : ndarray, shape (n_draws, n_units)

    Examples
    --------
    >>> share_nearest(np.array([[0.0, 1.0, 2.0], [0.0, 2.0, 1.0], [0.0, 1.0, 3.0], [0.0, 1.0, 2.0]]), 0, 1).tolist()
    [0.0, 0.75, 0.25]
    """
    others = distance.copy()
    others[:, unit] = np.inf
    reach = np.partition(others, n - 1, axis=1)[:, n - 1]
    return np.asarray((others <= reach[:, None]).mean(axis=0))


def peer_rows(peers: Peers) -> list[dict[str, object]]:
    """Return one row a peer, the nearest first.

    `estimate` is the mean distance between the true profiles given sampling error, with its interval;
    `published_distance` that between the published ones. `total_gap` is the peer's published total less the total of
    the area asked for, in score points.
    """
    edition, profiles = peers.edition, peers.profiles
    total = profiles.weights @ edition.total
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    lower, upper = np.quantile(peers.drawn_distance, tails, axis=0)
    return [
        {
            "area_code": area_code(edition, profiles, unit),
            "area_name": profiles.name[unit],
            "published_distance": float(peers.distance[i]),
            "estimate": float(peers.drawn_distance[:, i].mean()),
            "std_error": float(peers.drawn_distance[:, i].std()),
            "lower": float(lower[i]),
            "upper": float(upper[i]),
            "level": LEVEL,
            f"prob_nearest_{len(peers.peer)}": float(peers.prob[i]),
            "total": float(total[unit]),
            "total_gap": float(total[unit] - total[peers.unit]),
            "n": len(peers.drawn_distance),
        }
        for i, unit in enumerate(peers.peer.tolist())
    ]


def gap_rows(peers: Peers) -> list[dict[str, object]]:
    """Return one row an indicator: the change that would take the area to the level of its best peer.

    Best is the best published level among the peers. `published_gap` is that level less the area's, in the
    indicator's unit. The best of several noisy figures is partly luck: `estimate`, with its interval, is the mean of
    the same difference between true levels given sampling error, and `prob_behind` the share of draws in which that
    peer is truly ahead. `points` and `published_points` are what the two are worth, negative where the area is ahead
    already. An indicator without open figures has the published score of its domain instead, which also holds the
    other indicators of that domain: do not add it to them.
    """
    edition, profiles = peers.edition, peers.profiles
    levels = profiles.to_levels(peers.drawn_scores)
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    rows: list[dict[str, object]] = []
    for j, spec in enumerate(edition.spec.indicators):
        place = int(np.argmax(profiles.scores[peers.peer, j]))
        best = int(peers.peer[place])
        published = float(profiles.level[best, j] - profiles.level[peers.unit, j])
        error = float(profiles.spread[j] * np.sqrt(profiles.cov[[best, peers.unit], j, j].sum()))
        drawn = levels[:, place + 1, j] - levels[:, 0, j]
        lower, upper = np.quantile(drawn, tails)
        measured = bool(profiles.measured[j])
        domain = dict(edition.spec.domains)[spec.domain]
        rows.append(
            {
                "indicator": spec.id,
                "label": spec.label if measured else f"{domain}, published domain score (stands in for {spec.id})",
                "unit": spec.unit if measured else "points",
                "period": spec.period,
                "level_here": float(profiles.level[peers.unit, j]),
                "best_area_code": area_code(edition, profiles, best),
                "best_area_name": profiles.name[best],
                "best_level": float(profiles.level[best, j]),
                "published_gap": published,
                "published_std_error": error,
                "estimate": float(drawn.mean()),
                "std_error": float(drawn.std()),
                "lower": float(lower),
                "upper": float(upper),
                "level": LEVEL,
                "prob_behind": float((drawn * profiles.points[j] > 0).mean()),
                **_points(edition, profiles, j, drawn, published),
                "n": len(drawn),
            }
        )
    return rows


def area_code(edition: Edition, profiles: Profiles, unit: int) -> str:
    """Return the codes of the areas of a unit, joined by a slash."""
    return "/".join(
        sorted(code for code, place in zip(edition.areas.code, profiles.place, strict=True) if place == unit)
    )


def _points(edition: Edition, profiles: Profiles, j: int, drawn: Floats, published: float) -> dict[str, object]:
    """Return gaps in score points; the standard error also holds that of the points per unit."""
    known = points_per_unit(edition)
    per_unit = float(profiles.points[j])
    calibration = float(known.std_error[j]) if profiles.measured[j] else 0.0
    return {
        "points_per_unit": per_unit,
        "points_per_unit_std_error": calibration,
        "points_status": known.status[j] if profiles.measured[j] else "published",
        "points": float(drawn.mean()) * per_unit,
        "points_std_error": float(np.hypot(per_unit * drawn.std(), drawn.mean() * calibration)),
        "published_points": published * per_unit,
    }
