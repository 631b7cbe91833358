"""The double blow of spring 2020: areas where Covid-19 mortality and the loss of work were both above average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.draws import keyed_normals
from gwm_models.errors import ModelError
from gwm_models.models.covid.jobs import ASSUMPTIONS, JOBS_PERIOD, Jobs, jobs_source, labour_market
from gwm_models.models.cross_section import CrossSection, cross_section
from gwm_models.models.fit import Fit, wald
from gwm_models.models.outcomes import Subject, find_outcome, source_of

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

TITLE = "areas with above-average Covid-19 mortality and above-average loss of work"
LEAST_IN_GROUP = 2
N_DRAWS, SEED = 4000, 20260101


@dataclass(frozen=True, eq=False)
class DoubleBlow(Frozen):
    """Which units were hit twice, and how sure that is.

    Attributes
    ----------
    deadly, hard_hit, both : ndarray of bool, shape (n,)
        Published mortality above the mean of the units; index below its mean; both.
    prob_deadly, prob_both : ndarray, shape (n,)
        Share of draws in which it is so.
    both_draws : ndarray of bool, shape (n_draws, n)
    expected : float
        Units that would be hit twice on average if the two were independent.
    p_value : float
        Fisher's exact test of independence, two-sided.
    """

    deadly: Flags
    hard_hit: Flags
    both: Flags
    prob_deadly: Floats
    prob_both: Floats
    both_draws: Flags
    expected: float
    p_value: float


def double_blow(mortality: Floats, error: Floats, index: Floats, white: Floats) -> DoubleBlow:
    """Find the units hit twice.

    True mortality given the published rate and limits is drawn as normal around the rate, the mean of the units anew
    in each draw. The index is of administrative counts and taken as known.

    Parameters
    ----------
    mortality, error : ndarray, shape (n,)
        Rates and their standard errors.
    index : ndarray, shape (n,)
        Labour-market index, higher is less affected.
    white : ndarray, shape (n_draws, n)
        Standard normal draws.

    References
    ----------
    Fisher (1935), JRSS 98, 39-54 (exact test).

    Examples
    --------
    >>> blow = double_blow(np.array([9.0, 8, 1, 2]), np.ones(4), np.array([5.0, 90, 10, 95]), np.zeros((1, 4)))
    >>> blow.both.tolist(), blow.expected
    ([True, False, False, False], 1.0)
    """
    from scipy.stats import fisher_exact

    deadly, hard_hit = mortality > mortality.mean(), index < index.mean()
    drawn = mortality + error * white
    above = drawn > drawn.mean(axis=1, keepdims=True)
    both = deadly & hard_hit
    table = [[both.sum(), (deadly & ~hard_hit).sum()], [(~deadly & hard_hit).sum(), (~deadly & ~hard_hit).sum()]]
    return DoubleBlow(
        deadly=deadly,
        hard_hit=hard_hit,
        both=both,
        prob_deadly=above.mean(axis=0),
        prob_both=above.mean(axis=0) * hard_hit,
        both_draws=above & hard_hit,
        expected=float(deadly.mean() * hard_hit.mean() * len(index)),
        p_value=float(fisher_exact(table)[1]),
    )


def mean_difference(values: Floats, inside: Flags) -> tuple[float, float, float]:
    """Return how far the mean of the units inside a group is above that of the others.

    Returns
    -------
    estimate, std_error, freedom : float
        Standard error and degrees of freedom for unequal variances.

    Raises
    ------
    ModelError
        If either group has fewer than two units, or neither varies.

    References
    ----------
    Welch (1947), Biometrika 34, 28-35.
    """
    groups = values[inside], values[~inside]
    size = np.array([len(group) for group in groups])
    if size.min() < LEAST_IN_GROUP:
        raise ModelError(
            f"{size[0]} of {size.sum()} areas are hit twice; {LEAST_IN_GROUP} or more must be and {LEAST_IN_GROUP} or "
            "more must not, or their scores cannot be compared."
        )
    share = np.array([group.var(ddof=1) for group in groups]) / size
    if not share.sum() > 0:
        raise ModelError("Scores are the same in every area of each group, so their difference has no standard error.")
    freedom = share.sum() ** 2 / (share**2 / (size - 1)).sum()
    return float(groups[0].mean() - groups[1].mean()), float(np.sqrt(share.sum())), float(freedom)


def difference_in_draws(values: Floats, inside: Flags) -> Floats:
    """Return the difference of means in each draw of the groups, (n_draws, n), NaN where one is empty."""
    size = inside.sum(axis=1)
    total = inside @ values
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(total / size - (values.sum() - total) / (len(values) - size))


def make_double_blow(edition: Edition, subject: Subject, *, n_draws: int = N_DRAWS, seed: int = SEED) -> Fit:
    """Fit how far Monitor totals of the areas hit twice differ from those of the others.

    Raises
    ------
    ModelError
        If too few areas have all figures, or fewer than two are hit twice.
    """
    outcome = find_outcome("covid19_mortality")
    deaths, jobs = cross_section(edition, outcome), labour_market(edition, needs=(_limits(edition),))
    kept, c = jobs.kept, jobs.section
    white = keyed_normals(seed, "covid:mortality", [c.code[i] for i in np.flatnonzero(kept)], n_draws)
    blow = double_blow(deaths.value[kept], deaths.error[kept], jobs.index, white)
    total = c.total[kept]
    estimate, std_error, freedom = mean_difference(total, blow.both)
    cov = np.array([[std_error**2]])
    bounds = wald(np.array([estimate]), cov, freedom)
    counts = blow.both_draws.sum(axis=1)
    lower, upper = bounds["lower"][0], bounds["upper"][0]
    rows = _rows(edition, deaths, jobs, blow)
    return Fit(
        outcome=subject.id,
        label=subject.label,
        spec="double-blow",
        title=TITLE,
        method="difference of mean totals, Welch's standard error; limits of mortality by simulation",
        citation="Welch (1947), Biometrika 34, 28-35; Fisher (1935), JRSS 98, 39-54",
        period=f"{outcome.period}; {JOBS_PERIOD}",
        source=f"{source_of(outcome)}; {jobs_source()}",
        term=("double_blow",),
        unit=("index points, areas hit twice minus the others",),
        estimate=np.array([estimate]),
        cov=cov,
        lower=bounds["lower"],
        upper=bounds["upper"],
        p_value=bounds["p_value"],
        sample=tuple(c.code[i] for i in np.flatnonzero(kept)),
        n=int(kept.sum()),
        excluded=jobs.excluded,
        focus="double_blow",
        found=(
            f"{blow.both.sum()} of {kept.sum()} areas had both more Covid-19 mortality and more loss of work than the "
            f"average area, where {blow.expected:.1f} would be expected if the two were unrelated (p "
            f"{_p(blow.p_value)}); their totals are on average {abs(estimate):.0f} points "
            f"{'lower' if estimate < 0 else 'higher'} than those of the other areas (95% interval of the difference "
            f"{lower:.0f} to {upper:.0f})."
        ),
        not_shown=(
            "It does not show that areas were hit twice because of how people worked there: both are a comparison with "
            "the average of areas, and where the first wave arrived, density and the mix of industries differ too."
        ),
        diagnostics={
            "degrees_of_freedom": freedom,
            "areas_hit_twice": int(blow.both.sum()),
            "expected_if_independent": blow.expected,
            "p_independent": blow.p_value,
            "areas_hit_twice_in_draws": float(counts.mean()),
            "areas_hit_twice_lower": float(np.quantile(counts, 0.025)),
            "areas_hit_twice_upper": float(np.quantile(counts, 0.975)),
            **_spread(difference_in_draws(total, blow.both_draws)),
        },
        assumptions=(
            "Average is the unweighted mean over the areas of the sample, of the age-standardised rate and of the "
            "labour-market index alike.",
            "Where an area truly stands, given its published rate and limits, is taken as normal around the rate; "
            "limits of different areas are independent.",
            "The test of independence and the interval take areas as independent; neighbours are alike in both, so the "
            "chance of as many by luck is larger than the p value says.",
            "Universal Credit and furlough are counts of records, so the index is taken as known.",
            "The interval of the difference takes the list of areas as given; what the limits of mortality add is in "
            "the diagnostics.",
            *ASSUMPTIONS,
        ),
        tables={
            "double_blow": sorted(
                (row for row in rows if row["double_blow"]), key=lambda row: -float(row["prob_double_blow"])
            ),
            "regions": _by_region(rows),
            "areas": rows,
        },
        seed=seed,
    )


def _limits(edition: Edition) -> tuple[Floats, str]:
    c = cross_section(edition, find_outcome("covid19_mortality"))
    return c.value + c.error, "no published limits of Covid-19 mortality"


def _p(value: float) -> str:
    return "below 0.001" if value < 0.001 else f"{value:.3f}"


def _spread(difference: Floats) -> dict[str, float]:
    low, high = np.nanquantile(difference, [0.025, 0.975])
    return {
        "difference_in_draws": float(np.nanmean(difference)),
        "difference_in_draws_lower": float(low),
        "difference_in_draws_upper": float(high),
    }


def _rows(edition: Edition, deaths: CrossSection, jobs: Jobs, blow: DoubleBlow) -> list[dict[str, Any]]:
    """Return one row for each unit, in the order of the sample."""
    rank = dict(zip(edition.areas.unit, edition.rank.tolist(), strict=True))
    return [
        {
            "area_code": deaths.code[i],
            "area_name": deaths.name[i],
            "region": deaths.region[i],
            "total": float(deaths.total[i]),
            "rank": None if deaths.shared[i] else rank[deaths.code[i]],
            "mortality": float(deaths.value[i]),
            "mortality_std_error": float(deaths.error[i]),
            "labour_market_index": float(jobs.index[j]),
            "mortality_above": bool(blow.deadly[j]),
            "hit_harder": bool(blow.hard_hit[j]),
            "double_blow": bool(blow.both[j]),
            "prob_mortality_above": float(blow.prob_deadly[j]),
            "prob_double_blow": float(blow.prob_both[j]),
        }
        for j, i in enumerate(np.flatnonzero(jobs.kept))
    ]


def _by_region(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return how many areas of each region were hit twice, most first."""
    regions = sorted({row["region"] for row in rows})
    table = []
    for region in regions:
        own = [row for row in rows if row["region"] == region]
        table.append(
            {
                "region": region,
                "n": len(own),
                "double_blow": sum(row["double_blow"] for row in own),
                "expected_in_draws": sum(row["prob_double_blow"] for row in own),
                "mean_total": float(np.mean([row["total"] for row in own])),
            }
        )
    return sorted(table, key=lambda row: -row["double_blow"] / row["n"])
