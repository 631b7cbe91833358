"""Bayesian structural time series: the counterfactual drawn from a level that wanders, seasons and controls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError
from gwm_models.evaluation.effect import Check, Effect, PathRow, Row
from gwm_models.evaluation.panel import PanelMatrix
from gwm_models.evaluation.series import Series, words_of

Floats = NDArray[np.float64]
Trend = Literal["local_level", "local_linear"]

N_DRAWS, N_PROPOSED, N_PILOT = 1000, 800, 300
LEAST_EFFECTIVE = 100.0
"""Effective draws of the variances below which the interval is not offered as valid."""
LEAST_PLACEBO, LEAST_TIMES = 15, 30
"""Times before the start from which the model is tried on a made-up start, and its interval offered as valid."""
TAIL = 5
"""Degrees of freedom of the proposal."""
PRIOR_SD = 1.5
"""Of the logarithm of each standard deviation: a factor of about 20 either way with a probability of 95%."""
MEDIAN = {"irregular": 0.5, "level": 0.2, "trend": 0.02, "seasonal": 0.02}
"""Prior medians of standard deviations, over that of the series about its straight line before the start."""


@dataclass(frozen=True, eq=False)
class Forecast(Frozen):
    """Draws of what a series would have been.

    Attributes
    ----------
    draws : ndarray, shape (n_draws, n_times)
        Of the times that were hidden.
    smoothed : ndarray, shape (n_times_seen,)
        One-step predictions of the times that were seen.
    sd : mapping of str to float
        Posterior medians of the standard deviations.
    effective : float
        Effective number of draws of the variances.
    """

    draws: Floats
    smoothed: Floats
    sd: dict[str, float]
    effective: float


def counterfactual(
    seen: Floats,
    controls: Floats,
    n_after: int,
    *,
    trend: Trend = "local_level",
    period: int = 0,
    rng: np.random.Generator,
    n_draws: int = N_DRAWS,
) -> Forecast:
    """Draw the times after the start from a structural model fitted to those before it.

    Level, seasons and regression coefficients have diffuse priors and are integrated out by the Kalman filter; the
    standard deviations, two to four, are drawn by importance sampling about their posterior mode.

    Parameters
    ----------
    seen : ndarray, shape (n_before,)
        NaN where there is no figure.
    controls : ndarray, shape (n_before + n_after, k)
    n_after : int
    trend : {"local_level", "local_linear"}
    period : int
        Times in a cycle; 0 for no seasons.
    rng : Generator
    n_draws : int

    References
    ----------
    Brodersen et al. (2015), Annals of Applied Statistics 9, 247-274. Harvey (1989), Forecasting, Structural Time
    Series Models and the Kalman Filter, sections 3.4 and 7.3.
    """
    there = np.isfinite(seen)
    line = np.polynomial.Polynomial.fit(np.flatnonzero(there), seen[there], 1)
    scale = float(np.std(seen[there] - line(np.flatnonzero(there))))
    if not scale > 1e-10 * float(np.abs(seen[there]).max()):
        raise ModelError("the series is a straight line before the start, so it has no noise to learn from.")
    middle = float(np.nanmean(seen))
    hidden = np.concatenate([(seen - middle) / scale, np.full(n_after, np.nan)])
    model = _model(hidden, _scaled(controls, len(seen)), trend, period)
    names = [name.removeprefix("sigma2.") for name in model.param_names]
    medians = np.log([MEDIAN[name] for name in names])

    def posterior(log_sd: Floats) -> float:
        prior = -0.5 * float((((log_sd - medians) / PRIOR_SD) ** 2).sum())
        return float(model.loglike(np.exp(2 * log_sd))) + prior

    chosen, effective = _draw(posterior, medians, rng, n_draws)
    paths = _paths(model, np.exp(2 * chosen), len(seen), rng)
    sds = {name: scale * float(np.median(np.exp(chosen[:, j]))) for j, name in enumerate(names)}
    typical = model.smooth(np.exp(2 * np.median(chosen, axis=0)))
    fitted = middle + scale * np.asarray(typical.forecasts[0][: len(seen)])
    return Forecast(middle + scale * paths, fitted, sds, effective)


def _scaled(controls: Floats, n_before: int) -> Floats:
    """Return the controls less their mean and over their standard deviation before the start; flat ones refused."""
    if not controls.shape[1]:
        return controls
    spread = controls[:n_before].std(axis=0)
    if not (spread > 1e-12 * np.abs(controls[:n_before]).max(axis=0)).all():
        raise ModelError("a control does not move before the start, so nothing can be learnt from it. Leave it out.")
    if controls.shape[1] > n_before // 4:
        raise ModelError(
            f"{controls.shape[1]} controls are too many for {n_before} times before the start; take at most "
            f"{n_before // 4}, or their average."
        )
    return np.asarray((controls - controls[:n_before].mean(axis=0)) / spread)


def _model(hidden: Floats, controls: Floats, trend: Trend, period: int) -> Any:
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    more = {"exog": controls, "mle_regression": False} if controls.shape[1] else {}
    model = UnobservedComponents(
        hidden,
        level="local linear trend" if trend == "local_linear" else "local level",
        seasonal=period or None,
        stochastic_seasonal=True,
        use_exact_diffuse=True,
        **more,
    )
    return model


def _draw(
    posterior: Callable[[Floats], float], start: Floats, rng: np.random.Generator, n_draws: int
) -> tuple[Floats, float]:
    """Return draws of the log standard deviations by importance sampling, and how many they are worth.

    A pilot run about the mode sets the centre and the spread of the proposal.
    """
    from scipy.optimize import minimize

    best = minimize(lambda x: -posterior(x), start, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-4})
    middle, cov = best.x, _curvature(posterior, best.x)
    for number in (N_PILOT, N_PROPOSED):
        proposed, weight = _weigh(posterior, middle, cov, rng, number)
        middle = weight @ proposed
        cov = (proposed - middle).T @ ((proposed - middle) * weight[:, None]) + 1e-4 * np.eye(len(start))
    place = np.searchsorted(np.cumsum(weight), (rng.uniform() + np.arange(n_draws)) / n_draws)
    return proposed[np.minimum(place, N_PROPOSED - 1)], float(1 / (weight**2).sum())


def _weigh(
    posterior: Callable[[Floats], float], middle: Floats, cov: Floats, rng: np.random.Generator, number: int
) -> tuple[Floats, Floats]:
    """Return draws of a multivariate t and the weights that make them draws of the posterior."""
    k = len(middle)
    normal = rng.standard_normal((number, k)) / np.sqrt(rng.chisquare(TAIL, number) / TAIL)[:, None]
    proposed = middle + normal @ np.linalg.cholesky(cov).T
    log_density = -0.5 * (TAIL + k) * np.log1p((normal**2).sum(axis=1) / TAIL)
    log_weight = np.array([posterior(x) for x in proposed]) - log_density
    weight = np.exp(log_weight - log_weight.max())
    return proposed, np.asarray(weight / weight.sum())


def _curvature(posterior: Callable[[Floats], float], mode: Floats) -> Floats:
    """Return the covariance of a normal with the posterior's curvature at the mode, no wider than the prior."""
    k, step = len(mode), 0.05
    unit = step * np.eye(k)
    second = np.array(
        [
            [
                posterior(mode + a + b) - posterior(mode + a - b) - posterior(mode - a + b) + posterior(mode - a - b)
                for b in unit
            ]
            for a in unit
        ]
    ) / (4 * step**2)
    value, vector = np.linalg.eigh(-(second + second.T) / 2)
    return np.asarray((vector / np.maximum(value, 1 / PRIOR_SD**2)) @ vector.T)


