"""Any design on any panel file: from the words of a command to an `Effect`, and to the power of the design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.errors import DataError, ModelError
from gwm_models.evaluation.designs import METHODS, Method
from gwm_models.evaluation.detect import Detectability, Run, any_set, detectability, synthetic_run, windows
from gwm_models.evaluation.detect_runs import event_run, series_run
from gwm_models.evaluation.effect import Effect
from gwm_models.evaluation.panel import PanelMatrix, label, read_panel
from gwm_models.evaluation.panel_spec import SERIES, PanelSpec
from gwm_models.evaluation.synthetic import synthetic_control
from gwm_models.evaluation.table_file import read_panel_file

Floats = NDArray[np.float64]

PER = 100_000
"""What rates are out of, where a population is named."""


def read_spec(spec: PanelSpec) -> dict[str, list[Any]]:
    """Read the file of a spec, with its outcome as a rate where it is a count and the design is not ``its``.

    Raises
    ------
    DataError
        With every fault of the file.
    """
    columns: dict[str, list[Any]] = read_panel_file(spec.file, spec.wanted())
    if spec.unit is None:
        columns[spec.column] = [SERIES] * len(columns[spec.time])
    if spec.design == "staggered":
        columns[spec.treated[0]] = [_switch(cell) for cell in columns[spec.treated[0]]]
    if spec.population and not spec.counts:
        people = columns[spec.population]
        if any(number is not None and number <= 0 for number in people):
            raise DataError(f"{spec.file}: column '{spec.population}' has populations that are not positive.")
        pairs = zip(columns[spec.outcome], people, strict=True)
        columns[spec.outcome] = [None if y is None or n is None else PER * y / n for y, n in pairs]
    return columns


def evaluate_panel(columns: Mapping[str, list[Any]], spec: PanelSpec) -> Effect:
    """Run the design of a spec.

    Parameters
    ----------
    columns : mapping
        From `read_spec`.
    spec : PanelSpec

    Returns
    -------
    Effect

    Raises
    ------
    DataError, ModelError
        As the design does.
    """
    found = _run(columns, spec)
    if spec.population and not spec.counts:
        found = replace(found, outcome=f"{spec.outcome} per {PER:,} of {spec.population}")
    return found


def _run(columns: Mapping[str, list[Any]], spec: PanelSpec) -> Effect:
    at: dict[str, Any] = {"unit": spec.column, "time": spec.time, "outcome": spec.outcome, "level": spec.level}
    if spec.design in METHODS:
        return synthetic_control(
            columns,
            **at,
            treated=list(spec.treated),
            start=spec.start,
            method=_method(spec),
            donors=_pool(columns, spec),
            covariates=spec.covariates,
            inference=spec.inference,
            missing=spec.missing,
            seed=spec.seed,
        )
    if spec.design == "event-study":
        from gwm_models.evaluation.event_studies import event_study

        pool = _pool(columns, spec)
        names = list(spec.treated)
        return event_study(
            columns, **at, treated=names, start=spec.start, donors=pool, covariates=spec.covariates, seed=spec.seed
        )
    if spec.design == "staggered":
        from gwm_models.evaluation.staggered_starts import staggered

        return staggered(columns, **at, treated=spec.treated[0], covariates=spec.covariates, seed=spec.seed)
    return _one_series(columns, spec, at)


def _one_series(columns: Mapping[str, list[Any]], spec: PanelSpec, at: Mapping[str, Any]) -> Effect:
    from gwm_models.evaluation.interrupted import interrupted_series

    counts = spec.population is not None and spec.counts
    return interrupted_series(
        columns,
        **at,
        treated=list(spec.treated) or [SERIES],
        start=spec.start,
        controls=[name for name in spec.donors if name not in spec.exclude],
        population=spec.population if counts else None,
        covariates=spec.covariates,
        family=spec.family or ("poisson" if counts else "gaussian"),
        seasonality=spec.seasonality,
        period=spec.period,
        model="structural" if spec.design == "structural" else "segmented",
        seed=spec.seed,
    )


def panel_power(
    columns: Mapping[str, list[Any]],
    spec: PanelSpec,
    *,
    years_after: int | None = None,
    n_placebo: int = 120,
    n_sets: int = 99,
) -> Detectability:
    """Measure the power of a design on the times before the start, with sets of untreated units at random.

    Parameters
    ----------
    columns : mapping
        From `read_spec`.
    spec : PanelSpec
        Of sc, sdid, did, event-study or its.
    years_after : int, optional
        Times after a made-up start; as many as there are after the true one, cut to a third of those before it.
    n_placebo, n_sets : int
        Windows, and placebo sets in each.

    Raises
    ------
    ModelError
        If the design is another, or units or times are too few.
    """
    if spec.design in ("staggered", "structural"):
        raise ModelError(
            f"Power by simulation is measured for sc, sdid, did, event-study and its; the design is {spec.design}."
        )
    if spec.counts:
        raise ModelError("Power by simulation is of figures, not of counts. Leave --family out, or name --population.")
    matrix = read_panel(columns, unit=spec.column, time=spec.time, outcome=spec.outcome)
    cut = matrix.start_column(spec.start)
    treated = [matrix.place(name) for name in spec.treated]
    pool = _pool(columns, spec) or [name for name in matrix.unit if name not in {label(n) for n in spec.treated}]
    rows = [matrix.place(name) for name in dict.fromkeys(map(str, pool))]
    past = matrix.take(rows, slice(0, cut)).balanced(missing="drop_units" if spec.missing == "raise" else spec.missing)
    starts, before, after = windows(cut, cut, years_after or len(matrix.time) - cut)
    return detectability(
        past.value,
        any_set(len(past), _size(past, len(treated))),
        _power_run(spec, n_sets),
        starts=starts,
        n_before=before,
        n_after=after,
        n_placebo=n_placebo,
        level=spec.level,
        seed=spec.seed,
    )


def _power_run(spec: PanelSpec, n_sets: int) -> Run:
    if spec.design == "event-study":
        return event_run(spec.level)
    return series_run(spec.level) if spec.design == "its" else synthetic_run(_method(spec), {}, spec.level, n_sets)


def _size(panel: PanelMatrix, size: int) -> int:
    if len(panel) <= size + 1:
        raise ModelError(
            f"{len(panel)} units without gaps are not treated; placebos of {size} treated need at least {size + 2}."
        )
    return size


def _method(spec: PanelSpec) -> Method:
    return next(method for method in METHODS if method == spec.design)


def _pool(columns: Mapping[str, list[Any]], spec: PanelSpec) -> list[str] | None:
    """Return the donors named, without those excluded; None for all."""
    if not spec.donors and not spec.exclude:
        return None
    every: Sequence[str] = spec.donors or list(dict.fromkeys(label(name) for name in columns[spec.column]))
    out = {*spec.exclude, *spec.treated}
    return [name for name in every if name and name not in out]


def _switch(cell: str) -> float | str | None:
    """Return a cell of starts: a number where it is one, 1 and 0 for true and false, None where it is empty."""
    known: dict[str, float | None] = {"true": 1.0, "false": 0.0, "": None, "na": None, "nan": None, "inf": None}
    if cell.casefold() in known:
        return known[cell.casefold()]
    try:
        return float(cell if "_" not in cell else "")
    except ValueError:
        return cell
