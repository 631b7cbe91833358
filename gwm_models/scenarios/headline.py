"""The answer to a scenario's question in a few sentences, each number with its interval."""

from __future__ import annotations

from collections.abc import Iterable

from gwm_models.scenarios.projection import HealthEffect, Projection
from gwm_models.scenarios.rows import total_words
from gwm_models.scenarios.spread import Row, one
from gwm_models.scenarios.words import counted, level_words, number, signed, span, thousands

TARGETS = "Target areas"
RISE = (TARGETS, "total", "difference")


def headline(projection: Projection, found: dict[str, list[Row]], level: float) -> str:
    """Answer the scenario's question in a few sentences.

    Parameters
    ----------
    projection : Projection
    found : dict
        Rows of the summary: ``groups``, ``health``, ``inequality``, ``sums``, ``path``.
    level : float
        Of the intervals.
    """
    if not projection.treated.any():
        return "The scenario has no action: nothing changes, in any area, in any draw."
    sentences = [_score_sentence(projection, found["groups"], level), *_peak_sentence(projection, found)]
    gap = _row(found["inequality"], measure="gap_10_10", state="difference")
    if gap is not None:
        sentences.append(f"The gap between the best and the worst tenth of areas {_size(gap, 'widens', 'narrows')}.")
    sentences += _people_sentence(projection, found)
    sentences += [_health_sentence(projection, effect, found["health"]) for effect in projection.health]
    sentences += _condition_sentence(projection)
    return " ".join(sentences)


def _row(rows: Iterable[Row], **wanted: object) -> Row | None:
    """Return the first row that holds what is asked for, if it has an estimate."""
    row = next((row for row in rows if all(row.get(name) == value for name, value in wanted.items())), None)
    return row if row is not None and row.get("estimate") is not None else None


def _score_sentence(projection: Projection, groups: list[Row], level: float) -> str:
    """Say how far the mean total of the target areas moves, and how many ranks."""
    n = int(projection.treated.sum())
    rise, before = (
        next(row for row in groups if (row["group"], row["quantity"], row["state"]) == (TARGETS, "total", state))
        for state in ("difference", "baseline")
    )
    interval = f"{level_words(level)} interval "
    total = total_words(projection.edition)
    one_name = projection.edition.areas.name[int(projection.treated.argmax())]
    every = n == len(projection.edition.areas)
    of = f"of all {counted(n, 'area')}" if every else f"of the {counted(n, 'target area')}"
    whose = f"the {total} of {one_name}" if n == 1 else f"the mean {total} {of}"
    return (
        f"By {projection.years[-1]} {whose} {_size(rise, 'rises', 'falls', interval)} from {number(_number(before))}"
        f"{_without(projection)}{'' if every else _places(projection, n, level)}."
    )


def _places(projection: Projection, n: int, level: float) -> str:
    """Say how many ranks the target areas move; all areas together cannot."""
    moved = projection.rank_before[:, projection.treated] - projection.rank_after[:, projection.treated]
    if not moved.any():
        kept = "it keeps its rank" if n == 1 else "they keep their ranks"
        return f", and {kept}" if projection.change[:, projection.treated].any() else ""
    places = one(moved.mean(axis=1), level)
    they = "it moves" if n == 1 else "they move"
    if _around_zero(places) or not number(abs(_number(places))).strip("0."):
        bounds = span(_value(places, "lower"), _value(places, "upper"))
        return f", and {they} by {signed(_number(places))} ranks on average ({bounds}; plus is up)"
    direction = "up" if _number(places) >= 0 else "down"
    return f", and {they} {direction} by {number(abs(_number(places)))} ranks on average ({span(*_turned(places))})"


def _without(projection: Projection) -> str:
    """Say what a change is measured from, where the baseline moves."""
    trend = projection.scenario.baseline.counterfactual == "trend"
    return " along the trend without the actions" if trend else ""


def _peak_sentence(projection: Projection, found: dict[str, list[Row]]) -> list[str]:
    """Say when the change is largest, if that is not the last year; of a shock, when it is worst."""
    path = [row for row in found["path"] if row["group"] == TARGETS]
    if any(action.change.profile is not None for action in projection.scenario.actions):
        return _worst_sentence(path)
    peak = max(path, key=lambda row: abs(_number(row)))
    if abs(_number(peak)) <= 1.001 * abs(_number(path[-1])):
        return []
    bounds = span(_value(peak, "lower"), _value(peak, "upper"))
    return [f"The change is largest in {peak['year']}: {signed(_number(peak))} points ({bounds})."]


def _worst_sentence(path: list[Row]) -> list[str]:
    """Say which year of a shock is the worst, and what is left of it in the last."""
    worst, last = min(path, key=_number), path[-1]
    if worst is last or _number(worst) >= 0:
        return []
    bounds = span(_value(worst, "lower"), _value(worst, "upper"))
    over = not _number(last) and not _value(last, "lower") and not _value(last, "upper")
    then = f"by {last['year']} the shock is over" if over else f"in {last['year']} it is {signed(_number(last))}"
    return [f"The worst year is {worst['year']}: {signed(_number(worst))} points ({bounds}); {then}."]


