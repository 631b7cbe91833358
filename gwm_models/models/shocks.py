"""What a downturn did to an indicator: its path over the areas together, and how far each area departed from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.draws import keyed_normals
from gwm_models.errors import ModelError
from gwm_models.models.yearly import Yearly, indicator_variable, yearly_series

Floats = NDArray[np.float64]

PROFILES = {"2009": 2009, "2020": 2020}
"""First year of each shock; changes are from the year before."""
LONGEST = 10
"""Years of a profile at most."""
FIRST_YEARS = 3
"""Years over which an area's departure is averaged; with fewer there is no profile."""
NEW_SURVEY = 2020


@dataclass(frozen=True, eq=False)
class Shock(Frozen):
    """What happened to one indicator from one year on.

    Attributes
    ----------
    indicator, profile : str
    base : int
        The year that changes are measured from.
    year : tuple of int, length n_years
        Of the path, the first year of the shock first, the last before it is over last.
    path : ndarray, shape (n_years,)
        Mean change over the units since the base year, in the indicator's unit.
    path_sd : ndarray, shape (n_years,)
        Standard error of that mean over units.
    unit : tuple of str, length n_areas
        The unit of each area of the edition, to key draws by.
    deviation, deviation_sd : ndarray, shape (n_areas,)
        How much further each area went than the mean over the first years of the shock, with survey noise taken out and
        shrunk; and its posterior standard deviation.
    persistence : ndarray, shape (n_years,)
        Share of the deviation that is there in each year, 0 to 1; about 1 in the first years.
    source : str
    notes : tuple of str
        What is assumed, in plain words.
    """

    indicator: str
    profile: str
    base: int
    year: tuple[int, ...]
    path: Floats
    path_sd: Floats
    unit: tuple[str, ...]
    deviation: Floats
    deviation_sd: Floats
    persistence: Floats
    source: str
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Return one line: indicator, years."""
        return f"Shock({self.indicator}: {self.year[0]} to {self.year[-1]} against {self.base})"

    def by_area(self) -> Floats:
        """Return the most probable change of every area since the base year, shape (n_years, n_areas)."""
        return np.asarray(self.path[:, None] + self.persistence[:, None] * self.deviation)

    def draw_deviation(self, n_draws: int, seed: int) -> Floats:
        """Draw each area's deviation, shape (n_draws, n_areas); areas of one unit share its draw."""
        normals = keyed_normals(seed, f"shock:{self.profile}:{self.indicator}", self.unit, n_draws)
        return self.deviation + self.deviation_sd * normals


@lru_cache(maxsize=16)
def shock_profile(edition: Edition, indicator_id: str, profile: str) -> Shock:
    """Take the profile of a shock from the yearly figures of an indicator.

    The path is the mean change of the units since the year before the shock, up to the last year before the mean is
    back where it started (see `years_of_harm`), or to the end of the figures. An ordinary trend of those years is part
    of it. An area's departure from it, averaged over the first three years, is shrunk by what published limits say of
    survey noise, that of the base year included (empirical Bayes).

    Parameters
    ----------
    edition : Edition
    indicator_id : str
    profile : {"2009", "2020"}

    Raises
    ------
    ValueError
        If there is no such indicator or profile.
    ModelError
        If the indicator has no yearly figures of those years, or its figures hold no national movement.

    References
    ----------
    Morris (1983), JASA 78, 47-55 (empirical Bayes). Paule & Mandel (1982), Journal of Research of the National Bureau
    of Standards 87, 377-385 (spread between units, noise known).
    """
    if profile not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}; got {profile!r}.")
    if indicator_id not in edition.spec.indicator_ids:
        raise ValueError(f"edition {edition.name} has no indicator {indicator_id!r}.")
    first = PROFILES[profile]
    series = _series(edition, indicator_id, first)
    change, noise = changes_since(series.between(first - 1, first - 1 + LONGEST))
    recorded = series.between(first, first - 1 + LONGEST).year
    found = departures(change, noise)
    place = np.unique(edition.areas.unit, return_inverse=True)[1]
    spec = edition.spec.indicators[edition.spec.indicator_ids.index(indicator_id)]
    lasts = years_of_harm(spec.direction * found.path)
    year = recorded[:lasts]
    return Shock(
        indicator=indicator_id,
        profile=profile,
        base=first - 1,
        year=year,
        path=found.path[:lasts],
        path_sd=found.path_sd[:lasts],
        unit=edition.areas.unit,
        deviation=found.deviation[place],
        deviation_sd=found.deviation_sd[place],
        persistence=found.persistence[:lasts],
        source=f"{spec.label}: change since {first - 1}, {year[0]} to {year[-1]}, {len(change)} units; {spec.source}",
        notes=_notes(spec.label, year, returned=lasts < len(recorded)),
    )


def years_of_harm(gain: Floats) -> int:
    """Return how many years a shock lasts: until the mean is first back where it started, after its worst year.

    What follows is no part of the shock: a rate that goes on to pass its start does so for other reasons.

    Parameters
    ----------
    gain : ndarray, shape (n_years,)
        Mean change since the year before the shock, more being better.

    Examples
    --------
    >>> years_of_harm(np.array([-0.1, -0.6, -0.3, 0.2, 0.9]))
    3
    """
    worst = int(np.argmin(gain))
    back = np.flatnonzero(gain[worst:] >= 0)
    return max(worst + int(back[0]), 1) if len(back) else len(gain)


