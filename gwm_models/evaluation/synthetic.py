"""Synthetic control and its kin on a panel table: from columns to an `Effect`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gwm_models.errors import DataError, ModelError
from gwm_models.evaluation.checks import (
    fit_check,
    place_check,
    pre_trend_check,
    ratio_check,
    ratios,
    regression_check,
    single_donor_rows,
    size_check,
    time_placebo_rows,
    weight_check,
)
from gwm_models.evaluation.columns import named
from gwm_models.evaluation.designs import METHODS, DesignFit, Method, fit_design
from gwm_models.evaluation.effect import Check, Effect, PathRow, PlaceboRow, Row, Time
from gwm_models.evaluation.inference import Bounds, conformal, invert_placebos, normal_bounds
from gwm_models.evaluation.neighbours import neighbour_check
from gwm_models.evaluation.panel import PanelMatrix, read_panel
from gwm_models.evaluation.placebo import Placebos, placebos_in_space
from gwm_models.evaluation.problem import Problem, covariate_match, fixed_weights, make_problem
from gwm_models.evaluation.treated import treated_and_start
from gwm_models.evaluation.words import design_words

Floats = NDArray[np.float64]
Inference = Literal["placebo", "conformal", "jackknife"]
SEED = 20260101
INTERVALS: dict[str, str] = {
    "placebo": "placebo test inversion over units",
    "conformal": "conformal test inversion over time",
    "jackknife": "fixed-weights jackknife, normal",
}


@dataclass(frozen=True, slots=True)
class Options:
    """How an evaluation is done: the keyword arguments of `synthetic_control` after the columns."""

    method: Method = "sc"
    inference: Inference = "placebo"
    level: float = 0.95
    n_placebo: int = 499
    seed: int = SEED

    def __post_init__(self) -> None:
        """Refuse values outside those that are known."""
        if self.method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}; got {self.method!r}.")
        if self.inference not in get_args(Inference):
            raise ValueError(f"inference must be one of {', '.join(get_args(Inference))}; got {self.inference!r}.")
        if not 0 < self.level < 1:
            raise ValueError(f"level must lie between 0 and 1, such as 0.95; got {self.level!r}.")
        if self.n_placebo < 1:
            raise ValueError(f"n_placebo must be at least 1; got {self.n_placebo!r}.")


def synthetic_control(
    panel: Any,
    *,
    unit: str,
    time: str,
    outcome: str,
    treated: object,
    start: object,
    method: Method = "sc",
    donors: Sequence[object] | None = None,
    neighbours: Iterable[tuple[object, object]] = (),
    covariates: Sequence[str] = (),
    weights: Mapping[Any, float] | None = None,
    inference: Inference = "placebo",
    level: float = 0.95,
    missing: str = "raise",
    n_placebo: int = 499,
    seed: int = SEED,
) -> Effect:
    """Estimate what an intervention changed in one unit, or in several, from units it did not touch.

    Parameters
    ----------
    panel : DataFrame, Table or mapping of column to array
        One row per unit and time. Not modified.
    unit, time, outcome : str
        Names of its columns.
    treated : unit, sequence of units or name of a column
        Of several, the mean is evaluated; each on its own is in the terms of the result. A column is 1 for treated
        units, at all times or from the start on, and 0 otherwise.
    start : time
        The first treated time, in the form of the panel's times, or its year; None where a column says it.
    method : {"sc", "sdid", "did"}
        Synthetic control fitted to the outcome before the start; synthetic difference in differences; difference in
        differences.
    donors : sequence of units, optional
        All units that are not treated, where left out.
    neighbours : iterable of pairs of units
        Units next to each other: they are not donors of a treated unit, nor of a placebo.
    covariates : sequence of str
        Numeric columns whose means before the start the donor weights should match too; each counts as much as the
        outcome at one time. For "sc" only; checks on times before the start leave them out.
    weights : mapping of unit to weight, optional
        Fixed donor weights, such as those of another outcome; then there are no placebos and no interval.
    inference : {"placebo", "conformal", "jackknife"}
        Compare with placebo units (default), with other times of the same unit, or, for several treated units, take
        the jackknife standard error and a normal interval.
    level : float in (0, 1)
    missing : {"raise", "drop_units", "drop_times"}
        What to do with a panel that has gaps.
    n_placebo : int
        Placebo sets to draw where several units are treated.
    seed : int

    Returns
    -------
    Effect
        `valid` says whether the interval is offered as one that holds its level.

    Raises
    ------
    DataError
        If the panel cannot be read, has gaps that are not to be dropped, or does not have a unit that is named.
    ModelError
        If there is no donor, no time before or after the start, too few times for the method, or no variation.

    References
    ----------
    Abadie, Diamond & Hainmueller (2010), JASA 105(490), 493-505, doi:10.1198/jasa.2009.ap08746.
    Arkhangelsky, Athey, Hirshberg, Imbens & Wager (2021), American Economic Review 111(12), 4088-4118,
    doi:10.1257/aer.20190159.

    Examples
    --------
    >>> rows = {"area": list("AABBCC"), "year": [1, 2] * 3, "rate": [1.0, 5.0, 2.0, 3.0, 4.0, 5.0]}
    >>> synthetic_control(rows, unit="area", time="year", outcome="rate", treated="A", start=2, method="did").att
    3.0
    """
    options = Options(method, inference, level, n_placebo, seed)
    matrix = read_panel(panel, unit=unit, time=time, outcome=outcome, columns=covariates)
    treated, start = treated_and_start(panel, matrix, unit, time, treated, start)
    matrix, problem = make_problem(matrix, treated, start, donors, neighbours, missing, method, seed)
    if covariates:
        problem = replace(problem, data=replace(problem.data, match=covariate_match(matrix, problem, covariates)))
    return _evaluate(matrix, problem, options, None if weights is None else fixed_weights(problem, weights))


def synthetic_controls(
    panel: Any,
    *,
    unit: str,
    time: str,
    outcomes: Sequence[str],
    treated: object,
    start: object,
    donors: Sequence[object] | None = None,
    neighbours: Iterable[tuple[object, object]] = (),
    level: float = 0.95,
    missing: str = "raise",
    n_placebo: int = 499,
    seed: int = SEED,
) -> dict[str, Effect]:
    """Estimate the effect on several outcomes by synthetic control, with one set of donor weights for all of them.

    Weights are fitted to all outcomes before the start, each divided by its standard deviation over units and times,
    so that no outcome has weights picked for it alone. Placebos are treated the same way. Parameters as in
    `synthetic_control`.

    Returns
    -------
    dict of str to Effect
        By outcome, in the order given.

    References
    ----------
    Tian, Lee & Panchenko (2023), Synthetic controls with multiple outcomes, arXiv:2304.02272.
    """
    options, pairs = Options("sc", "placebo", level, n_placebo, seed), list(neighbours)
    if not named(outcomes):
        raise ModelError("no outcome was named. Name at least one.")
    found = {}
    for name in named(outcomes):
        matrix = read_panel(panel, unit=unit, time=time, outcome=name)
        units, first = treated_and_start(panel, matrix, unit, time, treated, start)
        found[name] = make_problem(matrix, units, first, donors, pairs, missing, "sc", seed)
    if len({matrix.unit for matrix, _ in found.values()}) > 1:
        raise DataError("the outcomes are not there for the same units. Leave out units that miss an outcome.")
    blocks = [problem.data.match / (float(problem.data.match.std()) or 1.0) for _, problem in found.values()]
    effects = {}
    for name, (matrix, problem) in found.items():
        common = replace(problem, data=replace(problem.data, match=np.hstack(blocks)))
        effects[name] = _evaluate(matrix, common, options, None)
    return effects


def _evaluate(panel: PanelMatrix, problem: Problem, options: Options, fixed: Floats | None) -> Effect:
    method, data, treated, donors = problem.method, problem.data, problem.treated, problem.donors
    fit = fit_design(method, data, treated, donors, fixed)
    found = None
    if fixed is None:
        found = placebos_in_space(
            method, data, treated, donors, apart=problem.apart, most=options.n_placebo, seed=options.seed, first=fit
        )
    bounds = _bounds(problem, options, fit, found)
    checks, terms = _checks(problem, options, fit, found, bounds)
    checks.append(neighbour_check(panel.excluded, bool(problem.apart)))
    valid, why = _validity(options, found, bounds, checks)
    cut = data.cut
    names = tuple(panel.unit[k] for k in treated.tolist())
    return Effect(
        method=method,
        outcome=panel.outcome,
        treated=names,
        start=panel.time[cut],
        att=fit.att,
        std_error=bounds.std_error,
        lower=bounds.lower,
        upper=bounds.upper,
        level=options.level,
        p_value=bounds.p_value,
        interval=INTERVALS[options.inference],
        valid=valid,
        valid_why=why,
        path=_path(problem, fit, bounds),
        words=design_words(method, panel.outcome, names, (str(panel.time[cut]), str(panel.time[-1]))),
        weights={panel.unit[k]: float(w) for k, w in zip(donors.tolist(), fit.weight, strict=True)},
        time_weights={} if method == "sc" else _by_time(panel.time, fit.time_weight),
        placebo=() if found is None else _placebo_rows(panel.unit, found),
        checks=tuple(checks),
        terms=tuple(terms),
        sample={
            "units": len(panel),
            "treated": len(treated),
            "donors": len(donors),
            "times_before": cut,
            "times_after": len(panel.time) - cut,
            "placebos": 0 if found is None else len(found) - 1,
        },
        excluded=panel.excluded,
        seed=options.seed if found is not None and found.drawn else None,
    )


def _bounds(problem: Problem, options: Options, fit: DesignFit, found: Placebos | None) -> Bounds:
    none = np.full(problem.data.value.shape[1], np.nan)
    if found is None:
        return Bounds(None, None, None, None, none)
    if options.inference == "conformal":
        return conformal(problem.method, problem.data, problem.treated, problem.donors, fit, options.level)
    if options.inference == "jackknife":
        return normal_bounds(problem.data, problem.treated, problem.donors, fit, options.level)
    return invert_placebos(found, options.level)


def _checks(
    problem: Problem, options: Options, fit: DesignFit, found: Placebos | None, bounds: Bounds
) -> tuple[list[Check], list[Row]]:
    """Return the checks that can be made, and the rows of further estimates."""
    checks: list[Check | None] = [weight_check(fit)]
    terms: list[Row] = []
    if len(problem.treated) > 1:
        for row in problem.treated:
            alone = fit_design(problem.method, problem.data, np.array([row]), problem.donors)
            terms.append({"term": f"treated {problem.unit[row]}", "estimate": alone.att, "n": len(problem.donors) + 1})
    if found is None:
        return [check for check in checks if check], terms
    if len(found) > 1:
        checks += [fit_check(found), ratio_check(found), regression_check(found, bounds), place_check(found)]
        checks += [pre_trend_check(problem, fit.att), size_check(problem, options.inference, options.level, found)]
    in_time, time_check = time_placebo_rows(problem, fit.att)
    without, donor_check = single_donor_rows(problem, fit)
    return [check for check in (*checks, time_check, donor_check) if check], terms + in_time + without


def _validity(options: Options, found: Placebos | None, bounds: Bounds, checks: Sequence[Check]) -> tuple[bool, str]:
    """Say whether the interval is offered as one that holds its level, and why."""
    if found is None:
        return False, "Weights were given, so no placebo can be made the same way."
    fewest = ceil(1 / (1 - options.level) - 1e-9)
    if options.inference != "placebo":
        return _measured(options, bounds, checks)
    if bounds.lower is None:
        return False, f"An interval at {options.level:.0%} needs {fewest - 1} placebos; there are {len(found) - 1}."
    failed = [check for check in checks if check.verdict == "fail" and check.name in _GROUNDS]
    if failed:
        return False, " ".join(check.words for check in failed)
    sets, asked = len(found), 1 - options.level
    held = int(asked * sets + 1e-9) / sets
    coarse = f" So few sets allow a test at {held:.1%}, not {asked:.1%}." if held < 0.8 * asked else ""
    return True, (
        f"Under no effect, {sets - 1} placebos are as likely as the treated to stand out, once effects are set "
        f"against the size to expect from the fit before the start.{coarse}"
    )


def _measured(options: Options, bounds: Bounds, checks: Sequence[Check]) -> tuple[bool, str]:
    """Judge an interval that is not made from placebos by how often it would reject them."""
    size = next((check for check in checks if check.name == "size_on_placebos"), None)
    if bounds.lower is None:
        return False, f"No interval at {options.level:.0%} can be made: too few times or treated units for it."
    if size is None:
        return False, "There are too few placebos to see whether this interval holds its level here."
    return size.verdict == "pass", size.words


_GROUNDS = ("pre_fit", "regression_to_the_mean", "comparable_placebos")


def _path(problem: Problem, fit: DesignFit, bounds: Bounds) -> tuple[PathRow, ...]:
    observed = problem.data.value[problem.treated].mean(axis=0)
    rows = []
    for t, time in enumerate(problem.time):
        gap, half = float(fit.gap[t]), float(bounds.path[t])
        known = np.isfinite(half) and t >= fit.cut
        rows.append(
            PathRow(
                time,
                float(observed[t]),
                float(observed[t] - gap),
                gap,
                gap - half if known else None,
                gap + half if known else None,
                t >= fit.cut,
            )
        )
    return tuple(rows)


def _by_time(time: tuple[Time, ...], weight: Floats) -> dict[Time, float]:
    return {at: float(w) for at, w in zip(time[: len(weight)], weight, strict=True)}


def _placebo_rows(unit: tuple[str, ...], found: Placebos) -> tuple[PlaceboRow, ...]:
    ratio = ratios(found)
    return tuple(
        PlaceboRow(
            " + ".join(unit[row] for row in rows.tolist()),
            float(found.att[k]),
            float(found.rmspe_pre[k]),
            float(found.rmspe_post[k]),
            float(ratio[k]),
            1 + int((ratio > ratio[k]).sum()),
            k == 0,
        )
        for k, rows in enumerate(found.rows)
    )
