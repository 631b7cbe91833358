"""The conditions behind good work that a scenario may change, beside the indicators."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.errors import ModelError, some
from gwm_models.models.conditions_link import ConditionLinks, condition_links, draw_condition_slopes

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Conditions:
    """Conditions of an edition's areas, and how its scores go with them.

    Attributes
    ----------
    edition : str
    links : ConditionLinks
    """

    edition: str
    links: ConditionLinks

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the conditions."""
        return self.links.conditions

    @property
    def levels(self) -> Floats:
        """Levels as published, shape (n_areas, n_conditions); NaN where an area has no figure."""
        return self.links.level

    def place(self, name: str) -> int:
        """Return the place of a condition.

        Raises
        ------
        ModelError
            If there is none of that id.
        """
        if name not in self.ids:
            raise ModelError(
                f"{self.edition} has no condition '{name}'; it has {some(self.ids, len(self.ids))}. Write one of these."
            )
        return self.ids.index(name)

    def slopes(self, name: str, n_draws: int | None, seed: int) -> tuple[Floats, Floats]:
        """Return the points of each domain per unit of a condition, between and within areas.

        Parameters
        ----------
        name : str
        n_draws : int, optional
            Central values, as one draw, if left out.
        seed : int

        Returns
        -------
        between, within : ndarray, shape (n_draws or 1, n_domains)
        """
        c = self.place(name)
        between, within = self.links.central() if n_draws is None else _drawn(self.links, n_draws, seed)
        return between[:, c], within[:, c]


def edition_conditions(edition: Edition) -> Conditions:
    """Return the conditions of an edition's areas.

    Raises
    ------
    ModelError
        If the edition has none.
    """
    return Conditions(edition.name, condition_links(edition))


@lru_cache(maxsize=1)
def _drawn(links: ConditionLinks, n_draws: int, seed: int) -> tuple[Floats, Floats]:
    return draw_condition_slopes(links, n_draws, seed)
