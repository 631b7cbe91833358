"""Which numbers of a sweep matter: first-order and total indices of variance, with error.

A full grid is split exactly. Points spread through the space are fitted by a polynomial, orthonormal over the ranges,
whose squared coefficients are the parts of the variance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.scenarios.sweep_design import Design, Factor

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHARE = 0.5
"""Terms of a polynomial, at most, for each point."""
NORMS = (1.0, 0.75, 0.5)
"""Kinds of polynomials tried: the smaller, the fewer products of several numbers."""
MOST_DEGREE = 14
GROUPS = 20
LINE = 25
"""Values at which the mean over the other numbers is given, for a number that can have any."""


@dataclass(frozen=True, eq=False)
class Indices(Frozen):
    """Shares of the variance of a response over a sweep; arrays of shape (n_factors,).

    Attributes
    ----------
    first : ndarray
        Share that a number explains by itself.
    total : ndarray
        Share that is lost if the number is fixed: its own and that of all its interactions.
    first_error, total_error : ndarray
        Standard errors by leaving out groups of points; 0 for a grid, which is split exactly.
    fit : float
        Share of variance that the polynomial predicts at points left out; 1 for a grid.
    lines : tuple of (ndarray, ndarray)
        For each number, values of it and the mean of the response over the others.
    """

    first: Floats
    total: Floats
    first_error: Floats
    total_error: Floats
    fit: float
    lines: tuple[tuple[Floats, Floats], ...]


def variance_indices(design: Design, response: Floats) -> Indices | None:
    """Split the variance of a response over the points of a sweep by the numbers varied.

    Each number is taken as evenly distributed over its range, or over its values, independently of the others.

    Parameters
    ----------
    design : Design
    response : ndarray, shape (n_points,)

    Returns
    -------
    Indices or None
        None where the response does not vary or is not known everywhere, or the points are too few for a polynomial:
        twice as many as numbers, and two more.

    References
    ----------
    Sobol' (2001), Mathematics and Computers in Simulation 55, 271-280; Homma and Saltelli (1996), Reliability
    Engineering and System Safety 52, 1-17 (total index). Sudret (2008), Reliability Engineering and System Safety 93,
    964-979 (from the coefficients of a polynomial); Blatman and Sudret (2011), Journal of Computational Physics 230,
    2345-2367 (fewer products, chosen by leaving points out).
    """
    scale = float(np.abs(response).max(initial=0.0))
    if not np.isfinite(response).all() or np.ptp(response) <= max(1e-12 * scale, 1e-100):
        return None
    return _of_grid(design, response) if design.kind == "grid" else _of_polynomial(design, response)


def _of_grid(design: Design, response: Floats) -> Indices:
    """Split the variance of a full grid, each combination as likely."""
    shape = tuple(len(factor.levels or ()) for factor in design.factors)
    cube = response.reshape(shape)
    variance = cube.var()
    axes = range(len(shape))
    means = [cube.mean(axis=tuple(a for a in axes if a != i)) for i in axes]
    first = np.array([mean.var() for mean in means]) / variance
    total = 1 - np.array([cube.mean(axis=i).var() for i in axes]) / variance
    lines = tuple((np.array(factor.levels), mean) for factor, mean in zip(design.factors, means, strict=True))
    return Indices(first, np.maximum(total, 0.0), np.zeros(len(shape)), np.zeros(len(shape)), 1.0, lines)


def _of_polynomial(design: Design, response: Floats) -> Indices | None:
    chosen = _chosen(design, response)
    if chosen is None:
        return None
    terms, fit = chosen
    matrix = _matrix(design, design.points, terms)
    weights = np.asarray(np.linalg.lstsq(matrix, response, rcond=None)[0], dtype=np.float64)
    first, total = _shares(weights, terms)
    first_error, total_error = _jackknife(matrix, response, terms)
    lines = tuple(_line(design.factors[i], i, weights, terms) for i in range(len(design.factors)))
    return Indices(first, total, first_error, total_error, fit, lines)


def _chosen(design: Design, response: Floats) -> tuple[Ints, float] | None:
    """Return the exponents of the polynomial that predicts points left out best, and how well it does."""
    n, best = len(response), None
    tried: set[bytes] = set()
    for norm in NORMS:
        for degree in range(1, MOST_DEGREE + 1):
            terms = _terms(design.factors, degree, norm, most=int(SHARE * n))
            if terms is None:
                break
            if terms.tobytes() in tried:
                continue
            tried.add(terms.tobytes())
            fit = _predicted(_matrix(design, design.points, terms), response)
            if best is None or fit > best[1]:
                best = terms, fit
    return best


def _terms(factors: tuple[Factor, ...], degree: int, norm: float, most: int) -> Ints | None:
    """Return exponents, shape (n_terms, n_factors), the constant first; None if there are more than can be fitted."""
    highest = [degree if factor.levels is None else min(degree, len(factor.levels) - 1) for factor in factors]
    found = []
    for exponents in _exponents(highest, degree**norm * (1 + 1e-9), norm):
        found.append(exponents)
        if len(found) > most:
            return None
    return np.array(found, dtype=np.int64)


def _exponents(highest: list[int], left: float, norm: float) -> Iterator[tuple[int, ...]]:
    """Yield exponents whose powers by the norm add up to no more than what is left."""
    if not highest:
        yield ()
        return
    for exponent in range(highest[0] + 1):
        if exponent**norm > left:
            return
        for rest in _exponents(highest[1:], left - exponent**norm, norm):
            yield (exponent, *rest)


def _matrix(design: Design, points: Floats, terms: Ints) -> Floats:
    """Return the value of each term at each point, shape (n_points, n_terms)."""
    matrix = np.ones((len(points), len(terms)))
    for i, factor in enumerate(design.factors):
        matrix *= _orthonormal(factor, points[:, i], int(terms[:, i].max()))[:, terms[:, i]]
    return matrix


def _orthonormal(factor: Factor, values: Floats, degree: int) -> Floats:
    """Return polynomials of one number at some values, orthonormal over its range or its levels."""
    if factor.levels is None:
        scaled = 2 * (values - factor.low) / (factor.high - factor.low) - 1
        norms = np.sqrt(2 * np.arange(degree + 1) + 1)
        return np.asarray(np.polynomial.legendre.legvander(scaled, degree) * norms)
    levels = np.array(factor.levels)
    middle, width = (levels[0] + levels[-1]) / 2, max(levels[-1] - levels[0], 1e-300) / 2
    q, r = np.linalg.qr(np.polynomial.legendre.legvander((levels - middle) / width, degree))
    basis = q * np.sign(np.diag(r)) * np.sqrt(len(levels))
    return np.asarray(basis[np.searchsorted(levels, values)])


def _predicted(matrix: Floats, response: Floats) -> float:
    """Return the share of variance predicted at points left out one at a time, with the correction for few points."""
    n, m = matrix.shape
    q, r = np.linalg.qr(matrix)
    if np.abs(np.diag(r)).min() < 1e-8 * np.abs(np.diag(r)).max():
        return -np.inf
    leverage = np.minimum((q**2).sum(axis=1), 1 - 1e-9)
    left_out = (response - q @ (q.T @ response)) / (1 - leverage)
    inflated = n / (n - m) * (1 + float((np.linalg.inv(r) ** 2).sum()))
    return float(1 - (left_out**2).mean() * inflated / response.var())


def _shares(weights: Floats, terms: Ints) -> tuple[Floats, Floats]:
    """Return first-order and total shares of variance from the weights of orthonormal terms."""
    parts = np.where(terms.any(axis=1), weights**2, 0.0)
    alone = (terms > 0).sum(axis=1) == 1
    whole = parts.sum()
    if whole == 0:
        return np.zeros(terms.shape[1]), np.zeros(terms.shape[1])
    return (parts * alone) @ (terms > 0) / whole, parts @ (terms > 0) / whole


def _jackknife(matrix: Floats, response: Floats, terms: Ints) -> tuple[Floats, Floats]:
    """Return standard errors by leaving out one group of points after the other."""
    n = len(response)
    groups = min(GROUPS, n)
    group = np.arange(n) % groups
    found = np.array(
        [
            _shares(np.linalg.lstsq(matrix[group != g], response[group != g], rcond=None)[0], terms)
            for g in range(groups)
        ]
    )
    error = np.sqrt((groups - 1) * found.var(axis=0))
    return error[0], error[1]


def _line(factor: Factor, place: int, weights: Floats, terms: Ints) -> tuple[Floats, Floats]:
    """Return the mean of the polynomial over the other numbers, at values of one."""
    values = np.array(factor.levels) if factor.levels else np.linspace(factor.low, factor.high, LINE)
    others = np.delete(terms, place, axis=1).any(axis=1)
    own = np.flatnonzero(~others)
    basis = _orthonormal(factor, values, int(terms[:, place].max()))
    return values, basis[:, terms[own, place]] @ weights[own]
