"""The few numbers under the headline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gwm_models.evaluation.appraisal_effects import HEALTHY, POINT_YEARS
from gwm_models.evaluation.appraisal_text import UNWEIGHTED, pounds
from gwm_models.evaluation.portfolio_words import told
from gwm_models.plots.portfolio import effect_places
from gwm_models.plots.words import SPACE, chance, is_missing, level_words, money, unit_words
from gwm_models.report.views import number_cell
from gwm_models.scenarios.words import thousands

Row = Mapping[str, Any]

TARGETS, ALL = "Target areas", "All areas"
EVERY = "all actions"
COSTED = (HEALTHY, POINT_YEARS)
"""Effects whose cost for one unit stands under the headline of an appraisal."""


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One number in large type with the words around it."""

    label: str
    text: str
    unit: str = ""
    span: str = ""
    note: str = ""


def key_figures(summary: Row) -> list[KeyFigure]:
    """Choose the numbers under the headline: score, health by the stated link, inequality, people, cost."""
    year = summary.get("year", "")
    return [
        *_score(summary.get("groups") or [], year),
        *_health(summary.get("health") or [], year),
        *_inequality(summary.get("inequality") or []),
        *_people(summary.get("sums") or [], year),
        *_cost(summary),
    ]


def appraisal_figures(summary: Row) -> list[KeyFigure]:
    """Choose the numbers under the headline of an appraisal: its cost, and what one unit of each main effect costs."""
    cost = next(row for row in summary["costs"] if row["action"] == EVERY and row["discounted"])
    figures = [_pounds(cost, "Cost of the run", f"Discounted, {cost['price_base']} prices")]
    for row in summary["ratios"]:
        if row["verdict"] == "ratio" and row["equity"] == UNWEIGHTED and row["measure"] in COSTED:
            figures.append(_pounds(row, f"Cost for one {str(row['unit']).removeprefix('GBP per ')}", str(row["label"])))
    for row in summary["net_benefit"]:
        if row["equity"] == UNWEIGHTED:
            at = f"At {pounds(row['value'])} for one {str(row['value_unit']).removeprefix('GBP per ')}"
            figures.append(KeyFigure("Chance that it is worth its cost", chance(row["prob_positive"]), note=at))
    return figures


def portfolio_figures(summary: Row) -> list[KeyFigure]:
    """Choose the numbers under the headline of a portfolio: its cost, its effect, and how often it is the best set."""
    if not summary["chosen"]:
        return []
    joint = next(row for row in summary["effect"] if row["what"] == "projected together")
    best = KeyFigure("Best set of a draw", chance(summary["regret"]["prob_best"]), note="Share of draws")
    cost = summary["cost"]
    return [_pounds(cost, "Expected cost", f"Discounted, {cost['price_base']} prices"), _effect(joint, summary), best]


def allocation_figures(summary: Row) -> list[KeyFigure]:
    """Choose the numbers under the headline of an allocation: the money, its effect, and that over an even spread."""
    found = {row["what"]: row for row in summary["effect"]}
    spent = {"estimate": summary["budget"]["spent"], "std_error": 0.0}
    over = _effect(found["best less even"], summary)
    return [
        _pounds(spent, "Spent", f"{summary['budget']['price_base']} prices"),
        _effect(found["best spread"], summary),
        KeyFigure("More than an even spread", over.text, over.unit, over.span, over.note),
    ]


def _pounds(row: Row, label: str, note: str) -> KeyFigure:
    """Write a sum of money with its interval."""
    amount, _, step = pounds(row["estimate"]).partition(" ")
    ends = [pounds(row[name]).replace(" ", SPACE) for name in ("lower", "upper")] if row.get("std_error", 1) else []
    words = f"{level_words(row.get('level'))} {' to '.join(ends)}" if ends else ""
    return KeyFigure(label, amount, step, words, note)


