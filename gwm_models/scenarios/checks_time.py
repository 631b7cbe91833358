"""What comes too late or ends too soon for the year that results are for: shocks that are over, health not begun."""

from __future__ import annotations

from collections.abc import Iterator

from gwm_models.scenarios.changes import points_of
from gwm_models.scenarios.shock_years import ShockYears, shock_years
from gwm_models.scenarios.spec import DEFAULT_HEALTH
from gwm_models.scenarios.view import View


def check_times(scenario: View) -> None:
    """Check that something of every shock and of its health effects is there in the last year."""
    end = (scenario / "horizon").whole("end")
    if end is None or scenario.findings.has_error(("horizon", "end")):
        return
    _check_shocks(scenario, end)
    lags = dict(_lags(scenario))
    for action in scenario.parts("actions"):
        _check_response(action, lags, end)


def _check_shocks(scenario: View, end: int) -> None:
    """Warn of shocks that are over before the last year; of one downturn the indicator that it stays in longest counts.

    What came after is no part of a shock, or the figures end: either way it is taken to be over.
    """
    lasting: dict[str, list[tuple[View, int, ShockYears]]] = {}
    for action in scenario.parts("actions"):
        found = _shock_of(action)
        if found is not None:
            begins, years = found
            profile = (action / "change").text("profile") or ""
            lasting.setdefault(profile, []).append((action, begins + years.number - 1, years))
    for profile, shocks in lasting.items():
        if max(last for _, last, _ in shocks) >= end:
            continue
        for action, last, years in shocks:
            why = (
                f"the mean of {action.text('indicator')} was back where it started in {years.last + 1}"
                if years.returned
                else f"the figures of {action.text('indicator')} end in {years.last}, and what came after is not known"
            )
            what = (
                f"the shock of {profile} has {years.number} years ({years.first} to {years.last}; {why}), so it is "
                f"taken as over after {last}: nothing of it is left in {end}, which results are for"
            )
            (action / "start").warning(what, f"end the horizon in {last} or earlier, or begin it later, or keep it")


def _shock_of(action: View) -> tuple[int, ShockYears] | None:
    """Return the first year of a sound shock, and how long it lasts."""
    change, begins = action / "change", action.whole("start")
    spec = action.vocabulary.indicators.get(action.text("indicator") or "")
    if change.text("kind") != "shock" or begins is None or spec is None or not action.vocabulary.panel_variables:
        return None
    if action.findings.has_error((*action.keys, "start")):
        return None
    years = shock_years(spec, change.text("profile") or "")
    return None if years is None else (begins, years)


def _lags(scenario: View) -> Iterator[tuple[str, int]]:
    """Yield each health outcome, and after how many years it first responds to a change."""
    if "health" not in scenario:
        known = [link for link in DEFAULT_HEALTH if link.outcome in scenario.vocabulary.outcomes]
        yield from ((link.outcome, link.lag.years + bool(link.lag.build_up)) for link in known)
    for link in scenario.parts("health"):
        outcome, lag = link.text("outcome"), link / "lag"
        if outcome is not None:
            yield outcome, (lag.whole("years") or 0) + bool(lag.whole("build_up"))


def _check_response(action: View, lags: dict[str, int], end: int) -> None:
    """Warn of an action of which nothing reaches health by the last year."""
    at, begins = _first_seen(action)
    if begins is None or begins > end:
        return
    late = [outcome for outcome, lag in lags.items() if begins + lag > end]
    if late:
        first = min(begins + lags[outcome] for outcome in late)
        who = "health does" if len(late) == len(lags) else f"{' and '.join(late)} {'do' if len(late) > 1 else 'does'}"
        wait = first - begins
        later = f"that begins {wait} year{'s' if wait > 1 else ''} later by its lag, in {first}"
        what = f"its change is first seen in {begins}, so {who} not respond to it by {end}: {later}"
        at.warning(what, f"end the horizon in {first} or later, or begin earlier, or keep it")


def _first_seen(action: View) -> tuple[View, int | None]:
    """Return where the time of an action is stated, and the first year in which anything of it is in place."""
    change, phasing = action / "change", action / "phasing"
    kind = change.text("kind")
    if kind == "shock":
        return action / "start", action.whole("start")
    if kind == "path":
        return change / "path", _first_of(change)
    if phasing.text("shape") == "path":
        return phasing / "path", _first_of(phasing)
    start, full_by = phasing.whole("start"), phasing.whole("full_by")
    if start is None or full_by is None or full_by < start:
        return phasing, None
    gradual = full_by > start and phasing.text("shape") != "step"
    return phasing, start + 1 if gradual else full_by


def _first_of(part: View) -> int | None:
    """Return the first year in which a path is not 0; it rises from the year after the last point that is."""
    before: int | None = None
    for _, year, size in points_of(part):
        if size:
            return year if before is None else before + 1
        before = year
    return None
