"""Slopes within and between areas on yearly figures: what each model estimates, and what it found in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gwm_models.draws import keyed_rng
from gwm_models.models.cross_section import CHRISTCHURCH
from gwm_models.models.panel.counts import poisson_within_between
from gwm_models.models.panel.noise import (
    Corrected,
    corrected_within,
    difference_reliability,
    fill_errors,
    mean_reliability,
    noise_cov,
    shared_error_slope,
    simex,
)
from gwm_models.models.panel.noise import wave_correlation as waves
from gwm_models.models.panel.parts import (
    EFFECTS,
    OWN_AVERAGE,
    POINTS,
    Part,
    Row,
    access,
    moves,
    numbers_of,
    of_window,
    one_term,
    signed,
    slopes,
    tell,
    years_of,
)
from gwm_models.models.panel.table import ACCESS, Panel, find_exposure, place_of, together
from gwm_models.models.panel.wild_bootstrap import wild_cluster
from gwm_models.models.panel.within import (
    PanelFit,
    differences,
    fixed_effects,
    leave_one_out,
    observed,
    within_between,
)

Floats = NDArray[np.float64]

BOOTSTRAPS = 4999
LONG = 6
"""Years of a long difference: windows do not touch, and no household is in the survey of both years."""
RHO = 0.35
RHOS = (0.0, 0.1, 0.2, 0.3, RHO, 0.4, 0.5, 0.6, 0.7)
"""Correlations of survey noise between consecutive years that are tried."""
SURVEY_OUTCOME = "healthy_life"
ONE_SURVEY = "Access and the health in this outcome are asked of the same people."
BEFORE_2020 = "Windows that run into 2020, when the survey changed its method, are left out."
OVER_WINDOW = "over the outcome's own three years"
ONE_YEAR = "of the middle year"
ERROR_CORRELATIONS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
"""Correlations of the two survey errors within a year that are tried where outcome and access are of one survey."""


def access_error(panel: Panel) -> Floats:
    """Return standard errors of `access`; units without limits of unemployment take those that activity suggests."""
    error, guide = panel.error_at(ACCESS), panel.error_at("economic_activity_rate")
    return fill_errors(error, guide) / find_exposure(ACCESS).step


def every_error(panel: Panel) -> Floats:
    """Return standard errors of one year's access in every year of the exposures, filled as `access_error` is."""
    error, guide = (panel.exposure_error[place_of(name)] for name in (ACCESS, "economic_activity_rate"))
    return fill_errors(error, guide) / find_exposure(ACCESS).step


def access_over_window(panel: Panel) -> Floats:
    """Return access averaged over the outcome's own window, in steps of 100 points, shape (n_units, n_years)."""
    return np.asarray(panel.over_window(ACCESS) / find_exposure(ACCESS).step)


def within(panel: Panel, seed: int) -> Part:
    """Fit the outcome on access within units."""
    x = access(panel)[None]
    result = slopes(panel, x)
    tables: dict[str, list[Row]] = {}
    checks: dict[str, float | str] = {}
    if panel.outcome.kind == "level":
        checks = wild(panel, seed)
        boot = {**numbers_of(result), **checks, "draws": BOOTSTRAPS}
        without = leave_one_out(panel.value, x)
        checks |= {"lowest_without_one_area": float(without.min()), "highest_without_one_area": float(without.max())}
        tables = {"wild_bootstrap": [boot], "influence": _influence(panel, result, without)}
    found = tell(panel, result, 0, f"{OWN_AVERAGE} ({years_of(panel)}; {moves(panel.value, x[0])}).")
    shared = shared_error(panel)
    checks |= reliability(panel)
    told = [EFFECTS, *of_window(panel)]
    if shared is not None:
        alone = float(result.coef[0]) / shared
        checks["error_correlation_that_gives_the_slope"] = alone
        told.append(f"{ONE_SURVEY} Errors of the two correlated {alone:.2f} would give this slope alone.")
    return one_term(panel, result, found, assumptions=tuple(told), diagnostics=checks, tables=tables)