def _people_sentence(projection: Projection, found: dict[str, list[Row]]) -> list[str]:
    """Say how many people the changes stand for, all areas together.

    They are what the total means only where each goes the way of the total.
    """
    said, against = [], False
    better = {one.id: one.direction for one in projection.edition.spec.indicators}
    rise = next(row for row in found["groups"] if (row["group"], row["quantity"], row["state"]) == RISE)
    for row in found["sums"]:
        if row["kind"] == "people" and row["group"] == "All areas" and row["estimate"]:
            against |= better.get(str(row["quantity"]), 0) * _number(row) * _number(rise) <= 0
            said.append(_people_words(row))
    told = ":" if against else ", that is"
    return [f"All areas together{told} {'; '.join(said)}."] if said else []


def _people_words(row: Row) -> str:
    """Say how many people more or fewer there are of a kind, with the interval."""
    kind = str(row["label"])[0].lower() + str(row["label"])[1:]
    if _around_zero(row):
        bounds = f"{thousands(_value(row, 'lower'))} to {thousands(_value(row, 'upper'))}"
        return f"a change of {thousands(_number(row), sign=True)} ({bounds}) in {kind}"
    lower, upper = _turned(row)
    bounds = f" ({thousands(lower)} to {thousands(upper)})" if row["std_error"] else ""
    return f"{thousands(abs(_number(row)))}{bounds} {'fewer' if _number(row) < 0 else 'more'} {kind}"


def _size(row: Row, up: str, down: str, interval: str = "") -> str:
    """Say which way a change goes and how far, with its interval; one around zero leaves the way open."""
    size = number(abs(_number(row)))
    bounds = span(_value(row, "lower"), _value(row, "upper"))
    if not _number(row) and not row["std_error"]:
        return "does not change"
    if not size.strip("0."):
        return f"does not change ({interval}{bounds} points)"
    if _around_zero(row):
        return f"changes by {signed(_number(row))} points ({interval}{bounds})"
    verb = up if _number(row) > 0 else down
    if not row["std_error"]:
        return f"{verb} by {size} points"
    return f"{verb} by {size} points ({interval}{span(*_turned(row))})"


def _around_zero(row: Row) -> bool:
    """Tell whether an interval reaches to both sides of zero."""
    return _value(row, "lower") < 0 < _value(row, "upper")


def _turned(row: Row) -> tuple[float, float]:
    """Return the interval of a change stated as a size: turned round where the change is negative."""
    lower, upper = _value(row, "lower"), _value(row, "upper")
    return (lower, upper) if _number(row) >= 0 else (-upper, -lower)


def _condition_sentence(projection: Projection) -> list[str]:
    """Say what yearly figures show of a link within areas, where an action on a condition goes by it."""
    actions = [one for one in projection.scenario.actions if one.condition is not None]
    if all((action.link or "within") != "within" for action in actions):
        return []
    from gwm_models.models.conditions_link import condition_links

    return [condition_links(projection.edition).share.words()]


def _health_sentence(projection: Projection, effect: HealthEffect, health: list[Row]) -> str:
    outcome = effect.model.outcome
    if not effect.full.any() and projection.change.any():
        lag = counted(effect.link.lag.years, "year")
        return f"{outcome.label} does not respond by {projection.years[-1]}: it does so from {lag} later."
    if not effect.full.any() and not effect.stated.any():
        return f"{outcome.label} does not change."
    lines = {row["line"]: row for row in health if row["outcome"] == outcome.id and row["group"] == TARGETS}
    stated, full = lines["stated link"], lines["full association"]
    if outcome.unit != "years":
        return _rate_sentence(effect, stated, full)
    return (
        f"{outcome.label}, changes there by {signed(_number(stated), 2)} {outcome.unit} under the stated link "
        f"({span(_value(stated, 'lower'), _value(stated, 'upper'), 2)}), by {signed(_number(full), 2)} if the whole "
        "association with the total were causal, and not at all if none of it is."
    )


def _rate_sentence(effect: HealthEffect, stated: Row, full: Row) -> str:
    """Say how far a rate falls or rises in the target areas; small ones with a decimal more."""
    places = 2 if abs(_number(full)) >= 1 else 3
    if _around_zero(stated) or _number(stated) * _number(full) < 0:
        way, sign = "change", 1
    else:
        way, sign = ("fall", -1) if _number(full) < 0 else ("rise", 1)
    own, whole = (number(sign * _number(row), places, sign=way == "change") for row in (stated, full))
    low, high = sorted(sign * _value(stated, name) for name in ("lower", "upper"))
    return (
        f"{effect.model.outcome.label}: a {way} there of {own} {effect.model.outcome.unit} under the stated link "
        f"({span(low, high, places)}), of {whole} if the whole association with the total were causal, "
        "and none if none of it is."
    )


def _value(row: Row, name: str) -> float:
    return float(str(row[name]))


def _number(row: Row) -> float:
    return _value(row, "estimate")
