"""Change of rank in `gwm ranks`: between two editions, and between a scenario and its baseline."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gwm_models.cli.area import place_of
from gwm_models.cli.options import MONITOR
from gwm_models.cli.output import Format, emit, write_line
from gwm_models.cli.ranks_found import Asked, draws_of
from gwm_models.cli.ranks_print import in_words
from gwm_models.cli.ranks_statements import print_basis
from gwm_models.errors import DataError
from gwm_models.scenarios.words import counted, level_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gwm_models.data.edition import Edition
    from gwm_models.ranks.change import Pairing, RankChange

LIKELY = 0.5
"""An area is counted as gaining, or losing, places if it does with more than this probability."""
CHANGE_COLUMNS = (
    "area_name",
    "rank_before",
    "rank_after",
    "estimate",
    "lower",
    "upper",
    "prob_improves",
    "prob_worsens",
)


@dataclass(frozen=True, eq=False)
class ScenarioDraws:
    """Draws of the total without and with a scenario, row by row of one state of the world.

    Attributes
    ----------
    id : str
    edition : Edition
    year : int
        The year of `after`.
    before, after : ndarray, shape (n_draws, n_areas)
    seed : int
    """

    id: str
    edition: Edition
    year: int
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    seed: int


def scenario_draws(text: str, year: int | None, *, draws: int | None, seed: int | None) -> ScenarioDraws:
    """Project a scenario and return its joint draws in one year, the last one if none is named.

    Raises
    ------
    DataError
        If the year is not one of the scenario's.
    """
    from gwm_models.scenarios.projection import project
    from gwm_models.scenarios.reader import read_scenario, resolve_scenario_path

    checked = read_scenario(resolve_scenario_path(text))
    for warning in checked.warnings:
        sys.stderr.write(f"{warning}\n")
    scenario = checked.scenario
    first, last = scenario.horizon.start, scenario.horizon.end
    at = last if year is None else year
    if not first <= at <= last:
        raise DataError(f"--year {at} is not a year of {scenario.id}: it runs from {first} to {last}.")
    given = {name: value for name, value in (("draws", draws), ("seed", seed)) if value is not None}
    changed = {
        "analysis": scenario.analysis.model_copy(update=given),
        "horizon": scenario.horizon.model_copy(update={"end": at}),
    }
    projection = project(scenario.model_copy(update=changed), variance=False)
    before = projection.total_before
    return ScenarioDraws(
        scenario.id, projection.edition, at, before, before + projection.change, projection.scenario.analysis.seed
    )


def edition_of(found: ScenarioDraws, name: str) -> Edition:
    """Return the edition of a scenario.

    Raises
    ------
    DataError
        If another one was named.
    """
    if name not in (MONITOR, found.edition.name):
        raise DataError(f"--edition {name} is not the edition of {found.id}, {found.edition.name}: leave it out.")
    return found.edition


def print_editions(before: Edition, after: Edition, asked: Asked, area: str | None, format: Format) -> None:
    """Print the change of rank between two editions, among the areas they share."""
    if before.name == after.name:
        raise DataError(f"--to names the edition that is changed from ({before.name}). Name another.")
    place = None if area is None else shared_area(before, after, area)
    change = _change_of_editions(before, after, asked)
    name = dict(zip((*after.areas.code, *before.areas.code), (*after.areas.name, *before.areas.name), strict=True))
    rows = _rows(change, name, {"before": before.name, "after": after.name}, asked)
    if place is not None:
        rows = [row for row in rows if row["area_code"] == before.areas.code[place]]
    title = f"Change of rank among {len(change.area)} areas, {before.name} to {after.name} (negative is better)"
    _print(rows, title, _edition_notes(before, after, asked, change), asked, format)
    if format is Format.table:
        print_basis([before, after], asked)


def _change_of_editions(before: Edition, after: Edition, asked: Asked) -> RankChange:
    """Return the change of rank: one method for both editions where one is drawn, sampling errors independent."""
    from gwm_models.ranks.change import rank_change
    from gwm_models.ranks.sources import paired_sources

    first, *_, from_parts = draws_of(before, _for_edition(before, asked, before, after))
    second, *_, to_parts = draws_of(after, _for_edition(after, asked, before, after))
    pairing: Pairing = "independent"
    if asked.source != "sampling" and from_parts and to_parts and from_parts.varied == to_parts.varied:
        pairing = "joint"
        first, second = paired_sources(from_parts, to_parts, asked.source, seed=asked.seed)
    codes = before.areas.code, after.areas.code
    return rank_change(
        first, second, codes[0], after_area=codes[1], pairing=pairing, level=asked.level, seed=asked.seed
    )


def shared_area(before: Edition, after: Edition, text: str) -> int:
    """Return the place in the first edition of an area that both have.

    Raises
    ------
    DataError
        If one of them does not have it; the message has areas of the other edition with such a name.
    """
    try:
        place = place_of(before, text)
    except DataError:
        alike = _named_like(after, text, before)
        if not alike:
            raise
        raise DataError(
            f"There is no area '{text}' in {before.name}, so it has no change of rank; only {after.name} has {alike}."
        ) from None
    name = before.areas.name[place]
    if before.areas.code[place] in after.areas.code:
        return place
    alike = _named_like(after, name, before)
    rest = f", which has {alike}: another code, so another boundary or status" if alike else ""
    raise DataError(f"{name} is not an area of {after.name}{rest}. It has no change of rank.")


def _named_like(edition: Edition, text: str, other: Edition) -> str:
    """Return names and codes of the areas of one edition alone whose names hold `text`; empty if there are none."""
    wanted, known = " ".join(text.casefold().split()), set(other.areas.code)
    pairs = zip(edition.areas.code, edition.areas.name, strict=True)
    found = [f"{name} ({code})" for code, name in pairs if code not in known and wanted in name.casefold()]
    return " and ".join(found)


def print_scenario(found: ScenarioDraws, asked: Asked, place: int | None, format: Format) -> None:
    """Print the change of rank that a scenario makes by one year, against its baseline."""
    from gwm_models.ranks.change import rank_change

    areas = found.edition.areas
    change = rank_change(found.before, found.after, areas.code, pairing="joint", level=asked.level)
    states = {"before": "baseline", "after": found.id, "year": found.year}
    rows = _rows(change, dict(zip(areas.code, areas.name, strict=True)), states, asked)
    title = f"Change of rank by {found.year}, baseline to {found.id} (negative is better)"
    _print(rows if place is None else [rows[place]], title, _scenario_notes(found, change), asked, format)
    if format is Format.table:
        print_basis([found.edition], asked, advice=False)


def _rows(
    change: RankChange, name: Mapping[str, str], states: Mapping[str, object], asked: Asked
) -> list[dict[str, Any]]:
    return [
        {
            "area_code": row["area_code"],
            "area_name": name[str(row["area_code"])],
            **states,
            **row,
            "source": asked.source,
        }
        for row in change.to_rows()
    ]


def _print(rows: Sequence[Mapping[str, Any]], title: str, lines: Sequence[str], asked: Asked, format: Format) -> None:
    columns = CHANGE_COLUMNS if format is Format.table else None
    shown = in_words(rows) if format is Format.table else rows
    emit(shown, format=format, columns=columns, title=f"{title}, {level_words(asked.level)} intervals")
    if format is Format.table:
        write_line()
        for line in lines:
            write_line(line)


def _for_edition(edition: Edition, asked: Asked, before: Edition, after: Edition) -> Asked:
    """Drop the assumed error where one edition assumes none; if neither does it is refused later."""
    from gwm_models.ranks.edition import assumed_indicators

    if assumed_indicators(edition) or not (assumed_indicators(before) or assumed_indicators(after)):
        return asked
    return replace(asked, hours_error=None)


def _edition_notes(before: Edition, after: Edition, asked: Asked, change: RankChange) -> list[str]:
    lines = []
    if after.survey_period and after.survey_period[:4] < before.survey_period[:4]:
        lines.append(
            f"{after.name} is the earlier of the two ({after.survey_period}, {before.name} {before.survey_period}): "
            "this change runs back in time. Swap --edition and --to for what has changed since."
        )
    for one, other in ((before, after), (after, before)):
        rest, names = set(other.areas.code), set(other.areas.name)
        only = [
            f"{name} ({code}, another code in {other.name})" if name in names else name
            for code, name in zip(one.areas.code, one.areas.name, strict=True)
            if code not in rest
        ]
        if only:
            lines.append(f"Only in {one.name}, and left out before ranking: {', '.join(only)}.")
    if before.spec.indicator_ids != after.spec.indicator_ids:
        lines.append(
            "The two editions do not have the same indicators: part of a change is a change of what is ranked."
        )
    if asked.source != "sampling" and change.pairing == "joint":
        lines.append("Each method drawn is applied to both editions.")
    elif asked.source != "sampling":
        lines.append("Methods are varied for other indicators in each edition, so they are drawn for each on its own.")
    if asked.source != "method":
        lines += [
            "The sampling errors of the two editions are taken as independent, though surveys may share respondents.",
            "Each edition is shrunk by as much as its own errors ask (errors are "
            f"{' and '.join(_precision(one, asked, before, after) for one in (before, after))}): from the more to the "
            "less precise of the two, areas seem to move towards the middle even where nothing has changed.",
        ]
    return lines


def _precision(edition: Edition, asked: Asked, before: Edition, after: Edition) -> str:
    """Say how large the errors of an edition's totals are, beside their spread."""
    import numpy as np

    from gwm_models.ranks.edition import domain_errors

    error = domain_errors(edition, _for_edition(edition, asked, before, after).hours_error).sum(axis=(1, 2))
    return f"{np.sqrt(error.mean()) / np.std(edition.total):.0%} of the spread of scores in {edition.name}"


def _scenario_notes(found: ScenarioDraws, change: RankChange) -> list[str]:
    better, worse = (int((prob > LIKELY).sum()) for prob in (change.prob_improves, change.prob_worsens))
    return [
        f"{len(found.after):,} joint draws, seed {found.seed}: what is unsure of an area is the same before and after, "
        "so that much of it cancels in the change. Scores are on the bounds of the edition.",
        f"With a probability above {100 * LIKELY:g}%, {counted(better, 'area')} would gain places and "
        f"{counted(worse, 'area')} lose some; an area that nothing reaches is passed by others.",
    ]
