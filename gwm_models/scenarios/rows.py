"""Result rows of a projection: areas, groups, health, years; one column vocabulary for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.ranks.table import fifth
from gwm_models.scenarios.fields import area_clusters
from gwm_models.scenarios.inequality import BY_DEPRIVATION, MEASURES, inequality, narrower, ordered_by_deprivation
from gwm_models.scenarios.league import TIE
from gwm_models.scenarios.measured import better_is, outcome_level
from gwm_models.scenarios.projection import HealthEffect, Projection, group_masks
from gwm_models.scenarios.spread import NUMBERS, interval_rows, one, plain, spreads
from gwm_models.scenarios.spread import Row as Row

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
States = dict[str, Floats]

MONITOR_PUBLISHER = "Institute for the Future of Work"
BOTTOM = "areas_in_bottom_fifth"
CHANCES = ("prob_better", "prob_rank_improves", "prob_bottom_fifth", "prob_leaves_bottom_fifth")


def total_words(edition: Edition) -> str:
    """Name the total of an index."""
    return "total of the index" if edition.spec.publisher != MONITOR_PUBLISHER else "Monitor total"


def points_words(edition: Edition, domain: str | None = None) -> str:
    """Name the unit of a total or of a domain's score, with its range."""
    low, high = edition.spec.score_range(domain)
    return f"points ({low:g}-{high:g})"


def area_rows(projection: Projection, level: float) -> list[Row]:
    """Return a row for each area, quantity and state (published, baseline, scenario, difference)."""
    return area_rows_at(projection, [level])[level]


def area_rows_at(projection: Projection, levels: Sequence[float]) -> dict[float, list[Row]]:
    """Return the rows of `area_rows` at several levels, sorting the draws once.

    Parameters
    ----------
    projection : Projection
    levels : sequence of float

    Returns
    -------
    dict
        Level to rows. Differences have ``prob_better``; those of the total and the rank ``prob_rank_improves``; the
        rank has ``prob_bottom_fifth`` before and after, and ``prob_leaves_bottom_fifth``: to be in the bottom fifth of
        the ranks without the actions and not with them.
    """
    rows: dict[float, list[Row]] = {level: [] for level in levels}
    for quantity, label, unit, states in _quantities(projection):
        for state, draws in states.items():
            numbers = _numbers(state, draws, levels, median=quantity == "rank")
            chances = _chances(projection, quantity, state, draws)
            head: Row = {"quantity": quantity, "label": label, "unit": unit, "state": state}
            for level in levels:
                rows[level] += _lines(projection, head, numbers[level] | chances, level)
    return rows


def _lines(projection: Projection, head: Row, columns: dict[str, list[float | None]], level: float) -> list[Row]:
    """Return the rows of one quantity and state, a row for each area."""
    areas, treated = projection.edition.areas, projection.treated.tolist()
    drawn = head["state"] != "published"
    blank = [None] * len(areas)
    values = list(zip(*(columns.get(name, blank) for name in (*NUMBERS, *CHANCES)), strict=True))
    split = len(NUMBERS)
    shared = {"level": level, "n": len(projection.rank_before)} if drawn else {"level": None, "n": None}
    return [
        {
            "area_code": areas.code[i],
            "area_name": areas.name[i],
            "region_name": areas.region[i],
            "treated": treated[i],
            "year": _year(projection, str(head["state"])),
            **head,
            **dict(zip(NUMBERS, line[:split], strict=True)),
            **shared,
            **dict(zip(CHANCES, line[split:], strict=True)),
        }
        for i, line in enumerate(values)
    ]


def _year(projection: Projection, state: str) -> int | None:
    """Return the year that a state stands for; a baseline that is held stands for none."""
    held = projection.scenario.baseline.counterfactual == "held"
    return None if state == "published" or (state == "baseline" and held) else projection.years[-1]


def _numbers(
    state: str, draws: Floats, levels: Sequence[float], *, median: bool
) -> dict[float, dict[str, list[float | None]]]:
    """Return estimate, standard deviation and bounds of each area as plain numbers; the estimate alone if published."""
    if state == "published":
        return {level: {"estimate": [plain(value) for value in draws[0]]} for level in levels}
    found = spreads(draws, levels, median=median)
    return {level: {name: [plain(value) for value in found[level][name]] for name in NUMBERS} for level in levels}


def _chances(projection: Projection, quantity: str, state: str, draws: Floats) -> dict[str, list[float | None]]:
    """Return the probabilities that belong to a quantity and state, by area."""
    found: dict[str, Floats] = {}
    bottom_before, bottom_after = _bottom(projection.rank_before), _bottom(projection.rank_after)
    if state == "difference":
        found["prob_better"] = (better_is(quantity) * draws > 0).mean(axis=0)
        if quantity in ("total", "rank"):
            found["prob_rank_improves"] = (projection.rank_after < projection.rank_before).mean(axis=0)
        if quantity == "rank":
            found["prob_leaves_bottom_fifth"] = (bottom_before & ~bottom_after).mean(axis=0)
    elif quantity == "rank" and state in ("baseline", "scenario"):
        found["prob_bottom_fifth"] = (bottom_before if state == "baseline" else bottom_after).mean(axis=0)
    return {name: [plain(value) for value in values] for name, values in found.items()}


