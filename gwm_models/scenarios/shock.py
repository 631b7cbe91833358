"""What happened to an indicator in 2009 or 2020, as the size and the course of a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.draws import keyed_rng
from gwm_models.models.shocks import Shock, shock_profile
from gwm_models.scenarios.phases import peak
from gwm_models.scenarios.spec import Action

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ShockCourse:
    """Shares of a shock in place in each year, shape (T,): of its mean over areas at the peak, and of departures."""

    mean: Floats
    departures: Floats


def profile_of(action: Action, edition: Edition) -> Shock:
    """Return the shock that an action repeats."""
    return shock_profile(edition, str(action.indicator), str(action.change.profile))


def shock_course(action: Action, edition: Edition, years: Sequence[int]) -> ShockCourse:
    """Return the course of a shock: nothing before its first year, and nothing once it is over."""
    shock = profile_of(action, edition)
    since = np.asarray(years) - int(action.start if action.start is not None else years[0])
    there, at = (since >= 0) & (since < len(shock.path)), np.clip(since, 0, len(shock.path) - 1)
    return ShockCourse(there * shock.path[at] / peak(shock.path), there * shock.persistence[at])


def last_year(action: Action, edition: Edition, first: int) -> int:
    """Return the last year in which a shock is there, the horizon beginning in `first`."""
    begins = int(action.start if action.start is not None else first)
    return begins + len(profile_of(action, edition).path) - 1


def shock_size(
    action: Action, edition: Edition, places: NDArray[np.int64], n_draws: int | None, seed: int
) -> tuple[Floats, Floats]:
    """Return what a shock did at its peak, once over.

    Parameters
    ----------
    action : Action
    edition : Edition
    places : ndarray of int, shape (m,)
        The areas it reaches.
    n_draws : int, optional
        Central sizes, as one draw, if left out.
    seed : int

    Returns
    -------
    mean : ndarray, shape (n_draws, 1)
        Mean over areas, with its standard error over them.
    departure : ndarray, shape (n_draws, m)
        How much further each area went.
    """
    shock = profile_of(action, edition)
    top = int(np.argmax(np.abs(shock.path)))
    if n_draws is None:
        return np.full((1, 1), shock.path[top]), shock.deviation[None, places]
    luck = keyed_rng(seed, "shock-mean", shock.profile, shock.indicator).standard_normal((n_draws, 1))
    return shock.path[top] + shock.path_sd[top] * luck, shock.draw_deviation(n_draws, seed)[:, places]
