"""Draws summarised as the numbers of result rows: estimate, standard deviation and interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Row = dict[str, object]

DIGITS = 6
SIGNIFICANT = 10
"""Digits of a number as it is told; of the 15 of double precision the last hang on the processor and the libraries."""
NUMBERS = ("estimate", "std_error", "lower", "upper")


def spreads(draws: Floats, levels: Sequence[float], *, median: bool = False) -> dict[float, dict[str, Floats]]:
    """Summarise draws of many numbers at several levels, sorting them once.

    Parameters
    ----------
    draws : ndarray, shape (n_draws, m)
    levels : sequence of float
        Probabilities of the intervals, equal tails.
    median : bool
        For ranks: the estimate is the median, and estimate and bounds are values that were drawn.

    Returns
    -------
    dict
        Level to ``estimate``, ``std_error``, ``lower``, ``upper``, each of shape (m,); NaN where a draw is NaN.
    """
    if (draws == draws[:1]).all():
        same = draws[0]
        return {level: dict(zip(NUMBERS, (same, np.zeros_like(same), same, same), strict=True)) for level in levels}
    ordered = np.sort(np.ascontiguousarray(draws.T), axis=1)
    missing = np.isnan(ordered[:, -1])
    estimate = _quantile(ordered, 0.5, median=True) if median else draws.mean(axis=0)
    error = draws.std(axis=0)
    found = {}
    for level in levels:
        lower, upper = (_quantile(ordered, tail, median=median) for tail in ((1 - level) / 2, (1 + level) / 2))
        numbers = dict(zip(NUMBERS, (estimate, error, lower, upper), strict=True))
        found[level] = {name: np.where(missing, np.nan, values) for name, values in numbers.items()}
    return found


def _quantile(ordered: Floats, tail: float, *, median: bool) -> Floats:
    """Return a quantile of sorted rows: by linear interpolation, or the smallest value with that share at or below."""
    n = ordered.shape[1]
    if median:
        return np.asarray(ordered[:, max(int(np.ceil(round(tail * n, 9))) - 1, 0)])
    place = tail * (n - 1)
    below = int(place)
    above = min(below + 1, n - 1)
    return np.asarray(ordered[:, below] + (place - below) * (ordered[:, above] - ordered[:, below]))


def one(draws: Floats, level: float, *, median: bool = False) -> Row:
    """Summarise draws of one number as plain floats."""
    return {name: plain(values[0]) for name, values in spreads(draws[:, None], [level], median=median)[level].items()}


def plain(value: object) -> float | None:
    """Return a number as a float rounded to 6 decimals and 10 digits; None where it is not finite."""
    number = float(value)  # type: ignore[arg-type]
    return steady(round(number, DIGITS)) + 0.0 if np.isfinite(number) else None


def steady(value: float) -> float:
    """Return a number to 10 significant digits: the same on every machine, but for a rare one on the edge of two.

    Examples
    --------
    >>> steady(1 / 3), steady(18934520207.994278), steady(-0.1 - 0.2)
    (0.3333333333, 18934520210.0, -0.3)
    """
    return float(f"{value:.{SIGNIFICANT}g}")


def all_steady(value: Any) -> Any:
    """Return plain data with every float in it to 10 significant digits; see `steady`."""
    if isinstance(value, float):
        return steady(value)
    if isinstance(value, dict):
        return {name: all_steady(item) for name, item in value.items()}
    return type(value)(map(all_steady, value)) if isinstance(value, list | tuple) else value


def interval_rows(head: Row, groups: Sequence[str], draws: Floats, level: float, *, median: bool = False) -> list[Row]:
    """Return a row for each group of areas.

    Parameters
    ----------
    head : dict
        What the rows share.
    groups : sequence of str
    draws : ndarray, shape (n_draws, n_groups)
    level : float
    median : bool
        As for `spreads`.
    """
    found = spreads(draws, [level], median=median)[level]
    return [
        {
            "group": group,
            **head,
            **{name: plain(values[g]) for name, values in found.items()},
            "level": level,
            "n": len(draws),
        }
        for g, group in enumerate(groups)
    ]
