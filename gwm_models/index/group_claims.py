"""What the report says of the groups, set against ours; nothing in the method is chosen to make them agree."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import published_std_error, unit_values
from gwm_models.draws import keyed_normals
from gwm_models.index.groups import AreaGroups
from gwm_models.index.profiles import Profiles

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Holds = Callable[[Ints], NDArray[np.bool_]]

LEVEL = 0.9
HEALTH, PERIOD, SEXES = "healthy_life_expectancy_at_birth", "2016-18", ("Male", "Female")
LEADERS = ("York", "Cheshire East", "Cheshire West and Chester")
CITIES = ("Leicester", "Nottingham", "Coventry", "Leeds", "Sheffield")
PORTS = ("Portsmouth", "Blackpool")
STATED_GAP = 5.0
STATED_GROUPS = 4
ROUNDING = 0.5
"""'About five years' is taken to hold from 4.5 to 5.5."""


def claim_rows(groups: AreaGroups) -> list[dict[str, object]]:
    """Set the report's statements about its groups against the groups found.

    Returns
    -------
    list of dict
        One row a statement: what the report says, what was found, whether they agree, and `prob_agrees`, the share of
        draws in which they do (the number of groups has none: there `n` is the number of scales). The gaps in healthy
        life also have an interval over the draws. A statement about areas
        that the edition lacks, or about a group that the rule of names does not give, is left out.
    """
    not_rural = ~np.isin(groups.name, ("highest", "rural"))
    claims: tuple[tuple[tuple[str, ...], str, Holds], ...] = (
        (LEADERS, "York, Cheshire East and Cheshire West and Chester are among the leaders", lambda found: found == 0),
        (
            CITIES,
            "Leicester, Nottingham, Coventry, Leeds and Sheffield are in one group",
            lambda found: np.asarray(found == found[:, :1]),
        ),
        (
            PORTS,
            "Portsmouth and Blackpool are in the urban or the northern group, not the rural and coastal one",
            lambda found: np.asarray(not_rural[found]),
        ),
    )
    known = set(groups.edition.areas.name)
    placed = [
        _places(groups, areas, says, holds)
        for areas, says, holds in claims
        if known.issuperset(areas) and (areas is not PORTS or "rural" in groups.name)
    ]
    return [_number(groups), *placed, *_gaps(groups)]


def healthy_life(profiles: Profiles) -> tuple[Floats, Floats]:
    """Return healthy life expectancy at birth, 2016-18, mean of male and female, by unit, and its standard error.

    A unit without published limits takes the median error of the others. NaN for a unit without figures.
    """
    tables = [unit_values("outcomes", HEALTH, PERIOD, profiles.unit, sex=sex) for sex in SEXES]
    errors = np.array([published_std_error(table) for table in tables])
    if np.isfinite(errors).any(axis=1).all():
        errors = np.where(np.isfinite(errors), errors, np.nanmedian(errors, axis=1, keepdims=True))
    years = np.mean([table["value"] for table in tables], axis=0)
    return np.asarray(years), np.asarray(np.sqrt((errors**2).sum(axis=0)) / len(SEXES))


def group_means(values: Floats, labels: Ints, n_groups: int, weights: Floats) -> Floats:
    """Return weighted means by group, (n_groups,), leaving out gaps; NaN for a group without a figure."""
    known = np.isfinite(values)
    total = np.bincount(labels[known], weights=(values * weights)[known], minlength=n_groups)
    weight = np.bincount(labels[known], weights=weights[known], minlength=n_groups)
    return np.asarray(np.divide(total, weight, out=np.full(n_groups, np.nan), where=weight > 0))


def unit_population(groups: AreaGroups) -> Floats:
    """Return residents by unit."""
    population = groups.edition.areas.population
    return np.asarray(np.bincount(groups.profiles.place, weights=population), dtype=np.float64)


def _number(groups: AreaGroups) -> dict[str, object]:
    scan = groups.scan
    span = scan.time[scan.n_groups == STATED_GROUPS]
    several = np.where(scan.n_groups > 1, scan.variation, np.inf)
    best = int(scan.n_groups[np.argmin(several)])
    range_text = f"; {STATED_GROUPS} at Markov times {span.min():.2g} to {span.max():.2g}" if len(span) else ""
    ours = f"the most robust scale has {best} groups{range_text}"
    return _row("there are four groups", ours, best == STATED_GROUPS, prob=np.nan, n=len(scan.time))


def _places(groups: AreaGroups, areas: tuple[str, ...], statement: str, holds: Holds) -> dict[str, object]:
    """Check a statement that holds when it does so for every one of its areas."""
    units = [int(groups.profiles.place[groups.edition.areas.name.index(area)]) for area in areas]
    ours = ", ".join(f"{area} {groups.name[groups.labels[unit]]}" for area, unit in zip(areas, units, strict=True))
    agrees = bool(holds(groups.labels[None, units]).all())
    share = float(holds(groups.draws[:, units]).all(axis=1).mean())
    return _row(statement, ours, agrees, prob=share, n=len(groups.draws))


def _gaps(groups: AreaGroups) -> list[dict[str, object]]:
    """Return the leaders' healthy life above that of the two groups of lowest total, by unit and by resident."""
    years, error = healthy_life(groups.profiles)
    if not np.isfinite(years).any():
        return []
    noise = keyed_normals(groups.seed, "healthy-life", groups.profiles.unit, len(groups.draws))
    rows = []
    for how, weights in (("areas weigh the same", np.ones(len(years))), ("by residents", unit_population(groups))):
        gap = health_gap(years, groups.labels, len(groups.name), weights)
        drawn = np.array(
            [
                health_gap(years + error * noise[i], labels, len(groups.name), weights)
                for i, labels in enumerate(groups.draws)
            ]
        )
        near = np.abs(drawn - STATED_GAP) <= ROUNDING
        lower, upper = np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        rows.append(
            _row(
                f"the leaders have about {STATED_GAP:g} years more of healthy life than the two weakest groups ({how})",
                f"{gap:.1f} years",
                bool(abs(gap - STATED_GAP) <= ROUNDING),
                prob=float(near.mean()),
                n=len(drawn),
                interval=(gap, float(lower), float(upper)),
            )
        )
    return rows


def health_gap(years: Floats, labels: Ints, n_groups: int, weights: Floats) -> float:
    """Return the mean of the first group less that of the last two together, in the unit of `years`."""
    merged = np.where(labels == 0, 0, np.where(labels >= n_groups - 2, 2, 1))
    means = group_means(years, merged, 3, weights)
    return float(means[0] - means[2])


def _row(
    statement: str,
    ours: str,
    agrees: bool,
    *,
    prob: float,
    n: int,
    interval: tuple[float, float, float] = (np.nan, np.nan, np.nan),
) -> dict[str, object]:
    estimate, lower, upper = interval
    return {
        "statement": statement,
        "ours": ours,
        "agrees": agrees,
        "prob_agrees": prob,
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "level": LEVEL if np.isfinite(estimate) else np.nan,
        "n": n,
    }
