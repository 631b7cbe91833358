"""Links between good work and health, fitted to the years up to an origin and judged by later changes of both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import load_edition
from gwm_models.draws import keyed_rng
from gwm_models.evaluation.backtest_scores import Forecast
from gwm_models.models.latent.data import outcome_error, panel_data
from gwm_models.models.latent.specs import sample_outcome
from gwm_models.models.outcomes import find_outcome
from gwm_models.models.panel.fits import access_error
from gwm_models.models.panel.noise import wave_correlation
from gwm_models.models.panel.parts import access
from gwm_models.models.panel.table import Panel, load_panel
from gwm_models.models.shocks import spread_between
from gwm_models.models.yearly import RHO

Floats = NDArray[np.float64]
Row = dict[str, object]

ORIGINS = (2013, 2016)
"""Middle years of the last window that links are fitted to: what comes after 2013 and after 2016 has no year in
common."""
LINKS = ("none", "within", "between")
APART = 3
"""Years between windows that do not overlap, and their multiples."""
DRAWS = 1000
NORMAL_90 = 1.6449
"""Standard errors that a 90% interval of a normal quantity reaches to each side."""


@dataclass(frozen=True, eq=False)
class Later(Frozen):
    """What came to areas between two windows that do not overlap.

    Attributes
    ----------
    outcome, unit : str
    origin, horizon : int
        Middle year of the first window, and years to that of the second.
    before, change : ndarray, shape (n,)
        The outcome in the first window, and how it changed.
    noise : ndarray, shape (n,)
        Variance of that change that published limits leave.
    own : float
        Variance of the changes of areas beside noise, over as many years, in the windows up to the origin.
    access, access_error : ndarray, shape (n,)
        Change of access, in 100 points, shrunk for survey noise, and its posterior standard deviation.
    """

    outcome: str
    unit: str
    origin: int
    horizon: int
    before: Floats
    change: Floats
    noise: Floats
    own: float
    access: Floats
    access_error: Floats


def health_forecasts(seed: int) -> Iterator[tuple[Later, dict[str, Floats]]]:
    """Yield what came to the health outcomes, and the slopes that were known before, for every origin and horizon.

    The links are those on access, the only domain with yearly figures: drawn from the latent panel of figures up to the
    origin, as scenarios draw theirs from all years. ``none`` has no slope.

    Yields
    ------
    later : Later
    slopes : dict of str to ndarray, shape (n_draws,)
        Outcome units per 100 access points, by link.
    """
    edition = load_edition()
    for spec in edition.spec.outcomes:
        panel = load_panel(edition, find_outcome(spec.id))
        for origin in ORIGINS:
            found = sample_outcome(panel_data(edition, cut(panel, origin)), panel.outcome, DRAWS, seed)
            slopes = {"none": np.zeros(len(found.of("within"))), **{link: found.of(link) for link in LINKS[1:]}}
            for horizon in range(APART, panel.year[-1] - origin + 1, APART):
                yield later_of(panel, origin, horizon), slopes


def cut(panel: Panel, year: int) -> Panel:
    """Return a panel as it was known once the window around a year was out."""
    kept, exposures = ([t for t, y in enumerate(years) if y <= year] for years in (panel.year, panel.exposure_year))
    return replace(
        panel,
        year=tuple(panel.year[t] for t in kept),
        value=panel.value[:, kept],
        value_error=panel.value_error[:, kept],
        exposure_year=tuple(panel.exposure_year[t] for t in exposures),
        exposure=panel.exposure[:, :, exposures],
        exposure_error=panel.exposure_error[:, :, exposures],
    )


def later_of(panel: Panel, origin: int, horizon: int) -> Later:
    """Take the changes of outcome and access from one window to a later one."""
    first, last = panel.year.index(origin), panel.year.index(origin + horizon)
    x, error = access(panel), access_error(panel)
    change = panel.value[:, last] - panel.value[:, first]
    moved = x[:, last] - x[:, first]
    seen = np.isfinite(change) & np.isfinite(moved)
    rho = wave_correlation(horizon + 1, RHO)[0, horizon]
    noise = (error[:, first] ** 2 + error[:, last] ** 2 - 2 * rho * error[:, first] * error[:, last])[seen]
    mean = moved[seen].mean()
    spread = spread_between(moved[seen] - mean, noise)
    kept = spread / (spread + noise)
    return Later(
        outcome=panel.outcome.id,
        unit=panel.outcome.unit,
        origin=origin,
        horizon=horizon,
        before=panel.value[seen, first],
        change=change[seen],
        noise=_noise(panel, first, last)[seen],
        own=_own_movement(cut(panel, origin)) * horizon / APART,
        access=mean + kept * (moved[seen] - mean),
        access_error=np.sqrt(spread * (1 - kept)),
    )


def _noise(panel: Panel, first: int, last: int) -> Floats:
    square = outcome_error(panel) ** 2
    return np.asarray(square[:, first] + square[:, last])


def _own_movement(panel: Panel) -> float:
    """Return the variance of changes over `APART` years in a panel, beside noise and what areas share."""
    found = []
    for t in range(APART, len(panel.year)):
        change, noise = panel.value[:, t] - panel.value[:, t - APART], _noise(panel, t - APART, t)
        seen = np.isfinite(change)
        found.append(spread_between(change[seen] - change[seen].mean(), noise[seen]))
    return float(np.mean(found))


def as_forecasts(later: Later, slopes: dict[str, Floats], seed: int) -> Iterator[Forecast]:
    """Yield the change by every link as a forecast: of all areas, then of areas against their mean.

    A projection gives the difference that good work makes, and is silent on all else: what areas did by themselves
    before, and the noise of published figures, are added so that it can be judged by what came.
    """
    rng = keyed_rng(seed, "backtest:health", later.outcome, str(later.origin), str(later.horizon))
    n_draws, n = len(slopes["none"]), len(later.change)
    moved = later.access + later.access_error * rng.standard_normal((n_draws, n))
    rest = np.sqrt(later.own + later.noise) * rng.standard_normal((n_draws, n))
    for link, slope in slopes.items():
        draws = slope[:, None] * moved + rest
        about = (later.unit, link, later.origin, later.horizon)
        yield Forecast(later.outcome, *about, draws, later.before, later.change, 1)
        apart = draws - draws.mean(axis=1, keepdims=True)
        came = later.change - later.change.mean()
        yield Forecast(f"{later.outcome}, against the mean", *about, apart, later.before, came, 1)


def slope_row(later: Later, slopes: dict[str, Floats]) -> Row:
    """Set the slopes known before beside the one that the later changes of areas show.

    Returns
    -------
    dict
        ``outcome``, ``unit``, ``origin``, ``horizon``, ``n``, ``within``, ``within_std_error``, ``between``,
        ``between_std_error``; ``later`` and ``later_std_error`` (weighted by precision, robust), all per 100 access
        points; ``within_holds`` and ``between_holds``, whether the later slope is inside the 90% interval of its
        difference from the earlier one; ``mean_access`` and ``mean_change`` of the areas together.
    """
    weight = 1 / (later.noise + later.own)
    x = later.access - weight @ later.access / weight.sum()
    y = later.change - weight @ later.change / weight.sum()
    square = float(weight @ x**2)
    slope = float(weight @ (x * y)) / square
    error = float(np.sqrt(((weight * x * (y - slope * x)) ** 2).sum())) / square
    row: Row = {"outcome": later.outcome, "unit": f"{later.unit} per 100 access points", "origin": later.origin}
    row |= {"horizon": later.horizon, "n": len(later.change)}
    for link in LINKS[1:]:
        row |= {link: float(slopes[link].mean()), f"{link}_std_error": float(slopes[link].std(ddof=1))}
        both = np.hypot(slopes[link].std(ddof=1), error)
        row[f"{link}_holds"] = bool(abs(slope - slopes[link].mean()) <= NORMAL_90 * both)
    row |= {"later": slope, "later_std_error": error}
    return row | {"mean_access": float(100 * later.access.mean()), "mean_change": float(later.change.mean())}
