"""Placebos: the same design on units, and at times, where nothing happened."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.evaluation.designs import Data, DesignFit, Method, fit_design

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Apart = Mapping[int, frozenset[int]]

FLOOR = 0.05
"""Least expected square of a placebo's effect, in medians: a unit that its donors match exactly is not sure."""
DUST = 1e-9
"""Gaps before the start, as a share of the largest figure, up to which they are rounding."""
FEWEST_SETS = 20
"""Sets needed to learn from placebos how effects go with where a unit stood before the start."""
FEWEST_FITS = 30
"""Sets needed to learn from them how the size of an effect goes with the fit before the start alone."""
FEWEST_BEFORE = 3
"""Times a placebo in time needs before its made-up start."""


@dataclass(frozen=True, eq=False)
class Placebos(Frozen):
    """The design on the treated and on every placebo, treated first.

    Attributes
    ----------
    rows : tuple of ndarray of int
        Units of each; the treated are the first.
    att, rmspe_pre, rmspe_post : ndarray, shape (n_sets,)
    scale : ndarray, shape (n_sets,)
        Size of effect to expect of each set where nothing happens; effects are divided by it to be compared.
    place : ndarray, shape (n_sets, 3)
        Mean level before the start, level just before it, and the second less the first: from the mean of donors, in
        their standard deviations.
    gap : ndarray, shape (n_sets, n_times)
    drawn : bool
        Whether sets were drawn at random, not listed in full.
    """

    rows: tuple[Rows, ...]
    att: Floats
    rmspe_pre: Floats
    rmspe_post: Floats
    scale: Floats
    place: Floats
    gap: Floats
    drawn: bool

    def __len__(self) -> int:
        """Return the number of sets, the treated included."""
        return len(self.rows)


def placebos_in_space(
    method: Method,
    data: Data,
    treated: Rows,
    donors: Rows,
    *,
    apart: Apart | None = None,
    most: int = 499,
    seed: int = 0,
    first: DesignFit | None = None,
) -> Placebos:
    """Fit the design to sets of donors as if they were treated, each from the other donors.

    Parameters
    ----------
    method : {"sc", "sdid", "did"}
    data : Data
    treated, donors : ndarray of int
        Rows of `data`. Treated units are never donors of a placebo.
    apart : mapping of row to rows, optional
        Neighbours: they are no donors of that row.
    most : int
        Sets to draw where several units are treated and there are more sets than that.
    seed : int
    first : DesignFit, optional
        The fit of the treated, where it is known.

    Returns
    -------
    Placebos
        Sets that would have no donor are left out.
    """
    sets, drawn = placebo_sets(donors, len(treated), most, seed)
    kept, fits = [treated], [first or fit_design(method, data, treated, donors)]
    for chosen in sets:
        rest = without(donors, chosen, apart)
        if len(rest):
            kept.append(chosen)
            fits.append(fit_design(method, data, chosen, rest))
    gap = np.array([fit.gap for fit in fits])
    gap[:, : data.cut] = without_dust(gap[:, : data.cut], data.value)
    before = gap[:, : data.cut]
    if method != "sc":
        before = before - before.mean(axis=1, keepdims=True)
    att, place = gap[:, data.cut :].mean(axis=1), places(data, kept, donors)
    parts = [np.mean(before**2, axis=1)] + ([] if method == "sc" else list(place.T[:2] ** 2))
    return Placebos(
        rows=tuple(kept),
        att=att,
        rmspe_pre=np.sqrt(np.mean(gap[:, : data.cut] ** 2, axis=1)),
        rmspe_post=np.array([fit.rmspe_post for fit in fits]),
        scale=expected_size(att, parts),
        place=place,
        gap=gap,
        drawn=drawn,
    )


def without_dust(before: Floats, value: Floats) -> Floats:
    """Return gaps before the start as they are, and as zero for sets whose gaps are rounding: those fit exactly.

    Parameters
    ----------
    before : ndarray, shape (n_sets, n_before)
    value : ndarray
        Figures, whose largest size sets what is rounding.

    Examples
    --------
    >>> without_dust(np.array([[1e-13, -2e-13], [0.1, 1e-13]]), np.array([80.0])).tolist()
    [[0.0, 0.0], [0.1, 1e-13]]
    """
    largest = np.abs(before).max(axis=1, initial=0.0)
    return np.where((largest > DUST * np.abs(value).max())[:, None], before, 0.0)


