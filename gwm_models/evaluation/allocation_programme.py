"""The best spread of an amount of money under concave responses: linear programmes with cuts, and a proven bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Aim = Callable[[Floats], tuple[float, Floats]]
"""Gives the objective of effects, as multiples by area, and its slope; concave, more is better."""

GAP = 1e-6
"""Relative distance of the objective from its bound at which the search ends."""
GAP_OF_GRANTS = 1e-4
"""The same where amounts are all or nothing, which take longer to prove."""
ROUNDS = 400
GRID = np.geomspace(1e-4, 100.0, 25)
"""Multiples of the stated cost at which the response is bounded to begin with."""
LEAST = 1e-9
"""Multiple of the stated cost below which the slope of a power is taken here."""


@dataclass(frozen=True, eq=False)
class Curves:
    """What money does in each area, in multiples of the effect at the stated cost.

    Attributes
    ----------
    cost : ndarray, shape (m,)
        Stated cost of each area, GBP.
    elasticity, half_saturation : float or None
        One of the two.
    """

    cost: Floats
    elasticity: float | None = None
    half_saturation: float | None = None

    def effect(self, money: Floats) -> Floats:
        """Return the effect of amounts; 1 at the stated cost."""
        share = money / self.cost
        if self.elasticity is not None:
            return np.asarray(share**self.elasticity)
        half = self.half_saturation or 1.0
        return np.asarray(share * (1 + half) / (share + half))

    def inverse(self, effect: Floats) -> Floats:
        """Return the amounts that have these effects."""
        if self.elasticity is not None:
            return np.asarray(self.cost * np.maximum(effect, 0.0) ** (1 / self.elasticity))
        half = self.half_saturation or 1.0
        within = np.clip(effect, 0.0, (1 + half) * (1 - LEAST))
        return np.asarray(self.cost * half * within / (1 + half - within))

    def slope(self, money: Floats) -> Floats:
        """Return the effect of the next pound."""
        share = np.maximum(money / self.cost, LEAST)
        if self.elasticity is not None:
            return np.asarray(self.elasticity * share ** (self.elasticity - 1) / self.cost)
        half = self.half_saturation or 1.0
        return np.asarray((1 + half) * half / (share + half) ** 2 / self.cost)


@dataclass(frozen=True, eq=False)
class Limits:
    """What amounts must keep to, GBP.

    Attributes
    ----------
    budget : float
    floor, cap : ndarray, shape (m,)
        A cap may be infinite.
    grant : ndarray, shape (m,)
        An area gets nothing or at least this; 0 for no such rule.
    groups : ndarray of bool, shape (r, m)
    least : ndarray, shape (r,)
        Least for each group of areas.
    """

    budget: float
    floor: Floats
    cap: Floats
    grant: Floats
    groups: NDArray[np.bool_]
    least: Floats


@dataclass(frozen=True, eq=False)
class Spread:
    """Amounts found.

    Attributes
    ----------
    money : ndarray, shape (m,)
        GBP.
    objective : float
    bound : float
        No spread has a better objective than this.
    price : float or None
        What the next pound of budget adds to the objective; None where amounts are all or nothing.
    rounds : int
        Programmes solved.
    """

    money: Floats
    objective: float
    bound: float
    price: float | None
    rounds: int


def spread_money(aim: Aim, curves: Curves, limits: Limits) -> Spread | None:
    """Return the amounts with the best objective.

    Every response lies below its tangents and a concave objective below its own, so a linear programme over tangents
    gives a bound that no spread passes. Tangents are added at its solution until the objective there is as good as the
    bound, to one part in a million (one in ten thousand where grants are all or nothing). Where money does harm and a
    region must get it all the same, the bound may stay above what is found; both are given.

    Parameters
    ----------
    aim : callable
        Objective of the effects by area and its slope; concave. It is linear in the effects for the mean of a sum.
    curves : Curves
    limits : Limits

    Returns
    -------
    Spread or None
        None where no spread keeps to the limits.

    References
    ----------
    Kelley (1960), Journal of the SIAM 8(4), 703-712 (cutting planes); Duran and Grossmann (1986), Mathematical
    Programming 36, 307-339 (with whole numbers).
    """
    m = len(curves.cost)
    at = np.minimum(GRID[:, None] * curves.cost, np.maximum(limits.budget, 1.0))
    master = _Master(curves, limits, float(np.abs(aim(np.ones(m))[1]).max()) or 1.0)
    for money in at:
        master.bound_response(money)
    master.bound_objective(np.ones(m), *aim(np.ones(m)))
    best: tuple[Floats, float] | None = None
    bound, price, rounds = np.inf, None, 0
    for rounds in range(1, ROUNDS + 1):
        found = master.solve()
        if found is None:
            return None if best is None else Spread(best[0], best[1], bound, price, rounds)
        money, thought, bound, price = found
        money = _unwasted(money, thought, curves, limits)
        effect = curves.effect(money)
        value, slope = aim(effect)
        if best is None or value > best[1]:
            best = (money, value)
        if bound - best[1] <= (GAP_OF_GRANTS if master.whole else GAP) * max(abs(best[1]), abs(bound), 1e-12):
            break
        master.bound_response(money, thought > effect * (1 + GAP / 10))
        master.bound_objective(effect, value, slope)
    assert best is not None  # noqa: S101 - the first round gave one
    return Spread(best[0], best[1], bound, price, rounds)


def _unwasted(money: Floats, thought: Floats, curves: Curves, limits: Limits) -> Floats:
    """Return amounts without what has no effect in the programme, unless a group of areas needs it for its least."""
    kept = np.where(thought < curves.effect(money), np.minimum(curves.inverse(thought), money), money)
    kept = np.maximum(kept, limits.floor)
    return kept if (limits.groups @ kept >= limits.least * (1 - GAP)).all() else money


class _Master:
    """The linear programme: amounts, effects and the objective under all tangents so far.

    Money counts in stated costs of an area, the objective in its largest slope, so that all numbers are of like size.
    """

    def __init__(self, curves: Curves, limits: Limits, scale: float) -> None:
        self.curves, self.limits, self.scale = curves, limits, scale
        self.m = len(curves.cost)
        self.whole = bool((limits.grant > 0).any())
        self.size = 2 * self.m + 1 + (self.m if self.whole else 0)
        self.rows: list[Floats] = []
        self.right: list[float] = []
        self._limits()

    def _row(self, right: float, *parts: tuple[int, Floats]) -> None:
        row = np.zeros(self.size)
        for start, values in parts:
            row[start : start + len(values)] = values
        self.rows.append(row)
        self.right.append(right)

    def _limits(self) -> None:
        limits, cost = self.limits, self.curves.cost
        scale = max(limits.budget, float(cost.max()))
        self._row(limits.budget / scale, (0, cost / scale))
        for group, least in zip(limits.groups, limits.least, strict=True):
            self._row(-least / scale, (0, -(cost * group) / scale))
        if not self.whole:
            return
        most = np.minimum(limits.cap, limits.budget) / cost
        flags = np.eye(self.m)
        for i in np.flatnonzero(limits.grant > 0):
            self._row(0.0, (0, flags[i]), (2 * self.m + 1, -flags[i] * most[i]))
            self._row(0.0, (0, -flags[i]), (2 * self.m + 1, flags[i] * limits.grant[i] / cost[i]))

    def bound_response(self, money: Floats, above: NDArray[np.bool_] | None = None) -> None:
        """Add the tangents of responses at these amounts: of all areas, or of some."""
        cost = self.curves.cost
        share = np.maximum(money / cost, LEAST)
        effect, slope = self.curves.effect(share * cost), self.curves.slope(share * cost) * cost
        flags = np.eye(self.m)
        for i in range(self.m) if above is None else np.flatnonzero(above):
            height = max(1.0, slope[i])
            parts = (0, -slope[i] * flags[i] / height), (self.m, flags[i] / height)
            self._row(float((effect[i] - slope[i] * share[i]) / height), *parts)

    def bound_objective(self, effect: Floats, value: float, slope: Floats) -> None:
        """Add the tangent of the objective at these effects."""
        right = (value - float(slope @ effect)) / self.scale
        self._row(right, (self.m, -slope / self.scale), (2 * self.m, np.ones(1)))

    def solve(self) -> tuple[Floats, Floats, float, float | None] | None:
        """Return amounts, effects as the tangents have them, the bound, and what the next pound adds; None for none."""
        from scipy.optimize import Bounds, LinearConstraint, linprog, milp
        from scipy.sparse import csr_array

        limits, cost, m = self.limits, self.curves.cost, self.m
        objective = np.zeros(self.size)
        objective[2 * m] = -1.0
        cap = np.where(np.isfinite(limits.cap), limits.cap / cost, limits.budget / cost)
        least = self.curves.effect(limits.floor)
        lower = np.concatenate([limits.floor / cost, least, [-np.inf], np.zeros(self.size - 2 * m - 1)])
        upper = np.concatenate([cap, np.full(m, np.inf), [np.inf], np.ones(self.size - 2 * m - 1)])
        if (lower > upper).any():
            return None
        matrix, right = csr_array(np.array(self.rows)), np.array(self.right)
        if self.whole:
            integral = np.concatenate([np.zeros(2 * m + 1), np.ones(m)])
            found = milp(
                objective,
                integrality=integral,
                bounds=Bounds(lower, upper),
                constraints=LinearConstraint(matrix, ub=right),
            )
        else:
            found = linprog(objective, matrix, right, bounds=np.column_stack([lower, upper]), method="highs")
        if found.x is None:
            return None
        money = np.clip(found.x[:m], lower[:m], upper[:m]) * cost
        if self.whole:
            return money, found.x[m : 2 * m], -float(found.mip_dual_bound) * self.scale, None
        scale = max(limits.budget, float(cost.max()))
        price = -float(found.ineqlin.marginals[0]) * self.scale / scale
        return money, found.x[m : 2 * m], -float(found.fun) * self.scale, price
