"""Effects by cohort and time for units treated at different times, after Callaway and Sant'Anna."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import ModelError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Control = Literal["never", "not_yet"]
Base = Literal["universal", "varying"]
Method = Literal["dr", "ipw", "reg"]
Aggregate = Literal["simple", "group", "event", "calendar"]

LOGIT_STEPS = 50
NEAR_ONE = 1 - 1e-6


@dataclass(frozen=True, eq=False)
class GroupTime(Frozen):
    """Effects by cohort and time.

    Attributes
    ----------
    cohort, time : ndarray of int, shape (n_cells,)
        Columns of the start and of the time.
    att : ndarray, shape (n_cells,)
    influence : ndarray, shape (n_cells, n_units)
        What each unit adds to the error of an estimate; the sum of squares is its variance.
    n_treated, n_control : ndarray of int, shape (n_cells,)
    side : ndarray of int, shape (n_cells, n_units)
        1 where a unit is treated in a cell, -1 where it is a control, 0 where it is not used.
    before : ndarray of int, shape (n_cells,)
        Column of the time each is set against.
    start : ndarray of int, shape (n_units,)
        Column of each unit's start; the number of times for a unit that is never treated.
    skipped : tuple of (int, int)
        Cohort and time of cells that could not be estimated.
    """

    cohort: Ints
    time: Ints
    att: Floats
    influence: Floats
    n_treated: Ints
    n_control: Ints
    side: Ints
    before: Ints
    start: Ints
    skipped: tuple[tuple[int, int], ...]

    @property
    def event(self) -> Ints:
        """Times since the start, shape (n_cells,)."""
        return np.asarray(self.time - self.cohort)

    @property
    def share(self) -> Floats:
        """Units of the cell's cohort over all units, shape (n_cells,)."""
        return np.asarray((self.start == self.cohort[:, None]).mean(axis=1))

    def loads(self, weights: Floats) -> Floats:
        """Return what a weighted sum of effects takes of each figure, without covariates, shape (n_units, n_times)."""
        loads = np.zeros((len(self.start), int(max(self.time.max(), self.before.max())) + 1))
        for j in np.flatnonzero(weights):
            share = (self.side[j] > 0) / self.n_treated[j] - (self.side[j] < 0) / self.n_control[j]
            loads[:, self.time[j]] += weights[j] * share
            loads[:, self.before[j]] -= weights[j] * share
        return loads

    def lone(self, weights: Floats) -> float:
        """Return the share of the weight on cells with one treated unit or one control, whose noise is not seen."""
        alone = np.minimum(self.n_treated, self.n_control) < 2
        return float(np.abs(weights[alone]).sum() / np.abs(weights).sum())


@dataclass(frozen=True, eq=False)
class Average(Frozen):
    """Averages of cell effects.

    Attributes
    ----------
    label : ndarray of int, shape (m,)
        Event time, or column of the cohort or the time.
    estimate : ndarray, shape (m,)
    influence : ndarray, shape (m, n_units)
    overall : float
    overall_influence : ndarray, shape (n_units,)
    weights : ndarray, shape (m, n_cells)
        Of the cells in each part.
    """

    label: Ints
    estimate: Floats
    influence: Floats
    overall: float
    overall_influence: Floats
    weights: Floats


