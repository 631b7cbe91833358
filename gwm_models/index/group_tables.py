"""Groups of areas as rows: profiles of the groups, members with their probabilities, scales."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gwm_models.index.group_claims import group_means, healthy_life, unit_population
from gwm_models.index.groups import REPORT_NAMES, AreaGroups

Floats = NDArray[np.float64]

TYPICAL = 3


def group_rows(groups: AreaGroups) -> list[dict[str, object]]:
    """Return one row a group, the highest mean total first.

    Means are over units, each counted once: Monitor scores in points, indicators in their units, healthy life
    expectancy at birth in years (2016-18, mean of male and female; also weighted by residents). `typical` are the units
    nearest to the group's mean profile; `report_name` is the report's name for the group that the same rule points
    at, not proof that it has the same members.
    """
    edition, profiles, n = groups.edition, groups.profiles, len(groups.name)
    years = healthy_life(profiles)[0]
    even, people = np.ones(len(profiles)), unit_population(groups)
    scores = profiles.weights @ edition.domain_scores
    columns: dict[str, Floats] = {"total": groups.total}
    for d, name in enumerate(edition.spec.domain_ids):
        columns[name] = group_means(scores[:, d], groups.labels, n, even)
    for j, name in enumerate(profiles.indicator):
        if profiles.measured[j]:
            columns[name] = group_means(profiles.level[:, j], groups.labels, n, even)
    columns |= {
        "residents_per_km2": groups.density,
        "county_share": groups.county_share,
        "healthy_life": group_means(years, groups.labels, n, even),
        "healthy_life_by_residents": group_means(years, groups.labels, n, people),
        "prob_own": group_means(groups.prob_own, groups.labels, n, even),
    }
    sizes = np.bincount(groups.area_labels, minlength=n)
    return [
        {
            "group": group + 1,
            "name": name,
            "report_name": REPORT_NAMES.get(name, "") if {*groups.name} == {*REPORT_NAMES} else "",
            "n": int(sizes[group]),
            "typical": typical_units(groups, group),
            **{column: float(values[group]) for column, values in columns.items()},
        }
        for group, name in enumerate(groups.name)
    ]


def typical_units(groups: AreaGroups, group: int) -> list[str]:
    """Return the names of the units nearest to a group's mean profile."""
    members = np.flatnonzero(groups.labels == group)
    scores = groups.profiles.scores[members]
    order = np.argsort(((scores - scores.mean(axis=0)) ** 2).sum(axis=1), kind="stable")
    return [groups.profiles.name[unit] for unit in members[order[:TYPICAL]]]


def area_rows(groups: AreaGroups) -> list[dict[str, object]]:
    """Return one row an area, in the edition's order: its group and the probability of each group.

    Probabilities are shares of draws of the true profiles, each searched anew; they sum to one.
    """
    prob, place = groups.prob, groups.profiles.place
    return [
        {
            "area_code": code,
            "area_name": groups.edition.areas.name[i],
            "group": int(groups.labels[place[i]]) + 1,
            "name": groups.name[groups.labels[place[i]]],
            "total": float(groups.edition.total[i]),
            "prob_own": float(prob[place[i], groups.labels[place[i]]]),
            **{
                f"prob_{name.replace(' ', '_')}": float(share)
                for name, share in zip(groups.name, prob[place[i]], strict=True)
            },
            "n": len(groups.draws),
        }
        for i, code in enumerate(groups.edition.areas.code)
    ]


def scale_rows(groups: AreaGroups) -> list[dict[str, object]]:
    """Return one row a scale: groups found, and the disagreement of repeated runs and of neighbouring scales.

    Variations are normalised variations of information, 0 for equal partitions, 1 at most.
    """
    scan = groups.scan
    return [
        {
            "markov_time": float(scan.time[i]),
            "resolution": float(1 / scan.time[i]),
            "n_groups": int(scan.n_groups[i]),
            "stability": float(scan.stability[i]),
            "run_variation": float(scan.run_variation[i]),
            "scale_variation": float(scan.scale_variation[i]),
            "robust": bool(scan.robust[i]),
            "chosen": i == groups.chosen,
            "n": scan.n_runs,
        }
        for i in range(len(scan.time))
    ]