def places(data: Data, sets: Sequence[Rows], donors: Rows) -> Floats:
    """Return how far sets stand from the donors before the start: on average and at the end, in standard deviations."""
    mean, last = data.value[:, : data.cut].mean(axis=1), data.value[:, data.cut - 1]
    own = np.column_stack([mean, last, last - mean])
    spread = own[donors].std(axis=0)
    own = (own - own[donors].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.array([own[rows].mean(axis=0) for rows in sets])


def expected_size(att: Floats, parts: Sequence[Floats]) -> Floats:
    """Return the size of effect to expect of each set, learnt from the placebos (all sets but the first).

    The expected square is a constant plus the parts, each times a weight of at least 0 (weighted non-negative least
    squares). With fewer than 20 sets, or 30 where the fit is the only part, it is the first part plus its median:
    weights learnt from so few suit the placebos better than the treated, which would then stand out too often.

    Parameters
    ----------
    att : ndarray, shape (n_sets,)
    parts : sequence of ndarray, shape (n_sets,)
        Squares: first the mean squared gap before the start, then squared distances in standard deviations.
    """
    first = parts[0]
    middle = float(np.median(first)) or float(first.mean())
    if middle == 0 or not len(att[1:]) or np.ptp(att) == 0:
        return np.ones_like(att)
    if len(att) < (FEWEST_SETS if len(parts) > 1 else FEWEST_FITS):
        return np.sqrt(first + middle)
    from scipy.optimize import nnls

    columns = np.column_stack([np.full(len(att), middle), first, *(middle * part for part in parts[1:])])
    rate = 1 / columns.sum(axis=1)
    weight = nnls((columns * rate[:, None])[1:], (att**2 * rate)[1:])[0]
    square = columns @ weight
    floor = FLOOR * float(np.median(square))
    return np.asarray(np.sqrt(np.maximum(square, floor))) if floor > 0 else np.ones_like(att)


def placebo_sets(donors: Rows, size: int, most: int, seed: int) -> tuple[list[Rows], bool]:
    """Return sets of donors of the size of the treated: all of them, or `most` distinct ones drawn at random.

    Examples
    --------
    >>> [rows.tolist() for rows in placebo_sets(np.array([3, 5, 8]), 2, 10, 1)[0]]
    [[3, 5], [3, 8], [5, 8]]
    """
    if len(donors) <= size:
        return [], False
    if size == 1 or math.comb(len(donors), size) <= most:
        return [np.array(rows) for rows in combinations(donors.tolist(), size)], False
    rng = keyed_rng(seed, "placebo", str(size))
    found: dict[tuple[int, ...], Rows] = {}
    while len(found) < most:
        rows = np.sort(rng.choice(donors, size, replace=False))
        found[tuple(rows.tolist())] = rows
    return list(found.values()), True


def without(donors: Rows, chosen: Rows, apart: Apart | None = None) -> Rows:
    """Return donors that are neither among the chosen nor apart from them."""
    out = set(chosen.tolist())
    for row in chosen.tolist():
        out |= (apart or {}).get(row, frozenset())
    return donors[[row not in out for row in donors.tolist()]]


def placebos_in_time(method: Method, data: Data, treated: Rows, donors: Rows) -> dict[int, DesignFit]:
    """Fit the design to the times before the start only, as if it had come earlier; one fit per made-up start.

    Returns
    -------
    dict of int to DesignFit
        By the number of times before the made-up start; empty where there are too few times.
    """
    return {cut: fit_design(method, held_out(data, cut), treated, donors) for cut in range(FEWEST_BEFORE, data.cut)}


def held_out(data: Data, cut: int) -> Data:
    """Return the data before the start, with a made-up start after `cut` times."""
    value = data.value[:, : data.cut]
    return replace(data, value=value.copy(), cut=cut, match=value[:, :cut].copy())
