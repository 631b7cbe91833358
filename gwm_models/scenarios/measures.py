"""Gap measures of a score over areas, in every draw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def gap_of_tenths(scores: Floats) -> Floats:
    """Return the mean of the best tenth of areas minus the mean of the worst tenth, in each draw.

    Parameters
    ----------
    scores : ndarray, shape (n_draws, n_areas)

    Examples
    --------
    >>> gap_of_tenths(np.arange(20.0)[None]).tolist()
    [18.0]
    """
    n = scores.shape[1]
    tenth = max(1, round(n / 10))
    ordered = np.partition(scores, (tenth - 1, n - tenth), axis=1)
    return np.asarray(ordered[:, n - tenth :].mean(axis=1) - ordered[:, :tenth].mean(axis=1))


def coefficient_of_variation(scores: Floats) -> Floats:
    """Return the standard deviation over areas divided by their mean, in each draw (areas weigh the same).

    NaN where the mean is not positive.

    Examples
    --------
    >>> coefficient_of_variation(np.array([[1.0, 3.0]])).tolist()
    [0.5]
    """
    mean = scores.mean(axis=1)
    return np.asarray(scores.std(axis=1) / np.where(mean > 0, mean, np.nan))


def theil_between(scores: Floats, population: Floats, region: NDArray[np.int64]) -> Floats:
    """Return the part of Theil's T index that lies between regions, in each draw.

    Parameters
    ----------
    scores : ndarray, shape (n_draws, n_areas)
        A draw is NaN in the answer where the mean of a region is not positive.
    population : ndarray, shape (n_areas,)
        Weights.
    region : ndarray of int, shape (n_areas,)

    References
    ----------
    Theil (1967), Economics and Information Theory, chapter 4.

    Examples
    --------
    >>> theil_between(np.array([[1.0, 3.0, 1.0, 3.0]]), np.ones(4), np.array([0, 0, 1, 1])).tolist()
    [0.0]
    """
    weight = population / population.sum()
    member = np.eye(region.max() + 1)[region]
    region_weight = weight @ member
    mean = scores @ weight
    positive = np.where(mean > 0, mean, np.nan)[:, None]
    relative = (scores * weight) @ member / region_weight / positive
    shares = np.where(relative > 0, relative, np.nan)
    return np.asarray((region_weight * shares * np.log(shares)).sum(axis=1))


def slope_index(scores: Floats, population: Floats, order: Floats) -> tuple[Floats, Floats]:
    """Return the slope and the relative index of inequality, in each draw.

    Groups are put in order, each placed at the middle of its share of the population, and the score is regressed on
    that position by least squares weighted by population. The slope is the difference between the two ends; the
    relative index divides the fitted value at the last end by that at the first.

    Parameters
    ----------
    scores : ndarray, shape (n_draws, n_groups)
    population : ndarray, shape (n_groups,)
    order : ndarray, shape (n_groups,)
        Sorted from low to high: the least favoured group first.

    Returns
    -------
    slope, relative : ndarray, shape (n_draws,)
        The relative index is NaN where the fitted value at the first end is not positive.

    References
    ----------
    Public Health England (2018), Slope index of inequality: method of the Public Health Outcomes Framework. Mackenbach
    & Kunst (1997), Social Science & Medicine 44, 757-771.

    Examples
    --------
    >>> slope, relative = slope_index(np.array([[1.0, 2.0]]), np.array([1.0, 1.0]), np.array([0, 1]))
    >>> slope.tolist(), relative.tolist()
    ([2.0], [5.0])
    """
    sequence = np.argsort(order, kind="stable")
    weight = population[sequence] / population.sum()
    middle = np.cumsum(weight) - weight / 2
    y = scores[:, sequence]
    centred = middle - weight @ middle
    slope = y @ (weight * centred) / (weight @ centred**2)
    first = y @ weight - slope * (weight @ middle)
    relative = np.full_like(first, np.nan)
    np.divide(first + slope, first, out=relative, where=first > 0)
    return np.asarray(slope), relative
