"""What each synthetic design estimates, what it assumes and what it cannot say, in plain words."""

from __future__ import annotations

from gwm_models.evaluation.designs import Method
from gwm_models.evaluation.effect import Words

NAMES: dict[Method, str] = {
    "sc": "synthetic control",
    "sdid": "synthetic difference in differences",
    "did": "difference in differences",
}
_COUNTERFACTUALS: dict[Method, str] = {
    "sc": "the weighted mean of donors that followed it most closely before the start",
    "sdid": "weighted donors that moved in parallel with it before the start, from a weighted level before the start",
    "did": "the plain mean of the donors, from its mean difference to them before the start",
}
_ASSUMES: dict[Method, str] = {
    "sc": "Without the intervention, the weights that matched the treated before the start would have gone on matching",
    "sdid": "Without the intervention, the weighted donors and the treated would have gone on moving in parallel",
    "did": "Without the intervention, the treated and the mean of the donors would have moved in parallel",
}


def design_words(method: Method, outcome: str, treated: tuple[str, ...], times: tuple[str, str]) -> Words:
    """Return the words of one effect.

    Parameters
    ----------
    method : {"sc", "sdid", "did"}
    outcome : str
    treated : tuple of str
    times : tuple of str
        First and last time after the start.
    """
    whom = treated[0] if len(treated) == 1 else f"the mean of {len(treated)} treated units"
    return Words(
        estimates=f"By how much {outcome} of {whom} differed, on average from {times[0]} to {times[1]}, from "
        f"{_COUNTERFACTUALS[method]} ({NAMES[method]}).",
        assumes=f"{_ASSUMES[method]}; donors were not touched by it, it had no effect before the start, and nothing "
        "else happened to the treated alone.",
        cannot_say="Which part of the intervention did it, what it did to single people, what it would do elsewhere or "
        "later, and whether something else that began with it was the cause.",
    )


def regression_words(shift: float, share: float) -> str:
    """Say what placebos that stood as far from the mean as the treated would show though nothing happened."""
    return (
        f"Judged by the placebos, units that stand where the treated stood before the start move by {shift:.3g} after "
        f"it though nothing happens: {share:.0%} of the half-width of the interval."
    )
