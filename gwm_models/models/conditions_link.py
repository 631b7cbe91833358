"""Links between the conditions for good work and the scores: between areas, and within areas over time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.data.home import data_home
from gwm_models.data.index_spec import IndicatorSpec, read_index
from gwm_models.data.tables import read_table
from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError
from gwm_models.index.calibration import by_unit
from gwm_models.models.conditions_within import Share, pooled_share, within_slope
from gwm_models.models.panel.table import yearly_figures
from gwm_models.models.yearly import yearly_series

Floats = NDArray[np.float64]
Row = dict[str, object]

LEAST_UNITS = 30
"""Units with a figure that a slope between areas needs."""


@dataclass(frozen=True, eq=False)
class ConditionLinks(Frozen):
    """The conditions that open figures stand in for, and how the domain scores go with them.

    Attributes
    ----------
    conditions, labels, units, periods, sources : tuple of str, length n_conditions
    variables : tuple of str
        The variable of the indicators table that stands in for each.
    direction : tuple of int
        In which more is better, 1 or -1.
    limits : ndarray, shape (n_conditions, 2)
        Hard limits of the levels.
    level : ndarray, shape (n_areas, n_conditions)
        NaN where an area has no figure.
    domains : tuple of str
    between : ndarray, shape (n_conditions, n_domains)
        Points of a domain per unit of a condition, between areas of one region.
    between_root : ndarray, shape (n_conditions * n_domains, n_units)
        Root of the covariance of those slopes, conditions first: what each unit adds to their errors.
    n : ndarray of int, shape (n_conditions,)
        Units behind each slope.
    share : Share
        How much of them moves within areas.
    """

    conditions: tuple[str, ...]
    labels: tuple[str, ...]
    units: tuple[str, ...]
    periods: tuple[str, ...]
    sources: tuple[str, ...]
    variables: tuple[str, ...]
    direction: tuple[int, ...]
    limits: Floats
    level: Floats
    domains: tuple[str, ...]
    between: Floats
    between_root: Floats
    n: NDArray[np.int64]
    share: Share

    def __repr__(self) -> str:
        """Return one line: conditions and domains."""
        return f"ConditionLinks({len(self.conditions)} conditions, {len(self.domains)} domains)"

    def place(self, name: str) -> int:
        """Return the place of a condition, by its id or its variable.

        Raises
        ------
        ValueError
            If there is no such condition.
        """
        for names in (self.conditions, self.variables):
            if name in names:
                return names.index(name)
        raise ValueError(f"no condition {name!r}; there are {', '.join(self.conditions)}.")

    @property
    def between_error(self) -> Floats:
        """Standard errors of `between`, robust to unequal variances (HC3)."""
        return np.asarray(np.sqrt((self.between_root**2).sum(axis=1)).reshape(self.between.shape))

    def central(self) -> tuple[Floats, Floats]:
        """Return the slopes between and within at their central values, each of shape (1, n_conditions, n_domains)."""
        return self.between[None], self.share.mean * self.between[None]

    def rows(self) -> list[Row]:
        """Return a row for each condition and domain: the slope between areas, for a standard deviation too."""
        error, spread = self.between_error, np.nanstd(self.level, axis=0)
        return [
            {
                "condition": name,
                "label": self.labels[c],
                "domain": domain,
                "estimate": float(self.between[c, d]),
                "std_error": float(error[c, d]),
                "unit": f"points per {self.units[c]}",
                "per_sd": float(self.between[c, d] * spread[c]),
                "n": int(self.n[c]),
            }
            for c, name in enumerate(self.conditions)
            for d, domain in enumerate(self.domains)
        ]

    def words(self) -> tuple[str, ...]:
        """Return what is assumed, in plain words."""
        measured = sum(bool(row["counts"]) for row in self.share.rows)
        mean, sd = self.share.mean, self.share.sd
        return (
            "between: scores go with a condition as they do between areas of one region, one condition at a time; what "
            "else such areas differ in comes with it, so this is an association, and an upper end.",
            f"within: the share of that association that moves inside areas from year to year. Over {measured} pairs "
            f"of a condition and a domain with yearly figures it is {mean:.2f} (standard deviation for one more "
            f"condition {sd:.2f}), drawn from a normal distribution with these and used for all conditions, those "
            f"without yearly figures too.",
            self.share.words(),
            "Where condition and scores are asked of the same people, chance moves both: it is taken to do so as true "
            "differences between areas do, and taken out.",
            "Years are few, and yearly movement shows quick effects only: skills and firms may take longer than the "
            "figures reach.",
        )


@lru_cache(maxsize=4)
def condition_links(edition: Edition) -> ConditionLinks:
    """Fit how the domain scores of an edition go with the conditions for good work.

    Between areas: each domain on each condition by itself, region effects out, least squares over the units. One
    condition at a time, because conditions stand in for one another, and slopes adjusted for all others change sign
    with what they are adjusted for; within regions, because regions differ in prices and markets that no area can
    change, and such slopes are mostly the smaller. Survey noise in a condition is not corrected for: no limits are
    published, and most conditions are not from surveys.

    Within areas: see `pooled_share`.

    Parameters
    ----------
    edition : Edition

    Raises
    ------
    ModelError
        If the areas of the edition have no figures of conditions.

    References
    ----------
    MacKinnon & White (1985), Journal of Econometrics 29, 305-325 (HC3). Mundlak (1978), Econometrica 46, 69-85 (between
    and within).
    """
    unit, weights = edition.areas.units()
    specs = [spec for spec in read_index(data_home() / "conditions.yaml").indicators if spec.values]
    levels = np.column_stack([_level(spec, unit) for spec in specs])
    if (np.isfinite(levels).sum(axis=0) < LEAST_UNITS).any():
        raise ModelError(
            f"The {len(unit)} units of edition {edition.name} have too few figures of the conditions for good work (at "
            f"least {LEAST_UNITS} are needed); scenarios there change indicators only."
        )
    scores, region = by_unit(edition.domain_scores, weights), _regions(edition, unit)
    fits = [between_slopes(scores, levels[:, c], region) for c in range(len(specs))]
    between = np.array([fit[0] for fit in fits])
    root = np.array([fit[1] for fit in fits])
    names, domains = tuple(spec.id for spec in specs), edition.spec.domain_ids
    place = np.unique(edition.areas.unit, return_inverse=True)[1]
    return ConditionLinks(
        conditions=names,
        labels=tuple(spec.label for spec in specs),
        units=tuple(spec.unit for spec in specs),
        periods=tuple(spec.period for spec in specs),
        sources=tuple(spec.source for spec in specs),
        variables=tuple(str(spec.values["variable"]) for spec in specs),
        direction=tuple(spec.direction for spec in specs),
        limits=np.array([_limits(spec) for spec in specs]),
        level=levels[place],
        domains=domains,
        between=between,
        between_root=root.reshape(-1, len(unit)),
        n=np.isfinite(levels).sum(axis=0),
        share=_share(edition, specs, between, root),
    )


def _share(edition: Edition, specs: list[IndicatorSpec], between: Floats, root: Floats) -> Share:
    """Pool the share that moves within areas over all conditions and domains with yearly figures."""
    slopes, full, influence = [], {}, {}
    for c, spec in enumerate(specs):
        try:
            series = yearly_series(edition, str(spec.values["variable"]))
        except ModelError:
            continue
        for d, domain in enumerate(edition.spec.domain_ids):
            found = within_slope(edition, spec.id, series, domain)
            if found is not None:
                slopes.append(found)
                full[spec.id, domain], influence[spec.id, domain] = float(between[c, d]), root[c, d]
    return pooled_share(slopes, full, influence)


def _level(spec: IndicatorSpec, unit: tuple[str, ...]) -> Floats:
    """Return the figure that stands in for a condition, by unit."""
    periods = {str(period): float(weight) for period, weight in spec.values["periods"].items()}
    value, _ = yearly_figures("indicators", str(spec.values["variable"]), "Persons", unit, tuple(periods))
    return np.asarray(value @ np.array(list(periods.values())))


def _limits(spec: IndicatorSpec) -> tuple[float, float]:
    """Return hard limits of a condition: those of its figure, where the definition states none."""
    row = read_table("variables", where={"variable": str(spec.values["variable"])})
    low, high = (float(row[name][0]) for name in ("lower_limit", "upper_limit"))
    return spec.hard_limits[0] if np.isnan(low) else low, spec.hard_limits[1] if np.isnan(high) else high


def _regions(edition: Edition, unit: tuple[str, ...]) -> NDArray[np.int64]:
    region = dict(zip(edition.areas.unit, edition.areas.region, strict=True))
    return np.asarray(np.unique([region[code] for code in unit], return_inverse=True)[1], dtype=np.int64)


def between_slopes(scores: Floats, level: Floats, region: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return slopes of every domain on one condition between units of one region.

    Parameters
    ----------
    scores : ndarray, shape (n_units, n_domains)
    level : ndarray, shape (n_units,)
        NaN where a unit has no figure: it is left out.
    region : ndarray of int, shape (n_units,)

    Returns
    -------
    slope : ndarray, shape (n_domains,)
    influence : ndarray, shape (n_domains, n_units)
        What each unit adds to the error of each slope: jackknifed residuals, so that ``influence @ influence.T`` is the
        HC3 covariance.

    References
    ----------
    MacKinnon & White (1985), Journal of Econometrics 29, 305-325.
    """
    known = np.isfinite(level)
    dummies = (region[known, None] == np.unique(region[known])).astype(float)
    number = dummies.sum(axis=0)
    x = level[known] - dummies @ (dummies.T @ level[known] / number)
    y = scores[known] - dummies @ ((dummies.T @ scores[known]) / number[:, None])
    square = float(x @ x)
    slope = x @ y / square
    leverage = x**2 / square + dummies @ (1 / number)
    influence = np.zeros((scores.shape[1], len(level)))
    influence[:, known] = ((y - np.outer(x, slope)) * (x / square / (1 - leverage))[:, None]).T
    return slope, influence


def draw_condition_slopes(links: ConditionLinks, n_draws: int, seed: int) -> tuple[Floats, Floats]:
    """Draw the slopes of all conditions jointly.

    Parameters
    ----------
    links : ConditionLinks
    n_draws, seed : int

    Returns
    -------
    between, within : ndarray, shape (n_draws, n_conditions, n_domains)
        Points of a domain per unit of a condition. The slope within is the one between times a share of the condition,
        drawn from a normal, below zero too: the yearly figures do not rule that out.
    """
    value, vector = np.linalg.eigh(links.between_root @ links.between_root.T)
    root = vector * np.sqrt(np.maximum(value, 0.0))
    normals = keyed_rng(seed, "conditions:between").standard_normal((n_draws, len(root)))
    between = links.between + np.einsum("sj,kj->sk", normals, root).reshape(n_draws, *links.between.shape)
    luck = [keyed_rng(seed, "conditions:share", name).standard_normal(n_draws) for name in links.conditions]
    share = links.share.mean + links.share.sd * np.column_stack(luck)
    return between, share[..., None] * between
