"""One other choice at a time, and how far one domain can stand in for another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from gwm_models.index.aggregate import (
    AGGREGATIONS,
    average_inverse,
    average_terms,
    domain_names,
    flat_weights,
    leave_one_out_weights,
    membership,
    pca_weights,
    substitution_rates,
)
from gwm_models.index.normalise import NORMALISATIONS, SCALE, Floats, mid_ranks, normalise, ranks_of
from gwm_models.index.rebuild import REFERENCE, IndexData


@dataclass(frozen=True, slots=True)
class Alternative:
    """What one departure from the published method does, all else as published.

    Attributes
    ----------
    source, choice : str
        Such as ``aggregation`` and ``geometric``, or ``weights`` and ``without median_pay``.
    mean_rank_shift, largest_rank_shift : float
        Absolute shifts of rank over the areas.
    area_code : str
        Area of the largest shift.
    rank_correlation : float
        Spearman's, with the reference.
    mean_score_change, largest_score_change : float
        Absolute changes of the score, on the scale 1-100.
    """

    source: str
    choice: str
    mean_rank_shift: float
    largest_rank_shift: float
    area_code: str
    rank_correlation: float
    mean_score_change: float
    largest_score_change: float

    def to_row(self) -> dict[str, object]:
        """Return the fields by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What it takes to make up for one point lost in a domain.

    Attributes
    ----------
    aggregation : str
    place : str
        ``mean area``, or the code of the area where the rate is taken.
    lost, gained : str
        Domains: one point lost in `lost` is made up by `rate` points gained in `gained`.
    score_lost, score_gained : float
        Their scores there, on the scale 1-100.
    rate : float
        Marginal rate of substitution.
    """

    aggregation: str
    place: str
    lost: str
    gained: str
    score_lost: float
    score_gained: float
    rate: float

    def to_row(self) -> dict[str, object]:
        """Return the fields by name."""
        return asdict(self)


def one_at_a_time(data: IndexData) -> list[Alternative]:
    """Score and rank the areas with each single other choice of normalisation, weights and aggregation.

    Random weights are no single choice and are left to the joint analysis.
    """
    equal = _equal(data)
    reference = _scores(data, REFERENCE[0], equal, REFERENCE[2])
    base, base_mid = ranks_of(reference), mid_ranks(reference)
    found = []
    for source, choice, scores in _departures(data, equal):
        shift, change = np.abs(ranks_of(scores) - base), np.abs(scores - reference)
        found.append(
            Alternative(
                source=source,
                choice=choice,
                mean_rank_shift=float(shift.mean()),
                largest_rank_shift=float(shift.max()),
                area_code=data.area[int(shift.argmax())],
                rank_correlation=float(np.corrcoef(mid_ranks(scores), base_mid)[0, 1]),
                mean_score_change=float(change.mean()),
                largest_score_change=float(change.max()),
            )
        )
    return found


def _departures(data: IndexData, equal: Floats) -> Iterator[tuple[str, str, Floats]]:
    member = membership(data.domain)
    for method in NORMALISATIONS:
        if method != REFERENCE[0]:
            yield "normalisation", method, _scores(data, method, equal, REFERENCE[2])
    by_components = pca_weights(normalise(data.levels, REFERENCE[0]), member)
    yield "weights", "pca", _scores(data, REFERENCE[0], by_components, REFERENCE[2])
    if len(data.indicator) > 1:
        for name, weights in zip(data.indicator, leave_one_out_weights(member), strict=True):
            yield "weights", f"without {name}", _scores(data, REFERENCE[0], weights, REFERENCE[2])
    for mean in AGGREGATIONS:
        if mean != REFERENCE[2]:
            yield "aggregation", mean, _scores(data, REFERENCE[0], equal, mean)


def _equal(data: IndexData) -> Floats:
    member = membership(data.domain)
    return flat_weights(np.ones(len(member)), np.ones(member.shape[1]), member)


def _scores(data: IndexData, normalisation: str, weights: Floats, aggregation: str) -> Floats:
    terms = average_terms(normalise(data.levels, normalisation), aggregation)
    return average_inverse(weights @ terms, aggregation)


def compensability(data: IndexData, area: str | None = None) -> list[Exchange]:
    """Return what one domain buys of another under each aggregation, at the mean area or at one area.

    Parameters
    ----------
    data : IndexData
    area : str, optional
        Code of an area; by default the mean area, whose indicator scores are the means over all areas.

    Returns
    -------
    list of Exchange
        One for each aggregation and ordered pair of domains; min-max scores, equal domain weights. Domain scores are
        the indicators' mean of the same kind.
    """
    scores = normalise(data.levels, REFERENCE[0])
    profile = scores.mean(axis=1) if area is None else scores[:, data.area.index(area)]
    member, names = membership(data.domain), domain_names(data.domain)
    found = []
    for mean in AGGREGATIONS:
        by_domain = average_inverse(average_terms(profile, mean) @ (member / member.sum(axis=0)), mean)
        rates = substitution_rates(by_domain, mean)
        for a, lost in enumerate(names):
            for b, gained in enumerate(names):
                if a != b:
                    scored = (float(by_domain[a]), float(by_domain[b]))
                    found.append(Exchange(mean, area or "mean area", lost, gained, *scored, float(rates[a, b])))
    return found


def compensability_words(exchanges: Sequence[Exchange], place: str = "the mean area") -> list[str]:
    """Say in a sentence for each aggregation how far one domain makes up for another."""
    sentences = []
    for mean in AGGREGATIONS:
        rows = [row for row in exchanges if row.aggregation == mean]
        if not rows:
            continue
        dear = max(rows, key=lambda row: row.rate)
        if mean == "arithmetic":
            how = f"a point lost in one domain is made up by {dear.rate:.3g} in any other, however low the first is"
            sentences.append(f"Arithmetic mean: {how}. Compensation is full.")
        else:
            power = "" if mean == "geometric" else ", with the square of the ratio"
            sentences.append(
                f"{mean.capitalize()} mean: at {place} a point lost in {dear.lost} (score {dear.score_lost:.1f}) takes "
                f"{dear.rate:.3g} points of {dear.gained} (score {dear.score_gained:.1f}). Compensation is partial: "
                f"the lower a domain beside another, the dearer its points{power}; the rate hangs on where the scale "
                f"starts ({SCALE[0]:g})."
            )
    return sentences
