"""What each link between good work and health assumes, in words for a reader of policy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Interval = tuple[float, float, float]
"""Estimate, lower and upper bound."""


def between_words(label: str, unit: str, full: Interval) -> str:
    """Say what the full association assumes."""
    return (
        f"{label}: full association. An area whose score rises comes to look like the areas that score that much "
        f"higher today: {full[0]:.1f} {unit} for 100 points ({full[1]:.1f} to {full[2]:.1f}). This takes every "
        "difference between areas that goes with good work as if it came with good work; read it as an upper line."
    )


def within_words(label: str, unit: str, within: Interval, share: Interval, note: str) -> str:
    """Say what taking only what moved within areas assumes; `share` in per cent."""
    return (
        f"{label}: within areas. Only what moved with an area's own access over time counts, survey noise taken out: "
        f"{within[0]:.1f} {unit} for 100 access points ({within[1]:.1f} to {within[2]:.1f}), {share[0]:.0f}% "
        f"({share[1]:.0f}% to {share[2]:.0f}%) of the difference between areas. For pay and for status, which have no "
        "such series, the same share is taken. Other things changed in the same areas at the same time."
        f"{' ' * bool(note)}{note}"
    )


def none_words(label: str) -> str:
    """Say what no link assumes."""
    return f"{label}: none. Areas with better work are healthier for other reasons, and health stays as it is."


def shared_note(unit: str, shared: Floats, within: Floats, most: float) -> str:
    """Say how far the slope within areas rests on errors that access and the outcome have in common.

    Along the least-squares line of the posterior draws of the slope on that correlation.

    Parameters
    ----------
    unit : str
    shared, within : ndarray, shape (n_draws,)
        Draws of the correlation, all zero where the two have no survey in common, and of the slope per 100 points.
    most : float
        Upper end of the prior of the correlation.
    """
    if not shared.any():
        return ""
    tilt = np.cov(shared, within)[0, 1] / shared.var(ddof=1)
    at_none, at_most = (within.mean() + tilt * (value - shared.mean()) for value in (0.0, most))
    return (
        "One survey gives access and health, and how far its errors go together is not published: any correlation "
        f"from 0 to {most:g} is taken as equally likely beforehand. The slope would be about {at_none:.1f} {unit} at 0 "
        f"and {at_most:.1f} at {most:g}."
    )
