"""Several outcomes with one shared factor that goes with the score: arrays in, draws out.

Unit `i` has outcomes `k`. Log levels and log rates, each less its mean and over its spread between units, follow

    y_ik = a_k + lambda_k f_i + b_k g_ij + r_ik + published error,     f_i = beta xi_i + eta_i,     eta_i ~ N(0, 1),

where `xi_i` is the true score, of which the published one is a noisy measure with known error, `r_ik` is the outcome's
own residual, and `g_ij` is what the outcomes of group `j` (hospital admissions, say) share beyond the factor. A count
is Poisson given its log rate. True scores, the factor, group factors and residuals are integrated out in closed form:
the chains move over the parameters and the log rates of the counts only, and the factor is drawn from its exact
conditional afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.models.chains import Build, Chains, sample

Floats = NDArray[np.float64]

SLOPE_SD = 2.0
"""Prior standard deviation of the factor's slope, in residual standard deviations of the factor per 100 points."""
UNIT_SD = 1.0
"""Prior standard deviation of levels and mean score (normal), of loadings on the factors of groups (half-normal), and
of the common size of the loadings on the shared factor (half-normal), which are half-normal with that size.

Without a common size, seven independent loadings push their joint size up and the factor's slope towards 0, in
simulation by 0.4 of its standard deviation: the outcomes' own slopes are loading times slope.

No loading is negative: outcomes are worse when higher, and the factor is what makes them so together. Free signs have a
second, mirrored mode, in which chains can be caught."""
RESIDUAL_SHAPE, RESIDUAL_RATE = 2.0, 3.0
"""Of the gamma prior of the residual deviations."""
LEAST_DRAWS = 8000
"""Small residuals move slowly: so many draws leave room to spare in the checks."""
TARGET_ACCEPT = 0.8
"""Loadings and slope go together: longer steps give twice the effective draws of those at 0.9, and none diverges."""


