"""The summary of a projection: everything a report, a table or another program needs, in plain values."""

from __future__ import annotations

from typing import Any

import numpy as np

from gwm_models.data.descriptor import read_descriptor
from gwm_models.data.home import data_home
from gwm_models.data.tables import read_table
from gwm_models.index.calibration import points_per_unit
from gwm_models.scenarios.notes import assumptions, warnings_of
from gwm_models.scenarios.projection import HealthEffect, Projection
from gwm_models.scenarios.rows import (
    Row,
    group_rows,
    health_rows,
    inequality_rows,
    link_words,
    one,
    path_rows,
    population_mean,
    renormalised_rows,
    total_words,
    variance_rows,
)
from gwm_models.scenarios.words import change_words, cost_total, counted, level_unit, level_words, number, signed, span

MONTH = 1 / 12


def summarise(projection: Projection, warnings: tuple[str, ...] = ()) -> dict[str, Any]:
    """Summarise a projection.

    Parameters
    ----------
    projection : Projection
    warnings : tuple of str
        What the checker found unusual in the file.

    Returns
    -------
    dict
        JSON-ready; intervals at the widest level the scenario asks for.
    """
    scenario, edition = projection.scenario, projection.edition
    level = max(scenario.analysis.intervals)
    health = health_rows(projection, level)
    groups = group_rows(projection, level)
    gaps = inequality_rows(projection, level)
    return {
        "schema": "gwm-summary/1",
        "scenario": {
            "id": scenario.id,
            "title": scenario.title,
            "question": scenario.question,
            "source": scenario.source,
        },
        "edition": {"name": edition.name, "title": edition.spec.title, "n_areas": len(edition.areas)},
        "start": projection.years[0],
        "year": projection.years[-1],
        "level": level,
        "draws": scenario.analysis.draws,
        "seed": scenario.analysis.seed,
        "headline": headline(projection, groups, health, gaps, level),
        "actions": [action_summary(projection, a, level) for a in range(len(scenario.actions))],
        "groups": groups,
        "health": health,
        "inequality": gaps,
        "variance": variance_rows(projection),
        "path": path_rows(projection, level),
        "models": [_model(effect) for effect in projection.health],
        "break_even": [_break_even(projection, effect) for effect in projection.health if projection.treated.any()],
        "renormalised": renormalised_rows(projection, level),
        "assumptions": assumptions(projection),
        "warnings": [*warnings, *warnings_of(projection)],
        "sources": _sources(projection),
    }


def headline(projection: Projection, groups: list[Row], health: list[Row], gaps: list[Row], level: float) -> str:
    """Answer the scenario's question in a few sentences, each number with its interval."""
    if not projection.treated.any():
        return "The scenario has no action: nothing changes, in any area, in any draw."
    n = int(projection.treated.sum())
    rise = next(row for row in groups if row["group"] == "Target areas" and row["state"] == "difference")
    before = next(row for row in groups if row["group"] == "Target areas" and row["state"] == "baseline")
    moved = projection.rank_before[:, projection.treated] - projection.rank_after[:, projection.treated]
    places = one(moved.mean(axis=1), level)
    they = "it moves" if n == 1 else "they move"
    direction = "up" if _number(places) >= 0 else "down"
    interval = f"{level_words(level)} interval "
    sentences = [
        f"By {projection.years[-1]} the mean {total_words(projection.edition)} of the {counted(n, 'target area')} "
        f"{_size(rise, 'rises', 'falls', interval)} from {number(_number(before))}, and {they} "
        f"{direction} by {number(abs(_number(places)))} ranks on average ({span(*_turned(places))})."
    ]
    peak = max(path_rows(projection, level), key=lambda row: abs(_number(row)))
    if abs(_number(peak)) > 1.001 * abs(_number(rise)):
        bounds = span(_value(peak, "lower"), _value(peak, "upper"))
        sentences.append(f"The change is largest in {peak['year']}: {signed(_number(peak))} points ({bounds}).")
    gap = [row for row in gaps if row["measure"] == "gap_10_10"]
    if gap:
        words = _size(gap[-1], "widens", "narrows")
        sentences.append(f"The gap between the best and the worst tenth of areas {words}.")
    sentences += [_health_sentence(projection, effect, health) for effect in projection.health]
    return " ".join(sentences)


def _size(row: Row, up: str, down: str, interval: str = "") -> str:
    """Say which way a change goes and how far, with its interval."""
    size = number(abs(_number(row)))
    if not size.strip("0."):
        return f"does not change ({interval}{span(_value(row, 'lower'), _value(row, 'upper'))} points)"
    verb = up if _number(row) > 0 else down
    return f"{verb} by {size} points ({interval}{span(*_turned(row))})"


def _turned(row: Row) -> tuple[float, float]:
    """Return the interval of a change stated as a size: turned round where the change is negative."""
    lower, upper = _value(row, "lower"), _value(row, "upper")
    return (lower, upper) if _number(row) >= 0 else (-upper, -lower)


def _health_sentence(projection: Projection, effect: HealthEffect, health: list[Row]) -> str:
    lines = {
        row["line"]: row
        for row in health
        if row["outcome"] == effect.model.outcome.id and row["group"] == "Target areas"
    }
    stated, full = lines["stated link"], lines["full association"]
    return (
        f"{effect.model.outcome.label}, changes there by {signed(_number(stated), 2)} years under the stated link "
        f"({span(_value(stated, 'lower'), _value(stated, 'upper'), 2)}), by {signed(_number(full), 2)} if the whole "
        "association were causal, and not at all if none of it is."
    )


