"""Which years of access, and which of its parts, go with an outcome within areas."""

from __future__ import annotations

import numpy as np

from gwm_models.models.panel.parts import (
    EFFECTS,
    OWN_AVERAGE,
    POINTS,
    Part,
    Row,
    access,
    moves,
    numbers_of,
    of_window,
    signed,
    slopes,
    steps,
    tell,
    years_of,
)
from gwm_models.models.panel.table import EXPOSURES, Panel, find_exposure

LAGS = 5


def lags(panel: Panel, seed: int) -> Part:
    """Fit the outcome on access of the same year and of the five before it, together."""
    each = slopes(panel, np.array([access(panel, -lag) for lag in range(LAGS + 1)]))
    result = each.combine(np.vstack([np.eye(LAGS + 1), np.ones(LAGS + 1)]))
    term = (*(f"lag_{lag}" for lag in range(LAGS + 1)), "cumulative")
    size = moves(panel.value, access(panel))
    where = f"{OWN_AVERAGE} and did so in each of the {LAGS} years before ({years_of(panel)}; {size})."
    shifts = range(-LAGS, panel.window // 2 + 3)
    return Part(
        panel,
        result,
        term,
        (POINTS,) * len(term),
        "cumulative",
        tell(panel, result, LAGS + 1, where),
        panel.period(),
        (EFFECTS, f"Access more than {LAGS} years back does not matter."),
        tables={"one_year_at_a_time": [_shift_row(panel, shift) for shift in shifts]},
    )


def leads(panel: Panel, seed: int) -> Part:
    """Fit the outcome on access after the outcome was counted: a placebo."""
    first = panel.window // 2 + 1
    x = np.array([access(panel, shift) for shift in (0, first, first + 1)])
    result = slopes(panel, x).combine(np.vstack([np.eye(3), [0.0, 1.0, 1.0]]))
    years = tuple(year for year in panel.year if year + first + 1 <= panel.exposure_year[-1])
    where = (
        f"{first} and {first + 1} years before access stood 100 points above its average, access of the same year held "
        f"fixed ({years[0]}-{years[-1]}; {moves(panel.value, x[1])}): a placebo, near zero if the slopes within areas "
        "are about access alone."
    )
    note = "Access after the outcome cannot have shaped it; households asked in both years can still link the two."
    return Part(
        panel,
        result,
        ("same_year", f"lead_{first}", f"lead_{first + 1}", "leads_together"),
        (POINTS,) * 4,
        "leads_together",
        tell(panel, result, 3, where),
        panel.period(years),
        (EFFECTS, note),
        not_shown="A placebo near zero does not show that the other slopes are sound: survey noise can hide one that "
        "is not zero.",
    )


def indicators(panel: Panel, seed: int) -> Part:
    """Fit the outcome on activity, unemployment and pay within units, together and each alone."""
    from scipy.stats import f as f_distribution

    names = ("economic_activity_rate", "unemployment_rate", "median_pay")
    result = slopes(panel, np.array([steps(panel, name) for name in names]))
    statistic = float(result.coef @ np.linalg.solve(result.cov, result.coef)) / len(names)
    per = tuple(find_exposure(name).per for name in names)
    words = ("each point more in work or looking for it", "each point more unemployed", "each 10% more pay")
    told = [f"{signed(panel, result, j)} for {word}" for j, word in enumerate(words)]
    return Part(
        panel,
        result,
        names,
        per,
        "",
        f"{panel.outcome.label}, within areas ({years_of(panel)}): {'; '.join(told)}.",
        panel.period(),
        (EFFECTS, "The three are fitted together; the table has each of five indicators alone.", *_spans(panel)),
        {"joint_p_value": float(f_distribution.sf(statistic, len(names), result.freedom))},
        {"alone": [_alone(panel, exposure.id) for exposure in EXPOSURES[1:]]},
    )


def _spans(panel: Panel) -> tuple[str, ...]:
    return tuple(note.replace("access one", "the indicators one") for note in of_window(panel))


def _shift_row(panel: Panel, shift: int) -> Row:
    return {"access_years_later": shift, **numbers_of(slopes(panel, access(panel, shift)[None]))}


def _alone(panel: Panel, name: str) -> Row:
    return {"exposure": name, "per": find_exposure(name).per, **numbers_of(slopes(panel, steps(panel, name)[None]))}