@dataclass(frozen=True, eq=False)
class DespairData(Frozen):
    """Outcomes by unit, ready for the model; NaN where there is no figure.

    Attributes
    ----------
    levels, errors : ndarray, shape (n, k)
        Log levels less their mean and over their spread, and their known standard errors (0 where none is published).
        The column of a count holds NaN and 0.
    counts, person_years : ndarray, shape (n, k)
        NaN in the column of a level.
    centre, scale : ndarray, shape (k,)
        Mean and standard deviation over units of the log level or log crude rate.
    score, score_error : ndarray, shape (n,)
        Hundreds of points from the mean, and the known standard error.
    groups : ndarray of int, shape (k,)
        Group of each outcome, from 0; -1 for none. A group has two outcomes or more.
    """

    levels: Floats
    errors: Floats
    counts: Floats
    person_years: Floats
    centre: Floats
    scale: Floats
    score: Floats
    score_error: Floats
    groups: NDArray[np.int64]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Cells with a figure, shape (n, k)."""
        return np.isfinite(self.levels) | np.isfinite(self.counts)

    @property
    def members(self) -> Floats:
        """Ones where an outcome is of a group, shape (k, n_groups)."""
        return np.asarray(self.groups[:, None] == np.arange(self.groups.max(initial=-1) + 1), dtype=float)


@dataclass(frozen=True, eq=False)
class DespairDraws(Frozen):
    """Posterior draws, on the scale of outcomes divided by their spread.

    Attributes
    ----------
    beta : ndarray, shape (n_draws,)
        Slope of the factor, in its residual standard deviations per 100 points.
    loading, intercept, residual, group : ndarray, shape (n_draws, k)
        Loading on the factor, level at the mean score, standard deviation of the own residual, and loading on the
        factor of the outcome's group (0 without one).
    score_mean, score_sd : ndarray, shape (n_draws,)
        Of the true scores.
    outcome : ndarray, shape (n_draws, n, k)
        Levels, and log rates of counts; 0 where there is no figure.
    factor, deviation : ndarray, shape (n_draws, n)
        `f`, and `eta`: how far the factor lies above the line that goes with the score.
    """

    beta: Floats
    loading: Floats
    intercept: Floats
    residual: Floats
    group: Floats
    score_mean: Floats
    score_sd: Floats
    outcome: Floats
    factor: Floats
    deviation: Floats

    @property
    def spread(self) -> Floats:
        """Standard deviation of the factor among all areas, in that among areas of the same score, (n_draws,)."""
        return np.asarray(np.sqrt(1 + (self.beta * self.score_sd) ** 2))


def without(data: DespairData, outcome: int) -> DespairData:
    """Leave one outcome out; a group that this leaves with one outcome is a group no more.

    Parameters
    ----------
    data : DespairData
    outcome : int
        Place of the outcome.
    """
    kept = np.arange(len(data.scale)) != outcome
    names, place, size = np.unique(data.groups[kept], return_inverse=True, return_counts=True)
    is_group = (names >= 0) & (size > 1)
    number = np.where(is_group, np.cumsum(is_group) - 1, -1)
    by_column = {name: getattr(data, name)[..., kept] for name in ("levels", "errors", "counts", "person_years")}
    return replace(
        data,
        **by_column,
        centre=data.centre[kept],
        scale=data.scale[kept],
        groups=number[place],
    )


def draw_prior(data: DespairData, n_draws: int, rng: np.random.Generator) -> DespairDraws:
    """Draw parameters from the prior; levels, log rates and factors, which it does not need, are 0."""
    n, k = data.levels.shape
    free = free_group_loadings(data.groups)
    size = UNIT_SD * np.abs(rng.standard_normal((n_draws, 1)))
    nothing = np.zeros((n_draws, n))
    return DespairDraws(
        beta=SLOPE_SD * rng.standard_normal(n_draws),
        loading=size * np.abs(rng.standard_normal((n_draws, k))),
        intercept=UNIT_SD * rng.standard_normal((n_draws, k)),
        residual=rng.gamma(RESIDUAL_SHAPE, 1 / RESIDUAL_RATE, (n_draws, k)),
        group=UNIT_SD * np.abs(rng.standard_normal((n_draws, free.shape[1]))) @ free.T,
        score_mean=UNIT_SD * rng.standard_normal(n_draws),
        score_sd=UNIT_SD * np.abs(rng.standard_normal(n_draws)),
        outcome=np.zeros((n_draws, n, k)),
        factor=nothing,
        deviation=nothing,
    )


def sample_despair(data: DespairData, *, n_draws: int, seed: int, key: str = "despair") -> tuple[DespairDraws, Chains]:
    """Sample the model, and draw each unit's factor and its deviation from the line.

    Raises
    ------
    ModelError
        If the chains fail a check; see `chains.sample`.

    References
    ----------
    Skrondal & Rabe-Hesketh (2004), Generalized Latent Variable Modeling, chapter 3 (factor models with covariates,
    mixed responses). Hogan & Tchernis (2004), Journal of the American Statistical Association 99, 314-324 (a shared
    factor of area health). Aitchison & Ho (1989), Biometrika 76, 643-653 (Poisson-lognormal counts).
    """
    chains = sample(
        build(data),
        n_draws=n_draws,
        seed=seed,
        key=key,
        what="Shared factor of the outcomes",
        least_draws=LEAST_DRAWS,
        target_accept=TARGET_ACCEPT,
    )
    return draw_factor(data, chains.draws, seed, key), chains


def draw_factor(data: DespairData, drawn: Mapping[str, Floats], seed: int, key: str) -> DespairDraws:
    """Draw each unit's factor, and its deviation from the line, from their exact conditionals.

    Parameters
    ----------
    data : DespairData
    drawn : mapping of str to ndarray, shape (n_draws, ...)
        Draws of the variables of the model that `build` makes.
    seed : int
    key : str
        What is drawn: the same seed and key give the same draws.
    """
    n_draws = len(drawn["beta"])
    outcome = np.broadcast_to(np.where(np.isfinite(data.levels), data.levels, 0.0), (n_draws, *data.levels.shape))
    outcome = outcome.copy()
    outcome[:, np.isfinite(data.counts)] = drawn["rate"]
    names = ("beta", "loading", "intercept", "residual", "group", "score_mean", "score_sd")
    draws = DespairDraws(**{name: drawn[name] for name in names}, outcome=outcome, factor=outcome, deviation=outcome)
    white = keyed_rng(seed, key, "factor").standard_normal((2, n_draws, len(data.score)))
    line, wobble = _line(data, draws)
    normal = conditional(data, draws)
    spread = 1 / (1 / normal.factor_variance + normal.information)
    above = spread * normal.pull + np.sqrt(spread) * white[0]
    share = 1 / normal.factor_variance
    deviation = share * above + np.sqrt(share * wobble) * white[1]
    parts = {name: getattr(draws, name) for name in names}
    return DespairDraws(**parts, outcome=outcome, factor=line + above, deviation=deviation)


def _line(data: DespairData, draws: DespairDraws) -> tuple[Floats, Floats]:
    """Return the factor expected from the published score, and the variance that its noise adds, shape (n_draws, n)."""
    noise = data.score_error**2
    mean, variance = draws.score_mean[:, None], draws.score_sd[:, None] ** 2
    kept = variance / (variance + noise)
    slope = draws.beta[:, None]
    return slope * (mean + kept * (data.score - mean)), slope**2 * kept * noise


@dataclass(frozen=True, eq=False)
class Conditional:
    """What the outcomes of a unit say, given the parameters: factor integrated out, or not.

    With P the inverse covariance of a unit's outcomes given its factor, and m what they miss their line by:

    Attributes
    ----------
    factor_variance : ndarray, shape (n_draws, n)
        Of the factor given the published score.
    information, pull : ndarray, shape (n_draws, n)
        lambda' P lambda and lambda' P m.
    mean, variance : ndarray, shape (n_draws, n, k)
        Of each outcome given the unit's other outcomes, the factor integrated out.
    """

    factor_variance: Floats
    information: Floats
    pull: Floats
    mean: Floats
    variance: Floats


def conditional(data: DespairData, draws: DespairDraws) -> Conditional:
    """Return the Gaussian conditionals of factor and outcomes in each draw."""
    seen, member = data.seen, data.members
    line, wobble = _line(data, draws)
    factor_variance = 1 + wobble
    loading = draws.loading[:, None, :]
    missed = seen * (draws.outcome - draws.intercept[:, None, :] - loading * line[..., None])
    precise = seen / (draws.residual[:, None, :] ** 2 + data.errors**2)
    weighted = precise * draws.group[:, None, :]
    shared = 1 + (weighted * draws.group[:, None, :]) @ member

    def solve(values: Floats) -> Floats:
        """Multiply by P: own residuals first, then what the groups share."""
        return precise * values - weighted * (((weighted * values) @ member / shared) @ member.T)

    solved_loading, solved_missed = solve(loading * np.ones_like(missed)), solve(missed)
    information = (loading * solved_loading).sum(axis=2)
    pull = (loading * solved_missed).sum(axis=2)
    left = factor_variance / (1 + factor_variance * information)
    diagonal = precise - weighted**2 * ((1 / shared) @ member.T)
    diagonal = diagonal - left[..., None] * solved_loading**2
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(seen, 1 / diagonal, np.nan)
        mean = draws.outcome - variance * (solved_missed - (left * pull)[..., None] * solved_loading)
    return Conditional(factor_variance, information, pull, mean, variance)


def figures(data: DespairData) -> dict[str, NDArray[Any]]:
    """Return the figures that differ between data sets of the same units, by the names they have in the model."""
    return {
        "published_score": data.score,
        "published_levels": np.where(np.isfinite(data.levels), data.levels, 0.0),
        "published_counts": data.counts[np.isfinite(data.counts)].astype(int),
    }


def build(data: DespairData) -> Build:
    """Return what makes the model when it is given the module ``pymc``.

    Published scores, levels and counts are data containers of the model, by the names of `figures`.
    """
    seen, member = data.seen.astype(float), data.members
    row, column = np.nonzero(np.isfinite(data.counts))
    count, years = data.counts[row, column], data.person_years[row, column]
    centre, scale = data.centre[column], data.scale[column]
    start = (np.log((count + 0.5) / years) - centre) / scale
    k = len(data.scale)
    free = free_group_loadings(data.groups)
    noise = data.score_error**2

    def make(pm: Any) -> Any:
        pt = _tensors()
        with pm.Model() as model:
            score, known, counts = (pm.Data(name, values, shape=values.shape) for name, values in figures(data).items())
            score_mean, score_sd = pm.Normal("score_mean", 0, UNIT_SD), pm.HalfNormal("score_sd", UNIT_SD)
            pm.Normal("score", score_mean, pt.sqrt(score_sd**2 + noise), observed=score)
            kept = score_sd**2 / (score_sd**2 + noise)
            beta = pm.Normal("beta", 0, SLOPE_SD)
            line = beta * (score_mean + kept * (score - score_mean))
            factor_variance = 1 + beta**2 * kept * noise
            loading = pm.HalfNormal("loading", pm.HalfNormal("loading_size", UNIT_SD), shape=k)
            intercept = pm.Normal("intercept", 0, UNIT_SD, shape=k)
            residual = pm.Gamma("residual", RESIDUAL_SHAPE, RESIDUAL_RATE, shape=k)
            free_group = pm.HalfNormal("free_group", UNIT_SD, shape=free.shape[1])
            group = pm.Deterministic("group", pt.dot(free, free_group))
            rate = pm.Flat("rate", shape=len(count), initval=start)
            pm.Poisson("counts", years * pt.exp(centre + scale * rate), observed=counts)
            outcome = pt.set_subtensor(known[row, column], rate)
            missed = seen * (outcome - intercept - loading * line[:, None])
            precise = seen / (residual**2 + data.errors**2)
            shared = 1 + pt.dot(precise, group[:, None] ** 2 * member)
            pull_group = pt.dot(precise * missed, group[:, None] * member)
            cross = pt.dot(precise, (group * loading)[:, None] * member)
            information = pt.dot(precise, loading**2) - (cross**2 / shared).sum(axis=1)
            pull = pt.dot(precise * missed, loading) - (cross * pull_group / shared).sum(axis=1)
            grown = 1 + factor_variance * information
            square = (precise * missed**2).sum(axis=1) - (pull_group**2 / shared).sum(axis=1)
            square -= factor_variance * pull**2 / grown
            size = -(seen * pt.log(residual**2 + data.errors**2)).sum(axis=1)
            pm.Potential("outcomes", 0.5 * (size - pt.log(shared).sum(axis=1) - pt.log(grown) - square).sum())
        return model

    return make


def _tensors() -> Any:
    from pytensor import tensor

    return tensor


def free_group_loadings(groups: NDArray[np.int64]) -> Floats:
    """Return which free loading each outcome takes on the factor of its group, shape (k, n_free): ones and zeros.

    Three outcomes or more have a loading each; two have one between them, as their covariance is all that they tell.
    """
    sources: list[NDArray[np.bool_]] = []
    for group in range(groups.max(initial=-1) + 1):
        inside = groups == group
        sources += [inside] if inside.sum() == 2 else [np.arange(len(groups)) == j for j in np.flatnonzero(inside)]
    return np.array(sources, dtype=float).reshape(-1, len(groups)).T
