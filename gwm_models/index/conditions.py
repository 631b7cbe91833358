"""Conditions for Good Work: the second index of the report, published scores beside the open figures that stand in."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gwm_models.data.edition import Edition, indicator_levels, load_edition, own
from gwm_models.data.home import data_home
from gwm_models.data.index_spec import read_index
from gwm_models.data.tables import read_table
from gwm_models.errors import DataError

CONDITIONS = "conditions-2021"
PUBLISHED_WITH = "monitor-2021"


@lru_cache(maxsize=1)
def load_conditions() -> Edition:
    """Load the Conditions for Good Work of January 2021 in the form of an edition.

    Published domain scores (3-300), totals (up to 1200) and ranks are as printed; the printed total is not the sum of
    the printed domains. Levels are those of the open figures that stand in, NaN for the places that are not known.

    Returns
    -------
    Edition
        Areas in the order of the Monitor's edition, so that the two can be set side by side.

    Raises
    ------
    DataError
        If the printed table does not have the areas of the Monitor.

    Examples
    --------
    >>> load_conditions()
    Edition(conditions-2021: 118 areas, 12 indicators)
    """
    spec, areas = read_index(data_home() / "conditions.yaml"), load_edition(PUBLISHED_WITH).areas
    table = read_table("conditions_scores")
    row = {str(code): i for i, code in enumerate(table["area_code"])}
    if set(row) != set(areas.code):
        raise DataError("conditions_scores does not have the areas of the Monitor. Run `gwm data check`.")
    place = np.array([row[code] for code in areas.code])
    levels = np.column_stack([indicator_levels(indicator, areas) for indicator in spec.indicators])
    return Edition(
        name=CONDITIONS,
        spec=spec,
        areas=areas,
        domain_scores=own(np.column_stack([table[name][place] for name in spec.domain_ids])),
        total=own(table["total"][place]),
        rank=own(table["rank"][place]),
        values=own(levels),
        period="2018 (growth of gross value added: 2014 to 2016; deprivation: 2019)",
        notes=(spec.notes,),
    )