def _bottom(ranks: Ints) -> Bools:
    """Tell which areas are in the bottom fifth of the ranks, in each draw."""
    n = ranks.shape[1]
    return np.asarray(ranks > n - fifth(n))


def _quantities(projection: Projection) -> Iterator[tuple[str, str, str, States]]:
    """Give every quantity of an area with its draws by state."""
    edition = projection.edition
    before, change = projection.score_before, projection.domain_change
    published = edition.total[None]
    yield (
        "total",
        total_words(edition),
        points_words(edition),
        _states(projection.total_before, projection.change, published),
    )
    for d, (name, label) in enumerate(edition.spec.domains):
        states = _states(before[:, :, d], change[:, :, d], edition.domain_scores[None, :, d])
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
        states = _states(health.baseline, health.stated, health.published[None])
        yield outcome.id, label, f"{outcome.unit} (baseline {outcome.period})", states


def _states(before: Floats, change: Floats, published: Floats | None = None) -> States:
    states = {} if published is None else {"published": published}
    return states | {"baseline": before, "scenario": before + change, "difference": change}


def groups(projection: Projection) -> dict[str, Bools]:
    """Return the groups of areas that results are given for.

    Target areas, all areas and every region; where an action goes by groups of similar areas, each of those too.
    """
    edition = projection.edition
    found = group_masks(edition, projection.treated)
    if any(action.target.clusters for action in projection.scenario.actions):
        similar = area_clusters(edition)
        found |= {f"Similar areas: {name}": similar.label == g for g, name in enumerate(similar.name)}
    return found


def group_rows(projection: Projection, level: float) -> list[Row]:
    """Return each quantity of each group of areas: baseline, scenario, difference.

    Scores and ranks are means in which areas weigh the same; health outcomes means by population (stated link); the
    number of areas in the bottom fifth of the ranks is a count. Differences have ``prob_better``; one that is rounding
    error alone is no change.
    """
    masks = groups(projection)
    rows: list[Row] = []
    for quantity, label, unit, states in _group_quantities(projection, list(masks.values())):
        for state, draws in states.items():
            head: Row = {"quantity": quantity, "label": label, "unit": unit, "state": state}
            found = interval_rows(head, list(masks), draws, level)
            sign = -1 if quantity == BOTTOM else better_is(quantity)
            better = surely_above(sign * draws).mean(axis=0) if state == "difference" else None
            for g, (row, mask) in enumerate(zip(found, masks.values(), strict=True)):
                row["n_areas"] = int(mask.sum())
                row["prob_better"] = None if better is None else plain(better[g])
            rows += found
    return rows


def surely_above(change: Floats) -> Bools:
    """Tell where a change is above 0 by more than rounding error, which is `TIE` of the largest one (or of 1)."""
    finite = change[np.isfinite(change)]
    most = float(np.abs(finite).max()) if finite.size else 0.0
    return np.asarray(change > TIE * max(1.0, most))


def _group_quantities(projection: Projection, masks: Sequence[Bools]) -> Iterator[tuple[str, str, str, States]]:
    """Give every quantity of the groups with its draws by state, shape (n_draws, n_groups)."""
    edition = projection.edition
    member = np.column_stack(masks).astype(float)

    def mean(values: Floats | Ints) -> Floats:
        # The sum first: ranks add up to the same whole number in every draw, whoever holds them.
        return np.asarray(values @ member / member.sum(axis=0))

    def count(values: Bools) -> Floats:
        return np.asarray(values @ member)

    total = _states(mean(projection.total_before), mean(projection.change))
    yield "total", f"Mean {total_words(edition)}", points_words(edition), total
    for d, (name, label) in enumerate(edition.spec.domains):
        states = _states(mean(projection.score_before[:, :, d]), mean(projection.domain_change[:, :, d]))
        yield name, f"Mean {label[0].lower() + label[1:]}", points_words(edition, name), states
    before = mean(projection.rank_before)
    yield "rank", "Mean rank, 1 is best", "rank", _states(before, mean(projection.rank_after) - before)
    before = count(_bottom(projection.rank_before))
    change = count(_bottom(projection.rank_after)) - before
    yield BOTTOM, "Areas in the bottom fifth of the ranks", "areas", _states(before, change)
    population = edition.areas.population
    for health in projection.health:
        outcome = health.model.outcome
        levels = outcome_level(health)
        states = _states(by_population(levels, population, masks), by_population(health.stated, population, masks))
        yield outcome.id, f"{outcome.label}, stated link", f"{outcome.unit} (baseline {outcome.period})", states


