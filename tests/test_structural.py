"""Bayesian structural time series: against exact posteriors, its laws, refusals, coverage."""

import json
from statistics import NormalDist

import numpy as np
import pytest

from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError
from gwm_models.evaluation.interrupted import interrupted_series
from gwm_models.evaluation.structural import MEDIAN, PRIOR_SD, counterfactual

NONE = np.empty((60, 0))
SERIES = {"time": "month", "outcome": "rate"}


def months(n):
    return [f"{2010 + t // 12}-{t % 12 + 1:02d}" for t in range(n)]


def wander(seed, n=60, level=0.3, irregular=1.0):
    rng = np.random.default_rng(seed)
    return np.cumsum(level * rng.normal(size=n)) + irregular * rng.normal(size=n)


def exact(seen, n_after):
    """Return mean and sd of the mean of the times hidden, by plain matrices on a grid of the two variances.

    Local level with a flat prior on the first level: figures are normal with covariance ``s2 I + q2 min(i, j)`` about
    an unknown mean.
    """
    n, whole = len(seen), len(seen) + n_after
    line = np.polynomial.Polynomial.fit(np.arange(n), seen, 1)
    scale = np.std(seen - line(np.arange(n)))
    y = (seen - seen.mean()) / scale
    walk = np.minimum.outer(np.arange(whole), np.arange(whole)).astype(float)
    parts = []
    for a in np.linspace(np.log(0.35), np.log(1.5), 21):
        for b in np.linspace(-8.0, np.log(1.2), 41):
            cov = np.exp(2 * a) * np.eye(whole) + np.exp(2 * b) * walk
            inside = np.linalg.inv(cov[:n, :n])
            weight = inside.sum()
            mean = inside.sum(axis=0) @ y / weight
            size = (y - mean) @ inside @ (y - mean)
            log = -0.5 * (np.linalg.slogdet(cov[:n, :n])[1] + np.log(weight) + size)
            log -= 0.5 * ((a - np.log(MEDIAN["irregular"])) ** 2 + (b - np.log(MEDIAN["level"])) ** 2) / PRIOR_SD**2
            load = np.r_[np.zeros(n), np.full(n_after, 1 / n_after)]
            to = cov[:n] @ load
            middle = mean + to @ inside @ (y - mean)
            spread = load @ cov @ load - to @ inside @ to + (1 - to @ inside.sum(axis=0)) ** 2 / weight
            parts.append((log, middle, spread))
    log, middle, spread = np.array(parts).T
    weight = np.exp(log - log.max()) / np.exp(log - log.max()).sum()
    mean = weight @ middle
    return seen.mean() + scale * mean, scale * np.sqrt(weight @ (spread + (middle - mean) ** 2))


def test_draws_are_those_of_the_exact_posterior():
    seen = wander(1, 40)
    found = counterfactual(seen, np.empty((50, 0)), 10, rng=keyed_rng(1, "s"), n_draws=2500)
    mean, sd = exact(seen, 10)
    average = found.draws.mean(axis=1)
    assert average.mean() == pytest.approx(mean, abs=0.08 * sd)
    assert average.std() == pytest.approx(sd, rel=0.08)
    assert found.effective > 200


def test_a_control_that_moves_with_the_series_tells_what_would_have_been():
    rng = np.random.default_rng(2)
    control = np.cumsum(rng.normal(size=60))
    value = 4 + 2 * control + 0.2 * rng.normal(size=60)
    found = counterfactual(value[:45], control[:, None], 15, rng=keyed_rng(2, "s"))
    alone = counterfactual(value[:45], NONE, 15, rng=keyed_rng(2, "s"))
    assert found.draws.mean(axis=0) == pytest.approx(value[45:], abs=1.5)
    assert found.draws.mean(axis=1).std() < alone.draws.mean(axis=1).std() / 4


def test_seasons_go_on_after_the_start():
    t = np.arange(60)
    value = 3 * np.sin(2 * np.pi * t / 12) + 0.1 * np.random.default_rng(3).normal(size=60)
    found = counterfactual(value[:48], NONE, 12, period=12, rng=keyed_rng(3, "s"))
    assert found.draws.mean(axis=0) == pytest.approx(value[48:], abs=0.4)


