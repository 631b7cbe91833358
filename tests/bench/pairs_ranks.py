"""Rank confidence sets beside the Python package multiple-inference."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from pairs import Contest, Pair, timed

from gwm_models.ranks.sets import rank_sets

AREAS = 118
ERROR = 15.0


def scores(n: int = AREAS) -> Any:
    """Return simulated scores of areas."""
    return np.random.default_rng(1).normal(307, 86, n)


def joint_errors(n: int = AREAS) -> Any:
    """Return an error covariance with common factors."""
    loading = np.random.default_rng(2).standard_normal((n, 40))
    return 225 * (0.6 * np.eye(n) + 0.4 * loading @ loading.T / 40)


def _build(quick: bool, *, joint: bool, simultaneous: bool) -> Contest:
    from multiple_inference import confidence_set

    y, cov = scores(), joint_errors() if joint else np.diag(np.full(AREAS, ERROR**2))
    model = confidence_set.SimultaneousRanking if simultaneous else confidence_set.MarginalRanking
    return Contest(
        ours=timed(lambda: rank_sets(y, cov, simultaneous=simultaneous)),
        theirs=timed(lambda: model(y, cov, random_state=0).fit().conf_int(0.05, fast=True)),
        difference=lambda sets, bounds: np.abs(np.column_stack([sets.lower, sets.upper]) - bounds).max(),
    )


def _pair(joint: bool, simultaneous: bool) -> Pair:
    errors, kind = "covariance" if joint else "equal", "simultaneous" if simultaneous else "marginal"
    ours = "both draw 10,000 times" if joint else "ours are exact, theirs are drawn 10,000 times"
    return Pair(
        name=f"rank-sets-{errors}-{kind}",
        compared=f"{kind} 95% rank confidence sets, {'joint' if joint else 'equal independent'} errors, single step",
        size="118 areas",
        checked="every bound of every set, in ranks; a drawn critical value moves a bound by a few",
        peer="multiple-inference",
        build=partial(_build, joint=joint, simultaneous=simultaneous),
        tolerance=3,
        rounds=7,
        notes=f"{ours}; theirs with fast=True, which leaves out the stepdown, as ours does here",
    )


PAIRS = tuple(_pair(joint, simultaneous) for joint in (False, True) for simultaneous in (False, True))
