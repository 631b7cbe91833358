"""The page of one area: where it stands, how sure that is, what stands out and what would move it, as plain data."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from gwm_models.data.edition import Edition, load_edition
from gwm_models.data.lookup import find_area
from gwm_models.data.vocabulary import EDITIONS
from gwm_models.explore.area_figures import indicator_rows, peer_table, peers_of, profile_charts
from gwm_models.explore.area_history import (
    YEARLY,
    health_charts,
    health_rows,
    history_charts,
    history_rows,
    score_rows,
    variable_of,
)
from gwm_models.explore.area_levers import MOVE, RULE, lever_rows
from gwm_models.explore.area_panel import Panel, read_panel
from gwm_models.explore.areas import INTERVALS, LEVEL, OFFICIAL, area_row, standing
from gwm_models.plots.area import figure, levers
from gwm_models.plots.rank_charts import rank_distribution
from gwm_models.plots.words import interval, number
from gwm_models.ranks.edition import hours_words, shared_unit_note
from gwm_models.ranks.words import ordinal, words_for
from gwm_models.scenarios.words import counted

Json = dict[str, Any]

ENGLAND = "England outside London"
ANY = "all areas"
MEDIANS = (
    "Medians are over the areas of the region and over {whole}, whatever their population; areas that share their "
    "figures count once."
)
HISTORY = (
    "Yearly figures are as published, with published 95% limits; job shares have none, and theirs come from the "
    "effective sample size of the year. Pay is in pounds of each April and of the place, before any allowance for "
    "prices. The survey of work changed method in 2020, and pay of 2020 and 2021 includes furlough pay."
)
SCORES = (
    "Totals of 2017 to 2021 are those of the open editions, on one frozen scale, without satisfactory hours: they "
    "compare over the years, not with the published total."
)
HEALTH = "Periods of three years overlap, so neighbouring ones are not independent. None of these figures is an effect."
LITTLE = 1.0
"""Fewer points than that are not worth a sentence."""
NO_HEALTH = "This edition is your own: it holds no yearly figures and no health outcomes."


def area_page(edition_name: str, code: str) -> Json:
    """Return the page of one area.

    Parameters
    ----------
    edition_name : str
        As for `load_edition`.
    code : str
        Code of the area; its name is understood as well.

    Returns
    -------
    dict
        ``area`` (its row in the table of areas), ``words``, ``charts`` (lists of Vega-Lite specs: profile, ranks,
        history, health, levers), ``tables`` (lists of rows: indicators, peers, levers, health, history, scores),
        ``notes`` and ``sources``. Plain data without NaN: what is missing is None.

    Raises
    ------
    DataError
        If there is no such edition, or no such area, with the nearest names.
    """
    edition = load_edition(edition_name)
    place = find_area(edition, code)
    whole = ENGLAND if edition.name in EDITIONS else ANY
    peers = peers_of(edition, place)
    indicators = indicator_rows(edition, place, peers)
    moves, history, scores = lever_rows(edition, place), history_rows(edition, place), score_rows(edition, place)
    health = health_rows(edition, place)
    return {
        "edition": edition_name,
        "level": LEVEL,
        "area": area_row(edition, place),
        "words": " ".join(words(edition, place, indicators, moves, whole)),
        "charts": {
            "profile": profile_charts(edition, place, indicators, peers, whole),
            "ranks": rank_charts(edition, place),
            "history": history_charts(edition, place, history, scores, whole),
            "health": health_charts(edition, place, whole),
            "levers": levers(moves, area=edition.areas.name[place], move=MOVE) if worthwhile(moves) else [],
        },
        "tables": {
            "indicators": indicators,
            "peers": peer_table(edition, peers),
            "levers": moves,
            "health": health,
            "history": history,
            "scores": scores,
        },
        "notes": notes(edition, place, indicators, whole),
        "sources": sources(edition, health),
    }


def rank_charts(edition: Edition, place: int) -> list[Json]:
    """Return the chart of the probability of each rank of the total."""
    found, areas = standing(edition), edition.areas
    row = found.table.to_rows()[place] | {"area_name": areas.name[place]}
    return rank_distribution(row, found.spread.of(areas.code[place]))


def words(edition: Edition, place: int, indicators: list[Json], moves: list[Json], whole: str) -> list[str]:
    """Say where an area stands and how sure that is, what stands out, and what would move it most.

    Returns
    -------
    list of str
        A sentence or two each.
    """
    found, areas = standing(edition), edition.areas
    name, n = areas.name[place], len(areas)
    basis = "published" if edition.published else "computed"
    known = words_for(found.table.to_rows(full=True)[place])
    first = (
        f"{name} ranks {ordinal(int(edition.rank[place]))} of {n} by {basis} total ({number(edition.total[place])} "
        f"points; true total {interval(found.lower[place], found.upper[place])}, 90% interval). Its true rank: "
        f"{known[0].lower()}{known[1:]}"
    )
    return [first, *_outstanding(indicators, whole), *_most(moves)]


def _outstanding(indicators: list[Json], whole: str) -> list[str]:
    """Say which figures are furthest better and worse than the mean of areas, each with limits and the median."""
    known = sorted((row for row in indicators if row["score"] is not None), key=lambda row: row["score"])
    if len(known) < 2:
        return []
    low, high = known[0], known[-1]
    if high["score"] < 0:
        return [
            f"Beside {whole} it is worse than the mean in all figures: most in {_said(low)}, least in {_said(high)}."
        ]
    if low["score"] > 0:
        return [
            f"Beside {whole} it is better than the mean in all figures: most in {_said(high)}, least in {_said(low)}."
        ]
    return [f"Beside {whole} it is weakest in {_said(low)} and strongest in {_said(high)}."]


def _said(row: Json) -> str:
    unit, places = row["unit"], row["places"]
    limits = interval(row["lower"], row["upper"], places)
    span = f", 95% limits {limits}" if limits else ""
    here, median = (figure(row[name], unit, places) for name in ("value", "whole_median"))
    return f"{lowered(row['label'])} ({here}{span}; median {median})"


def lowered(label: str) -> str:
    """Write a label inside a sentence."""
    return label[:1].lower() + label[1:]


def _most(moves: list[Json]) -> list[str]:
    """Say which of the moves would add most."""
    if not moves or moves[0]["points"] is None:
        return []
    most = moves[0]
    if not worthwhile(moves):
        return [
            "In every indicator with open figures it is among the best fifth or close to it: closing half of what gap "
            f"there is would add less than {LITTLE:g} point."
        ]
    return [
        f"Closing half of the gap to the best fifth would add most in {lowered(most['label'])}: "
        f"{number(most['points'], sign=True)} points (90% interval {interval(most['lower'], most['upper'])}), and "
        f"{counted(int(most['ranks']), 'place')} up ({interval(most['ranks_lower'], most['ranks_upper'], 0)})."
    ]


def worthwhile(moves: list[Json]) -> bool:
    """Tell whether any of the moves, the largest gain first, adds points worth a sentence."""
    return bool(moves) and moves[0]["points"] is not None and moves[0]["points"] >= LITTLE


def notes(edition: Edition, place: int, indicators: list[Json], whole: str) -> list[str]:
    """Return what has to be known to read the page."""
    missing = [f"{row['label']}: {row['missing']}." for row in indicators if row["missing"]]
    shipped = edition.name in EDITIONS
    more = [HISTORY, SCORES, HEALTH, OFFICIAL] if shipped else [NO_HEALTH]
    found = [
        shared_unit_note(edition, edition.areas.code[place]),
        *missing,
        hours_words(edition, advice=False),
        INTERVALS,
        MEDIANS.format(whole=whole),
        RULE,
        *_gaps(edition, place),
        *more,
        *edition.notes,
    ]
    return list(dict.fromkeys(note for note in found if note))


def _gaps(edition: Edition, place: int) -> list[str]:
    """Say which years have no figure of the area."""
    said = []
    for j in range(len(edition.spec.indicators)):
        variable = variable_of(edition, j)
        if variable:
            panel = read_panel(variable)
            gaps = gap_words(panel, edition.areas.unit[place])
            said += [f"{panel.label}: no figure for {gaps}."] if gaps else []
    return said


def gap_words(panel: Panel, unit: str) -> str:
    """Say in which years a unit has no figure, neighbouring ones together; empty where it has all."""
    found = [YEARLY.fullmatch(period) for period in panel.period]
    here = panel.value[:, panel.code.index(unit)] if unit in panel.code else np.full(len(found), np.nan)
    known = [(match[1], bool(np.isfinite(value))) for match, value in zip(found, here, strict=True) if match]
    runs = [[year for year, _ in run] for given, run in groupby(known, key=itemgetter(1)) if not given]
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def sources(edition: Edition, health: list[Json]) -> list[str]:
    """Return who made the figures of the page, each once."""
    found = [edition.spec.publisher]
    known = np.isfinite(edition.values)
    found += [f"{spec.source} ({spec.period})" for j, spec in enumerate(edition.spec.indicators) if known[:, j].any()]
    found += [row["source"] for row in health]
    return list(dict.fromkeys(found))
