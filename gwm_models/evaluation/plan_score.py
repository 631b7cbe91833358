"""A projection made before set against the estimate made after: by time, and for all times after the start."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from gwm_models.evaluation.effect import Effect, Row, Time, plain_row

Floats = NDArray[np.float64]
ALL = "all"
"""The time of the row that is about the mean of all times after the start."""


def score_rows(effect: Effect, predicted: Floats) -> list[Row]:
    """Set predicted changes against an estimate.

    Parameters
    ----------
    effect : Effect
    predicted : ndarray, shape (n_times_after, n_draws)
        Draws of the change predicted at each time from the start on, in the order of the path.

    Returns
    -------
    list of dict
        One row per time, then one for the mean of all: ``time, predicted, predicted_lower, predicted_upper, estimate,
        lower, upper, difference`` (estimate less prediction), ``z`` (that in standard errors of both; None where the
        estimate has no interval), ``prediction_in_interval``, ``estimate_in_prediction`` (the effect alone) and
        ``covered`` (with the error of the estimate added to what was predicted), ``level``, and ``prob_sign_right``,
        the share of draws with the sign of the estimate. Rows by time are not independent.
    """
    after = [row for row in effect.path if row.post]
    if len(after) != len(predicted):
        raise ValueError(f"predicted has {len(predicted)} times; expected {len(after)}, those of the effect's path.")
    rows = [
        _row(row.time, draws, row.effect, row.lower, row.upper, effect.level)
        for row, draws in zip(after, predicted, strict=True)
    ]
    rows.append(_row(ALL, predicted.mean(axis=0), effect.att, effect.lower, effect.upper, effect.level))
    return rows


def covered_share(rows: list[Row] | tuple[Row, ...]) -> tuple[int, int]:
    """Return at how many times the estimate lies where it was predicted, its own error counted, and out of how many.

    Examples
    --------
    >>> covered_share([{"time": 1, "covered": True}, {"time": 2, "covered": False}, {"time": "all", "covered": True}])
    (1, 2)
    """
    known = [row for row in rows if row["time"] != ALL and row["covered"] is not None]
    return sum(bool(row["covered"]) for row in known), len(known)


def _row(
    time: Time, draws: Floats, estimate: float | None, lower: float | None, upper: float | None, level: float
) -> Row:
    ends = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    middle, spread = float(draws.mean()), float(draws.std())
    found: Row = {
        "time": time,
        "predicted": middle,
        "predicted_lower": float(ends[0]),
        "predicted_upper": float(ends[1]),
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "difference": None,
        "z": None,
        "prediction_in_interval": None,
        "estimate_in_prediction": None,
        "covered": None,
        "prob_sign_right": None,
        "level": level,
    }
    if estimate is None or not np.isfinite(estimate):
        return plain_row(found)
    found["difference"] = estimate - middle
    found["estimate_in_prediction"] = bool(ends[0] <= estimate <= ends[1])
    found["prob_sign_right"] = float(np.mean(np.sign(draws) == np.sign(estimate)))
    if lower is not None and upper is not None:
        reach = NormalDist().inv_cdf((1 + level) / 2)
        both = float(np.hypot((upper - lower) / 2 / reach, spread))
        found["z"] = (estimate - middle) / both if both > 0 else None
        found["covered"] = bool(abs(estimate - middle) <= reach * both)
        found["prediction_in_interval"] = bool(lower <= middle <= upper)
    return plain_row(found)
