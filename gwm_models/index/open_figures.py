"""Each open figure against its published domain, and how much the choice of figure, year or method matters.

Nothing here is chosen by fit: the tables show every choice beside the one that is used.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gwm_models.data.edition import Edition, price_level, unit_values
from gwm_models.data.index_spec import IndicatorSpec
from gwm_models.index.calibration import by_unit, calibrate, points_per_unit
from gwm_models.index.correlation import fisher_interval
from gwm_models.index.reproduction import RATES, independent_levels
from gwm_models.index.sampling import sampling_error
from gwm_models.index.scoring import Floats, exact_points_per_unit

YEARS = ("2017-01/2017-12", "2018-01/2018-12")
MIXES = (0.0, 0.25, 0.5, 0.75, 1.0)
USED_MIX = 0.25
"""Weight of 2017: one of the four quarters from October 2017 to September 2018."""
APRILS = ("2016-04", "2017-04", "2018-04", "2019-04")


def indicator_rows(edition: Edition, *, level: float = 0.95) -> list[dict[str, Any]]:
    """Correlate every open figure with the published domain it is placed in, a row for each figure.

    Correlations are over the units (areas that share figures merged by population), with Fisher's interval. A place
    without an open figure has a row with ``n`` 0.

    Parameters
    ----------
    edition : Edition
    level : float in (0, 1)

    Returns
    -------
    list of dict
        ``sign`` says whether the interval lies on the side the direction asks for (``as expected``), on the other
        (``opposite``) or across zero (``not clear``). ``nearest_domain`` is the domain with the strongest correlation
        of the expected sign. ``points_per_unit`` and its error are there where the edition has them.

    References
    ----------
    Fisher (1921), Metron 1, 3-32 (interval of a correlation).
    """
    levels, (_, weights) = independent_levels(edition), edition.areas.units()
    points = points_per_unit(edition)
    rows = []
    for j, spec in enumerate(edition.spec.indicators):
        for order, (variable, period, direction, figures) in enumerate(_figures(edition, spec, levels[:, j])):
            used = order == 0
            row = _correlated(edition, spec, direction, by_unit(figures, weights), level)
            scored = used and spec.bounds_status != "unknown"
            rows.append(
                {
                    "indicator": spec.id,
                    "domain": spec.domain,
                    "status": spec.bounds_status,
                    "figure": variable if row["n"] else "no open figure",
                    "used": used and row["n"] > 0,
                    "period": period,
                    "direction": direction,
                    **row,
                    "points_per_unit": float(points.estimate[j]) if scored else np.nan,
                    "points_std_error": float(points.std_error[j]) if scored else np.nan,
                    "points_by_range": float(points.range_based[j]) if scored else np.nan,
                }
            )
    return rows


def choice_rows(edition: Edition) -> list[dict[str, Any]]:
    """Calibrate each domain of the Monitor under every reasonable choice, a row for each choice and indicator.

    Choices are the weight of 2017 in survey rates of two calendar years; the April of pay, with and without regional
    prices; and a correction for survey error in the regressors. The access domain, whose points are known exactly, is
    calibrated in the same way: what the method gets wrong there it may get wrong elsewhere.

    Returns
    -------
    list of dict
        ``estimate`` and ``std_error`` in points per unit; ``exact`` where known; ``correlation`` and ``score_error``
        (root mean square) of leave-one-out predictions, in points of the domain. Empty for an edition whose indicators
        do not come from the survey years.
    """
    exact = exact_points_per_unit(edition.spec)
    rows = []
    for place, columns, choice, used, levels in _choices(edition):
        fit = calibrate(edition, place, levels)
        _, weights = edition.areas.units()
        published = by_unit(edition.domain_scores[:, place], weights)
        known = np.isfinite(fit.left_out)
        gap = (published - fit.left_out)[known]
        shared = {
            "correlation": float(np.corrcoef(published[known], fit.left_out[known])[0, 1]),
            "score_error": float(np.sqrt((gap**2).mean())),
            "n": fit.n,
        }
        corrected = _corrected(edition, place, columns, levels) if used else None
        for k, j in enumerate(columns):
            base = {"domain": edition.spec.domain_ids[place], "indicator": edition.spec.indicator_ids[j]}
            known_points = exact.get(base["indicator"], math.nan)
            error = float(np.sqrt(fit.cov[k + 1, k + 1]))
            line = {"used": used, "estimate": float(fit.coef[k + 1]), "std_error": error, "exact": known_points}
            rows.append({**base, "choice": choice, **line, **shared})
            if corrected is not None:
                line = {"used": False, "estimate": float(corrected[k]), "std_error": math.nan, "exact": known_points}
                text = f"{choice}; corrected for survey error"
                rows.append({**base, "choice": text, **line, **{name: math.nan for name in shared}, "n": fit.n})
    return rows


def _figures(edition: Edition, spec: IndicatorSpec, level: Floats) -> Iterator[tuple[str, str, int, Floats]]:
    """Yield the figure an indicator uses, then the others of the same subject: variable, period, direction, levels."""
    source = spec.values
    name = source.get("variable", source.get("column", "")).replace("_1dp", ", from survey counts")
    yield name or spec.id, spec.period, spec.direction, level
    for other in source.get("stand_ins", []):
        found = unit_values(source["table"], other["variable"], str(other["period"]), edition.areas.unit)
        yield other["variable"], str(other["period"]), other["direction"], found["value"]


def _correlated(edition: Edition, spec: IndicatorSpec, direction: int, figures: Floats, level: float) -> dict[str, Any]:
    known = np.isfinite(figures)
    n = int(known.sum())
    if n < 4:
        empty = {"correlation": math.nan, "lower": math.nan, "upper": math.nan, "level": level}
        return {**empty, "n": n, "sign": "", "nearest_domain": ""}
    _, weights = edition.areas.units()
    published = by_unit(edition.domain_scores, weights)[known]
    r = np.array([np.corrcoef(figures[known], column)[0, 1] for column in published.T])
    own = float(r[edition.spec.domain_ids.index(spec.domain)])
    lower, upper = map(float, fisher_interval(own, n, level))
    side = "as expected" if min(lower * direction, upper * direction) > 0 else "not clear"
    return {
        "correlation": own,
        "lower": lower,
        "upper": upper,
        "level": level,
        "n": n,
        "sign": "opposite" if max(lower * direction, upper * direction) < 0 else side,
        "nearest_domain": edition.spec.domain_ids[int((r * direction).argmax())],
    }


def _choices(edition: Edition) -> Iterator[tuple[int, list[int], str, bool, Floats]]:
    """Yield every choice: domain, its indicators, words, whether it is the one used, levels by area."""
    spec = edition.spec
    for place, domain in enumerate(spec.domain_ids):
        columns = [j for j in spec.members(domain) if spec.indicators[j].bounds_status != "unknown"]
        specs = [spec.indicators[j] for j in columns]
        variables = [_survey_variable(one) for one in specs]
        if columns and all(variables):
            first, last = (_survey(variables, year, edition) for year in YEARS)
            for mix in MIXES:
                text = f"calendar years 2017 and 2018 with weights {mix:g} and {1 - mix:g}"
                yield place, columns, text, mix == USED_MIX, mix * first + (1 - mix) * last
        elif len(specs) == 1 and "deflate" in specs[0].values:
            prices = price_level(edition.areas)
            for april in APRILS:
                pay = unit_values("indicators", specs[0].values["variable"], april, edition.areas.unit)["value"]
                used = april in specs[0].values["periods"]
                yield place, columns, f"April {april[:4]}, at regional prices", used, (pay / prices)[:, None]
                yield place, columns, f"April {april[:4]}, as paid", False, pay[:, None]


def _survey(variables: list[str], year: str, edition: Edition) -> Floats:
    rates = [unit_values("indicators", name, year, edition.areas.unit)["value"] for name in variables]
    return np.column_stack(rates)


def _survey_variable(spec: IndicatorSpec) -> str:
    """Return the survey variable of an indicator that has calendar years 2017 and 2018; "" for any other."""
    if spec.values.get("table") == RATES:
        return str(spec.sampling.get("variable", ""))
    return str(spec.values["variable"]) if {*spec.values.get("periods", {})} == {*YEARS} else ""


def _corrected(edition: Edition, place: int, columns: list[int], levels: Floats) -> Floats:
    """Return slopes corrected for survey error as if the published scores did not share it.

    References
    ----------
    Fuller (1987), Measurement Error Models, section 2.2 (known error covariance, moments).
    """
    sampling, points = sampling_error(edition), points_per_unit(edition).estimate
    scale = points[columns]
    noise = (sampling.cov_points[:, columns][:, :, columns] / np.outer(scale, scale)).mean(axis=0)
    _, weights = edition.areas.units()
    y, x = by_unit(edition.domain_scores[:, place], weights), by_unit(levels, weights)
    known = np.isfinite(x).all(axis=1)
    moments = np.cov(np.column_stack([x[known], y[known]]).T)
    return np.asarray(np.linalg.solve(moments[:-1, :-1] - noise, moments[:-1, -1]))
