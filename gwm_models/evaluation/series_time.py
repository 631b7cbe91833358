"""Where the times of a series lie: steps from the first one, and the season of each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from gwm_models.errors import ModelError
from gwm_models.evaluation.effect import Time

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])(?:-\d{2})?")
QUARTER = re.compile(r"(\d{4})[ -]?Q([1-4])")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
YEAR = re.compile(r"(\d{4})\D.*")


def positions(time: Sequence[Time]) -> Ints:
    """Return the times in steps, so that a time that is missing leaves a gap.

    Whole numbers count as they are, in their smallest step; text is read as months, quarters, days or years, where each
    time is one of its own, and in order otherwise.

    Examples
    --------
    >>> positions(["2019-11", "2019-12", "2020-03"]).tolist(), positions([2000, 2005, 2015]).tolist()
    ([0, 1, 4], [0, 1, 3])
    """
    found = _numbers(time)
    gaps = np.diff(found)
    step = int(np.gcd.reduce(gaps)) if len(gaps) else 1
    return np.asarray((found - found[0]) // max(step, 1))


def _numbers(time: Sequence[Time]) -> Ints:
    """Return the times as whole numbers, in the unit they are written in."""
    if all(isinstance(at, int) for at in time):
        return np.array(time, dtype=np.int64)
    if all(isinstance(at, str) for at in time):
        texts = [str(at) for at in time]
        for read in (_months, _quarters, _days, _years):
            found = read(texts)
            if found is not None and len(set(found)) == len(found):
                return np.array(found, dtype=np.int64)
    return np.arange(len(time))


def _months(texts: list[str]) -> list[int] | None:
    parts = [MONTH.fullmatch(text) for text in texts]
    return [12 * int(m[1]) + int(m[2]) - 1 for m in parts if m] if all(parts) else None


def _quarters(texts: list[str]) -> list[int] | None:
    parts = [QUARTER.fullmatch(text) for text in texts]
    return [4 * int(m[1]) + int(m[2]) - 1 for m in parts if m] if all(parts) else None


def _days(texts: list[str]) -> list[int] | None:
    return [date.fromisoformat(text).toordinal() for text in texts] if all(map(DAY.fullmatch, texts)) else None


def _years(texts: list[str]) -> list[int] | None:
    parts = [YEAR.fullmatch(text) for text in texts]
    return [int(m[1]) for m in parts if m] if all(parts) else None


def season_columns(position: Ints, seasonality: str, period: int, harmonics: int) -> Floats:
    """Return the seasonal regressors of each position, shape (n, k).

    Parameters
    ----------
    position : ndarray of int, shape (n,)
    seasonality : {"none", "dummies", "fourier"}
        A level for each season but the first, or pairs of sine and cosine.
    period : int
        Times in a cycle.
    harmonics : int
        Pairs, of "fourier".

    Raises
    ------
    ModelError
        If the series is shorter than two cycles.
    """
    n = len(position)
    if seasonality == "none":
        return np.empty((n, 0))
    if period < 2 or position[-1] - position[0] + 1 < 2 * period:
        raise ModelError(
            f"seasons need two cycles of {period} times or more; the series has {position[-1] - position[0] + 1}."
        )
    if seasonality == "dummies":
        place = position % period
        return np.asarray(np.eye(period)[place][:, np.unique(place)[1:]])
    angle = 2 * np.pi * position[:, None] * np.arange(1, harmonics + 1) / period
    both = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    return np.asarray(both[:, np.abs(both).max(axis=0) > 1e-9])
