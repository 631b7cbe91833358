"""Result rows about the split of a change of inequality, and where the uncertainty comes from."""

from __future__ import annotations

from gwm_models.scenarios.measures import gini_parts
from gwm_models.scenarios.projection import LAYERS, Projection
from gwm_models.scenarios.rows import total_words
from gwm_models.scenarios.spread import Row, one, plain

GINI = "Gini coefficient of the total over areas, population-weighted"
SPLIT = {
    "progressivity": "Progressivity: how far the change favours areas that were behind",
    "reranking": "Re-ranking: what areas that overtake others add back",
}


def split_rows(projection: Projection, level: float) -> list[Row]:
    """Return the Gini coefficient of the total and the split of its change into progressivity and re-ranking.

    In every draw the difference is re-ranking minus progressivity.
    """
    population = projection.edition.areas.population
    before, after = projection.total_before, projection.total_before + projection.change
    first, kept, last = gini_parts(before, after, population)
    found = {
        ("gini", GINI, "baseline"): first,
        ("gini", GINI, "scenario"): last,
        ("gini", GINI, "difference"): last - first,
        ("progressivity", SPLIT["progressivity"], "difference"): first - kept,
        ("reranking", SPLIT["reranking"], "difference"): last - kept,
    }
    return [
        {"measure": measure, "label": label, "unit": "index", "state": state}
        | one(draws, level)
        | {"level": level, "n": len(draws)}
        for (measure, label, state), draws in found.items()
    ]


def variance_rows(projection: Projection) -> list[Row]:
    """Return shares of variance of the mean change over the target areas, by layer of uncertainty.

    Layers that offset each other take off some of what they bring alone: interactions then have share 0, and say so.
    """
    labels = {"total": total_words(projection.edition)} | {
        health.model.outcome.id: health.model.outcome.label for health in projection.health
    }
    return [
        {
            "quantity": quantity,
            "label": labels[quantity],
            "layer": layer,
            "label_layer": LAYERS[layer] + (f" (take off {-share:.0%})" if share < 0 else ""),
            "share": plain(max(share, 0.0)),
        }
        for quantity, parts in projection.variance.items()
        for layer, share in parts.items()
    ]
