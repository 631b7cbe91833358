"""Robustness of the index and its Sobol indices beside SALib, both driving the same model on the same sample."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from pairs import Contest, Pair, timed

from gwm_models.data.edition import load_edition
from gwm_models.index.aggregate import AGGREGATIONS, flat_weights, leave_one_out_weights, membership
from gwm_models.index.normalise import NORMALISATIONS
from gwm_models.index.rebuild import Choices, IndexData, RobustnessSpec, rebuild_ranks
from gwm_models.index.robustness import edition_index_data, rank_runs
from gwm_models.index.sobol import sobol_indices

INPUTS = ("normalisation", "weights", "aggregation")
PROBLEM = {"num_vars": 3, "names": list(INPUTS), "bounds": [[0, 1]] * 3}
FEWEST_RESAMPLES = 2
"""Of SALib's bootstrap, which cannot be left out."""
DIGITS = 9
"""Of a total, beyond which two areas are tied."""


def monitor() -> IndexData:
    """Return the indicators of the published Monitor."""
    return edition_index_data(load_edition("monitor-2021"))[0]


def places(sample: Any, n_weights: int) -> Any:
    """Turn a sample of the unit cube into places of choices: normalisation, weights, aggregation."""
    counts = np.array([len(NORMALISATIONS), n_weights, len(AGGREGATIONS)])
    return np.minimum((sample * counts).astype(np.int64), counts - 1)


def weight_rows(data: IndexData) -> Any:
    """Return the weights that are varied: equal, and equal without one of the indicators in turn."""
    member = membership(data.domain)
    equal = flat_weights(np.ones(len(member)), np.ones(member.shape[1]), member)
    return np.vstack([equal, leave_one_out_weights(member)])


def our_ranks(data: IndexData, sample: Any) -> Any:
    """Rank areas at every row of a sample by the toolkit."""
    weights = weight_rows(data)
    place = places(sample, len(weights))
    still = np.zeros((1, len(data.indicator), 1))
    choices = Choices(place[:, 0], np.zeros(len(place), dtype=np.int64), weights[place[:, 1]], place[:, 2], still)
    return rebuild_ranks(data, choices, np.repeat(np.arange(len(place))[:, None], 4, axis=1))


def plain_model(data: IndexData) -> Callable[[Any], Any]:
    """Return the same model as an analyst writes it: one row of the sample in, ranks of the areas out."""
    from scipy.stats import rankdata

    x, weights = data.levels.T, weight_rows(data)

    def between(values: Any, low: Any, high: Any) -> Any:
        return 1 + 99 * (values - low) / (high - low)

    def scaled(method: str) -> Any:
        if method == "min_max":
            return between(x, x.min(axis=0), x.max(axis=0))
        if method == "z":
            z = (x - x.mean(axis=0)) / x.std(axis=0)
            return between(z, z.min(), z.max())
        if method == "rank":
            return between(rankdata(x, axis=0), 1, len(x))
        return np.clip(between(x, *np.quantile(x, [0.05, 0.95], axis=0)), 1, 100)

    def model(row: Any) -> Any:
        normalisation, weighting, aggregation = places(row, len(weights))
        score, weight = scaled(NORMALISATIONS[normalisation]), weights[weighting]
        if AGGREGATIONS[aggregation] == "arithmetic":
            total = score @ weight
        elif AGGREGATIONS[aggregation] == "geometric":
            total = np.exp(np.log(score) @ weight)
        else:
            total = 1 / ((1 / score) @ weight)
        return rankdata(-np.round(total, DIGITS), method="min")

    return model


def salib_indices(runs: Any) -> Any:
    """Return first-order and total indices of every area by SALib, from runs in its order, shape (2, 3, n_areas)."""
    from SALib.analyze import sobol

    found = [
        sobol.analyze(PROBLEM, column, calc_second_order=False, num_resamples=FEWEST_RESAMPLES, seed=1)
        for column in np.asarray(runs, dtype=float).T
    ]
    return np.array([[one["S1"] for one in found], [one["ST"] for one in found]]).transpose(0, 2, 1)


def our_indices(runs: Any) -> Any:
    """Return the same by the toolkit."""
    blocks = np.asarray(runs).reshape(-1, len(INPUTS) + 2, np.shape(runs)[1]).transpose(1, 0, 2)
    found = sobol_indices(blocks[0], blocks[-1], blocks[1:-1])
    return np.stack([found.first_order, found.total])


def _apart(ours: Any, theirs: Any) -> float:
    return float(np.abs(ours - theirs).max())


def _indices(quick: bool) -> Contest:
    import SALib.analyze.sobol  # noqa: F401  # imports are not timed

    n = 256 if quick else 8192
    found = rank_runs(monitor(), RobustnessSpec(data_error=False, draws=n))
    base, other, swapped = found.joint[:n], found.joint[n:], found.swapped
    runs = np.stack([base, *swapped, other], axis=1).reshape(-1, base.shape[1])
    return Contest(
        ours=timed(lambda: np.stack(_both(sobol_indices(base, other, swapped)))),
        theirs=timed(lambda: salib_indices(runs)),
        difference=_apart,
    )


def _both(found: Any) -> Any:
    return found.first_order, found.total


def _whole(quick: bool, *, by_row: bool) -> Contest:
    from SALib.sample import sobol

    data = monitor()
    sample = sobol.sample(PROBLEM, 64 if quick else 1024, calc_second_order=False, seed=1)
    model = plain_model(data)

    def theirs() -> Any:
        return salib_indices(np.array([model(row) for row in sample]) if by_row else our_ranks(data, sample))

    return Contest(timed(lambda: our_indices(our_ranks(data, sample))), timed(theirs), _apart)


SAMPLE = "the same sample, drawn by SALib before, for both"
PAIRS = (
    Pair(
        name="sobol-indices",
        compared="first-order and total Sobol indices of the rank of every area, from the same model runs",
        size="118 areas, 3 inputs, 40,960 runs",
        checked="every index of every area",
        peer="SALib",
        build=_indices,
        tolerance=1e-8,
        rounds=7,
        notes="SALib takes one output at a time and adds a bootstrap of 2, its least; ours adds standard errors",
    ),
    *(
        Pair(
            name=f"robustness-and-sobol{name}",
            compared="index rebuilt at a Saltelli sample of its choices, and Sobol indices of the rank of every area",
            size="118 areas, 3 inputs, 5,120 rebuilds",
            checked=f"every index of every area{checked}",
            peer="SALib",
            build=partial(_whole, by_row=by_row),
            tolerance=1e-8,
            rounds=7,
            notes=f"{SAMPLE}; {notes}",
        )
        for name, by_row, checked, notes in (
            ("-one-model", False, "", "SALib drives our model of all rows at once, so only the indices differ"),
            (
                "-by-row",
                True,
                ", from two codes of one model",
                "beside SALib the model is one row in, ranks out, in NumPy and SciPy; ours takes all rows at once",
            ),
        )
    ),
)
