"""What an evaluation found, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor, isfinite, log10

from gwm_models.evaluation.detect import POWER, Detectability
from gwm_models.evaluation.effect import Effect, Row
from gwm_models.evaluation.plan_score import ALL, covered_share
from gwm_models.scenarios.words import level_words, number, signed, span

MUCH = 3
"""Times the size asked for, from which on a design is advised against."""
UNITS = {
    "percent": "percentage points",
    "years": "years",
    "per_100k": "per 100,000",
    "GBP": "pounds",
    "percent_of_employed": "percentage points",
}
"""Units of a change of a variable, in words; the rest are written as the data package names them."""


def change_unit(unit: str) -> str:
    """Return the unit of a change of a figure, in words.

    Examples
    --------
    >>> change_unit("percent"), change_unit("share_0_1")
    ('percentage points', 'share 0 1')
    """
    return UNITS.get(unit, unit.replace("_", " "))


def figure(value: float, *, sign: bool = False) -> str:
    """Write a number to three significant figures.

    Examples
    --------
    >>> figure(2.50543), figure(-0.01234), figure(18056.4)
    ('2.51', '−0.0123', '18,056')
    """
    places = 2 - floor(log10(abs(value))) if value else 0
    return number(value, min(max(places, 0), 8), sign=sign)


def share_words(share: float) -> str:
    """Write a share that was counted in draws or windows: never as nothing or as certain.

    Examples
    --------
    >>> share_words(0.0), share_words(0.173), share_words(0.9999)
    ('under 1%', '17%', 'over 99%')
    """
    if share < 0.01:
        return "under 1%"
    return "over 99%" if share > 0.99 else f"{share:.0%}"


def whom(treated: Sequence[str]) -> str:
    """Name the treated: one or two by name, more by number."""
    return " and ".join(treated) if len(treated) <= 2 else f"{len(treated)} areas"


def effect_words(effect: Effect, unit: str, period: Mapping[int, str] | None = None) -> str:
    """Return the effect in one sentence, with its interval and whether that is offered as valid.

    Parameters
    ----------
    effect : Effect
    unit : str
        Of a change of the outcome, in words; may be empty.
    period : mapping, optional
        Periods as published, by the time that names them.
    """
    times = [row.time for row in effect.path if row.post]
    named = [str((period or {}).get(time, time)) if isinstance(time, int) else str(time) for time in times]
    when = _when(effect, named)
    places = _places(effect.att, effect.lower, effect.upper)
    size = f"{number(effect.att, places, sign=True)} {unit}".strip()
    head = f"{effect.outcome}: {size} in {whom(effect.treated)}{when}, against what it would have been"
    if effect.lower is None or effect.upper is None:
        return f"{head}; no interval can be given."
    bounds = span(effect.lower, effect.upper, places)
    doubt = "" if effect.valid else ", not offered as valid here"
    return f"{head} ({level_words(effect.level)} interval {bounds}{doubt})."


def _places(*values: float | None) -> int:
    """Return the decimals of numbers that stand together: three figures of the largest, and no end lost to rounding."""
    sizes = [abs(value) for value in values if value is not None and isfinite(value) and value]
    if not sizes:
        return 1
    first, last = (2 - floor(log10(size)) for size in (max(sizes), min(sizes)))
    return min(max(first, min(last - 2, first + 3), 0), 8)


def _when(effect: Effect, named: Sequence[str]) -> str:
    if effect.start is None or not named:
        return ""
    if effect.method == "event_study":
        return f", on average from {effect.start} on"
    return f", on average from {named[0]} to {named[-1]}" if len(named) > 1 else f", {named[0]}"


def score_words(effect: Effect, score: Sequence[Row], unit: str) -> str:
    """Say whether the estimate agrees with the projection made before, and with no effect at all."""
    if not score:
        return "The scenario's engine predicts nothing for this outcome, so there is no projection to score."
    whole = next(row for row in score if row["time"] == ALL)
    middle, ends = (
        float(str(whole["predicted"])),
        (float(str(whole["predicted_lower"])), float(str(whole["predicted_upper"]))),
    )
    places = _places(middle, *ends)
    told = f"Projected was {number(middle, places, sign=True)} {unit}".strip() + f" ({span(*ends, places)})"
    if whole["z"] is None or effect.lower is None or effect.upper is None:
        return f"{told}; without an interval of the estimate it cannot be scored."
    nothing = effect.lower <= 0 <= effect.upper
    agrees = {
        (True, True): "the estimate agrees with it and with no effect, so it cannot tell the two apart",
        (True, False): "the estimate agrees with it, and not with no effect",
        (False, True): "the estimate speaks against it and agrees with no effect",
        (False, False): "the estimate agrees neither with it nor with no effect",
    }[bool(whole["covered"]), nothing]
    inside, times = covered_share(list(score))
    at = (
        f" At {inside} of {times} times the estimate lies where projection and its own error put it."
        if times > 1
        else ""
    )
    weak = "" if effect.valid else " That is weak, since the interval of the estimate is not offered as valid."
    return f"{told}: {agrees} ({signed(float(str(whole['z'])))} standard errors apart).{at}{weak}"


def rehearsal_words(effect: Effect, start: int) -> str:
    """Say what a rehearsal shows about the design."""
    if effect.lower is None or effect.upper is None:
        return f"Rehearsal: nothing of the kind was done in {start}, and the design gives no interval to judge it by."
    if effect.lower <= 0 <= effect.upper:
        found = f"Rehearsal: nothing of the kind was done in {start}, and the interval holds zero, as it should"
        return (
            f"{found}." if effect.valid else f"{found}; that tells little, since the interval is not offered as valid."
        )
    return (
        f"Rehearsal: nothing of the kind was done in {start}, and yet the design finds an effect: something else moved "
        "these areas, or the design does not hold for them."
    )


def power_words(found: Detectability, unit: str) -> str:
    """Say what the design could see, and how likely it is to see what was projected."""
    size, low, high = found.smallest()
    ends = f"at least {figure(low)}"
    if high < float("inf"):
        ends = f"{figure(low)} to {figure(high)} by the simulation's own error"
    years = "time" if found.n_after == 1 else "times"
    words = (
        f"With {found.n_treated} treated, {found.n_before} times before and {found.n_after} {years} after the start, "
        f"the design sees an effect of {figure(size)} {unit}".rstrip()
        + f" or more with {POWER:.0%} power ({ends})."
    )
    sure, beyond = found.assurance(), found.prob_beyond()
    if found.projected is not None and sure is not None and beyond is not None:
        middle = float(found.projected.mean())
        words += (
            f" Projected is {figure(middle, sign=True)} on average over those times; it would be seen with a "
            f"probability of {share_words(sure)}, and is larger than that size with a probability of "
            f"{share_words(beyond)}."
        )
    if not found.keeps_its_level:
        asked = 1 - found.level
        words += (
            f" But it also sees an effect in {found.size:.0%} of windows where there is none ({asked:.0%} asked for), "
        )
        much = found.size > MUCH * asked
        words += "so it cannot be relied on here: choose another design." if much else "so its power is overstated."
    if found.offered < 0.5:
        where = f"Only in {share_words(found.offered)} of windows" if found.offered else "In none of the windows"
        words += f" {where} would its interval be offered as valid."
    return words
