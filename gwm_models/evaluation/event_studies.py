"""Event study: difference in differences for one start, time by time, before it and after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gwm_models.errors import some
from gwm_models.evaluation.effect import Check, Effect, PathRow, Row, Words
from gwm_models.evaluation.event_design import EventDesign, design_of
from gwm_models.evaluation.event_inference import Errors, Estimates, estimate
from gwm_models.evaluation.neighbours import neighbour_check
from gwm_models.evaluation.panel import read_panel
from gwm_models.evaluation.pre_trend import level_check, trend_checks
from gwm_models.evaluation.treated import treated_and_start

WORDS = Words(
    "The average effect on the treated units over the times from the start on, against the average of the times "
    "before it; and the same time by time, against one time before the start.",
    "Without the intervention the treated would have moved as the controls did; nothing was felt before the start, and "
    "controls are not touched by it.",
    "Whether trends would have stayed alike after the start; whether something else began at the same time; what the "
    "intervention would do elsewhere. Units chosen for a bad last year tend to recover by themselves.",
)


def event_study(
    panel: Any,
    *,
    unit: str,
    time: str,
    outcome: str,
    treated: object,
    start: object,
    leads: int | None = None,
    lags: int | None = None,
    reference: int = -1,
    covariates: Sequence[str] = (),
    donors: Sequence[object] | None = None,
    neighbours: Iterable[tuple[object, object]] = (),
    errors: Errors = "auto",
    level: float = 0.95,
    seed: int = 0,
) -> Effect:
    """Compare treated units with controls, time by time before and after one start.

    Unit and time effects are taken out; a gap in the panel costs only its own cell.

    Parameters
    ----------
    panel : DataFrame, Table or mapping of column to array
        One row per unit and time.
    unit, time, outcome : str
        Names of its columns.
    treated : unit, list of units or name of a column
        A column is 1 for treated units, at all times or from the start on, and 0 otherwise.
    start : time
        First treated time; None where a column says it. Event time counts the times of the panel from it, which is 0.
    leads, lags : int, optional
        Event times shown on each side; those beyond share the last one. All by default.
    reference : int
        Event time, below 0, that the others are set against.
    covariates : sequence of str
        Columns that vary over time within units and that the intervention does not move.
    donors : sequence of units, optional
        Controls; every other unit by default. Leave out those the intervention may reach.
    neighbours : iterable of pairs of units
        Units next to each other: those next to a treated one are not controls.
    errors : {"auto", "permutation", "clustered", "wild", "placebo"}
        Where the interval of the average comes from. "permutation" deals treatment out again among the units and needs
        a panel without gaps or covariates; "clustered" takes bias-reduced errors clustered by unit with Satterthwaite's
        freedom, as the path always does but for "placebo"; "wild" is a wild cluster bootstrap; "placebo" the spread
        of the same estimate where controls stand in for the treated. "auto" takes "placebo" for one treated unit,
        "permutation" where it can, else "clustered".
    level : float
        Of intervals, which hold time by time and not all at once.
    seed : int
        Of random draws, where any are made.

    Returns
    -------
    Effect
        `path` by event time; ``terms`` hold the same with standard errors. The interval is not offered as valid where
        too few units bear it, and where the time before the start speaks against the design: levels that stood apart,
        a last time out of line, or trends that parted.

    Raises
    ------
    DataError, ModelError
        If the panel cannot be used: see `read_panel`; no controls, a constant outcome, no figure of a treated unit on
        one side of the start, or a reference that is not there.
    ValueError
        If an argument is outside the values above.

    References
    ----------
    Bell & McCaffrey (2002), Survey Methodology 28, 169-181. Conley & Taber (2011), Review of Economics and Statistics
    93, 113-125 (placebo). Roth (2022), American Economic Review: Insights 4, 305-322 (power of pre-trend tests).
    """
    if errors not in (known := ("auto", "permutation", "clustered", "wild", "placebo")):
        raise ValueError(f"errors must be one of {', '.join(map(repr, known))}; got {errors!r}.")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1; got {level!r}.")
    matrix = read_panel(panel, unit=unit, time=time, outcome=outcome, columns=tuple(covariates))
    pairs = list(neighbours)
    treated, start = treated_and_start(panel, matrix, unit, time, treated, start)
    design = design_of(matrix, treated, start, donors, pairs, leads, lags, reference)
    near = neighbour_check(design.panel.excluded, bool(pairs))
    return _effect(design, estimate(design, errors, level, seed), level, seed, near)


def _effect(design: EventDesign, found: Estimates, level: float, seed: int, near: Check) -> Effect:
    panel, treated = design.panel, design.treated
    finite = bool(np.isfinite([found.lower[0], found.upper[0]]).all())
    at = dict(zip(design.bins.tolist(), range(1, 1 + len(design.bins)), strict=True))
    events = np.arange(len(panel.time)) - design.start
    reach = float(events[events >= 0].mean() - events[events < 0].mean())
    return Effect(
        method="event_study",
        outcome=panel.outcome,
        treated=tuple(np.array(panel.unit)[treated].tolist()),
        start=panel.time[design.start],
        att=float(found.estimate[0]),
        std_error=None if found.error is None else float(found.error[0]),
        lower=float(found.lower[0]) if finite else None,
        upper=float(found.upper[0]) if finite else None,
        level=level,
        p_value=found.p_value if np.isfinite(found.p_value) else None,
        interval=found.interval,
        valid=found.valid and finite,
        valid_why=found.why,
        path=tuple(_path_row(design, found, k, at) for k in np.unique(design.of_time).tolist()),
        words=WORDS,
        checks=(*trend_checks(found.trend, reach), *_other_checks(design, found), near),
        terms=tuple(_term(design, found, k, j) for k, j in at.items()),
        sample={
            "units": len(panel),
            "treated": int(treated.sum()),
            "donors": int((~treated).sum()),
            "times_before": int((events < 0).sum()),
            "times_after": int((events >= 0).sum()),
            "observations": int(design.effects.seen.sum()),
        },
        excluded=panel.excluded,
        seed=seed if found.random else None,
    )


def _path_row(design: EventDesign, found: Estimates, k: int, at: dict[int, int]) -> PathRow:
    cells = design.panel.value[design.treated][:, design.of_time == k]
    observed = float(np.nanmean(cells)) if np.isfinite(cells).any() else None
    if k not in at:
        reference = k == design.reference
        return PathRow(k, observed, observed if reference else None, 0.0 if reference else None, post=k >= 0)
    effect, low, high = (float(values[at[k]]) for values in (found.estimate, found.lower, found.upper))
    without = None if observed is None else observed - effect
    known = bool(np.isfinite([low, high]).all())
    return PathRow(k, observed, without, effect, low if known else None, high if known else None, post=k >= 0)


def _term(design: EventDesign, found: Estimates, k: int, j: int) -> Row:
    cells = design.effects.seen[design.treated][:, design.of_time == k]
    return {
        "term": f"event time {k}",
        "estimate": float(found.estimate[j]),
        "std_error": None if found.error is None else float(found.error[j]),
        "lower": float(found.lower[j]),
        "upper": float(found.upper[j]),
        "n": int(cells.any(axis=1).sum()),
    }


def _other_checks(design: EventDesign, found: Estimates) -> tuple[Check, ...]:
    """Say whether the last time before the start was out of line, and where the panel has gaps."""
    checks = [level_check(found.apart)]
    if found.dip is not None:
        out = found.dip < 0.05
        words = (
            "The treated were out of line at the last time before the start: part of what followed may be recovery"
            if out
            else "The treated were not out of line at the last time before the start"
        )
        checks.append(Check("last_before", found.dip, "warn" if out else "pass", f"{words} (p {found.dip:.3g})."))
    gaps = design.panel.gaps()
    if gaps:
        words = f"{len(gaps)} of {len(design.panel)} units have gaps: {some(gaps)}. Each costs only its own cells."
        checks.append(Check("gaps", float(len(gaps)), "info", words))
    return tuple(checks)