def group_time(
    value: Floats,
    start: Ints,
    *,
    control: Control = "never",
    base: Base = "universal",
    method: Method = "dr",
    covariates: Floats | None = None,
    small_sample: bool = True,
) -> GroupTime:
    """Estimate the effect on each cohort at each time.

    Parameters
    ----------
    value : ndarray, shape (n_units, n_times)
        NaN where there is no figure.
    start : ndarray of int, shape (n_units,)
        Column of the first treated time, 1 or more; the number of times for a unit that is never treated.
    control : {"never", "not_yet"}
        Units never treated, or all not treated by the later of the two times compared.
    base : {"universal", "varying"}
        What a time before the start is compared with: the last time before the start, or the time before it.
    method : {"dr", "ipw", "reg"}
        Doubly robust, inverse probability weighting, outcome regression; the same without covariates.
    covariates : ndarray, shape (p, n_units, n_times), optional
        Taken at the base time.
    small_sample : bool
        Scale each group's part of the variance by m / (m - p), as a t test of two means does. Programs with the
        asymptotic variance do not.

    References
    ----------
    Callaway & Sant'Anna (2021), Journal of Econometrics 225, 200-230. Sant'Anna & Zhao (2020), Journal of Econometrics
    219, 101-122 (the estimators with covariates and their influence functions).
    """
    n_units, n_times = value.shape
    columns = np.ones((1, n_units, n_times))
    if covariates is not None and len(covariates):
        columns = np.concatenate([columns, covariates])
    cells, skipped = [], []
    for g in sorted(set(start[start < n_times].tolist())):
        for t in range(n_times):
            before = t - 1 if base == "varying" and t < g else g - 1
            if before < 0 or t == before:
                continue
            late = max(t, before)
            others = start >= n_times if control == "never" else (start > late) & (start != g)
            there = np.isfinite(value[:, t] - value[:, before]) & np.isfinite(columns[:, :, before]).all(axis=0)
            used = there & ((start == g) | others)
            treated = (start == g)[used]
            if treated.sum() < 1 or (~treated).sum() < max(1, len(columns)):
                skipped.append((g, t))
                continue
            change = (value[:, t] - value[:, before])[used]
            att, own = _estimate(change, treated.astype(float), columns[:, used, before].T, method)
            if small_sample:
                m, c, p = int(treated.sum()), int((~treated).sum()), len(columns)
                own *= np.where(treated, np.sqrt(m / max(m - 1, 1)), np.sqrt(c / max(c - p, 1)))
            influence = np.zeros(n_units)
            influence[used] = own / len(own)
            side = np.where(used, np.where(start == g, 1, -1), 0)
            cells.append((g, t, att, influence, int(treated.sum()), int((~treated).sum()), side, before))
    if not any(t >= g for g, t, *_ in cells):
        raise ModelError(
            "no cohort has figures before and after its start beside controls that are not treated. Add units that are "
            "not treated, or compare with those not treated yet (control='not_yet')."
        )
    cohort, time, effect, each, n_treated, n_control, sides, bases = map(np.array, zip(*cells, strict=True))
    return GroupTime(cohort, time, effect, each, n_treated, n_control, sides, bases, start, tuple(skipped))


def _estimate(change: Floats, treated: Floats, x: Floats, method: Method) -> tuple[float, Floats]:
    """Return the effect on the treated of two times, and the influence function, shape (n,)."""
    if x.shape[1] == 1:
        method = "reg"
    control = 1 - treated
    line = control @ (x * change[:, None]), (x * control[:, None]).T @ x
    fitted = x @ _solve(line[1], line[0]) if method != "ipw" else np.zeros(len(change))
    left = change - fitted
    by_line = (control * left)[:, None] * x @ _inverse(line[1] / len(x)) if method != "ipw" else np.zeros_like(x)
    share = treated.mean()
    of_treated = (treated @ left) / treated.sum()
    one = (treated * (left - of_treated) - by_line @ (treated @ x / len(x))) / share
    if method == "reg":
        return float(of_treated), np.asarray(one)
    chance, by_chance = _propensity(treated, x)
    weight = control * chance / (1 - chance)
    of_control = (weight @ left) / weight.sum()
    gap = weight * (left - of_control)
    two = gap + by_chance @ (gap @ x / len(x)) - by_line @ (weight @ x / len(x))
    return float(of_treated - of_control), np.asarray(one - two / weight.mean())


def _propensity(treated: Floats, x: Floats) -> tuple[Floats, Floats]:
    """Return the chance of treatment by logistic regression, and the influence function of its coefficients."""
    scale = np.maximum(np.abs(x).max(axis=0), 1e-300)
    columns, coef = x / scale, np.zeros(x.shape[1])
    for _ in range(LOGIT_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(columns @ coef, -700, 700)))
        information = (columns * (chance * (1 - chance))[:, None]).T @ columns
        step = _solve(information, columns.T @ (treated - chance))
        coef = coef + step
        if np.abs(step).max() < 1e-12 * max(1.0, float(np.abs(coef).max())):
            break
    if chance[treated == 0].max() > NEAR_ONE or np.abs(columns @ coef).max() > 25:
        raise ModelError(
            "the covariates tell treated and controls apart (almost) perfectly, so no control stands for some treated "
            "units. Use fewer covariates, or method='reg'."
        )
    return chance, ((treated - chance)[:, None] * columns) @ _inverse(information / len(x)) / scale


def _solve(matrix: Floats, right: Floats) -> Floats:
    if np.linalg.cond(matrix) > 1e14:
        raise ModelError("a covariate is the same in all controls, or follows from the others. Leave it out.")
    return np.asarray(np.linalg.solve(matrix, right))


def _inverse(matrix: Floats) -> Floats:
    return _solve(matrix, np.eye(len(matrix)))


