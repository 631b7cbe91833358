"""How far groups of areas hold: other seeds, sampling error, other graphs, other methods."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gwm_models.index.communities import match_labels
from gwm_models.index.groups import DRAW_RUNS, AreaGroups, partition_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVEL = 0.9
SEEDS = 20
"""Searches of the same graph with other seeds."""
OTHER_NEIGHBOURS = (5, 10, 15)
OTHER_RUNS = 10
MOST_COMPONENTS = 6
COVARIANCES = ("full", "tied", "diag", "spherical")
LEAST_VARIANCE = 1e-4
"""Added to the variances of a mixture, in squared standard deviations, so that no component shrinks to a point."""


def stability_rows(groups: AreaGroups) -> list[dict[str, object]]:
    """Compare the groups with what other seeds, draws, graphs and methods make of the same areas.

    Returns
    -------
    list of dict
        One row a comparison: `estimate` is the adjusted Rand index with the groups, 1 for the same groups, 0 for no
        more agreement than chance; its mean where there are several, with the interval that holds `level` of them.
        `same` is the share of units in the same group once names are matched by overlap.

    References
    ----------
    Hubert & Arabie (1985), Journal of Classification 2, 193-218 (adjusted Rand index). Hennig (2007), Computational
    Statistics & Data Analysis 52, 258-271 (stability under perturbation).
    """
    scores, measured = groups.profiles.scores, groups.profiles.measured
    mixture, covariance, preferred = gaussian_mixture(scores, len(groups.name), seed=groups.seed)
    domains = groups.profiles.weights @ groups.edition.domain_scores
    rows = [
        _row(groups, "other seeds", _searches(groups)),
        _row(groups, "sampling error and other seeds", groups.draws),
        _row(groups, "k-means", k_means(scores, len(groups.name), seed=groups.seed)),
        _row(groups, f"Gaussian mixture, {covariance} (BIC prefers {preferred} groups)", mixture),
    ]
    rows += [
        _row(groups, f"graph of {k} neighbours", _regrouped(groups, scores, neighbours=k))
        for k in OTHER_NEIGHBOURS
        if k < len(scores) - 1
    ]
    if not measured.all() and measured.any():
        found = _regrouped(groups, scores[:, measured], neighbours=groups.neighbours)
        rows.append(_row(groups, "measured indicators only", found))
    rows.append(_row(groups, "domain scores", _regrouped(groups, _standard(domains), neighbours=groups.neighbours)))
    region = np.unique(groups.edition.areas.region, return_inverse=True)[1]
    own = np.zeros(len(scores), dtype=np.int64)
    own[groups.profiles.place] = region
    rows.append(_row(groups, "regions (never an input)", own))
    return rows


def k_means(scores: Floats, n_groups: int, *, seed: int, n_init: int = 20) -> Ints:
    """Group profiles by k-means, the best of `n_init` starts."""
    from sklearn.cluster import KMeans

    found = KMeans(n_groups, n_init=n_init, random_state=seed % 2**32).fit_predict(scores)
    return np.asarray(found, dtype=np.int64)


def gaussian_mixture(scores: Floats, n_groups: int, *, seed: int, n_init: int = 3) -> tuple[Ints, str, int]:
    """Group profiles by a Gaussian mixture, its covariance chosen by BIC.

    Returns
    -------
    labels : ndarray of int, shape (n_units,)
    covariance : str
        Form of the covariances with the lowest BIC at `n_groups` components.
    preferred : int
        Number of components, 1 to `MOST_COMPONENTS`, with the lowest BIC under any form.

    References
    ----------
    Fraley & Raftery (2002), Journal of the American Statistical Association 97, 611-631.
    """
    from sklearn.mixture import GaussianMixture

    bic, labels = {}, {}
    for size in sorted({*range(1, MOST_COMPONENTS + 1), n_groups}):
        for form in COVARIANCES:
            model = GaussianMixture(
                size,
                covariance_type=form,
                n_init=n_init,
                reg_covar=LEAST_VARIANCE,
                max_iter=500,
                random_state=seed % 2**32,
            ).fit(scores)
            bic[size, form] = model.bic(scores)
            if size == n_groups:
                labels[form] = np.asarray(model.predict(scores), dtype=np.int64)
    best = min(COVARIANCES, key=lambda form: bic[n_groups, form])
    return labels[best], best, min(bic, key=bic.__getitem__)[0]


def _searches(groups: AreaGroups) -> Ints:
    """Search the published profiles again, as each draw is searched."""
    return np.array(
        [
            _regrouped(groups, groups.profiles.scores, neighbours=groups.neighbours, n_runs=DRAW_RUNS, shift=shift)
            for shift in range(1, SEEDS + 1)
        ]
    )


def _regrouped(
    groups: AreaGroups, scores: Floats, *, neighbours: int, n_runs: int = OTHER_RUNS, shift: int = 0
) -> Ints:
    return partition_of(
        scores,
        len(groups.name),
        start=groups.chosen,
        n_runs=n_runs,
        neighbours=neighbours,
        seed=groups.seed + shift,
    )[0]


def _row(groups: AreaGroups, comparison: str, others: Ints) -> dict[str, object]:
    from sklearn.metrics import adjusted_rand_score

    listed = np.atleast_2d(others)
    index = np.array([adjusted_rand_score(groups.labels, other) for other in listed])
    same = np.mean([(match_labels(other, groups.labels) == groups.labels).mean() for other in listed])
    lower, upper = np.quantile(index, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) if len(index) > 1 else (np.nan, np.nan)
    sizes = [len(np.unique(other)) for other in listed]
    return {
        "comparison": comparison,
        "estimate": float(index.mean()),
        "lower": float(lower),
        "upper": float(upper),
        "level": LEVEL if len(index) > 1 else np.nan,
        "same": float(same),
        "n_groups": round(float(np.median(sizes))),
        "n": len(index),
    }


def _standard(values: Floats) -> Floats:
    return np.asarray((values - values.mean(axis=0)) / values.std(axis=0))
