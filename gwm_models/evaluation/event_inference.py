"""How sure an event study is: errors clustered by unit, permutations, a wild bootstrap, or placebos."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError
from gwm_models.evaluation.clustered import Clustered, fit_clustered
from gwm_models.evaluation.event_design import EventDesign
from gwm_models.evaluation.permutation import permute
from gwm_models.evaluation.pre_trend import APART, PARTED, PreTrend, joint_test, levels_apart, placebo_test
from gwm_models.models.panel.wild_bootstrap import wild_cluster
from gwm_models.models.panel.within import TwoWay, check_moves, two_way

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Errors = Literal["auto", "permutation", "clustered", "wild", "placebo"]

DIPPED = (
    "The treated were out of line at the last time before the start (p {:.2g}): part of what followed may be recovery."
)
LEAST_FREEDOM = 4.0
"""Satterthwaite freedom below which a clustered interval is not offered as valid (Imbens & Kolesar 2016)."""
TINY = 1e-3
N_SETS, N_WILD = 499, 1999


@dataclass(frozen=True, eq=False)
class Estimates(Frozen):
    """Estimates: the average first, then each event time.

    Attributes
    ----------
    estimate, lower, upper : ndarray, shape (1 + n_events,)
    error : ndarray, shape (1 + n_events,), or None
    p_value : float
        Of no average effect.
    interval : str
        How the interval of the average was made.
    valid : bool
    why : str
    trend : PreTrend or None
    dip : float or None
        p value of the last time before the start being like those before it.
    apart : float
        p value of treated and controls having the same level before the start.
    random : bool
        Whether random draws were used.
    """

    estimate: Floats
    error: Floats | None
    lower: Floats
    upper: Floats
    p_value: float
    interval: str
    valid: bool
    why: str
    trend: PreTrend | None
    dip: float | None
    apart: float = 1.0
    random: bool = True


def estimate(design: EventDesign, errors: Errors, level: float, seed: int) -> Estimates:
    """Estimate the average and each event time, with intervals as asked for.

    Parameters
    ----------
    design : EventDesign
    errors : str
        See `event_study`.
    level : float
    seed : int
    """
    errors = _errors(design, errors)
    if errors == "placebo":
        return _checked(design, _by_placebo(design, level, seed))
    found = _by_cluster(design, level)
    if errors == "wild":
        found = _wild(design, found, level, seed)
    elif errors == "permutation":
        found = _permuted(design, found, level, seed)
    return _checked(design, found)


def _errors(design: EventDesign, errors: Errors) -> Errors:
    """Choose where the interval comes from, and refuse a choice that cannot be made."""
    m, c = int(design.treated.sum()), int((~design.treated).sum())
    can = min(m, c) >= 2 and bool(design.effects.seen.all()) and not len(design.covariates)
    if errors == "permutation" and not can:
        raise ModelError(
            "errors='permutation' needs two treated units, two controls, and a panel without gaps or covariates; take "
            "errors='auto'."
        )
    if errors == "auto":
        return "placebo" if m == 1 else "permutation" if can else "clustered"
    return errors


def _permuted(design: EventDesign, found: Estimates, level: float, seed: int) -> Estimates:
    """Put a permutation interval in the place of the clustered one of the average."""
    after = design.of_time >= 0
    value = design.panel.value
    change = value[:, after].mean(axis=1) - value[:, ~after].mean(axis=1)
    dealt = permute(change, design.treated, keyed_rng(seed, "event_study:permutation"), level)
    m, known = int(design.treated.sum()), bool(np.isfinite([dealt.lower, dealt.upper]).all())
    return replace(
        found,
        random=True,
        lower=np.concatenate([[dealt.lower], found.lower[1:]]),
        upper=np.concatenate([[dealt.upper], found.upper[1:]]),
        p_value=dealt.p_value,
        interval=f"treatment dealt out again among the units, {dealt.n_draws} ways, studentised; CR2 errors by time",
        valid=known,
        why=f"{m} treated and {len(value) - m} controls; it holds where the treated were as good as drawn."
        if known
        else f"{dealt.n_draws} ways to deal the treated out are too few for a level of {level:.0%}.",
    )


def _checked(design: EventDesign, found: Estimates) -> Estimates:
    """Take the offer back where the time before the start speaks against the design."""
    before = np.where(design.effects.seen, design.panel.value, np.nan)[:, : design.start]
    apart = min(levels_apart(before, design.treated))
    found = replace(found, apart=apart)
    trend = None if found.trend is None else found.trend.p_value
    for p_value, why in ((apart, APART), (found.dip, DIPPED), (trend, PARTED)):
        if p_value is not None and p_value < 0.05:
            return replace(found, valid=False, why=why.format(p_value))
    return found


def _by_cluster(design: EventDesign, level: float) -> Estimates:
    """Estimate with errors clustered by unit."""
    from scipy.stats import t as student

    fit = fit_clustered(design.panel.value, design.exposures(design.treated), design.effects)
    n_events = len(design.bins)
    rows = [design.average(), *np.eye(len(fit.coef))[:n_events]]
    estimate, error, freedom = np.array([fit.contrast(np.asarray(row)) for row in rows]).T
    known = (freedom > TINY) & (error > 0)
    reach = np.where(known, student.isf((1 - level) / 2, np.maximum(freedom, TINY)) * error, np.inf)
    valid, why = _judge(design, float(freedom[0]), float(error[0]))
    p_value = 2 * float(student.sf(abs(estimate[0]) / error[0], freedom[0])) if error[0] > 0 else float("nan")
    interval = f"CR2 errors clustered by unit, Student's t with {freedom[0]:.1f} degrees of freedom"
    return Estimates(
        estimate,
        error,
        estimate - reach,
        estimate + reach,
        p_value,
        interval,
        valid,
        why,
        _joint(design, fit),
        _dip_p(design, fit),
        random=False,
    )


def _judge(design: EventDesign, freedom: float, error: float) -> tuple[bool, str]:
    m, c = int(design.treated.sum()), int((~design.treated).sum())
    if m == 1 or c == 1 or not error > 0:
        return False, f"With {m} treated and {c} controls a single unit's own noise cannot be told from the effect."
    if freedom < LEAST_FREEDOM:
        return False, f"{freedom:.1f} degrees of freedom are too few for Student's t to hold its level."
    return True, f"{m} treated units and {c} controls leave {freedom:.0f} degrees of freedom."


def _leads(design: EventDesign) -> tuple[NDArray[np.int64], Floats]:
    """Return the places of the leads among the event times, and their distance from the reference."""
    place = np.flatnonzero(~design.post)
    return place, (design.bins[place] - design.reference).astype(float)


def _joint(design: EventDesign, fit: Clustered) -> PreTrend | None:
    place, distance = _leads(design)
    if not len(place):
        return None
    rows = np.zeros((len(place) + 1, len(fit.coef)))
    rows[np.arange(len(place)), place] = 1.0
    rows[-1, place] = distance
    freedom = np.array([fit.contrast(row)[2] for row in rows])
    return joint_test(fit.coef[place], fit.cov[np.ix_(place, place)], distance, freedom)


def _dip_p(design: EventDesign, fit: Clustered) -> float | None:
    """Return the p value of the last time before the start being like those before it."""
    from scipy.stats import t as student

    weights = design.dip()
    if weights is None:
        return None
    estimate, error, freedom = fit.contrast(weights)
    return 2 * float(student.sf(abs(estimate) / error, freedom)) if error > 0 and freedom > 0 else None


def _dip_rank(design: EventDesign, estimate: Floats, placebo: Floats) -> float | None:
    """Return the same from the ranks of placebos; columns are the average and the event times."""
    weights = design.dip()
    if weights is None:
        return None
    own, others = (np.abs(values[..., 1:] @ weights[: len(design.bins)]) for values in (estimate, placebo))
    return float((1 + np.sum(others >= own * (1 - 1e-9))) / (len(others) + 1))


def _wild(design: EventDesign, found: Estimates, level: float, seed: int) -> Estimates:
    """Put a wild cluster bootstrap in the place of the clustered interval of the average.

    The regressors are turned so that one of them carries the average as its coefficient.
    """
    weights = design.average()
    columns = design.exposures(design.treated)[:, design.effects.seen].T
    aside = np.linalg.svd(weights[None])[2][1:].T
    i, t = np.nonzero(design.effects.seen)
    dummies = [np.eye(len(design.panel))[i], np.eye(len(design.panel.time))[t]]
    controls = np.column_stack([*dummies, columns @ aside])
    outcome = design.panel.value[design.effects.seen]
    one = columns @ weights / float(weights @ weights)
    m = int(min(design.treated.sum(), (~design.treated).sum()))
    boot = wild_cluster(outcome, one, controls, i, keyed_rng(seed, "event_study:wild"), n_draws=N_WILD, level=level)
    few = "The wild bootstrap is too cautious with fewer than about 6 treated units or controls."
    lower, upper = (
        np.concatenate([[bound], rest[1:]]) for bound, rest in ((boot.lower, found.lower), (boot.upper, found.upper))
    )
    return replace(
        found,
        random=True,
        lower=lower,
        upper=upper,
        p_value=boot.p_value,
        interval=f"restricted wild cluster bootstrap of the average, {len(boot.t_draws)} draws; CR2 errors by time",
        valid=m >= 6 and bool(np.isfinite([boot.lower, boot.upper]).all()),
        why=few if m < 6 else f"{m} units on the smaller side are enough for a wild bootstrap by unit.",
    )


def _coefs(design: EventDesign, value: Floats, treated: Mask, effects: TwoWay) -> Floats:
    """Return the average and each event time by least squares, without errors."""
    left = effects.residual(np.where(effects.seen, design.exposures(treated), 0.0))
    check_moves(left)
    flat = left.reshape(len(left), -1)
    coef = np.linalg.solve(flat @ flat.T, flat @ effects.residual(np.where(effects.seen, value, 0.0)).ravel())
    return np.concatenate([[design.average() @ coef], coef[: len(design.bins)]])


def _by_placebo(design: EventDesign, level: float, seed: int) -> Estimates:
    """Estimate, with the spread found where controls stand in for the treated."""
    m, controls = int(design.treated.sum()), np.flatnonzero(~design.treated)
    estimate = _coefs(design, design.panel.value, design.treated, design.effects)
    placebo = _placebos(design, controls, m, seed)
    n = len(placebo)
    place = int(np.ceil(level * (n + 1))) - 1
    enough = place < n
    reach = np.sort(np.abs(placebo), axis=0)[place] if enough else np.full(len(estimate), np.inf)
    leads, distance = _leads(design)
    trend = placebo_test(estimate[1 + leads], placebo[:, 1 + leads], distance) if len(leads) and n else None
    why = (
        f"{n} placebos; it holds where the treated were as good as drawn from among the controls."
        if enough
        else f"{n} placebos are too few for a level of {level:.0%}."
    )
    return Estimates(
        estimate,
        None,
        estimate - reach,
        estimate + reach,
        float((1 + np.sum(np.abs(placebo[:, 0]) >= abs(estimate[0]) * (1 - 1e-9))) / (n + 1)) if n else float("nan"),
        f"placebo: the same estimate with {m} control{'s' if m > 1 else ''} in the place of the treated, {n} times",
        enough,
        why,
        trend,
        _dip_rank(design, estimate, placebo) if n else None,
    )


def _placebos(design: EventDesign, controls: NDArray[np.int64], m: int, seed: int) -> Floats:
    """Return the estimates of sets of controls taken as treated, the treated left out, shape (n_sets, 1 + events)."""
    if len(controls) < m + 1:
        return np.empty((0, 1 + len(design.bins)))
    rest = np.where(design.treated[:, None], False, design.effects.seen)
    effects, value = two_way(rest), design.panel.value
    rng = keyed_rng(seed, "event_study:placebo")
    sets = [[i] for i in controls] if m == 1 else [rng.choice(controls, m, replace=False) for _ in range(N_SETS)]
    found = []
    for members in sets:
        chosen = np.isin(np.arange(len(value)), members)
        try:
            found.append(_coefs(design, value, chosen, effects))
        except ModelError:  # a stand-in with gaps of its own where the treated have figures
            continue
    return np.array(found).reshape(len(found), 1 + len(design.bins))
