"""The definition of an index, read from ``index.yaml``: indicators, domains, bounds and how sure each bound is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from gwm_models.data.home import data_home
from gwm_models.data.index_checks import definition_faults, problems
from gwm_models.errors import DataError, Problem

BoundsStatus = Literal["reproduced", "stated", "calibrated", "proxy", "unknown"]
EXACT = ("reproduced", "stated")


class DefinitionError(DataError):
    """An index definition with one or more faults.

    Parameters
    ----------
    path : Path
        The file.
    problems : iterable of Problem
        Every fault found, sorted by place.
    """

    def __init__(self, path: Path, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        many = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__("\n  ".join([f"{path}: {many}", *map(str, self.problems)]))


@dataclass(frozen=True, slots=True)
class IndicatorSpec:
    """One indicator of an index.

    Attributes
    ----------
    id, label, domain : str
        Names; `domain` is a domain's id.
    direction : {1, -1}
        1 where more is better.
    unit : str
        Unit of its level, such as ``percent`` or ``GBP_per_week``; ``points`` where only score points are known.
    bounds_status : {"reproduced", "stated", "calibrated", "proxy", "unknown"}
        How the points per unit are known: exactly, from published figures or because the index's own maker states
        the bounds; estimated by regression; from the range of an open figure that stands in for another; not at all.
    low, high : float or None
        Smallest and largest value of the edition, in `unit`; None where calibrated or unknown.
    hard_limits, usual_range : tuple of float
        Impossible beyond the first, unusual beyond the second, in `unit`. By default 0 to 100 for a percentage, the
        scale for points, no limit for others; and the bounds, or the hard limits where there are none.
    usual_change : float
        Largest ordinary absolute change of an area, in `unit`; by default the width of the usual range.
    period, source : str
        Of the level.
    values, sampling : dict
        Where the level and its sampling error come from; empty where there is no open figure.
    notes : str
    """

    id: str
    label: str
    domain: str
    direction: int
    unit: str
    bounds_status: BoundsStatus
    low: float | None
    high: float | None
    hard_limits: tuple[float, float]
    usual_range: tuple[float, float]
    usual_change: float
    period: str
    source: str
    values: dict[str, Any] = field(default_factory=dict)
    sampling: dict[str, Any] = field(default_factory=dict)
    notes: str = ""

    @property
    def exact(self) -> bool:
        """Whether its points per unit follow from its bounds without error."""
        return self.bounds_status in EXACT

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest value of the edition.

        Raises
        ------
        DataError
            If they are not known.
        """
        if self.low is None or self.high is None:
            raise DataError(
                f"The bounds of '{self.id}' are {self.bounds_status}, so it cannot be scored from its level."
            )
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class OutcomeSpec:
    """One health outcome: `variable` and `sex` name its rows in the outcomes table."""

    id: str
    label: str
    unit: str
    period: str
    variable: str
    sex: str


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """An index as data: its scale, domains, indicators and the outcomes it is set against.

    Attributes
    ----------
    id, title, publisher : str
    scale : tuple of float
        Scores of an indicator at its worst and its best bound.
    domains : tuple of (id, label)
    indicators : tuple of IndicatorSpec
    outcomes : tuple of OutcomeSpec
    parents : tuple of str or None
        For each domain the domain it is part of; None at the top. Empty where all are at the top.
    notes : str
    """

    id: str
    title: str
    publisher: str
    scale: tuple[float, float]
    domains: tuple[tuple[str, str], ...]
    indicators: tuple[IndicatorSpec, ...]
    outcomes: tuple[OutcomeSpec, ...]
    parents: tuple[str | None, ...] = ()
    notes: str = ""

    @property
    def domain_ids(self) -> tuple[str, ...]:
        """Ids of the domains, in order."""
        return tuple(name for name, _ in self.domains)

    @property
    def indicator_ids(self) -> tuple[str, ...]:
        """Ids of the indicators, in order."""
        return tuple(spec.id for spec in self.indicators)

    def indicator(self, name: str) -> IndicatorSpec:
        """Return the indicator called `name`; KeyError where there is none."""
        return self.indicators[self.indicator_ids.index(name)]

    def domain_of(self) -> tuple[int, ...]:
        """Return each indicator's place among the domains."""
        return tuple(self.domain_ids.index(spec.domain) for spec in self.indicators)

    def members(self, domain: str) -> tuple[int, ...]:
        """Return the places of a domain's indicators, those of the domains within it included."""
        within, parents = {domain}, dict(zip(self.domain_ids, self.parents, strict=False))
        for _ in self.domain_ids:
            within |= {name for name, above in parents.items() if above in within}
        return tuple(place for place, spec in enumerate(self.indicators) if spec.domain in within)

    def score_range(self, domain: str | None = None) -> tuple[float, float]:
        """Return the lowest and the highest possible score of a domain, or of the total."""
        number = len(self.indicators if domain is None else self.members(domain))
        return number * self.scale[0], number * self.scale[1]


