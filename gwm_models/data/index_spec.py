"""The definition of an index, read from ``index.yaml``: indicators, domains, bounds and how sure each bound is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from gwm_models.data.home import data_home
from gwm_models.errors import DataError

BoundsStatus = Literal["reproduced", "calibrated", "unknown"]


@dataclass(frozen=True, slots=True)
class IndicatorSpec:
    """One indicator of an index.

    Attributes
    ----------
    id, label, domain : str
        Names; `domain` is a domain's id.
    direction : {1, -1}
        1 where more is better.
    unit : {"percent", "GBP_per_week", "points"}
        Unit of its level; ``points`` where only score points (1-100) are known.
    bounds_status : {"reproduced", "calibrated", "unknown"}
        How the points per unit are known.
    low, high : float or None
        Smallest and largest value of the edition, in `unit`; None unless reproduced.
    hard_limits, usual_range : tuple of float
        Impossible beyond the first, unusual beyond the second, in `unit`.
    usual_change : float
        Largest ordinary absolute change of an area, in `unit`.
    period, source : str
        Of the level.
    values, sampling : dict
        Where the level and its sampling error come from.
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
    """An index as data: its scale, domains, indicators and the outcomes it is set against."""

    id: str
    title: str
    publisher: str
    scale: tuple[float, float]
    domains: tuple[tuple[str, str], ...]
    indicators: tuple[IndicatorSpec, ...]
    outcomes: tuple[OutcomeSpec, ...]

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


@lru_cache(maxsize=8)
def read_index(path: Path | None = None) -> IndexSpec:
    """Read and check an index definition.

    Parameters
    ----------
    path : Path, optional
        An ``index.yaml``; the shipped Monitor by default.

    Raises
    ------
    DataError
        If the file cannot be read, or with every fault of the definition.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    path = path or data_home() / "index.yaml"
    try:
        raw = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise DataError(f"{path}: the index definition cannot be read ({error}).") from error
    try:
        spec = _build(raw)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: the index definition is not complete ({error!r}).") from error
    faults = _faults(spec)
    if faults:
        raise DataError(f"{path}: {len(faults)} problems\n  " + "\n  ".join(faults))
    return spec


def _build(raw: dict[str, Any]) -> IndexSpec:
    return IndexSpec(
        id=raw["id"],
        title=raw["title"],
        publisher=raw["publisher"],
        scale=(float(raw["scale"]["low"]), float(raw["scale"]["high"])),
        domains=tuple((domain["id"], domain["label"]) for domain in raw["domains"]),
        indicators=tuple(map(_indicator, raw["indicators"])),
        outcomes=tuple(
            OutcomeSpec(o["id"], o["label"], o["unit"], o["period"], o["table"]["variable"], o["table"]["sex"])
            for o in raw["outcomes"]
        ),
    )


def _indicator(raw: dict[str, Any]) -> IndicatorSpec:
    bounds = raw["bounds"]
    return IndicatorSpec(
        id=raw["id"],
        label=raw["label"],
        domain=raw["domain"],
        direction=raw["direction"],
        unit=raw["unit"],
        bounds_status=bounds["status"],
        low=bounds.get("low"),
        high=bounds.get("high"),
        hard_limits=_pair(raw["hard_limits"]),
        usual_range=_pair(raw["usual_range"]),
        usual_change=float(raw["usual_change"]),
        period=str(raw["period"]),
        source=raw["source"],
        values=dict(raw.get("values", {})),
        sampling=dict(raw["sampling"]),
    )


def _pair(raw: list[float]) -> tuple[float, float]:
    low, high = raw
    return float(low), float(high)


def _faults(spec: IndexSpec) -> list[str]:
    """Return what is wrong with a definition, one line each."""
    faults = []
    ids = list(spec.indicator_ids)
    faults += [f"indicator '{name}' is defined twice" for name in sorted({i for i in ids if ids.count(i) > 1})]
    for indicator in spec.indicators:
        name = f"indicator '{indicator.id}'"
        if indicator.domain not in spec.domain_ids:
            known = ", ".join(spec.domain_ids)
            faults.append(f"{name}: unknown domain '{indicator.domain}'; expected one of {known}")
        if indicator.direction not in (1, -1):
            faults.append(f"{name}: direction must be 1 or -1; found {indicator.direction!r}")
        if indicator.bounds_status not in ("reproduced", "calibrated", "unknown"):
            faults.append(f"{name}: unknown bounds status '{indicator.bounds_status}'")
        if indicator.bounds_status == "reproduced" and (indicator.low is None or indicator.high is None):
            faults.append(f"{name}: reproduced bounds need both low and high")
        elif indicator.low is not None and indicator.high is not None and not indicator.low < indicator.high:
            faults.append(f"{name}: low {indicator.low} must be below high {indicator.high}")
    return faults
