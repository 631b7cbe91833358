"""The choices behind a linear cross-section model, and the arrays that each takes from a cross-section."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import ModelError
from gwm_models.models.cross_section import CrossSection

Floats = NDArray[np.float64]
Needed = tuple[NDArray[Any], str]

Exposure = Literal["total", "domains", "indicators"]
Weights = Literal["precision", "meta", "equal", "population"]
Estimator = Literal["least squares", "huber", "corrected"]

MAIN: Weights = "meta"
"""How units are weighted unless a choice says otherwise."""
POINTS = 100.0
"""Score points that a slope is given for."""
REGION = "region"
TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to set an outcome against the index by a straight line.

    Attributes
    ----------
    id, title : str
    exposure : {"total", "domains", "indicators"}
        What stands on the right-hand side, all together.
    adjusted : tuple of str
        What else does: ids of `COVARIATES`, or "region" for a constant in each region.
    weights : {"precision", "meta", "equal", "population"}
        "precision" is published precision; "meta" adds the spread between units that the design leaves unexplained to
        the published variances. Both are equal weights where no limits are published.
    estimator : {"least squares", "huber", "corrected"}
    merged : bool
        Whether units that stand for several areas are in the sample.
    logarithm : bool
        Whether the outcome is taken as its logarithm.
    limits : bool
        Whether it makes sense only for an outcome with published limits.
    how : str
        What sets it apart, in the sentence that says what was found.
    """

    id: str
    title: str
    exposure: Exposure = "total"
    adjusted: tuple[str, ...] = ()
    weights: Weights = MAIN
    estimator: Estimator = "least squares"
    merged: bool = True
    logarithm: bool = False
    limits: bool = False
    how: str = ""


@dataclass(frozen=True, slots=True)
class Covariate:
    """What a slope can be adjusted for.

    Attributes
    ----------
    label, per : str
        What it is, and the step its coefficient is given for.
    step : float
    missing : str
        Why a unit without it is left out.
    same : str
        What is alike in areas that are compared, after "compared".
    note : str
        What a reader has to know.
    values : callable
        Takes it from a cross-section.
    """

    label: str
    per: str
    step: float
    missing: str
    same: str
    note: str
    values: Callable[[CrossSection], Floats]


COVARIATES = {
    "conditions": Covariate(
        "Conditions for Good Work",
        "100 points of Conditions for Good Work",
        100.0,
        "no total of Conditions for Good Work",
        "at the same Conditions for Good Work",
        "Conditions for Good Work enter by their printed total, which is not the sum of their printed domains.",
        lambda c: c.conditions,
    ),
    "deprivation": Covariate(
        "Index of Multiple Deprivation 2019",
        "point of the Index of Multiple Deprivation",
        1.0,
        "no Index of Multiple Deprivation",
        "at the same deprivation",
        "The Index of Multiple Deprivation has employment and income among its domains, which the index of good work "
        "measures too, and health and disability: adjusting for it takes away part of what is to be measured "
        "(over-adjustment), so this slope answers another question rather than the same one better.",
        lambda c: c.deprivation,
    ),
    "degrees": Covariate(
        "share of people with a degree or its like (NVQ4+)",
        "percentage point with a degree or its like",
        1.0,
        "no share of degrees",
        "at the same share of degrees",
        "Degrees open the way to professional jobs, which the index counts: adjusting for them takes away part of what "
        "is to be measured.",
        lambda c: c.degrees,
    ),
}


@dataclass(frozen=True, eq=False)
class Frame(Frozen):
    """The arrays of one choice: units that have every figure, in the order of the cross-section.

    Attributes
    ----------
    code, name : tuple of str, length n
    excluded : tuple of str
    outcome : ndarray, shape (n,)
    weights : ndarray, shape (n,), or None for equal weights
        One over the squared standard errors, or residents.
    exposures : ndarray, shape (n, p)
        In steps: 100 points of a score, one standard deviation of an indicator.
    noise : ndarray, shape (n, p, p)
        Sampling covariance of the exposures, NaN where it is not known (indicators).
    scale : ndarray, shape (p,)
        What a step is in the unit of the exposure.
    controls : ndarray, shape (n, q)
        Covariates in steps, then one column for each region but the first.
    exposure_names, control_names : tuple of str
    borders : ndarray of int, shape (n_pairs, 2)
    without : tuple of str
        Exposures that no unit has figures of.
    """

    code: tuple[str, ...]
    name: tuple[str, ...]
    excluded: tuple[str, ...]
    outcome: Floats
    weights: Floats | None
    exposures: Floats
    noise: Floats
    scale: Floats
    controls: Floats
    exposure_names: tuple[str, ...]
    control_names: tuple[str, ...]
    borders: NDArray[np.int64]
    without: tuple[str, ...]


