"""A comparison as result rows and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from gwm_models.errors import some
from gwm_models.scenarios.compare import Comparison, League
from gwm_models.scenarios.league import SURE
from gwm_models.scenarios.spread import Row, plain, spreads
from gwm_models.scenarios.words import level_words

MOST_NAMES = 6


def league_rows(comparison: Comparison) -> list[Row]:
    """Return a row for each measure and scenario, the best first within a measure.

    Columns: ``measure, label, unit, better, place, scenario``, the usual numbers, ``prob_better`` (than doing nothing),
    ``prob_best``, ``expected_regret`` (in the unit), ``expected_rank, rank_lower, rank_upper``, ``level_with_leader``
    (whether it cannot be told apart from the first) and ``winner``.
    """
    return [row for league in comparison.leagues for row in _league_rows(comparison, league)]


def _league_rows(comparison: Comparison, league: League) -> list[Row]:
    found, level = league.standings, comparison.level
    numbers = spreads(league.values.T, [level])[level]
    order = np.argsort(found.expected_regret, kind="stable")
    order = np.concatenate([[found.leader], order[order != found.leader]])
    return [
        {
            **_head(league),
            "better": "more" if league.better > 0 else "less",
            "place": place,
            "scenario": comparison.labels[i],
            **{name: plain(of[i]) for name, of in numbers.items()},
            "level": level,
            "n": league.values.shape[1],
            "prob_better": plain(found.prob_better[i, comparison.reference]),
            "prob_best": plain(found.prob_best[i]),
            "expected_regret": plain(found.expected_regret[i]),
            "expected_rank": plain(found.expected_rank[i]),
            "rank_lower": int(found.rank_lower[i]),
            "rank_upper": int(found.rank_upper[i]),
            "level_with_leader": bool(found.level_with_leader[i]),
            "winner": found.winner == i,
        }
        for place, i in enumerate(order.tolist(), start=1)
    ]


def pair_rows(comparison: Comparison) -> list[Row]:
    """Return a row for each measure and pair of scenarios.

    ``estimate`` and its interval are of scenario minus other, in the same draws; ``prob_better`` is the probability
    that the scenario is better than the other, with a tie counted half, and ``prob_same`` that of a tie.
    """
    rows: list[Row] = []
    for league in comparison.leagues:
        for i, own in enumerate(league.values[:-1]):
            others = league.values[i + 1 :]
            numbers = spreads((own - others).T, [comparison.level])[comparison.level]
            rows += [
                {
                    **_head(league),
                    "scenario": comparison.labels[i],
                    "other": comparison.labels[i + 1 + j],
                    **{name: plain(of[j]) for name, of in numbers.items()},
                    "level": comparison.level,
                    "n": league.values.shape[1],
                    "prob_better": plain(league.standings.prob_better[i, i + 1 + j]),
                    "prob_same": plain(league.standings.prob_same[i, i + 1 + j]),
                }
                for j in range(len(others))
            ]
    return rows


def _head(league: League) -> Row:
    return {"measure": measure_key(league), "label": league.label, "unit": league.unit}


def measure_key(league: League) -> str:
    """Return a measure as the command line takes it: ``total@all areas:difference``."""
    measured = league.measured
    return f"{measured.quantity}@{measured.group}:{measured.state}"


def verdict(league: League, labels: Sequence[str]) -> str:
    """Say in a sentence which scenario is best by a measure, or that none can be named.

    Parameters
    ----------
    league : League
    labels : sequence of str
        Names of the scenarios.
    """
    found = league.standings
    lead = found.leader
    if (found.prob_same == 1).all():
        return "All are the same in every draw."
    same = np.flatnonzero(found.prob_same[lead] == 1)
    near = np.flatnonzero(found.level_with_leader)
    if found.winner is not None:
        return (
            f"{labels[lead]} is best: the probability that it is better than all others at once is "
            f"{_chance(found.prob_best[lead])}."
        )
    others = [labels[i] for i in near.tolist() if i not in same.tolist()]
    ahead = _names([labels[i] for i in same.tolist()])
    are = "lead and are the same" if len(same) > 1 else "leads"
    if others:
        return f"No winner: {ahead} {are}, but cannot be told apart from {_names(others)} at {level_words(SURE)}."
    if len(same) > 1:
        return f"No single winner: {ahead} are the same in every draw, and ahead of all others."
    return (
        f"No winner: {ahead} {are}, but the probability that it is better than all others at once is "
        f"{_chance(found.prob_best[lead])}, which does not surely reach {level_words(SURE)}."
    )


def _chance(p: float) -> str:
    """Write a probability; what is counted in draws is never said to be certain."""
    return "over 99%" if p > 0.99 else f"{p:.0%}"


def _names(labels: Sequence[str]) -> str:
    if len(labels) == 1:
        return labels[0]
    if len(labels) > MOST_NAMES:
        return some(labels, MOST_NAMES)
    return f"{', '.join(labels[:-1])} and {labels[-1]}"


def verdicts(comparison: Comparison) -> list[Row]:
    """Return for each measure what can be said of it in a sentence, the leader, and the winner if there is one."""
    labels = comparison.labels
    return [
        {
            **_head(league),
            "leader": labels[league.standings.leader],
            "winner": None if league.standings.winner is None else labels[league.standings.winner],
            "text": verdict(league, labels),
        }
        for league in comparison.leagues
    ]


def headline(comparison: Comparison) -> str:
    """Say in a sentence on how many measures a best scenario can be named."""
    winners = [league.standings.winner for league in comparison.leagues]
    named = Counter(comparison.labels[winner] for winner in winners if winner is not None)
    of = f"{len(winners)} measures" if len(winners) > 1 else "one measure"
    if not named:
        every = "any of the " if len(winners) > 1 else ""
        return f"No scenario can be named as the best on {every}{of}."
    if len(named) == 1 and named.total() == len(winners):
        return f"{next(iter(named))} is best on {'all ' if len(winners) > 1 else ''}{of}."
    words = _names([f"{label} on {count}" for label, count in named.most_common()])
    open_ones = len(winners) - named.total()
    return f"Of {of}, best is {words}" + (
        f"; on {open_ones} no scenario can be named as the best." if open_ones else "."
    )