def by_population(draws: Floats, population: Floats, masks: Sequence[Bools]) -> Floats:
    """Average over groups by population, in every draw, areas without a figure left out; shape (n_draws, n_groups)."""
    known = np.isfinite(draws[0])
    if not known.all():
        return np.column_stack([population_mean(draws, population, mask & known) for mask in masks])
    weight = np.column_stack(masks) * population[:, None]
    return np.asarray(draws @ (weight / weight.sum(axis=0)))


def population_mean(draws: Floats, population: Floats, mask: Bools) -> Floats:
    """Average over a group of areas by population, in every draw; NaN over none."""
    if not mask.any():
        return np.full(len(draws), np.nan)
    return np.asarray(draws[:, mask] @ (population[mask] / population[mask].sum()))


def health_rows(projection: Projection, level: float) -> list[Row]:
    """Return each outcome's change under the full association, the stated link and none, by group of areas."""
    population, masks = projection.edition.areas.population, groups(projection)
    rows: list[Row] = []
    for health in projection.health:
        outcome = health.model.outcome
        lines = {"full association": health.full, "stated link": health.stated, "none": np.zeros_like(health.full)}
        for line, change in lines.items():
            head: Row = {"outcome": outcome.id, "label": outcome.label, "unit": outcome.unit, "line": line}
            draws = by_population(change, population, list(masks.values()))
            rows += interval_rows(head | {"link": link_words(health)}, list(masks), draws, level)
    return rows


def link_words(health: HealthEffect) -> str:
    """Say in words what the stated link assumes."""
    link = health.link.link
    if link == "within":
        return (
            f"within: for the access domain the slope within areas{_over(health)}, corrected for survey noise; for the "
            "other domains the share that this is of the slope between areas of access alone, times the slope between "
            "areas of the whole score"
        )
    if link == "between":
        return "between: the whole association between areas is taken as effect"
    share = link.causal_share
    return f"causal share with mean {share.mean:g} and standard deviation {share.sd:g}, as stated in the file"


def _over(health: HealthEffect) -> str:
    """Say over which years a slope within areas is measured."""
    period = health.model.within_access["period"]
    return " over 2010-2019" if health.model.outcome.unit == "years" else f" over {period}"


def inequality_rows(projection: Projection, level: float) -> list[Row]:
    """Return gap measures of the total before, after and their difference, with the chance that the gap narrows.

    Draws in which a measure has no meaning before or after (a logarithm or a ratio of scores that are not positive) are
    left out; `n` says how many are used.
    """
    before = projection.total_before
    after = before + projection.change
    areas = projection.edition.areas
    rows: list[Row] = []
    for name in projection.scenario.analysis.inequality:
        if name in BY_DEPRIVATION and not ordered_by_deprivation(areas):
            continue
        label, unit = MEASURES[name]
        first, last = inequality(name, before, areas), inequality(name, after, areas)
        used = np.isfinite(first) & np.isfinite(last)
        first, last = first[used], last[used]
        for state, draws in {"baseline": first, "scenario": last, "difference": last - first}.items():
            said = state == "difference" and used.any()
            rows.append(
                {
                    "measure": name,
                    "label": label,
                    "unit": unit,
                    "state": state,
                    **(one(draws, level) if used.any() else dict.fromkeys(NUMBERS)),
                    "level": level,
                    "n": len(draws),
                    "prob_narrower": plain(narrower(name, first, last).mean()) if said else None,
                }
            )
    return rows


def path_rows(projection: Projection, level: float) -> list[Row]:
    """Return the mean change of the total of each group of areas, year by year."""
    unit = points_words(projection.edition)
    history = projection.history
    rows: list[Row] = []
    for t, year in enumerate(projection.years):
        head: Row = {"quantity": "total", "year": year, "state": "difference", "unit": unit}
        rows += interval_rows(head, list(history), np.column_stack([by_year[t] for by_year in history.values()]), level)
    return sorted(rows, key=lambda row: list(history).index(str(row["group"])))


def renormalised_rows(projection: Projection, level: float) -> list[Row]:
    """Return the mean change that the next edition would print, with moved bounds, beside the frozen one."""
    masks = groups(projection)
    rows: list[Row] = []
    for scaling, draws in {"frozen": projection.change, "renormalised": projection.renormalised}.items():
        head: Row = {
            "scaling": scaling,
            "quantity": "total",
            "label": f"Mean {total_words(projection.edition)}, {scaling} bounds",
            "unit": points_words(projection.edition),
            "state": "difference",
        }
        member = np.column_stack(list(masks.values())).astype(float)
        rows += interval_rows(head, list(masks), draws @ (member / member.sum(axis=0)), level)
    return rows
