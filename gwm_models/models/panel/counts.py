"""Counts of units over years: log rate ratios within units, and within and between them together.

Counts need not be Poisson for the slopes and their standard errors to hold: only the mean has to be right, and anything
may tie the counts of a unit together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gwm_models.errors import ModelError
from gwm_models.models.panel.within import (
    PanelFit,
    check_moves,
    contrasts,
    means_and_departures,
    observed,
    two_way,
)

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

STEPS = 50
"""Newton steps before a fit is given up."""


def poisson_effects(count: Floats, exposure: Floats) -> PanelFit:
    """Fit log rate ratios of counts within units: unit and year effects, standard errors clustered by unit.

    The unit effects are conditioned on, which gives the same slopes as a dummy for each unit; a population that
    is constant over the years drops out.

    Parameters
    ----------
    count : ndarray, shape (n_units, n_years)
        A unit without a single event says nothing, and is not used.
    exposure : ndarray, shape (k, n_units, n_years)

    Raises
    ------
    ModelError
        If there are too few units, an exposure does not move, or the fit does not converge.

    References
    ----------
    Hausman, Hall & Griliches (1984), Econometrica 52, 909-938. Wooldridge (1999), Journal of Econometrics 90, 77-97.
    """
    some_event = np.nansum(count, axis=1, keepdims=True) > 0
    seen = observed(np.where(some_event, count, np.nan), exposure)
    y = np.where(seen, count, 0.0)
    years = np.flatnonzero(seen.any(axis=0))[1:]
    dummies = [seen * (np.arange(seen.shape[1]) == t) for t in years]
    design = np.array([*np.where(seen, exposure - exposure[:, seen].mean(axis=1)[:, None, None], 0.0), *dummies])
    check_moves(two_way(seen).residual(exposure))
    scale = np.sqrt((design**2).sum(axis=(1, 2)))
    design = design / scale[:, None, None]
    coef, score, information = _conditional_poisson(y, design, seen)
    k, units = len(exposure), int(seen.any(axis=1).sum())
    influence = np.linalg.solve(information, score)[:k] / scale[:k, None]
    n, rank = int(seen.sum()), units + len(design)
    factor = units / (units - 1) * (n - 1) / (n - rank)
    return PanelFit(coef[:k] / scale[:k], factor * influence @ influence.T, influence, np.asarray(seen.any(axis=1)), n)


def poisson_within_between(count: Floats, exposure: Floats, population: Floats) -> PanelFit:
    """Fit log rate ratios within and between units in one Poisson model with year effects.

    Coefficients are those of `within_between`; standard errors clustered by unit hold whatever makes a unit's counts
    alike or more variable than Poisson.

    Parameters
    ----------
    count, exposure : ndarray, shape (n_units, n_years)
    population : ndarray, shape (n_units,)
        What rates are of.

    References
    ----------
    Mundlak (1978), Econometrica 46, 69-85. Wooldridge (2010), Econometric Analysis of Cross Section and Panel Data, 2nd
    ed., section 18.7.4.
    """
    seen = observed(count, exposure[None])
    y, design = np.where(seen, count, 0.0), means_and_departures(exposure, seen)
    check_moves(design)
    people = seen * population[:, None]
    coef = np.concatenate([[0.0, 0.0], np.full(len(design) - 2, np.log(y.sum() / people.sum()))])
    flat = design.reshape(len(design), -1)
    for _ in range(STEPS):
        mean = people * np.exp(np.tensordot(coef, design, axes=1))
        score = (design * (y - mean)).sum(axis=2)
        step = np.linalg.solve((flat * mean.ravel()) @ flat.T, score.sum(axis=1))
        coef = coef + step
        if np.abs(step).max() < 1e-10 * np.abs(coef).max():
            break
    else:
        raise ModelError("The Poisson model with year effects does not converge: a year may have no events.")
    influence = np.linalg.solve((flat * mean.ravel()) @ flat.T, score)
    n, units = int(seen.sum()), int(seen.any(axis=1).sum())
    factor = units / (units - 1) * (n - 1) / (n - len(design))
    fit = PanelFit(coef, factor * influence @ influence.T, influence, np.asarray(seen.any(axis=1)), n)
    return fit.combine(contrasts(len(design)))


def _conditional_poisson(y: Floats, design: Floats, seen: Mask) -> tuple[Floats, Floats, Floats]:
    """Maximise the Poisson likelihood given each unit's total; return coefficients, scores by unit, information."""
    total = y.sum(axis=1)
    coef = np.zeros(len(design))
    for _ in range(STEPS):
        score, information = _poisson_terms(coef, y, total, design, seen)
        step = np.linalg.solve(information, score.sum(axis=1))
        coef = coef + step / max(1.0, float(np.abs(np.tensordot(step, design, axes=1)).max()) / 2)
        if np.abs(step).max() < 1e-10 * max(1.0, float(np.abs(coef).max())):
            return coef, *_poisson_terms(coef, y, total, design, seen)
    raise ModelError("The Poisson model with unit and year effects does not converge: a year may have no events.")


def _poisson_terms(coef: Floats, y: Floats, total: Floats, design: Floats, seen: Mask) -> tuple[Floats, Floats]:
    linear = np.where(seen, np.tensordot(coef, design, axes=1), -np.inf)
    top = np.where(seen.any(axis=1), linear.max(axis=1), 0.0)[:, None]
    weight = np.where(seen, np.exp(linear - top), 0.0)
    share = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    mean = (design * share).sum(axis=2)
    score = (design * (y - total[:, None] * share)).sum(axis=2)
    flat = design.reshape(len(design), -1)
    information = (flat * (total[:, None] * share).ravel()) @ flat.T - (mean * total) @ mean.T
    return score, information
