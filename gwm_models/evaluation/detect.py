"""What a design could see: its power on past data, where effects of known size are put into placebo windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError
from gwm_models.evaluation.checks import SIZE_SLACK, fit_check, place_check, regression_check
from gwm_models.evaluation.designs import Data, Method
from gwm_models.evaluation.effect import Row
from gwm_models.evaluation.inference import invert_placebos
from gwm_models.evaluation.placebo import Apart, placebos_in_space, without
from gwm_models.scenarios.words import counted

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Chosen = Callable[[np.random.Generator, int], Ints]

POWER = 0.8
CURVE = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
"""Sizes of effect of the power curve, in smallest detectable effects."""
LEAST_DATES = 3
TINY = 1e-9
FEWEST_BEFORE = 4


@dataclass(frozen=True, slots=True)
class Placebo:
    """What a design says of some units in a window in which nothing was done.

    Attributes
    ----------
    start : int
        Column of the made-up start.
    att, lower, upper : float
    valid : bool
        Whether the interval would be offered as one that holds its level.
    """

    start: int
    att: float
    lower: float
    upper: float
    valid: bool


Run = Callable[[Floats, int, Ints, int], Placebo | None]
"""Runs a design on a window: figures (n_units, n_times), times before the start, treated rows, seed."""


@dataclass(frozen=True, eq=False)
class Detectability(Frozen):
    """How likely a design is to see effects of every size.

    Attributes
    ----------
    n_treated, n_before, n_after : int
        Units, and times before and after the start, of every window.
    level : float
        An effect is seen where the interval at this level leaves out zero.
    start : ndarray of int, shape (n,)
        Column of the made-up start of each placebo.
    att, lower, upper : ndarray, shape (n,)
        What the design said where nothing was done.
    valid : ndarray of bool, shape (n,)
    projected : ndarray, shape (n_draws,), or None
        Draws of the effect projected, on average over the times after the start.
    """

    n_treated: int
    n_before: int
    n_after: int
    level: float
    start: Ints
    att: Floats
    lower: Floats
    upper: Floats
    valid: NDArray[np.bool_]
    projected: Floats | None

    def __len__(self) -> int:
        """Return the number of placebos."""
        return len(self.att)

    def __repr__(self) -> str:
        """Return the smallest effect detectable and the number of placebos."""
        return f"Detectability({self.smallest()[0]:.3g} with {POWER:.0%} power, {len(self)} placebos)"

    def power(self, effect: float) -> float:
        """Return the share of placebos in which an effect of this size, in every time after the start, is seen.

        A constant added to the treated from the start on moves their effect and interval by as much, exactly: weights
        and placebos do not depend on it.
        """
        return float(np.mean(self._seen(np.array(effect))))

    @property
    def size(self) -> float:
        """Share of placebos that show an effect where there is none."""
        return self.power(0.0)

    @property
    def offered(self) -> float:
        """Share of placebos whose interval would be offered as one that holds its level."""
        return float(self.valid.mean())

    @property
    def keeps_its_level(self) -> bool:
        """Whether effects are shown about as seldom as the level says where there is none."""
        slack = 2 * float(np.sqrt(self.level * (1 - self.level) / len(self)))
        return self.size <= (1 + SIZE_SLACK) * (1 - self.level) + slack

    def _seen(self, effect: Floats) -> NDArray[np.bool_]:
        tiny = TINY * np.maximum(1.0, np.abs(effect))
        return np.asarray((self.lower + effect >= tiny) | (self.upper + effect <= -tiny))

    @property
    def sign(self) -> float:
        """Direction of the effects tried: that of the effect projected, else upwards."""
        return -1.0 if self.projected is not None and float(self.projected.mean()) < 0 else 1.0

    def smallest(self, power: float = POWER, sure: float = 0.95) -> tuple[float, float, float]:
        """Return the size of the smallest effect seen with a power, and its Monte Carlo interval.

        The size at which each placebo would show the effect is known, so this is their quantile and the interval that
        of its order statistics; placebos of one start share data, so it is the narrowest that can be said.

        References
        ----------
        Conover (1999), Practical Nonparametric Statistics, 3rd ed., section 3.2 (interval of a quantile).
        """
        needed = np.sort(np.maximum(-self.lower if self.sign > 0 else self.upper, 0.0))
        n = len(needed)
        middle = int(np.ceil(power * n - 1e-9)) - 1
        reach = _binomial_reach(n, power, sure)
        low, high = max(0, middle - reach), middle + reach
        above = 1 + 2 * TINY
        ends = above * needed + 2 * TINY
        return float(ends[middle]), float(ends[low]), float(ends[high]) if high < n else float("inf")

    def curve(self) -> list[Row]:
        """Return the power by size of effect, each with its Monte Carlo standard error."""
        middle = self.smallest()[0]
        unit = middle if middle > 0 else float(np.std(self.att)) or 1.0
        rows: list[Row] = []
        for share in CURVE:
            effect = self.sign * share * unit
            power = self.power(effect)
            rows.append(
                {"effect": effect, "power": power, "std_error": float(np.sqrt(power * (1 - power) / len(self)))}
            )
        return rows

    def assurance(self) -> float | None:
        """Return the power expected over the draws of the effect projected; None where none was."""
        if self.projected is None:
            return None
        draws = self.projected[:: max(1, len(self.projected) // 2000)]
        return float(self._seen(draws[:, None]).mean())

    def prob_beyond(self) -> float | None:
        """Return the probability that the effect projected is larger than the smallest detectable; None without one."""
        if self.projected is None:
            return None
        return float(np.mean(self.sign * self.projected > self.smallest()[0]))


def windows(n_times: int, n_before: int, n_after: int, gap: int = 0) -> tuple[list[int], int, int]:
    """Return made-up starts and the times before and after each, as many as asked for or as the data allow.

    Parameters
    ----------
    n_times : int
    n_before, n_after : int
        Asked for; cut so that a few windows fit.
    gap : int
        Times left out between the two, such as windows of several years that hold years of both sides.

    Raises
    ------
    ModelError
        If the data are too short for two times before and one after.

    Examples
    --------
    >>> windows(20, 14, 10)
    ([12, 13, 14], 12, 6)
    """
    kept = n_times - gap
    after = max(1, min(n_after, kept // 3, kept - LEAST_DATES + 1 - FEWEST_BEFORE))
    before = max(2, min(n_before, kept - after - LEAST_DATES + 1))
    starts = list(range(before + gap, n_times - after + 1))
    if not starts:
        left_out = f", {gap} left out between," if gap else ""
        raise ModelError(
            f"Power is measured on past data: there are {n_times} times, and two before{left_out} and one after a "
            "made-up start are needed. Add earlier times."
        )
    return starts, before, after


def detectability(
    value: Floats,
    chosen: Chosen,
    run: Run,
    *,
    starts: Sequence[int],
    n_before: int,
    n_after: int,
    n_placebo: int,
    level: float,
    seed: int,
    gap: int = 0,
    projected: Floats | None = None,
) -> Detectability:
    """Run a design on placebo windows of a panel, and keep what it says where nothing was done.

    Parameters
    ----------
    value : ndarray, shape (n_units, n_times)
        Without gaps, and without the units that were truly treated after their start.
    chosen : callable
        Draws the treated rows of a placebo: generator and column of its start.
    run : callable
        The design.
    starts : sequence of int
        Columns of made-up starts.
    n_before, n_after : int
    n_placebo : int
        Windows in all, spread evenly over the starts.
    level : float
    seed : int
    gap : int
        Times left out between those before and those after.
    projected : ndarray, optional

    Raises
    ------
    ModelError
        If the design offers no interval at that level in any window.
    """
    found: list[Placebo] = []
    size, why = 0, ""
    for k in range(n_placebo):
        start = starts[k % len(starts)]
        rng = keyed_rng(seed, "detect", str(k))
        rows = chosen(rng, start)
        size = len(rows)
        before = np.arange(start - gap - n_before, start - gap)
        window = value[:, np.concatenate([before, np.arange(start, start + n_after)])]
        try:
            placebo = run(window, n_before, rows, int(rng.integers(2**31)))
        except ModelError as error:
            placebo, why = None, f" ({str(error).partition('. ')[0]})"
        if placebo is not None:
            found.append(Placebo(start, placebo.att, placebo.lower, placebo.upper, placebo.valid))
    if not found:
        raise ModelError(
            f"The design gives no interval at {level:.0%} in {counted(n_before, 'time')} before and {n_after} after, "
            f"so it can see no effect{why}. Add units or times, or ask for a lower level."
        )
    return Detectability(
        size,
        n_before,
        n_after,
        level,
        np.array([each.start for each in found]),
        np.array([each.att for each in found]),
        np.array([each.lower for each in found]),
        np.array([each.upper for each in found]),
        np.array([each.valid for each in found]),
        projected,
    )


def synthetic_run(method: Method, apart: Apart, level: float, most: int) -> Run:
    """Return a run of a synthetic design with its placebo interval, as `synthetic_control` makes it.

    Parameters
    ----------
    method : {"sc", "sdid", "did"}
    apart : mapping of row to rows
        Neighbours, which are no donors.
    level : float
    most : int
        Placebo sets of each window.
    """

    def run(window: Floats, cut: int, treated: Ints, seed: int) -> Placebo | None:
        data = Data(window.copy(), cut, window[:, :cut].copy())
        donors = without(np.arange(len(window)), treated, apart)
        if len(donors) < 2:
            return None
        found = placebos_in_space(method, data, treated, donors, apart=apart, most=most, seed=seed)
        bounds = invert_placebos(found, level)
        if bounds.lower is None or bounds.upper is None:
            return None
        checks = [fit_check(found), regression_check(found, bounds), place_check(found)]
        valid = all(check is None or check.verdict != "fail" for check in checks)
        return Placebo(cut, float(found.att[0]), bounds.lower, bounds.upper, valid)

    return run


def any_set(n_units: int, size: int) -> Chosen:
    """Return a choice of units at random."""

    def chosen(rng: np.random.Generator, start: int) -> Ints:
        return np.sort(rng.choice(n_units, size, replace=False))

    return chosen


def extreme_set(value: Floats, among: Ints, size: int, kept: float = 2 / 3) -> Chosen:
    """Return a choice of the units with the smallest figures, out of a random part of those that could be chosen.

    Parameters
    ----------
    value : ndarray, shape (n_units, n_times) or (n_units,)
        Picked by the figure just before the made-up start, or by one that stays the same.
    among : ndarray of int
        Rows that could be chosen.
    size : int
    kept : float
        Share of them that each choice is made from.
    """

    def chosen(rng: np.random.Generator, start: int) -> Ints:
        part = rng.choice(among, max(size, round(kept * len(among))), replace=False)
        by = value[part] if value.ndim == 1 else value[part, start - 1]
        return np.sort(part[np.argsort(by, kind="stable")[:size]])

    return chosen


def _binomial_reach(n: int, share: float, sure: float) -> int:
    """Return how many places an order statistic at a share may be off."""
    from statistics import NormalDist

    return int(np.ceil(NormalDist().inv_cdf((1 + sure) / 2) * np.sqrt(n * share * (1 - share))))
