"""Remade figure of communities of similar areas."""

from __future__ import annotations

import numpy as np

from gwm_models.index.group_claims import claim_rows
from gwm_models.index.group_tables import area_rows, group_rows
from gwm_models.index.groups import AreaGroups, find_groups
from gwm_models.plots.labels import plain_name
from gwm_models.plots.maps import tile_map
from gwm_models.plots.strips import strips
from gwm_models.plots.words import number, percent
from gwm_models.report.figures_index import outside
from gwm_models.report.figures_parts import Asked, Made, Number, by_level, edition_period
from gwm_models.report.figures_sources import Source, area_sources, edition_sources, sources_of

GROUPS_LEVEL = 0.9
THEIRS = (
    "The report's membership is only on a map and not published as a table, so the two cannot be held against each "
    "other area by area. "
)
COUNTS = {2: "Two", 3: "Three", 4: "Four", 5: "Five"}


def communities(asked: Asked) -> Made:
    """Map groups of areas with alike profiles, and say how sure each membership is."""
    edition = asked.edition
    groups = find_groups(edition)
    about = {str(row["name"]): row for row in group_rows(groups)}
    labels = {name: f"{place} {name.capitalize()}" for place, name in enumerate(groups.name, start=1)}
    region = dict(zip(edition.areas.code, edition.areas.region, strict=True))
    rows = [
        {
            "area_code": row["area_code"],
            "area_name": plain_name(str(row["area_name"])),
            "region_name": region[str(row["area_code"])],
            "group": labels[str(row["name"])],
            "sure": float(str(row["prob_own"])),
        }
        for row in area_rows(groups)
    ]
    mean = float(groups.prob_own.mean())
    gap, theirs = _gap(groups), THEIRS if edition.published else ""
    return Made(
        title=(
            f"{COUNTS.get(len(groups.name), len(groups.name))} communities of similar areas, found without looking at "
            f"the map; an area stays in its own in {percent(mean)} of draws"
        ),
        specs=[
            *tile_map(
                rows,
                value="group",
                title="Communities",
                description="Map of communities of similar areas.",
                unit="",
                places=0,
                kind="groups",
                label="Community",
                edition=edition,
                boundaries=asked.boundaries,
            ),
            *strips(
                rows,
                group="group",
                value="sure",
                axis="Probability of membership",
                places=2,
                description="How sure each membership is, by community: "
                + "; ".join(f"{labels[name]} {number(float(str(about[name]['prob_own'])), 2)}" for name in groups.name)
                + " on average.",
                title="How sure each membership is",
                group_word="Community",
                order=list(labels.values()),
            ),
        ],
        reading=(
            "Areas of one community have alike indicators; where they lie played no part. Communities are numbered and "
            "named by their mean total and by how densely they are peopled.",
            _profiles(groups, labels),
        ),
        interval=(
            f"Membership: share of {len(groups.draws)} draws of the true indicators in which the same search finds the "
            f"area in the same community. {by_level(GROUPS_LEVEL, 'gap in healthy life over the same draws')}"
        ),
        period=edition_period(edition),
        unit="community; probability 0 to 1; years",
        n=f"{len(rows)} areas, {len(groups.labels)} units with figures of their own",
        numbers=(
            *(
                Number(
                    f"Mean probability of membership: {labels[name]}", "share of draws", value, low, high, None, n, 2
                )
                for name, value, low, high, n in _sureness(groups)
            ),
            *gap,
        ),
        sources=(*edition_sources(edition), *area_sources(edition), *_life_sources(groups)),
        left_out=(*outside(edition), *asked.shapeless),
        caution=(
            f"Our own clustering (linearised Markov Stability) of open indicators. {theirs}Where a membership is "
            "unsure, the border between two communities is a choice."
        ),
    )


def _profiles(groups: AreaGroups, labels: dict[str, str]) -> str:
    """Say what each community is like, and what the report calls the one that the same rule points at."""
    told = []
    for row in group_rows(groups):
        theirs = f"; nearest in the report: {row['report_name']}" if row["report_name"] else ""
        years = f", {number(float(str(row['healthy_life'])), 1)} years of healthy life"
        typical = row["typical"]
        near = ", ".join(typical) if isinstance(typical, list) else ""
        told.append(
            f"{labels[str(row['name'])]} ({row['n']} areas, mean total {number(float(str(row['total'])), 0)}{years}; "
            f"typical: {near}{theirs})"
        )
    return "; ".join(told) + "."


def _sureness(groups: AreaGroups) -> list[tuple[str, float, float, float, int]]:
    """Return for each community the mean, least and greatest probability of its members, and their number."""
    own = groups.prob_own
    found = []
    for place, name in enumerate(groups.name):
        inside = own[groups.labels == place]
        found.append((name, float(inside.mean()), float(inside.min()), float(inside.max()), len(inside)))
    return found


def _life_sources(groups: AreaGroups) -> tuple[Source, ...]:
    """Return the sources of healthy life, where the profiles of communities show it."""
    known = any(np.isfinite(float(str(row["healthy_life"]))) for row in group_rows(groups))
    return sources_of((), ("healthy_life_expectancy_at_birth",)) if known else ()


def _gap(groups: AreaGroups) -> tuple[Number, ...]:
    """Return how much more healthy life the leaders have than the two weakest communities, where that can be said."""
    rows = (
        [row for row in claim_rows(groups) if np.isfinite(float(str(row["estimate"])))]
        if groups.edition.published
        else []
    )
    return tuple(
        Number.of(
            f"Healthy life: the highest community less the two weakest ({weigh})",
            "years",
            row,
            len(groups.labels),
            level=GROUPS_LEVEL,
            places=1,
        )
        for row, weigh in zip(rows, ("areas weigh the same", "by residents"), strict=False)
    )
