"""Portfolios: the best set of options within a budget and constraints, how sure the choice is, what it gives up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.errors import InfeasibleError, ModelError
from gwm_models.evaluation.portfolio_binds import what_binds
from gwm_models.evaluation.portfolio_menu import (
    Menu,
    make_menu,
    measured_together,
    project_together,
)
from gwm_models.evaluation.portfolio_programme import best_set, solve, statistic_of
from gwm_models.evaluation.portfolio_rules import TOTAL, Rules, enumerate_sets, make_rules
from gwm_models.evaluation.portfolio_value import BLOCK, Information, best_of, worth_knowing
from gwm_models.scenarios.projection import Projection
from gwm_models.scenarios.spec import Scenario

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_SETS = 2**16
"""Sets that are all tried, where effects add up."""
MOST_GAPS = 2**12
"""The same for gaps and ranks, which must be worked out from the areas for each set."""
DRAWS = 1000
"""Draws that the best set of each draw, and what information is worth, rest on."""
PROGRAMMES = 150
"""The same where each draw takes a programme of its own."""
BUDGETS = (0.5, 0.75, 1.25)
"""Multiples of the budget at which the frontier is worked out by programmes."""
LEADING = 20
"""Best sets that are projected jointly where options meet."""
EQUAL = 1e-9
"""Difference, as a share, below which two objectives are the same: the cheaper set is then taken."""


@dataclass(frozen=True)
class FrontierPoint:
    """The best that can be had for an amount of money.

    Attributes
    ----------
    cost : float
        Expected discounted cost of the set, GBP.
    objective : float
        In the direction in which what is measured is read, not its sign turned.
    choices : tuple of int
    within : bool
        Whether it keeps to the budget.
    """

    cost: float
    objective: float
    choices: tuple[int, ...]
    within: bool


@dataclass(frozen=True, eq=False)
class PortfolioFound:
    """The answer to a portfolio.

    Attributes
    ----------
    menu : Menu
    rules : Rules
    method : {"enumeration", "programme"}
        Whether all sets were tried, or the best one found by integer programming.
    n_sets : int
        Sets that keep to all rules; those looked at where a programme was used.
    optimal : bool
        Whether no better set exists, effects being added up.
    choices : tuple of int
        The set chosen, as places among the choices.
    first : tuple of int
        The best set by effects added up; another one where chosen options take from each other.
    draws : ndarray, shape (n_draws,)
        What is measured under it, the effects of its choices added up.
    joint : ndarray, shape (n_draws,)
        The same with its actions projected together.
    projection : Projection
        Of them together.
    objective, objective_joint : float
        Statistic asked for, of `draws` and of `joint`.
    meets : tuple of (str, str)
        Pairs of chosen options that change one domain in one area.
    best : ndarray, shape (n,)
        What is measured under the best set of each draw.
    best_choices : ndarray of 0 and 1, shape (n, J)
        That set.
    regret : ndarray, shape (n,)
        What the chosen set falls short of it in each draw.
    frontier : tuple of FrontierPoint
    information : tuple of Information
        ``everything`` last.
    """

    menu: Menu
    rules: Rules
    method: str
    n_sets: int
    optimal: bool
    choices: tuple[int, ...]
    first: tuple[int, ...]
    draws: Floats
    joint: Floats
    projection: Projection
    objective: float
    objective_joint: float
    meets: tuple[tuple[str, str], ...]
    best: Floats
    best_choices: Floats
    regret: Floats
    frontier: tuple[FrontierPoint, ...]
    information: tuple[Information, ...]

    @property
    def chosen(self) -> Floats:
        """The set chosen as 0 and 1, shape (J,)."""
        return _flags(self.choices, len(self.menu.option))


def choose_portfolio(scenario: Scenario, edition: Edition | None = None) -> PortfolioFound:
    """Find the set of options, each at one size, that is best by a stated objective within a budget.

    Options are projected one by one on common draws. Where effects add up, the value of a set is their sum in each
    draw; for gaps and ranks it is worked out from the summed changes of all areas. All sets are tried where they are
    few (65,536; 4,096 for gaps and ranks), else the best one is found by integer programming, which proves it optimal.
    Where chosen options meet in an area, the leading sets are projected jointly and the best of those is taken.

    Parameters
    ----------
    scenario : Scenario
        Checked, of kind portfolio with options.
    edition : Edition, optional
        The one named in the scenario by default.

    Returns
    -------
    PortfolioFound

    Raises
    ------
    InfeasibleError
        If no set keeps to the budget and the constraints; the message names what binds.
    ModelError
        If there are too many sets for a gap or a rank, or the scenario is no portfolio.

    References
    ----------
    Markowitz (1952), Journal of Finance 7(1), 77-91 (efficient sets); Howard (1966), IEEE Transactions on Systems
    Science and Cybernetics 2(1), 22-26 (value of information).
    """
    menu = make_menu(scenario, edition)
    rules = make_rules(menu)
    most = MOST_SETS if menu.effect is not None else MOST_GAPS
    free = enumerate_sets(menu, rules.without([TOTAL]), most)
    sets = enumerate_sets(menu, rules, most) if free is None else free
    if sets is None:
        return _by_programme(menu, rules)
    return _by_trying(menu, rules, sets[np.argsort(sets @ menu.cost, kind="stable")])


def _by_trying(menu: Menu, rules: Rules, sets: Floats) -> PortfolioFound:
    """Choose among sets that are all known, the cheapest first."""
    within = rules.hold(sets) if len(sets) else np.zeros(0, dtype=bool)
    if not within.any():
        raise InfeasibleError(what_binds(menu, rules))
    objective, values = objectives(menu, sets)
    frontier = _frontier(menu, sets, objective, within)
    kept = None if values is None else values[:, within]
    return _found(menu, rules, sets[within], objective[within], kept, frontier)


def _by_programme(menu: Menu, rules: Rules) -> PortfolioFound:
    """Choose by integer programming; the sets looked at are the best ones of single draws and of other budgets."""
    if menu.effect is None:
        raise ModelError(
            f"{menu.scenario.id}: more than {MOST_GAPS:,} sets keep to the constraints, too many to work out a gap or "
            "a rank for each. Leave out options or sizes, add constraints, or measure the total."
        )
    asked, benefit = menu.portfolio.objective, menu.sign * menu.effect
    base = menu.sign * menu.base
    plain = "tail_mean" if asked.statistic == "quantile" else asked.statistic
    top = best_set(benefit, base, rules, plain, asked.probability)
    if top is None:
        raise InfeasibleError(what_binds(menu, rules))
    tried = [top.chosen]
    for share in BUDGETS:
        cheap = "mean" if asked.statistic == "quantile" else asked.statistic
        other = best_set(benefit, base, _at_budget(rules, share), cheap, asked.probability)
        tried += [] if other is None else [other.chosen]
    for draw in benefit[:PROGRAMMES]:
        own = solve(draw, 0.0, rules, len(draw))
        tried += [] if own is None else [own.chosen]
    if asked.statistic == "quantile":
        top = best_set(benefit, base, rules, "quantile", asked.probability, top.chosen) or top
        tried.append(top.chosen)
    sets = np.unique(np.array(tried), axis=0)
    sets = sets[np.argsort(sets @ menu.cost, kind="stable")]
    objective, within = objectives(menu, sets)[0], rules.hold(sets)
    frontier = _frontier(menu, sets, objective, within)
    place = int(np.flatnonzero((sets[within] == top.chosen).all(axis=1))[0])
    return _found(menu, rules, sets[within], objective[within], None, frontier, place=place, optimal=top.optimal)


def _at_budget(rules: Rules, share: float) -> Rules:
    limit = np.where([name == TOTAL for name in rules.names], share * rules.limit, rules.limit)
    return Rules(rules.names, rules.matrix, limit)


def objectives(menu: Menu, sets: Floats) -> tuple[Floats, Floats | None]:
    """Return the objective of each set, its sign turned so that more is better.

    Returns
    -------
    objective : ndarray, shape (C,)
    values : ndarray, shape (n, C), or None
        What is measured in the first draws, where it cannot be had again at once.
    """
    asked = menu.portfolio.objective
    step = max(BLOCK // menu.n_draws, 1)
    objective, kept = [], []
    for start in range(0, len(sets), step):
        values = menu.values(sets[start : start + step])
        objective.append(statistic_of(menu.sign * values, asked.statistic, asked.probability))
        if menu.effect is None:
            kept.append(values[:DRAWS])
    return np.concatenate(objective), np.hstack(kept) if kept else None


def _found(
    menu: Menu,
    rules: Rules,
    sets: Floats,
    objective: Floats,
    values: Floats | None,
    frontier: tuple[FrontierPoint, ...],
    *,
    place: int | None = None,
    optimal: bool = True,
) -> PortfolioFound:
    """Put together the answer for sets that keep to all rules, the cheapest first."""
    by_programme = place is not None
    first = _best(objective) if place is None else place
    place, projection, joint = _taken(menu, sets, objective, place)
    draws = menu.values(sets[place : place + 1])[:, 0]
    n = min(menu.n_draws, PROGRAMMES if by_programme else DRAWS)
    if menu.effect is not None:
        gain, best_place, mean = best_of(menu.sign * menu.effect[:n], sets)
        best = menu.base[:n] + menu.sign * gain
    else:
        assert values is not None  # noqa: S101 - kept where effects do not add up
        best_place = (menu.sign * values).argmax(axis=1)
        best, gain = values[np.arange(n), best_place], (menu.sign * values).max(axis=1)
        mean = (menu.sign * values).mean(axis=0)
    known = worth_knowing(menu, sets, values, n)
    everything = Information("everything", max(float(gain.mean() - mean.max()), 0.0), n)
    asked = menu.portfolio.objective
    statistics = [
        float(menu.sign * statistic_of(menu.sign * each[:, None], asked.statistic, asked.probability)[0])
        for each in (draws, joint)
    ]
    choices = tuple(np.flatnonzero(sets[place]).tolist())
    return PortfolioFound(
        menu=menu,
        rules=rules,
        method="programme" if by_programme else "enumeration",
        n_sets=len(sets),
        optimal=optimal,
        choices=choices,
        first=tuple(np.flatnonzero(sets[first]).tolist()),
        draws=draws,
        joint=joint,
        projection=projection,
        objective=statistics[0],
        objective_joint=statistics[1],
        meets=tuple(meetings(menu, choices)),
        best=best,
        best_choices=sets[best_place],
        regret=np.maximum(menu.sign * (best - draws[:n]), 0.0),
        frontier=frontier,
        information=(*known, everything),
    )


def _taken(menu: Menu, sets: Floats, objective: Floats, place: int | None) -> tuple[int, Projection, Floats]:
    """Return the set to take, projected jointly: the best one, or where options meet the best of the leading ones."""
    asked = menu.portfolio.objective
    first = _best(objective) if place is None else place
    found = _jointly(menu, sets[first])
    if place is not None or not any(True for _ in meetings(menu, np.flatnonzero(sets[first]).tolist())):
        return first, *found
    leading = [first, *(c for c in np.argsort(-objective, kind="stable")[:LEADING].tolist() if c != first)]
    taken, best = (first, found), -np.inf
    for c in leading:
        made = found if c == first else _jointly(menu, sets[c])
        value = float(statistic_of(menu.sign * made[1][:, None], asked.statistic, asked.probability)[0])
        if value > best + EQUAL * max(abs(value), 1e-12):
            taken, best = (c, made), value
    return taken[0], *taken[1]


def _jointly(menu: Menu, chosen: Floats) -> tuple[Projection, Floats]:
    projection = project_together(menu, np.flatnonzero(chosen).tolist())
    return projection, measured_together(menu, projection)


def _best(objective: Floats) -> int:
    """Return the first place with the largest objective, up to rounding."""
    top = float(objective.max())
    return int(np.flatnonzero(objective >= top - EQUAL * max(float(np.ptp(objective)), 1e-12))[0])


def meetings(menu: Menu, choices: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Yield pairs of chosen options that change one domain in one area: their effects may not just add up."""
    options = [int(menu.option[j]) for j in choices]
    for i, first in enumerate(options):
        for second in options[i + 1 :]:
            if (menu.moved[first] & menu.moved[second]).any():
                yield menu.options[first].id, menu.options[second].id


def _frontier(menu: Menu, sets: Floats, objective: Floats, within: NDArray[np.bool_]) -> tuple[FrontierPoint, ...]:
    """Return the sets that no cheaper set is as good as; sets come the cheapest first."""
    cost, best = sets @ menu.cost, -np.inf
    found: list[FrontierPoint] = []
    for c in range(len(sets)):
        if objective[c] > best + EQUAL * max(abs(float(objective[c])), 1e-12):
            best = float(objective[c])
            while found and found[-1].cost >= cost[c] - EQUAL:
                found.pop()
            choices = tuple(np.flatnonzero(sets[c]).tolist())
            found.append(FrontierPoint(float(cost[c]), menu.sign * best, choices, bool(within[c])))
    return tuple(found)


def _flags(choices: Sequence[int], n: int) -> Floats:
    flags = np.zeros(n)
    flags[list(choices)] = 1.0
    return flags
