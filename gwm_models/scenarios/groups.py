"""A group of areas by its name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Areas
from gwm_models.errors import ModelError

Bools = NDArray[np.bool_]

TARGETS = "Target areas"
ALL = "All areas"


def one_group(areas: Areas, treated: Bools, name: str) -> tuple[str, Bools]:
    """Find a group of areas by its name.

    Parameters
    ----------
    areas : Areas
    treated : ndarray of bool, shape (n_areas,)
        The areas that any action reaches.
    name : str
        ``target areas``, ``all areas``, a region, or an area by name or code, whatever the case.

    Returns
    -------
    label : str
    mask : ndarray of bool, shape (n_areas,)

    Raises
    ------
    ModelError
        If there is no such group.
    """
    key = " ".join(name.casefold().split())
    if key == TARGETS.casefold():
        return TARGETS, treated
    if key == ALL.casefold():
        return ALL, np.ones(len(areas), dtype=bool)
    for labels, given in ((areas.region, areas.region), (areas.name, areas.name), (areas.name, areas.code)):
        mask = np.array([known.casefold() == key for known in given])
        if mask.any():
            return labels[int(mask.argmax())], mask
    raise ModelError(
        f"'{name}' is no group of areas; expected '{TARGETS.lower()}', '{ALL.lower()}', a region, or an area's name "
        "or code."
    )