def wild(panel: Panel, seed: int) -> dict[str, float | str]:
    """Return interval and p value of the within slope from the wild cluster bootstrap."""
    x = access(panel)
    seen = observed(panel.value, x[None])
    unit, year = np.nonzero(seen)
    effects = np.column_stack([np.eye(len(panel))[unit], np.eye(len(panel.year))[year]])
    rng = keyed_rng(seed, "panel:wild", panel.outcome.id)
    boot = wild_cluster(panel.value[seen], x[seen], effects, unit, rng, n_draws=BOOTSTRAPS)
    return {"wild_lower": boot.lower, "wild_upper": boot.upper, "wild_p_value": boot.p_value}


def shared_error(panel: Panel, *, averaged: bool = False) -> float | None:
    """Return the slope that perfectly correlated survey errors of outcome and access would make alone.

    None unless the outcome counts answers to the survey that access is from: healthy life expectancy. With `averaged`,
    on access over the outcome's window.
    """
    if not panel.outcome.variable.startswith(SURVEY_OUTCOME):
        return None
    reach = panel.window // 2
    error = np.full((len(panel), len(panel.year) + 2 * reach), np.nan)
    place = np.array(panel.exposure_year) - panel.year[0] + reach
    held = (place >= 0) & (place < error.shape[1])
    error[:, place[held]] = every_error(panel)[:, held]
    x = access_over_window(panel) if averaged else access(panel)
    return shared_error_slope(panel.value, x, panel.value_error, error, RHO, panel.window, averaged=averaged)


def reliability(panel: Panel) -> dict[str, float | str]:
    """Return the share of access's movement within units that is not survey noise, under two assumptions."""
    free, middle = (corrected(panel, rho).reliability for rho in (0.0, RHO))
    return {"reliability_if_noise_is_independent": free, f"reliability_if_noise_correlates_{RHO:g}": middle}


def between_within(panel: Panel, seed: int) -> Part:
    """Fit the slopes within and between units in one model; of counts, by Poisson regression with a population."""
    count = panel.outcome.kind == "count"
    notes = ["The contextual term is the slope between areas less the slope within them.", *of_window(panel)]
    steady = mean_reliability(access(panel), access_error(panel), waves(len(panel.year), RHO))
    checks = reliability(panel) | {"reliability_of_area_means": steady}
    if count:
        panel = together(panel, CHRISTCHURCH)
        result = poisson_within_between(panel.value, access(panel), panel.population)
        notes.append("Deaths are set against residents of mid-2019; two areas that Christchurch moved between are one.")
    else:
        result = within_between(panel.value, access(panel))
        notes.append("Each area has a random intercept; standard errors do not need it to be right.")
    found = tell(
        panel,
        result,
        1,
        f"in areas whose access averages 100 points more ({years_of(panel)}), against {signed(panel, result, 0)} in an "
        f"area 100 points above its own average ({moves(panel.value, access(panel))}).",
    )
    return Part(
        panel,
        result,
        ("within", "between", "contextual"),
        (POINTS,) * 3,
        "within",
        found,
        panel.period(),
        tuple(notes),
        checks,
        not_shown="It does not show why areas differ: the slope between areas holds all that has long set them apart, "
        "and the slope within an area what else changed there at the same time, pulled towards zero by survey noise.",
    )


