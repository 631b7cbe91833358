"""The summary of a projection: everything a report, a table or another program needs, in plain values."""

from __future__ import annotations

from typing import Any

from gwm_models.scenarios.action_summary import action_summary
from gwm_models.scenarios.cautions import warnings_of
from gwm_models.scenarios.costs import cost_rows
from gwm_models.scenarios.gap_rows import split_rows, variance_rows
from gwm_models.scenarios.headline import headline
from gwm_models.scenarios.notes import assumptions
from gwm_models.scenarios.projection import HealthEffect, Projection
from gwm_models.scenarios.rows import (
    group_rows,
    health_rows,
    inequality_rows,
    link_words,
    path_rows,
    population_mean,
    renormalised_rows,
)
from gwm_models.scenarios.sources import sources_of
from gwm_models.scenarios.spread import all_steady
from gwm_models.scenarios.sums import sum_rows

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
        JSON-ready, numbers to 10 digits; intervals at the widest level the scenario asks for.
    """
    scenario, edition = projection.scenario, projection.edition
    level = max(scenario.analysis.intervals)
    health = health_rows(projection, level)
    groups = group_rows(projection, level)
    gaps, sums, path = inequality_rows(projection, level), sum_rows(projection, level), path_rows(projection, level)
    summary = {
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
        "counterfactual": scenario.baseline.counterfactual,
        "headline": headline(
            projection, {"groups": groups, "health": health, "inequality": gaps, "sums": sums, "path": path}, level
        ),
        "actions": [action_summary(projection, a, level) for a in range(len(scenario.actions))],
        "groups": groups,
        "health": health,
        "inequality": gaps,
        "inequality_split": split_rows(projection, level),
        "sums": sums,
        "costs": cost_rows(projection, level),
        "variance": variance_rows(projection),
        "path": path,
        "models": [_model(effect) for effect in projection.health],
        "break_even": [
            _break_even(projection, effect)
            for effect in projection.health
            if projection.treated.any() and effect.model.outcome.unit == "years"
        ],
        "renormalised": renormalised_rows(projection, level),
        "assumptions": assumptions(projection),
        "warnings": [*warnings, *warnings_of(projection, gaps)],
        "sources": sources_of(projection),
    }
    return {name: all_steady(part) for name, part in summary.items()}


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
