"""What an evaluation found: the effect, how sure it is, and what was checked on the way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Time = int | float | str
Row = dict[str, object]
Verdict = Literal["pass", "warn", "fail", "info"]


@dataclass(frozen=True, slots=True)
class PathRow:
    """The outcome at one time, or the effect at one event time.

    Attributes
    ----------
    time : int, float or str
        Calendar time; for an event study, time since the start.
    observed, counterfactual : float or None
        Mean of the treated units, and what the design says it would have been; None where a design has no such line.
    effect : float or None
        Observed minus counterfactual, in the unit of the outcome; None where it cannot be estimated.
    lower, upper : float or None
        Pointwise interval of the effect at the level of the `Effect`; None where none is offered.
    post : bool
        Whether the time is at or after the start.
    """

    time: Time
    observed: float | None
    counterfactual: float | None
    effect: float | None
    lower: float | None = None
    upper: float | None = None
    post: bool = True


@dataclass(frozen=True, slots=True)
class PlaceboRow:
    """The same design applied where, or when, nothing happened.

    Attributes
    ----------
    unit : str
        The unit, or the units joined by " + ".
    att : float
        Effect found after the start.
    rmspe_pre, rmspe_post : float
        Root mean squared gap before and after the start.
    ratio : float
        `rmspe_post` over `rmspe_pre`.
    rank : int
        Rank of the ratio, 1 is the largest; ties share the better rank.
    treated : bool
        Whether the row is the treated unit itself.
    start : int, float, str or None
        The made-up start of a placebo in time; None for a placebo in space.
    """

    unit: str
    att: float
    rmspe_pre: float
    rmspe_post: float
    ratio: float
    rank: int
    treated: bool = False
    start: Time | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a design.

    Attributes
    ----------
    name : str
        Short id, such as ``pre_trend``.
    value : float or None
        The figure the verdict rests on.
    verdict : {"pass", "warn", "fail", "info"}
    words : str
        One sentence: what was found and what it means.
    """

    name: str
    value: float | None
    verdict: Verdict
    words: str


@dataclass(frozen=True, slots=True)
class Words:
    """What an effect is, in plain words.

    Attributes
    ----------
    estimates, assumes, cannot_say : str
        What the design estimates, what must hold for that, and what it cannot tell.
    """

    estimates: str
    assumes: str
    cannot_say: str


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """The effect of an intervention by one design.

    Attributes
    ----------
    method : str
        ``sc``, ``sdid``, ``did``, ``event_study``, ``staggered``, ``interrupted_series`` and so on.
    outcome : str
        Name of the outcome; `att` and the path are in its unit.
    treated : tuple of str
        Treated units.
    start : int, float, str or None
        First treated time; None where units start at different times.
    att : float
        Average effect on the treated over the times from the start on.
    std_error : float or None
    lower, upper : float or None
        Interval of `att` at `level`; None where the design cannot give one.
    level : float
    p_value : float or None
        Of no effect, by the method that `interval` names.
    interval : str
        How the interval and p value were made.
    valid : bool
        Whether the interval is offered as one that holds its level.
    valid_why : str
        Why, or why not.
    path : tuple of PathRow
    weights : mapping of unit to weight
    time_weights : mapping of time to weight
    placebo : tuple of PlaceboRow
    checks : tuple of Check
    terms : tuple of dict
        Further estimates, each with ``term``, ``estimate`` and where known ``std_error``, ``lower``, ``upper``, ``n``.
    sample : mapping
        Counts: units, donors, times before and after.
    excluded : tuple of str
        Units or times left out, each with the reason.
    words : Words
    seed : int or None
        Of random draws, where any were made.
    """

    method: str
    outcome: str
    treated: tuple[str, ...]
    start: Time | None
    att: float
    std_error: float | None
    lower: float | None
    upper: float | None
    level: float
    p_value: float | None
    interval: str
    valid: bool
    valid_why: str
    path: tuple[PathRow, ...]
    words: Words
    weights: Mapping[str, float] = field(default_factory=dict)
    time_weights: Mapping[Time, float] = field(default_factory=dict)
    placebo: tuple[PlaceboRow, ...] = ()
    checks: tuple[Check, ...] = ()
    terms: tuple[Row, ...] = ()
    sample: Mapping[str, int] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    seed: int | None = None

    def __repr__(self) -> str:
        """Return the effect in one line."""
        bounds = "no interval" if self.lower is None or self.upper is None else f"{self.lower:.4g} to {self.upper:.4g}"
        doubt = "" if self.valid else ", not valid here"
        return f"Effect({self.method} {self.outcome}: {self.att:.4g}, {self.level:.0%} {bounds}{doubt})"

    def check(self, name: str) -> Check:
        """Return one check by its name; an unknown name is a `KeyError`."""
        for found in self.checks:
            if found.name == name:
                return found
        raise KeyError(f"no check {name!r}; there are {', '.join(found.name for found in self.checks) or 'none'}")

    def rows(self) -> list[Row]:
        """Return the effect and its further estimates, one row each, in the columns of every result table."""
        first: Row = {
            "term": "att",
            "estimate": self.att,
            "std_error": self.std_error,
            "lower": self.lower,
            "upper": self.upper,
            "n": self.sample.get("units"),
            "p_value": self.p_value,
        }
        return [plain_row(row) for row in (first, *self.terms)]

    def path_rows(self) -> list[Row]:
        """Return the path, one row per time."""
        return [plain_row(fields_of(row)) for row in self.path]

    def placebo_rows(self) -> list[Row]:
        """Return the placebos, one row each."""
        return [plain_row(fields_of(row)) for row in self.placebo]

    def to_dict(self) -> Row:
        """Return everything as plain values, ready for JSON; a number that is not finite is None."""
        found = fields_of(self)
        found["path"], found["placebo"] = self.path_rows(), self.placebo_rows()
        found["checks"] = [plain_row(fields_of(check)) for check in self.checks]
        found["terms"] = [plain_row(row) for row in self.terms]
        found["words"] = fields_of(self.words)
        found["weights"] = {unit: plain(weight) for unit, weight in self.weights.items()}
        found["time_weights"] = [{"time": plain(t), "weight": plain(w)} for t, w in self.time_weights.items()]
        found["sample"] = {name: plain(count) for name, count in self.sample.items()}
        found["treated"], found["excluded"] = list(self.treated), list(self.excluded)
        return plain_row(found)


def fields_of(record: Effect | PathRow | PlaceboRow | Check | Words) -> Row:
    """Return the fields of a record by name, not copied."""
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def plain(value: object) -> object:
    """Return a NumPy number as Python's, and None for a number that is not finite."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def plain_row(row: Row) -> Row:
    """Return a row with plain values."""
    return {name: plain(value) for name, value in row.items()}
