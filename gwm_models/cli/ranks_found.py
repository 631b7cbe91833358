"""What `gwm ranks` is asked for, and what it finds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gwm_models.errors import DataError, OutputError
from gwm_models.files import check_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gwm_models.data.edition import Edition
    from gwm_models.ranks.counting import RankDistributions
    from gwm_models.ranks.sets_result import RankSets
    from gwm_models.ranks.sources import SourceDraws
    from gwm_models.ranks.table import RankTable

STATEMENT_OPTIONS = ("compare", "to", "scenario", "bottom-fifth")
ERROR = 0.05
LEVEL = 0.9
DRAWS, SEED = 4000, 20260101


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of the command that shape the numbers."""

    level: float
    method: Literal["bayes", "sets", "both"]
    simultaneous: bool
    stepdown: bool
    side: Literal["both", "best", "worst"]
    source: Literal["sampling", "method", "both"]
    hours_error: float | None
    error: float | None
    draws: int
    seed: int

    @property
    def error_rate(self) -> float:
        """The error rate of the list of the bottom fifth."""
        return ERROR if self.error is None else self.error

    def check(
        self, *, area: bool, statements: tuple[bool, ...], year: int | None, plot: Path | None, typed: Collection[str]
    ) -> None:
        """Refuse options that do not go together.

        Parameters
        ----------
        area : bool
            Whether one area is named.
        statements : tuple of bool
            Which of `STATEMENT_OPTIONS` are given.
        year : int, optional
        plot : Path, optional
        typed : collection of str
            Which of level, draws and seed were given, and not left to their defaults.

        Raises
        ------
        DataError
        """
        compare, _, scenario, fifth = statements
        given = [f"--{name}" for name, on in zip(STATEMENT_OPTIONS, statements, strict=True) if on]
        if len(given) > 1:
            raise DataError(f"{' and '.join(given)} are {len(given)} questions: ask one at a time.")
        if area and (compare or fifth):
            raise DataError(f"--area does not go with {given[0]}: leave it out.")
        if year is not None and not scenario:
            raise DataError("--year is a year of --scenario: add that, or leave it out.")
        if self.error is not None and not fifth:
            raise DataError("--error is the error rate of --bottom-fifth: add that, or use --level.")
        if plot is not None and (given or self.method == "sets"):
            raise DataError(f"--plot does not go with {given[0] if given else '--method sets'}: leave one out.")
        if given and not fifth and self.method != "bayes":
            raise DataError(f"{given[0]} is answered on draws, not by confidence sets: leave --method out.")
        if scenario and (self.source != "sampling" or self.hours_error is not None):
            raise DataError("--scenario draws sampling error as gwm run does: leave --sources and --hours-error out.")
        if fifth and "level" in typed:
            raise DataError("--bottom-fifth is held to an error rate, not a level: use --error.")
        unused = [f"--{name}" for name in ("draws", "seed") if name in typed]
        if self.method == "sets" and unused:
            raise DataError(f"confidence sets do not use {' and '.join(unused)}: leave out, or use --method both.")
        if plot is not None:
            _check_plot(plot)
        self._check_sets(statement=bool(given), area=area, fifth=fifth)

    def _check_sets(self, *, statement: bool, area: bool, fifth: bool) -> None:
        shaped = self.simultaneous or self.stepdown or self.side != "both"
        sets = self.method != "bayes"
        if shaped and self.source == "method":
            raise DataError("--sources method has no confidence sets: leave --simultaneous, --stepdown and --side out.")
        if shaped and not sets and (statement or not area):
            raise DataError("--simultaneous, --stepdown and --side shape confidence sets: add --method sets or both.")
        if fifth and (self.simultaneous or self.side != "both"):
            raise DataError("--bottom-fifth is one statement about all areas: leave --simultaneous and --side out.")
        if sets and self.source != "sampling":
            raise DataError("confidence sets know sampling error only: use --sources sampling, or --method bayes.")
        if self.source == "method" and self.hours_error is not None:
            raise DataError("--sources method has no sampling error, so there is no --hours-error to set.")


def _check_plot(path: Path) -> None:
    """Refuse a page that could not be written, before slow work; its folder is not made."""
    if not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written: there is no folder {path.parent}. Make it, or choose another.")
    check_file(path)


@dataclass(frozen=True, eq=False)
class Found:
    """Ranks of one edition by draws, as asked; confidence sets beside them where they were asked for.

    Attributes
    ----------
    edition : Edition
    asked : Asked
    draws : ndarray, shape (n_draws, n_areas)
        Of the total.
    spread : RankDistributions
    table : RankTable
    shrunk : ndarray, shape (n_areas,), or None
        Shrunk totals; None without sampling error.
    sets : RankSets or None
    parts : SourceDraws or None
        Where the method is drawn as well.
    """

    edition: Edition
    asked: Asked
    draws: NDArray[np.float64]
    spread: RankDistributions
    table: RankTable
    shrunk: NDArray[np.float64] | None
    sets: RankSets | None
    parts: SourceDraws | None


def find(edition: Edition, asked: Asked, *, with_sets: bool = False) -> Found:
    """Work out ranks by draws; `with_sets` adds confidence sets where there is sampling error."""
    from gwm_models.ranks.counting import rank_distributions
    from gwm_models.ranks.edition import n_ends
    from gwm_models.ranks.table import table_of

    wants_sets = asked.method == "both" or (with_sets and asked.source != "method")
    sets = sets_of(edition, asked) if wants_sets else None
    draws, shrunk, parts = draws_of(edition, asked)
    spread = rank_distributions(draws, edition.areas.code)
    table = table_of(spread, level=asked.level, n_ends=n_ends(edition))
    return Found(edition, asked, draws, spread, table, shrunk, sets, parts)


def sets_of(edition: Edition, asked: Asked) -> RankSets:
    """Return the confidence sets asked for."""
    from gwm_models.ranks.edition import edition_sets

    return edition_sets(
        edition,
        level=asked.level,
        simultaneous=asked.simultaneous,
        stepdown=asked.stepdown,
        side=asked.side,
        hours_error=asked.hours_error,
    )


def draws_of(
    edition: Edition, asked: Asked
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None, SourceDraws | None]:
    """Return draws of the total, the shrunk totals, and the draws by source where the method is drawn."""
    from gwm_models.ranks.edition import edition_posterior
    from gwm_models.ranks.sources import edition_sources

    if asked.source == "sampling":
        posterior = edition_posterior(edition, n_draws=asked.draws, seed=asked.seed, hours_error=asked.hours_error)
        return posterior.draws.sum(axis=2), posterior.shrunk.sum(axis=1), None
    parts = edition_sources(edition, n_draws=asked.draws, seed=asked.seed, hours_error=asked.hours_error)
    return parts.of(asked.source), parts.shrunk if asked.source == "both" else None, parts
