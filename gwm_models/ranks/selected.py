"""Scores of areas that are looked at because they came last, or first: intervals corrected for that selection.

The score of the area that came last is too low on average: it came last partly by bad luck. In the Bayesian reading
nothing needs to be corrected: a posterior from a hierarchical model is conditional on all the data, whatever made us
look at an area, and has shrunk the scores already. Without such a model, the functions here give intervals whose
promise holds for selected areas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from gwm_models.arrays import Frozen
from gwm_models.errors import DataError, some
from gwm_models.ranks.counting import Floats, Ints

End = Literal["worst", "best"]
SHARE = 0.1
"""Part of the error spent on the first step, as Andrews, Kitagawa & McCloskey propose."""
HALVINGS = 60


@dataclass(frozen=True, eq=False)
class SelectedScores(Frozen):
    """True scores of selected areas, the most extreme first; arrays have shape (n_selected,).

    Attributes
    ----------
    area : tuple of str
    published : ndarray
        Scores as estimated.
    std_error : ndarray
    estimate : ndarray
        Median-unbiased estimates, given that the area was selected; not for quoting, see `selected_scores`.
    lower, upper : ndarray
        Bounds of the intervals.
    end : {"worst", "best"}
    level : float
    n_areas : int
        How many the areas were selected from.
    """

    area: tuple[str, ...]
    published: Floats
    std_error: Floats
    estimate: Floats
    lower: Floats
    upper: Floats
    end: End
    level: float
    n_areas: int

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row an area, in the toolkit's column names."""
        return [
            {
                "area_code": code,
                "published_score": float(self.published[i]),
                "estimate": float(self.estimate[i]),
                "std_error": float(self.std_error[i]),
                "lower": float(self.lower[i]),
                "upper": float(self.upper[i]),
                "end": self.end,
                "level": self.level,
                "n": self.n_areas,
            }
            for i, code in enumerate(self.area)
        ]


def selected_scores(
    estimate: ArrayLike,
    std_error: ArrayLike,
    area: Sequence[str],
    *,
    n_selected: int = 1,
    end: End = "worst",
    level: float = 0.95,
) -> SelectedScores:
    """Correct the scores of the worst (or best) `n_selected` areas for having been picked: the hybrid method.

    Estimates are independent and normal with known errors. Given the others, an area is among the worst if its
    estimate is below a known point, so it follows a truncated normal, whose quantiles give estimates and intervals
    that hold given the selection. Alone they can be very wide; the hybrid keeps them inside simultaneous intervals
    of all areas, at a level of 1 - (1 - level) / 10, and conditions on the truth being inside those.

    Parameters
    ----------
    estimate : array_like, shape (n_areas,)
        Estimated scores of all areas; higher is better.
    std_error : array_like, shape (n_areas,)
        Their known errors; 0 for a score known exactly, which needs no correction.
    area : sequence of str
        Area codes.
    n_selected : int
        How many are picked, decided beforehand; 1 to n_areas. If all are, nothing is selected.
    end : {"worst", "best"}
    level : float in (0, 1)

    Returns
    -------
    SelectedScores
        The interval of the one worst (best) area holds its true score with probability `level` at least, and at most
        ``level / (1 - (1 - level) / 10)``, over repetitions in which another area may come last. With several, the
        expected share of intervals that miss is at most ``1 - level``; not all of them hold at once. An estimate
        is too high as often as too low, given selection and up to the tenth of the error spent on the first step.

    Raises
    ------
    DataError
        If the arrays do not fit or are not finite, an error is negative, or a tie leaves open who is selected.
    ValueError
        If `n_selected`, `end` or `level` is outside the values above.

    Notes
    -----
    Only the interval should be read. The estimate is too high as often as too low, but where the next area is close
    to the last one picked, the data hardly say how lucky the pick was, and it lies far out either way: its mean squared
    error is then larger than that of the published score. As a point use the mean of a hierarchical posterior. Picking
    more areas moves the cut. Estimates need not keep the order of the scores.

    References
    ----------
    Andrews, Kitagawa & McCloskey (2024), Inference on winners, Quarterly Journal of Economics 139(1), 305-358,
    doi:10.1093/qje/qjad043: conditional and hybrid inference, for one winner. The share of misses among several is
    the false coverage rate of Benjamini & Yekutieli (2005), Journal of the American Statistical Association 100(469),
    71-81, doi:10.1198/016214504000001907.

    Examples
    --------
    >>> worst = selected_scores([150, 128, 200, 260], [15, 15, 15, 15], ["A", "B", "C", "D"])
    >>> worst.area, worst.estimate.round(0).tolist()
    (('B',), [130.0])
    """
    _check_options(n_selected, end, level, len(area))
    sign = 1.0 if end == "worst" else -1.0
    scores, errors = _check(estimate, std_error, area)
    ordered = np.argsort(sign * scores, kind="stable")
    chosen = ordered[:n_selected]
    cut = np.inf
    if n_selected < len(scores):
        _check_tie(scores, errors, area, ordered, n_selected)
        cut = float(sign * scores[ordered[n_selected]])
    found = sign * _hybrid(sign * scores[chosen], errors[chosen], cut, 1 - level, int(np.count_nonzero(errors)))
    middle, one, other = found
    return SelectedScores(
        area=tuple(area[i] for i in chosen),
        published=scores[chosen],
        std_error=errors[chosen],
        estimate=middle,
        lower=np.minimum(one, other),
        upper=np.maximum(one, other),
        end=end,
        level=level,
        n_areas=len(scores),
    )


