"""Appraisal of a run: what its effects cost, how surely they are worth it, and what would have to be true for that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.errors import DataError, some
from gwm_models.evaluation.appraisal_arrays import (
    Ratio,
    acceptability,
    cost_ratio,
    even_value,
    information_value,
    net_benefit,
    quadrants,
)
from gwm_models.evaluation.appraisal_costs import CostStream, cost_stream
from gwm_models.evaluation.appraisal_effects import HEALTHY, EffectDraws, effect_draws
from gwm_models.evaluation.appraisal_terms import (
    QALY_POUNDS,
    QALY_SOURCE,
    QALY_WORDS,
    QALY_YEARS,
    Terms,
    Value,
    prices_factor,
)
from gwm_models.evaluation.appraisal_text import UNWEIGHTED, WEIGHTED
from gwm_models.scenarios.projection import Projection
from gwm_models.scenarios.spread import Row, one, plain

Floats = NDArray[np.float64]

GRID = 61
CLOUD = 300


@dataclass(frozen=True, eq=False)
class Appraisal:
    """Costs of a run against each of its effects, from joint draws.

    Attributes
    ----------
    projection : Projection
    terms : Terms
    level : float
        Of every interval.
    cost : CostStream
    effects : tuple of EffectDraws
    """

    projection: Projection
    terms: Terms
    level: float
    cost: CostStream
    effects: tuple[EffectDraws, ...]

    def __repr__(self) -> str:
        """Return one line: scenario, mean cost, effects."""
        mean = self.cost.discounted.mean()
        return f"Appraisal({self.projection.scenario.id}: £{mean:,.0f}, {len(self.effects)} effects)"

    def effect(self, measure: str) -> EffectDraws:
        """Return one effect by its measure; an unknown one is a `DataError`."""
        for found in self.effects:
            if found.measure == measure:
                return found
        raise DataError(f"The run has no '{measure}'. It has {some([e.measure for e in self.effects], 20)}.")

    def ratio(self, measure: str) -> Ratio:
        """Return cost over one effect, or why there is none."""
        return cost_ratio(self.cost.discounted, self.effect(measure).draws, self.level)

    def rows(self) -> list[Row]:
        """Return one row for each effect and weighting: cost for a unit, or why there is none, and the quadrants."""
        return [
            self._ratio_row(effect, equity, draws)
            for effect in self.effects
            for equity, draws in _weightings(effect).items()
        ]

    def _ratio_row(self, effect: EffectDraws, equity: str, draws: Floats) -> Row:
        cost = self.cost.discounted
        found = cost_ratio(cost, draws, self.level)
        return self._head(effect, equity) | {
            "unit": f"GBP per {effect.unit}",
            "verdict": found.verdict,
            **{name: _rounded(getattr(found, name)) for name in ("estimate", "lower", "upper")},
            "level": self.level,
            "n": len(cost),
            "value_even": _rounded(even_value(cost, draws)),
            **{f"prob_{name}": share for name, share in quadrants(cost, draws).items()},
        }

    def _head(self, effect: EffectDraws, equity: str) -> Row:
        return {
            "measure": effect.measure,
            "label": effect.label,
            "equity": equity,
            "period": effect.period,
            "price_base": self.cost.price_base,
        }

    def cost_rows(self) -> list[Row]:
        """Return what the run costs: all actions undiscounted and discounted, then each of them discounted."""
        cost = self.cost
        draws = {("all actions", False): cost.total, ("all actions", True): cost.discounted}
        draws |= {(name, True): each for name, each in zip(cost.actions, cost.each, strict=True)}
        return [
            {"action": action, "discounted": discounted, "unit": "GBP", "price_base": cost.price_base}
            | {"period": _period(cost.years)}
            | one(each, self.level)
            | {"level": self.level, "n": len(each)}
            for (action, discounted), each in draws.items()
        ]

    def effect_rows(self) -> list[Row]:
        """Return every effect: undiscounted, discounted, and with equity weights; above zero is good."""
        rows: list[Row] = []
        for effect in self.effects:
            states = {("undiscounted", UNWEIGHTED): effect.undiscounted}
            if effect.rate is not None:
                states |= {("discounted", equity): draws for equity, draws in _weightings(effect).items()}
            elif effect.weighted is not None:
                states["undiscounted", WEIGHTED] = effect.weighted
            for (state, equity), draws in states.items():
                head = {"measure": effect.measure, "label": effect.label, "unit": effect.units, "state": state}
                rows.append(
                    head
                    | {
                        "equity": equity,
                        "period": effect.period,
                        "rate": effect.rate if state == "discounted" else None,
                    }
                    | one(draws, self.level)
                    | {"level": self.level, "n": len(draws), "prob_good": float((draws > 0).mean())}
                )
        return rows

    def year_rows(self) -> list[Row]:
        """Return cost and effects by year, undiscounted, at the price base."""
        cost, rows = self.cost, list[Row]()
        streams = [("cost", "Cost", "GBP", cost.years, cost.by_year)]
        for effect in self.effects:
            if effect.by_year is not None:
                streams.append((effect.measure, effect.label, effect.units, self.projection.years, effect.by_year))
        for measure, label, unit, years, draws in streams:
            for year, each in zip(years, draws, strict=True):
                head: Row = {"measure": measure, "label": label, "unit": unit, "year": year}
                rows.append(head | one(each, self.level) | {"level": self.level, "n": len(each)})
        return rows

    def values(self, effect: EffectDraws) -> list[Value]:
        """Return the values for a unit of an effect at which the net benefit is given, in order.

        Those asked for; for years of healthy life the figure of the Green Book for a quality-adjusted life year, unless
        another was asked for. None else: the curve shows a range, and no value is made up.
        """
        given = [value for value in self.terms.values if value.measure == effect.measure]
        if not given and effect.measure == HEALTHY:
            given = [reference_value(self.cost.price_base, self.terms)]
        return sorted(given, key=lambda value: value.pounds)

    def benefit_rows(self) -> list[Row]:
        """Return the net benefit at each value: mean, interval, chance of being above zero, value of information."""
        cost, rows = self.cost.discounted, list[Row]()
        for effect in self.effects:
            for value in self.values(effect):
                for equity, draws in _weightings(effect).items():
                    net = net_benefit(cost, draws, value.pounds)
                    rows.append(
                        self._head(effect, equity)
                        | {"unit": "GBP", "value": value.pounds, "value_unit": f"GBP per {effect.unit}"}
                        | {"value_source": value.source, "value_words": value.words}
                        | one(net, self.level)
                        | {"level": self.level, "n": len(net), "prob_positive": float((net > 0).mean())}
                        | {"evpi": plain(information_value(cost, draws, value.pounds))}
                    )
        return rows

    def curve_rows(self) -> list[Row]:
        """Return the acceptability curve of each effect over a range of values, with net benefit and EVPI."""
        cost, rows = self.cost.discounted, list[Row]()
        for effect in self.effects:
            if not effect.draws.any():
                continue
            stated = [value.pounds for value in self.values(effect)]
            grid = np.unique(np.concatenate([np.linspace(0, _top(cost, effect.draws, stated), GRID), stated]))
            for equity, draws in _weightings(effect).items():
                for value, prob in zip(grid, acceptability(cost, draws, grid), strict=True):
                    rows.append(
                        self._head(effect, equity)
                        | {"value": float(value), "value_unit": f"GBP per {effect.unit}", "prob_positive": float(prob)}
                        | {"net_benefit": plain(net_benefit(cost, draws, float(value)).mean()), "unit": "GBP"}
                        | {"evpi": plain(information_value(cost, draws, float(value))), "n": len(cost)}
                    )
        return rows

    def plane_rows(self) -> list[Row]:
        """Return a thinned cloud of draws of each effect: every so many draws, in order."""
        cost, n = self.cost.discounted, len(self.cost.discounted)
        chosen = np.arange(0, n, max(1, -(-n // CLOUD)))
        return [
            {"measure": effect.measure, "draw": int(i) + 1, "effect": float(effect.draws[i]), "cost": float(cost[i])}
            for effect in self.effects
            if effect.draws.any()
            for i in chosen
        ]

    def break_even_rows(self) -> list[Row]:
        """Return the share of the association that would have to be causal for the net benefit to be zero.

        For each value of a unit of each effect on health. None where the full association itself is not surely good.
        """
        rows: list[Row] = []
        for effect in self.effects:
            if effect.full is None:
                continue
            stated = float(effect.draws.mean() / effect.full.mean()) if effect.full.mean() else None
            for value in self.values(effect):
                found = cost_ratio(self.cost.discounted, value.pounds * effect.full, self.level)
                rows.append(
                    self._head(effect, UNWEIGHTED)
                    | {"value": value.pounds, "value_unit": f"GBP per {effect.unit}", "value_source": value.source}
                    | {"unit": "share of the association", "verdict": found.verdict}
                    | {name: _rounded(getattr(found, name)) for name in ("estimate", "lower", "upper")}
                    | {"level": self.level, "n": len(effect.full), "share_stated": _rounded(stated)}
                )
        return rows


def _period(years: tuple[int, ...]) -> str:
    return "-".join(str(year) for year in sorted({years[0], years[-1]})) if years else ""


def _rounded(value: float | None) -> float | None:
    return None if value is None else plain(value)


def _weightings(effect: EffectDraws) -> dict[str, Floats]:
    found = {UNWEIGHTED: effect.draws}
    return found if effect.weighted is None else found | {WEIGHTED: effect.weighted}


def _top(cost: Floats, effect: Floats, given: list[float]) -> float:
    """Return the end of the range of values shown: a round number well beyond where the costs are covered."""
    size = float(np.abs(effect).mean()) or 1.0
    most = max([3 * float(np.abs(cost).mean()) / size, *(1.2 * value for value in given)])
    if most <= 0:
        return 1.0
    step = 10.0 ** np.floor(np.log10(most))
    return float(step * next(n for n in (1, 2, 2.5, 5, 10) if n * step >= most * (1 - 1e-12)))


def reference_value(price_base: int, terms: Terms) -> Value:
    """Return what the Green Book gives for a quality-adjusted life year, at the price base where that can be had."""
    if price_base in QALY_YEARS:
        return Value(HEALTHY, QALY_POUNDS, QALY_SOURCE, stated=False, words=QALY_WORDS)
    if QALY_YEARS[0] in terms.deflator and price_base in terms.deflator:
        pounds = QALY_POUNDS * prices_factor(terms, QALY_YEARS[0], price_base)
        source = f"{QALY_SOURCE}; brought from {QALY_YEARS[0]} to {price_base} by {terms.deflator_source}"
        return Value(HEALTHY, pounds, source, stated=False, words=f"{QALY_WORDS}, brought to {price_base} prices")
    source = f"{QALY_SOURCE}; here the same figure at {price_base} prices, not converted: no price index is at hand"
    words = f"{QALY_WORDS}, at 2020-21 prices and not converted"
    return Value(HEALTHY, QALY_POUNDS, source, stated=False, words=words)


def appraise(projection: Projection, terms: Terms | None = None) -> Appraisal:
    """Appraise a run: hold what it costs against everything it brings, on joint draws.

    Costs are discounted to the first year of the horizon, at the price base that they share. Effects over the years
    come from the run projected to each year in turn. See `Appraisal` for the rows it gives.

    Parameters
    ----------
    projection : Projection
    terms : Terms, optional
        Discount rates, values and prices; those of the Green Book by default.

    Raises
    ------
    DataError
        If no action has a cost, price bases differ, or a value is for an effect that the run does not have.

    References
    ----------
    HM Treasury (2022), The Green Book. Briggs, Claxton & Sculpher (2006), Decision Modelling for Health Economic
    Evaluation, chapter 5.
    """
    terms = terms or Terms()
    cost = cost_stream(projection, terms)
    level = terms.level or max(projection.scenario.analysis.intervals)
    found = Appraisal(projection, terms, level, cost, tuple(effect_draws(projection, terms)))
    for value in terms.values:
        found.effect(value.measure)
    return found
