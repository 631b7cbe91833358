"""Checks of a synthetic design: fit, hold-out and its power, placebos in time, single donors, size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gwm_models.evaluation.designs import DesignFit, fit_design
from gwm_models.evaluation.effect import Check, Row, Verdict
from gwm_models.evaluation.inference import Bounds, conformal_p, leave_one_out, normal_bounds, rank_p
from gwm_models.evaluation.placebo import (
    FEWEST_BEFORE,
    FEWEST_SETS,
    Placebos,
    held_out,
    placebos_in_space,
    placebos_in_time,
    without,
)
from gwm_models.evaluation.problem import Problem
from gwm_models.evaluation.words import regression_words

Floats = NDArray[np.float64]
POWER = 0.8
MOST_SHIFT = 0.5
"""Expected movement, in half-widths, from which on an interval is not offered as valid."""
FEWEST_BEYOND = 0.025
"""Share of placebos that must have stood as far out as the treated for an interval to be offered as valid."""
HOLD_OUT_SETS = 199
SIZE_SLACK = 0.4
"""How far the share of rejected placebos may be from the one asked for: 3 to 7% at 5%."""


def ratio_check(found: Placebos) -> Check:
    """Rank the ratio of gaps after and before the start among the placebos."""
    ratio = ratios(found)
    if not found.rmspe_pre[0]:
        return Check("rmspe_ratio", None, "info", "There is no gap before the start to set the gap after it against.")
    share = rank_p(ratio)
    rank = 1 + int((ratio > ratio[0]).sum())
    return Check(
        "rmspe_ratio",
        share,
        "info",
        f"The gap after the start is {ratio[0]:.3g} times the gap before it, rank {rank} of {len(found)} "
        f"(p {share:.3g} by that statistic).",
    )


def ratios(found: Placebos) -> Floats:
    """Return the ratio of the root mean squared gap after the start to the one before it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.nan_to_num(found.rmspe_post / found.rmspe_pre, nan=1.0, posinf=np.inf))


def fit_check(found: Placebos) -> Check:
    """Compare the fit before the start with that of the placebos; a fit worse than any fails."""
    if not found.rmspe_pre[0]:
        exact = int((found.rmspe_pre == 0).sum())
        return Check(
            "pre_fit",
            0.0,
            "pass",
            f"The donors fit every figure before the start exactly, as in {exact} of {len(found)} sets: with so many "
            "donors and so few times the fit says little.",
        )
    share = rank_p(found.rmspe_pre)
    worst = share <= 1 / len(found) and len(found) > 2
    return Check(
        "pre_fit",
        float(found.rmspe_pre[0]),
        "fail" if worst else "warn" if share <= 0.1 else "pass",
        f"Root mean squared gap before the start {found.rmspe_pre[0]:.4g}; {share:.0%} of all sets fit as badly or "
        "worse.",
    )


def regression_check(found: Placebos, bounds: Bounds) -> Check | None:
    """Ask the placebos how units that stand where the treated stood move although nothing happens.

    Effects of placebos are regressed on their places before the start (`Placebos.place`).
    """
    if bounds.lower is None or bounds.upper is None or len(found) < FEWEST_SETS:
        return None
    design = np.column_stack([np.ones(len(found) - 1), found.place[1:, :2]])
    slope = np.linalg.lstsq(design, found.att[1:], rcond=None)[0][1:]
    shift = float(slope @ (found.place[0] - found.place[1:].mean(axis=0))[:2])
    half = (bounds.upper - bounds.lower) / 2
    share = abs(shift) / half if half > 0 else 0.0
    verdict: Verdict = "fail" if share > MOST_SHIFT else "warn" if share > MOST_SHIFT / 2 else "pass"
    return Check("regression_to_the_mean", shift, verdict, regression_words(shift, share))


def place_check(found: Placebos) -> Check | None:
    """Ask whether any placebos stood as far out as the treated before the start, on the same side.

    Judged by mean level, level just before the start and the move between the two. Areas picked for being the worst
    stand where few or no others do, so that nothing shows how such areas go on.
    """
    if len(found) < FEWEST_SETS:
        return None
    own = found.place[0]
    beyond = np.mean(found.place[1:] * np.sign(own) >= np.abs(own), axis=0)
    least = int(np.argmin(beyond))
    share = float(beyond[least])
    alone = share < FEWEST_BEYOND
    return Check(
        "comparable_placebos",
        share,
        "fail" if alone else "pass",
        f"By its {_PLACES[least]}, the treated stood {abs(own[least]):.2g} standard deviations "
        f"{'above' if own[least] > 0 else 'below'} the donors; {share:.1%} of placebos stood as far out."
        + (" Too few show how units like it go on." if alone else ""),
    )


_PLACES = ("mean level before the start", "level just before the start", "last move before the start")


