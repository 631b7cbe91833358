"""The indicators of one area beside its peers, its region and all areas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.errors import DataError
from gwm_models.index.calibration import points_per_unit
from gwm_models.index.peers import Peers, find_peers, peer_rows
from gwm_models.index.profiles import Profiles, area_profiles
from gwm_models.index.sampling import sampling_error
from gwm_models.plots.area import NOTHING, profile
from gwm_models.plots.words import places_for
from gwm_models.ranks.edition import short_label
from gwm_models.scenarios.spread import plain

Floats = NDArray[np.float64]
Json = dict[str, Any]

N_PEERS = 10
"""As `gwm index peers`; all other areas where there are fewer."""
GROUPS = ("peers", "region", "whole")
"""Whose medians a figure is held against: the most similar areas, those of its region, all."""
LIMITS = 1.96
PLACES = {"GBP_per_week": 0, "percent_of_median": 1}
PUBLISHED = "published survey limits"
COMPUTED = "no published limits: from the effective sample size"
EXACT = "no limits: taken as exact"


@dataclass(frozen=True, eq=False)
class Setting:
    """What the pages of one edition share.

    Attributes
    ----------
    edition : Edition
    profiles : Profiles or None
        None where areas cannot be told apart by some indicator.
    region : tuple of str, length n_units
        Of each unit of the profiles.
    """

    edition: Edition
    profiles: Profiles | None
    region: tuple[str, ...]


@lru_cache(maxsize=8)
def setting(edition: Edition) -> Setting:
    """Find what the pages of an edition share; kept."""
    try:
        profiles = area_profiles(edition)
    except DataError:
        return Setting(edition, None, ())
    own = {int(unit): region for unit, region in zip(profiles.place, edition.areas.region, strict=True)}
    return Setting(edition, profiles, tuple(own[unit] for unit in range(len(profiles))))


def label_of(edition: Edition, indicator: str) -> str:
    """Return the label of an indicator without its details, but with the prices of money.

    Examples
    --------
    >>> from gwm_models.data.edition import load_edition
    >>> label_of(load_edition(), "economic_activity_rate")
    'Economic activity rate'
    """
    prices = ", regional prices" if "deflate" in edition.spec.indicator(indicator).values else ""
    return short_label(edition, indicator).partition(",")[0] + prices


def indicator_rows(edition: Edition, place: int, peers: Peers | None = None) -> list[Json]:
    """Return a row for each indicator: the figure with its 95% limits, and where it stands among all areas.

    Parameters
    ----------
    edition : Edition
    place : int
        Of the area.
    peers : Peers, optional
        From `peers_of`.

    Returns
    -------
    list of dict
        ``value, lower, upper`` in the unit and ``limits`` (what the limits rest on); ``score`` with limits in standard
        deviations from the mean of units, higher is better; medians of peers, of the region and of all units in both;
        what one unit is worth in ``points_per_unit``. None, and words in ``missing``, for an indicator without open
        figures.
    """
    known, sampling = points_per_unit(edition), sampling_error(edition)
    rows = []
    for j, spec in enumerate(edition.spec.indicators):
        value = float(edition.values[place, j])
        measured = bool(np.isfinite(value))
        error = float(sampling.std_error[place, j]) if measured else np.nan
        half = LIMITS * error if error > 0 else np.nan
        places = PLACES.get(spec.unit, places_for(spec.unit, [value]))
        row: Json = {
            "indicator": spec.id,
            "label": label_of(edition, spec.id),
            "full_label": spec.label,
            "domain": dict(edition.spec.domains)[spec.domain],
            "unit": spec.unit,
            "places": places,
            "period": spec.period,
            "source": spec.source,
            "direction": spec.direction,
            "value": plain(value),
            "lower": plain(value - half),
            "upper": plain(value + half),
            "level": 0.95,
            "limits": _basis(edition, place, j, half) if measured else "",
            "missing": "" if measured else _missing(edition, place, spec.domain, spec.unit),
            **_points(known.status[j], float(known.estimate[j]), float(known.std_error[j])),
        }
        rows.append(row | _beside(edition, place, j, half, peers))
    return rows


def _basis(edition: Edition, place: int, j: int, half: float) -> str:
    """Say what the limits of a figure rest on."""
    if np.isfinite(edition.level_errors[place, j]):
        return PUBLISHED
    return COMPUTED if np.isfinite(half) else EXACT


def _missing(edition: Edition, place: int, domain: str, unit: str) -> str:
    """Say that an indicator has no figure, and what is known instead."""
    d = edition.spec.domain_ids.index(domain)
    known = f"; its domain, {edition.spec.domains[d][1]}, scores {edition.domain_scores[place, d]:.1f} points"
    return f"{NOTHING}{known if unit == 'points' else ''}"


def _points(status: str, estimate: float, error: float) -> Json:
    """Return what one unit is worth; nothing for an indicator known in points only."""
    if status == "unknown":
        estimate = error = np.nan
    return {"points_per_unit": plain(estimate), "points_per_unit_std_error": plain(error), "points_status": status}


def _beside(edition: Edition, place: int, j: int, half: float, peers: Peers | None) -> Json:
    """Return the place of a figure among all areas, in standard deviations, and the medians it is held against."""
    shared = setting(edition)
    profiles, value = shared.profiles, float(edition.values[place, j])
    if profiles is None or not profiles.measured[j] or not np.isfinite(value):
        nothing = {f"{name}_{what}": None for name in GROUPS for what in ("median", "score")}
        return {"score": None, "score_lower": None, "score_upper": None, **nothing}
    level, sign = profiles.level[:, j], float(np.sign(profiles.points[j]))

    def scored(figure: float) -> float:
        return float(sign * (figure - level.mean()) / profiles.spread[j])

    own = np.array(shared.region) == edition.areas.region[place]
    nearest = level[peers.peer] if peers is not None else np.array([np.nan])
    medians = dict(zip(GROUPS, map(float, map(np.median, (nearest, level[own], level))), strict=True))
    ends = sorted((scored(value - half), scored(value + half)))
    return {
        "score": plain(scored(value)),
        "score_lower": plain(ends[0]),
        "score_upper": plain(ends[1]),
        **{f"{name}_median": plain(median) for name, median in medians.items()},
        **{f"{name}_score": plain(scored(median)) for name, median in medians.items()},
    }


def peers_of(edition: Edition, place: int) -> Peers | None:
    """Return the most similar areas, as `gwm index peers` finds them; None where there are no profiles."""
    profiles = setting(edition).profiles
    if profiles is None or len(profiles) < 2:
        return None
    return find_peers(edition, edition.areas.code[place], n_peers=min(N_PEERS, len(profiles) - 1))


def peer_table(edition: Edition, peers: Peers | None) -> list[Json]:
    """Return the rows of `gwm index peers`, with region and the codes of the areas of each."""
    if peers is None:
        return []
    region = setting(edition).region
    return [
        {name: plain(value) if isinstance(value, float) else value for name, value in row.items()}
        | {"region_name": region[unit], **_codes(str(row["area_code"]))}
        for row, unit in zip(peer_rows(peers), peers.peer.tolist(), strict=True)
    ]


def _codes(joined: str) -> Json:
    """Return the codes of the areas of a unit, and the first as the one to look up."""
    codes = joined.split("/")
    return {"area_code": codes[0], "area_codes": codes}


def profile_charts(edition: Edition, place: int, rows: list[Json], peers: Peers | None, whole: str) -> list[Json]:
    """Return the chart of the profile of an area."""
    if peers is None:
        return []
    profiles, alike = peers.profiles, set(peers.peer.tolist())
    others = [
        {
            "indicator": name,
            "name": profiles.name[unit],
            "score": float(profiles.scores[unit, j]),
            "peer": unit in alike,
        }
        for j, name in enumerate(profiles.indicator)
        if profiles.measured[j]
        for unit in range(len(profiles))
        if unit != peers.unit
    ]
    areas = edition.areas
    return profile(rows, others, area=areas.name[place], region=areas.region[place], whole=whole)