def _effect(row: Row, summary: Row) -> KeyFigure:
    """Write what a choice brings, with its interval."""
    measure = summary["measure"]
    ends = [row[name] for name in ("estimate", "lower", "upper")]
    cell = number_cell(row, places=effect_places(measure["unit"], ends), change=measure["state"] != "scenario")
    span = f"{level_words(row['level'])} {cell.sub.replace(' ', SPACE)}" if cell.sub else ""
    return KeyFigure(told(measure["label"]), cell.text, unit_words(measure["unit"]), span, str(summary["year"]))


def _first(rows: Iterable[Row], **wanted: object) -> Row | None:
    """Find the first row that holds the values asked for and has an estimate."""
    for row in rows:
        if all(row.get(name) == value for name, value in wanted.items()) and not is_missing(row.get("estimate")):
            return row
    return None


def _figure(row: Row, label: str, note: str) -> KeyFigure:
    """Write a difference with its unit and interval."""
    cell = number_cell(row, change=True)
    span = f"{level_words(row.get('level'))} {cell.sub.replace(' ', SPACE)}" if cell.sub else ""
    return KeyFigure(label, cell.text, unit_words(str(row["unit"])), span, note)


def _score(groups: Iterable[Row], year: object) -> list[KeyFigure]:
    """Write the change in the mean score of the targets, or of all areas where none is a target."""
    rows = list(groups)
    for group in (TARGETS, ALL):
        row = _first(rows, group=group, quantity="total", state="difference")
        if row is not None:
            return [_figure(row, str(row["label"]), f"{group}{_counted(row)}, {year}")]
    return []


def _counted(row: Row) -> str:
    """Say how many areas a group has, where that is known."""
    return f" ({row['n_areas']})" if row.get("n_areas") else ""


def _health(health: Iterable[Row], year: object) -> list[KeyFigure]:
    """Write the change in each health outcome under the stated link."""
    rows = list(health)
    figures = []
    for outcome in dict.fromkeys(row["outcome"] for row in rows):
        row = _first(rows, outcome=outcome, group=TARGETS, line="stated link")
        row = row or _first(rows, outcome=outcome, group=ALL, line="stated link")
        if row is not None:
            figures.append(_figure(row, str(row["label"]), f"{row['group']}, {year}; stated link"))
    return figures


def _inequality(rows: Iterable[Row]) -> list[KeyFigure]:
    """Write the change in the first measure of inequality."""
    row = _first(rows, state="difference")
    if row is None:
        return []
    share = row.get("prob_narrower")
    said = row["estimate"] != 0 and not is_missing(share)
    return [_figure(row, str(row["label"]), f"Chance that it narrows: {chance(share)}" if said else "")]


def _people(rows: Iterable[Row], year: object) -> list[KeyFigure]:
    """Write the people that the change of each indicator stands for, all areas together."""
    return [
        KeyFigure(
            str(row["label"]),
            thousands(row["estimate"], sign=True),
            span=f"{level_words(row.get('level'))} {_people_span(row)}" if row.get("std_error") else "",
            note=f"{ALL}, {year}",
        )
        for row in rows
        if row.get("kind") == "people" and row["group"] == ALL and row.get("estimate")
    ]


def _people_span(row: Row) -> str:
    return f"{thousands(row['lower'])} to {thousands(row['upper'])}".replace(" ", SPACE)


def _cost(summary: Row) -> list[KeyFigure]:
    """Write the cost of all actions, one figure for each price base."""
    rows = list(summary.get("costs") or [])
    shared = {row["price_base"] for row in rows if row["action"] == EVERY}
    wanted = [row for row in rows if row["action"] == EVERY or row["price_base"] not in shared]
    figures = []
    for row in wanted:
        amount, _, step = money(row["estimate"], str(row["unit"])).partition(" ")
        ends = [money(row[name], str(row["unit"])).replace(" ", SPACE) for name in ("lower", "upper")]
        span = f"{level_words(row.get('level'))} {ends[0]} to {ends[1]}" if row.get("std_error") else ""
        note = f"All years, {row['price_base']} prices"
        figures.append(KeyFigure("Cost of the actions", amount, step, span, note))
    return figures
