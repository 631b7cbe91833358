"""Ranks of an edition, given the sampling error of its indicators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.errors import DataError
from gwm_models.index.sampling import LEAST_ERROR, sampling_error
from gwm_models.ranks.posterior import ScorePosterior, score_posterior
from gwm_models.ranks.sets import rank_sets
from gwm_models.ranks.sets_result import RankSets, Side
from gwm_models.ranks.table import RankTable, rank_areas

Floats = NDArray[np.float64]

N_ENDS = 10
"""Size of the groups at both ends whose probabilities are given; all areas where there are fewer."""
SET_DRAWS = 10_000
SET_SEED = 0


def edition_posterior(edition: Edition, *, n_draws: int, seed: int, hours_error: float | None = None) -> ScorePosterior:
    """Draw the true domain scores of an edition, given the sampling error of its indicators.

    Parameters
    ----------
    edition : Edition
    n_draws, seed : int
    hours_error : float, optional
        As in `domain_errors`.
    """
    return score_posterior(
        edition.domain_scores,
        domain_errors(edition, hours_error),
        edition.areas.region_index(),
        edition.areas.code,
        prior_sd=prior_sd(edition),
        n_draws=n_draws,
        seed=seed,
    )


def prior_sd(edition: Edition) -> float:
    """Return the prior scale of the spread between areas: the largest score on the scale of one indicator."""
    return float(np.abs(edition.spec.scale).max())


def domain_errors(edition: Edition, hours_error: float | None = None) -> Floats:
    """Return the sampling covariance of each area's domain scores, shape (n_areas, n_domains, n_domains).

    Parameters
    ----------
    edition : Edition
    hours_error : float, optional
        Standard error, in score points and the same in every area, of each indicator whose error is assumed for want
        of open figures (satisfactory hours). By default it is that of the indicator the edition names.

    Raises
    ------
    DataError
        If `hours_error` is given and is not a finite number of 0 or more, or no error of the edition is assumed.
    """
    error = sampling_error(edition)
    if hours_error is None:
        return error.domain_cov
    assumed = assumed_indicators(edition)
    if not assumed:
        raise DataError(f"{edition.name}: no sampling error is assumed there, so there is none to set in points.")
    if not (np.isfinite(hours_error) and hours_error >= 0):
        raise DataError(
            f"the sampling error of hours is {hours_error!r}; expected a finite number of points, 0 or more."
        )
    cov = np.array(error.domain_cov)
    low, high = edition.spec.scale
    for d, domain in enumerate(edition.spec.domain_ids):
        for j in set(assumed) & set(edition.spec.members(domain)):
            cov[:, d, d] += hours_error**2 - error.cov_points[:, j, j]
        cov[:, d, d] = np.maximum(cov[:, d, d], (LEAST_ERROR * (high - low)) ** 2)
    return cov


def assumed_indicators(edition: Edition) -> tuple[int, ...]:
    """Return the places of the indicators whose sampling error is assumed."""
    return tuple(j for j, one in enumerate(edition.spec.indicators) if one.sampling.get("kind") == "assumed")


def short_label(edition: Edition, indicator: str) -> str:
    """Return the label of an indicator without the detail in brackets."""
    return edition.spec.indicator(indicator).label.partition(" (")[0]


def hours_words(edition: Edition, hours_error: float | None = None, *, advice: bool = True) -> str:
    """Say what is assumed of the errors that have no source; empty where nothing is.

    Parameters
    ----------
    edition : Edition
    hours_error : float, optional
        As in `domain_errors`.
    advice : bool
        Say which option changes it.
    """
    assumed = assumed_indicators(edition)
    if not assumed:
        return ""
    names = " and ".join(short_label(edition, edition.spec.indicator_ids[j]) for j in assumed)
    if hours_error is not None:
        return f"Assumed: a sampling error of {hours_error:g} score points in every area for {names} (no open figures)."
    points = np.sqrt(sampling_error(edition).cov_points[:, assumed[0], assumed[0]])
    twin = short_label(edition, edition.spec.indicators[assumed[0]].sampling["same_points_as"])
    return (
        f"Assumed: {names} has no open figures; its sampling error is that of {twin}, in score points "
        f"(median {np.median(points):.1f})." + (" Set another with --hours-error." if advice else "")
    )


def total_covariance(edition: Edition, hours_error: float | None = None) -> Floats:
    """Return the sampling covariance of the totals of all areas, shape (n_areas, n_areas).

    Two areas of one survey unit have one error between them in each domain where they carry the unit's score, the same
    in both; their errors in other domains, and those of other areas, are independent.
    """
    cov = domain_errors(edition, hours_error)
    total = np.diag(cov.sum(axis=(1, 2)))
    for i, j in _same_unit(edition):
        shared = _shared_domains(edition, cov, i, j)
        if shared.any():
            own, other = (cov[area][:, shared].sum(axis=0) for area in (i, j))
            total[i, j] = total[j, i] = own @ np.linalg.solve(cov[i][np.ix_(shared, shared)], other)
    return total


def _same_unit(edition: Edition) -> list[tuple[int, int]]:
    """Return the pairs of areas that belong to one survey unit."""
    places: dict[str, list[int]] = {}
    for place, unit in enumerate(edition.areas.unit):
        places.setdefault(unit, []).append(place)
    return sorted(pair for group in places.values() for pair in combinations(group, 2))


def _shared_domains(edition: Edition, cov: Floats, i: int, j: int) -> NDArray[np.bool_]:
    """Return in which domains two areas of a survey unit carry the same score with the same error."""
    same = edition.domain_scores[i] == edition.domain_scores[j]
    same &= np.diagonal(cov[i]) == np.diagonal(cov[j])
    same[same] = (cov[i] == cov[j])[np.ix_(same, same)].all(axis=1)
    return np.asarray(same)


def shared_unit_note(edition: Edition, area: str) -> str:
    """Say what it means for the errors of an area that others belong to the same survey unit; empty where none do.

    Parameters
    ----------
    edition : Edition
    area : str
        Area code.
    """
    place, cov = edition.areas.code.index(area), sampling_error(edition).domain_cov
    pairs = [pair for pair in _same_unit(edition) if place in pair]
    if not pairs:
        return ""
    others = [j if i == place else i for i, j in pairs]
    shared = np.any([_shared_domains(edition, cov, place, other) for other in others], axis=0)
    labels = dict(edition.spec.domains)
    domains = " and ".join(labels[name] for name, both in zip(edition.spec.domain_ids, shared, strict=True) if both)
    names = " and ".join(edition.areas.name[k] for k in sorted((place, *others)))
    note = (
        f"{names} belong to one survey unit, whose sample size stands for each of them: where a score is of one area "
        "only, its sampling error is larger than stated, by an unknown amount."
    )
    if not domains:
        return note
    return (
        f"{note} They share one figure for {domains}: confidence sets count its error once for both, rank intervals "
        "draw it for each as if independent."
    )


@lru_cache(maxsize=8)
def edition_sets(
    edition: Edition,
    *,
    level: float = 0.9,
    simultaneous: bool = False,
    stepdown: bool = False,
    side: Side = "both",
    hours_error: float | None = None,
) -> RankSets:
    """Return confidence sets for the ranks of an edition; see `rank_sets`."""
    return rank_sets(
        edition.total,
        total_covariance(edition, hours_error),
        level=level,
        simultaneous=simultaneous,
        stepdown=stepdown,
        side=side,
        area=edition.areas.code,
        draws=SET_DRAWS,
        rng=SET_SEED,
    )


def n_ends(edition: Edition) -> int:
    """Return the size of the groups at both ends of the table."""
    return min(N_ENDS, len(edition.areas))


def rank_rows(edition: Edition, *, level: float, n_draws: int, seed: int) -> list[dict[str, object]]:
    """Return the rank table of an edition, areas in published order.

    Parameters
    ----------
    edition : Edition
    level : float in (0, 1)
        Probability of the rank intervals.
    n_draws, seed : int
    """
    posterior = edition_posterior(edition, n_draws=n_draws, seed=seed)
    table = rank_areas(posterior.draws.sum(axis=2), edition.areas.code, level=level, n_ends=n_ends(edition))
    return table_rows(edition, table, posterior.shrunk.sum(axis=1))


def table_rows(
    edition: Edition, table: RankTable, shrunk: Floats | None, *, full: bool = False
) -> list[dict[str, object]]:
    """Return the rows of a rank table with names and scores; without `shrunk` the shrunk score is missing."""
    return with_scores(
        edition,
        [
            {"shrunk_score": None if shrunk is None else round(float(shrunk[i]), 1), **row}
            for i, row in enumerate(table.to_rows(full=full))
        ],
    )


def with_scores(edition: Edition, rows: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Put names, regions, scores and ranks of the edition before rows that stand in the order of its areas."""
    basis = "published" if edition.published else "computed"
    return [
        {
            "area_code": edition.areas.code[i],
            "area_name": edition.areas.name[i],
            "region_name": edition.areas.region[i],
            f"{basis}_score": round(float(edition.total[i]), 6),
            f"{basis}_rank": int(edition.rank[i]),
            **{name: value for name, value in row.items() if name != "area_code"},
        }
        for i, row in enumerate(rows)
    ]