def _paths(model: Any, variances: Floats, n_before: int, rng: np.random.Generator) -> Floats:
    """Draw the state after the last figure seen and let it run on, one path for each set of variances."""
    n_after = model.nobs - n_before
    paths = np.empty((len(variances), n_after))
    noise = model.param_names.index("sigma2.irregular")
    for j, params in enumerate(variances):
        model.update(params)
        found = model.ssm.filter()
        value, vector = np.linalg.eigh(found.predicted_state_cov[:, :, n_before])
        root = vector * np.sqrt(np.maximum(value, 0.0))
        state = found.predicted_state[:, n_before] + root @ rng.standard_normal(len(value))
        transition, design = model["transition"], model["design"]
        spread = model["selection"] @ np.sqrt(model["state_cov"])
        shocks = spread @ rng.standard_normal((spread.shape[1], n_after))
        irregular = np.sqrt(params[noise]) * rng.standard_normal(n_after)
        for h in range(n_after):
            loads = design[0][:, n_before + h] if design.ndim == 3 else design[0]
            paths[j, h] = loads @ state + irregular[h]
            state = transition @ state + shocks[:, h]
    return paths


def structural_effect(
    data: Series, matrix: PanelMatrix, names: tuple[str, ...], trend: Trend, period: int, level: float, seed: int
) -> Effect:
    """Set a series against draws of what it would have been; the control and covariates are regressors.

    Parameters
    ----------
    data : Series
    matrix : PanelMatrix
    names : tuple of str
        Treated units.
    trend : {"local_level", "local_linear"}
    period : int
        Times in a cycle of seasons that may change slowly; 0 for none.
    level : float
        Posterior probability of intervals.
    seed : int

    Raises
    ------
    ModelError
        If the control or a covariate has a gap, or does not move before the start.
    """
    value, controls = _grid(data)
    n_before = data.start - int(data.position[data.series == 0][0])
    after = value[n_before:]
    rng = keyed_rng(seed, "structural", matrix.outcome)
    found = counterfactual(value[:n_before], controls, len(after), trend=trend, period=period, rng=rng)
    gap = after - found.draws
    known = np.isfinite(after)
    mean = gap[:, known].mean(axis=1)
    lower, upper = _quantiles(mean, level)
    placebo = _placebo(value[:n_before], controls[:n_before], trend, period, seed)
    valid, why = _judge(found, placebo, n_before)
    rows = np.flatnonzero(data.series == 0)
    total, ends = int(known.sum()), (lower, upper)
    whole: Row = {"term": "all times from the start on", "estimate": total * float(mean.mean())}
    whole |= {"std_error": total * float(mean.std()), "lower": total * ends[0], "upper": total * ends[1], "n": total}
    return Effect(
        method="structural_series",
        outcome=matrix.outcome,
        treated=names,
        start=matrix.time[int(data.column[rows][data.position[rows] >= data.start][0])],
        att=float(mean.mean()),
        std_error=float(mean.std()),
        lower=lower,
        upper=upper,
        level=level,
        p_value=_tail(mean),
        interval=f"posterior of a structural time series, {len(mean)} draws; p is twice the smaller tail",
        valid=valid,
        valid_why=why,
        path=tuple(_path(data, matrix, found, gap, level)),
        words=words_of(bool((data.series == 1).any())),
        checks=(
            *([placebo] if placebo is not None else []),
            Check(
                "effective_draws",
                found.effective,
                "pass" if found.effective >= LEAST_EFFECTIVE else "fail",
                f"The draws of the variances are worth {found.effective:.0f} independent ones.",
            ),
        ),
        terms=(whole, *({"term": f"sd of {name}", "estimate": sd} for name, sd in found.sd.items())),
        sample={"units": len(names), "times_before": int(np.isfinite(value[:n_before]).sum()), "times_after": total},
        seed=seed,
    )


