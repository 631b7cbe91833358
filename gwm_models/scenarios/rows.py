"""Result rows of a projection: areas, groups, gaps, health, years; one column vocabulary for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.ranks.table import fifth
from gwm_models.scenarios.measures import coefficient_of_variation, gap_of_tenths, slope_index, theil_between
from gwm_models.scenarios.projection import LAYERS, HealthEffect, Projection

Floats = NDArray[np.float64]
Row = dict[str, object]

DIGITS = 6
MONITOR_PUBLISHER = "Institute for the Future of Work"
MEASURES = {
    "sii": ("Slope index of inequality, most to least deprived", "points"),
    "gap_10_10": ("Gap between the best and the worst tenth of areas", "points"),
    "cv": ("Coefficient of variation over areas", "ratio"),
    "theil_region": ("Theil index between regions, population-weighted", "index"),
}


def total_words(edition: Edition) -> str:
    """Name the total of an index."""
    return "total of the index" if edition.spec.publisher != MONITOR_PUBLISHER else "Monitor total"


def points_words(edition: Edition, domain: str | None = None) -> str:
    """Name the unit of a total or of a domain's score, with its range."""
    low, high = edition.spec.score_range(domain)
    return f"points ({low:g}-{high:g})"


def interval(draws: Floats, level: float, *, axis: int = 0, median: bool = False) -> dict[str, NDArray[np.float64]]:
    """Summarise draws: estimate (mean, or median for ranks), standard deviation and equal-tailed bounds."""
    tails = [(1 - level) / 2, 0.5, (1 + level) / 2]
    lower, middle, upper = np.quantile(draws, tails, axis=axis, method="inverted_cdf" if median else "linear")
    return {
        "estimate": middle if median else draws.mean(axis=axis),
        "std_error": draws.std(axis=axis),
        "lower": lower,
        "upper": upper,
    }


def one(draws: Floats, level: float, *, median: bool = False) -> Row:
    """Summarise draws of one number as plain floats."""
    found = interval(draws, level, median=median)
    return {name: _plain(value) for name, value in found.items()}


def _plain(value: object) -> float | None:
    number = float(value)  # type: ignore[arg-type]
    return round(number, DIGITS) + 0.0 if np.isfinite(number) else None


def area_rows(projection: Projection, level: float) -> list[Row]:
    """Return a row for each area, quantity and state (published, baseline, scenario, difference)."""
    areas, treated = projection.edition.areas, projection.treated
    n_draws, year = projection.scenario.analysis.draws, projection.years[-1]
    rows: list[Row] = []
    for quantity, label, unit, states in _quantities(projection):
        median = quantity == "rank"
        for state, draws in states.items():
            found = {"estimate": draws[0]} if state == "published" else interval(draws, level, median=median)
            better = (draws < 0) if median else (draws > 0)
            prob = better.mean(axis=0) if state == "difference" else None
            leaves = _leaves_bottom(projection) if median and state == "difference" else None
            for i, code in enumerate(areas.code):
                rows.append(
                    {
                        "area_code": code,
                        "area_name": areas.name[i],
                        "region_name": areas.region[i],
                        "treated": bool(treated[i]),
                        "year": None if state in ("published", "baseline") else year,
                        "quantity": quantity,
                        "label": label,
                        "unit": unit,
                        "state": state,
                        **{name: None for name in ("estimate", "std_error", "lower", "upper")},
                        **{name: _plain(values[i]) for name, values in found.items()},
                        "level": None if state == "published" else level,
                        "n": None if state == "published" else n_draws,
                        "prob_better": None if prob is None else _plain(prob[i]),
                        "prob_leaves_bottom_fifth": None if leaves is None else _plain(leaves[i]),
                    }
                )
    return rows


def _quantities(projection: Projection) -> Iterator[tuple[str, str, str, dict[str, Floats]]]:
    edition, effects = projection.edition, projection.effects
    before = projection.baseline.score
    total = before.sum(axis=2)
    published = edition.total[None]
    yield "total", total_words(edition), points_words(edition), _states(total, projection.change, published)
    for d, (name, label) in enumerate(edition.spec.domains):
        states = _states(before[:, :, d], effects.domain[:, :, d], edition.domain_scores[None, :, d])
        yield name, label, points_words(edition, name), states
    ranks = {
        "published": edition.rank[None].astype(float),
        "baseline": projection.rank_before.astype(float),
        "scenario": projection.rank_after.astype(float),
        "difference": (projection.rank_after - projection.rank_before).astype(float),
    }
    yield "rank", "Rank (1 is best)", "rank", ranks
    for health in projection.health:
        outcome = health.model.outcome
        label = f"{outcome.label}, stated link"
        yield (
            outcome.id,
            label,
            f"{outcome.unit} (baseline {outcome.period})",
            _states(health.baseline, health.stated, health.published[None]),
        )


def _states(before: Floats, change: Floats, published: Floats | None = None) -> dict[str, Floats]:
    states = {} if published is None else {"published": published}
    return states | {"baseline": before, "scenario": before + change, "difference": change}


def _leaves_bottom(projection: Projection) -> Floats:
    n = projection.rank_before.shape[1]
    edge = n - fifth(n)
    return np.asarray(((projection.rank_before > edge) & (projection.rank_after <= edge)).mean(axis=0))


def groups(projection: Projection) -> dict[str, NDArray[np.bool_]]:
    """Return the groups results are given for: target areas, all areas, and each region with a target area."""
    areas, treated = projection.edition.areas, projection.treated
    found = {"Target areas": treated, "All areas": np.ones(len(areas), dtype=bool)}
    region = np.array(areas.region)
    found |= {name: region == name for name in sorted(set(region[treated].tolist()))}
    return {name: mask for name, mask in found.items() if mask.any()}


