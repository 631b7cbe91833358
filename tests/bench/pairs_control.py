"""Synthetic control and synthetic difference in differences beside pysyncon and diff-diff, with every placebo."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from pairs import CHECKOUT, Contest, DataNotHereError, Pair, timed

from gwm_models.data.tables import read_table
from gwm_models.evaluation.designs import Data, fit_design
from gwm_models.evaluation.panel import read_panel
from gwm_models.evaluation.placebo import placebos_in_space
from gwm_models.evaluation.problem import make_problem

CIGARETTES = "prop99_cigarette_sales.csv"
ACTIVITY, MANCHESTER, FIRST = "economic_activity_rate_16_64", "E08000003", "2017-01/2017-12"
FEWEST = 2
"""Replications that diff-diff asks for at least."""


@dataclass(frozen=True, eq=False)
class Panel:
    """A balanced panel as all sides take it.

    Attributes
    ----------
    value : ndarray, shape (n_units, n_times)
        The treated unit first.
    unit : tuple of str
        So named that the treated one comes first by alphabet.
    cut : int
        Times before the start.
    """

    value: Any
    unit: tuple[str, ...]
    cut: int

    @property
    def data(self) -> Data:
        """The panel as the toolkit's array functions take it."""
        return Data(self.value, self.cut, self.value[:, : self.cut].copy())

    def columns(self, treated: int = 0, kept: Any = None) -> dict[str, Any]:
        """Return the long table of some units, or of all, with an indicator of the treated unit."""
        rows = np.arange(len(self.unit)) if kept is None else kept
        times = self.value.shape[1]
        return {
            "unit": np.repeat(np.array(self.unit)[rows], times),
            "time": np.tile(np.arange(times), len(rows)),
            "y": self.value[rows].ravel(),
            "treated": np.repeat((rows == treated).astype(int), times),
            "active": np.outer(rows == treated, np.arange(times) >= self.cut).astype(int).ravel(),
        }


@cache
def cigarettes() -> Panel:
    """Return cigarette sales of California and 38 states, 1970-2000; Proposition 99 began in 1989."""
    folder = Path(os.environ.get("GWM_KNOWN") or CHECKOUT.parent / "shared" / "known")
    if not (folder / CIGARETTES).is_file():
        raise DataNotHereError(f"no {CIGARETTES}; set GWM_KNOWN to its folder")
    with (folder / CIGARETTES).open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    table = {name: [row[name] for row in rows] for name in ("state", "year", "cigsale")}
    return _panel(read_panel(table, unit="state", time="year", outcome="cigsale"), "California", 1989)


@cache
def activity() -> Panel:
    """Return the activity rate of the areas that have it in every year, Manchester as if treated in 2017."""
    rows = read_table("indicators", where={"variable": ACTIVITY, "sex": "Persons"})
    keep = np.char.startswith(rows["unit_code"].astype(str), "E") & np.isfinite(rows["value"])
    table = {"area": rows["unit_code"][keep], "period": rows["period"][keep], "rate": rows["value"][keep]}
    found = read_panel(table, unit="area", time="period", outcome="rate")
    return _panel(found.balanced(keep=[MANCHESTER], missing="drop_units"), MANCHESTER, FIRST)


def _panel(found: Any, treated: str, start: object) -> Panel:
    first = found.place(treated)
    order = [first, *(k for k in range(len(found)) if k != first)]
    return Panel(found.value[order], tuple(f"unit {k:03d}" for k in range(len(order))), found.start_column(start))


def our_estimate(panel: Panel, method: str) -> Callable[[], float]:
    """Return the work of one estimate from a long table."""
    table = panel.columns()

    def work() -> float:
        matrix = read_panel(table, unit="unit", time="time", outcome="y")
        problem = make_problem(matrix, panel.unit[0], panel.cut, None, (), "raise", method, 0)[1]
        return fit_design(method, problem.data, problem.treated, problem.donors).att

    return work


def our_fits(panel: Panel, rows: Any) -> Callable[[], Any]:
    """Return the work of a synthetic control of some units, each from all others: root mean squared gaps and effect."""
    data, every = panel.data, np.arange(len(panel.unit))

    def work() -> Any:
        fits = [fit_design("sc", data, np.array([k]), every[every != k]) for k in rows]
        return np.array([[fit.rmspe_pre, fit.rmspe_post] for fit in fits])

    return work


def pysyncon_fits(panel: Panel, rows: Any) -> Callable[[], Any]:
    """Return the same by pysyncon, given matrices and the weights of predictors, so that no search is made for them."""
    import pandas
    from pysyncon import Synth

    before = pandas.DataFrame(panel.value[:, : panel.cut].T, columns=list(panel.unit))
    # It divides by standard deviations; of the sizes tried, this one made its solver quickest and most exact.
    weight = (before.std(axis=1) ** 2 / panel.cut).to_numpy()

    def work() -> Any:
        found = []
        for k in rows:
            own, rest = before.iloc[:, k], before.drop(columns=panel.unit[k])
            fit = Synth()
            fit.fit(X0=rest, X1=own, Z0=rest, Z1=own, custom_V=weight)
            gap = panel.value[k] - fit.W @ np.delete(panel.value, k, axis=0)
            found.append([np.sqrt((part**2).mean()) for part in (gap[: panel.cut], gap[panel.cut :])])
        return np.array(found)

    return work


def diff_diff_estimate(panel: Panel, method: str) -> Callable[[], float]:
    """Return the work of one estimate from a long table by diff-diff, with as little inference as it can do."""
    import pandas

    frame = pandas.DataFrame(panel.columns())
    return partial(_sc if method == "sc" else _sdid, frame, panel)