def pre_trend_check(problem: Problem, att: float) -> Check:
    """Leave the last third of the times before the start out of the fit, and ask whether a gap opened there.

    The test is the placebo test of the effect. Its power is against a mean gap in the times left out: the value is
    the p value, the words name the smallest gap that it would find four times in five.
    """
    cut = problem.data.cut - max(1, problem.data.cut // 3)
    if cut < FEWEST_BEFORE:
        words = f"{problem.data.cut} times before the start are too few to hold some back and look for an earlier gap."
        return Check("pre_trend", None, "warn", words)
    found = placebos_in_space(
        problem.method,
        held_out(problem.data, cut),
        problem.treated,
        problem.donors,
        apart=problem.apart,
        most=HOLD_OUT_SETS,
        seed=problem.seed,
    )
    if len(found) < FEWEST_SETS:
        words = f"{len(found) - 1} placebos are too few to test for a gap that opened before the start."
        return Check("pre_trend", None, "warn", words)
    signed = found.att / found.scale
    share = rank_p(np.abs(signed))
    critical = float(np.sort(np.abs(signed[1:]))[-max(1, int(0.05 * len(found) + 1e-9))])
    seen = float(found.scale[0] * (critical - np.quantile(signed[1:], 1 - POWER)))
    verdict: Verdict = "fail" if share <= 0.05 else "warn" if seen > abs(att) else "pass"
    weak = " The test could miss a departure as large as the effect." if seen > abs(att) else ""
    return Check(
        "pre_trend",
        share,
        verdict,
        f"Fitted to {problem.time[0]} to {problem.time[cut - 1]}, the gap up to {problem.time[problem.data.cut - 1]} "
        f"is {found.att[0]:.3g} (p {share:.3g}); a gap of {seen:.3g} would be found with {POWER:.0%} power.{weak}",
    )


def time_placebo_rows(problem: Problem, att: float) -> tuple[list[Row], Check | None]:
    """Return the effects of made-up starts, and a check of the largest against the effect itself."""
    fits = placebos_in_time(problem.method, problem.data, problem.treated, problem.donors)
    if not fits:
        return [], None
    rows: list[Row] = [
        {"term": f"placebo start {problem.time[cut]}", "estimate": fit.att, "n": problem.data.cut - cut}
        for cut, fit in fits.items()
    ]
    largest = max(fits, key=lambda cut: abs(fits[cut].att))
    value = fits[largest].att
    return rows, Check(
        "placebo_in_time",
        value,
        "pass" if abs(value) < abs(att) else "warn",
        f"The largest effect of {len(fits)} made-up starts before the true one is {value:.3g} "
        f"({problem.time[largest]}); the effect itself is {att:.3g}.",
    )


def single_donor_rows(problem: Problem, fit: DesignFit) -> tuple[list[Row], Check | None]:
    """Return the effects without single donors, and a check of how far they reach."""
    found = leave_one_out(problem.method, problem.data, problem.treated, problem.donors, fit)
    if not found:
        return [], None
    rows: list[Row] = [
        {"term": f"without {problem.unit[row]}", "estimate": att, "n": len(problem.donors) - 1}
        for row, att in found.items()
    ]
    low, high = min(found.values()), max(found.values())
    turns = low * fit.att <= 0 or high * fit.att <= 0
    return rows, Check(
        "leave_one_donor_out",
        max(abs(low - fit.att), abs(high - fit.att)),
        "warn" if turns else "pass",
        f"Without single donors the effect runs from {low:.3g} to {high:.3g}"
        + (": its sign rests on one donor." if turns else "."),
    )


def weight_check(fit: DesignFit) -> Check:
    """Say how many donors carry the counterfactual, and whether other weights would fit as well."""
    effective = float(1 / np.sum(fit.weight**2))
    many = "" if fit.unique else " Other weights fit as well; these have the least sum of squares of all that do."
    return Check(
        "donor_weights",
        effective,
        "pass" if fit.unique else "warn",
        f"{int((fit.weight > 1e-6).sum())} of {len(fit.weight)} donors have weight, as many as {effective:.1f} equal "
        f"ones.{many}",
    )


def size_check(problem: Problem, inference: str, level: float, found: Placebos) -> Check | None:
    """Apply a test that is not made from the placebos to each of them, and see how often it rejects."""
    if inference == "placebo" or len(found) < FEWEST_SETS:
        return None
    p_values: list[float | None] = []
    for rows in found.rows[1:]:
        rest = without(problem.donors, rows, problem.apart)
        if inference == "conformal":
            p_values.append(conformal_p(problem.method, problem.data, rows, rest))
        else:
            fit = fit_design(problem.method, problem.data, rows, rest)
            p_values.append(normal_bounds(problem.data, rows, rest, fit, level).p_value)
    known = [p for p in p_values if p is not None]
    if not known:
        return None
    share, asked = float(np.mean(np.array(known) <= 1 - level + 1e-12)), 1 - level
    good = (1 - SIZE_SLACK) * asked <= share <= (1 + SIZE_SLACK) * asked
    return Check(
        "size_on_placebos",
        share,
        "pass" if good else "fail",
        f"This test rejects {share:.1%} of {len(known)} placebos, where nothing happened; {asked:.0%} was asked for.",
    )
