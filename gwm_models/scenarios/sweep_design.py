"""The points of a sweep: every combination of a grid, or points spread evenly through the space."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError
from gwm_models.scenarios.spec import Scenario, Sweep, Vary
from gwm_models.scenarios.vary import find_number
from gwm_models.scenarios.versions import Content, plain_content

Floats = NDArray[np.float64]

DIGITS = 10


@dataclass(frozen=True)
class Factor:
    """A number that is varied.

    Attributes
    ----------
    path : str
        Where it stands in the scenario.
    low, high : float
        Smallest and largest value tried.
    base : float
        Its value in the file.
    levels : tuple of float or None
        The values it can have, all as likely; None for any between the ends.
    """

    path: str
    low: float
    high: float
    base: float
    levels: tuple[float, ...] | None


@dataclass(frozen=True, eq=False)
class Design(Frozen):
    """The points of a sweep.

    Attributes
    ----------
    kind : str
        ``grid``, ``sobol`` or ``latin_hypercube``.
    factors : tuple of Factor
    points : ndarray, shape (n_points, n_factors)
        A grid has its last number going fastest.
    """

    kind: str
    factors: tuple[Factor, ...]
    points: Floats

    @property
    def paths(self) -> tuple[str, ...]:
        """The numbers varied, in order."""
        return tuple(factor.path for factor in self.factors)


def make_design(scenario: Scenario) -> Design:
    """Lay out the points of a sweep.

    Parameters
    ----------
    scenario : Scenario
        Checked, of kind sweep. Its seed is that of the design as well.

    Raises
    ------
    ModelError
        If the scenario has no sweep, or a number that must be whole has no value in its range.

    References
    ----------
    Owen (1998), ACM TOMACS 8, 71-102 (scrambled Sobol points); McKay, Beckman and Conover (1979), Technometrics 21,
    239-245 (Latin hypercubes).
    """
    sweep = scenario.sweep
    if sweep is None:
        raise ModelError(f"{scenario.id} has no sweep. Use kind: sweep with a block 'sweep', or gwm run.")
    content = plain_content(scenario)
    factors = tuple(_factor(vary, content, sweep) for vary in sweep.vary)
    if sweep.design == "grid":
        points = np.array(list(product(*(factor.levels or () for factor in factors))))
    else:
        spread = _spread(sweep, len(factors), scenario.analysis.seed)
        points = np.column_stack([_placed(factor, spread[:, i]) for i, factor in enumerate(factors)])
    return Design(sweep.design, factors, points)


def _factor(vary: Vary, content: Content, sweep: Sweep) -> Factor:
    found = find_number(content, vary.path)
    if vary.values is not None:
        levels: tuple[float, ...] | None = tuple(sorted({_whole(value, found.whole) for value in vary.values}))
    elif vary.low is None or vary.high is None:
        raise ModelError(f"sweep: {vary.path} needs low and high.")
    elif sweep.design == "grid":
        steps = np.linspace(vary.low, vary.high, sweep.steps or 2).tolist()
        levels = tuple(sorted({_whole(value, found.whole) for value in steps}))
    elif found.whole:
        levels = tuple(float(value) for value in range(ceil(vary.low), floor(vary.high) + 1))
    else:
        return Factor(vary.path, vary.low, vary.high, found.value, None)
    if not levels:
        raise ModelError(f"sweep: {vary.path} must be whole; no whole number lies in its range. Widen it.")
    return Factor(vary.path, levels[0], levels[-1], found.value, levels)


def _whole(value: float, whole: bool) -> float:
    return float(round(value)) if whole else rounded(value)


def _spread(sweep: Sweep, n_factors: int, seed: int) -> Floats:
    """Return points of the unit cube, shape (n_points, n_factors)."""
    from scipy.stats import qmc

    n, rng = sweep.points or 0, int(keyed_rng(seed, "sweep", sweep.design).integers(2**63))
    if sweep.design == "sobol":
        # Whole powers of two are drawn: fewer of them are the same points, without a warning about balance.
        return np.asarray(qmc.Sobol(n_factors, scramble=True, rng=rng).random_base2((n - 1).bit_length())[:n])
    return np.asarray(qmc.LatinHypercube(n_factors, rng=rng).random(n))


def rounded(value: float) -> float:
    """Return a number to ten significant digits, as it is written in tables.

    Examples
    --------
    >>> rounded(0.1 + 0.2)
    0.3
    """
    return float(f"{value:.{DIGITS}g}") + 0.0


def _placed(factor: Factor, unit: Floats) -> Floats:
    """Return values of a number at places of the unit interval."""
    if factor.levels is None:
        values = factor.low + unit * (factor.high - factor.low)
        return np.array([min(max(rounded(value), factor.low), factor.high) for value in values.tolist()])
    place = np.minimum((unit * len(factor.levels)).astype(np.int64), len(factor.levels) - 1)
    return np.array(factor.levels)[place]