def _sc(frame: Any, panel: Panel) -> Any:
    return _sc_results(frame, panel).att


def _sc_results(frame: Any, panel: Panel) -> Any:
    import diff_diff

    model = diff_diff.SyntheticControl(v_method="custom", custom_v=np.ones(panel.cut), standardize="none")
    return model.fit(frame, "y", "active", "unit", "time")


def _sdid(frame: Any, panel: Panel) -> Any:
    import diff_diff

    model = diff_diff.SyntheticDiD(variance_method="jackknife", n_bootstrap=FEWEST, seed=1)
    after = list(range(panel.cut, panel.value.shape[1]))
    return model.fit(frame, "y", "treated", "unit", "time", post_periods=after).att


def diff_diff_placebos(panel: Panel) -> Callable[[], Any]:
    """Return the work of the treated and every placebo by diff-diff: root mean squared gaps before and after."""
    import pandas

    frame = pandas.DataFrame(panel.columns())

    def work() -> Any:
        table = _sc_results(frame, panel).in_space_placebo()
        return np.sqrt(table.sort_values("unit")[["pre_mspe", "post_mspe"]].to_numpy())

    return work


def diff_diff_sdid_placebos(panel: Panel) -> Callable[[], Any]:
    """Return the work of the treated and every placebo: one fit each, the treated unit never a donor."""
    import pandas

    every = np.arange(1, len(panel.unit))
    frames = [pandas.DataFrame(panel.columns())]
    frames += [pandas.DataFrame(panel.columns(k, every)) for k in every]
    return lambda: np.array([_sdid(frame, panel) for frame in frames])


def our_sdid_placebos(panel: Panel) -> Callable[[], Any]:
    """Return the same by the toolkit."""
    data, every = panel.data, np.arange(len(panel.unit))
    return lambda: placebos_in_space("sdid", data, every[:1], every[1:]).att


def _apart(ours: Any, theirs: Any) -> float:
    return float(np.abs(np.asarray(ours) - np.asarray(theirs)).max())


def _before(ours: Any, theirs: Any) -> float:
    """Compare fits before the start: donor weights that fit equally well leave what comes after open."""
    return _apart(ours[:, 0], theirs[:, 0])


def _build(quick: bool, *, panel: Callable[[], Panel], kind: str) -> Contest:
    data = panel()
    rows = np.arange(len(data.unit))
    sides: dict[str, Callable[[], tuple[Any, Any]]] = {
        "sc-pysyncon": lambda: (our_fits(data, rows[:1]), pysyncon_fits(data, rows[:1])),
        "sc-diff-diff": lambda: (our_estimate(data, "sc"), diff_diff_estimate(data, "sc")),
        "sdid-diff-diff": lambda: (our_estimate(data, "sdid"), diff_diff_estimate(data, "sdid")),
        "sc-placebos-pysyncon": lambda: (our_fits(data, rows), pysyncon_fits(data, rows)),
        "sc-placebos-diff-diff": lambda: (our_fits(data, rows), diff_diff_placebos(data)),
        "sdid-placebos-diff-diff": lambda: (our_sdid_placebos(data), diff_diff_sdid_placebos(data)),
    }
    ours, theirs = sides[kind]()
    return Contest(timed(ours), timed(theirs), _before if kind in BY_FIT else _apart)


TABLE = "both start from a long table and end with the effect"
LEAST = "theirs with as little inference as it can do (jackknife, which one treated unit skips; two placebo fits)"
ARRAYS = "both start from matrices; theirs is given the weights of its predictors, which spares it the search for them"
KINDS = {
    "sc-pysyncon": ("synthetic control of one unit", "pysyncon", 0.01, 9, ARRAYS),
    "sc-diff-diff": ("synthetic control of one unit", "diff-diff", 1e-6, 9, TABLE),
    "sdid-diff-diff": ("synthetic difference in differences of one unit", "diff-diff", 0.01, 9, f"{TABLE}; {LEAST}"),
    "sc-placebos-pysyncon": ("synthetic control of every unit in turn", "pysyncon", 1e-3, 5, ARRAYS),
    "sc-placebos-diff-diff": (
        "synthetic control of every unit in turn",
        "diff-diff",
        1e-6,
        5,
        "theirs by in_space_placebo, its table read and effect made in the same turn; ours from matrices",
    ),
    "sdid-placebos-diff-diff": (
        "synthetic difference in differences of one unit and every placebo",
        "diff-diff",
        0.1,
        5,
        f"theirs has no function for it: one fit a unit from a table made before; {LEAST}; ours from matrices",
    ),
}
BY_FIT = ("sc-pysyncon", "sc-placebos-pysyncon", "sc-placebos-diff-diff")
PANELS: dict[str, tuple[Callable[[], Panel], str]] = {
    "prop99": (cigarettes, "39 states x 31 years, Proposition 99, in packs a head"),
    "activity": (activity, "115 areas x 21 years, activity rate of the shipped panel, in percentage points"),
}


def _pair(kind: str, name: str) -> Pair:
    compared, peer, tolerance, rounds, notes = KINDS[kind]
    panel, size = PANELS[name]
    unit = " of every unit" if "placebos" in kind else ""
    what = "root mean squared gap before the start" if kind in BY_FIT else "effect"
    return Pair(
        name=f"{kind}-{name}",
        compared=compared,
        size=size,
        checked=f"{what}{unit}",
        peer=peer,
        build=partial(_build, panel=panel, kind=kind),
        tolerance=tolerance,
        rounds=rounds,
        notes=notes,
    )


PAIRS = tuple(_pair(kind, name) for name in PANELS for kind in KINDS)
