"""Rank confidence sets beside the Python package multiple-inference."""

from __future__ import annotations

from collections.abc import Callable
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


def unequal_errors(n: int = AREAS) -> Any:
    """Return the covariance of independent errors, no two alike."""
    return np.diag(np.random.default_rng(3).uniform(8, 22, n) ** 2)


def equal_errors(n: int = AREAS) -> Any:
    """Return the covariance of independent errors of one size."""
    return np.diag(np.full(n, ERROR**2))


def _build(quick: bool, *, errors: Callable[[], Any], simultaneous: bool) -> Contest:
    from multiple_inference import confidence_set

    y, cov = scores(), errors()
    model = confidence_set.SimultaneousRanking if simultaneous else confidence_set.MarginalRanking
    return Contest(
        ours=timed(lambda: rank_sets(y, cov, simultaneous=simultaneous)),
        theirs=timed(lambda: model(y, cov, random_state=0).fit().conf_int(0.05, fast=True)),
        difference=lambda sets, bounds: np.abs(np.column_stack([sets.lower, sets.upper]) - bounds).max(),
    )


ERRORS: dict[str, tuple[Callable[[], Any], str]] = {
    "equal": (equal_errors, "equal independent"),
    "unequal": (unequal_errors, "unequal independent"),
    "covariance": (joint_errors, "joint"),
}
EXACT = ("equal-marginal", "equal-simultaneous", "unequal-marginal")


def _pair(errors: str, simultaneous: bool) -> Pair:
    build, words = ERRORS[errors]
    kind = "simultaneous" if simultaneous else "marginal"
    exact = f"{errors}-{kind}" in EXACT
    ours = "ours are exact, theirs are drawn 10,000 times" if exact else "both draw 10,000 times"
    also = ", and with p- and q-values of all pairs, which come with its fit" if simultaneous else ""
    return Pair(
        name=f"rank-sets-{errors}-{kind}",
        compared=f"{kind} 95% rank confidence sets, {words} errors, single step",
        size="118 areas",
        checked="every bound of every set, in ranks; a drawn critical value moves a bound by a few",
        peer="multiple-inference",
        build=partial(_build, errors=build, simultaneous=simultaneous),
        tolerance=3,
        rounds=7,
        notes=f"{ours}; theirs with fast=True, which leaves out the stepdown, as ours does here{also}",
    )


PAIRS = tuple(_pair(errors, simultaneous) for errors in ERRORS for simultaneous in (False, True))
