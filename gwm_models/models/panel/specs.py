"""Models of yearly panels as fits: areas compared with themselves over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.data.open_editions import unit_areas
from gwm_models.errors import ModelError
from gwm_models.models.association.moran import moran
from gwm_models.models.fit import Fit, Spec, wald
from gwm_models.models.outcomes import Outcome, Subject, source_of
from gwm_models.models.panel import fits, lags
from gwm_models.models.panel.parts import Part
from gwm_models.models.panel.table import PANEL_YEARS, Panel, has_panel, load_panel

Floats = NDArray[np.float64]

SEED = 20260101
PERMUTATIONS = 999
CLUSTERED = "standard errors clustered by area, Student's t"
SURVEY_HEALTH = (
    "It does not show that health follows work: other things changed in the same areas at the same time, and the "
    "survey behind access also asks about the health that this outcome counts, so chance in who was asked can move both"
)
OTHER_CHANGES = (
    "It does not show what a policy would bring: other things changed in the same areas at the same time, and nothing "
    "but area and year is held fixed"
)
NOISE = "; survey noise in access pulls the slope towards zero."


@dataclass(frozen=True, slots=True)
class _Model:
    """One specification: its name, how it is worked out, and whether counts can be fitted this way."""

    id: str
    title: str
    method: str
    citation: str
    part: Callable[[Panel, int], Part]
    counts: bool = False


MODELS: tuple[_Model, ...] = (
    _Model(
        "within",
        "Within areas over time: area and year effects",
        "area and year effects",
        "Arellano (1987), Oxford Bulletin of Economics and Statistics 49, 431-434; wild cluster bootstrap: Cameron, "
        "Gelbach & Miller (2008), Review of Economics and Statistics 90, 414-427",
        fits.within,
        counts=True,
    ),
    _Model(
        "within-corrected",
        "Within areas, access over the outcome's three years, survey noise taken out",
        "area and year effects, access averaged over the outcome's window, moments corrected for noise of known "
        "variance",
        "Fuller (1987), Measurement Error Models; Griliches & Hausman (1986), Journal of Econometrics 31, 93-118; "
        "SIMEX: Cook & Stefanski (1994), Journal of the American Statistical Association 89, 1314-1328",
        fits.within_corrected,
    ),
    _Model(
        "between-within",
        "Between and within areas in one model",
        "year effects, area means and departures from them, random area intercepts where the outcome is a level",
        "Mundlak (1978), Econometrica 46, 69-85; Bell & Jones (2015), Political Science Research and Methods 3, "
        "133-153",
        fits.between_within,
        counts=True,
    ),
    _Model(
        "long-differences",
        "Changes over six years",
        "changes over six years, common change of each pair of years taken out",
        "Griliches & Hausman (1986), Journal of Econometrics 31, 93-118",
        fits.long_differences,
    ),
    _Model(
        "windows",
        "Within areas, windows that do not overlap",
        "area and year effects, every third window",
        "Arellano (1987), Oxford Bulletin of Economics and Statistics 49, 431-434",
        fits.windows,
    ),
    _Model(
        "window-exposure",
        "Within areas, access over the outcome's three years",
        "area and year effects, access averaged over the outcome's window",
        "Arellano (1987), Oxford Bulletin of Economics and Statistics 49, 431-434",
        fits.window_exposure,
    ),
    _Model(
        "lags",
        "Within areas, access of this year and five before",
        "area and year effects, distributed lags of 0 to 5 years",
        "Wooldridge (2010), Econometric Analysis of Cross Section and Panel Data, 2nd ed., chapter 10",
        lags.lags,
        counts=True,
    ),
    _Model(
        "leads",
        "Placebo: access of later years",
        "area and year effects, leads after the outcome was counted",
        "Granger (1969), Econometrica 37, 424-438; Angrist & Pischke (2009), Mostly Harmless Econometrics, section 5.2",
        lags.leads,
        counts=True,
    ),
    _Model(
        "within-indicators",
        "Within areas: activity, unemployment and pay",
        "area and year effects, three indicators together",
        "Arellano (1987), Oxford Bulletin of Economics and Statistics 49, 431-434",
        lags.indicators,
        counts=True,
    ),
)
POISSON = (
    "Poisson regression, ",
    "; Hausman, Hall & Griliches (1984), Econometrica 52, 909-938; Wooldridge (1999), Journal of Econometrics 90, "
    "77-97",
)


def _applies(model: _Model, subject: Subject) -> bool:
    return isinstance(subject, Outcome) and has_panel(subject) and (model.counts or subject.kind == "level")


def _make(model: _Model, edition: Edition, subject: Subject, *, n_draws: int = 4000, seed: int = SEED) -> Fit:
    """Fit one model of a panel; `n_draws` is not used, `seed` is that of bootstrap and simulated noise."""
    if not isinstance(subject, Outcome) or not _applies(model, subject):
        raise ModelError(
            f"{subject.label} cannot be fitted as '{model.id}': no yearly panel of levels. See `gwm fit list`."
        )
    part = model.part(load_panel(edition, subject), seed)
    panel, result, count = part.panel, part.result, subject.kind == "count"
    limits = wald(result.coef, result.cov, result.freedom)
    used = np.flatnonzero(result.used).tolist()
    focus = part.term.index(part.focus) if part.focus else 0
    influence = result.influence[focus][result.used]
    lost = [f"{panel.name[i]} (no figures in two years)" for i in np.flatnonzero(~result.used).tolist()]
    return Fit(
        outcome=subject.id,
        label=subject.label,
        spec=model.id,
        title=model.title,
        method=f"{POISSON[0] if count else ''}{model.method}; {CLUSTERED}",
        citation=f"{model.citation}{POISSON[1] if count else ''}",
        period=part.period,
        source=source_of(subject),
        term=part.term,
        unit=tuple(_unit(subject, per) for per in part.per),
        estimate=result.coef,
        cov=result.cov,
        lower=limits["lower"],
        upper=limits["upper"],
        p_value=limits["p_value"],
        sample=tuple(panel.unit[i] for i in used),
        n=result.n,
        excluded=(*panel.excluded, *lost),
        focus=part.focus,
        found=part.found,
        not_shown=_not_shown(subject, part),
        influence=influence,
        diagnostics={**part.diagnostics, **_checks(panel, used, influence)},
        assumptions=(*part.assumptions, *_of_outcome(panel)),
        tables=part.tables,
        seed=seed,
    )


def _checks(panel: Panel, used: list[int], influence: Floats) -> dict[str, float | str]:
    """Return the unit that adds most to the error, and whether what neighbours add is alike."""
    code = unit_areas().code
    place = {part: row for row, i in enumerate(used) for part in panel.unit[i].split("+")}
    pairs = [(place.get(code[a], -1), place.get(code[b], -1)) for a, b in unit_areas().borders.tolist()]
    apart = [(a, b) for a, b in pairs if min(a, b) >= 0 and a != b]
    alike = moran(influence, apart, n_permutations=PERMUTATIONS)
    return {
        "most_influential": panel.name[used[int(np.argmax(np.abs(influence)))]],
        "influence_moran_i": alike.statistic,
        "influence_moran_p_value": alike.p_value,
    }


def _of_outcome(panel: Panel) -> tuple[str, ...]:
    """Return what the outcome's figures ask a reader to grant."""
    gaps = (f"No figure of the outcome for: {'; '.join(panel.gaps())}.",) if panel.gaps() else ()
    if panel.outcome.kind == "count":
        return (*gaps, "An area's population is taken as constant: no yearly figures of it are used.")
    if panel.year[-1] < PANEL_YEARS[-1]:
        return (*gaps, f"The series ends with the window around {panel.year[-1]}.")
    return (*gaps, f"Where it is used, the window around {panel.year[-1]} runs into the first year of Covid-19.")


def _not_shown(outcome: Outcome, part: Part) -> str:
    if part.not_shown:
        return part.not_shown
    about = SURVEY_HEALTH if outcome.variable.startswith(fits.SURVEY_OUTCOME) else OTHER_CHANGES
    return about + (NOISE if part.noise else ".")


def _unit(outcome: Outcome, per: str) -> str:
    return f"log rate per {per}" if outcome.kind == "count" else f"{outcome.unit} per {per}"


SPECS: tuple[Spec, ...] = tuple(
    Spec(
        id=model.id,
        title=model.title,
        applies=partial(_applies, model),
        make=partial(_make, model),
        module="models.panel.specs",
        family="panel",
    )
    for model in MODELS
)
