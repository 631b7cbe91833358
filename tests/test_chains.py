"""Markov chains: same seed same draws, known posteriors, failed checks, and machines without a compiler."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from gwm_models.errors import ModelError
from gwm_models.models import chains
from gwm_models.models.chains import diagnose, leave_one_out, sample


def independent(seed=0, n=1000, chains=4):
    rng = np.random.default_rng(seed)
    return {"a": rng.normal(size=(chains, n)), "b": rng.normal(size=(chains, n, 3)), "fixed": np.ones((chains, n))}


def energy(seed=1, n=1000):
    return np.random.default_rng(seed).normal(size=(4, n))


def test_independent_draws_pass_and_constants_are_not_judged():
    found = diagnose(independent(), energy(), np.zeros((4, 1000), bool), "A model")
    assert found["r_hat"] < 1.01
    assert found["ess_bulk"] > 3000
    assert found["bfmi"] == pytest.approx(2, abs=0.3)
    assert found["divergences"] == 0


def test_a_chain_apart_from_the_others_is_refused_by_name():
    draws = independent()
    draws["b"][2, :, 1] += 3
    with pytest.raises(ModelError, match=r"A model: .*chains disagree on b\[1\] \(R-hat 1\.") as caught:
        diagnose(draws, energy(), np.zeros((4, 1000), bool), "A model")
    assert "more draws" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_too_few_draws_are_refused():
    with pytest.raises(ModelError, match="effective sample size"):
        diagnose(independent(n=50), energy(n=50), np.zeros((4, 50), bool), "A model")


def test_draws_that_are_not_finite_are_refused():
    draws = independent()
    draws["a"][0, 0] = np.nan
    with pytest.raises(ModelError, match="chains disagree on a"):
        diagnose(draws, energy(), np.zeros((4, 1000), bool), "A model")


@pytest.mark.parametrize(("divergent", "refused"), [(4, False), (5, True)])
def test_one_divergence_in_a_thousand_draws_is_the_most(divergent, refused):
    paths = np.zeros((4, 1000), bool)
    paths.flat[:divergent] = True
    if refused:
        with pytest.raises(ModelError, match="5 of 4000 draws diverged"):
            diagnose(independent(), energy(), paths, "A model")
    else:
        assert diagnose(independent(), energy(), paths, "A model")["divergences"] == 4


def test_energy_that_hardly_moves_is_refused():
    slow = np.cumsum(energy(), axis=1)
    with pytest.raises(ModelError, match="BFMI"):
        diagnose(independent(), slow, np.zeros((4, 1000), bool), "A model")


def test_leave_one_out_of_a_normal_mean_matches_its_closed_form():
    rng = np.random.default_rng(5)
    y = rng.normal(size=40)
    mean = y.mean() + rng.normal(size=4000)[:, None] / np.sqrt(40)
    found = leave_one_out(-0.5 * (np.log(2 * np.pi) + (y - mean) ** 2))
    rest = (y.sum() - y) / 39
    exact = -0.5 * (np.log(2 * np.pi * (1 + 1 / 39)) + (y - rest) ** 2 / (1 + 1 / 39))
    assert found.elpd == pytest.approx(exact.sum(), abs=0.05)
    assert found.n_bad == 0


def test_without_pymc_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymc", None)
    with pytest.raises(ModelError, match="pip install pymc"):
        sample(lambda pm: None, n_draws=10, seed=1, key="x", what="A model")


def normal_mean(pm):
    with pm.Model() as model:
        mean = pm.Normal("mean", 0, 10)
        pm.Normal("y", mean, 1, observed=np.array([0.5, 1.5, 1.0, 2.0]))
    return model


@pytest.mark.slow
def test_draws_are_those_of_the_exact_posterior_and_the_same_for_the_same_seed():
    first, again, other = (
        sample(normal_mean, n_draws=2000, seed=seed, key="mean", what="A mean") for seed in (1, 1, 2)
    )
    precision = 4 + 1 / 100
    assert first.draws["mean"].shape == (2000,)
    assert first.draws["mean"].mean() == pytest.approx(5 / precision, abs=0.06)
    assert first.draws["mean"].std() == pytest.approx(precision**-0.5, abs=0.05)
    assert (first.draws["mean"] == again.draws["mean"]).all()
    assert not (first.draws["mean"] == other.draws["mean"]).any()
    assert first.diagnostics["draws_made"] == 4000


@pytest.mark.slow
def test_a_sampler_that_cannot_start_is_one_line():
    def impossible(pm):
        with pm.Model() as model:
            rate = pm.Normal("rate", 0, 1)
            pm.Potential("never", rate - np.inf)
        return model

    with pytest.raises(ModelError, match="Nothing: the sampler could not start") as caught:
        sample(impossible, n_draws=100, seed=1, key="never", what="Nothing")
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_model_with_a_funnel_is_refused():
    def funnel(pm):
        with pm.Model() as model:
            depth = pm.Normal("depth", 0, 3)
            pm.Normal("width", 0, pm.math.exp(depth), shape=9)
        return model

    with pytest.raises(ModelError, match=r"A funnel: the chains failed their checks: .*depth"):
        sample(funnel, n_draws=1000, seed=1, key="funnel", what="A funnel")


WITHOUT_COMPILER = """
import sys
if sys.argv[1] == "pymc":
    sys.modules["nutpie"] = None
import numpy as np
from gwm_models.models.chains import sample
from gwm_models.models.counts.posterior import build_counts
rng = np.random.default_rng(1)
score, years = rng.normal(size=118), 3 * np.exp(rng.normal(12.5, 0.6, 118))
count = rng.poisson(years * np.exp(-9.6 - 0.26 * score) * rng.gamma(10, 0.1, 118)).astype(float)
found = sample(build_counts(count, score, years), n_draws=2000, seed=1, key="x", what="Counts")
import pytensor
assert pytensor.config.cxx == ""
print(found.diagnostics["sampler"].split()[0], found.draws["slope"].mean())
"""


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["nutpie", "pymc"])
def test_a_machine_without_a_compiler_samples_118_areas_in_little_time_and_silence(sampler):
    if sampler == "nutpie" and not chains.has_nutpie():
        pytest.skip("nutpie is not installed")
    environment = {**os.environ, "PYTENSOR_FLAGS": "cxx=", "PYTHONWARNINGS": "default"}
    start = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_COMPILER, sampler], capture_output=True, text=True, env=environment, check=False
    )
    assert run.returncode == 0, run.stderr
    used, slope = run.stdout.split()
    assert used == sampler
    assert float(slope) == pytest.approx(-0.26, abs=0.12)
    assert run.stderr == ""
    assert time.perf_counter() - start < 300
