"""Links between good work and health, as the scenario engine draws them: between areas, and within areas over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.draws import keyed_rng
from gwm_models.errors import DataError, GwmError, ModelError
from gwm_models.models.latent.link_words import between_words, none_words, shared_note, within_words
from gwm_models.models.outcomes import Outcome, find_outcome

Floats = NDArray[np.float64]
Row = dict[str, Any]

SLOPES = ("between", "between_access", "within_access")
"""The slopes of each outcome, in the order of the correlation matrix, outcome by outcome."""
WORDS = ("outcome", "label", "unit", "note")


@dataclass(frozen=True, eq=False)
class SlopeDraws:
    """Joint draws for the scenario engine, shape (n_draws, n_outcomes).

    Attributes
    ----------
    outcome : tuple of str
    between : ndarray
        Full association: outcome units per point of the total, corrected for noise in the total.
    within_access : ndarray
        Within areas over time: outcome units per point of the access domain, corrected for survey noise.
    within_share : ndarray
        `within_access` over the slope between areas on access points: the share of that association that moves with
        an area over time.
    """

    outcome: tuple[str, ...]
    between: Floats
    within_access: Floats
    within_share: Floats


@dataclass(frozen=True, eq=False)
class HealthLinks(Frozen):
    """What is known of the slopes of every outcome of an edition.

    Attributes
    ----------
    outcome, label, unit, note : tuple of str, length n_outcomes
        The note is a sentence on errors that access and outcome share; "" where they come from different sources.
    between : ndarray, shape (n_stored, n_outcomes)
        Posterior draws, each outcome by itself: outcome units per point of the total.
    between_access, within_access : ndarray, shape (n_stored, n_outcomes)
        Posterior draws per point of the access domain, of what is lasting and of what moves.
    correlation : ndarray, shape (3 n_outcomes, 3 n_outcomes)
        Of normal scores of the slopes: those of `SLOPES` for the first outcome, then for the next.
    """

    outcome: tuple[str, ...]
    label: tuple[str, ...]
    unit: tuple[str, ...]
    note: tuple[str, ...]
    between: Floats
    between_access: Floats
    within_access: Floats
    correlation: Floats

    def __post_init__(self) -> None:
        """Check that the parts fit together."""
        super().__post_init__()
        k = len(self.outcome)
        shapes = {getattr(self, name).shape for name in SLOPES}
        if len(shapes) > 1 or self.between.shape[1:] != (k,) or self.correlation.shape != (3 * k, 3 * k):
            raise DataError(
                f"Health links of {k} outcomes need draws of one shape (n, {k}) and a correlation of ({3 * k}, "
                f"{3 * k}); got {sorted(shapes)} and {self.correlation.shape}. Fit the links again."
            )

    def __repr__(self) -> str:
        """Return one line: outcomes and draws."""
        return f"HealthLinks({len(self.outcome)} outcomes, {len(self.between)} draws)"


@dataclass(frozen=True, eq=False)
class AccessDraws(Frozen):
    """Posterior draws of one outcome's slopes on access, with those of access itself.

    Attributes
    ----------
    between, within : ndarray, shape (n_draws,)
    exposure : ndarray, shape (n_draws, p)
        Parameters of true access, its noise, and what errors have in common.
    """

    between: Floats
    within: Floats
    exposure: Floats


def no_links() -> HealthLinks:
    """Return the links of an edition that holds no health outcomes."""
    nothing = np.zeros((0, 0))
    return HealthLinks((), (), (), (), nothing, nothing, nothing, nothing)


def fit_links(edition: Edition, *, n_draws: int = 4000, seed: int = 20260101) -> HealthLinks:
    """Fit the slopes of every outcome of an edition; slow.

    The slope between areas on the total is that of the errors-in-variables model, the slopes between and within areas
    on access those of the latent panel. Each posterior is kept as its draws. How they move together is
    worked out by `joint_correlation`, influence by unit being that of the classical fits of the same figures.

    Parameters
    ----------
    edition : Edition
        One without health outcomes has no links.
    n_draws, seed : int

    Raises
    ------
    ModelError
        If the slopes of an outcome cannot be fitted, or that between areas on access may be zero, so that no share of
        it can be taken.

    References
    ----------
    Weesie (1999), Stata Technical Bulletin 52, 34-47 (seemingly unrelated estimation).
    """
    from gwm_models.models.latent.core import MOST

    if not edition.spec.outcomes:
        return no_links()
    units = edition.areas.units()[0]
    fits = [_fit_outcome(edition, each.id, units, n_draws, seed) for each in edition.spec.outcomes]
    between, across, over_time = (np.column_stack([fit.margins[j] for fit in fits]) for j in range(len(SLOPES)))
    return HealthLinks(
        outcome=tuple(fit.outcome.id for fit in fits),
        label=tuple(fit.outcome.label for fit in fits),
        unit=tuple(fit.outcome.unit for fit in fits),
        note=tuple(
            shared_note(fit.outcome.unit, fit.access.exposure[:, -1], fit.access.within, MOST["shared"]) for fit in fits
        ),
        between=between,
        between_access=across,
        within_access=over_time,
        correlation=joint_correlation(np.concatenate([fit.influence for fit in fits]), [fit.access for fit in fits]),
    )


@dataclass(frozen=True, eq=False)
class _OutcomeFit:
    """The slopes of one outcome: draws per point and influence by unit in the order of `SLOPES`."""

    outcome: Outcome
    margins: tuple[Floats, Floats, Floats]
    influence: Floats
    access: AccessDraws


def _fit_outcome(edition: Edition, name: str, units: tuple[str, ...], n_draws: int, seed: int) -> _OutcomeFit:
    try:
        outcome = find_outcome(name)
        slope, by_unit = _between_total(edition, outcome, units, n_draws, seed)
        access, by_unit_access = _on_access(edition, outcome, units, n_draws, seed)
    except GwmError as error:
        raise ModelError(f"The links of '{name}' cannot be fitted. {error}") from error
    low, high = np.quantile(access.between, [0.005, 0.995])
    if low <= 0 <= high:
        raise ModelError(
            f"The links of '{name}' cannot be fitted. Its slope between areas on access may be zero (99% interval "
            f"{low:.2f} to {high:.2f} per 100 points), so the share of it that moves within areas has no meaning."
        )
    margins = (slope / 100, access.between / 100, access.within / 100)
    return _OutcomeFit(outcome, margins, np.array([by_unit, *by_unit_access]), access)


def _between_total(
    edition: Edition, outcome: Outcome, units: tuple[str, ...], n_draws: int, seed: int
) -> tuple[Floats, Floats]:
    """Return draws of the slope per 100 points of the total, and the influence of every unit on it."""
    from gwm_models.models.cross_section import cross_section
    from gwm_models.models.gaussian.errors_in_variables import errors_in_variables
    from gwm_models.models.linear.core import least_squares

    c = cross_section(edition, outcome)
    kept = c.keep((c.value, "no published value"), (c.error, "no published limits"), (c.total, "no score"))[0]
    total, error = c.total[kept] / 100, c.total_error[kept] / 100
    found = errors_in_variables(
        c.value[kept], c.error[kept], total, error, n_draws=n_draws, seed=seed, key=f"links:{outcome.id}"
    )
    plain = least_squares(c.value[kept], np.column_stack([np.ones(len(total)), total]), 1 / c.error[kept] ** 2)
    codes = tuple(code for code, here in zip(c.code, kept, strict=True) if here)
    return found.slope[:, 0, 0], _spread(plain.influence[:, 1], codes, units)


def _on_access(
    edition: Edition, outcome: Outcome, units: tuple[str, ...], n_draws: int, seed: int
) -> tuple[AccessDraws, tuple[Floats, Floats]]:
    """Return draws of the slopes between and within per 100 access points, and the influence of every unit on both."""
    from gwm_models.models.latent.data import panel_data
    from gwm_models.models.latent.specs import sample_outcome
    from gwm_models.models.panel.table import load_panel
    from gwm_models.models.panel.within import within_between

    panel = load_panel(edition, outcome)
    data = panel_data(edition, panel)
    found = sample_outcome(data, outcome, n_draws, seed)
    plain = within_between(data.outcome, data.exposure)
    within, between = (_spread(plain.influence[j], panel.unit, units) for j in (0, 1))
    size = np.log(np.column_stack([found.of("sd_lasting"), found.of("sd_moving")]))
    exposure = np.column_stack([size, found.of("phi"), found.of("rho_noise"), found.of("shared")])
    return AccessDraws(found.of("between"), found.of("within"), exposure), (between, within)


def _spread(influence: Floats, codes: Sequence[str], units: Sequence[str]) -> Floats:
    """Return the influence of every unit, zero for those that are not in the fit."""
    place = {code: i for i, code in enumerate(units)}
    spread = np.zeros(len(units))
    spread[[place[code] for code in codes]] = influence
    return spread


def joint_correlation(influence: Floats, panels: Sequence[AccessDraws]) -> Floats:
    """Return the correlation of slopes fitted to overlapping units.

    Slopes share units, so their errors move together; that correlation is that of their influence by unit. Slopes on
    access of two outcomes also share what is not known of access itself (how much of it lasts, moves, or is noise):
    that part of their posteriors moves together as it depends on those parameters. The two slopes of one outcome move
    together as their joint posterior says.

    Parameters
    ----------
    influence : ndarray, shape (3 n_outcomes, n_units)
        What each unit adds to the error of each slope, in the order of `SLOPES` outcome by outcome.
    panels : sequence of AccessDraws, length n_outcomes

    Returns
    -------
    ndarray, shape (3 n_outcomes, 3 n_outcomes)
        Positive semi-definite: the nearest such matrix by its eigenvalues where the parts do not quite fit.

    References
    ----------
    Weesie (1999), Stata Technical Bulletin 52, 34-47. Rebonato & Jaeckel (2000), Journal of Risk 2(2), 17-27.
    """
    cov = influence @ influence.T
    sd = np.sqrt(np.diag(cov))
    shared = np.zeros(cov.shape)
    for o, one in enumerate(panels):
        for p, other in enumerate(panels):
            shared[3 * o + 1 : 3 * o + 3, 3 * p + 1 : 3 * p + 3] = _through_access(one, other)
    apart = np.sqrt(np.maximum(0, 1 - np.diag(shared)))
    correlation = cov / np.outer(sd, sd) * np.outer(apart, apart) + shared
    for o, panel in enumerate(panels):
        across, over_time = 3 * o + 1, 3 * o + 2
        pair = normal_correlation(panel.between, panel.within)
        correlation[across, over_time] = correlation[over_time, across] = pair
    root = _root(correlation)
    return np.asarray(root @ root.T)


def _through_access(one: AccessDraws, other: AccessDraws) -> Floats:
    """Return the correlation of two outcomes' access slopes that comes from the parameters of access, shape (2, 2)."""
    spread = (np.cov(one.exposure, rowvar=False) + np.cov(other.exposure, rowvar=False)) / 2
    return np.asarray(_standard_slopes(one).T @ spread @ _standard_slopes(other))


