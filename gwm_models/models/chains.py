"""Markov chains: the one way in which PyMC is used here, and the checks that draws have to pass.

Chains are run by nutpie where it is installed, and else by PyMC's own sampler with Numba; neither needs a C++
compiler. Draws that fail a check are an error.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError

Floats = NDArray[np.float64]
Build = Callable[[Any], Any]
"""Makes a model: it is given the module ``pymc`` and returns a ``pymc.Model``."""

CHAINS = 4
LEAST_DRAWS = 4000
TUNE = 1000
TARGET_ACCEPT = 0.9
MOST_R_HAT = 1.01
LEAST_ESS = 400.0
LEAST_BFMI = 0.3
MOST_DIVERGENT = 0.001
"""Share of draws that may end in a divergence: 4 of 4,000."""
LARGEST_TAIL = 0.7
TAIL = (0.05, 0.95)


@dataclass(frozen=True, eq=False)
class Chains:
    """Posterior draws that passed every check.

    Attributes
    ----------
    draws : mapping of str to ndarray, shape (n_draws, ...)
        Draws of each variable, one chain after another.
    diagnostics : mapping of str to number or str
        ``r_hat`` (largest), ``ess_bulk`` and ``ess_tail`` (smallest), ``divergences`` (number), ``bfmi`` (smallest),
        the numbers of ``chains``
        and ``draws_made``, and the sampler with its version.
    """

    draws: Mapping[str, Floats]
    diagnostics: Mapping[str, float | str]


def sample(
    build: Build,
    *,
    n_draws: int,
    seed: int,
    key: str,
    what: str,
    n_chains: int = CHAINS,
    least_draws: int = LEAST_DRAWS,
    tune: int = TUNE,
    target_accept: float = TARGET_ACCEPT,
) -> Chains:
    """Draw from the posterior of a PyMC model with the No-U-Turn sampler, and check the draws.

    Parameters
    ----------
    build : callable
        Makes the model when it is given the module ``pymc``.
    n_draws : int
        Draws that are handed back, at even distances from those of all chains. At least `least_draws` are made and
        checked.
    seed : int
    key : str
        What is drawn: the same seed and key give the same draws.
    what : str
        The same in words, for the error message.
    n_chains, least_draws, tune : int
        Chains, draws to be made over all of them together, and warm-up draws of each.
    target_accept : float

    Raises
    ------
    ModelError
        If PyMC is not installed, the sampler stops, or a check fails: R-hat under 1.01, bulk and tail effective sample
        size of 400 or more, BFMI of 0.3 or more, and at most one divergence in a thousand draws.

    References
    ----------
    Hoffman & Gelman (2014), Journal of Machine Learning Research 15, 1593-1623. Vehtari, Gelman, Simpson, Carpenter &
    Bürkner (2021), Bayesian Analysis 16, 667-718 (rank-normalised R-hat and effective sample size). Betancourt (2016),
    arXiv:1604.00695 (BFMI).
    """
    start = int(keyed_rng(seed, key, "chains").integers(2**31 - 1))
    per_chain = -(-max(n_draws, least_draws) // n_chains)
    with quiet():
        model = build(pymc_module())
        run = _nutpie if has_nutpie() else _pymc
        try:
            found, sampler = run(model, per_chain, tune, n_chains, target_accept, start)
        except RuntimeError as error:
            why = str(error).strip().partition("\n")[0]
            raise ModelError(f"{what}: the sampler could not start or go on ({why}). Check the figures.") from error
        names = [str(name) for name in found["posterior"] if not str(name).endswith("__")]
        by_chain = {name: np.asarray(found["posterior"][name], dtype=float) for name in names}
        stats = found["sample_stats"]
        energy, divergent = np.asarray(stats["energy"]), np.asarray(stats["diverging"])
        diagnostics = diagnose(by_chain, energy, divergent, what)
    made = per_chain * n_chains
    taken = np.arange(n_draws) * made // n_draws
    merged = {name: values.reshape(made, *values.shape[2:])[taken] for name, values in by_chain.items()}
    return Chains(merged, {**diagnostics, "chains": n_chains, "draws_made": made, "sampler": sampler})


def pymc_module() -> Any:
    """Return the module ``pymc``.

    Raises
    ------
    ModelError
        If it is not installed.
    """
    try:
        import pymc
    except ImportError as error:
        raise ModelError("This model is sampled with PyMC, which is not installed. Run: pip install pymc") from error
    return pymc


def has_nutpie() -> bool:
    """Return whether nutpie can be used."""
    try:
        import nutpie  # noqa: F401
    except ImportError:
        return False
    return True


def on_terminal() -> bool:
    """Return whether a progress bar can be shown: the samplers may write it to either stream."""
    return sys.stdout.isatty() and sys.stderr.isatty()


def _nutpie(model: Any, draws: int, tune: int, chains: int, accept: float, seed: int) -> tuple[Any, str]:
    import nutpie

    compiled = nutpie.compile_pymc_model(model, backend="numba")
    found = nutpie.sample(
        compiled,
        draws=draws,
        tune=tune,
        chains=chains,
        seed=seed,
        target_accept=accept,
        progress_bar=on_terminal(),
    )
    return found, f"nutpie {nutpie.__version__}"


def _pymc(model: Any, draws: int, tune: int, chains: int, accept: float, seed: int) -> tuple[Any, str]:
    """Run PyMC's own sampler in Numba mode, chains one after another: its Python mode is far too slow."""
    pymc = pymc_module()
    found = pymc.sample(
        draws,
        tune=tune,
        chains=chains,
        cores=1,
        model=model,
        random_seed=seed,
        target_accept=accept,
        nuts_sampler="pymc",
        progressbar=on_terminal(),
        compute_convergence_checks=False,
        compile_kwargs={"mode": "NUMBA"},
    )
    return found, f"pymc {pymc.__version__}"


