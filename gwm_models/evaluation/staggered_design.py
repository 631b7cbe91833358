"""What the design of a staggered adoption supports: freedom and lone units, told without looking at the outcomes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.evaluation.group_time import Aggregate, GroupTime, average, cell_weights, freedom
from gwm_models.evaluation.imputation import Imputed, event_weights

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_FREEDOM = 4.0
"""Freedom of the design below which an interval by Student's t is not offered as valid."""
LEAST_PLAIN = 20.0
"""The same without the small-sample factor: 19 in 20 of the variance are then in the published one."""
LEAST_UNITS = 4
"""Treated units to a cohort below which Student's t for Callaway and Sant'Anna's average is too wide to be offered."""
MOST_LONE = 0.01
"""Share of the weight on effects of one unit above which no interval is given."""


@dataclass(frozen=True, eq=False)
class Estimate(Frozen):
    """An estimate, its error by unit, and what the design says of that error.

    Attributes
    ----------
    value : float
    influence : ndarray, shape (n_units,)
        What each unit adds to the error; the sum of squares is the variance.
    size : ndarray, shape (n_units,)
        The same size were all figures alike in variance and independent; of the design only.
    lone : float
        Share of the weight on effects whose own noise is not seen: one treated unit, or one control.
    """

    value: float
    influence: Floats
    size: Floats
    lone: float

    def support(self, start: Ints) -> float:
        """Return the degrees of freedom of the design; 0 where noise is not seen."""
        return 0.0 if self.lone > MOST_LONE else freedom(self.size, start)

    def freedom(self, start: Ints) -> float:
        """Return the degrees of freedom of the error as seen, no more than those of the design."""
        return min(self.support(start), freedom(self.influence, start))


@dataclass(frozen=True, eq=False)
class Result(Frozen):
    """An average with its parts by event time.

    Attributes
    ----------
    overall : Estimate
    event : ndarray of int, shape (m,)
    by_event : tuple of Estimate
    """

    overall: Estimate
    event: Ints
    by_event: tuple[Estimate, ...]


def of_cells(cells: GroupTime, aggregate: Aggregate) -> Result:
    """Average cell effects."""
    by_event = average(cells, "event")
    return Result(overall_of(cells, aggregate), by_event.label, parts_of(cells, "event"))


def overall_of(cells: GroupTime, how: Aggregate) -> Estimate:
    """Return an average of cell effects."""
    found = average(cells, how)
    return weighted(cells, cell_weights(cells, how), found.overall, found.overall_influence)


def parts_of(cells: GroupTime, how: Aggregate) -> tuple[Estimate, ...]:
    """Return the parts of an average, in the order of their labels."""
    found = average(cells, how)
    rows = zip(found.weights, found.estimate.tolist(), found.influence, strict=True)
    return tuple(weighted(cells, weights, value, own) for weights, value, own in rows)


def weighted(cells: GroupTime, weights: Floats, value: float, influence: Floats) -> Estimate:
    """Put what the design says beside a weighted sum of cell effects."""
    return Estimate(value, influence, _size(cells.loads(weights)), cells.lone(weights))


def of_imputation(filled: Imputed, *, small_sample: bool = True) -> Result:
    """Average imputed effects, over all treated cells and by event time."""

    def estimate(weights: Floats) -> Estimate:
        value, influence = filled.average(weights, small_sample=small_sample)
        return Estimate(value, influence, _size(filled.loads(weights)), filled.lone(weights))

    event = np.unique(filled.event[np.isfinite(filled.effect)])
    parts = tuple(estimate(event_weights(filled, int(k))) for k in event)
    return Result(estimate(event_weights(filled)), event, parts)


def _size(loads: Floats) -> Floats:
    return np.asarray(np.sqrt((loads**2).sum(axis=1)))