def _standard_slopes(panel: AccessDraws) -> Floats:
    """Return least-squares slopes of both access slopes, standardised, on the parameters of access, shape (p, 2)."""
    slopes = np.column_stack([panel.between, panel.within])
    standard = (slopes - slopes.mean(axis=0)) / slopes.std(axis=0)
    return np.asarray(np.linalg.lstsq(panel.exposure - panel.exposure.mean(axis=0), standard, rcond=None)[0])


def normal_correlation(first: Floats, second: Floats) -> float:
    """Return the correlation of the normal scores of paired draws."""
    scores = _normal_quantile((_rank(np.column_stack([first, second])) + 0.5) / len(first))
    one, other = scores.T - scores.mean(axis=0)[:, None]
    return float(one @ other / np.sqrt((one @ one) * (other @ other)))


def _normal_quantile(share: Floats) -> Floats:
    from scipy.special import ndtri

    return np.asarray(ndtri(share))


def _rank(values: Floats) -> NDArray[np.int64]:
    """Return ranks from 0 along the first axis, ties in order."""
    return np.asarray(np.argsort(np.argsort(values, axis=0, kind="stable"), axis=0, kind="stable"))


def _root(correlation: Floats) -> Floats:
    """Return a square root of the nearest correlation matrix, its rows of length one."""
    value, vector = np.linalg.eigh(correlation)
    root = vector * np.sqrt(np.maximum(value, 0))
    return np.asarray(root / np.sqrt((root**2).sum(axis=1, keepdims=True)))


