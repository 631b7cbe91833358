"""Classes of a map: break points a reader can remember, and the words that state them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from gwm_models.plots.palette import GROUPS, SEQUENTIAL, SIDE
from gwm_models.plots.words import number, with_unit

STEPS, SIDE_STEPS = (1.0, 2.0, 2.5, 5.0), (1.0, 2.0, 2.5, 3.0, 4.0, 5.0)
"""Round steps between break points, times a power of ten: from low to high, and away from a reference."""
FEWEST, WANTED = 4, 6
CROWDED = 0.5
"""A class with more than this share of the areas tells too little: quantiles are used instead."""
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Classes:
    """What each class is called and which colour it has.

    Attributes
    ----------
    labels : tuple of str
        Low to high, with the unit.
    colours : tuple of str
        Names in the theme.
    of : tuple of int
        Class of each value, from 0; -1 where the value is missing.
    """

    labels: tuple[str, ...]
    colours: tuple[str, ...]
    of: tuple[int, ...]

    def shown(self) -> range:
        """Return the classes from the lowest that has a value to the highest."""
        used = [one for one in self.of if one >= 0]
        return range(min(used), max(used) + 1) if used else range(0)


def sequential(
    values: Sequence[float | None], *, places: int, unit: str, breaks: Sequence[float] | None = None
) -> Classes:
    r"""Class values from low to high: by round break points if they spread the areas well, else by quantiles.

    A value is rounded as it is printed before it is classed; a break point belongs to the class above it.

    Parameters
    ----------
    values : sequence of float or None
    places : int
        Decimals of printed values, and of break points at most.
    unit : str
    breaks : sequence of float, optional
        Rising break points to use instead, such as those of several maps that are read together.

    Examples
    --------
    >>> found = sequential([1, 12, 25, 33, 47, 59, None], places=0, unit="rank")
    >>> found.labels[1], found.of
    ('10 to 20\xa0places', (0, 1, 2, 3, 4, 5, -1))
    """
    rounded = [None if value is None else round(value, places) for value in values]
    known = np.array(sorted(value for value in rounded if value is not None), dtype=float)
    if not known.size:
        return Classes((), (), tuple(-1 for _ in values))
    if breaks is None:
        breaks = break_points(known.tolist(), places=places)
    of = tuple(-1 if value is None else sum(value >= one for one in breaks) for value in rounded)
    n = len(breaks) + 1
    tones = [round(i * (SEQUENTIAL - 1) / (n - 1)) + 1 for i in range(n)] if n > 1 else [SEQUENTIAL // 2 + 1]
    labels = _ranges(breaks, unit) if breaks else [with_unit(number(float(known[0]), places), unit)]
    return Classes(tuple(labels), tuple(f"seq-{tone}" for tone in tones), of)


def break_points(values: Sequence[float], *, places: int) -> list[float]:
    """Return round break points for values if they spread them well, else rounded quantiles.

    Examples
    --------
    >>> break_points([1, 12, 25, 33, 47, 59], places=0)
    [10.0, 20.0, 30.0, 40.0, 50.0]
    """
    known = np.array(sorted(round(value, places) for value in values if math.isfinite(value)), dtype=float)
    if not known.size:
        return []
    breaks = _round_breaks(float(known[0]), float(known[-1]), places)
    if len(breaks) >= FEWEST - 1 and _fullest(known, breaks) <= CROWDED:
        return breaks
    quantiles = {round(float(one), places) for one in np.quantile(known, np.arange(1, WANTED) / WANTED)}
    return sorted(one for one in quantiles if one > known[0])


def _round_breaks(low: float, high: float, places: int) -> list[float]:
    """Return the multiples of a round step that cut a range into as nearly six classes as can be."""
    if high <= low:
        return []
    size = math.floor(math.log10(high - low))
    steps = [one * 10.0**power for power in range(size - 2, size + 1) for one in STEPS]
    found = []
    for step in steps:
        if abs(round(step, places) - step) > 1e-9 * step:
            continue
        first, last = math.floor(low / step + 1e-9) + 1, math.floor(high / step + 1e-9)
        if last - first < SEQUENTIAL - 1:
            found.append([round(k * step, 10) for k in range(first, last + 1)])
    return min(found, key=lambda breaks: abs(len(breaks) + 1 - WANTED), default=[])


def _fullest(known: np.ndarray[Any, np.dtype[np.float64]], breaks: Sequence[float]) -> float:
    """Return the largest share of the values that one class holds."""
    return float(np.bincount(np.searchsorted(breaks, known, side="right")).max() / known.size)


def _ranges(breaks: Sequence[float], unit: str) -> list[str]:
    """Word the classes below, between and above break points."""
    finest = _decimals(breaks)
    words = [number(one, finest) for one in breaks]
    between = [with_unit(f"{low} to {high}", unit) for low, high in pairwise(words)]
    return [f"under {with_unit(words[0], unit)}", *between, f"{with_unit(words[-1], unit)} or more"]


def _decimals(values: Sequence[float]) -> int:
    """Return the decimals that numbers need."""
    return next((n for n in range(10) if all(abs(round(one, n) - one) < 1e-9 for one in values)), 10)


def diverging(values: Sequence[float | None], *, reference: float, places: int, unit: str) -> Classes:
    r"""Class values on both sides of a reference by equal round steps.

    What is printed as the reference has a class of its own. Values are differences, and written with a sign,
    where the reference is zero.

    Parameters
    ----------
    values : sequence of float or None
    reference : float
    places : int
    unit : str

    Examples
    --------
    >>> found = diverging([-3.0, 0.0, 0.01, 4.2, 9.0, None], reference=0.0, places=1, unit="points")
    >>> found.of
    (1, 3, 3, 5, 6, -1)
    >>> found.labels[3:]
    ('0.0\xa0points', '0 to +3\xa0points', '+3 to +6\xa0points', '+6\xa0points or more')
    """
    middle = round(reference, places)
    away = [None if value is None else round(round(value, places) - middle, 10) for value in values]
    known = [one for one in away if one]
    n = SIDE - 1 if min(known, default=0) < 0 < max(known, default=0) else SIDE
    step = _round_up(max(map(abs, known)) / n, places) if known else 10.0**-places
    cuts = [round(k * step, 10) for k in range(1, n)]
    of = tuple(-1 if one is None else _level(one, n, cuts) for one in away)
    tones = [round(k * (SIDE - 1) / (n - 1)) + 1 for k in range(n)]
    colours = [*(f"below-{tone}" for tone in reversed(tones)), "zero-1", *(f"above-{tone}" for tone in tones)]
    ends = [middle + sign * cut for sign in (-1, 1) for cut in ((*cuts[::-1], 0.0) if sign < 0 else (0.0, *cuts))]
    words = [number(one, _decimals(ends), sign=not reference and one != 0) for one in ends]
    below = [with_unit(f"{low} to {high}", unit) for low, high in pairwise(words[:n])]
    above = [with_unit(f"{low} to {high}", unit) for low, high in pairwise(words[n:])]
    least, most = (f"{with_unit(words[0], unit)} or less", f"{with_unit(words[-1], unit)} or more")
    centre = with_unit(number(middle, places), unit)
    return Classes((least, *below, centre, *above, most), tuple(colours), of)


def _round_up(step: float, places: int) -> float:
    """Return the next step that is round and can be printed."""
    size = 10.0 ** math.floor(math.log10(step))
    steps = (round(one * size * power, 10) for power in (1, 10, 100) for one in SIDE_STEPS)
    least = max(step, 10.0**-places) * (1 - 1e-9)
    return next((one for one in steps if one >= least and abs(round(one, places) - one) < 1e-9), 10.0**-places)


def _level(away: float, n: int, cuts: Sequence[float]) -> int:
    """Return the class of a distance from the reference, which is class n."""
    if away == 0:
        return n
    steps = 1 + sum(abs(away) >= cut for cut in cuts)
    return n + steps if away > 0 else n - steps


def groups(values: Sequence[object | None]) -> Classes:
    """Give each group a colour, in the order of their names; beyond eight, the smallest share the last as "other".

    Parameters
    ----------
    values : sequence of object or None
        Names or numbers of groups.

    Examples
    --------
    >>> groups(["Coast", None, "City", "Coast"]).of
    (1, -1, 0, 1)
    """
    names = [None if value is None else str(value) for value in values]
    count = Counter(name for name in names if name is not None)
    kept = sorted(count, key=lambda name: (-count[name], name))
    kept = kept if len(kept) <= GROUPS else kept[: GROUPS - 1]
    known = sorted(kept, key=_natural)
    labels = [*known, OTHER] if len(count) > len(known) else known
    place = {name: i for i, name in enumerate(known)}
    of = tuple(-1 if name is None else place.get(name, len(known)) for name in names)
    return Classes(tuple(labels), tuple(f"group-{i + 1}" for i in range(len(labels))), of)


def _natural(name: str) -> tuple[int, float, str]:
    """Sort whole numbers by size, before words."""
    return (0, float(name), "") if name.isdecimal() else (1, 0.0, name)
