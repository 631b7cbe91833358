"""The best set of choices by mixed-integer linear programming, where there are too many sets to try them all."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gwm_models.errors import ModelError
from gwm_models.evaluation.portfolio_rules import Rules

Floats = NDArray[np.float64]

NODES, WORK = 20, 5_000_000
"""Branches that a programme for a quantile may look at: at least so many, more where its matrix is small (numbers over
all branches). A number, not a time, so that the answer is always the same."""
SECONDS = 600.0
"""Longest time that one programme may take."""
CUTS = 50
"""Sets that may be ruled out one by one because they pass a limit by less than the solver can tell."""


@dataclass(frozen=True, eq=False)
class Solved:
    """A set of choices found by a programme.

    Attributes
    ----------
    chosen : ndarray of 0 and 1, shape (J,)
    bound : float
        No set of choices has a better objective than this.
    optimal : bool
        Whether the programme was solved to the end.
    """

    chosen: Floats
    bound: float
    optimal: bool


def tail_size(n_draws: int, probability: float) -> int:
    """Return how many draws are the worst ones: a share of all, rounded down, at least one.

    Examples
    --------
    >>> tail_size(500, 0.1), tail_size(5, 0.1)
    (50, 1)
    """
    return max(int(np.floor(n_draws * probability + 1e-9)), 1)


def below(n_draws: int, probability: float) -> int:
    """Return how many draws may be worse than a lower quantile.

    Examples
    --------
    >>> below(500, 0.1), below(5, 0.1)
    (50, 0)
    """
    return int(np.floor(n_draws * probability + 1e-9))


def statistic_of(values: Floats, statistic: str, probability: float | None) -> Floats:
    """Return the statistic of benefits, more of which is better, for each column.

    Parameters
    ----------
    values : ndarray, shape (S, C)
    statistic : {"mean", "quantile", "tail_mean"}
    probability : float, optional
        A quantile is the largest number that at least 1 - probability of the draws reach; a tail mean is over the
        worst draws, that share of them.

    References
    ----------
    Rockafellar and Uryasev (2000), Journal of Risk 2(3), 21-41 (quantile and mean of the tail).
    """
    if statistic == "mean" or probability is None:
        return np.asarray(values.mean(axis=0))
    if statistic == "quantile":
        k = below(len(values), probability)
        return np.asarray(np.partition(values, k, axis=0)[k])
    m = tail_size(len(values), probability)
    return np.asarray(np.partition(values, m - 1, axis=0)[:m].mean(axis=0))


def best_set(
    effect: Floats,
    base: Floats,
    rules: Rules,
    statistic: str,
    probability: float | None,
    start: Floats | None = None,
) -> Solved | None:
    """Return the set of choices with the largest mean, tail mean or lower quantile of a sum.

    Parameters
    ----------
    effect : ndarray, shape (S, J)
        What each choice adds in each draw; more is better.
    base : ndarray, shape (S,)
    rules : Rules
    statistic, probability
        As for `statistic_of`.
    start : ndarray of 0 and 1, shape (J,), optional
        A set within the rules that is good already; what is returned is no worse.

    Returns
    -------
    Solved or None
        None where no set keeps to the rules. The mean is a linear objective; the tail mean has one continuous variable
        for each draw, the quantile one of 0 or 1.

    References
    ----------
    Rockafellar and Uryasev (2000), Journal of Risk 2(3), 21-41; Luedtke and Ahmed (2008), SIAM Journal on Optimization
    19(2), 674-699 (constraints that hold in most draws).
    """
    n = effect.shape[1]
    if statistic == "mean" or probability is None:
        return solve(effect.mean(axis=0), float(base.mean()), rules, n)
    scale = float(np.abs(effect).max()) or 1.0
    effect, base = effect / scale, base / scale
    more = _tail(effect, base, probability) if statistic == "tail_mean" else _quantile(effect, base, probability)

    def value(sets: Floats) -> Floats:
        return statistic_of(base[:, None] + effect @ sets.T, statistic, probability)

    if start is not None:
        start = climb(start, value, rules)
        lower = more.lower.copy()
        lower[0] = max(lower[0], float(value(start[None])[0]) - 1e-9)
        more = replace(more, lower=lower)
    found = solve(more.objective, 0.0, rules, n, more)
    if start is None:
        return None if found is None else Solved(found.chosen, found.bound * scale, found.optimal)
    if found is None or value(found.chosen[None])[0] < value(start[None])[0]:
        found = Solved(start, float(value(start[None])[0]) if found is None else found.bound, found is None)
    return Solved(found.chosen, found.bound * scale, found.optimal)


def climb(start: Floats, value: Callable[[Floats], Floats], rules: Rules) -> Floats:
    """Return a set that no exchange of one or two choices makes better.

    Parameters
    ----------
    start : ndarray of 0 and 1, shape (J,)
        Within the rules.
    value : callable
        Gives the objective of sets, shape (C, J).
    rules : Rules
    """
    n = len(start)
    flips = np.eye(n, dtype=bool)
    pairs = [flips[i] | flips[j] for i in range(n) for j in range(i + 1, n)]
    moves = np.vstack([flips, *pairs])
    best = float(value(start[None])[0])
    while True:
        near = np.where(moves, 1.0 - start, start)
        near = near[rules.hold(near)]
        values = value(near) if len(near) else np.zeros(0)
        if not len(near) or values.max() <= best + 1e-12:
            return start
        start, best = near[int(values.argmax())], float(values.max())


@dataclass(frozen=True, eq=False)
class More:
    """Variables and rows that a programme has besides the choices.

    Attributes
    ----------
    objective : ndarray, shape (J + extra,)
    matrix : ndarray, shape (rows, J + extra)
    limit : ndarray, shape (rows,)
        Rows are ``matrix @ x <= limit``.
    lower, upper : ndarray, shape (extra,)
    integral : ndarray, shape (extra,)
    """

    objective: Floats
    matrix: Floats
    limit: Floats
    lower: Floats
    upper: Floats
    integral: Floats


def _tail(effect: Floats, base: Floats, probability: float) -> More:
    """Return the mean of the worst draws: a level, less what draws fall short of it, over their number."""
    n_draws, n = effect.shape
    m = tail_size(n_draws, probability)
    return More(
        objective=np.concatenate([np.zeros(n), [1.0], np.full(n_draws, -1.0 / m)]),
        matrix=np.hstack([-effect, np.ones((n_draws, 1)), -np.eye(n_draws)]),
        limit=base,
        lower=np.concatenate([[-np.inf], np.zeros(n_draws)]),
        upper=np.full(n_draws + 1, np.inf),
        integral=np.zeros(n_draws + 1),
    )


def _quantile(effect: Floats, base: Floats, probability: float) -> More:
    """Return the quantile: a level that all draws reach but those that are let go."""
    n_draws, n = effect.shape
    high = base + np.maximum(effect, 0).sum(axis=1)
    low = base + np.minimum(effect, 0).sum(axis=1)
    k = below(n_draws, probability)
    top = float(np.sort(high)[k])
    let_go = np.diag(-np.maximum(top - low, 0.0))
    rows = np.hstack([-effect, np.ones((n_draws, 1)), let_go])
    count = np.concatenate([np.zeros(n + 1), np.ones(n_draws)])
    return More(
        objective=np.concatenate([np.zeros(n), [1.0], np.zeros(n_draws)]),
        matrix=np.vstack([rows, count]),
        limit=np.concatenate([base, [float(k)]]),
        lower=np.concatenate([[float(low.min())], np.zeros(n_draws)]),
        upper=np.concatenate([[top], np.ones(n_draws)]),
        integral=np.concatenate([[0.0], np.ones(n_draws)]),
    )


def solve(objective: Floats, constant: float, rules: Rules, n: int, more: More | None = None) -> Solved | None:
    """Return the choices with the largest linear objective within the rules; None where there are none.

    A solver keeps to its rules up to a tolerance; a set that passes a limit by more than rounding is ruled out, and the
    programme solved again.

    Raises
    ------
    ModelError
        If the solver found nothing in its time.
    """
    cut = rules
    for _ in range(CUTS):
        found = _milp(objective, constant, cut, n, more)
        if found is None or rules.hold(found.chosen[None])[0]:
            return found
        row = np.where(found.chosen > 0, 1.0, -1.0)
        limit = np.append(cut.limit, found.chosen.sum() - 1.0)
        cut = replace(cut, names=(*cut.names, "not again"), matrix=np.vstack([cut.matrix, row]), limit=limit)
    raise ModelError("The solver does not keep to the limits of the portfolio. Write amounts of like size.")


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what the solver's own code prints out of standard output, where results go."""
    libc = None
    with suppress(OSError, TypeError, AttributeError):
        libc = ctypes.CDLL(None)
    try:
        sys.stdout.flush()
        kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    except (OSError, ValueError, AttributeError):
        yield
        return
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        if libc is not None:
            libc.fflush(None)
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _milp(objective: Floats, constant: float, rules: Rules, n: int, more: More | None) -> Solved | None:
    from scipy.optimize import Bounds, LinearConstraint, milp

    extra = 0 if more is None else len(more.lower)
    scale = float(np.abs(objective).max()) or 1.0
    matrix = np.hstack([rules.matrix, np.zeros((len(rules.limit), extra))])
    rows = [LinearConstraint(matrix, ub=rules.limit)] if len(matrix) else []
    lower, upper, integral = np.zeros(n), np.ones(n), np.ones(n)
    if more is not None:
        rows.append(LinearConstraint(more.matrix, ub=more.limit))
        lower, upper = np.concatenate([lower, more.lower]), np.concatenate([upper, more.upper])
        integral = np.concatenate([integral, more.integral])
    limit = {"node_limit": max(NODES, WORK // more.matrix.size)} if more is not None and more.integral.any() else {}
    with _silent():
        found = milp(
            -objective / scale,
            integrality=integral,
            bounds=Bounds(lower, upper),
            constraints=rows,
            options={"time_limit": SECONDS, "mip_rel_gap": 1e-9} | limit,
        )
    if found.status == 2 or (found.x is None and more is not None):
        return None
    if found.x is None:
        raise ModelError(f"The solver found no portfolio ({found.message}). Leave out options or sizes.")
    chosen = np.round(found.x[:n]) + 0.0
    bound = -scale * float(found.fun if found.mip_dual_bound is None else found.mip_dual_bound)
    return Solved(chosen, bound + constant, found.status == 0)