def _grid(data: Series) -> tuple[Floats, Floats]:
    """Return the treated series on a grid of steps, NaN in gaps, with its control and covariates, which have none."""
    own = data.series == 0
    first, last = int(data.position[own][0]), int(data.position[own][-1])
    n = last - first + 1
    value = np.full(n, np.nan)
    value[data.position[own] - first] = data.outcome[own]
    columns = np.full((n, data.covariates.shape[1]), np.nan)
    columns[data.position[own] - first] = data.covariates[own]
    if (data.series == 1).any():
        control = np.full((n, 1), np.nan)
        inside = (data.series == 1) & (data.position >= first) & (data.position <= last)
        control[data.position[inside] - first, 0] = data.outcome[inside]
        columns = np.concatenate([control, columns], axis=1)
    if not np.isfinite(columns).all():
        raise ModelError(
            "the control or a covariate has a gap where the series runs. Fill it, or leave the column out."
        )
    return value, columns


def _placebo(seen: Floats, controls: Floats, trend: Trend, period: int, seed: int) -> Check | None:
    """Hide the last third of the time before the start, where nothing happened."""
    cut = len(seen) - len(seen) // 3
    if np.isfinite(seen[:cut]).sum() < LEAST_PLACEBO + 2 * period or not np.isfinite(seen[cut:]).any():
        return None
    rng = keyed_rng(seed, "structural:placebo")
    found = counterfactual(seen[:cut], controls, len(seen) - cut, trend=trend, period=period, rng=rng, n_draws=400)
    p_value = _tail(np.nanmean(seen[cut:] - found.draws, axis=1))
    out = p_value < 0.05
    words = f"The last third of the time before the start was {'not ' if out else ''}foretold (p {p_value:.3g})."
    return Check("placebo_start", p_value, "fail" if out else "pass", words)


def _judge(found: Forecast, placebo: Check | None, n_before: int) -> tuple[bool, str]:
    if found.effective < LEAST_EFFECTIVE:
        return False, f"The draws of the variances are worth {found.effective:.0f} only."
    if placebo is not None and placebo.verdict == "fail":
        return False, "The model did not foretell the last third of the time before the start."
    if n_before < LEAST_TIMES or placebo is None:
        return False, f"{n_before} times before the start are too few to learn how the series wanders."
    return True, f"{n_before} times before the start; it holds if the series goes on wandering as it did."


def _quantiles(draws: Floats, level: float) -> tuple[float, float]:
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _tail(draws: Floats) -> float:
    """Return twice the smaller share of draws on one side of zero, at least 2 / (n + 1)."""
    below = int((draws < 0).sum())
    return min(1.0, 2 * (1 + min(below, len(draws) - below)) / (len(draws) + 1))


def _path(data: Series, matrix: PanelMatrix, found: Forecast, gap: Floats, level: float) -> list[PathRow]:
    rows = np.flatnonzero(data.series == 0)
    first = int(data.position[rows[0]])
    path = []
    for i in rows.tolist():
        at, observed, step = matrix.time[int(data.column[i])], float(data.outcome[i]), int(data.position[i])
        if step < data.start:
            path.append(PathRow(at, observed, float(found.smoothed[step - first]), None, post=False))
            continue
        effects = gap[:, step - data.start]
        middle = float(effects.mean())
        path.append(PathRow(at, observed, observed - middle, middle, *_quantiles(effects, level), post=True))
    return path
