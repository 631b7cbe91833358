"""Remade figures of the domains of the index, and of its regions."""

from __future__ import annotations

from typing import Any

import numpy as np

from gwm_models.data.edition import Edition
from gwm_models.errors import DataError
from gwm_models.index.regional import quantities, regional_counts, regions
from gwm_models.index.regional_parts import Decomposition, decompose_quantity
from gwm_models.index.structure import correlations, domain_items
from gwm_models.plots.classes import break_points
from gwm_models.plots.forest import Words, forest
from gwm_models.plots.maps import tile_map
from gwm_models.plots.strips import strips
from gwm_models.plots.words import interval, number, percent
from gwm_models.report.figures_index import ERROR, assumed, outside, score_rows
from gwm_models.report.figures_parts import LEVEL, Asked, Made, Number, by_level, edition_period, r_only, score_unit
from gwm_models.report.figures_sources import area_sources, edition_sources

AT_ENDS = 0.05
"""Share of the scores beyond the first and beyond the last break point of the maps, at least."""


def domain_maps(asked: Asked) -> Made:
    """Map each domain, and say how the domains go together."""
    edition = asked.edition
    rows = score_rows(edition)
    specs = []
    scores = np.array([row[name] for row in rows for name in edition.spec.domain_ids])
    ends = np.nanquantile(scores, [AT_ENDS, 1 - AT_ENDS])
    breaks = break_points(np.clip(scores, *ends).tolist(), places=1)
    for name, label in edition.spec.domains:
        own = [{**row, "lower": row[f"{name}_lower"], "upper": row[f"{name}_upper"]} for row in rows]
        specs += tile_map(
            own,
            value=name,
            title=label,
            description=f"Map of {label.lower()}.",
            unit="points",
            places=1,
            kind="sequential",
            label=label,
            edition=edition,
            boundaries=asked.boundaries,
            breaks=breaks,
        )
    labels = dict(edition.spec.domains)
    found = [
        one
        for one in correlations(domain_items(edition), n_draws=400)
        if one.statistic == "pearson" and one.other in labels
    ]
    pairs: list[dict[str, Any]] = [
        {
            "name": f"{_first_word(labels[one.term])} and {_first_word(labels[one.other]).lower()}",
            "estimate": one.estimate,
            "lower": one.lower,
            "upper": one.upper,
        }
        for one in found
    ]
    if not pairs:
        raise DataError(f"{edition.name} has one domain only: there is nothing to set side by side.")
    words = Words("Domains", "Pearson's r", "Correlation", "95% interval")
    told = "; ".join(f"{row['name']} {number(row['estimate'], 2)}" for row in pairs)
    strong, weak = (pick(pairs, key=lambda row: row["estimate"]) for pick in (max, min))
    return Made(
        title=(
            f"The domains do not go together alike: {_lower_first(strong['name'])} most "
            f"({r_only(strong['estimate'])}), {_lower_first(weak['name'])} least ({r_only(weak['estimate'])})"
            if len(pairs) > 1
            else f"The two domains of the index, {_lower_first(strong['name'])}: {r_only(strong['estimate'])}"
        ),
        specs=[
            *specs,
            *forest(
                pairs,
                words,
                description=f"Correlations between the domains: {told}.",
                title="How the domains go together",
                domain=(0.0, 1.0) if min(row["lower"] for row in pairs) >= 0 else None,
            ),
        ],
        reading=(
            "One map for each domain; all have the same classes, so that they can be read beside each other. "
            "Correlations are between areas that have figures of their own.",
        ),
        interval=f"{by_level(LEVEL, ERROR)}; for correlations Fisher's, which take the areas as a sample",
        period=edition_period(edition),
        unit=score_unit(edition, edition.spec.domain_ids[0]) + " for each domain",
        n=f"{len(rows)} areas; {found[0].n if found else 0} units in the correlations",
        numbers=tuple(
            Number(str(row["name"]), "Pearson's r", row["estimate"], row["lower"], row["upper"], LEVEL, one.n)
            for row, one in zip(pairs, found, strict=True)
        ),
        sources=(*edition_sources(edition), *area_sources(edition)),
        left_out=(*outside(edition), *asked.shapeless),
        caution=f"{assumed(edition)}Sampling error weakens these correlations.",
    )


