"""First-order and total Sobol indices of many outputs at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.errors import DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SobolIndices:
    """How much of the variance of outputs comes from each input.

    Attributes
    ----------
    first_order, first_order_se : ndarray, shape (n_inputs, ...)
        Share of variance that goes when the input is fixed, on average, and its standard error. An estimate near zero
        can fall a little below it.
    total, total_se : ndarray, shape (n_inputs, ...)
        Share that stays when all other inputs are fixed: the first-order share and all its interactions.
    n : int
        Size of the base sample; the indices took ``n * (n_inputs + 2)`` runs.
    """

    first_order: Floats
    first_order_se: Floats
    total: Floats
    total_se: Floats
    n: int

    def __post_init__(self) -> None:
        """Keep read-only copies."""
        for name in ("first_order", "first_order_se", "total", "total_se"):
            own = np.array(getattr(self, name))
            own.setflags(write=False)
            object.__setattr__(self, name, own)

    def __repr__(self) -> str:
        """Return one line: inputs, outputs, size."""
        outputs = int(np.prod(self.total.shape[1:]))
        return f"SobolIndices({len(self.total)} inputs, {outputs} outputs, n {self.n})"


def sobol_indices(a: ArrayLike, b: ArrayLike, swapped: ArrayLike, *, pooled: bool = False) -> SobolIndices:
    """Estimate first-order and total indices of all outputs in one batch.

    Parameters
    ----------
    a, b : array_like, shape (n, ...)
        Outputs at two independent samples of the inputs.
    swapped : array_like, shape (n_inputs, n, ...)
        Outputs at sample `a` with input (or group of inputs) `i` taken from `b`.
    pooled : bool
        Treat all outputs as one vector and return one index for each input: numerators and variances summed over
        the outputs, so that an output counts by its variance.

    Returns
    -------
    SobolIndices
        An output that never moves has index 0. First-order by Saltelli et al. (2010), ``mean(B (AB - A))``, with
        outputs centred at the mean of all runs; total by Jansen (1999), ``mean((A - AB)^2) / 2``; both over the
        variance of `a` and `b` together. Standard errors by the delta method for a ratio of means.

    Raises
    ------
    DataError
        If the arrays do not fit together.

    References
    ----------
    Saltelli et al. (2010), Computer Physics Communications 181, 259-270. Jansen (1999), Computer Physics Communications
    117, 35-43. Gamboa, Janon, Klein & Lagnoux (2014), Electronic Journal of Statistics 8, 575-603 (pooled).
    """
    ya, yb = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    runs = np.asarray(swapped)
    if ya.ndim < 1 or len(ya) < 2 or yb.shape != ya.shape or runs.shape[1:] != ya.shape or not len(runs):
        raise DataError(f"Outputs of shape {ya.shape}, {yb.shape} and {runs.shape} do not fit together.")
    n = len(ya)
    totals = ya.sum(axis=0) + yb.sum(axis=0) + runs.sum(axis=(0, 1), dtype=float)
    off_centre = yb - totals / (n * (len(runs) + 2))
    middle = (ya.mean(axis=0) + yb.mean(axis=0)) / 2
    spread = _pool(((ya - middle) ** 2 + (yb - middle) ** 2) / 2, pooled)
    found = []
    for run in runs:
        change = run - ya
        first_order = _share(_pool(off_centre * change, pooled), spread)
        found.append((*first_order, *_share(_pool(change**2 / 2, pooled), spread)))
    first, first_se, total, total_se = (np.stack(part) for part in zip(*found, strict=True))
    return SobolIndices(first, first_se, total, total_se, n)


def _pool(terms: Floats, pooled: bool) -> Floats:
    return terms.reshape(len(terms), -1).sum(axis=1) if pooled else terms


def _share(terms: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Return the ratio of the means of two samples and its standard error; 0 where there is no spread."""
    variance = spread.mean(axis=0)
    flat = variance <= np.finfo(float).eps
    variance = np.where(flat, 1.0, variance)
    share = np.where(flat, 0.0, terms.mean(axis=0) / variance)
    error = (terms - share * spread).std(axis=0) / variance / np.sqrt(len(terms))
    return share, np.where(flat, 0.0, error)
