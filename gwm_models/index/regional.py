"""Inequality within and between regions: spread, decompositions, and how much of it sampling error makes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.descriptor import nearest
from gwm_models.data.edition import Edition
from gwm_models.data.tables import read_table
from gwm_models.errors import DataError, some
from gwm_models.index.regional_parts import (
    DRAWS,
    LEVEL,
    MEASURES,
    SEED,
    Decomposition,
    Quantity,
    decompose_quantity,
)
from gwm_models.index.sampling import sampling_error

Floats = NDArray[np.float64]

ALL = "all areas"


def quantities(edition: Edition, by: str | None = None) -> list[Quantity]:
    """Return the indicators with open figures, the domains and the total; or only the one called `by`.

    Raises
    ------
    DataError
        If there is no such quantity, or no open figures for it.
    """
    spec, error = edition.spec, sampling_error(edition)
    unit = np.array(edition.areas.unit)
    shared = unit[:, None] == unit
    found = []
    for j, indicator in enumerate(spec.indicators):
        if np.isfinite(edition.values[:, j]).all():
            level_error = error.std_error[:, j]
            found.append(
                _quantity(indicator.id, "indicator", indicator.unit, edition.values[:, j], level_error, shared)
            )
    for d, domain in enumerate(spec.domain_ids):
        domain_error = np.sqrt(error.domain_cov[:, d, d])
        found.append(_quantity(domain, "domain", "points", edition.domain_scores[:, d], domain_error, shared))
    found.append(_quantity("total", "total", "points", edition.total, error.total_std_error, shared))
    names = [quantity.name for quantity in found]
    if by is None:
        return found
    if by in spec.indicator_ids and by not in names:
        raise DataError(f"'{by}' has no open figures by area, so its spread is not known.")
    if by not in names:
        raise DataError(f"There is no quantity '{by}'; expected one of {some(names, 20)}.{nearest(by, names)}")
    return [found[names.index(by)]]


def _quantity(name: str, kind: str, unit: str, values: Floats, error: Floats, shared: NDArray[np.bool_]) -> Quantity:
    return Quantity(name, kind, unit, np.array(values), np.where(shared, np.outer(error, error), 0.0))


def regions(edition: Edition, *, as_printed: bool = False) -> tuple[str, ...]:
    """Return each area's region: the true one, or the one the Monitor table prints.

    Raises
    ------
    DataError
        If the Monitor table has no row for an area.
    """
    if not as_printed:
        return edition.areas.region
    table = read_table("monitor_scores")
    printed = dict(zip(table["area_code"], table["region_as_printed"], strict=True))
    missing = [code for code in edition.areas.code if code not in printed]
    if missing:
        raise DataError(f"No region is printed for {len(missing)} areas ({some(missing)}).")
    return tuple(str(printed[code]) for code in edition.areas.code)


def regional_counts(edition: Edition) -> list[dict[str, object]]:
    """Return how many areas each region has, truly and as printed, and which areas differ."""
    true, printed = regions(edition), regions(edition, as_printed=True)
    moved = [(name, was, now) for name, was, now in zip(edition.areas.name, printed, true, strict=True) if was != now]
    return [
        {
            "region": region,
            "n": true.count(region),
            "n_as_printed": printed.count(region),
            "printed_elsewhere": [name for name, _, now in moved if now == region],
            "printed_here_wrongly": [name for name, was, _ in moved if was == region],
        }
        for region in sorted({*true, *printed})
    ]


def regional_spread(
    edition: Edition, *, by: str | None = None, as_printed: bool = False, level: float = LEVEL
) -> list[dict[str, object]]:
    """Return the spread of each quantity in each region, and over all areas.

    The areas of a region are all of them, so the standard deviation has divisor n. ``noise_share`` is the part of
    the variance that is sampling error, above 1 where the areas differ by less than their errors would make them;
    ``sd_true`` is the standard deviation with it taken out (0 where nothing is left), and its interval is that of the
    sampling error.
    """
    region = regions(edition, as_printed=as_printed)
    names = edition.areas.name
    rows: list[dict[str, object]] = []
    for quantity in quantities(edition, by):
        for place in (*sorted(set(region)), ALL):
            inside = np.array([place in (ALL, name) for name in region])
            own = [name for name, kept in zip(names, inside, strict=True) if kept]
            error = quantity.error_cov[np.ix_(inside, inside)]
            spread_of = spread(quantity.values[inside], error, own, level=level)
            rows.append({"quantity": quantity.name, "unit": quantity.unit, "region": place, **spread_of})
    return rows


def spread(values: Floats, error_cov: Floats, names: Sequence[str], *, level: float = LEVEL) -> dict[str, object]:
    """Return mean, spread and extreme areas of some values, and what sampling error makes of their spread.

    The noise in the sum of squares ``y' A y`` has mean ``tr(A V)`` and, with normal errors about true values, variance
    ``2 tr(A V A V) + 4 m' A V A m``; ``m' A V A m`` is estimated by ``y' A V A y - tr(A V A V)``.
    """
    from scipy.stats import norm

    n = len(values)
    centring = np.eye(n) / n - 1 / n**2
    variance, noise = float(values @ centring @ values), float(np.trace(centring @ error_cov))
    smoothed = centring @ error_cov @ centring
    twice = float(np.trace(smoothed @ error_cov))
    error = np.sqrt(2 * twice + 4 * max(float(values @ smoothed @ values) - twice, 0))
    reach = norm.ppf((1 + level) / 2) * error
    low, high = int(values.argmin()), int(values.argmax())
    quarters = np.quantile(values, [0.25, 0.75])
    return {
        "n": n,
        "mean": float(values.mean()),
        "sd": variance**0.5,
        "range": float(values[high] - values[low]),
        "iqr": float(quarters[1] - quarters[0]),
        "cv": variance**0.5 / float(values.mean()) if values.mean() > 0 else np.nan,
        "min": float(values[low]),
        "min_area": names[low],
        "max": float(values[high]),
        "max_area": names[high],
        "noise_share": noise / variance if variance > 0 else np.nan,
        "sd_true": max(variance - noise, 0.0) ** 0.5,
        "lower": float(max(variance - noise - reach, 0.0) ** 0.5),
        "upper": float(max(variance - noise + reach, 0.0) ** 0.5),
        "level": level,
    }


def regional_inequality(
    edition: Edition,
    *,
    by: str | None = None,
    as_printed: bool = False,
    level: float = LEVEL,
    n_draws: int = DRAWS,
    seed: int = SEED,
) -> list[Decomposition]:
    """Split the inequality of each quantity within and between regions, by each measure, areas and people weighted.

    Theil's measures take scores as if they had a true zero, which a scale from 1 has not: between quantities of
    different scales compare shares, and read them beside the variance, which does not depend on the zero. They are
    left out of a quantity with a value of 0 or less.

    Raises
    ------
    DataError
        As `quantities` and `regions`.
    """
    region = regions(edition, as_printed=as_printed)
    found = []
    for quantity in quantities(edition, by):
        for people in (None, edition.areas.population):
            for measure in MEASURES:
                if measure == "variance" or (quantity.values > 0).all():
                    part = decompose_quantity(
                        quantity, region, people, measure=measure, level=level, n_draws=n_draws, seed=seed
                    )
                    found.append(part)
    return found


def report_statements(edition: Edition, *, as_printed: bool = True) -> list[dict[str, object]]:
    """Check what the report says of regions (Figure 4).

    The report puts York's unemployment rate at 2.3%, and differences within regions at "marked", without a number:
    that is taken to hold where more than half of the variance of the total lies within regions, and again where the
    areas of every region span more points than the means of the regions do.

    Returns
    -------
    list of dict
        `statement`, `stated`, `figure`, its 95% interval where sampling error is known, `holds` and a note; `holds`
        is None where the edition has no such area.
    """
    total = quantities(edition, "total")[0]
    region = regions(edition, as_printed=as_printed)
    parts = decompose_quantity(total, region)
    rows = regional_spread(edition, by="total", as_printed=as_printed)[:-1]
    ranges = {str(row["region"]): float(str(row["range"])) for row in rows}
    means = [float(str(row["mean"])) for row in rows]
    narrow, between = min(ranges, key=ranges.__getitem__), max(means) - min(means)
    return [
        _rate_statement(edition, region, "York", "unemployment_rate", 2.3),
        {
            "statement": "Differences in good work within regions are marked: share of the variance of the total",
            "stated": "more than half",
            "figure": 1 - parts.share_between,
            "lower": 1 - parts.upper,
            "upper": 1 - parts.lower,
            "holds": parts.share_between < 0.5,
            "note": f"{1 - parts.estimate:.3f} with sampling error taken out, to which the interval belongs",
        },
        {
            "statement": "Differences in good work within regions are marked: narrowest range of a region, points",
            "stated": f"more than {between:.1f}, the range of the regions' means",
            "figure": ranges[narrow],
            "lower": np.nan,
            "upper": np.nan,
            "holds": ranges[narrow] > between,
            "note": f"{narrow}",
        },
    ]


def _rate_statement(
    edition: Edition, region: Sequence[str], area: str, indicator: str, stated: float
) -> dict[str, object]:
    """Check a figure that the report gives to one decimal."""
    row: dict[str, object] = {"statement": f"{area}: {indicator}, percent", "stated": f"{stated:g}"}
    if area not in edition.areas.name or indicator not in edition.spec.indicator_ids:
        return row | {"figure": np.nan, "lower": np.nan, "upper": np.nan, "holds": None, "note": "not in this edition"}
    i, j = edition.areas.name.index(area), edition.spec.indicator_ids.index(indicator)
    figure, error = float(edition.values[i, j]), float(sampling_error(edition).std_error[i, j])
    own = edition.values[[place == region[i] for place in region], j]
    low, high = float(own.min()), float(own.max())
    return row | {
        "figure": figure,
        "lower": figure - 1.96 * error,
        "upper": figure + 1.96 * error,
        "holds": abs(figure - stated) < 0.05,
        "note": f"{region[i]}: {low:.1f} to {high:.1f} over {len(own)} areas; "
        f"{area} has {ordinal_lowest(int((own < figure).sum()) + 1)}",
    }


def ordinal_lowest(place: int) -> str:
    """Return a place from the bottom in words.

    Examples
    --------
    >>> ordinal_lowest(1), ordinal_lowest(3)
    ('the lowest', 'the 3rd lowest')
    """
    from gwm_models.data.claims import ordinal

    return "the lowest" if place == 1 else f"the {ordinal(place)} lowest"
