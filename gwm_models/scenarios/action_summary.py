"""One action of a projection as the summary tells it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gwm_models.index.calibration import points_per_unit
from gwm_models.scenarios.costs import cost_draws
from gwm_models.scenarios.known import condition
from gwm_models.scenarios.projection import Projection
from gwm_models.scenarios.rows import total_words
from gwm_models.scenarios.shortfall import projected_shortfall
from gwm_models.scenarios.spec import Action
from gwm_models.scenarios.spread import one
from gwm_models.scenarios.target_words import named_benchmark
from gwm_models.scenarios.words import amount_words, change_words, level_unit, signed, subject_of


def action_summary(projection: Projection, a: int, level: float) -> dict[str, Any]:
    """Summarise one action: areas chosen, asked against delivered, clamps, points per unit, cost, evidence."""
    action, chosen = projection.scenario.actions[a], projection.selections[a]
    subject = subject_of(action, projection.edition.spec.indicators)
    treated = np.flatnonzero(chosen.treated)
    return {
        "id": action.id,
        "indicator": action.indicator,
        "condition": action.condition,
        "indicator_label": subject.label,
        "unit": level_unit(subject),
        "change": change_words(named_benchmark(action, projection.edition), subject),
        "n_targets": len(treated),
        "picked_by": _pick_label(projection, chosen.by) if chosen.by else None,
        "targets": _targets(projection, a),
        "asked": one(projection.asked[a][:, treated].mean(axis=1), level),
        "delivered": one(projection.delivered[a][:, treated].mean(axis=1), level),
        "prob_clamped": float(projection.clamped[a][:, treated].mean()),
        "short_of_goal": _short(projection, a),
        "points_per_unit": _points(projection, a),
        "regression_to_mean": _regression(projection, a),
        "cost": _cost(projection, a, level),
        "evidence": _evidence(action),
    }


def _targets(projection: Projection, a: int) -> list[dict[str, Any]]:
    """List the areas that an action reaches, with the value they were picked by."""
    areas, chosen = projection.edition.areas, projection.selections[a]
    return [
        {
            "area_code": areas.code[i],
            "area_name": areas.name[i],
            "value": _finite(chosen.value[i]),
            "published": _finite(chosen.published[i]),
        }
        for i in np.flatnonzero(chosen.treated)
    ]


def _short(projection: Projection, a: int) -> list[dict[str, Any]] | None:
    """List the areas that an action leaves short of its goal, the furthest first; None where it sets no level."""
    short = projected_shortfall(projection, a)
    if short is None:
        return None
    parts = {"needed": short.needed, "delivered": short.delivered, "short": short.short}
    return [
        {"area_code": short.code[i], "area_name": short.name[i]} | {name: float(v[i]) for name, v in parts.items()}
        for i in short.order
    ]


def _points(projection: Projection, a: int) -> dict[str, Any] | None:
    """Say what a unit of the indicator is worth; None for a condition, which moves several domains."""
    action, points = projection.scenario.actions[a], points_per_unit(projection.edition)
    if action.indicator is None:
        return None
    j = projection.edition.spec.indicator_ids.index(action.indicator)
    return {
        "estimate": float(points.estimate[j]),
        "std_error": float(points.std_error[j]),
        "status": points.status[j],
        "range_based": _finite(points.range_based[j]),
    }


def _cost(projection: Projection, a: int, level: float) -> dict[str, Any] | None:
    """Summarise what an action costs in all, with its interval where the amounts or the jobs are uncertain."""
    action, draws = projection.scenario.actions[a], cost_draws(projection, a)
    if action.cost is None or draws is None:
        return None
    amounts = {"fixed": action.cost.fixed, "recurring": action.cost.recurring}
    return {
        "total": float(draws.mean()),
        **one(draws, level),
        "level": level,
        "unit": "GBP",
        "price_base": action.cost.price_base,
        "words": "; ".join(f"{name}: {amount_words(amount)}" for name, amount in amounts.items() if amount is not None),
    }


def _evidence(action: Action) -> dict[str, Any] | None:
    """Say where an action's size comes from, an entry of the evidence library with its publication and grade."""
    if action.evidence is None:
        return None
    if action.evidence.entry is None:
        return action.evidence.model_dump(exclude_none=True)
    from gwm_models.data.evidence import authors_of, find_entry

    entry = find_entry(action.evidence.entry)
    source = f"{authors_of(entry)} ({entry.year}), {entry.title}, {entry.journal}"
    return {"entry": entry.id, "source": source, "grade": entry.grade, "url": entry.url}


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _regression(projection: Projection, a: int) -> dict[str, Any] | None:
    chosen = projection.selections[a]
    if not chosen.by or not np.isfinite(chosen.regression_to_mean):
        return None
    known = {indicator.id: level_unit(indicator) for indicator in projection.edition.spec.indicators}
    unit = known.get(chosen.by, "points")
    size = chosen.regression_to_mean
    return {
        "estimate": size,
        "unit": unit,
        "note": f"The areas were picked by: {_pick_label(projection, chosen.by)}. Its published mean over them is "
        f"expected to move by {signed(size)} {unit} at the next edition with no policy at all; none of it is counted "
        "as effect.",
    }


def _pick_label(projection: Projection, by: str) -> str:
    """Name what areas were picked by."""
    spec = projection.edition.spec
    labels = {"total": total_words(projection.edition)} | dict(spec.domains) | {i.id: i.label for i in spec.indicators}
    known = condition(by)
    return labels.get(by, known.label if known is not None else by)