def test_a_slope_goes_on_where_the_trend_is_linear():
    value = 0.5 * np.arange(40) + 0.3 * np.random.default_rng(9).normal(size=40)
    panel = {"month": months(40), "rate": value.tolist()}
    found = interrupted_series(panel, **SERIES, start="2012-05", model="structural", trend="local_linear")
    assert found.lower < 0 < found.upper
    level = interrupted_series(panel, **SERIES, start="2012-05", model="structural")
    assert level.att > found.att + 2
    assert not level.valid


def test_shift_and_scale_carry_over():
    seen = wander(4, 40)
    one, two = (counterfactual(v, NONE[:50], 10, rng=keyed_rng(4, "s"), n_draws=200) for v in (seen, 100 + 7 * seen))
    assert two.draws == pytest.approx(100 + 7 * one.draws, abs=1e-4)


def test_an_effect_is_told_with_its_path_and_the_same_seed_gives_the_same():
    value = 20 + wander(5, 60)
    value[45:] += 4
    panel = {"month": months(60), "rate": value.tolist()}
    found = interrupted_series(panel, **SERIES, start="2013-10", model="structural", seed=2)
    assert found.lower < 4 < found.upper
    assert found.lower > 0
    assert found.p_value < 0.05
    post = [row for row in found.path if row.post]
    assert len(post) == 15
    assert np.mean([row.effect for row in post]) == pytest.approx(found.att, abs=1e-8)
    short = {name: column[:16] for name, column in panel.items()}
    one, two = (interrupted_series(short, **SERIES, start="2011-01", model="structural", seed=2) for _ in range(2))
    assert json.dumps(one.to_dict(), allow_nan=False) == json.dumps(two.to_dict(), allow_nan=False)


def test_gaps_in_the_series_are_filled_and_gaps_in_the_control_are_refused():
    rng = np.random.default_rng(6)
    control = np.cumsum(rng.normal(size=40))
    value = control + 0.3 * rng.normal(size=40)
    panel = {"u": ["a"] * 40 + ["b"] * 40, "month": months(40) * 2, "rate": [*value, *control]}
    panel["rate"][7] = panel["rate"][35] = np.nan
    given = {"unit": "u", "treated": "a", "controls": ["b"], "start": "2012-07", "model": "structural"}
    found = interrupted_series(panel, **SERIES, **given)
    assert found.sample["times_after"] == 9
    panel["rate"][50] = np.nan
    with pytest.raises(ModelError, match="has a gap"):
        interrupted_series(panel, **SERIES, **given)


@pytest.mark.parametrize(
    ("seen", "controls", "text"),
    [
        (np.arange(30.0), np.empty((40, 0)), "straight line"),
        (wander(7, 30), np.ones((40, 1)), "does not move"),
        (wander(7, 30), np.random.default_rng(1).normal(size=(40, 9)), "too many"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(seen, controls, text):
    with pytest.raises(ModelError, match=text):
        counterfactual(seen, controls, 10, rng=keyed_rng(1, "s"))


def test_counts_are_refused():
    panel = {"month": months(40), "rate": list(range(40))}
    with pytest.raises(ValueError, match="is for levels"):
        interrupted_series(panel, **SERIES, start="2012-03", model="structural", family="poisson")


@pytest.mark.slow
def test_intervals_cover_when_the_series_wanders_as_the_model_says():
    """The place of the truth among the draws, as a normal score, has mean 0 and variance 1; coverage says less."""
    score, inside = [], []
    rng = np.random.default_rng(8)
    for seed in range(100):
        level = np.exp(rng.normal(np.log(0.2), 0.6))
        value = wander(100 + seed, 60, level=level)
        found = counterfactual(value[:45], NONE, 15, rng=keyed_rng(seed, "s"), n_draws=500)
        gap = (value[45:] - found.draws).mean(axis=1)
        score.append(NormalDist().inv_cdf((0.5 + np.sum(gap < 0)) / (len(gap) + 1)))
        low, high = np.quantile(gap, [0.05, 0.95])
        inside.append(low <= 0 <= high)
    assert abs(np.mean(score)) < 3 / np.sqrt(100)
    assert abs(np.mean(np.square(score)) - 1) < 3 * np.sqrt(2 / 100)
    assert 0.82 <= np.mean(inside) <= 0.97  # 99% of the time if it is 90%, by the binomial
