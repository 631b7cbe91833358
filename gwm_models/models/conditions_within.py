"""How much of what goes with a condition between areas also moves with it inside areas, from year to year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.errors import ModelError
from gwm_models.index.calibration import points_per_unit
from gwm_models.models.panel.within import LEAST_UNITS, observed, two_way
from gwm_models.models.shocks import spread_between
from gwm_models.models.yearly import SURVEY, Yearly, indicator_variable, yearly_series

Floats = NDArray[np.float64]
Row = dict[str, object]

CLEAR = 3.0
"""Standard errors that a slope between areas has to be from zero for a share of it to be taken."""
NOISE_UNKNOWN = ("industry_hhi_9groups_residents",)
"""Survey figures whose noise no published limit tells."""
LEAST_RELIABILITY = 0.2
"""Share of a condition's movement within areas that must not be noise."""


@dataclass(frozen=True, eq=False)
class WithinSlope(Frozen):
    """One domain on one condition, areas compared with themselves.

    Attributes
    ----------
    condition, domain : str
    years : tuple of int
    product, square, lost : ndarray, shape (n_units,)
        Of what unit and year effects leave, summed over a unit's years: points times condition, condition squared, and
        what survey noise is expected to put into that square.
    same_survey : bool
        Whether condition and domain are asked of the same people.
    """

    condition: str
    domain: str
    years: tuple[int, ...]
    product: Floats
    square: Floats
    lost: Floats
    same_survey: bool

    @property
    def slope(self) -> float:
        """Points of the domain per unit of the condition, as they come."""
        return float(self.product.sum() / self.square.sum())

    @property
    def std_error(self) -> float:
        """Standard error of `slope`, clustered by unit."""
        return float(np.sqrt(((self.product - self.slope * self.square) ** 2).sum()) / self.square.sum())

    @property
    def reliability(self) -> float:
        """Share of the condition's movement that is not survey noise."""
        return float(1 - self.lost.sum() / self.square.sum())

    def share_of(self, full: float, influence: Floats) -> tuple[float, Floats]:
        """Return the share of a slope between areas that moves within them, and what each unit adds to its error."""
        signal = self.square - self.lost
        noise = self.lost if self.same_survey else np.zeros(len(self.lost))
        left = self.product / full - noise
        share = float(left.sum() / signal.sum())
        moved = left - share * signal - self.product.sum() / full**2 * influence
        return share, moved / signal.sum()


def domain_by_year(edition: Edition, domain: str) -> tuple[tuple[int, ...], Floats, bool]:
    """Return a domain year by year, on the points of the edition, from the indicators that have yearly figures.

    Only movement within units is meant: the points of a level are left out, and pay is relative to the median unit. An
    indicator without yearly figures (satisfactory hours) is not in it, so its part of a slope is taken not to move.

    Returns
    -------
    years : tuple of int
    points : ndarray, shape (n_units, n_years)
    survey : bool
        Whether its figures are of the Annual Population Survey.

    Raises
    ------
    ModelError
        If no indicator of the domain has yearly figures.
    """
    points = points_per_unit(edition).estimate
    parts: list[tuple[float, Yearly]] = []
    for j in edition.spec.members(domain):
        try:
            series = yearly_series(edition, indicator_variable(edition.spec.indicators[j]))
        except ModelError:
            continue
        scale = float(np.nanmedian(edition.values[:, j])) / 100 if series.relative else 1.0
        parts.append((float(points[j]) * scale, series))
    if not parts:
        raise ModelError(f"No indicator of domain '{domain}' has yearly figures.")
    years = tuple(sorted(set.intersection(*({*series.year} for _, series in parts))))
    total = np.sum([factor * _of(series, years) for factor, series in parts], axis=0)
    return years, total, all(series.variable in SURVEY for _, series in parts)


def _of(series: Yearly, years: tuple[int, ...]) -> Floats:
    return np.asarray(series.value[:, [series.year.index(year) for year in years]])


