"""Intervals that allow for neighbours being alike.

Errors of a regression are taken as partly independent and partly a field that neighbours share (BYM2); the residuals
tell how large the second part is. Under that model it is known how far the usual robust standard error falls short on
average, and how much it varies around that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.models.fit import LEVEL
from gwm_models.models.gaussian.graph import icar

Floats = NDArray[np.float64]

SHARES = np.linspace(0.0, 0.995, 200) ** 2
"""Shares of the variance that neighbours may have in common, closer together near none."""
ZERO = 1e-9
"""Eigenvalues of the map's precision below this are of constants, which the field does not hold."""
CLEAR = 0.05
"""Moran's I with a p value below this is told."""


@dataclass(frozen=True, eq=False)
class Regression(Frozen):
    """A linear regression as an interval that counts neighbours needs it.

    Attributes
    ----------
    design : ndarray, shape (n, k)
        Columns times the square roots of the weights, so that errors of all units have one variance.
    residuals : ndarray, shape (n,)
        Times the same roots. What the design can explain of them is of no account.
    place : int
        Which coefficient it is about.
    """

    design: Floats
    residuals: Floats
    place: int


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What alike neighbours do to a coefficient.

    Attributes
    ----------
    share : float
        Of the variance of the errors that neighbours have in common, at the peak of the restricted likelihood.
    variance : float
        Of the coefficient, over the mean of its HC3 variance.
    along : float
        Share of the HC3 variance that rises and falls with the squared error of the coefficient itself.
    freedom : float
        Degrees of freedom of the rest.
    """

    share: float
    variance: float
    along: float
    freedom: float

    def reach(self, freedom: float, level: float = LEVEL) -> float:
        """Return half an interval, in HC3 standard errors, at no more than some degrees of freedom."""
        from scipy.special import stdtrit

        t = float(stdtrit(min(self.freedom, freedom), (1 + level) / 2))
        return t * float(np.sqrt(self.variance / (1 + self.along * (t**2 - 1))))


def alike_neighbours(regression: Regression, borders: NDArray[np.int64]) -> Neighbours:
    """Find how much neighbours have in common, and what that does to the error of a coefficient.

    Under errors of covariance ``S = (1 - share) I + share G``, `G` the scaled intrinsic autoregression on the map, a
    coefficient ``a'y`` has variance ``a'Sa``, and its HC3 variance is a sum of squares of residuals of covariance
    ``MSM``. The part of the residuals that goes with the coefficient's own error is ``m = MSa / sqrt(a'Sa)`` times a
    standard normal variable; the sum of squares of the rest is independent of it but for a product of mean zero, and
    is taken as a scaled chi-squared variable with the same mean and variance. The share is that of the highest
    restricted likelihood.

    Parameters
    ----------
    regression : Regression
    borders : ndarray of int, shape (n_pairs, 2)

    References
    ----------
    Riebler, Sorbye, Simpson & Rue (2016), Statistical Methods in Medical Research 25, 1145-1165 (the errors). Bell &
    McCaffrey (2002), Survey Methodology 28, 169-181, and Imbens & Kolesar (2016), Review of Economics and Statistics
    98, 701-712 (degrees of freedom). Patterson & Thompson (1971), Biometrika 58, 545-554 (the likelihood).
    """
    design = regression.design
    variance, axes = _map_axes(np.asarray(borders, dtype=np.int64).tobytes(), len(design))
    basis = np.linalg.qr(design)[0]
    effect = np.linalg.pinv(design)[regression.place]
    share = _most_likely(axes.T @ basis, axes.T @ regression.residuals, variance)
    cov = (axes * (1 - share + share * variance)) @ axes.T
    own = float(effect @ cov @ effect)
    left = cov - basis @ (basis.T @ cov)
    scale = effect / (1 - (basis**2).sum(axis=1))
    with_it = scale * (left @ effect) / np.sqrt(own)
    left -= (left @ basis) @ basis.T
    rest = scale[:, None] * left * scale - np.outer(with_it, with_it)
    along, apart = float(with_it @ with_it), float(np.trace(rest))
    return Neighbours(share, own / (along + apart), along / (along + apart), apart**2 / float((rest**2).sum()))


@lru_cache(maxsize=1)
def _map_axes(borders: bytes, n: int) -> tuple[Floats, Floats]:
    """Return variances and axes of the scaled autoregression on a map; several fits share the last one."""
    graph = icar(np.frombuffer(borders, dtype=np.int64).reshape(-1, 2), n)
    value, axes = np.linalg.eigh(graph.precision.toarray())
    return np.where(value > ZERO, 1 / np.maximum(value, ZERO), 0.0), axes


def _most_likely(basis: Floats, residuals: Floats, variance: Floats) -> float:
    """Return the share of the highest restricted likelihood.

    Parameters
    ----------
    basis : ndarray, shape (n, k)
        Orthonormal columns of the design, along the axes of the map.
    residuals : ndarray, shape (n,)
        Along the same axes.
    variance : ndarray, shape (n,)
        Of the field along them.
    """
    n, k = basis.shape
    precise = 1 / (1 - SHARES[:, None] + SHARES[:, None] * variance)
    bread = (precise @ (basis[:, :, None] * basis[:, None, :]).reshape(n, -1)).reshape(-1, k, k)
    score = (precise * residuals) @ basis
    left = precise @ residuals**2 - (score * np.linalg.solve(bread, score[..., None])[..., 0]).sum(axis=1)
    log_det = np.linalg.slogdet(bread)[1] - np.log(precise).sum(axis=1)
    return float(SHARES[int(np.argmin(log_det + (n - k) * np.log(np.maximum(left, np.finfo(float).tiny))))])


def spatial_numbers(
    estimate: float, std_error: float, regression: Regression, borders: NDArray[np.int64], freedom: float
) -> dict[str, float | str]:
    """Return the spatial standard error of a coefficient with its interval; nothing where no borders are shared.

    Neither is below that of independent units. Simulated on the map of the 117 units with the errors that it assumes,
    its 95% intervals hold a slope on the Monitor total in 94 to 96% of samples, whether neighbours share none of the
    variance or nearly all; those for independent units fall to 57%. Errors that only the nearest neighbours share are
    held more often than said.

    Parameters
    ----------
    estimate, std_error : float
        The standard error for independent units: HC3, or close to it.
    regression : Regression
        The one that the estimate comes from, or is close to: only its shape counts, not its scale.
    borders : ndarray of int, shape (n_pairs, 2)
    freedom : float
        Degrees of freedom of the t interval for independent units.

    Returns
    -------
    dict
        ``spatial_std_error``, ``spatial_lower``, ``spatial_upper`` and ``spatial_share``.
    """
    if not len(borders):
        return {}
    found = alike_neighbours(regression, borders)
    apart = Neighbours(0.0, 1.0, 0.0, freedom)
    reach = std_error * max(found.reach(freedom), apart.reach(freedom))
    return {
        "spatial_std_error": std_error * float(np.sqrt(max(found.variance, 1.0))),
        "spatial_lower": estimate - reach,
        "spatial_upper": estimate + reach,
        "spatial_share": found.share,
    }


def with_neighbours(not_shown: str, moran: float, p_value: float, interval: str = "") -> str:
    """Add to a sentence that residuals of neighbours are alike, where they clearly are.

    Parameters
    ----------
    not_shown : str
        Ends with a full stop.
    moran, p_value : float
        Moran's I of the residuals and its p value; NaN where no borders are shared.
    interval : str
        The interval that allows for it, in words; empty where there is none.

    Examples
    --------
    >>> with_neighbours("Nothing is shown.", 0.31, 0.001, "2.1 to 3.4 years")
    "Nothing is shown; neighbours are alike (Moran's I 0.31): counting that, the interval is 2.1 to 3.4 years."
    """
    if not p_value < CLEAR:
        return not_shown
    end = (
        f"counting that, the interval is {interval}"
        if interval
        else "the intervals do not count that, and are likely to be too narrow"
    )
    return f"{not_shown.removesuffix('.')}; neighbours are alike (Moran's I {moran:.2f}): {end}."
