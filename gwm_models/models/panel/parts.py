"""What the models of a yearly panel share: exposures in the steps that are told, and results in rows and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.models.fit import wald
from gwm_models.models.linear.words import decimals, difference, percent_difference
from gwm_models.models.panel.counts import poisson_effects
from gwm_models.models.panel.table import ACCESS, Panel, find_exposure
from gwm_models.models.panel.within import PanelFit, fixed_effects, observed, two_way

Floats = NDArray[np.float64]
Row = dict[str, Any]

POINTS = "100 points"
OWN_AVERAGE = "in years when an area's access stood 100 points above its own average"
EFFECTS = "What changes everywhere in a year, and what stays as it is in an area, is taken out; nothing else is."
THREE_TO_ONE = "The outcome spans three years and access one: the slope is too near zero, by an unknown share."


@dataclass(frozen=True, slots=True)
class Part:
    """Numbers and words of one model, before what all fits share is added.

    Attributes
    ----------
    panel : Panel
        As it was fitted.
    result : PanelFit
    term, per : tuple of str
        Coefficients, and the difference in exposure that each stands for.
    focus, found, period : str
    assumptions : tuple of str
    diagnostics : mapping of str to number or str
    tables : mapping of str to list of rows
    noise : bool
        Whether survey noise pulls the slope towards zero.
    not_shown : str
        What it does not show, where it is not that of every slope within areas.
    """

    panel: Panel
    result: PanelFit
    term: tuple[str, ...]
    per: tuple[str, ...]
    focus: str
    found: str
    period: str
    assumptions: tuple[str, ...] = ()
    diagnostics: Mapping[str, float | str] = field(default_factory=dict)
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    noise: bool = True
    not_shown: str = ""


def access(panel: Panel, shift: int = 0) -> Floats:
    """Return access in steps of 100 points, in the years of the outcome plus `shift`, shape (n_units, n_years)."""
    return steps(panel, ACCESS, shift)


def steps(panel: Panel, name: str, shift: int = 0) -> Floats:
    """Return an exposure in the differences that its coefficient stands for, shape (n_units, n_years)."""
    return np.asarray(panel.at(name, shift) / find_exposure(name).step)


def slopes(panel: Panel, exposure: Floats) -> PanelFit:
    """Fit slopes within units: of levels by least squares, of counts by Poisson regression."""
    return (poisson_effects if panel.outcome.kind == "count" else fixed_effects)(panel.value, exposure)


def one_term(panel: Panel, result: PanelFit, found: str, *, years: tuple[int, ...] | None = None, **more: Any) -> Part:
    """Return the numbers and words of a model with one slope on access."""
    return Part(panel, result, (ACCESS,), (POINTS,), ACCESS, found, panel.period(years), **more)


def tell(panel: Panel, result: PanelFit, j: int, where: str) -> str:
    """Say one coefficient with its interval."""
    outcome = panel.outcome
    numbers = (float(result.coef[j]), *interval(result, j))
    if outcome.kind == "count":
        return percent_difference(outcome.label, *numbers, where)
    return difference(outcome.label, *numbers, outcome.unit, where)


def interval(result: PanelFit, j: int) -> tuple[float, float]:
    """Return the 95% bounds of one coefficient, of Student's t with as many degrees of freedom as units less one."""
    found = wald(result.coef, result.cov, result.freedom)
    return float(found["lower"][j]), float(found["upper"][j])


def numbers_of(result: PanelFit, j: int = 0) -> Row:
    """Return one coefficient as a row."""
    lower, upper = interval(result, j)
    return {
        "estimate": float(result.coef[j]),
        "std_error": float(result.std_error[j]),
        "lower": lower,
        "upper": upper,
        "n": result.n,
    }


def years_of(panel: Panel) -> str:
    """Return first and last year of the outcome."""
    return f"{panel.year[0]}-{panel.year[-1]}"


def moves(value: Floats, exposure: Floats) -> str:
    """Say how far units move on an exposure in steps of 100 points, so that 100 points is not read as something seen.

    The standard deviation of what unit and year effects leave, survey noise included.
    """
    seen = observed(value, exposure[None])
    left = two_way(seen).residual(exposure)[seen]
    return f"scaled up: beyond what moves everywhere, areas move by about {100 * float(left.std()):.0f}"


def of_window(panel: Panel) -> tuple[str, ...]:
    """Return what a slope on access of one year asks a reader to grant where the outcome spans three."""
    return (THREE_TO_ONE,) if panel.window > 1 else ()


def signed(panel: Panel, result: PanelFit, j: int) -> str:
    """Say one coefficient with its sign and interval; of a count, by how many per cent its rate differs."""
    count = panel.outcome.kind == "count"
    numbers = [float(result.coef[j]), *interval(result, j)]
    told = [100 * (exp(value) - 1) if count else value for value in numbers]
    places = decimals((told[2] - told[1]) / 4)
    middle, low, high = (f"{value:+.{places}f}" for value in told)
    return f"{middle}{'%' if count else f' {panel.outcome.unit}'} ({low} to {high})"
