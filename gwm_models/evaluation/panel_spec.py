"""What is asked of a panel file, and whether it goes together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from gwm_models.errors import DataError
from gwm_models.evaluation.interrupted import Season
from gwm_models.evaluation.series_fit import Family
from gwm_models.evaluation.synthetic import Inference
from gwm_models.evaluation.table_file import Wanted

DESIGNS = ("sc", "sdid", "did", "event-study", "staggered", "its", "structural")
SERIES_DESIGNS = ("its", "structural")
MISSING = ("raise", "drop_units", "drop_times")
MATCHED = ("sc", "sdid", "did")
PERIOD = 12
SERIES = "the series"
"""Name of a single series, in a file without units."""


@dataclass(frozen=True, slots=True)
class PanelSpec:
    """What is asked of a panel file.

    Attributes
    ----------
    file : Path
    unit : str or None
        Name of the column of the unit; ``its`` and ``structural`` can do without, for a single series.
    time, outcome : str
        Names of its columns.
    treated : tuple of str
        Units; for ``staggered`` the column of each unit's first treated time, or of 1 from it on.
    start : str or None
        First treated time; not for ``staggered``.
    design : str
        One of `DESIGNS`.
    donors, exclude : tuple of str
        Controls, all others by default; and units that are left out of them. For ``its`` and ``structural`` donors are
        controls only where named.
    population : str or None
        Column of what counts are out of: the outcome is then taken per 100,000, by ``its`` as a count.
    covariates : tuple of str
    level : float
    inference : {"placebo", "conformal", "jackknife"}
        Of sc, sdid and did.
    missing : {"raise", "drop_units", "drop_times"}
        What sc, sdid and did do with gaps.
    seed : int
    family : {"gaussian", "poisson", "negative_binomial"} or None
        Of ``its``: counts where it is not gaussian; by default poisson where a population is named.
    seasonality : {"none", "dummies", "fourier"}
        Of ``its`` and ``structural``.
    period : int
        Times in a cycle of seasons.
    """

    file: Path
    unit: str | None
    time: str
    outcome: str
    treated: tuple[str, ...]
    start: str | None
    design: str
    donors: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    population: str | None = None
    covariates: tuple[str, ...] = ()
    level: float = 0.95
    inference: Inference = "placebo"
    missing: str = "raise"
    seed: int = 20260101
    family: Family | None = None
    seasonality: Season = "none"
    period: int = PERIOD

    def __post_init__(self) -> None:
        """Refuse what does not go together, all of it at once."""
        wrong = [*self._words(), *(self._of_staggered() if self.design == "staggered" else self._of_others())]
        wrong += self._columns_twice()
        both = sorted({*self.treated} & {*self.donors, *self.exclude})
        wrong += [f"{', '.join(both)} is named both as treated and as donor or excluded."] if both else []
        if self.covariates and self.design in ("sdid", "did"):
            wrong.append(f"--covariates are not used by {self.design}; use sc, event-study, staggered or its.")
        if wrong:
            raise DataError("\n".join(wrong))

    def _words(self) -> Iterator[str]:
        """Yield what is wrong with single options."""
        known: dict[str, tuple[object, tuple[str, ...]]] = {
            "design": (self.design, DESIGNS),
            "inference": (self.inference, get_args(Inference)),
            "missing": (self.missing, MISSING),
            "family": (self.family or "gaussian", get_args(Family)),
            "seasonality": (self.seasonality, get_args(Season)),
        }
        for name, (value, words) in known.items():
            if value not in words:
                yield f"--{name} must be one of {', '.join(words)}; got '{value}'."
        if not 0 < self.level < 1:
            yield f"--level must lie between 0 and 1, such as 0.95; got {self.level:g}."
        if self.period < 2:
            yield f"--period must be at least 2, the times in a cycle of seasons; got {self.period}."
        if self.design in DESIGNS:
            yield from self._unused()

    def _unused(self) -> Iterator[str]:
        """Yield the options that the design does not use."""
        given = {
            ("its",): [("family", self.family is not None)],
            SERIES_DESIGNS: [("seasonality", self.seasonality != "none"), ("period", self.period != PERIOD)],
            MATCHED: [("inference", self.inference != "placebo"), ("missing", self.missing != "raise")],
        }
        for designs, options in given.items():
            names = [f"--{name}" for name, said in options if said]
            if names and self.design not in designs:
                goes = "is" if len(names) == 1 else "are"
                by = " and ".join(filter(None, (", ".join(designs[:-1]), designs[-1])))
                yield f"{', '.join(names)} {goes} used by {by} only; the design is {self.design}."
        if self.design in SERIES_DESIGNS and self.seasonality == "none" and self.period != PERIOD:
            yield "--period is the length of a cycle of seasons: give --seasonality as well."

    def _columns_twice(self) -> Iterator[str]:
        """Yield the columns that are named for two things, which are not the same thing."""
        starts = self.treated[0] if self.design == "staggered" and self.treated else None
        roles = {"unit": self.unit, "time": self.time, "outcome": self.outcome, "population": self.population}
        first: dict[str, str] = {}
        for option, name in (roles | {"treated": starts}).items():
            if name is not None and first.setdefault(name, option) != option:
                yield f"--{first[name]} and --{option} both name the column '{name}'. Name one for each."
        for name in self.covariates:
            if first.get(name, "population") != "population":
                yield f"--{first[name]} and --covariates both name the column '{name}'. Leave it out of the covariates."

    def _of_staggered(self) -> Iterator[str]:
        if self.unit is None:
            yield "--unit is missing. Name the column of the unit."
        if len(self.treated) != 1:
            yield "--treated names one column for staggered: that of each unit's first treated time."
        if self.start is not None:
            yield "--start is not used by staggered: the column named by --treated has the starts."
        if self.donors or self.exclude:
            yield "--donors and --exclude are not used by staggered: leave units out of the file instead."

    def _of_others(self) -> Iterator[str]:
        single = self.unit is None and self.design in SERIES_DESIGNS
        if self.unit is None and self.design in DESIGNS and not single:
            yield "--unit is missing. Name the column of the unit."
        if single and (self.treated or self.donors):
            yield "--treated and --donors name units, so name their column with --unit."
        if not single and not self.treated:
            yield "--treated names no unit. Name the treated unit, or several with commas."
        if self.start is None:
            yield "--start is missing. Give the first treated time."

    @property
    def column(self) -> str:
        """Name of the column of the unit, made up where the file is a single series."""
        return self.unit if self.unit is not None else f"unit of {self.outcome}"

    @property
    def counts(self) -> bool:
        """Whether the outcome is modelled as a count."""
        family = self.family or ("poisson" if self.population else "gaussian")
        return self.design == "its" and family != "gaussian"

    def wanted(self) -> Wanted:
        """Return what the file must have."""
        staggered = self.design == "staggered"
        named = [] if staggered else self._named("treated")
        return Wanted(
            self.unit,
            self.time,
            self.outcome,
            numbers=(*self.covariates, *((self.population,) if self.population else ())),
            texts=self.treated if staggered else (),
            units=tuple(named + self._named("donors") + self._named("exclude")),
            start=self.start,
        )

    def _named(self, option: str) -> list[tuple[str, str]]:
        return [(name, f"--{option}") for name in getattr(self, option)]