@lru_cache(maxsize=8)
def read_index(path: Path | None = None) -> IndexSpec:
    """Read and check an index definition.

    Parameters
    ----------
    path : Path, optional
        An ``index.yaml``; the shipped Monitor by default.

    Raises
    ------
    DefinitionError
        With every fault of the definition, each with its line.
    DataError
        If the file cannot be read.
    """
    path = path or data_home() / "index.yaml"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the index definition cannot be read ({error}).") from error
    raw = _parse(path, text)
    faults = definition_faults(raw)
    if faults:
        raise DefinitionError(path, problems(faults, str(path), text, raw))
    return _build(raw)


def _parse(path: Path, text: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = " ".join(str(error.problem or error.context).split("\n")[0].split())
        fix = "correct the YAML here"
        raise DefinitionError(path, [Problem(str(path), line, column, "error", "", what, fix)]) from error
    except YAMLError as error:
        raise DataError(f"{path}: the index definition cannot be read ({error}).") from error


def _build(raw: dict[str, Any]) -> IndexSpec:
    scale = (float(raw["scale"]["low"]), float(raw["scale"]["high"]))
    return IndexSpec(
        id=str(raw["id"]),
        title=str(raw["title"]),
        publisher=str(raw["publisher"]),
        scale=scale,
        domains=tuple((str(domain["id"]), str(domain["label"])) for domain in raw["domains"]),
        indicators=tuple(_indicator(indicator, scale) for indicator in raw["indicators"]),
        outcomes=tuple(
            OutcomeSpec(o["id"], o["label"], o["unit"], o["period"], o["table"]["variable"], o["table"]["sex"])
            for o in raw.get("outcomes", [])
        ),
        parents=tuple(_text(domain.get("parent")) or None for domain in raw["domains"]),
        notes=_text(raw.get("notes")),
    )


def _indicator(raw: dict[str, Any], scale: tuple[float, float]) -> IndicatorSpec:
    bounds = raw["bounds"]
    low, high = bounds.get("low"), bounds.get("high")
    limits = _pair(raw.get("hard_limits") or _hard_limits(raw["unit"], scale))
    usual = _pair(raw.get("usual_range") or (limits if low is None else (low, high)))
    return IndicatorSpec(
        id=str(raw["id"]),
        label=str(raw["label"]),
        domain=str(raw["domain"]),
        direction=int(raw["direction"]),
        unit=str(raw["unit"]),
        bounds_status=bounds["status"],
        low=low,
        high=high,
        hard_limits=limits,
        usual_range=usual,
        usual_change=float(raw.get("usual_change", usual[1] - usual[0])),
        period=str(raw["period"]),
        source=str(raw["source"]),
        values=dict(raw.get("values", {})),
        sampling=dict(raw.get("sampling", {})),
        notes=_text(raw.get("notes")),
    )


def _text(raw: object) -> str:
    return "" if raw is None else str(raw).strip()


def _hard_limits(unit: str, scale: tuple[float, float]) -> tuple[float, float]:
    return {"percent": (0.0, 100.0), "points": scale}.get(unit, (-math.inf, math.inf))


def _pair(raw: Iterable[float]) -> tuple[float, float]:
    low, high = raw
    return float(low), float(high)