def long_differences(panel: Panel, seed: int) -> Part:
    """Fit changes of the outcome on changes of access over six years, and over every other length."""
    x = access(panel)
    result = differences(panel.value, x, LONG)
    share = _difference_reliability(panel, LONG)
    change = x[:, LONG:] - x[:, :-LONG] + 0 * (panel.value[:, LONG:] - panel.value[:, :-LONG])
    spread = 100 * float(np.nanstd(change - np.nanmean(change, axis=0)))
    size = f"scaled up: changes differ by about {spread:.0f}"
    found = tell(
        panel, result, 0, f"where access rose by 100 points more over {LONG} years ({years_of(panel)}; {size})."
    )
    return one_term(
        panel,
        result,
        found,
        assumptions=(
            f"Over {LONG} years the outcome's windows do not touch and no household is asked in both years, so the "
            "survey noise of the two years is independent.",
            *of_window(panel),
        ),
        diagnostics={"reliability": share, "slope_without_noise": float(result.coef[0] / share)},
        tables={"lengths": [_length_row(panel, length) for length in range(panel.window, len(panel.year))]},
    )


def windows(panel: Panel, seed: int) -> Part:
    """Fit the outcome on access within units, in windows that do not overlap."""
    apart = panel.apart()
    years = tuple(panel.year[t] for t in apart.tolist())
    value, x = panel.value[:, apart], access(panel)[:, apart]
    result = fixed_effects(value, x[None], count_units=False)
    listed = ", ".join(map(str, years))
    where = f"{OWN_AVERAGE}, in windows that do not overlap (around {listed}; {moves(value, x)})."
    found = tell(panel, result, 0, where)
    note = "Only every third window is used, so that no death or answer is counted in two of them."
    return one_term(panel, result, found, years=years, assumptions=(EFFECTS, note, *of_window(panel)))


def window_exposure(panel: Panel, seed: int) -> Part:
    """Fit the outcome on access averaged over the years of the outcome's own window."""
    x = access_over_window(panel)
    result = fixed_effects(panel.value, x[None])
    years = _years_known(panel, x)
    size = moves(panel.value, x)
    where = f"{OWN_AVERAGE} over the outcome's own three years ({years[0]}-{years[-1]}; {size})."
    found = tell(panel, result, 0, where)
    rows = [
        {"noise_correlation": rho, "reliability": one.reliability, **numbers_of(one.fit)}
        for rho, one in ((rho, corrected_window(panel, x, rho)) for rho in RHOS)
    ]
    more = "Averaging removes less noise the more that of neighbouring years is alike: the table takes the rest out."
    tables = {"survey_noise_taken_out": rows}
    return one_term(panel, result, found, years=years, assumptions=(EFFECTS, BEFORE_2020, more), tables=tables)


def corrected_window(panel: Panel, x: Floats, rho: float) -> Corrected:
    """Fit the slope on access over the window, `x`, with the noise of the averages taken out."""
    return corrected_within(panel.value, x, window_noise(panel, rho))


