"""Where limits cut a change: hard limits of levels, and the ends of the printed scale of scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.plots.words import percent
from gwm_models.report.views import Cell, Column, TableView, text_cell
from gwm_models.scenarios.projection import Projection
from gwm_models.scenarios.words import subject_of

Row = Mapping[str, Any]
Bools = NDArray[np.bool_]

LEVEL, SCALE = "hard limit of the level", "end of the printed scale"
NONE = "No limit cut any change, in any draw or area."


def limit_rows(projection: Projection) -> list[dict[str, Any]]:
    """Return a row for each action and each domain whose score changes: how often a limit cut the change.

    Columns: ``name`` and ``action`` (None for a domain), ``limit``, ``n_areas`` (areas it could cut), ``n_cut`` (areas
    cut in any draw), ``share`` (of draws and areas) and ``most`` (the largest share of draws of one area), all in the
    last year.

    Parameters
    ----------
    projection : Projection
    """
    spec = projection.edition.spec
    rows: list[dict[str, Any]] = []
    for action, chosen, clamped in zip(
        projection.scenario.actions, projection.selections, projection.clamped, strict=True
    ):
        name = subject_of(action, spec.indicators).label
        rows.append({"name": name, "action": action.id, "limit": LEVEL, **_cut(clamped[:, chosen.treated])})
    for d, (_, name) in enumerate(spec.domains):
        moved = (projection.domain_change[:, :, d] != 0).any(axis=0) | projection.beyond[:, :, d].any(axis=0)
        if moved.any():
            rows.append({"name": name, "action": None, "limit": SCALE, **_cut(projection.beyond[:, moved, d])})
    return rows


def _cut(beyond: Bools) -> dict[str, Any]:
    by_area = beyond.mean(axis=0) if beyond.size else np.zeros(beyond.shape[1])
    return {
        "n_areas": len(by_area),
        "n_cut": int((by_area > 0).sum()),
        "share": float(by_area.mean()) if len(by_area) else 0.0,
        "most": float(by_area.max(initial=0.0)),
    }


def limit_table(rows: Sequence[Row], key: str = "cuts") -> TableView | None:
    """Make the table of changes that limits cut; None where none is cut."""
    cut = [row for row in rows if row["n_cut"]]
    if not cut:
        return None
    return TableView(
        key=key,
        caption="Changes that a limit cut in the last year; what lies beyond a limit is not counted.",
        columns=[
            Column("Change of", numeric=False),
            Column("Cut by", numeric=False),
            Column("Areas changed"),
            Column("Areas ever cut"),
            Column("Draws and areas cut"),
            Column("Most in one area"),
        ],
        rows=[
            [
                text_cell(row["name"], row["action"] or ""),
                text_cell(row["limit"]),
                Cell(str(row["n_areas"]), "", row["n_areas"]),
                Cell(str(row["n_cut"]), "", row["n_cut"]),
                Cell(percent(row["share"]), "", row["share"]),
                Cell(percent(row["most"]), "", row["most"]),
            ]
            for row in cut
        ],
        note="An area is cut in some draws and not in others; a share of draws is no share of the change.",
    )
