"""Imputation: what treated units would have been, from unit and time effects of figures that are not treated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import ModelError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

TOLERANCE = 1e-7


@dataclass(frozen=True, eq=False)
class Imputed(Frozen):
    """Effects cell by cell, and what is needed for the error of any average of them.

    Attributes
    ----------
    effect : ndarray, shape (n_units, n_times)
        Observed less imputed where treated and estimable, else NaN.
    residual : ndarray, shape (n_units, n_times)
        Of untreated cells; zero elsewhere.
    event : ndarray of int, shape (n_units, n_times)
        Times since the start.
    start : ndarray of int, shape (n_units,)
    free : ndarray, shape (n_free, p)
        Regressors of the untreated cells.
    of_treated : ndarray, shape (n_treated_cells, p)
        Regressors of the cells of `effect`, in the order of ``np.argwhere``.
    inverse : ndarray, shape (p, p)
    free_cells : ndarray of bool, shape (n_units, n_times)
    lost : int
        Treated cells whose counterfactual cannot be told from untreated figures.
    """

    effect: Floats
    residual: Floats
    event: Ints
    start: Ints
    free: Floats
    of_treated: Floats
    inverse: Floats
    free_cells: Mask
    lost: int

    def average(self, weight: Floats, *, small_sample: bool = True) -> tuple[float, Floats]:
        """Return a weighted sum of effects and what each unit adds to its error, shape (n_units,).

        Effects that differ within a cohort and event time count as noise, so that the variance is at least as large as
        the truth; cohorts of one unit are taken together.

        Parameters
        ----------
        weight : ndarray, shape (n_units, n_times)
            Used where there is an effect.
        small_sample : bool
            Scale the part of a group of m units by m / (m - 1) in the variance, as a t test of two means does, since
            its noise is seen around its own mean only. The published variance does not.

        References
        ----------
        Borusyak, Jaravel & Spiess (2024), Review of Economic Studies 91, 3253-3285, theorem 3 and equation 8.
        """
        cells = np.isfinite(self.effect)
        own = np.where(cells, weight, 0.0)
        effect = np.where(cells, self.effect, 0.0)
        back = np.where(cells, 0.0, self.loads(weight))
        left = np.where(cells, effect - self._typical(own, effect, cells), 0.0)
        influence = (back * self.residual + own * left).sum(axis=1)
        if small_sample:
            place = self._together()
            size = np.bincount(place)[place]
            influence *= np.sqrt(size / np.maximum(size - 1, 1))
        return float((own * effect).sum()), np.asarray(influence)

    def loads(self, weight: Floats) -> Floats:
        """Return what a weighted sum of effects takes of each figure, shape (n_units, n_times)."""
        cells = np.isfinite(self.effect)
        loads = np.where(cells, weight, 0.0)
        loads[self.free_cells] = -self.free @ (self.inverse @ (self.of_treated.T @ weight[cells]))
        return loads

    def lone(self, weight: Floats) -> float:
        """Return the share of the weight on cells whose noise is not seen.

        These are alone in their cohort and event time (cohorts of one unit taken together), or at a time at which a
        single unit is not treated.
        """
        cells = np.isfinite(self.effect)
        _, group, size = np.unique(self._groups()[cells], return_inverse=True, return_counts=True)
        few = np.broadcast_to(self.free_cells.sum(axis=0) < 2, cells.shape)[cells]
        share = np.abs(weight[cells])
        return float(share[(size[group] < 2) | few].sum() / share.sum())

    def _together(self) -> Ints:
        """Return the cohort of each unit, cohorts of one unit taken together, shape (n_units,)."""
        names, place, size = np.unique(self.start, return_inverse=True, return_counts=True)
        return np.where(size[place] == 1, len(names), place)

    def _groups(self) -> Ints:
        """Return a number for the cohort and event time of each cell, shape (n_units, n_times)."""
        n_times = self.event.shape[1]
        return np.asarray(self._together()[:, None] * (4 * n_times) + self.event + n_times)

    def _typical(self, own: Floats, effect: Floats, cells: Mask) -> Floats:
        """Return the average effect of the cohort and event time of each cell, single units taken together."""
        _, group = np.unique(self._groups()[cells], return_inverse=True)
        squares = own[cells] ** 2
        total, base = np.bincount(group, squares * effect[cells]), np.bincount(group, squares)
        typical = np.zeros(own.shape)
        typical[cells] = np.divide(total, base, out=np.zeros_like(total), where=base > 0)[group]
        return typical


def impute(value: Floats, start: Ints, covariates: Floats | None = None) -> Imputed:
    """Fit unit and time effects to untreated cells and take the treated cells off what they imply.

    Parameters
    ----------
    value : ndarray, shape (n_units, n_times)
        NaN where there is no figure.
    start : ndarray of int, shape (n_units,)
        Column of the first treated time; the number of times for a unit that is never treated.
    covariates : ndarray, shape (p, n_units, n_times), optional
        Finite wherever `value` is.

    Raises
    ------
    ModelError
        If no treated cell can be told from untreated figures.

    References
    ----------
    Borusyak, Jaravel & Spiess (2024), Review of Economic Studies 91, 3253-3285.
    """
    n_units, n_times = value.shape
    event = np.arange(n_times) - start[:, None]
    seen = np.isfinite(value)
    free, treated = seen & (event < 0), seen & (event >= 0)
    more = np.zeros((0, n_units, n_times)) if covariates is None else covariates

    def columns(cells: Mask) -> Floats:
        i, t = np.nonzero(cells)
        return np.column_stack([np.eye(n_units)[i], np.eye(n_times)[t], *(x[cells] for x in more)])

    base = columns(free)
    inverse = np.linalg.pinv(base.T @ base, rcond=1e-11, hermitian=True)
    coef = inverse @ (base.T @ value[free])
    rows = columns(treated)
    reach = rows - rows @ inverse @ (base.T @ base)
    known = np.abs(reach).max(axis=1, initial=0.0) < TOLERANCE * np.maximum(np.abs(rows).max(axis=1, initial=1.0), 1.0)
    if not known.any():
        raise ModelError("no treated figure has a counterfactual: add times before the starts, or untreated units.")
    effect = np.full(value.shape, np.nan)
    effect[tuple(np.argwhere(treated)[known].T)] = value[treated][known] - rows[known] @ coef
    residual = np.zeros(value.shape)
    residual[free] = value[free] - base @ coef
    return Imputed(effect, residual, event, start, base, rows[known], np.asarray(inverse), free, int((~known).sum()))


def event_weights(found: Imputed, event: int | None = None) -> Floats:
    """Return equal weights on all effects, or on those at one event time, shape (n_units, n_times)."""
    cells = np.isfinite(found.effect) & (True if event is None else found.event == event)
    return np.asarray(cells / cells.sum())
