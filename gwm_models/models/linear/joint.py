"""Outcomes of the same units fitted together: a slope for each, their mean and their difference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.models.association.moran import moran
from gwm_models.models.association.spatial_errors import Regression, spatial_numbers, with_neighbours
from gwm_models.models.cross_section import CrossSection, cross_section
from gwm_models.models.fit import Fit, wald
from gwm_models.models.linear.checks import N_PERMUTATIONS, influence_rows, left_out
from gwm_models.models.linear.choices import POINTS
from gwm_models.models.linear.core import LeastSquares, least_squares
from gwm_models.models.linear.meta import meta_weights
from gwm_models.models.linear.words import NOT_SHOWN, dated, decimals, difference, span_words
from gwm_models.models.outcomes import Topic, find_outcome, source_of

Floats = NDArray[np.float64]

CONTRASTS = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [-1.0, 1.0]])
"""Male, female, their mean, and female less male."""


def stacked(outcomes: Floats, exposure: Floats, weights: Floats) -> LeastSquares:
    """Fit several outcomes on one exposure together, each with a constant and a slope of its own.

    Each outcome has the slope it has by itself; the covariance, from leaving out one unit with all its outcomes at a
    time, also holds how the slopes move together.

    Parameters
    ----------
    outcomes : ndarray, shape (n_units, m)
    exposure : ndarray, shape (n_units,)
    weights : ndarray, shape (n_units, m)

    Returns
    -------
    LeastSquares
        Coefficients: the constants of all outcomes, then the slopes. Residuals: all units of the first outcome, then of
        the next.

    References
    ----------
    Zellner (1962), Journal of the American Statistical Association 57, 348-368. Weesie (1999), Stata Technical Bulletin
    52, 34-47.
    """
    n, m = outcomes.shape
    blocks = [np.kron(np.eye(m), column[:, None]) for column in (np.ones(n), exposure)]
    names = [f"{what} {j + 1}" for what in ("constant", "slope") for j in range(m)]
    unit = np.tile(np.arange(n), m)
    return least_squares(outcomes.T.ravel(), np.hstack(blocks), weights.T.ravel(), "cluster", unit, names=names)


def fit_joint(edition: Edition, topic: Topic) -> Fit:
    """Fit the male and the female outcome of a topic together on the index total.

    Parameters
    ----------
    edition : Edition
    topic : Topic
        Its members are the male and the female outcome.

    Raises
    ------
    ModelError
        If it cannot be fitted, with what is missing.
    """
    male, female = (cross_section(edition, find_outcome(name)) for name in topic.members)
    kept, excluded = male.keep(
        (np.column_stack([male.value, female.value]), "no published value"),
        (np.column_stack([male.error, female.error]), "no published limits"),
        (male.total, "no figures of the total"),
    )
    outcomes, errors = (
        np.column_stack([a, b])[kept] for a, b in ((male.value, female.value), (male.error, female.error))
    )
    exposure = male.total[kept] / POINTS
    design = np.column_stack([np.ones(len(exposure)), exposure])
    weights = [meta_weights(outcomes[:, j], design, 1 / errors[:, j] ** 2) for j in range(outcomes.shape[1])]
    found = stacked(outcomes, exposure, np.column_stack(weights))
    estimate, influence = CONTRASTS @ found.params[2:], found.influence[:, 2:] @ CONTRASTS.T
    cov = influence.T @ influence
    bounds = wald(estimate, cov, found.freedom)
    code, name = (tuple(np.array(names)[kept].tolist()) for names in (male.code, male.name))
    unit = f"{male.outcome.unit} per 100 points"
    checks = _mean_residual(male, kept, found.residuals)
    root = np.sqrt(np.mean(weights, axis=0))
    near = Regression(design * root[:, None], found.residuals.reshape(2, -1).mean(axis=0) * root, 1)
    checks |= spatial_numbers(float(estimate[2]), float(np.sqrt(cov[2, 2])), near, male.borders_of(kept), found.freedom)
    names = ("residual_moran", "residual_moran_p", "spatial_lower", "spatial_upper")
    similar, similar_p, *span = (float(checks.get(check, np.nan)) for check in names)
    return Fit(
        outcome=topic.id,
        label=topic.label,
        spec="joint",
        title="Male and female together",
        method="least squares weighted by published precision and spread between units, male and female stacked, "
        "errors clustered by unit (CR3)",
        citation="Weesie (1999), Stata Technical Bulletin 52, 34-47.",
        period=male.outcome.period,
        source=source_of(male.outcome),
        term=("male", "female", "mean", "difference"),
        unit=(unit,) * 4,
        estimate=estimate,
        cov=cov,
        lower=bounds["lower"],
        upper=bounds["upper"],
        p_value=bounds["p_value"],
        sample=code,
        n=outcomes.size,
        excluded=excluded,
        focus="mean",
        found=_found(dated(male.outcome, topic.label), estimate, bounds, male.outcome.unit, len(code)),
        not_shown=with_neighbours(
            NOT_SHOWN, similar, similar_p, span_words(span[0], span[1], male.outcome.unit) if checks else ""
        ),
        influence=influence[:, 2],
        diagnostics={
            "degrees_of_freedom": found.freedom,
            "weights": "published precision and spread between units",
            "correlation": float(cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1])),
            **checks,
            **left_out(name, float(estimate[2]), influence[:, 2]),
        },
        assumptions=(
            "The same units and the same score stand behind both slopes, so their errors move together: the covariance "
            "comes from leaving out one unit, male and female, at a time.",
            "The difference is the female slope less the male one. Moran's I is of the mean of a unit's two residuals.",
            "Survey noise in the total is not removed here: it pulls both slopes towards zero.",
        ),
        tables={"influence": influence_rows(code, name, ("mean",), estimate[2:3], influence[:, 2:3])},
    )


def _mean_residual(c: CrossSection, kept: NDArray[np.bool_], residuals: Floats) -> dict[str, float | str]:
    borders = c.borders_of(kept)
    if not len(borders):
        return {}
    found = moran(residuals.reshape(2, -1).mean(axis=0), borders, n_permutations=N_PERMUTATIONS)
    return {"residual_moran": found.statistic, "residual_moran_p": found.p_value}


def _found(label: str, estimate: Floats, bounds: dict[str, Floats], unit: str, n: int) -> str:
    gap, low, high = (float(values[3]) for values in (estimate, bounds["lower"], bounds["upper"]))
    places = decimals((high - low) / 4)
    apart = "differ" if low > 0 or high < 0 else "are not clearly different"
    mean = difference(
        label, float(estimate[2]), float(bounds["lower"][2]), float(bounds["upper"][2]), unit, "in areas 100 points"
    )
    return (
        f"{mean} higher on the index total, the mean of both sexes over {n} units; the slopes of women and men {apart} "
        f"({gap:+.{places}f} {unit}, 95% interval {low:+.{places}f} to {high:+.{places}f})."
    )
