"""Unit and time effects with errors clustered by unit that hold with few treated units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.models.panel.within import TwoWay, check_moves, two_way

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

TOLERANCE = 1e-9
"""Share of a unit's own variance below which a direction counts as fitted exactly."""


@dataclass(frozen=True, eq=False)
class Clustered(Frozen):
    """Coefficients of a model with unit and time effects.

    Attributes
    ----------
    coef : ndarray, shape (k,)
    cov : ndarray, shape (k, k)
        Bias-reduced (CR2), clustered by unit.
    lever : ndarray, shape (k, n_units, n_times)
        What a unit's adjusted error adds to each coefficient.
    spill : ndarray, shape (k, n_units, n_times + k)
        Cross-products of `lever` with the regressors, for the degrees of freedom.
    bread : ndarray, shape (n_times + k, n_times + k)
        Generalised inverse of the cross-products of the regressors.
    residual : ndarray, shape (n_units, n_times)
        Zero where not seen.
    seen : ndarray of bool, shape (n_units, n_times)
    """

    coef: Floats
    cov: Floats
    lever: Floats
    spill: Floats
    bread: Floats
    residual: Floats
    seen: Mask

    def contrast(self, weights: Floats) -> tuple[float, float, float]:
        """Return a sum of coefficients, its standard error and its degrees of freedom.

        Parameters
        ----------
        weights : ndarray, shape (k,)

        Returns
        -------
        estimate, std_error, freedom : float
            The freedom is Satterthwaite's, were the errors alike and independent: few treated units leave little.
        """
        estimate = float(weights @ self.coef)
        error = float(np.sqrt(max(float(weights @ self.cov @ weights), 0.0)))
        lever = np.tensordot(weights, self.lever, axes=1)
        spill = np.tensordot(weights, self.spill, axes=1)
        gram = np.diag((lever**2).sum(axis=1)) - spill @ self.bread @ spill.T
        size = float((gram**2).sum())
        return estimate, error, float(np.trace(gram)) ** 2 / size if size > 0 else 0.0


def fit_clustered(value: Floats, exposure: Floats, effects: TwoWay | None = None) -> Clustered:
    """Fit slopes within units, with unit and time effects, and errors clustered by unit (CR2).

    Parameters
    ----------
    value : ndarray, shape (n_units, n_times)
        NaN where there is no figure.
    exposure : ndarray, shape (k, n_units, n_times)
        Finite wherever `value` is used.
    effects : TwoWay, optional
        Of the cells in use; made from both where it is not given.

    Raises
    ------
    ModelError
        If an exposure does not move apart from unit, time and the other exposures.

    References
    ----------
    Bell & McCaffrey (2002), Survey Methodology 28, 169-181. Imbens & Kolesar (2016), Review of Economics and Statistics
    98, 701-712. Pustejovsky & Tipton (2018), Journal of Business & Economic Statistics 36, 672-683 (with unit effects
    absorbed).
    """
    if effects is None:
        seen = np.isfinite(value) & np.isfinite(exposure).all(axis=0)
        effects = two_way(seen & (seen.sum(axis=1) >= 2)[:, None])
    seen, k = effects.seen, len(exposure)
    left = effects.residual(np.where(seen, exposure, 0.0))
    check_moves(left)
    right = effects.residual(np.where(seen, value, 0.0))
    flat = left.reshape(k, -1)
    bread = np.linalg.inv(flat @ flat.T)
    coef = bread @ (flat @ right.ravel())
    residual = right - np.tensordot(coef, left, axes=1)
    by_unit = left.transpose(1, 2, 0)
    adjust = _inverse_root(effects.blocks() - by_unit @ bread @ by_unit.transpose(0, 2, 1))
    lever = np.asarray((adjust @ by_unit @ bread).transpose(2, 0, 1))
    influence = (lever * residual).sum(axis=2)
    spill = np.concatenate(
        [np.einsum("knt,nts->kns", lever, effects.years), np.einsum("knt,ntj->knj", lever, by_unit)], axis=2
    )
    whole = np.zeros((len(effects.inverse) + k,) * 2)
    whole[:-k, :-k], whole[-k:, -k:] = effects.inverse, bread
    return Clustered(coef, influence @ influence.T, lever, spill, whole, residual, seen)


def _inverse_root(blocks: Floats) -> Floats:
    """Return the symmetric inverse square roots, zero in directions that the model fits exactly."""
    value, vector = np.linalg.eigh(blocks)
    root = np.where(value > TOLERANCE, 1 / np.sqrt(np.maximum(value, TOLERANCE)), 0.0)
    return np.asarray((vector * root[:, None, :]) @ vector.transpose(0, 2, 1))