def frame_of(c: CrossSection, choice: Choice) -> Frame:
    """Take the arrays of one choice from a cross-section.

    Raises
    ------
    ModelError
        If fewer than ten units have every figure that the choice needs, or it needs published limits and there are
        none.
    """
    if choice.limits and not has_precision(c):
        raise ModelError(f"{c.outcome.label}: no limits are published, so '{choice.id}' has no precision to weight by.")
    levels, noise, names, without = _exposures(c, choice)
    value = _positive_log(c.value) if choice.logarithm else c.value
    weights = _weights(c, choice)
    needed: list[Needed] = [(value, "no published value"), (levels, f"no figures of the {choice.exposure}")]
    if weights is not None:
        needed.append((weights, "no population" if choice.weights == "population" else "no published limits"))
    if not choice.merged:
        needed.append((~c.shared, "several areas of the index in one unit"))
    covariates = [COVARIATES[name] for name in choice.adjusted if name != REGION]
    needed += [(covariate.values(c), covariate.missing) for covariate in covariates]
    kept, excluded = c.keep(*needed)
    if REGION in choice.adjusted:
        needed.append((~_alone(c.region, kept), "the only unit of its region"))
        kept, excluded = c.keep(*needed)
    scale = np.full(len(names), POINTS) if choice.exposure != "indicators" else levels[kept].std(axis=0, ddof=1)
    regions, region_names = _region_columns(np.array(c.region)[kept], asked=REGION in choice.adjusted)
    columns = [covariate.values(c)[kept] / covariate.step for covariate in covariates]
    step = np.where(scale > 0, scale, 1.0)
    return Frame(
        code=_kept(c.code, kept),
        name=_kept(c.name, kept),
        excluded=excluded,
        outcome=value[kept],
        weights=None if weights is None else weights[kept],
        exposures=levels[kept] / step,
        noise=noise[kept] / np.outer(step, step),
        scale=scale,
        controls=np.column_stack([*columns, regions]),
        exposure_names=names,
        control_names=(*(name for name in choice.adjusted if name != REGION), *region_names),
        borders=c.borders_of(kept),
        without=without,
    )


def has_precision(c: CrossSection) -> bool:
    """Tell whether the outcome has published limits anywhere."""
    return bool(np.isfinite(c.error).any())


def _kept(names: tuple[str, ...], kept: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(name for name, here in zip(names, kept.tolist(), strict=True) if here)


def _exposures(c: CrossSection, choice: Choice) -> tuple[Floats, Floats, tuple[str, ...], tuple[str, ...]]:
    """Return levels, their sampling covariance, names, and the names of those without any figure."""
    if choice.exposure == "total":
        return c.total[:, None], c.total_error[:, None, None] ** 2, (TOTAL,), ()
    if choice.exposure == "domains":
        return c.domains, c.domain_cov, c.domain_ids, ()
    here = np.asarray(np.isfinite(c.indicators).any(axis=0))
    levels = c.indicators[:, here]
    names = _kept(c.indicator_ids, here)
    unknown = np.full((len(c), len(names), len(names)), np.nan)
    return levels, unknown, names, _kept(c.indicator_ids, ~here)


def _positive_log(value: Floats) -> Floats:
    """Return logarithms, NaN where there is none."""
    positive = value > 0
    return np.where(positive, np.log(np.where(positive, value, 1.0)), np.nan)


def _weights(c: CrossSection, choice: Choice) -> Floats | None:
    """Return weights, NaN where not published; None where all units weigh the same."""
    if choice.weights == "population":
        return np.where(c.population > 0, c.population, np.nan)
    if choice.weights == "equal" or not has_precision(c):
        return None
    error = c.error / c.value if choice.logarithm else c.error
    positive = error > 0
    return np.where(positive, 1 / np.where(positive, error, 1.0) ** 2, np.nan)


def _alone(region: tuple[str, ...], kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which units are the only one kept of their region: a constant of its own leaves nothing of them."""
    place = np.unique(region, return_inverse=True)[1]
    return np.asarray(np.bincount(place, weights=kept)[place] < 2)


def _region_columns(region: NDArray[np.str_], *, asked: bool) -> tuple[Floats, tuple[str, ...]]:
    names, place = np.unique(region, return_inverse=True)
    if not asked:
        return np.empty((len(region), 0)), ()
    return np.eye(len(names))[place][:, 1:], tuple(map(str, names[1:]))
