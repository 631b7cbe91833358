"""How far trends were off before, by years ahead: their spread is scaled by what errors of earlier origins show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition, load_edition
from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError
from gwm_models.files import plain
from gwm_models.models.damped import Damped
from gwm_models.models.store import Record, find, fingerprint, remember
from gwm_models.models.trend import Trend, draw_trend
from gwm_models.models.trend_errors_past import PastErrors, past_errors
from gwm_models.models.trend_scale import scale_of
from gwm_models.models.yearly import indicator_variable, yearly_series

Floats = NDArray[np.float64]
Row = dict[str, object]

MODULE = "models.trend_error"
FILE = "trend-errors"
"""Name of the stored factors, without its ending."""
BELIEF = 4.0
"""What the model's own spread is taken to be worth beforehand, in errors seen: the least for a finite variance."""
MEAN = ":mean"
"""How the key of a trend of the mean of the units ends."""


@dataclass(frozen=True, eq=False)
class Widening(Frozen):
    """Factors on the variance of trends.

    Attributes
    ----------
    variable : tuple of str, length n_variables
        Yearly series whose units have a factor of their own.
    own : ndarray, shape (n_variables,)
        On the variance of a unit's forecast against the mean of the units.
    pooled : float
        The same for a series that is not among them.
    common : ndarray, shape (n_horizons,)
        On the squared scale of the forecast of the mean of the units, one to `n_horizons` years ahead; the last holds
        for all years after.
    freedom : ndarray, shape (n_horizons,)
        Degrees of freedom of that scale: what its forecasts have in common is Student's t, not normal.
    errors : int
        Forecasts of a mean that `common` rests on.
    """

    variable: tuple[str, ...]
    own: Floats
    pooled: float
    common: Floats
    freedom: Floats
    errors: int

    def __repr__(self) -> str:
        """Return one line: how many errors it rests on, and the factors one year ahead."""
        return f"Widening({self.errors} errors; mean {self.common[0]:.2f}, units {self.pooled:.2f})"

    def own_factor(self, variable: str) -> float:
        """Return the factor on the variance of the units of a series."""
        place = self.variable.index(variable) if variable in self.variable else None
        return self.pooled if place is None else float(self.own[place])

    def common_scale(self, years_ahead: int, uniform: Floats) -> Floats:
        """Return what each draw's departure of the mean is multiplied by, shape (n_draws,).

        Parameters
        ----------
        years_ahead : int
            From 1 up.
        uniform : ndarray, shape (n_draws,)
            Says how wide the mean's errors are in each draw: the same for all years ahead.
        """
        from scipy.special import chdtri

        h = min(years_ahead, len(self.common)) - 1
        freedom = self.freedom[h]
        return np.asarray(np.sqrt(self.common[h] * freedom / chdtri(freedom, uniform)))

    def rows(self) -> list[Row]:
        """Return a row for each factor."""
        found: list[Row] = [
            {"part": "areas against their mean", "variable": name, "years_ahead": None, "factor": float(factor)}
            for name, factor in zip(self.variable, self.own, strict=True)
        ]
        found.append(
            {"part": "areas against their mean", "variable": "any other", "years_ahead": None, "factor": self.pooled}
        )
        for h, (factor, freedom) in enumerate(zip(self.common, self.freedom, strict=True), start=1):
            row: Row = {"part": "mean of the areas", "variable": "all", "years_ahead": h, "factor": float(factor)}
            found.append({**row, "degrees_of_freedom": float(freedom)})
        return [{"degrees_of_freedom": None, **row} for row in found]


def widening(errors: Iterable[PastErrors], *, until: int | None = None) -> Widening:
    """Estimate factors from the errors of earlier origins, pooled as their number allows.

    A forecast's squared error over its variance should be one on average. Of the mean of the units it is taken for each
    number of years ahead over all series together, since each series has a mean only once a year; of units against
    their mean for each series over all years ahead, known survey noise taken off. Errors h years ahead overlap, so each
    counts as 1/h. The model's own spread counts as much as `BELIEF` errors that are what it says.

    Parameters
    ----------
    errors : iterable of PastErrors
    until : int, optional
        Use only errors that had been seen by that year.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 2.6 (scaled inverse chi-squared). West & Harrison
    (1997), Bayesian Forecasting and Dynamic Models, 2nd ed., section 2.5 (learning a variance from forecast errors).
    """
    used = [each.until(until) for each in errors]
    horizons = max((int(each.horizon.max()) for each in used if len(each.horizon)), default=1)
    squares, number, counted = np.zeros(horizons), np.zeros(horizons), 0
    for each in used:
        for h, z in zip(each.horizon.tolist(), each.mean_score(), strict=True):
            if np.isfinite(z):
                squares[h - 1] += z**2 / h
                number[h - 1] += 1 / h
                counted += 1
    own = [each.own_factor() for each in used]
    weight = np.array([n for _, n in own])
    raw = np.array([k for k, _ in own])
    every = float((BELIEF + weight @ raw) / (BELIEF + weight.sum())) if own else 1.0
    return Widening(
        variable=tuple(each.variable for each in used),
        own=(BELIEF + weight * raw) / (BELIEF + weight),
        pooled=every,
        common=(BELIEF + squares) / (BELIEF + number),
        freedom=BELIEF + number,
        errors=counted,
    )


