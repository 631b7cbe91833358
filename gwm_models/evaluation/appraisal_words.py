"""An appraisal in plain words and plain values: the headline, what each ratio says, and what all of it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gwm_models.evaluation.appraisal import Appraisal
from gwm_models.evaluation.appraisal_effects import DEATHS, HEALTHY, INCOME_WORDS, POINT_YEARS
from gwm_models.evaluation.appraisal_terms import LONG, RATE_SOURCE, WEIGHT_SOURCE, Terms
from gwm_models.evaluation.appraisal_text import UNWEIGHTED, WEIGHTED, pounds, share, share_words, span_of, statement
from gwm_models.scenarios.sums import NO_DEATHS
from gwm_models.scenarios.words import level_words

Row = Mapping[str, Any]

LIFETIME = (
    "A year of healthy life is read off the rates of its year, as if all ages had lived at them: that takes a lifetime "
    "to come about, so these are not years that will have been lived by then."
)


def headline(found: Appraisal) -> str:
    """Say in a few sentences what the run costs, what that buys, and how surely it is worth it."""
    whole, discounted = found.cost_rows()[:2]
    interval = f", {span_of(discounted)}" if discounted["std_error"] else ""
    spent = (
        f"The run costs {pounds(_number(discounted, 'estimate'))} at {found.cost.price_base} prices, discounted at "
        f"{_percent(found.terms.cost_rate)} a year to {found.cost.first}{interval} "
        f"({pounds(_number(whole, 'estimate'))} undiscounted)."
    )
    rows = {(row["measure"], row["equity"]): row for row in found.rows()}
    asked = [measure for measure in (HEALTHY, POINT_YEARS) if (measure, UNWEIGHTED) in rows]
    units = [_unit_sentence(rows[measure, UNWEIGHTED], rows.get((measure, WEIGHTED))) for measure in asked]
    sentences = [units[0], spent, *units[1:]]
    sentences += [_worth(row) for row in found.benefit_rows() if row["equity"] == UNWEIGHTED]
    sentences += [share_words(row) for row in found.break_even_rows()]
    return " ".join(sentences)


def _number(row: Row, name: str) -> float:
    return float(row[name])


def _percent(rate: float) -> str:
    return f"{100 * rate:g}%"


def _unit_sentence(row: Row, weighted: Row | None) -> str:
    """Say what one unit costs, with the figure weighted by income beside it, or why that cannot be said."""
    if row["verdict"] != "ratio":
        return f"{row['label']}: {statement(row)}."
    unit = str(row["unit"]).removeprefix("GBP per ")
    beside = ""
    if weighted is not None and weighted["verdict"] == "ratio":
        beside = f"; weighted by income {pounds(weighted['estimate'])}"
    article = "An" if unit[0] in "aeiou" else "A"
    return f"{article} {unit} costs {pounds(row['estimate'])} ({span_of(row)}{beside})."


def _worth(row: Row) -> str:
    unit = str(row["value_unit"]).removeprefix("GBP per ")
    what = f" ({row['value_words']})" if row["value_words"] else ""
    return (
        f"At {pounds(row['value'])} for each {unit}{what} it is worth its cost with probability "
        f"{share(row['prob_positive'])}; the net benefit is {pounds(row['estimate'])} on average ({span_of(row)})."
    )


def notes(found: Appraisal) -> list[str]:
    """Say what the appraisal assumes and leaves out."""
    terms, cost = found.terms, found.cost
    first, last = found.projection.years[0], found.projection.years[-1]
    said = [
        *([LIFETIME] if any(row["measure"] == HEALTHY for row in found.rows()) else []),
        _rates(terms, first),
        f"Costs and values are in real terms at {cost.price_base} prices{_converted(found)}.",
        f"Effects are counted from {first} to {last}, not what outlasts {last}. Costs are counted whenever they fall.",
        "Costs are those that the scenario states. What else a gain in good work saves or earns (benefits paid, "
        "taxes, output) is not counted, nor what raising the money costs.",
        f"A ratio is given only where the {level_words(found.level)} interval and the mean of the effect lie above "
        "zero. It is mean cost over mean effect; its interval is of Fieller's kind, from joint draws.",
        "Perfect information (EVPI) is about the choice between doing this and doing nothing, over everything drawn.",
    ]
    if last - first + 1 > LONG:
        said.append(
            f"The horizon is longer than {LONG} years; the Green Book lowers its rates after that, this does not."
        )
    if found.cost.uncosted:
        said.append(
            f"Actions without a cost count as free: {', '.join(cost.uncosted)}. The ratios are too low by theirs."
        )
    said += _health_notes(found)
    said.append(_equity_note(found))
    return said


def _rates(terms: Terms, first: int) -> str:
    usual = (terms.cost_rate, terms.health_rate) == (Terms().cost_rate, Terms().health_rate)
    source = f" Source: {RATE_SOURCE}." if usual else f" The Green Book has others: {RATE_SOURCE}."
    return (
        f"Costs and scores are discounted at {_percent(terms.cost_rate)} a year, health at "
        f"{_percent(terms.health_rate)}, to {first}. Effects of the last year alone are not discounted.{source}"
    )


def _converted(found: Appraisal) -> str:
    cost = found.cost
    if not cost.converted:
        return ""
    return f"; those of {', '.join(map(str, cost.converted))} converted by {found.terms.deflator_source}"


def _health_notes(found: Appraisal) -> list[str]:
    measures = [effect.measure for effect in found.effects]
    said = []
    if HEALTHY in measures:
        said.append(
            "A year of healthy life is a year lived in good instead of less than good health. That is less than a "
            "quality-adjusted life year, which is a year in full health against death; a value for the one is an upper "
            "end for the other."
        )
        values = [value for value in found.values(found.effect(HEALTHY)) if not value.stated]
        said += [f"Value for a year of healthy life, {pounds(value.pounds)}: {value.source}." for value in values]
    said += [f"Value for {value.measure}, {pounds(value.pounds)}: {value.source}." for value in found.terms.values]
    if not any(measure.startswith(DEATHS) for measure in measures):
        said.append(NO_DEATHS)
    return said


def _equity_note(found: Appraisal) -> str:
    if all(effect.weighted is None for effect in found.effects):
        return "Nothing is weighted by income: the edition holds no income of its areas."
    return (
        f"Weighted by income: each area's effect counts with (median / its income) to the power of "
        f"{found.terms.elasticity:g}, the income being {INCOME_WORDS}; costs count as paid by people of median income. "
        f"After {WEIGHT_SOURCE}. Pay stands in for household income, and an area's people for a group."
    )


def summarise_appraisal(found: Appraisal) -> dict[str, Any]:
    """Return an appraisal as plain values, ready for JSON: headline, rows of every kind, terms, notes."""
    scenario, edition, terms = found.projection.scenario, found.projection.edition, found.terms
    rows = [row | {"words": statement(row)} for row in found.rows()]
    return {
        "schema": "gwm-appraisal/1",
        "scenario": {"id": scenario.id, "title": scenario.title, "question": scenario.question},
        "edition": {"name": edition.name, "title": edition.spec.title, "n_areas": len(edition.areas)},
        "start": found.projection.years[0],
        "year": found.projection.years[-1],
        "level": found.level,
        "draws": scenario.analysis.draws,
        "seed": scenario.analysis.seed,
        "terms": {
            "cost_rate": terms.cost_rate,
            "health_rate": terms.health_rate,
            "elasticity": terms.elasticity,
            "price_base": found.cost.price_base,
            "discounted_to": found.cost.first,
            "deflator": terms.deflator_source or None,
        },
        "headline": headline(found),
        "ratios": rows,
        "costs": found.cost_rows(),
        "effects": found.effect_rows(),
        "net_benefit": found.benefit_rows(),
        "break_even": [row | {"words": share_words(row)} for row in found.break_even_rows()],
        "by_year": found.year_rows(),
        "curve": found.curve_rows(),
        "plane": found.plane_rows(),
        "measures": [
            {name: getattr(effect, name) for name in ("measure", "label", "unit", "units", "period", "definition")}
            for effect in found.effects
        ],
        "notes": notes(found),
    }
