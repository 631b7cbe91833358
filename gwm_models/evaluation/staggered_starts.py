"""Staggered adoption: difference in differences for units treated at different times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from gwm_models.errors import ModelError
from gwm_models.evaluation.cohorts import Cohorts, cohorts_of, starts_of
from gwm_models.evaluation.effect import Effect
from gwm_models.evaluation.group_time import Aggregate, Base, Control, Method, group_time
from gwm_models.evaluation.imputation import impute
from gwm_models.evaluation.panel import read_panel
from gwm_models.evaluation.staggered_design import of_cells, of_imputation
from gwm_models.evaluation.staggered_report import HOW, Estimator, Report


def staggered(
    panel: Any,
    *,
    unit: str,
    time: str,
    outcome: str,
    treated: str | Mapping[Any, Any],
    estimator: Estimator = "callaway_santanna",
    aggregate: Aggregate = "simple",
    control: Control | Literal["auto"] = "auto",
    method: Method = "dr",
    base: Base = "universal",
    covariates: Sequence[str] = (),
    neighbours: Iterable[tuple[object, object]] = (),
    level: float = 0.95,
    small_sample: bool = True,
    seed: int = 0,
) -> Effect:
    """Estimate the effect of an intervention that reached units at different times.

    Each cohort is compared with units that are not treated, never with units treated before, so effects that differ
    between cohorts or grow over time do not contaminate each other.

    Parameters
    ----------
    panel : DataFrame, Table or mapping of column to array
        One row per unit and time.
    unit, time, outcome : str
        Names of its columns.
    treated : str or mapping of unit to start
        A column with the first treated time of each unit (empty, 0 or infinite where never treated) or with 1 from that
        time on and 0 before; or the starts by unit, all others never treated.
    estimator : {"callaway_santanna", "imputation"}
        The other one stands in the checks.
    aggregate : {"simple", "group", "event", "calendar"}
        What the effect averages over: treated units and times; cohorts; times since the start; times.
    control : {"auto", "never", "not_yet"}
        Units never treated, or all not treated yet; "auto" takes the former where there are any.
    method : {"dr", "ipw", "reg"}
        With covariates: doubly robust, inverse probability weighting, or outcome regression.
    base : {"universal", "varying"}
        Times before the start are set against the last one before it, or each against the one before.
    covariates : sequence of str
        Columns, taken at the time each comparison starts from; that the intervention does not move.
    neighbours : iterable of pairs of units
        Units next to each other: those next to a treated one, and never treated, are not controls.
    level : float
    small_sample : bool
        Scale the part of a group of m units by m / (m - 1) in every variance, as a t test of two means does. False
        gives the asymptotic standard errors of the papers and of other programs, to compare with; an interval made of
        these is offered as valid only where the groups are so large that it hardly matters.
    seed : int
        Of the bootstrap for bands that hold at all event times at once.

    Returns
    -------
    Effect
        `path` by event time; ``terms`` with every average, and the effect of each cohort at each time. The interval
        deals the starts out again among the units where it can: no gaps, no covariates, never treated controls and no
        cohort of one unit. Else it is Student's t, offered as valid from 4 degrees of freedom that the design alone
        leaves, had all figures the same variance: five treated units of one start, or two cohorts of three or four;
        for Callaway and Sant'Anna's from four treated units to a cohort.
        With one treated unit, one control, or cohorts of one unit there is no interval, as their noise cannot be told
        from the effect. None is offered as valid where the time before the starts speaks against the design.

    Raises
    ------
    DataError, ModelError
        If the panel cannot be used, no unit is treated within it, there are no controls, a start is not one time per
        unit, or treatment is switched off.

    References
    ----------
    Callaway & Sant'Anna (2021), Journal of Econometrics 225, 200-230. Borusyak, Jaravel & Spiess (2024), Review of
    Economic Studies 91, 3253-3285.
    """
    _known(estimator, ("callaway_santanna", "imputation"), "estimator")
    _known(aggregate, HOW, "aggregate")
    _known(control, ("auto", "never", "not_yet"), "control")
    _known(method, ("dr", "ipw", "reg"), "method")
    _known(base, ("universal", "varying"), "base")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1; got {level!r}.")
    matrix = read_panel(panel, unit=unit, time=time, outcome=outcome, columns=tuple(covariates))
    cohorts = cohorts_of(matrix, starts_of(panel, matrix, unit, time, treated), neighbours)
    chosen = _control(cohorts, control)
    cells = group_time(
        cohorts.panel.value,
        cohorts.start,
        control=chosen,
        base=base,
        method=method,
        covariates=cohorts.covariates,
        small_sample=small_sample,
    )
    filled = impute(cohorts.panel.value, cohorts.start, cohorts.trends())
    if estimator == "imputation":
        result = of_imputation(filled, small_sample=small_sample)
        aggregate = "simple"
    else:
        result = of_cells(cells, aggregate)
    return Report(
        cohorts, cells, filled, result, estimator, aggregate, chosen, base, level, seed, small_sample
    ).effect()


def _known(value: str, known: Sequence[str], name: str) -> None:
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}; got {value!r}.")


def _control(cohorts: Cohorts, control: str) -> Control:
    never = bool((cohorts.start >= len(cohorts.panel.time)).any())
    if control == "never" and not never:
        raise ModelError("there are no donors: every unit is treated in time. Use control='not_yet'.")
    if not never and len(np.unique(cohorts.start)) == 1:
        raise ModelError("there are no donors: every unit is treated, all at one time. Add units that are not treated.")
    return "never" if control == "never" or (control == "auto" and never) else "not_yet"