def _value(row: Row, name: str) -> float:
    return float(str(row[name]))


def _number(row: Row) -> float:
    return _value(row, "estimate")


def action_summary(projection: Projection, a: int, level: float) -> dict[str, Any]:
    """Summarise one action: areas chosen, asked against delivered, clamps, points per unit, cost, evidence."""
    action, chosen = projection.scenario.actions[a], projection.selections[a]
    edition = projection.edition
    j = edition.spec.indicator_ids.index(action.indicator)
    indicator, points = edition.spec.indicators[j], points_per_unit(edition)
    treated = np.flatnonzero(chosen.treated)
    areas = edition.areas
    delivered = projection.effects.delivered[a][:, treated]
    cost = None
    if action.cost is not None:
        total = cost_total(
            action.cost,
            (projection.years[0], projection.years[-1]),
            n_areas=len(treated),
            residents=float(areas.population[treated].sum()),
            residents_16_64=float(areas.population_16_64[treated].sum()),
        )
        cost = {"total": total, "unit": "GBP", "price_base": action.cost.price_base}
    return {
        "id": action.id,
        "indicator": action.indicator,
        "indicator_label": indicator.label,
        "unit": level_unit(indicator),
        "change": change_words(action, indicator),
        "n_targets": len(treated),
        "picked_by": _pick_label(projection, chosen.by) if chosen.by else None,
        "targets": [
            {
                "area_code": areas.code[i],
                "area_name": areas.name[i],
                "value": _finite(chosen.value[i]),
                "published": _finite(chosen.published[i]),
            }
            for i in treated
        ],
        "asked": one(projection.effects.asked[a][:, treated].mean(axis=1), level),
        "delivered": one(delivered.mean(axis=1), level),
        "prob_clamped": float(projection.effects.clamped[a][:, treated].mean()),
        "points_per_unit": {
            "estimate": float(points.estimate[j]),
            "std_error": float(points.std_error[j]),
            "status": points.status[j],
            "range_based": _finite(points.range_based[j]),
        },
        "regression_to_mean": _regression(projection, a),
        "cost": cost,
        "evidence": action.evidence.model_dump() if action.evidence else None,
    }


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
    return labels[by]


def _model(effect: HealthEffect) -> dict[str, Any]:
    model = effect.model
    return {
        "outcome": model.outcome.id,
        "label": model.outcome.label,
        "period": model.outcome.period,
        "equation": f"{model.outcome.label} = a + b x true Monitor total + what else differs between areas",
        "slope_between": dict(model.between),
        "slope_between_access": dict(model.between_access),
        "slope_within": dict(model.within_access),
        **{f"slope_{name}_uncorrected": dict(slope) for name, slope in model.plain.items()},
        **{f"slope_between_{domain}_together": dict(slope) for domain, slope in model.domains.items()},
        "reliability_total": model.reliability_total,
        "links": dict(model.links),
        "share": {"words": link_words(effect), **_implied(effect)},
        "exclusions": [model.between["excluded"]] if model.between["excluded"] else [],
    }


def _implied(effect: HealthEffect) -> dict[str, float | None]:
    """Return the share of the full association that the stated link comes to over all areas and draws."""
    full = float(effect.full.mean())
    return {"estimate": float(effect.stated.mean()) / full if full else None}


def _break_even(projection: Projection, effect: HealthEffect) -> dict[str, Any]:
    """Say what share of the association would have to be causal for a month of healthy life."""
    full = population_mean(effect.full, projection.edition.areas.population, projection.treated).mean()
    label, share = effect.model.outcome.label, None
    if full > 0:
        share = float(MONTH / full)
        text = (
            f"{label}: one month more in the target areas needs {share:.0%} of the association to be causal."
            if share <= 1
            else f"{label}: even the whole association would give less than one month in the target areas "
            f"({12 * full:.1f} months)."
        )
    elif not effect.full.any():
        text = f"{label}: there is no response by {projection.years[-1]}; see the lag and the phasing of the actions."
    else:
        text = f"{label}: the score of the target areas falls, so no share of the association adds health."
    return {"outcome": effect.model.outcome.id, "label": label, "share": share, "text": text}


def _sources(projection: Projection) -> list[dict[str, str]]:
    """Return the tables and series behind the results, with producer, period and licence."""
    if not projection.edition.published:
        return [
            {
                "table": i.id,
                "producer": projection.edition.spec.publisher,
                "title": i.source,
                "period": i.period,
                "licence": "",
            }
            for i in projection.edition.spec.indicators
        ]
    package = read_descriptor(data_home())
    spec = projection.edition.spec
    used = {str(indicator.values.get("variable")) for indicator in spec.indicators}
    used |= {str(indicator.sampling.get("variable")) for indicator in spec.indicators}
    used |= {outcome.variable for outcome in spec.outcomes} | {"imd2019_average_score", "employment_rate_16_64"}
    rows = []
    for table in ("monitor_scores", "access_domain_reproduction", "areas", "regional_price_levels"):
        resource = package.table(table)
        rows += [
            {
                "table": table,
                "producer": source.producer,
                "title": source.title,
                "period": source.period,
                "licence": resource.licence,
            }
            for source in resource.sources
        ]
    official = package.table("indicators").licence
    variables = read_table("variables", where={"variable": used})
    for row in variables.rows():
        rows.append(
            {
                "table": f"{row['table']}: {row['variable']}",
                "producer": row["producer"],
                "title": row["title"],
                "period": row["periods"],
                "licence": official,
            }
        )
    return rows