def _series(edition: Edition, indicator_id: str, first: int) -> Yearly:
    """Return the series behind an indicator, or say why there is no shock in it."""
    spec = edition.spec.indicators[edition.spec.indicator_ids.index(indicator_id)]
    other = "Take the shock of an indicator that has them (economic activity, unemployment), or state a path."
    try:
        series = yearly_series(edition, indicator_variable(spec))
    except ModelError as error:
        raise ModelError(
            f"'{indicator_id}' has no yearly figures, so no shock can be taken from them. {other}"
        ) from error
    if series.relative:
        raise ModelError(
            f"'{indicator_id}' is known against the median unit only, as no index of national prices is at hand, so "
            f"what a shock did to it everywhere cannot be told. {other}"
        )
    needed = range(first - 1, first + FIRST_YEARS)
    if not {*needed} <= {*series.year}:
        raise ModelError(
            f"'{indicator_id}' has yearly figures from {series.year[0]} to {series.year[-1]}; the shock of {first} "
            f"needs {needed[0]} to {needed[-1]}. {other}"
        )
    return series


def changes_since(series: Yearly) -> tuple[Floats, Floats]:
    """Return changes since the first year of a series and the covariance of their noise.

    Returns
    -------
    change : ndarray, shape (n_units, n_years - 1)
        NaN where either year has no figure.
    noise : ndarray, shape (n_units, n_years - 1, n_years - 1)
    """
    both = series.noise()
    noise = both[:, 1:, 1:] - both[:, 1:, :1] - both[:, :1, 1:] + both[:, :1, :1]
    return series.value[:, 1:] - series.value[:, :1], noise


@dataclass(frozen=True, eq=False)
class Departures(Frozen):
    """The path of units together and what each departs from it; see `Shock`."""

    path: Floats
    path_sd: Floats
    deviation: Floats
    deviation_sd: Floats
    persistence: Floats


def departures(change: Floats, noise: Floats) -> Departures:
    """Split changes of units into their mean and shrunk departures.

    Parameters
    ----------
    change : ndarray, shape (n_units, n_years)
        Since the year before; NaN where there is no figure. A unit without one in the first years departs by zero, with
        the spread of all units as its standard deviation.
    noise : ndarray, shape (n_units, n_years, n_years)

    References
    ----------
    Paule & Mandel (1982), Journal of Research of the National Bureau of Standards 87, 377-385.
    """
    seen = np.isfinite(change)
    number = seen.sum(axis=0)
    path = np.nanmean(change, axis=0)
    apart = np.where(seen, change - path, np.nan)
    window = slice(0, FIRST_YEARS)
    known = np.asarray(seen[:, window].all(axis=1))
    mean = apart[:, window].mean(axis=1)
    variance = noise[:, window, window].mean(axis=(1, 2))
    spread = spread_between(mean[known], variance[known])
    kept = np.where(known, spread / np.where(spread + variance > 0, spread + variance, 1.0), 0.0)
    shared = noise[:, :, window].mean(axis=2)
    return Departures(
        path=path,
        path_sd=np.nanstd(apart, axis=0) / np.sqrt(number),
        deviation=np.where(known, kept * np.nan_to_num(mean), 0.0),
        deviation_sd=np.sqrt(spread * (1 - kept)),
        persistence=_persistence(apart, mean, shared, known, spread),
    )


def spread_between(value: Floats, variance: Floats) -> float:
    """Return the variance between units beyond known noise: where the weighted sum of squares is what it should be.

    Zero where noise alone accounts for the differences.

    Examples
    --------
    >>> round(spread_between(np.array([-3.0, -1.0, 1.0, 3.0]), np.full(4, 2.0)), 3)
    4.667
    """

    def excess(spread: float) -> float:
        weight = 1 / (spread + variance)
        mean = weight @ value / weight.sum()
        return float(weight @ (value - mean) ** 2) - (len(value) - 1)

    low, high = 0.0, float(value.var(ddof=1)) + 1e-12
    if (variance <= 0).any():
        return max(float(value.var(ddof=1) - variance.mean()), 0.0)
    if excess(low) <= 0:
        return 0.0
    while excess(high) > 0:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return (low + high) / 2


def _persistence(apart: Floats, mean: Floats, shared: Floats, known: NDArray[np.bool_], spread: float) -> Floats:
    """Return the share of a true departure that is there in each year: covariance without noise, over its variance."""
    years = apart.shape[1]
    if spread <= 0:
        return np.zeros(years)
    share = np.zeros(years)
    for t in range(years):
        used = known & np.isfinite(apart[:, t])
        both = np.cov(apart[used, t], mean[used])[0, 1] - shared[used, t].mean()
        share[t] = both / spread
    return np.clip(share, 0.0, 1.0)


def _notes(label: str, year: tuple[int, ...], *, returned: bool) -> tuple[str, ...]:
    name = label[0].lower() + label[1:]
    end = f"by {year[-1] + 1} the mean was back where it started" if returned else f"the figures end in {year[-1]}"
    notes = [
        f"The shock to {name} lasts {len(year)} years, since {end}; after that it is taken to be over, for every area. "
        "Ordinary change in those years is part of it; later gains beyond the start are not.",
        "Departures of areas are of the first years, with survey noise taken out; what of them lasts is what lasts in "
        "all areas together.",
    ]
    if year[0] >= NEW_SURVEY:
        notes.append("The survey changed its method in 2020, so part of the change is that.")
    return tuple(notes)
