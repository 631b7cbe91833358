"""Regressions beside linearmodels, and group-time effects beside diff-diff."""

from __future__ import annotations

from typing import Any

import numpy as np
from pairs import Contest, Pair, timed

from gwm_models.data.edition import load_edition
from gwm_models.evaluation.group_time import average, group_time
from gwm_models.models.outcomes import find_outcome
from gwm_models.models.panel.parts import access
from gwm_models.models.panel.table import load_panel
from gwm_models.models.panel.within import fixed_effects


def _apart(ours: Any, theirs: Any) -> float:
    return float(np.abs(np.asarray(ours) - np.asarray(theirs)).max())


def _fixed_effects(quick: bool) -> Contest:
    import pandas
    from linearmodels.panel import PanelOLS

    real = load_panel(load_edition(), find_outcome("healthy_life_expectancy_female"))
    x = access(real)
    seen = np.isfinite(real.value) & np.isfinite(x)
    index = pandas.MultiIndex.from_arrays(np.nonzero(seen))
    outcome, exposure = pandas.Series(real.value[seen], index), pandas.DataFrame({"x": x[seen]}, index)

    def ours() -> Any:
        found = fixed_effects(real.value, x[None])
        return found.coef[0], found.std_error[0]

    def theirs() -> Any:
        model = PanelOLS(outcome, exposure, entity_effects=True, time_effects=True)
        found = model.fit(cov_type="clustered", cluster_entity=True, debiased=True, group_debias=True)
        return found.params["x"], found.std_errors["x"]

    return Contest(timed(ours), timed(theirs), _apart)


def staggered(units: int, times: int) -> tuple[Any, Any]:
    """Return outcomes that grow by 1 from a start of 3, 5, or never, and the place of the start."""
    rng = np.random.default_rng(1)
    start = np.repeat([3, 5, times], [units // 3, units // 3, units - 2 * (units // 3)])
    value = rng.normal(size=(units, 1)) + rng.normal(size=times) + 0.3 * rng.normal(size=(units, times))
    return value + (np.arange(times) >= start[:, None]), start


def _group_time(quick: bool) -> Contest:
    import diff_diff
    import pandas

    value, start = staggered(118, 8)
    units, times = value.shape
    first = np.where(start < times, start, 0)
    frame = pandas.DataFrame(
        {
            "unit": np.repeat(np.arange(units), times),
            "time": np.tile(np.arange(times), units),
            "first": np.repeat(first, times),
            "y": value.ravel(),
        }
    )
    names = {"outcome": "y", "unit": "unit", "time": "time", "first_treat": "first"}

    def ours() -> Any:
        cells = group_time(value, start, control="never", base="varying", method="reg", small_sample=False)
        whole = average(cells, "simple")
        return [*cells.att, whole.overall, float(np.sqrt((whole.overall_influence**2).sum()))]

    def theirs() -> Any:
        model = diff_diff.CallawaySantAnna(
            control_group="never_treated", estimation_method="reg", base_period="varying"
        )
        found = model.fit(frame, **names)
        cells = [found.group_time_effects[key]["effect"] for key in sorted(found.group_time_effects)]
        return [*cells, found.overall_att, found.overall_se]

    return Contest(timed(ours), timed(theirs), _apart)


PAIRS = (
    Pair(
        name="fixed-effects",
        compared="panel regression with unit and year effects, standard errors clustered by unit",
        size="117 areas, 1,164 rows, healthy life expectancy on access",
        checked="slope and standard error",
        peer="linearmodels",
        build=_fixed_effects,
        tolerance=1e-8,
        notes="ours from arrays, theirs from a frame made before; theirs adds tests and measures of fit",
    ),
    Pair(
        name="group-time",
        compared="group-time effects of staggered starts, never treated as controls, and their simple average",
        size="118 units x 8 times, simulated",
        checked="every cell, the average and its standard error",
        peer="diff-diff",
        build=_group_time,
        tolerance=1e-8,
        notes="ours from arrays, theirs from a frame made before",
    ),
)