def draw_links(links: HealthLinks, *, n_draws: int, seed: int) -> SlopeDraws:
    """Draw the slopes of all outcomes jointly.

    A Gaussian copula: correlated normals are ranked, and each rank takes the same rank among the stored draws of its
    slope. So every margin is the stored posterior, exactly where as many draws are asked for as are stored.

    Parameters
    ----------
    links : HealthLinks
    n_draws, seed : int

    References
    ----------
    Iman & Conover (1982), Communications in Statistics - Simulation and Computation 11, 311-334. Nelsen (2006), An
    Introduction to Copulas, 2nd ed., section 2.3.
    """
    k = len(links.outcome)
    normals = keyed_rng(seed, "health:slopes").standard_normal((n_draws, 3 * k))
    share = (_rank(normals @ _root(links.correlation).T) + 0.5) / n_draws if k else normals
    between, across, within = (
        _quantiles(getattr(links, name), share[:, place::3]) for place, name in enumerate(SLOPES)
    )
    return SlopeDraws(links.outcome, between, within, within / across)


def _quantiles(stored: Floats, share: Floats) -> Floats:
    """Return quantiles of each column of stored draws, at the shares of the same column, (n_draws, n_outcomes)."""
    columns = [np.quantile(draws, share[:, o], method="hazen") for o, draws in enumerate(stored.T)]
    return np.column_stack(columns) if columns else np.zeros(share.shape)


