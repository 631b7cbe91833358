"""The labour-market index of spring 2020: how little an area's jobs were hit, from Universal Credit and furlough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.data.scale import min_max_score
from gwm_models.index.correlation import fisher_interval
from gwm_models.models.cross_section import CrossSection, cross_section
from gwm_models.models.outcomes import find_outcome, source_of

Floats = NDArray[np.float64]
Needs = tuple[tuple[NDArray[Any], str], ...]

RISE, TAKEUP = "universal_credit_rise", "furlough_takeup"
JOBS_PERIOD = "Universal Credit January to June 2020, furlough to 31 July 2020"
ASSUMPTIONS = (
    "The rise in Universal Credit is of households, as a share of residents aged 16-64; the Monitor report counted "
    "claimants.",
    "Furlough take-up is of claims to 31 July 2020; the Monitor report took June 2020.",
    "Each is scored from 1 (most affected area of the sample) to 100 (least affected) and the two are added, so an "
    "area's index depends on which areas are in the sample.",
)
LEFT_OUT = "shares its figures between areas; left out, as in the Monitor report"


@dataclass(frozen=True, eq=False)
class Jobs(Frozen):
    """The labour-market index over the units that have both figures.

    Attributes
    ----------
    section : CrossSection
        All units; its outcome is the rise in Universal Credit.
    takeup : CrossSection
        The same units; its outcome is furlough take-up.
    kept : ndarray of bool, shape (n_units,)
    excluded : tuple of str
        Units left out, each with the reason.
    scores : ndarray, shape (n, 2)
        Of the rise in Universal Credit and of furlough take-up, 1 to 100, higher is less affected.
    """

    section: CrossSection
    takeup: CrossSection
    kept: NDArray[np.bool_]
    excluded: tuple[str, ...]
    scores: Floats

    @property
    def index(self) -> Floats:
        """The two scores added, 2 to 200, shape (n,)."""
        return np.asarray(self.scores.sum(axis=1))

    @property
    def total(self) -> Floats:
        """Scores of good work, shape (n,)."""
        return self.section.total[self.kept]

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each unit of the index, the most affected first."""
        c = self.section
        rows = [
            {
                "area_code": c.code[i],
                "area_name": c.name[i],
                "region": c.region[i],
                "total": float(c.total[i]),
                "universal_credit_rise": float(c.value[i]),
                "furlough_takeup": float(self.takeup.value[i]),
                "universal_credit_score": float(self.scores[j, 0]),
                "furlough_score": float(self.scores[j, 1]),
                "labour_market_index": float(self.scores[j].sum()),
            }
            for j, i in enumerate(np.flatnonzero(self.kept))
        ]
        return sorted(rows, key=lambda row: row["labour_market_index"])


def job_scores(rise: Floats, takeup: Floats) -> Floats:
    """Score how little jobs were hit, on the common range of the Monitor's indicators.

    Parameters
    ----------
    rise, takeup : ndarray, shape (n,)
        Rise in households on Universal Credit and furlough take-up, in percent.

    Returns
    -------
    ndarray, shape (n, 2)
        1 where the figure is the highest of the units, 100 where it is the lowest.

    Raises
    ------
    DataError
        If a figure is the same in every unit.

    Examples
    --------
    >>> job_scores(np.array([2.0, 4, 6]), np.array([30.0, 20, 25])).tolist()
    [[100.0, 1.0], [50.5, 100.0], [1.0, 50.5]]
    """
    figures = np.column_stack([rise, takeup])
    return min_max_score(figures, figures.min(axis=0), figures.max(axis=0), direction=-1)


def labour_market(edition: Edition, *, needs: Needs = (), shared: bool = False) -> Jobs:
    """Build the labour-market index.

    Parameters
    ----------
    edition : Edition
    needs : (array, reason), optional
        What else a unit must have, as `CrossSection.keep` takes it.
    shared : bool
        Whether to keep units that stand for several areas, their scores of good work merged.

    Raises
    ------
    ModelError
        If fewer than ten units have both figures.
    """
    section, takeup = (cross_section(edition, find_outcome(name)) for name in (RISE, TAKEUP))
    alone = () if shared else ((~section.shared, LEFT_OUT),)
    kept, excluded = section.keep(
        *alone, (section.value, "no figure of Universal Credit"), (takeup.value, "no furlough figure"), *needs
    )
    return Jobs(section, takeup, kept, excluded, job_scores(section.value[kept], takeup.value[kept]))


def jobs_source() -> str:
    """Return who published the two figures."""
    return "; ".join(source_of(find_outcome(name)) for name in (RISE, TAKEUP))


def correlation(first: Floats, second: Floats) -> dict[str, float]:
    """Return a correlation and its interval, ready for a table."""
    r = float(np.corrcoef(first, second)[0, 1])
    lower, upper = fisher_interval(r, len(first))
    return {"r": r, "r_lower": float(lower), "r_upper": float(upper)}
