"""Slope and relative index of inequality by the official English method, for means, rates and proportions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.draws import keyed_rng
from gwm_models.errors import DataError

Floats = NDArray[np.float64]
Kind = Literal["mean", "rate", "proportion"]

SEED = 20260101
LIMITS = 0.95
"""Level of the limits of the groups' values."""


@dataclass(frozen=True, slots=True)
class SlopeIndex:
    """Inequality of a value over groups from the least to the most favoured.

    Attributes
    ----------
    sii, sii_lower, sii_upper : float
        Slope index: fitted value at the most favoured end minus that at the least favoured, times the multiplier, and
        its limits; NaN without errors of the values.
    rii, rii_lower, rii_upper : float
        Relative index: fitted value at the most favoured end divided by that at the least favoured; turned round where
        the multiplier is negative.
    first, last : float
        The fitted values at the least and at the most favoured end, in the unit of the value.
    level : float
        Of the limits.
    n : int
        Number of groups.
    draws : int
        Number of simulated samples behind limits that are not exact; 0 where there are none.
    transform : str
        ``none``, ``log`` or ``logit``: the scale of the fitted line.
    """

    sii: float
    rii: float
    sii_lower: float
    sii_upper: float
    rii_lower: float
    rii_upper: float
    first: float
    last: float
    level: float
    n: int
    draws: int
    transform: str


def slope_index_of_inequality(
    value: ArrayLike | None,
    population: ArrayLike,
    *,
    count: ArrayLike | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    std_error: ArrayLike | None = None,
    kind: Kind = "mean",
    transform: bool = False,
    multiplier: float = 1.0,
    level: float = 0.95,
    draws: int = 100_000,
    seed: int = SEED,
) -> SlopeIndex:
    """Return the slope and the relative index of inequality of grouped values.

    Each group is placed at the middle of its share of the population (its ridit), and a straight line is fitted to the
    values by least squares weighted by population; the slope index is the difference between the line's two ends.
    Values are taken as normal for a mean, as normal on the log scale for a rate and on the logit scale for a
    proportion, with the standard errors that the 95% limits have on that scale. The slope is linear in them, so where
    the line is fitted on the scale on which they are normal its limits are exact; others come from simulated values.

    Parameters
    ----------
    value : array_like, shape (n,), or None
        Value of each group, from the least to the most favoured (tenths of deprivation: the most deprived first). None
        for a proportion given by `count`.
    population : array_like, shape (n,)
        Residents of each group.
    count : array_like, shape (n,), optional
        For a proportion: members with the attribute, of the `population`.
    lower, upper : array_like, shape (n,), optional
        95% limits of the values.
    std_error : array_like, shape (n,), optional
        Instead of the limits: standard error of the value; of its log for a rate and of its logit for a proportion.
    kind : {"mean", "rate", "proportion"}
        Proportions run from 0 to 1.
    transform : bool
        Fit the line to the log of a rate or the logit of a proportion, and turn its ends back: for values that do not
        lie along a straight line. Its limits turn the line around its middle. Needs `lower` and `upper`, or neither.
    multiplier : float
        Factor of the slope index (100 for percent). A negative one also turns the relative index round.
    level : float
        Of the limits returned.
    draws : int
        Number of simulated samples, for limits that are not exact.
    seed : int
        Of the simulation: the same seed gives the same limits.

    Returns
    -------
    SlopeIndex

    Raises
    ------
    DataError
        If an array cannot be used: what was expected of it, what was found and where.

    Notes
    -----
    The method is that of the Public Health Outcomes Framework, as documented with `phe_sii` of PHEindicatormethods
    (value types 0, 1 and 2), which simulates all limits: its published ones differ from the exact ones by the error of
    that simulation. A negative multiplier turns limits round; a positive one below 1 does not.

    References
    ----------
    Low & Low (2004), Measuring the gap: quantifying and comparing local health inequalities, Journal of Public Health
    26, 388-395. Mackenbach & Kunst (1997), Social Science & Medicine 44, 757-771.

    Examples
    --------
    >>> found = slope_index_of_inequality([60, 62, 64, 66, 68], [1, 1, 1, 1, 1])
    >>> round(found.sii, 6), round(found.rii, 6)
    (10.0, 1.169492)
    """
    _check_options(kind, transform, std_error, level, draws, multiplier)
    residents = _checked("population", population, 0.0)
    values = _values(value, count, residents, kind)
    _same_length({"population": residents, "value": values})
    spread = _standard_errors(values, lower, upper, std_error, kind)
    scale = kind if transform else "mean"
    line = _Line(residents)
    first, last = line.ends(_onto(values, scale))
    sii, rii = _indices(_back(first, scale), _back(last, scale), multiplier)
    limits = np.full(4, np.nan)
    simulated = spread is not None and not transform
    if spread is not None:
        slopes = (last - first) + line.error(spread) * _normal_ends(level)
        if transform:
            limits = _turned_limits(slopes, (first + last) / 2, scale, multiplier)
        else:
            drawn = _onto(values, kind) + spread * keyed_rng(seed, "slope-index").standard_normal((draws, len(values)))
            limits = _simulated_limits(*line.ends(_back(drawn, kind)), multiplier, level)
            if kind == "mean":
                limits[:2] = np.sort(multiplier * slopes)
    return SlopeIndex(
        sii=float(sii),
        rii=float(rii),
        sii_lower=float(limits[0]),
        sii_upper=float(limits[1]),
        rii_lower=float(limits[2]),
        rii_upper=float(limits[3]),
        first=float(_back(first, scale)),
        last=float(_back(last, scale)),
        level=level,
        n=len(values),
        draws=draws if simulated else 0,
        transform={"mean": "none", "rate": "log", "proportion": "logit"}[scale],
    )