def within_slope(
    edition: Edition, condition: str, series: Yearly, domain: str, *, least_years: int = 3
) -> WithinSlope | None:
    """Fit a domain on a condition within units, over the years that both have; None where there are too few."""
    if series.variable in NOISE_UNKNOWN:
        return None
    years, points, survey = domain_by_year(edition, domain)
    years_both = tuple(year for year in years if year in series.year)
    if len(years_both) < least_years:
        return None
    places = [series.year.index(year) for year in years_both]
    x, y = series.value[:, places], points[:, [years.index(year) for year in years_both]]
    seen = observed(y, x[None])
    if seen.any(axis=1).sum() < LEAST_UNITS:
        return None
    effects = two_way(seen)
    left, right = effects.residual(x), effects.residual(y)
    known = np.where(seen[:, :, None] & seen[:, None, :], series.noise()[:, places][:, :, places], 0.0)
    found = WithinSlope(
        condition=condition,
        domain=domain,
        years=years_both,
        product=(left * right).sum(axis=1),
        square=(left**2).sum(axis=1),
        lost=(effects.blocks() * known).sum(axis=(1, 2)),
        same_survey=survey and series.variable in SURVEY,
    )
    return found if found.reliability >= LEAST_RELIABILITY else None


@dataclass(frozen=True, eq=False)
class Share(Frozen):
    """The share of a slope between areas that moves within them, over all pairs that can be measured.

    Attributes
    ----------
    mean, std_error : float
        Of the share over pairs.
    spread : float
        Standard deviation of the share between pairs, beyond their errors.
    rows : tuple of dict
        Each pair: the slopes, the share and whether it counts.
    """

    mean: float
    std_error: float
    spread: float
    rows: tuple[Row, ...]

    @property
    def sd(self) -> float:
        """Standard deviation of the share of one more condition."""
        return float(np.hypot(self.std_error, self.spread))

    @property
    def found(self) -> bool:
        """Whether the share of one more condition is clearly above none."""
        return self.mean > 2 * self.sd

    def words(self) -> str:
        """Say whether yearly figures show that scores follow a condition."""
        mean = f"{self.mean:.2f}".replace("-", "\N{MINUS SIGN}")
        size = f"share {mean}, standard deviation {self.sd:.2f}"
        if self.found:
            return f"Inside areas, yearly figures show scores moving with conditions ({size})."
        return (
            "Inside areas, yearly figures show no movement of scores with conditions that can be told from none "
            f"({size}): a gain by the link within is not found."
        )


def pooled_share(
    slopes: list[WithinSlope], between: Mapping[tuple[str, str], float], influence: Mapping[tuple[str, str], Floats]
) -> Share:
    """Set slopes within areas against those between them, and pool the shares.

    Noise in a condition from another source than the scores pulls its slope within areas towards zero, and is taken
    out. Where both are asked of the same people, chance moves them together: what chance makes of them is taken to go
    together as true differences between areas do, so a slope within areas that is all noise counts as a share of none,
    not of one.

    Parameters
    ----------
    slopes : list of WithinSlope
    between, influence : mapping of (condition, domain)
        Slopes between areas, and what each unit adds to their error, shape (n_units,).

    Raises
    ------
    ModelError
        If fewer than two pairs can be measured.

    References
    ----------
    Paule & Mandel (1982), Journal of Research of the National Bureau of Standards 87, 377-385. Fuller (1987),
    Measurement Error Models, sections 1.1 and 1.2.
    """
    rows, shares, errors = [], [], []
    for one in slopes:
        key = one.condition, one.domain
        full_error = float(np.sqrt((influence[key] ** 2).sum()))
        share, moved = one.share_of(between[key], influence[key])
        counts = abs(between[key]) > CLEAR * full_error
        if counts:
            shares.append(share)
            errors.append(moved)
        rows.append(_row(one, between[key], full_error, share, float(np.sqrt((moved**2).sum())), counts))
    if len(shares) < 2:
        raise ModelError("Fewer than two conditions have yearly figures beside yearly scores; no share can be pooled.")
    cov = np.array(errors) @ np.array(errors).T
    spread = spread_between(np.array(shares), np.diag(cov))
    weight = 1 / (spread + np.diag(cov))
    weight = weight / weight.sum()
    error = float(np.sqrt(weight @ cov @ weight + spread * (weight**2).sum()))
    return Share(float(weight @ np.array(shares)), error, float(np.sqrt(spread)), tuple(rows))


def _row(one: WithinSlope, full: float, full_error: float, share: float, error: float, counts: bool) -> Row:
    return {
        "condition": one.condition,
        "domain": one.domain,
        "period": f"{one.years[0]} to {one.years[-1]}",
        "within": one.slope,
        "within_std_error": one.std_error,
        "reliability": one.reliability,
        "same_survey": one.same_survey,
        "between": full,
        "between_std_error": full_error,
        "share": share if counts else float("nan"),
        "share_std_error": error if counts else float("nan"),
        "counts": counts,
    }
