"""Covid-19 and other mortality of spring 2020: which is more closely related to good work, and how steeply."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.draws import keyed_rng
from gwm_models.models.association.moran import residual_moran
from gwm_models.models.counts.specs import ratio_words
from gwm_models.models.covid.compare import Compared, correlations, leave_one_out, resample
from gwm_models.models.covid.deaths import (
    ADJUSTMENTS,
    AGES,
    NEIGHBOURS,
    SCORE,
    Toll,
    design_of,
    offset_checks,
    read_toll,
)
from gwm_models.models.covid.rows import (
    ALIKE,
    NAMES,
    OUTCOMES,
    compare,
    correlation_rows,
    rates_of,
    ratio_rows,
    slope_rows,
)
from gwm_models.models.fit import LEVEL, Fit
from gwm_models.models.linear.core import least_squares
from gwm_models.models.outcomes import Subject, source_of

Floats = NDArray[np.float64]

TITLE = "Covid-19 and other mortality: correlations with the total, and their difference"
TERMS = ("covid19", "non_covid19", "difference")
N_DRAWS, SEED = 4000, 20260101
FAR = 0.2
"""A difference of correlations whose whole interval is beyond this is called far."""


def make_mortality(edition: Edition, subject: Subject, *, n_draws: int = N_DRAWS, seed: int = SEED) -> Fit:
    """Compare how mortality with and without Covid-19 is related to the Monitor total.

    The terms are the two correlations and their difference; slopes and rate ratios are in the table ``compared``.
    `n_draws` and `seed` are those of the bootstrap that checks the interval of the difference.

    Raises
    ------
    ModelError
        If too few units have all figures.
    """
    toll = read_toll(edition)
    total, rates = rates_of(toll)
    main = compare(total, rates)
    related, ratios = correlation_rows(toll), ratio_rows(toll)
    return Fit(
        outcome=subject.id,
        label=subject.label,
        spec="mortality",
        title=TITLE,
        method="Pearson correlations with Fisher's intervals; difference with Zou's interval and Steiger's test",
        citation="Steiger (1980), Psychological Bulletin 87, 245-251; Zou (2007), Psychological Methods 12, 399-413",
        period=toll.section.outcome.period,
        source=source_of(toll.section.outcome),
        term=TERMS,
        unit=("correlation", "correlation", "difference of correlations, Covid-19 minus other"),
        estimate=main.r,
        cov=main.cov,
        lower=main.lower,
        upper=main.upper,
        p_value=main.p_value,
        sample=toll.code,
        n=toll.n,
        excluded=toll.excluded,
        focus="difference",
        found=_found(main),
        not_shown=_not_shown(ratios),
        diagnostics={
            "steiger_z": main.z,
            "correlation_of_outcomes": main.between,
            **_sampling(toll, total, rates, n_draws, seed),
            **_spread(toll, rates),
            **_near(toll, total, rates, seed),
            **offset_checks(toll, design_of(ADJUSTMENTS["total"][1](toll.section), toll.kept)),
        },
        assumptions=(
            "Intervals of correlations take outcomes and total as jointly normal; the bootstrap among the diagnostics "
            "does not.",
            "A correlation says how closely areas follow a line and not how steep the line is: rate ratios and slopes "
            "are beside it.",
            "Slopes are weighted by published limits and the variance between areas beyond them. Limits alone would "
            "weight an area by its size and the lowness of its rate, as the limits of a rate widen with it: for "
            "Covid-19, whose rates differ far more than their limits, that slope is one of the large counties.",
            *AGES,
            SCORE,
            NEIGHBOURS,
            *_worth(related),
        ),
        tables={"compared": [*related, *slope_rows(toll), *ratios], "areas": _area_rows(toll)},
        seed=seed,
    )


def _found(main: Compared) -> str:
    """Say which of the two is more closely related, and by how much."""
    covid, other, difference = (
        f"{main.r[j]:.2f} ({LEVEL:.0%} interval {main.lower[j]:.2f} to {main.upper[j]:.2f})" for j in range(3)
    )
    apart = main.lower[2] > 0 or main.upper[2] < 0
    far = "far " if min(abs(main.lower[2]), abs(main.upper[2])) > FAR else ""
    closer = abs(main.r[1]) > abs(main.r[0])
    verdict = f"{far}{'more' if closer else 'less'} closely related" if apart else "about as closely related"
    return (
        f"Mortality not involving Covid-19 was {verdict} to the index total {'than' if apart else 'as'} Covid-19 "
        f"mortality, March to June 2020, over {main.n} areas: correlation {other} against {covid}, a difference of "
        f"{difference}."
    )


def _not_shown(ratios: list[dict[str, Any]]) -> str:
    """Say how steep both are, so that a lower correlation is not read as a flatter line."""
    covid, other = (ratio_words(row["estimate"], row["lower"], row["upper"]) for row in ratios[:2])
    return (
        "It does not show that Covid-19 mortality differed less between areas of low and high scores, as a correlation "
        "says how closely areas follow a line and not how steep it is: for each 100 points more of the total, and "
        f"against those expected for the ages of residents, Covid-19 deaths were {covid} and other deaths {other}, and "
        "nothing here shows why."
    )


def _worth(rows: list[dict[str, Any]]) -> list[str]:
    """Say what is left of the difference when neighbours count as the independent areas they are worth."""
    return [
        f"Counted as the {row['n']} independent areas that these are worth when neighbours are alike, the difference "
        f"of the two correlations is between {row['lower']:.2f} and {row['upper']:.2f} ({LEVEL:.0%} interval)."
        for row in rows
        if (row["measure"], row["outcome"]) == (ALIKE, OUTCOMES[2])
    ]


def _sampling(toll: Toll, total: Floats, rates: Floats, n_draws: int, seed: int) -> dict[str, float | str]:
    """Return a bootstrap interval of the difference, and its range when any one unit is left out."""
    drawn = resample(total, rates[0], rates[1], keyed_rng(seed, "covid:bootstrap"), n_draws)
    low, high = np.quantile(drawn[0] - drawn[1], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    without = np.subtract(*leave_one_out(total, *rates)[:2])
    whole = np.subtract(*correlations(total, *rates)[:2])
    strongest = np.flatnonzero(toll.kept)[int(np.argmax(np.abs(without - whole)))]
    return {
        "bootstrap_lower": float(low),
        "bootstrap_upper": float(high),
        "leave_one_out_lower": float(without.min()),
        "leave_one_out_upper": float(without.max()),
        "most_influential": toll.section.name[strongest],
    }


def _spread(toll: Toll, rates: Floats) -> dict[str, float]:
    """Return how unequal each rate is between areas, and the share of its variance that is not sampling error."""
    checks = {}
    for cause, c, rate in zip(TERMS, (toll.section, toll.other), rates, strict=False):
        checks[f"coefficient_of_variation_{cause}"] = float(rate.std(ddof=1) / rate.mean())
        checks[f"reliability_{cause}"] = float(1 - (c.error[toll.kept] ** 2).mean() / rate.var(ddof=1))
    return checks


def _near(toll: Toll, total: Floats, rates: Floats, seed: int) -> dict[str, float]:
    """Return Moran's I of what a straight line on the total leaves of each rate."""
    borders = toll.section.borders_of(toll.kept)
    checks: dict[str, float] = {}
    design = np.column_stack([np.ones(len(total)), total / 100])
    for cause, rate in zip(TERMS, rates, strict=False):
        if len(borders):
            left = least_squares(rate, design, names=NAMES).residuals
            near = residual_moran(left, design, borders, seed=seed)
            checks |= {f"residual_moran_{cause}": near.statistic, f"residual_moran_p_{cause}": near.p_value}
    return checks


def _area_rows(toll: Toll) -> list[dict[str, Any]]:
    """Return rates, and deaths observed over expected, of each unit; most Covid-19 deaths over expected first."""
    ratio = [toll.deaths[cause] / toll.expected(cause) for cause in range(2)]
    rows = [
        {
            "area_code": toll.section.code[i],
            "area_name": toll.section.name[i],
            "region": toll.section.region[i],
            "total": float(toll.section.total[i]),
            "covid19_mortality": float(toll.section.value[i]),
            "covid19_mortality_std_error": float(toll.section.error[i]),
            "non_covid19_mortality": float(toll.other.value[i]),
            "non_covid19_mortality_std_error": float(toll.other.error[i]),
            "covid19_deaths": int(toll.deaths[0, j]),
            "covid19_expected": float(toll.expected(0)[j]),
            "covid19_ratio": float(ratio[0][j]),
            "non_covid19_deaths": int(toll.deaths[1, j]),
            "non_covid19_expected": float(toll.expected(1)[j]),
            "non_covid19_ratio": float(ratio[1][j]),
        }
        for j, i in enumerate(np.flatnonzero(toll.kept))
    ]
    return sorted(rows, key=lambda row: -row["covid19_ratio"])
