"""Lists of areas at an end of the table, of which no more than a stated share is expected not to belong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gwm_models.arrays import Frozen
from gwm_models.errors import DataError
from gwm_models.ranks.counting import Floats
from gwm_models.ranks.table import RankTable, fifth


@dataclass(frozen=True, eq=False)
class MemberList(Frozen):
    """Areas listed for a group, such as the bottom fifth, at a stated expected share that does not belong.

    Attributes
    ----------
    area : tuple of str
        The areas listed, the most probable first; empty if none can be.
    prob : ndarray of float, shape (n_named,)
        Probability that each belongs.
    false_discovery_rate : float
        Expected share of the areas listed that do not belong; 0 if none is listed.
    expected_members : float
        How many of the areas listed are expected to belong.
    missed : float
        How many members are expected among the areas not listed.
    error : float
        The error rate asked for.
    group : str
        What they are listed for.
    """

    area: tuple[str, ...]
    prob: Floats
    false_discovery_rate: float
    expected_members: float
    missed: float
    error: float
    group: str

    def __repr__(self) -> str:
        """Return one line: how many areas, how many of them are expected to belong."""
        return (
            f"MemberList({len(self.area)} areas listed for {self.group}, {self.expected_members:.1f} expected to "
            f"belong, {self.missed:.1f} missed)"
        )

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row an area listed, most probable first; `false_discovery_rate` is that of the list up to it."""
        rate = _mean_so_far(1 - self.prob)
        return [
            {
                "area_code": code,
                "group": self.group,
                "prob": float(self.prob[i]),
                "false_discovery_rate": float(rate[i]),
                "error": self.error,
            }
            for i, code in enumerate(self.area)
        ]

    def words(self) -> str:
        """Say it in one sentence."""
        if not self.area:
            return f"No area can be listed for {self.group} with an expected error of at most {100 * self.error:g}%."
        n = len(self.area)
        return (
            f"{n} {'area is' if n == 1 else 'areas are'} listed for {self.group}: {self.expected_members:.1f} of them "
            f"are expected to belong (an expected error of {100 * self.false_discovery_rate:.1f}%), and "
            f"{self.missed:.1f} members to be missed."
        )


def list_members(prob: ArrayLike, area: Sequence[str], *, error: float = 0.05, group: str = "the group") -> MemberList:
    """List as many areas as possible, so that the expected share that does not belong is at most `error`.

    Areas are taken from the most probable on, as long as the mean of ``1 - prob`` over those taken, which is the
    posterior expected false discovery rate, is at most `error`. Areas with the same probability are taken all or not
    at all. The statement is about the list as a whole: a single area of it may be less sure than ``1 - error``.

    Parameters
    ----------
    prob : array_like, shape (n_areas,)
        Posterior probability that each area belongs.
    area : sequence of str
    error : float in [0, 1)
    group : str
        What they are listed for, in words.

    Raises
    ------
    DataError
        If `prob` has the wrong shape or is not made of probabilities.
    ValueError
        If `error` is outside [0, 1).

    References
    ----------
    Newton, Noueiry, Sarkar & Ahlquist (2004), Detecting differential gene expression with a semiparametric
    hierarchical mixture method, Biostatistics 5(2), 155-176, doi:10.1093/biostatistics/5.2.155.
    Müller, Parmigiani, Robert & Rousseau (2004), Optimal sample size for multiple testing, Journal of the American
    Statistical Association 99(468), 990-1001, doi:10.1198/016214504000001646.

    Examples
    --------
    >>> found = list_members([0.2, 1.0, 0.95, 0.9], ["A", "B", "C", "D"], error=0.05)
    >>> found.area, round(found.false_discovery_rate, 3), round(found.missed, 2)
    (('B', 'C', 'D'), 0.05, 0.2)
    """
    if not 0 <= error < 1:
        raise ValueError(f"error must lie between 0 and 1; got {error!r}.")
    p = np.asarray(prob, dtype=float)
    if p.shape != (len(area),):
        raise DataError(f"prob has shape {p.shape}; expected ({len(area)},), one for each area.")
    if not ((p >= 0) & (p <= 1)).all():
        raise DataError("prob must hold probabilities between 0 and 1.")
    order = np.argsort(-p, kind="stable")
    falling = p[order]
    whole = np.append(falling[1:] < falling[:-1], True)  # the list may end here: the next is less probable
    fits = whole & (_mean_so_far(1 - falling) <= error + 1e-12)
    n_named = int(np.flatnonzero(fits)[-1]) + 1 if fits.any() else 0
    named = falling[:n_named].copy()
    return MemberList(
        area=tuple(area[i] for i in order[:n_named]),
        prob=named,
        false_discovery_rate=float((1 - named).mean()) if n_named else 0.0,
        expected_members=float(named.sum()),
        missed=float(falling[n_named:].sum()),
        error=error,
        group=group,
    )


def list_bottom_fifth(table: RankTable, *, error: float = 0.05) -> MemberList:
    """List areas for the bottom fifth, of which a share of at most `error` is expected not to be in it.

    Parameters
    ----------
    table : RankTable
    error : float in [0, 1)
    """
    group = f"the bottom fifth ({fifth(len(table.area))} of {len(table.area)})"
    return list_members(table.prob_bottom_fifth, table.area, error=error, group=group)


def _mean_so_far(values: Floats) -> Floats:
    return np.asarray(np.cumsum(values) / np.arange(1, len(values) + 1))
