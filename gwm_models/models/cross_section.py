"""One outcome and the index side by side, a row for each unit: what every cross-section model is fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition, published_std_error, unit_values
from gwm_models.data.tables import Table, read_table
from gwm_models.data.vocabulary import MONITOR
from gwm_models.errors import ModelError
from gwm_models.index.conditions import load_conditions
from gwm_models.index.sampling import sampling_error
from gwm_models.models.outcomes import Outcome

Floats = NDArray[np.float64]

LEAST_UNITS = 10
DEGREES, DEGREES_PERIOD = "nvq4plus_share_16_64", "2018-01/2018-12"
CHRISTCHURCH = ("E06000058", "E06000059")
"""Christchurch moved from Dorset to the first in 2019: only their populations together are those of Monitor areas."""


@dataclass(frozen=True, eq=False)
class CrossSection(Frozen):
    """Units of one cross-section, all arrays in the same order.

    Areas that share a unit's figures are one row, their scores merged by population. A unit without a figure has NaN.

    Attributes
    ----------
    outcome : Outcome
    code, name, region : tuple of str, length n
    value, error : ndarray, shape (n,)
        The outcome, and its standard error from published limits.
    total, total_error : ndarray, shape (n,)
        Score points, and the standard error that surveying a sample leaves in them.
    domains : ndarray, shape (n, n_domains)
    domain_cov : ndarray, shape (n, n_domains, n_domains)
        Sampling covariance; areas that share a unit share its error.
    indicators : ndarray, shape (n, n_indicators)
        Levels, in the unit of each.
    domain_ids, indicator_ids : tuple of str
    shared : ndarray of bool, shape (n,)
        Units that stand for more than one area.
    population, density : ndarray, shape (n,)
        Residents mid-2019, and residents per square kilometre.
    deprivation, degrees, conditions : ndarray, shape (n,)
        Index of Multiple Deprivation 2019 (average score); % of 16-64 with a degree or its like (2018); the printed
        total of Conditions for Good Work.
    borders : ndarray of int, shape (n_pairs, 2)
        Places of units that share a border, each pair once.
    """

    outcome: Outcome
    code: tuple[str, ...]
    name: tuple[str, ...]
    region: tuple[str, ...]
    value: Floats
    error: Floats
    total: Floats
    total_error: Floats
    domains: Floats
    domain_cov: Floats
    indicators: Floats
    domain_ids: tuple[str, ...]
    indicator_ids: tuple[str, ...]
    shared: NDArray[np.bool_]
    population: Floats
    density: Floats
    deprivation: Floats
    degrees: Floats
    conditions: Floats
    borders: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.code)

    def keep(self, *needed: tuple[NDArray[Any], str]) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
        """Return which units have every figure that is needed, and the others by name, each with the reason.

        Parameters
        ----------
        *needed : (array, reason)
            Array of shape (n,) or (n, k), NaN where missing (or of bool, False where left out), and why a unit without
            it is left out.

        Raises
        ------
        ModelError
            If fewer than ten units are left, with the reason that most were left out for.
        """
        kept = np.ones(len(self), dtype=bool)
        left_out: list[str] = []
        lost: dict[str, int] = {}
        for values, reason in (*self._unreliable(), *needed):
            known = np.where(values, 1.0, np.nan) if values.dtype == bool else values
            here = np.isfinite(known.reshape(len(self), -1)).all(axis=1)
            gone = kept & ~here
            lost[reason] = int(gone.sum())
            left_out += [f"{self.name[i]} ({reason})" for i in np.flatnonzero(gone)]
            kept &= here
        if kept.sum() < LEAST_UNITS:
            most = max(lost, key=lambda reason: lost[reason]) if lost else "no units"
            raise ModelError(
                f"{self.outcome.label}: {kept.sum()} of {len(self)} units can be used, a fit needs {LEAST_UNITS} or "
                f"more; most are left out for: {most}."
            )
        return kept, tuple(left_out)

    def _unreliable(self) -> list[tuple[NDArray[np.bool_], str]]:
        """Return which units are used although their outcome is published, and why others are not."""
        left_out = list(self.outcome.unreliable)
        if self.outcome.kind == "count":
            left_out += [
                (unit, "its residents are only known together with a unit that is missing") for unit in CHRISTCHURCH
            ]
        return [(np.array([code != unit for code in self.code]), why) for unit, why in left_out if unit in self.code]

    def borders_of(self, kept: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return borders between the units that are kept, as places among them."""
        place = np.cumsum(kept) - 1
        both = kept[self.borders].all(axis=1)
        return np.asarray(place[self.borders[both]])