def region_strips(asked: Asked) -> Made:
    """Draw the areas of every region, and the share of the differences that lies within regions."""
    edition = asked.edition
    rows = score_rows(edition)
    where = regions(edition)
    parts = {name: _share(edition, name, where) for name in ("total", *edition.spec.domain_ids)}
    labels = {"total": "Total", **dict(edition.spec.domains)}
    shares: list[dict[str, Any]] = [
        {
            "name": labels[name],
            "estimate": 1 - part.estimate,
            "lower": 1 - part.upper,
            "upper": 1 - part.lower,
            "other": 1 - part.share_between,
        }
        for name, part in parts.items()
    ]
    total = shares[0]
    means = {name: float(np.mean([row["total"] for row in rows if row["region_name"] == name])) for name in set(where)}
    high, low = (pick(means, key=lambda name: means[name]) for pick in (max, min))
    words = Words(
        "Scores", "Share of the variance", "Share within regions", "95% interval", other="As the scores stand"
    )
    return Made(
        title=(
            f"Within regions lies {percent(total['estimate'])} of the variance of the total "
            f"({interval(100 * total['lower'], 100 * total['upper'], 0)}%), between them the rest"
        ),
        specs=[
            *strips(
                rows,
                group="region_name",
                value="total",
                axis="Total of the index, points",
                places=1,
                mean=float(np.mean([row["total"] for row in rows])),
                description=(
                    f"The totals of {len(rows)} areas by region. Means from {number(means[low], 0)} in {low} to "
                    f"{number(means[high], 0)} in {high}."
                ),
                title="Areas by region",
            ),
            *forest(
                shares,
                words,
                description="Share of the variance that lies within regions: "
                + "; ".join(f"{row['name']} {number(row['estimate'], 2)}" for row in shares)
                + ".",
                title="How much of the variance lies within regions",
                domain=(0.0, 1.0),
            ),
        ],
        reading=(
            "A dot is an area, an upright orange tick the mean of a region, the dashed line that of all areas. The "
            "second chart takes out the differences that sampling error alone makes.",
        ),
        interval=by_level(LEVEL, "sampling error of the scores; all areas of a region are in it"),
        period=edition_period(edition),
        unit=f"{score_unit(edition)}; share of the variance, 0 to 1",
        n=f"{len(rows)} areas in {len(means)} regions",
        numbers=tuple(
            Number(
                f"Share of the variance within regions: {row['name']}",
                "share",
                row["estimate"],
                row["lower"],
                row["upper"],
                LEVEL,
                len(rows),
                3,
            )
            for row in shares
        ),
        sources=edition_sources(edition),
        left_out=outside(edition),
        caution=_regions_note(edition, 1 - parts["total"].share_by_chance),
        columns=1,
    )


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _first_word(label: str) -> str:
    """Shorten the name of a domain: 'Labour market access' to 'Access', 'Pay and conditions' to 'Pay'."""
    return label.partition(" and ")[0].rpartition(" ")[2].capitalize()


def _share(edition: Edition, name: str, where: tuple[str, ...]) -> Decomposition:
    return decompose_quantity(quantities(edition, name)[0], where, level=LEVEL)


def _regions_note(edition: Edition, by_chance: float) -> str:
    told = f"Regions drawn at random from the same areas would hold {percent(by_chance)} within them, on average."
    if not edition.published:
        return told
    printed = 1 - _share(edition, "total", regions(edition, as_printed=True)).share_between
    wrong = [str(name) for row in regional_counts(edition) for name in _listed(row["printed_here_wrongly"])]
    return (
        f"{told} Regions are the true ones; the Monitor table prints another for {' and '.join(wrong)}, with which the "
        f"share is {number(printed, 3)} as the scores stand."
    )


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []
