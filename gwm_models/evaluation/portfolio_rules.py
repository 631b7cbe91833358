"""The budget and the constraints of a portfolio as linear rules on which choices are taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.evaluation.portfolio_menu import Menu
from gwm_models.scenarios.words import counted

Floats = NDArray[np.float64]

TOLERANCE = 1e-9
"""Of a rule, as a share of its largest coefficient: sums of pounds are rounded."""
TOTAL = "budget"
OF_YEAR = "budget of "


@dataclass(frozen=True, eq=False)
class Rules:
    """Rules ``matrix @ chosen <= limit``; every row is scaled so that its largest number is 1.

    Attributes
    ----------
    names : tuple of str
        What each rule is called; several rows may share a name.
    matrix : ndarray, shape (m, J)
    limit : ndarray, shape (m,)
    """

    names: tuple[str, ...]
    matrix: Floats
    limit: Floats

    def hold(self, chosen: Floats) -> NDArray[np.bool_]:
        """Tell for sets of choices, shape (C, J), whether all rules hold; shape (C,)."""
        return np.asarray((chosen @ self.matrix.T <= self.limit + TOLERANCE).all(axis=1))

    def slack(self, chosen: Floats) -> Floats:
        """Return how far below its limit each rule is for one set of choices, shape (m,)."""
        return np.asarray(self.limit - self.matrix @ chosen)

    def without(self, names: Sequence[str]) -> Rules:
        """Return the rules but those of these names."""
        kept = [i for i, name in enumerate(self.names) if name not in names]
        return Rules(tuple(self.names[i] for i in kept), self.matrix[kept], self.limit[kept])


def make_rules(menu: Menu) -> Rules:
    """Return the rules of a portfolio.

    Parameters
    ----------
    menu : Menu
        Costs are held against the budget as expected ones.
    """
    rows = list(_rows(menu))
    matrix = np.array([row for _, row, _ in rows]).reshape(len(rows), len(menu.option))
    limit = np.array([limit for _, _, limit in rows])
    scale = np.maximum(np.abs(matrix).max(axis=1), np.abs(limit))
    scale[scale == 0] = 1.0
    return Rules(tuple(name for name, _, _ in rows), matrix / scale[:, None], limit / scale)


Rule = tuple[str, Floats, float]


def _rows(menu: Menu) -> Iterator[Rule]:
    budget = menu.portfolio.budget
    for k, option in enumerate(menu.options):
        if len(option.sizes) > 1:
            yield f"one size of {option.id}", _of(menu, k), 1.0
    if budget.total is not None:
        yield TOTAL, menu.cost, budget.total
    for year, amount in budget.years or ():
        yield f"{OF_YEAR}{year}", np.array([money.by_year.get(year, 0.0) for money in menu.money]), amount
    yield from _region_rows(menu)
    yield from _option_rows(menu)


def _region_rows(menu: Menu) -> Iterator[Rule]:
    region = np.array(menu.edition.areas.region)
    for floor in menu.portfolio.constraints.floors:
        inside = region == floor.region
        if floor.spend is not None:
            spent = np.array([float(money.by_area[inside].sum()) for money in menu.money])
            yield f"spend of {floor.spend:,.0f} pounds in {floor.region}", -spent, -floor.spend
        if floor.options is not None:
            there = np.asarray(menu.reached[:, inside].any(axis=1))[menu.option].astype(float)
            yield f"{counted(floor.options, 'option')} in {floor.region}", -there, -float(floor.options)


def _option_rows(menu: Menu) -> Iterator[Rule]:
    constraints = menu.portfolio.constraints
    place = {option.id: k for k, option in enumerate(menu.options)}
    every = np.ones(len(menu.option))
    for group in constraints.exclusive:
        yield f"one of {', '.join(group)}", _of(menu, *(place[name] for name in dict.fromkeys(group))), 1.0
    for rule in constraints.requires:
        for name in rule.needs:
            yield f"{rule.option} needs {name}", _of(menu, place[rule.option]) - _of(menu, place[name]), 0.0
    for name in constraints.include:
        yield f"{name} is to be chosen", -_of(menu, place[name]), -1.0
    if constraints.at_least is not None:
        yield f"at least {counted(constraints.at_least, 'option')}", -every, -float(constraints.at_least)
    if constraints.at_most is not None:
        yield f"at most {counted(constraints.at_most, 'option')}", every, float(constraints.at_most)


def _of(menu: Menu, *options: int) -> Floats:
    """Return 1 for the choices of these options, 0 for the others."""
    return np.isin(menu.option, options).astype(float)


def enumerate_sets(menu: Menu, rules: Rules, most: int) -> Floats | None:
    """Return every set of choices that keeps to the rules, shape (C, J); None where there are more than `most`.

    Options are taken up one by one; what cannot keep to a rule any more, whatever else is chosen, is left out at once.

    Parameters
    ----------
    menu : Menu
    rules : Rules
    most : int
    """
    n_options = len(menu.options)
    least = np.array(
        [np.minimum(rules.matrix[:, menu.option == k].min(axis=1), 0.0) for k in range(n_options)]
    ).reshape(n_options, len(rules.limit))
    ahead = np.vstack([np.cumsum(least[::-1], axis=0)[::-1][1:], np.zeros((1, len(rules.limit)))])
    sets, sums = np.zeros((1, len(menu.option)), dtype=bool), np.zeros((1, len(rules.limit)))
    for k in range(n_options):
        grown, totals = [sets], [sums]
        for j in np.flatnonzero(menu.option == k):
            more = sets.copy()
            more[:, j] = True
            grown.append(more)
            totals.append(sums + rules.matrix[:, j])
        sets, sums = np.concatenate(grown), np.concatenate(totals)
        kept = (sums + ahead[k] <= rules.limit + TOLERANCE).all(axis=1)
        sets, sums = sets[kept], sums[kept]
        if len(sets) > most:
            return None
    return sets.astype(float)