def group_rows(projection: Projection, level: float) -> list[Row]:
    """Return the mean total of each group of areas (areas weigh the same): baseline, scenario, difference."""
    before = projection.baseline.score.sum(axis=2)
    rows: list[Row] = []
    for name, mask in groups(projection).items():
        means = _states(before[:, mask].mean(axis=1), projection.change[:, mask].mean(axis=1))
        for state, draws in means.items():
            rows.append(
                {
                    "group": name,
                    "n_areas": int(mask.sum()),
                    "quantity": "total",
                    "label": f"Mean {total_words(projection.edition)}",
                    "unit": points_words(projection.edition),
                    "state": state,
                    **one(draws, level),
                    "level": level,
                    "n": len(draws),
                }
            )
    return rows


def population_mean(draws: Floats, population: Floats, mask: NDArray[np.bool_]) -> Floats:
    """Average over a group of areas by population, in every draw."""
    return np.asarray(draws[:, mask] @ (population[mask] / population[mask].sum()))


def health_rows(projection: Projection, level: float) -> list[Row]:
    """Return each outcome's change under the full association, the stated link and none, by group of areas."""
    population = projection.edition.areas.population
    rows: list[Row] = []
    for health in projection.health:
        lines = {"full association": health.full, "stated link": health.stated, "none": np.zeros_like(health.full)}
        for group, mask in groups(projection).items():
            for line, change in lines.items():
                draws = population_mean(change, population, mask)
                rows.append(
                    {
                        "outcome": health.model.outcome.id,
                        "label": health.model.outcome.label,
                        "unit": health.model.outcome.unit,
                        "group": group,
                        "line": line,
                        **one(draws, level),
                        "level": level,
                        "n": len(draws),
                        "link": link_words(health),
                    }
                )
    return rows


def link_words(health: HealthEffect) -> str:
    """Say in words what the stated link assumes."""
    link = health.link.link
    if link == "within":
        return (
            "within: for the access domain the slope within areas over 2010-2019, corrected for survey noise; for the "
            "other domains the same share of the association between areas"
        )
    if link == "between":
        return "between: the whole association between areas is taken as effect"
    share = link.causal_share
    return f"causal share with mean {share.mean:g} and standard deviation {share.sd:g}, as stated in the file"


def inequality_rows(projection: Projection, level: float) -> list[Row]:
    """Return gap measures of the total before, after and their difference, with the chance that the gap narrows."""
    before = projection.baseline.score.sum(axis=2)
    after = before + projection.change
    functions = _measures(projection)
    rows: list[Row] = []
    for name in projection.scenario.analysis.inequality:
        if name == "sii" and not np.isfinite(projection.edition.areas.deprivation).all():
            continue
        label, unit = MEASURES[name]
        first, last = functions[name](before), functions[name](after)
        for state, draws in {"baseline": first, "scenario": last, "difference": last - first}.items():
            defined = state == "difference" and bool(np.isfinite(last - first).all())
            narrower = _plain((np.abs(last) < np.abs(first)).mean()) if defined else None
            rows.append(
                {
                    "measure": name,
                    "label": label,
                    "unit": unit,
                    "state": state,
                    **one(draws, level),
                    "level": level,
                    "n": len(draws),
                    "prob_narrower": narrower,
                }
            )
    return rows


def _measures(projection: Projection) -> dict[str, Callable[[Floats], Floats]]:
    areas = projection.edition.areas
    return {
        "sii": lambda scores: slope_index(scores, areas.population, -areas.deprivation)[0],
        "gap_10_10": gap_of_tenths,
        "cv": coefficient_of_variation,
        "theil_region": lambda scores: theil_between(scores, areas.population, areas.region_index()),
    }


def path_rows(projection: Projection, level: float) -> list[Row]:
    """Return the mean change of the target areas' total, year by year."""
    mask = projection.treated
    if not mask.any():
        return []
    return [
        {
            "group": "Target areas",
            "quantity": "total",
            "year": year,
            "state": "difference",
            "unit": points_words(projection.edition),
            **one(change[:, mask].mean(axis=1), level),
            "level": level,
            "n": change.shape[0],
        }
        for year, change in zip(projection.years, projection.effects.total, strict=True)
    ]


def renormalised_rows(projection: Projection, level: float) -> list[Row]:
    """Return the mean change that the next edition would print, with moved bounds, beside the frozen one."""
    rows: list[Row] = []
    for name, mask in groups(projection).items():
        for scaling, draws in {"frozen": projection.change, "renormalised": projection.renormalised}.items():
            rows.append(
                {
                    "group": name,
                    "scaling": scaling,
                    "quantity": "total",
                    "label": f"Mean {total_words(projection.edition)}, {scaling} bounds",
                    "unit": points_words(projection.edition),
                    "state": "difference",
                    **one(draws[:, mask].mean(axis=1), level),
                    "level": level,
                    "n": len(draws),
                }
            )
    return rows


def variance_rows(projection: Projection) -> list[Row]:
    """Return shares of variance of the mean change over the target areas, by layer of uncertainty."""
    labels = {"total": total_words(projection.edition)} | {
        health.model.outcome.id: health.model.outcome.label for health in projection.health
    }
    return [
        {
            "quantity": quantity,
            "label": labels[quantity],
            "layer": layer,
            "label_layer": LAYERS[layer],
            "share": _plain(share),
        }
        for quantity, parts in projection.variance.items()
        for layer, share in parts.items()
    ]
