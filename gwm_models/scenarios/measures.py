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


def ratio_of_fifths(scores: Floats, population: Floats) -> Floats:
    """Return the mean of the fifth of residents in the best areas divided by that of the fifth in the worst (S80/S20).

    An area across the edge of a fifth counts with the part of its residents that lies within.

    Parameters
    ----------
    scores : ndarray, shape (n_draws, n_areas)
    population : ndarray, shape (n_areas,)

    Returns
    -------
    ndarray, shape (n_draws,)
        NaN where the mean of the worst fifth is not positive.

    References
    ----------
    Eurostat, Glossary: Income quintile share ratio.

    Examples
    --------
    >>> ratio_of_fifths(np.array([[1.0, 2.0, 3.0, 4.0, 5.0]]), np.ones(5)).tolist()
    [5.0]
    """
    order = np.argsort(scores, axis=1, kind="stable")
    ordered = np.take_along_axis(scores, order, axis=1)
    weight = (population / population.sum())[order]
    upto = np.cumsum(weight, axis=1)
    from_top = np.cumsum(weight[:, ::-1], axis=1)[:, ::-1]
    low = np.clip(0.2 - (upto - weight), 0, weight)
    high = np.clip(0.2 - (from_top - weight), 0, weight)
    best = (ordered * high).sum(axis=1) / high.sum(axis=1)
    worst = (ordered * low).sum(axis=1) / low.sum(axis=1)
    return np.asarray(best / np.where(worst > 0, worst, np.nan))


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


def theil(scores: Floats, population: Floats) -> Floats:
    """Return Theil's T index over areas, weighted by population, in each draw.

    Parameters
    ----------
    scores : ndarray, shape (n_draws, n_areas)
        A draw is NaN in the answer where a score is not positive.
    population : ndarray, shape (n_areas,)

    References
    ----------
    Theil (1967), Economics and Information Theory, chapter 4.

    Examples
    --------
    >>> theil(np.array([[2.0, 2.0]]), np.ones(2)).tolist()
    [0.0]
    """
    weight = population / population.sum()
    relative = scores / (scores @ weight)[:, None]
    positive = np.where((scores > 0).all(axis=1, keepdims=True), relative, np.nan)
    return np.asarray((weight * positive * np.log(positive)).sum(axis=1))


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


def theil_within(scores: Floats, population: Floats, region: NDArray[np.int64]) -> Floats:
    """Return the part of Theil's T index that lies within regions, in each draw.

    Each region's own index counts with its share of the residents times its mean relative to the mean of all, so that
    this part and `theil_between` add up to `theil`.

    Parameters
    ----------
    scores : ndarray, shape (n_draws, n_areas)
        A draw is NaN in the answer where a score is not positive.
    population : ndarray, shape (n_areas,)
        Weights.
    region : ndarray of int, shape (n_areas,)

    References
    ----------
    Theil (1967), Economics and Information Theory, chapter 4.

    Examples
    --------
    >>> theil_within(np.array([[1.0, 1.0, 3.0, 3.0]]), np.ones(4), np.array([0, 0, 1, 1])).tolist()
    [0.0]
    """
    weight = population / population.sum()
    mean = scores @ weight
    within = np.zeros(len(scores))
    for place in range(int(region.max()) + 1):
        here = region == place
        share = weight[here].sum()
        level = scores[:, here] @ weight[here] / share
        within += share * level / mean * theil(scores[:, here], population[here])
    return within


def gini(scores: Floats, population: Floats) -> Floats:
    """Return the Gini coefficient over areas, weighted by population, in each draw.

    Twice the covariance of the score with the position of its area among the residents, divided by the mean; NaN where
    the mean is not positive.

    Parameters
    ----------
    scores : ndarray, shape (n_draws, n_areas)
    population : ndarray, shape (n_areas,)

    References
    ----------
    Lerman & Yitzhaki (1989), Journal of Econometrics 42, 43-47.

    Examples
    --------
    >>> gini(np.array([[1.0, 3.0]]), np.ones(2)).tolist()
    [0.25]
    """
    return _concentration(scores, population, np.argsort(scores, axis=1))


def _concentration(scores: Floats, population: Floats, order: NDArray[np.int64]) -> Floats:
    """Return the concentration index of scores over areas placed in an order, from the lowest to the highest."""
    weight = (population / population.sum())[order]
    ordered = np.take_along_axis(scores, order, axis=1)
    position = np.cumsum(weight, axis=1) - weight / 2
    mean = np.einsum("sn,sn->s", weight, ordered)
    twice = 2 * np.einsum("sn,sn->s", weight * ordered, position - 0.5)
    return np.asarray(twice / np.where(mean > 0, mean, np.nan))


def progressivity_and_reranking(before: Floats, after: Floats, population: Floats) -> tuple[Floats, Floats]:
    """Split the change of the Gini coefficient into progressivity and re-ranking, in each draw.

    Progressivity is how much nearer the scores come with areas left in their old order (the Gini before minus the
    concentration index of the scores after in the order before): positive where the change favours areas that were
    behind. Re-ranking is what areas that overtake others add back; it is never negative. The change of the Gini is
    re-ranking minus progressivity, exactly. Areas tied before are ordered by the score after.

    Parameters
    ----------
    before, after : ndarray, shape (n_draws, n_areas)
    population : ndarray, shape (n_areas,)

    Returns
    -------
    progressivity, reranking : ndarray, shape (n_draws,)

    References
    ----------
    Jenkins & Van Kerm (2006), Oxford Economic Papers 58, 531-548. Allanson & Petrie (2013), Health Economics 22, 1129-
    1138, for health.

    Examples
    --------
    >>> moved = progressivity_and_reranking(np.array([[1.0, 3.0]]), np.array([[3.0, 1.0]]), np.ones(2))
    >>> [part.tolist() for part in moved]
    [[0.5], [0.5]]
    """
    start, kept, end = gini_parts(before, after, population)
    return start - kept, end - kept


def gini_parts(before: Floats, after: Floats, population: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the Gini before, the concentration of the scores after in the order before, and the Gini after.

    Parameters
    ----------
    before, after : ndarray, shape (n_draws, n_areas)
    population : ndarray, shape (n_areas,)

    Returns
    -------
    start, kept, end : ndarray, shape (n_draws,)
    """
    old_order = _order_before(before, after)
    start, kept = (_concentration(scores, population, old_order) for scores in (before, after))
    return start, kept, gini(after, population)


def _order_before(before: Floats, after: Floats) -> NDArray[np.int64]:
    """Return the order of areas by the score before, ties by the score after."""
    order = np.argsort(before, axis=1)
    ordered = np.take_along_axis(before, order, axis=1)
    tied = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    if tied.any():
        order[tied] = np.lexsort((after[tied], before[tied]), axis=1)
    return order


def slope_index(scores: Floats, population: Floats, order: Floats) -> tuple[Floats, Floats]:
    """Return the slope and the relative index of inequality by the English method, in each draw.

    Groups are placed at the middle of their share of the population, from the least to the most favoured, and scored on
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
    Low & Low (2004), Journal of Public Health 26, 388-395, as in the Public Health Outcomes Framework of England.
    Mackenbach & Kunst (1997), Social Science & Medicine 44, 757-771.

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
