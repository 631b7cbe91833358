"""Pictures: result rows in, Vega-Lite specs out, as plain dicts.

Every function gives a list of specs, empty when there is nothing to draw. A spec carries its own data, the
words a listener needs (``description``), and in ``usermeta`` its legend and the columns of its table.
"""

from __future__ import annotations

from gwm_models.plots.effects import change_over_years, health_lines, variance_layers
from gwm_models.plots.ranking import before_after, caterpillar
from gwm_models.plots.theme import THEMES, with_colours

__all__ = [
    "THEMES",
    "before_after",
    "caterpillar",
    "change_over_years",
    "health_lines",
    "variance_layers",
    "with_colours",
]