@lru_cache(maxsize=64)
def cross_section(edition: Edition, outcome: Outcome) -> CrossSection:
    """Set one outcome against an edition of the index, a row for each unit.

    Counts cannot use the two units that Christchurch moved between apart, as only their populations together are known
    for the Monitor's areas: they are one row.

    Raises
    ------
    ModelError
        If no unit of the edition has a figure of the outcome.
    """
    together = CHRISTCHURCH if outcome.kind == "count" and set(CHRISTCHURCH) <= set(edition.areas.unit) else ()
    code, place, merge = _units(edition, together)
    by_area = _by_unit(edition, outcome)
    names = _unit_names()
    areas = edition.areas
    population = np.bincount(place, weights=areas.population, minlength=len(code)).astype(float)
    first = [int(np.flatnonzero(place == u)[0]) for u in range(len(code))]
    value, error = _merged(by_area, edition.areas.unit, code, outcome)
    unusable = dict(outcome.unreliable)
    value = np.where([unit in unusable for unit in code], np.nan, value)
    if not np.isfinite(value).any():
        raise ModelError(f"{outcome.label}: no unit of {edition.name} has a figure for {outcome.period}.")
    domain_cov = _merged_cov(edition, merge)
    return CrossSection(
        outcome=outcome,
        code=code,
        name=tuple(
            " with ".join(names.get(part, _area_name(edition, part)) for part in unit.split("+")) for unit in code
        ),
        region=tuple(areas.region[i] for i in first),
        value=value,
        error=error,
        total=merge @ edition.total,
        total_error=np.sqrt(domain_cov.sum(axis=(1, 2))),
        domains=merge @ edition.domain_scores,
        domain_cov=domain_cov,
        indicators=merge @ edition.values,
        domain_ids=edition.spec.domain_ids,
        indicator_ids=edition.spec.indicator_ids,
        shared=(merge > 0).sum(axis=1) > 1,
        population=population,
        density=population / _land_km2(edition, place, len(code)),
        deprivation=merge @ areas.deprivation,
        degrees=merge @ _degrees(edition),
        conditions=merge @ _conditions(edition),
        borders=_borders(place[areas.borders]),
    )


def _units(edition: Edition, together: tuple[str, ...]) -> tuple[tuple[str, ...], NDArray[np.int64], Floats]:
    """Return the units, the unit of each area, and the weights that merge areas into units by population."""
    joined = "+".join(together)
    unit = [joined if code in together else code for code in edition.areas.unit]
    code, place = np.unique(unit, return_inverse=True)
    weights = np.zeros((len(code), len(unit)))
    weights[place, np.arange(len(unit))] = edition.areas.population
    return tuple(map(str, code)), place, weights / weights.sum(axis=1, keepdims=True)


def _by_unit(edition: Edition, outcome: Outcome) -> list[Table]:
    unit = tuple(dict.fromkeys(edition.areas.unit))
    return [unit_values(outcome.table, outcome.variable, period, unit, sex=outcome.sex) for period in outcome.periods]


def _merged(
    tables: list[Table], units: tuple[str, ...], code: tuple[str, ...], outcome: Outcome
) -> tuple[Floats, Floats]:
    """Return the outcome summed over periods (and over units counted together), and its standard error."""
    row = {unit: i for i, unit in enumerate(dict.fromkeys(units))}
    whole = np.sum([table["value"] for table in tables], axis=0)
    limits = published_std_error(tables[0]) if outcome.kind == "level" else np.full(len(row), np.nan)
    value = np.array([sum(whole[row[part]] for part in name.split("+")) for name in code])
    return value, np.array([limits[row[name]] if name in row else np.nan for name in code])


def _merged_cov(edition: Edition, merge: Floats) -> Floats:
    """Return the sampling covariance of merged domain scores, shape (n_units, d, d).

    Areas with the figures of one published unit have one error, so their roots are added; different units were surveyed
    apart, so their covariances are.
    """
    root = np.linalg.cholesky(sampling_error(edition).domain_cov)
    published = np.unique(edition.areas.unit, return_inverse=True)[1]
    apart = np.eye(published.max() + 1)[published]
    shared = np.einsum("ua,ap,ade->upde", merge, apart, root, optimize=True)
    return np.asarray(np.einsum("upde,upfe->udf", shared, shared, optimize=True))


def _unit_names() -> dict[str, str]:
    table = read_table("units")
    return dict(zip(table["unit_code"].tolist(), table["unit_name"].tolist(), strict=True))


def _area_name(edition: Edition, unit: str) -> str:
    return edition.areas.name[edition.areas.unit.index(unit)]


def _land_km2(edition: Edition, place: NDArray[np.int64], n_units: int) -> Floats:
    table = read_table("areas")
    area = dict(zip(table["area_code"].tolist(), table["land_area_m2"].tolist(), strict=True))
    unit: dict[str, float] = {}
    for name, size in zip(table["unit_code"].tolist(), table["land_area_m2"].tolist(), strict=True):
        unit[name] = unit.get(name, 0.0) + size
    known = [area.get(code, unit.get(code, np.nan)) for code in edition.areas.code]
    return np.asarray(np.bincount(place, weights=known, minlength=n_units) / 1e6)


def _degrees(edition: Edition) -> Floats:
    return np.asarray(unit_values("indicators", DEGREES, DEGREES_PERIOD, edition.areas.unit)["value"], dtype=float)


def _conditions(edition: Edition) -> Floats:
    if edition.name != MONITOR:
        return np.full(len(edition.areas), np.nan)
    return load_conditions().total


def _borders(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return pairs of different units, each once and in order."""
    ordered = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
    return np.unique(ordered, axis=0) if len(ordered) else np.zeros((0, 2), dtype=np.int64)
