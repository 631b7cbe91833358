"""The tables of an appraisal, built from its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gwm_models.evaluation.appraisal_text import UNWEIGHTED, WEIGHTED, pounds
from gwm_models.plots.words import chance, level_words, places_for
from gwm_models.report.views import Cell, Column, TableView, number_cell, sentence, text_cell

Row = Mapping[str, Any]

REASONS = {
    "dominant": "None needed: does good, costs nothing",
    "dominated": "None: costs money, does harm",
    "saves_and_harms": "None: does harm",
    "unsure": "None: the effect may have either sign",
    "no_effect": "None: no effect",
}


def ratio_table(rows: Sequence[Row], note: str, key: str = "ratios") -> TableView:
    """Make the table of what one unit of each effect costs, unweighted and weighted by income side by side."""
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        found.setdefault(str(row["label"]), {})[str(row["equity"])] = row
    lines = []
    for label, kinds in found.items():
        plain = kinds[UNWEIGHTED]
        unit = str(plain["unit"]).removeprefix("GBP per ")
        cells = [_ratio_cell(kinds.get(kind)) for kind in (UNWEIGHTED, WEIGHTED)]
        good = plain["prob_costs_more_does_good"] + plain["prob_costs_less_does_good"]
        lines.append([text_cell(label, f"for each {unit}"), *cells, Cell(chance(good), "", good)])
    columns = [Column("Effect", numeric=False), Column("Cost for one"), Column("Weighted by income")]
    return TableView(
        key, "What one unit of each effect costs.", [*columns, Column("Chance that it does good")], lines, note
    )


def _ratio_cell(row: Row | None) -> Cell:
    if row is None:
        return text_cell("")
    if row["verdict"] != "ratio":
        return Cell(REASONS[row["verdict"]])
    return Cell(pounds(row["estimate"]), f"{pounds(row['lower'])} to {pounds(row['upper'])}", row["estimate"])


def _money_cell(row: Row) -> Cell:
    span = f"{pounds(row['lower'])} to {pounds(row['upper'])}" if row["std_error"] else ""
    return Cell(pounds(row["estimate"]), span, row["estimate"])


def cost_table(rows: Sequence[Row]) -> TableView:
    """Make the table of costs: all actions, then each of them."""
    lines = [
        [
            text_cell(sentence(row["action"])),
            text_cell("Discounted" if row["discounted"] else "Undiscounted"),
            _money_cell(row),
        ]
        for row in rows
    ]
    base, period = rows[0]["price_base"], rows[0]["period"]
    columns = [Column("Action", numeric=False), Column("Discounting", numeric=False), Column(f"Cost at {base} prices")]
    return TableView("costs", f"Costs, {period}; {level_words(rows[0]['level'])} below each.", columns, lines)


def effect_table(rows: Sequence[Row]) -> TableView:
    """Make the table of effects: undiscounted, discounted, weighted."""
    lines = []
    for row in rows:
        how = row["state"] if row["equity"] == UNWEIGHTED else f"{row['state']}, weighted by income"
        cell = number_cell(row, change=True, places=_places(row))
        lines.append([text_cell(row["label"], row["unit"]), text_cell(sentence(how)), text_cell(row["period"]), cell])
    columns = [Column(title, numeric=False) for title in ("Effect", "How", "Period")]
    level = level_words(rows[0]["level"])
    return TableView(
        "effects", f"Effects; above zero is good; {level} below each.", [*columns, Column("Estimate")], lines
    )


def _places(row: Row) -> int:
    return places_for("", [row["estimate"], row["lower"], row["upper"]], change=True)


def benefit_table(rows: Sequence[Row]) -> TableView | None:
    """Make the table of net benefit at every value; None where no value is given."""
    if not rows:
        return None
    lines = [
        [
            text_cell(row["label"], row["value_source"]),
            Cell(pounds(row["value"]), str(row["value_unit"]).removeprefix("GBP "), row["value"]),
            text_cell(sentence(row["equity"])),
            _money_cell(row),
            Cell(chance(row["prob_positive"]), "", row["prob_positive"]),
            Cell(pounds(row["evpi"]), "", row["evpi"]),
        ]
        for row in rows
    ]
    columns = [Column("Effect", numeric=False), Column("Value of one"), Column("Equity", numeric=False)]
    columns += [Column("Net benefit"), Column("Chance that it is worth it"), Column("Value of perfect information")]
    caption = f"Value of the effect less the cost; {level_words(rows[0]['level'])} below each."
    return TableView("net-benefit", caption, columns, lines)


def break_even_table(rows: Sequence[Row]) -> TableView | None:
    """Make the table of break-even shares; None where no value is given."""
    if not rows:
        return None
    lines = []
    for row in rows:
        stated = Cell("" if row["share_stated"] is None else f"{row['share_stated']:.0%}", "", row["share_stated"])
        needed = Cell(REASONS.get(row["verdict"], ""))
        if row["verdict"] == "ratio":
            needed = Cell(f"{row['estimate']:.0%}", f"{row['lower']:.0%} to {row['upper']:.0%}", row["estimate"])
        value = Cell(pounds(row["value"]), str(row["value_unit"]).removeprefix("GBP "), row["value"])
        lines.append([text_cell(row["label"]), value, needed, stated])
    columns = [Column("Effect", numeric=False), Column("Value of one"), Column("Share needed"), Column("Share stated")]
    caption = "Share of the association with health that must be causal for the run to be worth its cost."
    return TableView("break-even", caption, columns, lines, f"{level_words(rows[0]['level'])} below each share.")
