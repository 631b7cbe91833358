"""The report's table of disease burden: checked against itself, as the figures behind it are not open."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.descriptor import read_descriptor
from gwm_models.data.edition import Edition
from gwm_models.data.home import data_home
from gwm_models.data.tables import Table, read_table
from gwm_models.data.vocabulary import MONITOR
from gwm_models.errors import DataError
from gwm_models.index.correlation import fisher_interval
from gwm_models.index.series import benjamini_hochberg
from gwm_models.models.association.confounding import (
    e_value,
    e_value_of_interval,
    ratio_of_difference,
    strength_columns,
)
from gwm_models.models.association.core import correlation_of_t, p_of_t
from gwm_models.models.fit import Fit, Spec
from gwm_models.models.outcomes import Subject, Topic

Floats = NDArray[np.float64]
Row = dict[str, Any]

TABLE, TOPIC = "disease_correlations", "disease_burden"
N_AREAS = 118
SIZES = tuple(range(115, 120))
"""Numbers of areas that the table is tried with: those of the Monitor, a few less, and the 119 that its text names."""
R_DECIMALS, T_HALF_STEP = 2, 0.005
ALPHA = 0.05
ASSUMPTIONS = (
    "r is worked out from the printed t, which has more digits than the printed r, over 118 areas.",
    "Intervals and p take the 118 areas as independent, as the report does. They are not: neighbours are alike, and "
    "Bournemouth and Poole share one unit's indicators.",
    "How the correlations of different diseases go together cannot be known from the table: covariances are missing.",
    "E-values are approximate: they stand for areas one standard deviation apart on the total.",
)
NOT_SHOWN = (
    "The burden of disease by area (disability-adjusted life years) is not open, so nothing here is fitted to it: the "
    "table can be checked against itself, not against its data, and a correlation does not show that better work would "
    "lower the burden."
)


def published_rows() -> list[Row]:
    """Return the printed table, what follows from each printed t, and whether the printed values agree with it.

    Returns
    -------
    list of dict
        One row for each disease, as printed: ``printed_r``, ``printed_r_squared``, ``t_statistic``. Worked out from t
        over 118 areas: ``estimate`` (r) with Fisher's ``lower`` and ``upper``, ``r_squared``, ``p_value``,
        Benjamini-Hochberg ``q_value``, partial R2 and robustness values, approximate E-values. ``r_agrees``,
        ``r_squared_agrees``: whether r and R2 so found round to the printed ones. ``agrees_for``: the numbers of areas
        from 115 to 119 for which r does.
    """
    table = read_table(TABLE)
    t = table["t_statistic"]
    r = correlation_of_t(t, N_AREAS)
    lower, upper = fisher_interval(r, N_AREAS)
    p_value = p_of_t(t, N_AREAS - 2)
    q_value = benjamini_hochberg(p_value)
    agrees = {n: _agrees(correlation_of_t(t, n), table["pearson_r"]) for n in SIZES}
    squares = _agrees(r**2, table["r_squared"])
    return [
        {
            "term": str(table["disease"][i]),
            "printed_r": float(table["pearson_r"][i]),
            "printed_r_squared": float(table["r_squared"][i]),
            "t_statistic": float(t[i]),
            "n": N_AREAS,
            "estimate": float(r[i]),
            "lower": float(lower[i]),
            "upper": float(upper[i]),
            "r_squared": float(r[i] ** 2),
            "p_value": float(p_value[i]),
            "q_value": float(q_value[i]),
            "r_agrees": bool(agrees[N_AREAS][i]),
            "r_squared_agrees": bool(squares[i]),
            "agrees_for": ", ".join(str(n) for n in SIZES if agrees[n][i]),
            **strength_columns(float(t[i]), N_AREAS - 2),
            **_e_values(float(r[i]), float(lower[i]), float(upper[i])),
        }
        for i in range(len(t))
    ]


def sample_size_rows(table: Table | None = None) -> list[Row]:
    """Return for each number of areas how many printed r and R2 follow from the printed t.

    Parameters
    ----------
    table : Table, optional
        With columns pearson_r, r_squared and t_statistic; the published one by default.

    Returns
    -------
    list of dict
        Columns: n, n_rows, r_agree and r_squared_agree (rounded from the printed t), r_possible (for some t that
        rounds to the printed one).
    """
    found = read_table(TABLE) if table is None else table
    t, r = found["t_statistic"], found["pearson_r"]
    return [
        {
            "n": n,
            "n_rows": len(t),
            "r_agree": int(_agrees(correlation_of_t(t, n), r).sum()),
            "r_squared_agree": int(_agrees(correlation_of_t(t, n) ** 2, found["r_squared"]).sum()),
            "r_possible": int(_possible(t, r, n).sum()),
        }
        for n in SIZES
    ]


def _agrees(found: Floats, printed: Floats) -> NDArray[np.bool_]:
    """Return whether values round to the printed ones, a half either way."""
    return np.asarray(np.abs(found - printed) <= 0.5 * 10.0**-R_DECIMALS + 1e-12)


def _possible(t: Floats, printed_r: Floats, n: int) -> NDArray[np.bool_]:
    """Return whether some t that rounds to the printed one gives an r that rounds to the printed one."""
    low, high = (correlation_of_t(t + shift, n) for shift in (-T_HALF_STEP, T_HALF_STEP))
    half = 0.5 * 10.0**-R_DECIMALS + 1e-12
    return np.asarray((low <= printed_r + half) & (high >= printed_r - half))


def _e_values(r: float, lower: float, upper: float) -> Row:
    ratio, low, high = (float(ratio_of_difference(value)) for value in (r, lower, upper))
    return {"e_value_approximate": float(e_value(ratio)), "e_value_limit_approximate": e_value_of_interval(low, high)}


def _make(edition: Edition, subject: Subject, *, n_draws: int = 4000, seed: int = 20260101) -> Fit:
    if edition.name != MONITOR:
        raise DataError(f"The disease table was printed beside {MONITOR} and says nothing of {edition.name}.")
    rows, sizes = published_rows(), sample_size_rows()
    column = {name: np.array([row[name] for row in rows]) for name in ("estimate", "lower", "upper", "p_value")}
    cov = np.full((len(rows), len(rows)), np.nan)
    np.fill_diagonal(cov, (1 - column["estimate"] ** 2) ** 2 / (N_AREAS - 3))
    return Fit(
        outcome=subject.id,
        label=subject.label,
        spec="published",
        title="the printed table, checked against itself",
        method="Pearson's r from the printed t, Fisher's intervals, Student's t over 118 areas",
        citation="Fisher (1921), Metron 1, 3-32; Cinelli & Hazlett (2020), JRSS B 82, 39-67",
        period="as printed in January 2021",
        source=_source(),
        term=tuple(row["term"] for row in rows),
        unit=("correlation",) * len(rows),
        cov=cov,
        estimate=column["estimate"],
        lower=column["lower"],
        upper=column["upper"],
        p_value=column["p_value"],
        sample=(),
        n=N_AREAS,
        excluded=(),
        focus="",
        found=_found(rows),
        not_shown=NOT_SHOWN,
        diagnostics=_diagnostics(rows, sizes),
        assumptions=ASSUMPTIONS,
        tables={"published": rows, "sample_size": sizes},
    )


def _diagnostics(rows: list[Row], sizes: list[Row]) -> dict[str, float | str]:
    return {
        "printed_r_that_agree": sum(row["r_agrees"] for row in rows),
        "printed_r_squared_that_agree": sum(row["r_squared_agrees"] for row in rows),
        "n_that_all_rows_agree_with": ", ".join(str(row["n"]) for row in sizes if row["r_agree"] == row["n_rows"]),
        "areas": "figures by area are not open",
        "n_below_5pc_false_discovery": sum(row["q_value"] <= ALPHA for row in rows),
    }


def _found(rows: list[Row]) -> str:
    sure = [row for row in rows if row["q_value"] <= ALPHA]
    first = max(rows, key=lambda row: abs(row["estimate"]))
    return (
        f"In the report's table, over {N_AREAS} areas, whose figures are not open, the total is correlated with the "
        f"burden of {len(sure)} of {len(rows)} diseases at a false discovery rate of {ALPHA:.0%}; strongest: "
        f"{first['term']} (r = {first['estimate']:.2f}, 95% interval "
        f"{first['lower']:.2f} to {first['upper']:.2f})."
    )


def _source() -> str:
    return "; ".join(f"{one.producer}: {one.title}" for one in read_descriptor(data_home()).table(TABLE).sources)


def _applies(subject: Subject) -> bool:
    return isinstance(subject, Topic) and subject.id == TOPIC


SPECS: tuple[Spec, ...] = (
    Spec(
        "published",
        "the printed table, checked against itself",
        _applies,
        _make,
        "models.association.disease_burden",
        family="topic",
    ),
)
