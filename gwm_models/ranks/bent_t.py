"""A proposal that is shaped like a sample: multivariate Student t with margins bent as it is skewed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.models.collapse import coarse, coarse_root

Floats = NDArray[np.float64]

FREEDOM = 30.0
"""Tails hardly heavier than normal ones: each weight stays small, and few proposals are spent on the tails."""
MOST_BEND, HALVINGS = 3.0, 12
BLOCK = 2000
"""Vectors drawn at a time, so that they stay in the cache."""


@dataclass(frozen=True, eq=False)
class BentT(Frozen):
    """Student t vector `v`, each margin turned into ``centre + width sinh(arcsinh(v) + bend)``.

    Attributes
    ----------
    centre, width, bend : ndarray, shape (p,)
    mean : ndarray, shape (p,)
        Of `v`.
    spread : ndarray, shape (p, p)
        Lower root of the scale matrix of `v`.

    References
    ----------
    Jones & Pewsey (2009), Sinh-arcsinh distributions, Biometrika 96, 761-780.
    """

    centre: Floats
    width: Floats
    bend: Floats
    mean: Floats
    spread: Floats

    @classmethod
    def like(cls, sample: Floats) -> BentT:
        """Match a sample, shape (m, p): bent straight it has no skewness, and its mean and covariance are matched.

        Raises
        ------
        LinAlgError
            If the sample does not vary in every direction.
        """
        centre, width = sample.mean(axis=0), sample.std(axis=0)
        if not (width > 0).all():
            raise np.linalg.LinAlgError("a quantity of the sample does not vary")
        stretched = np.arcsinh((sample - centre) / width)
        bend = _straightening(stretched)
        straight = np.sinh(stretched - bend)
        mean = straight.mean(axis=0)
        cov = (straight - mean).T @ (straight - mean) / len(sample)
        spread = np.linalg.cholesky(cov * (FREEDOM - 2) / FREEDOM)
        centre, width, mean = coarse(centre, width), coarse(width, width), coarse(mean, np.ones_like(mean))
        return cls(centre, width, bend, mean, coarse_root(spread))

    def draw(self, n_draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw vectors, (n_draws, p); return them with their log density up to a constant, (n_draws,)."""
        draws, log_density = np.empty((n_draws, len(self.mean))), np.empty(n_draws)
        for first in range(0, n_draws, BLOCK):
            part = slice(first, min(first + BLOCK, n_draws))
            draws[part], log_density[part] = self._draw(part.stop - first, rng)
        return draws, log_density

    def _draw(self, n_draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        p = len(self.mean)
        white = rng.standard_normal((n_draws, p))
        white *= np.sqrt(FREEDOM / rng.chisquare(FREEDOM, n_draws))[:, None]
        v = self.mean + white @ self.spread.T
        angle = np.arcsinh(v) + self.bend
        log_density = -0.5 * (FREEDOM + p) * np.log1p((white**2).sum(axis=1) / FREEDOM)
        log_density -= (np.log(np.cosh(angle)) - 0.5 * np.log1p(v**2)).sum(axis=1)
        return self.centre + self.width * np.sinh(angle), log_density


def _straightening(stretched: Floats) -> Floats:
    """Return the bends that leave columns without skewness, found by halving: skewness falls as the bend grows."""
    low, high = np.full((2, stretched.shape[1]), [[-MOST_BEND], [MOST_BEND]])
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        straight = np.sinh(stretched - middle)
        straight -= straight.mean(axis=0)
        skewed = np.einsum("mp,mp,mp->p", straight, straight, straight) > 0
        low, high = np.where(skewed, middle, low), np.where(skewed, high, middle)
    return np.asarray((low + high) / 2)