def average(cells: GroupTime, how: Aggregate) -> Average:
    """Average cell effects from the start on, and by event time those before it too.

    Parameters
    ----------
    cells : GroupTime
    how : {"simple", "group", "event", "calendar"}
        Over all cells, by size of cohort; by cohort; by time since the start; by time. The overall figure averages
        cells, cohorts (by size), event times from 0 on (equally), or times (equally).

    References
    ----------
    Callaway & Sant'Anna (2021), section 3: the influence of estimated shares of cohorts is included.
    """
    post = np.flatnonzero(cells.event >= 0)
    if how == "simple":
        estimate, influence = _by_size(cells, post, cells.att[post], cells.influence[post])
        empty = np.empty((0, len(cells.start)))
        no_part = np.empty((0, len(cells.att)))
        return Average(np.empty(0, np.int64), np.empty(0), empty, estimate, influence, no_part)
    key = {"group": cells.cohort, "event": cells.event, "calendar": cells.time}[how]
    among = np.arange(len(key)) if how == "event" else post
    label = np.unique(key[among])
    parts = [_part(cells, among[key[among] == k], how) for k in label]
    estimate_of, influence_of = np.array([p[0] for p in parts]), np.array([p[1] for p in parts])
    if how == "group":
        first = np.array([np.flatnonzero(cells.cohort == k)[0] for k in label])
        overall, own = _by_size(cells, first, estimate_of, influence_of)
    else:
        after = label >= 0
        overall, own = float(estimate_of[after].mean()), influence_of[after].mean(axis=0)
    weights = (key == label[:, None]) * np.isin(np.arange(len(key)), among) * (1.0 if how == "group" else cells.share)
    return Average(
        label, estimate_of, influence_of, overall, own, np.asarray(weights / weights.sum(axis=1, keepdims=True))
    )


def _part(cells: GroupTime, place: Ints, how: Aggregate) -> tuple[float, Floats]:
    if how == "group":
        return float(cells.att[place].mean()), np.asarray(cells.influence[place].mean(axis=0))
    return _by_size(cells, place, cells.att[place], cells.influence[place])


def _by_size(cells: GroupTime, place: Ints, att: Floats, influence: Floats) -> tuple[float, Floats]:
    """Average by the share of each cell's cohort; the shares count as estimated."""
    share = cells.share[place]
    weight = share / share.sum()
    member = (cells.start == cells.cohort[place][:, None]) - share[:, None]
    shares = (member - weight[:, None] * member.sum(axis=0)) / share.sum() / len(cells.start)
    return float(weight @ att), np.asarray(weight @ influence + att @ shares)


def cell_weights(cells: GroupTime, how: Aggregate) -> Floats:
    """Return the weights on cell effects that make the overall average, shape (n_cells,)."""
    post, share = cells.event >= 0, cells.share
    if how == "simple":
        return np.asarray(post * share / share[post].sum())
    key = {"group": cells.cohort, "event": cells.event, "calendar": cells.time}[how]
    weights = np.zeros(len(key))
    for k in np.unique(key[post]):
        among = post & (key == k)
        weights[among] = share[among] / share[among].sum() * (share[among][0] if how == "group" else 1.0)
    return np.asarray(weights / weights.sum())


def freedom(influence: Floats, start: Ints) -> float:
    """Return Satterthwaite's degrees of freedom of a sum of means over cohorts, single units taken together.

    Examples
    --------
    >>> freedom(np.array([1.0, -1.0, 1.0, -1.0]), np.array([2, 2, 5, 5]))
    2.0
    """
    names, place, size = np.unique(start, return_inverse=True, return_counts=True)
    place = np.where(size[place] == 1, len(names), place)
    part = np.bincount(place, influence**2, len(names) + 1)
    number = np.maximum(np.bincount(place, minlength=len(names) + 1) - 1, 0)
    some = part > 1e-12 * part.sum()
    if not some.any() or (number[some] == 0).any():
        return 0.0
    return float(part.sum() ** 2 / (part[some] ** 2 / number[some]).sum())


def simultaneous(influence: Floats, rng: np.random.Generator, level: float, n_draws: int = 1999) -> float:
    """Return how many standard errors hold all estimates at once, by a multiplier bootstrap with random signs.

    Parameters
    ----------
    influence : ndarray, shape (m, n_units)
    rng : Generator
    level : float
    n_draws : int
    """
    error = np.sqrt((influence**2).sum(axis=1))
    rows = influence[error > 0] / error[error > 0, None]
    if not len(rows):
        return float("nan")
    signs = 2.0 * rng.integers(0, 2, (n_draws, influence.shape[1])) - 1
    return float(np.quantile(np.abs(signs @ rows.T).max(axis=1), level, method="higher"))
