"""All that `gwm evaluate` says, as plain values: effects, scores, rehearsal and power, with a headline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gwm_models.data.descriptor import read_descriptor
from gwm_models.data.home import data_home
from gwm_models.data.tables import read_table
from gwm_models.evaluation.answer_words import change_unit, effect_words, power_words, rehearsal_words, score_words
from gwm_models.evaluation.detect import POWER, Detectability
from gwm_models.evaluation.effect import Effect, plain_row
from gwm_models.evaluation.panel_spec import PanelSpec
from gwm_models.evaluation.plan import Plan
from gwm_models.evaluation.plan_detect import PlannedPower, plan_power
from gwm_models.evaluation.plan_panel import unit_names
from gwm_models.evaluation.planned import Evaluation, PlannedEffect, evaluate_plan
from gwm_models.scenarios.spec import Scenario
from gwm_models.scenarios.words import counted

Row = dict[str, Any]
SCHEMA = "gwm-evaluation/1"


@dataclass(frozen=True, eq=False)
class PlanAnswer:
    """The evaluation of a scenario, what a rehearsal shows, and what the design could see.

    Attributes
    ----------
    evaluation : Evaluation
    rehearsal : Evaluation or None
        Made where there are no figures after the start yet.
    power : tuple of PlannedPower
        Empty where it was not asked for and there is an effect.
    """

    evaluation: Evaluation
    rehearsal: Evaluation | None
    power: tuple[PlannedPower, ...]


def answer_plan(
    scenario: Scenario,
    *,
    as_if_start: int | None = None,
    level: float | None = None,
    common_weights: bool = False,
    power: bool = False,
    years_after: int | None = None,
) -> PlanAnswer:
    """Evaluate a scenario; before there are figures after its start, rehearse the design and measure its power.

    Parameters
    ----------
    scenario : Scenario
        Checked: areas as codes.
    as_if_start : int, optional
        Rehearse only, with a start in that year.
    level : float, optional
    common_weights : bool
    power : bool
        Measure the power even where there is an effect.
    years_after : int, optional
        For the power: times after the start.

    Raises
    ------
    DataError, ModelError
        As `evaluate_plan`.
    """
    found = evaluate_plan(scenario, as_if_start=as_if_start, level=level, common_weights=common_weights)
    waiting = as_if_start is None and not found.estimated and found.rehearse is not None
    rehearsal = None
    if waiting:
        rehearsal = evaluate_plan(scenario, as_if_start=found.rehearse, level=level, common_weights=common_weights)
    seen = plan_power(scenario, years_after=years_after, level=level)[1] if power or waiting else ()
    return PlanAnswer(found, rehearsal, seen)


def summarise_plan(answer: PlanAnswer) -> Row:
    """Return the evaluation of a scenario as plain values, JSON-ready.

    Parameters
    ----------
    answer : PlanAnswer
    """
    plan = answer.evaluation.plan
    sets = [answer.evaluation] + ([answer.rehearsal] if answer.rehearsal is not None else [])
    results = [_planned(each.plan, found) for each in sets for found in each.results]
    power = [_power(each, plan) for each in answer.power]
    return {
        "schema": SCHEMA,
        "kind": "plan",
        "id": plan.scenario.id,
        "title": plan.scenario.title,
        "question": plan.scenario.question,
        "source": plan.scenario.source,
        "design": plan.design,
        "start": plan.start,
        "end": plan.end,
        "before": list(plan.before),
        "rehearsal": plan.shift != 0,
        "treated": list(unit_names(plan.treated)),
        "exclude_neighbours": plan.exclude_neighbours,
        "level": plan.level,
        "seed": plan.seed,
        "draws": plan.scenario.analysis.draws,
        **_headline(answer, results, power),
        "results": results,
        "power": power,
        "notes": [*plan.notes, *_notes(answer)],
        "sources": _sources(plan),
    }


def summarise_panel(effect: Effect, spec: PanelSpec, power: Detectability | None) -> Row:
    """Return the evaluation of a panel file as plain values, JSON-ready.

    Parameters
    ----------
    effect : Effect
    spec : PanelSpec
    power : Detectability or None
    """
    result = _effect(effect, effect.outcome, effect.outcome, "", {}) | {
        "rehearsal": False,
        "score": [],
        "score_words": "",
    }
    found = [] if power is None else [_found(effect.outcome, "", power) | {"why": "", "chosen": "units at random"}]
    return {
        "schema": SCHEMA,
        "kind": "panel",
        "id": spec.file.stem,
        "title": f"{spec.outcome}: {spec.design} on {spec.file.name}",
        "question": f"What changed {spec.outcome} of {', '.join(effect.treated[:6])}?",
        "source": "",
        "design": spec.design,
        "start": effect.start,
        "rehearsal": False,
        "treated": list(effect.treated),
        "level": spec.level,
        "seed": spec.seed,
        "headline": result["headline"],
        "more": [row["words"] for row in found],
        "results": [result],
        "power": found,
        "notes": [],
        "sources": [],
    }


def _planned(plan: Plan, found: PlannedEffect) -> Row:
    measure, effect, unit = found.measure, found.effect, change_unit(found.measure.unit)
    made_up = plan.shift != 0
    if effect is None:
        return {
            "id": measure.id,
            "label": measure.label,
            "unit": unit,
            "status": found.status,
            "why": found.why,
            "headline": found.why,
            "rehearsal": made_up,
            "effect": None,
            "score": [],
            "score_words": "",
        }
    row = _effect(effect, measure.id, measure.label, unit, found.period)
    row |= {"rehearsal": made_up, "score": [_with_period(each, found.period) for each in found.score]}
    row["score_words"] = "" if made_up else score_words(effect, found.score, unit)
    if made_up:
        row["headline"] = f"{rehearsal_words(effect, plan.start)} {row['headline']}"
    return row


def _effect(effect: Effect, name: str, label: str, unit: str, period: Mapping[int, str]) -> Row:
    found = effect.to_dict()
    found["path"] = [_with_period(row, period) for row in effect.path_rows()]
    return {
        "id": name,
        "label": label,
        "unit": unit,
        "status": "estimated",
        "why": "",
        "headline": effect_words(effect, unit, period),
        "effect": found,
    }


def _with_period(row: Mapping[str, Any], period: Mapping[int, str]) -> Row:
    """Return a row with the period as published beside its time, where that says more."""
    time = row["time"]
    return {"time": time, "period": period.get(time, str(time)) if isinstance(time, int) else str(time), **row}


def _power(each: PlannedPower, plan: Plan) -> Row:
    unit = change_unit(each.measure.unit)
    head = {"id": each.measure.id, "label": each.measure.label, "unit": unit, "chosen": each.chosen}
    if each.found is None:
        return {**head, "why": each.why, "words": each.why}
    found = each.found
    row = {**_found(each.measure.label, unit, found), **head, "why": ""}
    row |= {"years": list(each.years), "asked_before": each.asked_before, "asked_after": each.asked_after}
    if (found.n_before, found.n_after) != (each.asked_before, each.asked_after):
        row["words"] += (
            f" The plan has {each.asked_before} times before and {each.asked_after} after; past figures "
            f"({each.years[0]} to {each.years[1]}) hold windows of {found.n_before} and {found.n_after}."
        )
    return row


def _found(label: str, unit: str, found: Detectability) -> Row:
    size, low, high = found.smallest()
    projected = found.projected
    return plain_row(
        {
            "label": label,
            "unit": unit,
            "power_asked": POWER,
            "smallest": size,
            "lower": low,
            "upper": high,
            "size_at_no_effect": found.size,
            "keeps_its_level": found.keeps_its_level,
            "prob_valid": found.offered,
            "projected": None if projected is None else float(projected.mean()),
            "assurance": found.assurance(),
            "prob_projected_beyond": found.prob_beyond(),
            "n_treated": found.n_treated,
            "n_before": found.n_before,
            "n_after": found.n_after,
            "n_placebo": len(found),
            "n_starts": len(set(found.start.tolist())),
            "level": found.level,
        }
    ) | {"curve": [plain_row(row) for row in found.curve()], "words": power_words(found, unit)}


def _headline(answer: PlanAnswer, results: Sequence[Row], power: Sequence[Row]) -> Row:
    """Return the sentence that stands first, and those that follow it."""
    own = [row for row in results if not row["rehearsal"] or answer.rehearsal is None]
    if answer.rehearsal is not None:
        return {"headline": own[0]["headline"], "more": [f"{row['label']}: {row['words']}" for row in power[:1]]}
    first = next((row for row in own if row["effect"] is not None), own[0])
    others = len(own) - 1
    more = [first["score_words"]] if first["score_words"] else []
    more += [f"{counted(others, 'more outcome')} below."] if others else []
    return {"headline": first["headline"], "more": more}


def _notes(answer: PlanAnswer) -> list[str]:
    notes = []
    if answer.rehearsal is not None:
        start = answer.rehearsal.plan.start
        notes.append(
            f"There are no figures after the start yet. The design was rehearsed with a made-up start in {start}; "
            "choose another with --as-if-start."
        )
    if answer.evaluation.plan.shift:
        notes.append(
            "A rehearsal moves the whole plan back to a year in which nothing of the kind was done. The areas are "
            "those that the file chooses today; the projection beside it is of the plan, not expected to come true."
        )
    notes.append(
        "The projection is of the change alone; an estimate has the noise of surveys and of one history as well. What "
        "was predicted is averaged over the years of each period."
    )
    return notes


def _sources(plan: Plan) -> list[Row]:
    """Return producer, title, period and licence of the variables evaluated."""
    package = read_descriptor(data_home())
    rows = []
    for name in dict.fromkeys(measure.variable for measure in plan.measures):
        for row in read_table("variables", where={"variable": name}).rows():
            rows.append(
                {
                    "table": f"{row['table']}: {name}",
                    "producer": row["producer"],
                    "title": row["title"],
                    "period": row["periods"],
                    "licence": package.table("indicators").licence,
                }
            )
    return rows


def effect_rows(summary: Row) -> list[Row]:
    """Return one row for each outcome of an evaluation: the effect, and what was projected.

    Parameters
    ----------
    summary : dict
        From `summarise_plan` or `summarise_panel`.
    """
    rows = []
    for result in summary["results"]:
        effect = result["effect"] or {}
        whole: Row = result["score"][-1] if result["score"] else {}
        rows.append(
            {
                "outcome": result["id"],
                "label": result["label"],
                "unit": result["unit"],
                "status": result["status"],
                "rehearsal": result["rehearsal"],
                "method": effect.get("method"),
                "start": effect.get("start"),
                "estimate": effect.get("att"),
                **{name: effect.get(name) for name in ("std_error", "lower", "upper")},
                "n": (effect.get("sample") or {}).get("units"),
                **{name: effect.get(name) for name in ("p_value", "valid")},
                **{name: whole.get(name) for name in ("predicted", "predicted_lower", "predicted_upper", "z")},
                "level": effect.get("level", summary["level"]),
                "why": result["why"] or effect.get("valid_why"),
            }
        )
    return rows


def part_rows(summary: Row, part: str) -> list[Row]:
    """Return the rows of one part of every outcome, such as ``path``, ``placebo``, ``checks`` or ``score``.

    Parameters
    ----------
    summary : dict
    part : {"path", "placebo", "checks", "terms", "weights", "score", "curve"}
    """
    if part == "curve":
        return [
            {"outcome": each.get("id", each["label"]), "unit": each["unit"], "level": each["level"], **row}
            for each in summary["power"]
            for row in each.get("curve", ())
        ]
    rows = []
    for result in summary["results"]:
        head = {"outcome": result["id"], "rehearsal": result["rehearsal"]}
        found = result["score"] if part == "score" else (result["effect"] or {}).get(part, ())
        if part == "weights":
            found = [{"unit": name, "weight": weight} for name, weight in dict(found).items()]
        rows += [{**head, **row} for row in found]
    return rows