class _Line:
    """The weighted regression of values on the groups' middle positions."""

    def __init__(self, population: Floats) -> None:
        weight = population / population.sum()
        self._weight = weight
        self._middle = np.cumsum(weight) - weight / 2
        centred = self._middle - weight @ self._middle
        self._slope = weight * centred / (weight @ centred**2)

    def ends(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the fitted values at 0 and at 1, for each row of values."""
        slope = values @ self._slope
        first = values @ self._weight - slope * (self._weight @ self._middle)
        return np.asarray(first), np.asarray(first + slope)

    def error(self, spread: Floats) -> float:
        """Return the standard error of the slope of values with these independent standard errors."""
        return float(np.sqrt(((self._slope * spread) ** 2).sum()))


def _indices(first: Floats, last: Floats, multiplier: float) -> tuple[Floats, Floats]:
    """Return slope and relative index of the two ends of a line, on the scale of the values."""
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = first / last if multiplier < 0 else last / first
    return np.asarray(multiplier * (last - first)), np.asarray(relative)


def _normal_ends(level: float) -> Floats:
    """Return the two quantiles of a standard normal that hold a probability between them."""
    tail = NormalDist().inv_cdf((1 + level) / 2)
    return np.array([-tail, tail])


def _simulated_limits(starts: Floats, stops: Floats, multiplier: float, level: float) -> Floats:
    """Return lower and upper limits of both indices, shape (4,): quantiles of the simulated ones."""
    absolute, relative = _indices(starts, stops, multiplier)
    tails = [(1 - level) / 2, (1 + level) / 2]
    return np.concatenate([np.quantile(absolute, tails), np.quantile(relative, tails)])


def _turned_limits(slopes: Floats, middle: Floats, scale: Kind, multiplier: float) -> Floats:
    """Return the same for a line on a transformed scale: turned around its middle to the limits of its slope."""
    absolute, relative = _indices(_back(middle - slopes / 2, scale), _back(middle + slopes / 2, scale), multiplier)
    return np.concatenate([np.sort(absolute), np.sort(relative)])


def _onto(values: Floats, scale: str) -> Floats:
    if scale == "rate":
        return np.asarray(np.log(values))
    return np.asarray(np.log(values / (1 - values))) if scale == "proportion" else values


def _back(values: Floats, scale: str) -> Floats:
    if scale == "rate":
        return np.asarray(np.exp(values))
    return np.asarray(1 / (1 + np.exp(-values))) if scale == "proportion" else values


def _values(value: ArrayLike | None, count: ArrayLike | None, population: Floats, kind: Kind) -> Floats:
    """Return the groups' values, from the count of a proportion where no value is given."""
    if (value is None) == (count is None):
        raise DataError("Give either the groups' values or, for a proportion, their counts.")
    if value is None:
        if kind != "proportion":
            raise DataError(f"A count gives a proportion of the population; found kind '{kind}'. Give values instead.")
        counted = _checked("count", count, 0.0)
        _same_length({"population": population, "count": counted})
        return _checked("count / population", counted / population, 0.0, 1.0)
    return _checked("value", value, *_range(kind))


def _standard_errors(
    values: Floats, lower: ArrayLike | None, upper: ArrayLike | None, std_error: ArrayLike | None, kind: Kind
) -> Floats | None:
    """Return standard errors on the scale on which values are drawn; None where nothing is known of them."""
    if std_error is not None:
        given = _checked("std_error", std_error, 0.0, least_in=True)
        _same_length({"value": values, "std_error": given})
        return given
    if (lower is None) != (upper is None):
        raise DataError("Give both limits of the values, or neither.")
    if lower is None or upper is None:
        return None
    low, high = _checked("lower", lower, *_range(kind)), _checked("upper", upper, *_range(kind))
    _same_length({"value": values, "lower": low, "upper": high})
    wrong = np.flatnonzero(low > high)
    if wrong.size:
        place = int(wrong[0])
        raise DataError(f"The lower limit of group {place + 1} is above the upper: {low[place]:g} > {high[place]:g}.")
    tail = NormalDist().inv_cdf((1 + LIMITS) / 2)
    return np.asarray((_onto(high, kind) - _onto(low, kind)) / tail / 2)


def _range(kind: Kind) -> tuple[float, float]:
    return (-np.inf if kind == "mean" else 0.0, 1.0 if kind == "proportion" else np.inf)


def _checked(
    name: str, given: ArrayLike | None, above: float, below: float = np.inf, *, least_in: bool = False
) -> Floats:
    """Return an array of numbers strictly between two ends, or say which group breaks them."""
    try:
        values = np.asarray(given, dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: expected one number for each group.") from error
    if values.ndim != 1 or len(values) < 2:
        raise DataError(f"{name}: expected one number for each of two or more groups; found shape {values.shape}.")
    inside = np.isfinite(values) & ((values >= above) if least_in else (values > above)) & (values < below)
    if not inside.all():
        place = int(np.flatnonzero(~inside)[0])
        ends = "" if above == -np.inf else f" {'of at least' if least_in else 'above'} {above:g}"
        ends += f" and below {below:g}" if below < np.inf else ""
        raise DataError(f"{name}: expected numbers{ends}; group {place + 1} has {values[place]:g}.")
    return values


def _same_length(arrays: dict[str, Floats]) -> None:
    lengths = {name: len(values) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {number}" for name, number in lengths.items())
        raise DataError(f"Every array needs one number for each group; found {found}.")


def _check_options(
    kind: str, transform: bool, std_error: ArrayLike | None, level: float, draws: int, multiplier: float
) -> None:
    kinds: Sequence[str] = ("mean", "rate", "proportion")
    if kind not in kinds:
        raise DataError(f"kind: expected mean, rate or proportion; found '{kind}'.")
    if transform and kind == "mean":
        raise DataError("transform is for a rate (log) or a proportion (logit); a mean is fitted as it is.")
    if transform and std_error is not None:
        raise DataError("transform needs 95% limits of the values, not standard errors.")
    if not 0 < level < 1:
        raise DataError(f"level: expected a probability between 0 and 1, such as 0.95; found {level:g}.")
    if draws < 1000:
        raise DataError(f"draws: expected 1000 or more; found {draws}.")
    if not np.isfinite(multiplier) or multiplier == 0:
        raise DataError(f"multiplier: expected a number other than zero; found {multiplier:g}.")
