"""Gaussian regression of several columns on the same covariates, each row observed with its own known error.

Row i of the figures is ``w_i ~ N(B' z_i + u_g(i), S + E_i)``: coefficients `B` with a flat prior, group effects
``u_g ~ N(0, O)`` (or none), `S` the covariance between rows, `E_i` the known covariance of the error of row i. `B` and
`u` are integrated out in closed form, and drawn from their exact conditionals once `S` and `O` are known. Arrays have
the columns in front: (column, [column,] draw, row).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.models.gaussian.small_matrices import cholesky, invert

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class KnownErrorModel(Frozen):
    """Figures, covariates and known errors.

    Attributes
    ----------
    figures : ndarray, shape (d, n)
    error : ndarray, shape (d, d, n)
    design : ndarray, shape (n, q)
        With the intercept, where there is one.
    groups : ndarray of 0 and 1, shape (n, n_groups)
        Membership; no columns where there are no group effects.
    """

    figures: Floats
    error: Floats
    design: Floats
    groups: Floats

    def solve(self, between: Floats, groups_cov: Floats | None = None) -> Solved:
        """Integrate coefficients and group effects out.

        Parameters
        ----------
        between : ndarray, shape (d, d, m)
            `S` at each of m draws.
        groups_cov : ndarray, shape (d, d, m), optional
            `O`; needed where there are groups.
        """
        d, (n, q), m = len(self.figures), self.design.shape, between.shape[-1]
        precision, log_det = invert(between[..., None] + self.error[:, :, None])
        weighted = np.einsum("ijsn,jn->isn", precision, self.figures)
        pairs = (self.design[:, :, None] * self.design[:, None]).reshape(n, q * q)
        bread = (precision @ pairs).reshape(d, d, m, q, q)
        cross = weighted @ self.design
        fit = np.einsum("isn,in->s", weighted, self.figures)
        log_det = log_det.sum(axis=-1)
        effects = None
        if groups_cov is not None:
            effects = self._group_terms(precision, weighted, groups_cov)
            kept = np.einsum("absg,bjsgq->ajsgq", effects.cov, effects.design)
            bread = bread - np.einsum("aisgp,ajsgq->ijspq", effects.design, kept)
            gain = np.einsum("absg,bsg->asg", effects.cov, effects.weighted)
            cross = cross - np.einsum("aisgp,asg->isp", effects.design, gain)
            fit = fit - np.einsum("asg,asg->s", effects.weighted, gain)
            log_det = log_det + effects.log_det
        root: Floats = np.linalg.cholesky(bread.transpose(2, 0, 3, 1, 4).reshape(m, d * q, d * q)).astype(float)
        half = np.linalg.solve(root, cross.transpose(1, 0, 2).reshape(m, d * q, 1))[..., 0]
        log_det = log_det + 2 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
        log_likelihood = -0.5 * (log_det + fit - (half**2).sum(axis=1))
        return Solved(precision, weighted, root, half, effects, log_likelihood)

    def _group_terms(self, precision: Floats, weighted: Floats, groups_cov: Floats) -> GroupTerms:
        n, q = self.design.shape
        inside = (self.groups[:, :, None] * self.design[:, None]).reshape(n, -1)
        design = (precision @ inside).reshape(*precision.shape[:3], -1, q)
        inverse, log_det = invert(groups_cov)
        cov, left = invert(inverse[..., None] + precision @ self.groups)
        return GroupTerms(design, weighted @ self.groups, cov, left.sum(axis=-1) + left.shape[-1] * log_det)

    def draw_coefficients(self, solved: Solved, white: Floats) -> Floats:
        """Draw `B` from its conditional, shape (d, q, m).

        Parameters
        ----------
        solved : Solved
        white : ndarray, shape (m, d q)
            Standard normals; zeros give the conditional mean.
        """
        drawn = np.linalg.solve(solved.root.transpose(0, 2, 1), (solved.half + white)[..., None])[..., 0]
        return np.asarray(drawn.reshape(len(white), len(self.figures), -1).transpose(1, 2, 0))

    def draw_groups(self, solved: Solved, coefficients: Floats, white: Floats) -> Floats:
        """Draw group effects given `B`, shape (d, n_groups, m).

        Parameters
        ----------
        solved : Solved
        coefficients : ndarray, shape (d, q, m)
        white : ndarray, shape (d, n_groups, m)
        """
        if solved.effects is None:
            return np.zeros((len(self.figures), 0, coefficients.shape[-1]))
        terms = solved.effects
        missed = terms.weighted - np.einsum("aisgp,ips->asg", terms.design, coefficients)
        drawn = np.einsum("absg,bsg->ags", terms.cov, missed)
        return np.asarray(drawn + np.einsum("absg,bgs->ags", cholesky(terms.cov), white))

    def leave_one_out(self, solved: Solved, coefficients: Floats, effects: Floats) -> tuple[Floats, Floats]:
        """Predict each row from all others, at each draw of `S` and `O`.

        Parameters
        ----------
        solved : Solved
        coefficients, effects : ndarray, shape (d, q, m) and (d, n_groups, m)
            Conditional means, as `draw_coefficients` and `draw_groups` give them for zeros.

        Returns
        -------
        missed : ndarray, shape (d, m, n)
            Figures less what the other rows predict.
        cov : ndarray, shape (d, d, m, n)
            Covariance of that prediction's error.
        """
        d, (n, q), m = len(self.figures), self.design.shape, len(solved.half)
        mean = np.einsum("iqs,nq->isn", coefficients, self.design) + np.einsum("igs,ng->isn", effects, self.groups)
        left = np.einsum("ijsn,jsn->isn", solved.precision, self.figures[:, None] - mean)
        own = solved.precision
        design = np.einsum("ijsn,nq->snijq", solved.precision, self.design)
        if solved.effects is not None:
            shared = np.einsum("absg,ng->absn", solved.effects.cov, self.groups)
            gain = np.einsum("iasn,absn->ibsn", solved.precision, shared)
            own = own - np.einsum("iasn,ajsn->ijsn", gain, solved.precision)
            inside = np.einsum("ajsgq,ng->ajsnq", solved.effects.design, self.groups)
            design = design - np.einsum("iasn,ajsnq->snijq", gain, inside)
        right = design.reshape(m, n * d, d * q).transpose(0, 2, 1)
        root = np.linalg.solve(solved.root, right).reshape(m, d * q, n, d)
        cov, _ = invert(own - np.einsum("spni,spnj->ijsn", root, root))
        return np.einsum("ijsn,jsn->isn", cov, left), cov


@dataclass(frozen=True, eq=False)
class GroupTerms(Frozen):
    """Sums over the rows of each group, and the conditional covariance of its effects."""

    design: Floats
    weighted: Floats
    cov: Floats
    log_det: Floats


@dataclass(frozen=True, eq=False)
class Solved(Frozen):
    """What is left at each draw once coefficients and group effects are integrated out.

    Attributes
    ----------
    precision : ndarray, shape (d, d, m, n)
        Inverse of ``S + E_i``.
    weighted : ndarray, shape (d, m, n)
        The same times the figures.
    root : ndarray, shape (m, d q, d q)
        Cholesky factor of the precision of `B`.
    half : ndarray, shape (m, d q)
    effects : GroupTerms, optional
    log_likelihood : ndarray, shape (m,)
        Up to a constant.
    """

    precision: Floats
    weighted: Floats
    root: Floats
    half: Floats
    effects: GroupTerms | None
    log_likelihood: Floats