def window_noise(panel: Panel, rho: float) -> Floats:
    """Return the covariance of the noise of access over the window, shape (n_units, n_years, n_years)."""
    each = noise_cov(every_error(panel), waves(len(panel.exposure_year), rho))
    apart = np.abs(np.subtract.outer(panel.year, panel.exposure_year))
    average = np.where(apart <= panel.window // 2, 1 / panel.window, 0.0)
    return np.asarray(average @ each @ average.T)


def within_corrected(panel: Panel, seed: int) -> Part:
    """Fit the outcome on access over its own window within units, survey noise taken out."""
    x = access_over_window(panel)
    main, single = corrected_window(panel, x, RHO), corrected(panel, RHO)
    shared = shared_error(panel, averaged=True)
    told: tuple[str, ...] = ()
    checks: dict[str, float | str] = {"noise_correlation": RHO, "reliability": main.reliability}
    if shared is not None:
        alone = float(main.fit.coef[0]) * main.reliability / shared
        checks["error_correlation_that_gives_the_slope"] = alone
        related = f"The main figure takes their errors as unrelated; errors correlated {alone:.2f} would give it alone."
        told = (f"{ONE_SURVEY} {related}",)
    rows = [_noise_row(panel, x, rho, window_noise(panel, rho), OVER_WINDOW, seed) for rho in RHOS]
    middle = rows[RHOS.index(RHO)]
    rows += [_noise_row(panel, access(panel), rho, year_noise(panel, rho), ONE_YEAR, seed) for rho in RHOS]
    years = _years_known(panel, x)
    first, last = (f"{rows[RHOS.index(rho)]['estimate']:.2f}" for rho in (RHOS[0], RHOS[-1]))
    found = tell(
        panel,
        main.fit,
        0,
        f"{OWN_AVERAGE} over the outcome's own three years, survey noise taken out ({years[0]}-{years[-1]}; "
        f"{moves(panel.value, x)}); {first} to {last} as the noise of one year is {RHOS[0]:g} to {RHOS[-1]:g} "
        f"correlated with the next, and {signed(panel, single.fit, 0)} on access of the middle year alone.",
    )
    return one_term(
        panel,
        main.fit,
        found,
        years=years,
        assumptions=(
            EFFECTS,
            BEFORE_2020,
            "The outcome of a year goes with access of that year: no lag, and the same slope in each of the three.",
            f"Survey noise has the variance of the published limits and correlation {RHO:g} between consecutive years, "
            "falling to none after four, as households stay for up to four yearly waves. The correlation is not "
            "published. The errors of the two rates are taken as independent.",
            "Units without limits of unemployment have the noise that their limits of activity suggest.",
            *told,
        ),
        diagnostics=checks | {name: middle[name] for name in ("simex_quadratic", "simex_rational")},
        tables={"noise": rows} | _shared_table(main, shared),
        noise=False,
    )


def corrected(panel: Panel, rho: float) -> Corrected:
    """Fit the slope on access of one year, noise of that correlation between consecutive years taken out."""
    return corrected_within(panel.value, access(panel), year_noise(panel, rho))


def year_noise(panel: Panel, rho: float) -> Floats:
    """Return the covariance of the noise of one year's access, shape (n_units, n_years, n_years)."""
    return noise_cov(access_error(panel), waves(len(panel.year), rho))


def _years_known(panel: Panel, x: Floats) -> tuple[int, ...]:
    """Return the years of the outcome in which some unit has an exposure, `x`."""
    return tuple(year for year, known in zip(panel.year, np.isfinite(x).T.tolist(), strict=True) if any(known))


def _influence(panel: Panel, result: PanelFit, without: Floats) -> list[Row]:
    order = np.argsort(-np.abs(without - result.coef[0]))[:5]
    return [
        {"area_code": panel.unit[i], "area_name": panel.name[i], "estimate_without": float(without[i])}
        for i in order.tolist()
    ]


def _length_row(panel: Panel, length: int) -> Row:
    result = differences(panel.value, access(panel), length)
    share = _difference_reliability(panel, length)
    return {
        "years": length,
        **numbers_of(result),
        "reliability": share,
        "slope_without_noise": float(result.coef[0] / share),
    }


def _difference_reliability(panel: Panel, length: int) -> float:
    noise = waves(len(panel.year), RHO)
    return difference_reliability(panel.value, access(panel), access_error(panel), length, noise)


def _shared_table(main: Corrected, shared: float | None) -> dict[str, list[Row]]:
    """Return the corrected slope if the survey errors of outcome and access were correlated."""
    if shared is None:
        return {}
    slope = float(main.fit.coef[0])
    return {
        "shared_survey_error": [
            {"error_correlation": one, "noise_correlation": RHO, "estimate": slope - one * shared / main.reliability}
            for one in ERROR_CORRELATIONS
        ]
    }


def _noise_row(panel: Panel, x: Floats, rho: float, noise: Floats, which: str, seed: int) -> Row:
    found = corrected_within(panel.value, x, noise)
    second = simex(panel.value, x, noise, keyed_rng(seed, "panel:simex", panel.outcome.id))
    return {
        "access": which,
        "noise_correlation": rho,
        "reliability": found.reliability,
        **numbers_of(found.fit),
        "simex_quadratic": second.quadratic,
        "simex_rational": second.rational,
    }
