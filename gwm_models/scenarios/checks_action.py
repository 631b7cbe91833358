"""What an action must mean beside its change and its areas: when it comes, what it costs, how it is known."""

from __future__ import annotations

import math

from gwm_models.data.index_spec import IndicatorSpec
from gwm_models.scenarios.changes import KINDS, SELF_TIMED, check_years, points_of, year_span
from gwm_models.scenarios.findings import advice, escaped, number_text, suggestion
from gwm_models.scenarios.known import condition, conditions, evidence_ids, has_conditions
from gwm_models.scenarios.view import View

SHARES = ("deadweight", "displacement", "leakage")
MOST_POUNDS = 2**53 / 100
"""Above this, pennies are lost in a number of double precision."""
MOST_SHARE = 10.0
"""A causal share further from 0 is no share of anything."""
MOST_YEARS_OF_PRICES = 30
"""Prices of a year longer before the horizon are taken for a slip."""
PHASING = "{start: 2026, full_by: 2029}"


def check_lever(action: View) -> None:
    """Check that an action changes exactly one thing that exists: an indicator, or a condition with its link."""
    given = [key for key in ("indicator", "condition") if key in action]
    if len(given) == 2:
        action.error("has both indicator and condition", "keep one; write two actions to change both")
    elif not given and "link" in action:
        action.need("condition", "nvq4plus_share")
    elif not given:
        action.need("indicator", "economic_activity_rate")
    if "link" in action and "condition" not in action and "indicator" in action:
        what = "'link' has no meaning for an indicator, which is part of the scores itself"
        (action / "link").error(what, "remove it, or name a condition instead of the indicator")
    check_causal_share(action / "link")
    check_name(action / "indicator", "indicator", list(action.vocabulary.indicators))
    at, name = action / "condition", action.text("condition")
    if name is None or not name.strip():
        return
    if not has_conditions(action.vocabulary):
        what = f"{escaped(action.vocabulary.edition)} has no figures of conditions for good work"
        at.error(what, "name an indicator, or a shipped edition in baseline.edition")
    elif condition(name) is None:
        at.error(f"unknown condition '{escaped(name)}'{suggestion(name, conditions())}", advice(name, conditions()))


def check_causal_share(link: View) -> None:
    """Check the share of an association that is taken as effect."""
    share = link / "causal_share"
    mean, sd = share.number("mean"), share.number("sd")
    for key, value in (("mean", mean), ("sd", sd)):
        if value is not None and abs(value) > MOST_SHARE:
            fix = f"write {number_text(value / 100)} for {number_text(value)} percent"
            (share / key).error(f"{number_text(value)} is no share of an association", fix)
    if mean is not None and abs(mean) <= MOST_SHARE and not 0 <= mean <= 1:
        what = f"a causal share of {number_text(mean)} is outside 0 to 1"
        (share / "mean").warning(what, "write 0 for no effect and 1 for the whole association, or keep it")


def check_name(at: View, noun: str, known: list[str]) -> None:
    """Report a name that is not among those known."""
    name = at.value
    if isinstance(name, str) and name.strip() and name not in known:
        at.error(f"unknown {noun} '{escaped(name)}'{suggestion(name, known)}", advice(name, known))


def check_course(action: View, horizon: View) -> None:
    """Check when a change comes: by its phasing, or for a path or a shock by itself."""
    phasing, kind = action / "phasing", (action / "change").text("kind")
    if kind in SELF_TIMED and "phasing" in action:
        phasing.error(f"'phasing' has no meaning for kind '{kind}', which says when it comes", "remove it")
        return
    if kind == "shock":
        action.need("start", "2027")
    elif "start" in action and kind in KINDS:
        (action / "start").error(f"'start' has no meaning for kind '{kind}'", "write it inside phasing")
    if kind not in SELF_TIMED:
        action.need("phasing", PHASING)
    _check_start(action if kind == "shock" else phasing, horizon)
    _check_phasing(phasing, horizon)
    if "path" in phasing and phasing.text("shape") != "path":
        (phasing / "path").error("'path' is for shape path only", "remove it, or write shape: path")
    elif phasing.text("shape") == "path":
        phasing.need("path", "[[2026, 0.2], [2029, 1.0]]")
        _check_shares(phasing)


