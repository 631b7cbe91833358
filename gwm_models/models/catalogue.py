"""Every way to fit every outcome, and one function that fits or finds what was fitted before."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from importlib import import_module

from gwm_models.data.descriptor import nearest
from gwm_models.data.edition import Edition, load_edition
from gwm_models.data.vocabulary import MONITOR
from gwm_models.errors import DataError
from gwm_models.models.fit import Fit, Spec
from gwm_models.models.outcomes import OUTCOMES, TOPICS, Subject, find_subject
from gwm_models.models.store import Record, find, fingerprint, pack, remember, unpack

DRAWS = 4000
LEAST_DRAWS = 400
"""Fewer say nothing of a 95% interval."""
SEED = 20260101
MODULES = (
    "linear.specs",
    "counts.specs",
    "counts.posterior",
    "gaussian.specs",
    "panel.specs",
    "latent.specs",
    "association.specs",
    "despair.specs",
    "association.disease_burden",
    "covid.specs",
)
"""Modules of this room that offer specifications, in the order they are listed."""


@lru_cache(maxsize=1)
def all_specs() -> tuple[Spec, ...]:
    """Return every specification there is."""
    modules = (import_module(f"gwm_models.models.{name}") for name in MODULES)
    return tuple(spec for module in modules for spec in module.SPECS)


def specs_of(subject: Subject) -> tuple[Spec, ...]:
    """Return the ways in which an outcome or topic can be fitted, the main one first."""
    return tuple(spec for spec in all_specs() if spec.applies(subject))


def subjects() -> tuple[Subject, ...]:
    """Return every outcome and topic."""
    return (*OUTCOMES, *TOPICS)


def find_spec(subject: Subject, name: str) -> Spec:
    """Return one specification of an outcome or topic.

    Raises
    ------
    DataError
        If it has none of that name, with the nearest one.
    """
    known = {spec.id: spec for spec in specs_of(subject)}
    if name not in known:
        raise DataError(
            f"There is no specification '{name}' of {subject.id}.{nearest(name, known)} See "
            f"`gwm fit list {subject.id}`."
        )
    return known[name]


def fit_outcome(
    outcome: str,
    spec: str = "",
    *,
    edition: str | Edition = MONITOR,
    n_draws: int = DRAWS,
    seed: int = SEED,
    fresh: bool = False,
) -> Fit:
    """Fit an outcome or topic by name; see `fit_model`.

    Parameters
    ----------
    outcome : str
        Such as ``healthy_life_expectancy_male``; `gwm fit list` has them all.
    spec : str
        Such as ``errors-in-variables``; the main one by default.
    edition : str or Edition
        A name as for `load_edition`.
    n_draws, seed : int
    fresh : bool

    Raises
    ------
    DataError
        If there is no such outcome, specification or edition.
    ModelError
        If it cannot be fitted, with what is missing.

    Examples
    --------
    >>> fit = fit_outcome("healthy_life_expectancy_male", "no-shared")
    >>> fit.n, round(float(fit.estimate[0]), 2), round(float(fit.std_error[0]), 2)
    (116, 3.16, 0.18)
    """
    subject = find_subject(outcome)
    chosen = find_spec(subject, spec) if spec else specs_of(subject)[0]
    whole = edition if isinstance(edition, Edition) else load_edition(edition)
    return fit_model(whole, subject, chosen, n_draws=n_draws, seed=seed, fresh=fresh)


def fit_model(
    edition: Edition,
    subject: Subject,
    spec: Spec,
    *,
    n_draws: int = DRAWS,
    seed: int = SEED,
    fresh: bool = False,
) -> Fit:
    """Fit a model, or find the same fit made before.

    Parameters
    ----------
    edition : Edition
    subject : Outcome or Topic
    spec : Spec
        One of `specs_of(subject)`.
    n_draws, seed : int
        Of a posterior.
    fresh : bool
        Fit anew, whatever is stored.

    Returns
    -------
    Fit
        A stored one has its draws in single precision.

    Raises
    ------
    ModelError, DataError
        If it cannot be fitted, with what is missing.
    """
    for name, value, least in (("n_draws", n_draws, LEAST_DRAWS), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise DataError(f"{name} must be a whole number of {least} or more; got {value!r}.")
    if not spec.stored:
        return spec.make(edition, subject, n_draws=n_draws, seed=seed)
    found = None if fresh else stored_fit(edition, subject, spec, n_draws=n_draws, seed=seed)
    if found is not None:
        return found
    record = fit_record(edition, subject, spec, n_draws=n_draws, seed=seed)
    remember(fit_key(edition, subject, spec, n_draws=n_draws, seed=seed), record)
    return unpack(record)


def stored_fit(edition: Edition, subject: Subject, spec: Spec, *, n_draws: int = DRAWS, seed: int = SEED) -> Fit | None:
    """Return the same fit made before; None if there is none, or if it is too quick to be kept."""
    if not spec.stored:
        return None
    record = find(file_name(subject, spec), fit_key(edition, subject, spec, n_draws=n_draws, seed=seed))
    if record is not None:
        with suppress(KeyError, TypeError, AttributeError):  # of this fingerprint, and yet not whole
            return unpack(record)
    return None


def fit_record(edition: Edition, subject: Subject, spec: Spec, *, n_draws: int = DRAWS, seed: int = SEED) -> Record:
    """Fit a model anew, in the form in which it is stored."""
    return pack(spec.make(edition, subject, n_draws=n_draws, seed=seed))


def fit_key(edition: Edition, subject: Subject, spec: Spec, *, n_draws: int = DRAWS, seed: int = SEED) -> str:
    """Return the fingerprint of a fit: it changes with the figures, the code, and what was asked."""
    return fingerprint(spec.module, edition, subject.id, spec.id, str(n_draws), str(seed))


def file_name(subject: Subject, spec: Spec) -> str:
    """Return the name of the file of a stored fit, without its ending."""
    return f"{subject.id}.{spec.id}"