def central_links(links: HealthLinks) -> SlopeDraws:
    """Return posterior means in the shape of one draw; the share is that of the means."""
    if not links.outcome:
        return draw_links(links, n_draws=1, seed=0)
    between, across, within = (getattr(links, name).mean(axis=0, keepdims=True) for name in SLOPES)
    return SlopeDraws(links.outcome, between, within, within / across)


def links_to_arrays(links: HealthLinks) -> dict[str, NDArray[Any]]:
    """Return links as named arrays, to be stored."""
    words = {name: np.array(getattr(links, name), dtype=np.str_) for name in WORDS}
    return words | {name: np.array(getattr(links, name)) for name in (*SLOPES, "correlation")}


def links_from_arrays(arrays: Mapping[str, NDArray[Any]]) -> HealthLinks:
    """Return links from the arrays of `links_to_arrays`.

    Raises
    ------
    DataError
        If an array is missing or they do not fit together.
    """
    missing = [name for name in (*WORDS, *SLOPES, "correlation") if name not in arrays]
    if missing:
        raise DataError(f"Stored health links hold no '{missing[0]}'. Fit the links again.")
    outcome, label, unit, note = (tuple(str(each) for each in arrays[name]) for name in WORDS)
    between, across, within, correlation = (np.array(arrays[name], dtype=float) for name in (*SLOPES, "correlation"))
    return HealthLinks(outcome, label, unit, note, between, across, within, correlation)


def explain_links(links: HealthLinks) -> list[Row]:
    """Say what each link assumes, in words for a reader of policy.

    Returns
    -------
    list of dict
        One for each outcome and link: ``outcome``, ``link``, ``estimate``, ``lower``, ``upper`` (95%), ``unit`` and
        ``words``.
    """
    rows: list[Row] = []
    named = zip(links.outcome, links.label, links.unit, links.note, strict=True)
    for o, (name, label, unit, note) in enumerate(named):
        full, within = _summary(100 * links.between[:, o]), _summary(100 * links.within_access[:, o])
        share = _summary(100 * draw_links(links, n_draws=len(links.between), seed=0).within_share[:, o])
        rows += [
            _link(name, "between", full, f"{unit} per 100 points of the total", between_words(label, unit, full)),
            _link(
                name, "within", within, f"{unit} per 100 access points", within_words(label, unit, within, share, note)
            ),
            _link(name, "none", (0.0, 0.0, 0.0), f"{unit} per 100 points", none_words(label)),
        ]
    return rows


def _summary(draws: Floats) -> tuple[float, float, float]:
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(draws.mean()), float(low), float(high)


def _link(outcome: str, link: str, numbers: tuple[float, float, float], unit: str, words: str) -> Row:
    names = ("outcome", "link", "estimate", "lower", "upper", "unit", "words")
    return dict(zip(names, (outcome, link, *numbers, unit, words), strict=True))
