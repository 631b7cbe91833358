"""Whether the interval of an interrupted time series is offered as valid, and why."""

from __future__ import annotations

import numpy as np

from gwm_models.evaluation.effect import Check
from gwm_models.evaluation.series_fit import SeriesErrors
from gwm_models.evaluation.series_mixture import Mixture

WANDERS = 0.9
"""Autocorrelation from which errors are not told from a level that wanders."""
ENOUGH = 6.0
"""Times, times one less the upper limit of the autocorrelation, from which an AR(1) interval is offered as valid."""
LEAST_TIMES = 30
"""Times below which nothing tells a bend of the series itself from an effect."""
LONG = 400
"""Times from which a Newey-West interval is offered as valid: with trends it is too narrow in shorter series."""
MOST_CORRELATED, STEADY = 0.1, 80
"""Autocorrelation up to which, and times from which, an interval for independent errors is offered as valid."""


def offer(kind: str, n: int, errors: SeriesErrors, spread: Mixture, placebo: Check | None) -> tuple[bool, str]:
    """Say whether an interval is offered as valid, with the reason.

    Parameters
    ----------
    kind : {"ar1", "newey_west", "independent"}
    n : int
        Times.
    errors : SeriesErrors
    spread : Mixture
        Of the same errors.
    placebo : Check or None
        Of a made-up start; None where the series is too short for one.

    Notes
    -----
    `ENOUGH` was chosen by simulation: 3,000 normal series without a change for each of 30, 40, 50, 60, 80, 100 and 120
    times, a start after 60% or 75% of them, and autocorrelations of 0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95 and 1 (a
    random walk). Of series that are offered, tests at 5% rejected, and 90% intervals covered (start after 60%):

    ===== ======================= ======================= ======================= =======================
    times autocorrelation 0       0.5                     0.7                     0.8
    ===== ======================= ======================= ======================= =======================
    30    59%: 0.032, 0.923       4%: 0.089, 0.813        1%                      1%
    40    92%: 0.030, 0.935       15%: 0.062, 0.849       3%: 0.160, 0.798        1%
    60    98%: 0.036, 0.923       57%: 0.027, 0.933       12%: 0.090, 0.803       4%: 0.150, 0.722
    80    97%: 0.047, 0.910       90%: 0.031, 0.933       33%: 0.038, 0.910       10%: 0.082, 0.825
    120   96%: 0.039, 0.919       98%: 0.041, 0.909       82%: 0.028, 0.935       35%: 0.033, 0.927
    ===== ======================= ======================= ======================= =======================

    The first figure is the share offered. Wherever it is a fifth or more, 2.7% to 5.0% are rejected and 87.9% to 93.5%
    cover. Where it is smaller, those that are offered look calm by chance, and no rule that looks at the series can
    make them cover; but they are few: of random walks 0.4% to 1.4%, and nowhere are more than 4.8% of all series both
    offered and rejected.
    """
    rho, highest = errors.autocorrelation, spread.highest
    if not np.any(errors.cov):
        return False, "The lines fit without any error, so there is none to tell."
    if n < LEAST_TIMES or placebo is None:
        return (
            False,
            f"{n} times are too few to see whether straight lines describe the series. Compare with other units.",
        )
    if placebo.verdict == "fail":
        return False, "A made-up start before the real one finds a change as well."
    if kind == "newey_west" and n < LONG:
        return False, f"With trends, Newey-West intervals are too narrow in {n} times; errors='ar1' holds better."
    if kind == "independent" and rho > MOST_CORRELATED:
        return False, f"Errors have an autocorrelation of {rho:.2f}, so they are not independent; take errors='ar1'."
    if kind == "independent" and n < STEADY:
        return False, f"{n} times are too few to see that errors are independent; take errors='ar1'."
    if kind == "ar1" and n * (1 - highest) < ENOUGH:
        return False, (
            f"Errors may have an autocorrelation as high as {highest:.2f}, which {n} times do not tell from a level "
            "that wanders. Compare with other units, or take model='structural'."
        )
    if rho >= WANDERS:
        return False, f"Errors have an autocorrelation of {rho:.2f}: the level wanders. Take model='structural'."
    return True, (
        f"{n} times, autocorrelation {rho:.2f}; it holds if straight lines with errors like these describe the series."
    )