def _hybrid(scores: Floats, errors: Floats, cut: float, error: float, n_unsure: int) -> Floats:
    """Return median-unbiased estimates and both bounds, shape (3, n), of scores picked for lying below `cut`."""
    from scipy.special import ndtr, ndtri

    first_step = SHARE * error
    reach = float(-ndtri(-np.expm1(np.log1p(-first_step) / max(n_unsure, 1)) / 2))
    tail = (error - first_step) / (1 - first_step) / 2
    room = np.divide(cut - scores, errors, out=np.full(len(scores), np.inf), where=errors > 0)
    floor = ndtr(-reach)

    def below(shift: Floats) -> Floats:
        """Return the chance of a lower score, picked and inside the reach, if the truth is `shift` errors above it."""
        top = ndtr(np.minimum(reach, room - shift))
        chance = np.divide(ndtr(-shift) - floor, top - floor, out=np.zeros_like(shift), where=top > floor)
        return np.asarray(chance)

    shifts = [_solve(below, probability, reach, len(scores)) for probability in (0.5, 1 - tail, tail)]
    return np.asarray(scores + np.array(shifts) * errors)


def _solve(below: Callable[[Floats], Floats], probability: float, reach: float, n: int) -> Floats:
    """Find where a chance that falls from 1 to 0 over the reach passes `probability`, by halving."""
    low, high = np.full(n, -reach), np.full(n, reach)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = below(middle) > probability
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.asarray((low + high) / 2)


def _check_options(n_selected: int, end: str, level: float, n_areas: int) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1; got {level!r}.")
    if end not in ("worst", "best"):
        raise ValueError(f"end must be 'worst' or 'best'; got {end!r}.")
    if n_areas and (n_selected != int(n_selected) or not 1 <= n_selected <= n_areas):
        raise ValueError(f"n_selected must lie between 1 and {n_areas}, the number of areas; got {n_selected!r}.")


def _check(estimate: ArrayLike, std_error: ArrayLike, area: Sequence[str]) -> tuple[Floats, Floats]:
    scores, errors = np.asarray(estimate, dtype=float), np.asarray(std_error, dtype=float)
    if scores.shape != (len(area),) or errors.shape != scores.shape or not len(area):
        raise DataError(
            f"estimate {scores.shape} and std_error {errors.shape} do not fit {len(area)} areas; one of each an area."
        )
    bad = [code for code, y, se in zip(area, scores, errors, strict=True) if not np.isfinite(y) or not 0 <= se < np.inf]
    if bad:
        raise DataError(
            f"the score is not finite, or its error not a finite number of 0 or more, for {len(bad)} of {len(area)} "
            f"areas ({some(bad)}). Drop them or mend the error."
        )
    return scores, errors


def _check_tie(scores: Floats, errors: Floats, area: Sequence[str], ordered: Ints, n_selected: int) -> None:
    last, following = ordered[n_selected - 1], ordered[n_selected]
    if scores[last] == scores[following] and (errors[last] > 0 or errors[following] > 0):
        raise DataError(
            f"{area[last]} and {area[following]} have the same score, so which of them is among the {n_selected} "
            "selected is not decided. Use unrounded scores, or select one more or one fewer."
        )
