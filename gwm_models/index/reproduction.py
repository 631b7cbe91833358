"""Published scores against scores recomputed from open figures: area by area, with a status that the figures earn.

Four words, in every row:

reproduced  recomputed from figures published elsewhere; every score compared agrees to the printed decimal
calibrated  points per unit fitted to published scores; each area is predicted without its own score
proxy       an open figure, or a looser one, stands in: it fits, it is not the same
unknown     no open figure, or no rule that gives the printed score

A figure that was inferred from a published score is never used here: it would agree by construction.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from gwm_models.data.edition import Edition
from gwm_models.data.tables import read_table
from gwm_models.errors import DataError
from gwm_models.index.calibration import by_unit, calibrate
from gwm_models.index.scoring import Floats, score_index

PRINTED = 0.05
"""Half of the printed decimal."""
RATES = "access_domain_reproduction"
"""Table of the rates behind the access domain: published independently for some areas, from counts for all."""
TOTAL = "total"
OF_PRINTED = "sum of the printed domains"
FROM_WORST = ("unknown", "proxy", "calibrated", "reproduced")


@dataclass(frozen=True, eq=False)
class Reproduction:
    """One way to recompute one domain, or the total, set against what is published.

    Attributes
    ----------
    domain : str
        A domain's id, or ``total``.
    basis : str
        What it is recomputed from.
    status : {"reproduced", "calibrated", "proxy", "unknown"}
    published, estimate : ndarray, shape (n_areas,)
        Score points; the estimate is NaN where there are no figures.
    pairs : ndarray, shape (2, n)
        The published and the recomputed scores that are compared: of areas, or of units where areas share figures.
    labels : tuple of str, length n
        Names of what is compared.
    n_open, n_indicators : int
        Indicators with open figures, and all.
    """

    domain: str
    basis: str
    status: str
    published: Floats
    estimate: Floats
    pairs: Floats
    labels: tuple[str, ...]
    n_open: int
    n_indicators: int

    def __repr__(self) -> str:
        """Return one line: domain, status, what it is compared on."""
        return f"Reproduction({self.domain}: {self.status}, {self.basis}, n {len(self.labels)})"

    @property
    def difference(self) -> Floats:
        """Published minus recomputed, of what is compared."""
        return np.asarray(self.pairs[0] - self.pairs[1])

    @property
    def std_error(self) -> float:
        """Root mean square of the differences: what a recomputed score is off by; NaN where nothing is compared."""
        return float(np.sqrt((self.difference**2).mean())) if len(self.labels) else np.nan

    @property
    def correlation(self) -> float:
        """Pearson correlation of published and recomputed scores."""
        return float(np.corrcoef(self.pairs[0], self.pairs[1])[0, 1]) if len(self.labels) > 2 else np.nan

    def to_row(self, level: float = 0.95) -> dict[str, Any]:
        """Return its agreement in one row."""
        gap = self.difference
        largest = int(np.abs(gap).argmax()) if len(gap) else None
        half = NormalDist().inv_cdf((1 + level) / 2) * self.std_error
        return {
            "domain": self.domain,
            "status": self.status,
            "basis": self.basis,
            "n_open": self.n_open,
            "n_indicators": self.n_indicators,
            "n": len(gap),
            "to_the_decimal": int((np.abs(gap) <= PRINTED + 1e-9).sum()),
            "correlation": self.correlation,
            "std_error": self.std_error,
            "mean_difference": float(gap.mean()) if len(gap) else np.nan,
            "largest_difference": float(gap[largest]) if largest is not None else np.nan,
            "largest_at": self.labels[largest] if largest is not None else "",
            "covered": float((np.abs(gap) <= half).mean()) if len(gap) else np.nan,
            "level": level,
        }


def reproduce(edition: Edition) -> tuple[Reproduction, ...]:
    """Recompute every domain and the total of an edition, in every way its open figures allow.

    A domain whose bounds are all exact is scored from its levels. Any other domain is regressed on its open indicators
    over the units (`calibrate`), and each unit is predicted by the line through all other units, so no score helps to
    recompute itself; `std_error` is then the leave-one-out error of prediction. Beside it stands, where every indicator
    of the domain has open figures, the score by the range of those figures, with nothing fitted.

    Parameters
    ----------
    edition : Edition
        The Monitor, `gwm_models.index.conditions.load_conditions`, or any other edition.

    Returns
    -------
    tuple of Reproduction
        Best first within each domain; the total last.

    Raises
    ------
    DataError
        If the edition has no published scores.

    References
    ----------
    OECD/JRC (2008), Handbook on Constructing Composite Indicators, step 8 (back to the data).
    """
    if not edition.published:
        raise DataError(
            f"The scores of {edition.name} are computed here, not published: there is nothing to reproduce."
        )
    found: list[Reproduction] = []
    for place, domain in enumerate(edition.spec.domain_ids):
        specs = [edition.spec.indicators[j] for j in edition.spec.members(domain)]
        if all(spec.exact for spec in specs) and {spec.values.get("table") for spec in specs} == {RATES}:
            found += _from_rates(edition, place)
        elif all(spec.exact for spec in specs):
            levels = score_index(edition.spec, edition.values).domain[:, place]
            found.append(_compared(edition, place, "indicator levels and stated bounds", levels))
        else:
            found += _from_open_figures(edition, place)
    return (*found, *_totals(edition, found))


def area_rows(edition: Edition, found: tuple[Reproduction, ...], *, level: float = 0.95) -> list[dict[str, Any]]:
    """Return published and recomputed scores, a row for each area, domain and total.

    Each area takes the first, best, way that has figures for it; where none has, the row says ``unknown``.

    Parameters
    ----------
    edition : Edition
    found : tuple of Reproduction
        From `reproduce`.
    level : float in (0, 1)
        Of the interval for the published score, ``estimate`` plus and minus normal quantiles of ``std_error``.

    Returns
    -------
    list of dict
        Areas in the order of the edition.
    """
    wide = NormalDist().inv_cdf((1 + level) / 2)
    rows = []
    for i, code in enumerate(edition.areas.code):
        for domain in (*edition.spec.domain_ids, TOTAL):
            ways = [way for way in found if way.domain == domain and way.basis != OF_PRINTED]
            way = next((way for way in ways if np.isfinite(way.estimate[i])), None)
            estimate, error = (float(way.estimate[i]), way.std_error) if way else (np.nan, np.nan)
            published = float(ways[0].published[i])
            rows.append(
                {
                    "area_code": code,
                    "area_name": edition.areas.name[i],
                    "domain": domain,
                    "status": way.status if way else "unknown",
                    "published": published,
                    "estimate": estimate,
                    "std_error": error,
                    "lower": estimate - wide * error,
                    "upper": estimate + wide * error,
                    "level": level,
                    "difference": published - estimate,
                    "n": len(way.labels) if way else 0,
                    "basis": way.basis if way else "open figures are missing",
                }
            )
    return rows


def independent_levels(edition: Edition) -> Floats:
    """Return the levels of an edition with every rate that was inferred from a published score replaced.

    The Monitor's own rates are known for 46 areas and inferred from the published score for 72: in their place come the
    rates from survey counts, for all areas. Other columns are as they are.

    Returns
    -------
    ndarray, shape (n_areas, n_indicators)
    """
    levels = np.array(edition.values)
    for j, spec in enumerate(edition.spec.indicators):
        if spec.values.get("table") == RATES:
            levels[:, j] = _rates(edition, spec.values["column"].replace("_16_64_1dp", "_from_counts"))
    return levels


def _from_rates(edition: Edition, place: int) -> list[Reproduction]:
    """Score a domain from rates published elsewhere, where they were, and from survey counts."""
    table = read_table(RATES)
    named = dict(zip(table["area_code"], table["basis_1dp"], strict=True))
    elsewhere = np.array([named[code].startswith("published") for code in edition.areas.code])
    printed = score_index(edition.spec, edition.values).domain[:, place]
    levels = independent_levels(edition)
    counts = score_index(edition.spec, levels).domain[:, place]
    rounded = score_index(edition.spec, np.round(levels, 1)).domain[:, place]
    return [
        _compared(edition, place, "rates published elsewhere, one decimal", np.where(elsewhere, printed, np.nan)),
        _compared(edition, place, "rates from survey counts, not rounded", counts),
        _compared(edition, place, "rates from survey counts, rounded to one decimal", rounded),
    ]


def _rates(edition: Edition, column: str) -> Floats:
    table = read_table(RATES)
    rate = dict(zip(table["area_code"], table[column], strict=True))
    return np.array([rate[code] for code in edition.areas.code])


def _from_open_figures(edition: Edition, place: int) -> list[Reproduction]:
    """Predict a domain from its open indicators, and score it by their range where all are open."""
    spec, domain = edition.spec, edition.spec.domain_ids[place]
    members = list(spec.members(domain))
    open_ = [j for j in members if np.isfinite(edition.values[:, j]).any()]
    if not open_:
        return [_compared(edition, place, "no open figures", np.full(len(edition.areas), np.nan), status="unknown")]
    unit, weights = edition.areas.units()
    fit = calibrate(edition, place, edition.values[:, open_])
    row = {code: i for i, code in enumerate(unit)}
    estimate = fit.left_out[[row[code] for code in edition.areas.unit]]
    exact = all(spec.indicators[j].bounds_status != "proxy" for j in open_)
    status = "calibrated" if exact else "proxy"
    basis = f"regression on {len(open_)} of {len(members)} indicators, each unit left out in turn"
    ways = [_compared(edition, place, basis, estimate, status=status, weights=weights)]
    if len(open_) == len(members):
        by_range = score_index(spec, edition.values, own_range=True).domain[:, place]
        basis = "range of the open figures, nothing fitted"
        ways.append(_compared(edition, place, basis, by_range, status="proxy", weights=weights))
    return ways


def _totals(edition: Edition, found: list[Reproduction]) -> list[Reproduction]:
    """Add up the best recomputed domains, and the printed domains, of the domains at the top."""
    spec = edition.spec
    tops = [name for name, above in zip(spec.domain_ids, spec.parents, strict=True) if above is None]
    ways = [[way for way in found if way.domain == name] for name in tops]
    best = [_best(of_domain) for of_domain in ways]
    status = min((of_domain[0].status for of_domain in ways), key=FROM_WORST.index)
    printed = edition.domain_scores[:, [spec.domain_ids.index(name) for name in tops]].sum(axis=1)
    _, weights = edition.areas.units()
    return [
        _compared(edition, None, "sum of the recomputed domains", np.sum(best, axis=0), status=status, weights=weights),
        _compared(edition, None, OF_PRINTED, printed, tolerance=PRINTED * (len(tops) + 1)),
    ]


def _best(ways: list[Reproduction]) -> Floats:
    estimate = np.full(len(ways[0].published), np.nan)
    for way in ways:
        estimate = np.where(np.isfinite(estimate), estimate, way.estimate)
    return estimate


def _compared(
    edition: Edition,
    place: int | None,
    basis: str,
    estimate: Floats,
    *,
    status: str | None = None,
    weights: Floats | None = None,
    tolerance: float = PRINTED,
) -> Reproduction:
    """Set recomputed scores against published ones; without a status, agreement to the decimal decides it."""
    spec = edition.spec
    published = edition.total if place is None else edition.domain_scores[:, place]
    names = edition.areas.name
    both = np.vstack([published, estimate])
    if weights is not None:
        both, names = by_unit(both.T, weights).T, tuple(names[i] for i in weights.argmax(axis=1))
    known = np.isfinite(both).all(axis=0)
    pairs = both[:, known]
    if status is None:
        agree = bool((np.abs(pairs[0] - pairs[1]) <= tolerance + 1e-9).all()) and known.any()
        status = "reproduced" if agree else "unknown" if place is None else "proxy"
    members = range(len(spec.indicators)) if place is None else spec.members(spec.domain_ids[place])
    n_open = sum(bool(np.isfinite(edition.values[:, j]).any()) for j in members)
    labels = tuple(names[i] for i in np.flatnonzero(known))
    domain = TOTAL if place is None else spec.domain_ids[place]
    return Reproduction(domain, basis, status, published, estimate, pairs, labels, n_open, len(members))
