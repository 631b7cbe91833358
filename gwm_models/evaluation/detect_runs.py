"""Designs that power is measured for, besides the synthetic ones: a window in, an effect and its interval out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gwm_models.evaluation.detect import Placebo, Run
from gwm_models.evaluation.effect import Effect

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def series_run(level: float) -> Run:
    """Return a run of an interrupted series on the mean of the treated units."""
    from gwm_models.evaluation.interrupted import interrupted_series

    def run(window: Floats, cut: int, treated: Ints, seed: int) -> Placebo | None:
        rows = {"time": list(range(window.shape[1])), "value": window[treated].mean(axis=0).tolist()}
        return _placebo(interrupted_series(rows, time="time", outcome="value", start=cut, level=level, seed=seed), cut)

    return run


def event_run(level: float) -> Run:
    """Return a run of an event study on all units of the window."""
    from gwm_models.evaluation.event_studies import event_study

    def run(window: Floats, cut: int, treated: Ints, seed: int) -> Placebo | None:
        n, t = window.shape
        rows = {
            "unit": [str(k) for k in range(n) for _ in range(t)],
            "time": list(range(t)) * n,
            "value": window.ravel().tolist(),
        }
        names = [str(k) for k in treated.tolist()]
        found = event_study(
            rows, unit="unit", time="time", outcome="value", treated=names, start=cut, level=level, seed=seed
        )
        return _placebo(found, cut)

    return run


def _placebo(found: Effect, cut: int) -> Placebo | None:
    if found.lower is None or found.upper is None or not np.isfinite([found.lower, found.upper]).all():
        return None
    return Placebo(cut, found.att, found.lower, found.upper, found.valid)
