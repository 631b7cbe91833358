"""What the scenario engine needs of the outcome models: joint draws of the slopes, and the fits they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.data.index_spec import OutcomeSpec
from gwm_models.files import plain
from gwm_models.models.links import HealthLinks, explain_links, fit_links, links_from_arrays, links_to_arrays, no_links
from gwm_models.models.store import Record, find, fingerprint, remember

Floats = NDArray[np.float64]
Row = Mapping[str, Any]

MODULE = "models.health"
FILE = "health-links"
"""Name of the stored links, without its ending."""
DRAWS = 4000
SEED = 20260101
LEVEL = 0.95
CLASSICAL = ("total", "corrected", "domains", "within", "between-within")
"""Specifications that are shown beside the posteriors."""
NUMBERS = ("estimate", "std_error", "lower", "upper")


@dataclass(frozen=True, eq=False)
class HealthModel:
    """The slopes of one outcome on the index.

    Attributes
    ----------
    outcome : OutcomeSpec
    between, between_access, within_access : mapping
        The slopes that scenarios use, per 100 points: on the total, corrected for its noise; between and within areas
        on access points, corrected for survey noise.
    plain : mapping of str to mapping
        The same without any correction: ``between`` and ``within``.
    domains : mapping of str to mapping
        Slopes on the domain scores, fitted together.
    reliability_total : float
        Share of the variance of the total that is not survey noise.
    links : mapping of str to str
        What each link assumes, in words.
    """

    outcome: OutcomeSpec
    between: Row
    between_access: Row
    within_access: Row
    plain: Mapping[str, Row]
    domains: Mapping[str, Row]
    reliability_total: float
    links: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class HealthModels:
    """The models of every outcome of an edition, and their slopes as joint draws."""

    models: tuple[HealthModel, ...]
    links: HealthLinks

    def of(self, outcome: str) -> HealthModel:
        """Return the model of one outcome."""
        return next(model for model in self.models if model.outcome.id == outcome)


@lru_cache(maxsize=8)
def health_models(edition: Edition) -> HealthModels:
    """Return the models of every outcome of an edition: those stored for it, or fitted anew, which takes minutes.

    Raises
    ------
    ModelError
        If a slope cannot be fitted.
    """
    if not edition.spec.outcomes:
        return HealthModels((), no_links())
    key = links_key(edition)
    record = find(FILE, key)
    if record is None:
        record = links_record(edition)
        remember(key, record)
    return _unpack(edition, record)


def links_key(edition: Edition) -> str:
    """Return the fingerprint of an edition's links."""
    return fingerprint(MODULE, edition, FILE, str(DRAWS), str(SEED))


def links_record(edition: Edition) -> Record:
    """Fit the models of every outcome anew, in the form in which they are stored; slow."""
    links = fit_links(edition, n_draws=DRAWS, seed=SEED)
    facts = {outcome.id: _facts(edition, outcome, links) for outcome in edition.spec.outcomes}
    arrays = links_to_arrays(links)
    words = {name: array.tolist() for name, array in arrays.items() if array.dtype.kind in "US"}
    numbers = {name: (_dims(name), array) for name, array in arrays.items() if name not in words}
    return Record(numbers, plain({"words": words, "models": facts}, keep_nan=True))


def _dims(name: str) -> tuple[str, ...]:
    return ("slope", "other") if name == "correlation" else ("draw", "outcome")


def _unpack(edition: Edition, record: Record) -> HealthModels:
    arrays: dict[str, NDArray[Any]] = {name: values for name, (_, values) in record.arrays.items()}
    arrays |= {name: np.array(words) for name, words in record.facts["words"].items()}
    models = tuple(_model(outcome, record.facts["models"][outcome.id]) for outcome in edition.spec.outcomes)
    return HealthModels(models, links_from_arrays(arrays))


def _model(outcome: OutcomeSpec, facts: dict[str, Any]) -> HealthModel:
    return HealthModel(outcome, **facts)


def _facts(edition: Edition, outcome: OutcomeSpec, links: HealthLinks) -> dict[str, Any]:
    """Return everything about one outcome that is not a draw."""
    from gwm_models.models.linear.specs import SPECS as LINEAR
    from gwm_models.models.outcomes import find_outcome
    from gwm_models.models.panel.specs import SPECS as PANEL

    subject = find_outcome(outcome.id)
    specs = {spec.id: spec for spec in (*LINEAR, *PANEL)}
    fits = {name: specs[name].make(edition, subject) for name in CLASSICAL}
    place = links.outcome.index(outcome.id)
    total, within, both = fits["total"], fits["within"], fits["between-within"]
    latent = "latent panel: true access behind the survey, integrated exactly"
    noisy = "errors in variables: true totals behind the survey, integrated exactly"
    return {
        "between": _posterior(total, links.between[:, place], "between", "total", noisy),
        "between_access": _posterior(both, links.between_access[:, place], "between", "access", latent),
        "within_access": _posterior(within, links.within_access[:, place], "within", "access", latent),
        "plain": {
            "between": _classical(total, total.focus, "between", "total"),
            "within": _classical(within, within.focus, "within", "access"),
        },
        "domains": {
            domain: _classical(fits["domains"], domain, "between", domain) for domain in edition.spec.domain_ids
        },
        "reliability_total": fits["corrected"].diagnostics["reliability"],
        "links": {row["link"]: row["words"] for row in explain_links(links) if row["outcome"] == outcome.id},
    }


def _classical(fit: Any, term: str, kind: str, exposure: str) -> dict[str, Any]:
    """Return one coefficient of a fit as a slope."""
    row = fit.rows()[fit.place(term)]
    return {**_about(fit, kind, exposure, str(row["unit"])), **{name: row[name] for name in NUMBERS}}


def _posterior(fit: Any, draws: Floats, kind: str, exposure: str, method: str) -> dict[str, Any]:
    """Return draws, per point, as a slope for 100 points; the sample is that of the classical fit beside it."""
    low, high = np.quantile(100 * draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    numbers = (100 * draws.mean(), 100 * draws.std(ddof=1), low, high)
    unit = str(fit.rows()[fit.place()]["unit"])
    return {
        **_about(fit, kind, exposure, unit),
        **dict(zip(NUMBERS, map(float, numbers), strict=True)),
        "method": method,
    }


def _about(fit: Any, kind: str, exposure: str, unit: str) -> dict[str, Any]:
    return {
        "term": kind,
        "outcome": fit.outcome,
        "label": fit.label,
        "exposure": exposure,
        "level": LEVEL,
        "unit": unit,
        "n": fit.n,
        "n_clusters": len(fit.sample),
        "period": fit.period,
        "method": fit.method,
        "excluded": "; ".join(fit.excluded),
    }
