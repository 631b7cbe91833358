"""The health outcomes of a scenario: those of the edition, and rates of deaths that are fitted apart from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition, published_std_error, unit_values
from gwm_models.data.index_spec import OutcomeSpec
from gwm_models.draws import keyed_normals
from gwm_models.models.health import HealthModel, health_models
from gwm_models.models.links import SlopeDraws, central_links, draw_links
from gwm_models.scenarios.known import MORTALITY

Floats = NDArray[np.float64]


def outcome_specs(edition: Edition) -> tuple[OutcomeSpec, ...]:
    """Return the outcomes that a scenario on an edition may name."""
    own = edition.spec.outcomes
    if not own or not edition.published:
        return own
    from gwm_models.models.mortality import outcome_spec

    return (*own, *(outcome_spec(name) for name in MORTALITY))


def model_of(edition: Edition, outcome: str) -> HealthModel:
    """Return the model of one outcome."""
    if outcome not in MORTALITY:
        return health_models(edition).of(outcome)
    from gwm_models.models.mortality import mortality_models

    return mortality_models(edition).of(outcome)


def slopes_of(edition: Edition, outcomes: Sequence[str], n_draws: int | None, seed: int) -> SlopeDraws:
    """Return the slopes of outcomes in the order given: joint draws, or their means as one draw.

    Draws do not depend on which outcomes are asked for. Rates of deaths are drawn apart from the outcomes of the
    edition.
    """
    sets = [_slopes(edition, deaths, n_draws, seed) for deaths in sorted({name in MORTALITY for name in outcomes})]
    found = {name: (each, each.outcome.index(name)) for each in sets for name in each.outcome}
    rows = n_draws or 1

    def columns(part: str) -> Floats:
        kept = [getattr(found[name][0], part)[:, found[name][1]] for name in outcomes]
        return np.column_stack(kept) if kept else np.zeros((rows, 0))

    return SlopeDraws(tuple(outcomes), columns("between"), columns("within_access"), columns("within_share"))


@lru_cache(maxsize=4)
def _slopes(edition: Edition, deaths: bool, n_draws: int | None, seed: int) -> SlopeDraws:
    if not deaths:
        links = health_models(edition).links
        return central_links(links) if n_draws is None else draw_links(links, n_draws=n_draws, seed=seed)
    from gwm_models.models.mortality_links import draw_mortality, mortality_links

    rates = mortality_links(edition)
    return central_links(rates) if n_draws is None else draw_mortality(rates, n_draws=n_draws, seed=seed)


@dataclass(frozen=True, eq=False)
class OutcomeLevel(Frozen):
    """An outcome's published level by area, (n_areas,), and draws of it, (n_draws, n_areas); NaN without limits."""

    published: Floats
    draws: Floats


@lru_cache(maxsize=4)
def outcome_level(edition: Edition, outcome: OutcomeSpec, n_draws: int, seed: int) -> OutcomeLevel:
    """Return an outcome's published level by area and draws of it.

    Areas of one unit share the draw; a unit without published limits has none. Deaths from drug poisoning are a crude
    rate with a Poisson error.
    """
    if outcome.id in MORTALITY:
        from gwm_models.models.mortality import death_rate

        rate = death_rate(edition, outcome.id)
        units, value, error = rate.unit, rate.value, rate.error
    else:
        units = edition.areas.unit
        rows = unit_values("outcomes", outcome.variable, outcome.period, units, sex=outcome.sex)
        value, error = np.array(rows["value"]), published_std_error(rows)
    draws = value + error * keyed_normals(seed, f"outcome:{outcome.id}", units, n_draws)
    return OutcomeLevel(value, draws)