def diagnose(by_chain: Mapping[str, Floats], energy: Floats, divergent: NDArray[Any], what: str) -> dict[str, float]:
    """Check a run, and return the figures of the checks.

    Parameters
    ----------
    by_chain : mapping of str to ndarray, shape (n_chains, n_draws, ...)
    energy, divergent : ndarray, shape (n_chains, n_draws)
        Energy of each draw, and whether its path diverged.
    what : str
        What was drawn, for the error message.

    Returns
    -------
    dict
        ``r_hat``, ``ess_bulk``, ``ess_tail``: of the worst parameter; ``bfmi``: of the worst chain; ``divergences``.

    Raises
    ------
    ModelError
        If a check fails, with the parameter and what to do.
    """
    tables = _per_element(by_chain)
    worst_r_hat = max(tables["r_hat"], key=_missing_first)
    worst_bulk = min(tables["ess_bulk"], key=_missing_last)
    worst_tail = min(tables["ess_tail"], key=_missing_last)
    bfmi = float(((np.diff(energy, axis=1) ** 2).mean(axis=1) / energy.var(axis=1)).min())
    divergences = int(divergent.sum())
    faults = []
    if divergences > MOST_DIVERGENT * divergent.size:
        faults.append(f"{divergences} of {divergent.size} draws diverged: the model is too hard for this data")
    if not worst_r_hat[1] < MOST_R_HAT:
        faults.append(f"chains disagree on {worst_r_hat[0]} (R-hat {worst_r_hat[1]:.3f}, most {MOST_R_HAT})")
    for name, (element, size) in (("bulk", worst_bulk), ("tail", worst_tail)):
        if not size >= LEAST_ESS:
            faults.append(f"{element} has a {name} effective sample size of {size:.0f} (least {LEAST_ESS:.0f})")
    if not bfmi >= LEAST_BFMI:
        faults.append(f"BFMI is {bfmi:.2f} (least {LEAST_BFMI}): the tails are poorly explored")
    if faults:
        raise ModelError(
            f"{what}: the chains failed their checks: {'; '.join(faults)}. Ask for more draws, or for a simpler model."
        )
    return {
        "r_hat": worst_r_hat[1],
        "ess_bulk": worst_bulk[1],
        "ess_tail": worst_tail[1],
        "bfmi": bfmi,
        "divergences": float(divergences),
    }


Element = tuple[str, float]


def _missing_first(element: Element) -> float:
    return np.inf if np.isnan(element[1]) else element[1]


def _missing_last(element: Element) -> float:
    return -np.inf if np.isnan(element[1]) else element[1]


def _per_element(by_chain: Mapping[str, Floats]) -> dict[str, list[Element]]:
    """Return R-hat, bulk and tail effective sample size of every element that is not a constant."""
    import xarray as xr

    columns: dict[str, Any] = {}
    for name, values in by_chain.items():
        for place in np.ndindex(values.shape[2:]):
            draws = values[(slice(None), slice(None), *place)]
            if np.ptp(draws) != 0:
                columns[f"{name}{list(place) if place else ''}"] = draws
    table = xr.Dataset({"all": (("chain", "draw", "element"), np.stack(list(columns.values()), axis=2))})
    with quiet():
        az = _arviz()
        found = {
            "r_hat": az.rhat(table),
            "ess_bulk": az.ess(table, method="bulk"),
            "ess_tail": az.ess(table, method="tail", prob=TAIL),
        }
    return {check: list(zip(columns, np.asarray(one["all"]).tolist(), strict=True)) for check, one in found.items()}


def _arviz() -> Any:
    import arviz

    return arviz


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """Expected log predictive density when each observation is left out, by Pareto smoothed importance sampling.

    Attributes
    ----------
    elpd, std_error, n_effective : float
        The sum over observations, its standard error, and the effective number of parameters.
    worst_tail : float
        Largest Pareto shape.
    n_bad : int
        Observations whose Pareto shape is over 0.7: their part of `elpd` cannot be trusted.
    """

    elpd: float
    std_error: float
    n_effective: float
    worst_tail: float
    n_bad: int


def leave_one_out(log_likelihood: Floats) -> LeaveOneOut:
    """Estimate how well each observation is predicted from the others.

    Parameters
    ----------
    log_likelihood : ndarray, shape (n_draws, n)
        Of each observation in each draw.

    References
    ----------
    Vehtari, Gelman & Gabry (2017), Statistics and Computing 27, 1413-1432.
    """
    with quiet():
        az = _arviz()
        pointwise = log_likelihood[None]
        groups = {"posterior": {"log_density": pointwise.sum(axis=2)}, "log_likelihood": {"y": pointwise}}
        split = int(az.__version__.partition(".")[0]) >= 1
        found = az.loo(az.from_dict(groups) if split else az.from_dict(**groups), pointwise=True)
        tails = np.asarray(found.pareto_k, dtype=float)
        elpd, size = (found.elpd, found.p) if split else (found.elpd_loo, found.p_loo)
    return LeaveOneOut(float(elpd), float(found.se), float(size), float(tails.max()), int((tails > LARGEST_TAIL).sum()))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep log lines and warnings of the samplers from the reader; errors still come through."""
    before = logging.root.manager.disable
    logging.disable(max(before, logging.WARNING))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
