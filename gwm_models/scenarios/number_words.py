"""The numbers of a scenario in words, for readers who do not know its file: what goals and sweeps vary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gwm_models.data.vocabulary import load_vocabulary
from gwm_models.scenarios.known import outcomes_of

PARTS = {
    "change.value": "size of change",
    "uncertainty.low": "low end of the size",
    "uncertainty.high": "high end of the size",
    "uncertainty.level": "level of the interval of the size",
    "uncertainty.across_areas": "spread of the size between areas",
    "start": "first year",
    "phasing.start": "first year",
    "phasing.full_by": "year of the whole change",
    "phasing.fade.half_life": "half-life of the effect, years",
    "reach": "share of residents reached",
    "additionality.deadweight": "share that would have happened anyway",
    "additionality.displacement": "share taken from others in the area",
    "additionality.leakage": "share that goes outside the area",
    "spillover.share": "share that neighbours receive",
    "target.worst.n": "number of the worst areas",
    "target.worst.quantile": "share of the worst areas",
    "target.best.n": "number of the best areas",
    "target.best.quantile": "share of the best areas",
    "cost.fixed.value": "fixed cost",
    "cost.recurring.value": "recurring cost",
    "cost.price_base": "year of the prices",
    "link.causal_share": "causal share of the link",
    "lag.years": "years before it responds",
    "lag.build_up": "years until it has responded in full",
    "end": "last year",
}
MOMENTS = {"mean": "mean", "sd": "standard deviation"}
POINTS = {"change.path": "size of change in", "phasing.path": "share in place in"}
UNITS = {
    "pp": "pp",
    "percent": "%",
    "points": "points",
    "share": "share of the gap",
    "GBP_per_week": "£ a week",
    "GBP": "£",
    "times": "times",
}
SIZES = ("change.value", "change.path", "uncertainty.low", "uncertainty.high", "uncertainty.across_areas")


def number_words(content: Mapping[str, Any], path: str, *, unit: bool = True) -> str:
    """Name a number of a scenario in words.

    Parameters
    ----------
    content : mapping
        The scenario as plain data.
    path : str
        Of the number, as `gwm_models.scenarios.vary.find_number` takes it.
    unit : bool
        Whether to add the unit, where one is written beside the number.

    Examples
    --------
    >>> drive = {"id": "participation-drive", "change": {"value": 2.0, "unit": "pp"}}
    >>> number_words({"actions": [drive]}, "actions.participation-drive.change.value")
    'Participation drive: size of change, pp'
    >>> number_words({"actions": [drive]}, "actions.participation-drive.additionality.leakage.sd")
    'Participation drive: share that goes outside the area, standard deviation'
    >>> number_words({}, "horizon.end")
    'Horizon: last year'
    """
    top, _, rest = path.partition(".")
    if top == "horizon":
        return f"Horizon: {_part_words(rest)}"
    name, _, tail = rest.partition(".")
    if top == "health":
        return f"{_outcome(content, name)}: {_part_words(tail)}"
    written = _unit(content, name, tail) if unit else ""
    return f"{_sentence(name)}: {_part_words(tail)}{f', {written}' if written else ''}"


def in_words(text: str, names: Mapping[str, str]) -> str:
    """Write the words of each number, in quotes, for its path in a text.

    Examples
    --------
    >>> in_words("It hangs on horizon.end.", {"horizon.end": "Horizon: last year"})
    'It hangs on “Horizon: last year”.'
    """
    for path in sorted(names, key=len, reverse=True):
        text = text.replace(path, f"“{names[path]}”")
    return text


def _part_words(tail: str) -> str:
    """Say what a number of an action or a link is, from where it stands in it."""
    if tail in PARTS:
        return PARTS[tail]
    head, _, last = tail.rpartition(".")
    if head in POINTS:
        return f"{POINTS[head]} {last}"
    if head in PARTS and last in MOMENTS:
        return f"{PARTS[head]}, {MOMENTS[last]}"
    return tail.replace(".", ", ").replace("_", " ")


def _unit(content: Mapping[str, Any], name: str, tail: str) -> str:
    """Return the unit that goes with a number of an action; empty where it needs none."""
    action = next(action for action in content["actions"] if action["id"] == name)
    if tail.startswith(SIZES):
        return UNITS.get(str(action["change"].get("unit", "")), "")
    if tail.startswith(("cost.fixed", "cost.recurring")):
        written = str(action["cost"][tail.split(".")[1]].get("unit", ""))
        return written.replace("GBP", "£").replace("_", " ").replace("16 64", "aged 16 to 64")
    return ""


def _outcome(content: Mapping[str, Any], name: str) -> str:
    edition = str(content.get("baseline", {}).get("edition", ""))
    return outcomes_of(load_vocabulary(edition)).get(name, _sentence(name)) if edition else _sentence(name)


def _sentence(name: str) -> str:
    words = name.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]