def _check_start(part: View, horizon: View) -> None:
    start, ends = part.whole("start"), year_span(horizon, "start", "end")
    if start is not None and ends is not None and not ends[0] <= start <= ends[1]:
        what = f"start {start} is outside the horizon {ends[0]} to {ends[1]}"
        (part / "start").error(what, f"write a year from {ends[0]} to {ends[1]}, or mend the horizon")


def _check_phasing(phasing: View, horizon: View) -> None:
    start, full_by, ends = phasing.whole("start"), phasing.whole("full_by"), year_span(horizon, "start", "end")
    if start is not None and full_by is not None:
        if full_by < start:
            what = f"full_by {full_by} is before start {start}"
            (phasing / "full_by").error(what, f"write a year from {start} on, or mend start")
        elif phasing.text("shape") == "step" and full_by != start:
            what = f"a step comes all at once in full_by {full_by}; start {start} changes nothing"
            (phasing / "start").warning(what, f"write start: {full_by}, or shape: linear")
    if ends is None or full_by is None or phasing.findings.has_error((*phasing.keys, "start")):
        return
    if full_by > ends[1]:
        begun = phasing.text("shape") == "path" or (phasing.text("shape") != "step" and (start or ends[0]) < ends[1])
        seen = "the whole change is never seen" if begun else "nothing of the change is ever seen"
        what = f"full_by {full_by} is after the end of the horizon {ends[1]}: {seen}"
        (phasing / "full_by").warning(what, "lengthen the horizon, or keep it")


def _check_shares(phasing: View) -> None:
    """Check the shares by year of a phasing that is given as a path."""
    check_years(phasing, year_span(phasing, "start", "full_by"), "the phasing")
    for at, _, share in points_of(phasing):
        if share < 0:
            what = f"a share of the change cannot be negative; found {number_text(share)}"
            (at / 1).error(what, "write 0 or more; kind: path says a change that turns")
        elif share > 1:
            what = f"share {number_text(share)} is more than the whole change"
            percent = f"{number_text(share / 100)} for {number_text(share)} percent"
            (at / 1).warning(what, f"write {percent if 2 < share <= 100 else 'a share from 0 to 1'}, or keep it")


def check_additionality(action: View) -> None:
    """Check that each share that is not known for certain has a beta distribution."""
    for name in SHARES:
        share = action / "additionality" / name
        mean, sd = share.number("mean"), share.number("sd")
        if mean is None or sd is None or not 0 < mean < 1 or sd <= 0:
            continue
        strength = mean * (1 - mean) / sd**2 - 1
        most = math.floor(1000 * math.sqrt(mean * (1 - mean))) / 1000
        if strength <= 0:
            what = f"no share between 0 and 1 has mean {number_text(mean)} and sd {number_text(sd)}"
            (share / "sd").error(what, f"write an sd below {number_text(most)}")
        elif max(mean, 1 - mean) * strength < 1:
            what = f"mean {number_text(mean)} with sd {number_text(sd)} puts most weight near 0 and near 1"
            (share / "sd").warning(what, "write a smaller sd, or keep it")


def check_cost(action: View, horizon: View) -> None:
    """Check what an action costs, for whom, and when."""
    cost = action / "cost"
    if not isinstance(cost.value, dict):
        return
    if "fixed" not in cost and "recurring" not in cost:
        cost.error("has no amount", "add fixed: {value: 1000000, unit: GBP} or recurring")
    for name in ("fixed", "recurring"):
        _check_amount(cost / name)
        _check_years(cost / name, year_span(horizon, "start", "end"))
        _check_jobs(cost / name, action)
    _check_prices(cost, year_span(horizon, "start", "end"))
    years = (cost / "fixed").pair("years")
    if years is not None and years[0] < years[1]:
        what = f"a fixed cost is paid once, not in each year from {years[0]} to {years[1]}"
        (cost / "fixed" / "years").warning(what, "write it as recurring, or remove years")