def default_widening() -> Widening:
    """Return the factors that the whole panel of the default edition shows, stored or estimated anew.

    They are of the method, so they hold for trends of other editions too.
    """
    key = widening_key()
    record = find(FILE, key)
    if record is None:
        record = widening_record(load_edition())
        remember(key, record)
    facts = record.facts["models"]
    arrays = {name: np.array(record.arrays[name][1]) for name in ("own", "common", "freedom")}
    return Widening(tuple(record.facts["variables"]), pooled=facts["pooled"], errors=int(facts["errors"]), **arrays)


def widening_key() -> str:
    """Return the fingerprint of the factors."""
    return fingerprint(MODULE, load_edition(), FILE)


def widening_record(edition: Edition) -> Record:
    """Estimate the factors anew on the panel of an edition, in the form in which they are stored: some 15 seconds."""
    found = widening(panel_errors(edition))
    arrays = {
        "own": (("series",), np.array(found.own)),
        "common": (("years_ahead",), np.array(found.common)),
        "freedom": (("years_ahead",), np.array(found.freedom)),
    }
    numbers = {"pooled": found.pooled, "errors": found.errors}
    numbers |= {f"own {name}": float(factor) for name, factor in zip(found.variable, found.own, strict=True)}
    numbers |= {f"mean {h} ahead": float(factor) for h, factor in enumerate(found.common, start=1)}
    return Record(arrays, plain({"variables": found.variable, "models": numbers}, keep_nan=True))


@lru_cache(maxsize=2)
def panel_errors(edition: Edition) -> tuple[PastErrors, ...]:
    """Return the past errors of every indicator of an edition that has a yearly series."""
    found = []
    for indicator in edition.spec.indicators:
        try:
            series = yearly_series(edition, indicator_variable(indicator))
        except ModelError:
            continue
        found.append(past_errors(series, scale_of(indicator, relative=series.relative)))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class WidenedTrend(Trend):
    """A trend whose draws spread as far as its errors did before; its expected change is the same.

    Attributes
    ----------
    widening : Widening
    variables : mapping of str to str
        Yearly series behind each indicator.
    """

    widening: Widening
    variables: Mapping[str, str]

    def _forecast(
        self, fit: Damped, key: str, normals: Floats, ahead: list[int], order: tuple[int, ...], start: int
    ) -> Floats:
        change = super()._forecast(fit, key, normals, ahead, order, start)
        uniform = keyed_rng(self.seed, f"{key}:width").random(self.n_draws)[start : start + normals.shape[1]]
        for t, years in enumerate(ahead):
            if years:
                centre = fit.central(years)
                change[t] = centre + self._scale(key, years, uniform) * (change[t] - centre)
        return change

    def _scale(self, key: str, years: int, uniform: Floats) -> Floats:
        if key.endswith(MEAN):
            return self.widening.common_scale(years, uniform)[:, None]
        indicator = key.removeprefix("trend:")
        return np.asarray(np.sqrt(self.widening.own_factor(self.variables[indicator])))


def widen(trend: Trend, found: Widening) -> WidenedTrend:
    """Return a trend with the spread of its draws scaled."""
    variables = {one.id: indicator_variable(one) for one in trend.edition.spec.indicators}
    return WidenedTrend(
        trend.edition,
        trend.n_draws,
        trend.seed,
        trend.parts,
        trend.without,
        (*trend.notes, note(found)),
        widening=found,
        variables=variables,
    )


@lru_cache(maxsize=4)
def widened_trend(edition: Edition, n_draws: int, seed: int) -> WidenedTrend:
    """Return the trends of an edition as `draw_trend` does, spread as far as their errors were before."""
    return widen(draw_trend(edition, n_draws, seed), default_widening())


def note(found: Widening) -> str:
    """Say in plain words what was done to the spread."""
    first, last = found.common[0], found.common[-1]
    return (
        f"Forecasts of the mean of the areas were further off, in {found.errors} trials on earlier years, than the "
        f"trends alone allow: their variance is multiplied by {first:.1f} one year ahead and by {last:.1f} "
        f"{len(found.common)} years ahead and after, with the tails of so few trials; that of areas against their mean "
        f"by {found.own.min():.1f} to {found.own.max():.1f}."
    )