def _check_prices(cost: View, ends: tuple[int, int] | None) -> None:
    """Warn of prices of a year far from those in which the money is spent."""
    base = cost.whole("price_base")
    if base is None or ends is None or ends[0] - MOST_YEARS_OF_PRICES <= base <= ends[1]:
        return
    when = f"{ends[0] - base} years before the horizon" if base < ends[0] else f"after the horizon, {ends[1]}"
    what = f"prices of {base} are of a year {when}"
    (cost / "price_base").warning(what, "write the year whose prices the amounts are in, or keep it")


def _check_amount(amount: View) -> None:
    value = amount.number("value")
    low, high = amount.number("low"), amount.number("high")
    for key in ("value", "low", "high"):
        pounds = amount.number(key)
        if pounds is not None and abs(pounds) > MOST_POUNDS:
            what = f"{number_text(pounds)} pounds cannot be counted to the penny"
            (amount / key).error(what, f"write less than {MOST_POUNDS:.0f}")
    if value is not None and value < 0:
        (amount / "value").warning("a negative cost counts as a saving", "remove the sign, or keep it")
    for key, other in (("low", "high"), ("high", "low")):
        if key in amount and other not in amount:
            amount.error(f"has {key} without {other}", f"give both ends of the 90% interval, or remove {key}")
    if low is None or high is None:
        return
    if low > high:
        (amount / "low").error(f"low {number_text(low)} is above high {number_text(high)}", "swap low and high")
    elif value is not None and not low <= value <= high:
        what = f"the value {number_text(value)} lies outside low {number_text(low)} to high {number_text(high)}"
        amount.error(what, "widen the interval, or mend the value")


def _check_years(amount: View, ends: tuple[int, int] | None) -> None:
    years = amount.pair("years")
    if years is None:
        return
    if years[1] < years[0]:
        (amount / "years").error(f"ends in {years[1]}, before it starts in {years[0]}", "swap the two years")
    elif ends is not None and not ends[0] <= years[0] <= years[1] <= ends[1]:
        what = (
            f"{years[0]} to {years[1]} reaches outside the horizon {ends[0]} to {ends[1]}: the costs of all these "
            "years are counted, the results of those outside are not"
        )
        (amount / "years").warning(what, f"write years from {ends[0]} to {ends[1]}, or keep it")


def _check_jobs(amount: View, action: View) -> None:
    """Report a cost per job where the change is not one of numbers of people."""
    if amount.text("unit") != "GBP_per_job":
        return
    fix = "write unit: GBP_per_resident_16_64, GBP_per_resident or GBP_per_area"
    spec: IndicatorSpec | None = action.vocabulary.indicators.get(action.text("indicator") or "")
    if "indicator" not in action and "condition" in action:
        (amount / "unit").error("a change of a condition is no number of jobs", fix)
    elif spec is not None and spec.unit != "percent":
        (amount / "unit").error(f"{spec.id} is no share of people, so its change is no number of jobs", fix)
    elif (action / "change").text("unit") == "points":
        (amount / "unit").error("a change in score points is no number of jobs", f"{fix}, or the change in pp")


def check_evidence(action: View) -> None:
    """Check that the evidence is either an entry of the library or a source with its grade."""
    evidence = action / "evidence"
    if not isinstance(evidence.value, dict):
        return
    if "entry" not in evidence:
        if "source" not in evidence and "grade" not in evidence:
            evidence.error("names no evidence", "add entry, or source and grade, or remove evidence")
            return
        evidence.need("source", "programme evaluation")
        evidence.need("grade", "moderate")
        return
    for key in ("source", "grade"):
        if key in evidence:
            (evidence / key).error(f"'{key}' is part of the entry already", "remove it, or write it instead of entry")
    known, entry = evidence_ids(), evidence.text("entry")
    if known is not None and entry is not None and entry.strip() and entry not in known:
        what = f"unknown entry of the evidence library '{escaped(entry)}'{suggestion(entry, known)}"
        (evidence / "entry").error(what, advice(entry, known) if known else "write source and grade instead")
