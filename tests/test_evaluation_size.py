"""Under no effect, and under a known one, on the real panel: how often intervals are wrong, and by how much effects."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from binomial_band import may_be_within
from numpy.typing import NDArray

from gwm_models.data.tables import read_table
from gwm_models.draws import keyed_rng
from gwm_models.evaluation.checks import fit_check, place_check, regression_check
from gwm_models.evaluation.designs import Data, fit_design
from gwm_models.evaluation.inference import invert_placebos
from gwm_models.evaluation.placebo import Placebos, expected_size, placebos_in_space, places

pytestmark = pytest.mark.slow

# Variable, sex, whether in logarithms, and whether a low figure is the bad end.
SERIES = (
    ("economic_activity_rate_16_64", "Persons", False, True),
    ("employment_rate_16_64", "Persons", False, True),
    ("unemployment_rate_16_64", "Persons", False, False),
    ("unemployment_rate_16plus_model_based", "Persons", False, False),
    ("claimant_count_rate_annual", "Persons", False, False),
    ("gdhi_per_head", "Persons", True, True),
    ("gva_per_head_current", "Persons", True, True),
    ("life_expectancy_at_birth", "Male", False, True),
    ("life_expectancy_at_birth", "Female", False, True),
    ("healthy_life_expectancy_at_birth", "Male", False, True),
    ("healthy_life_expectancy_at_birth", "Female", False, True),
    ("preventable_cvd_mortality_u75_asmr", "Persons", False, False),
)
AFTER = 5


@cache
def matrix(variable: str, sex: str, logs: bool) -> NDArray[np.float64]:
    """Return English units by period, without units that have a gap."""
    where = {"variable": variable, "sex": sex}
    rows = next(found for name in ("indicators", "outcomes") if len(found := read_table(name, where=where)))
    unit, i = np.unique(rows["unit_code"].astype(str), return_inverse=True)
    period, t = np.unique(rows["period"].astype(str), return_inverse=True)
    value = np.full((len(unit), len(period)), np.nan)
    value[i, t] = 100 * np.log(rows["value"]) if logs else rows["value"]
    return value[np.isfinite(value).all(axis=1) & np.char.startswith(unit, "E")]


@dataclass(frozen=True)
class Event:
    """A made-up start on one series, with units from the bad end on, by three rules."""

    name: str
    data: Data
    worst: dict[str, NDArray[np.int64]]


def events(step: int) -> Iterator[Event]:
    for variable, sex, logs, low in SERIES:
        value = matrix(variable, sex, logs)
        for cut in range(max(6, value.shape[1] // 2), value.shape[1] - 2, step):
            part = value[:, : cut + AFTER]
            bad = part if low else -part
            yield Event(
                f"{variable} {sex} {cut}",
                Data(part.copy(), cut, part[:, :cut].copy()),
                {
                    "level": np.argsort(bad[:, :cut].mean(axis=1)),
                    "last": np.argsort(bad[:, cut - 1]),
                    "fall": np.argsort(bad[:, cut - 1] - bad[:, cut - 4]),
                },
            )


@dataclass(frozen=True)
class Found:
    """One placebo treated as if it were the intervention."""

    kind: str
    valid: bool
    rejects: bool
    covers: bool
    att: float


def judged(found: Placebos, kind: str, effect: float = 0.0) -> Found:
    wide, narrow = invert_placebos(found, 0.95), invert_placebos(found, 0.9)
    checks = [fit_check(found), regression_check(found, wide), place_check(found)]
    return Found(
        kind,
        all(check is None or check.verdict != "fail" for check in checks),
        not wide.lower <= 0 <= wide.upper,
        narrow.lower <= effect <= narrow.upper,
        (found.att[0] - effect) / found.att[1:].std(),
    )


def judge_each(method: str, data: Data, units: Iterable[int], kind: str, effect: float = 0.0) -> list[Found]:
    """Treat each of some units as if it were the intervention, with a known effect added from the start on."""
    if method == "sc":
        return [judged(found, kind, effect) for found in without_each(data, units, effect)]
    found = []
    for unit in units:
        value = data.value.copy()
        value[unit, data.cut :] += effect
        donors = np.delete(np.arange(len(value)), unit)
        placebos = placebos_in_space(method, replace(data, value=value), np.array([unit]), donors)
        found.append(judged(placebos, kind, effect))
    return found


def without_each(data: Data, units: Iterable[int], effect: float = 0.0) -> Iterator[Placebos]:
    """Yield the placebos of synthetic control for some units in turn.

    A placebo that gave the unit no weight is the same without it, so only the others are fitted again. An effect
    changes the gap of the treated and no other.
    """
    n, every = len(data.value), np.arange(len(data.value))
    fits = [fit_design("sc", data, every[[k]], np.delete(every, k)) for k in every]
    weight = np.array([np.insert(fit.weight, k, 0.0) for k, fit in enumerate(fits)])
    for unit in units:
        order = [unit, *np.delete(every, unit)]
        gap = np.array([fits[k].gap for k in order])
        gap[0, data.cut :] += effect
        for row, k in enumerate(order):
            if weight[k, unit] > 0:
                gap[row] = fit_design("sc", data, every[[k]], np.setdiff1d(every, [k, unit])).gap
        yield assembled(data, [every[[k]] for k in order], gap, n)


def assembled(data: Data, sets: list[NDArray[np.int64]], gap: NDArray[np.float64], n: int) -> Placebos:
    before, after = gap[:, : data.cut], gap[:, data.cut :]
    square, att = np.mean(before**2, axis=1), after.mean(axis=1)
    donors = np.delete(np.arange(n), sets[0])
    return Placebos(
        tuple(sets),
        att,
        np.sqrt(square),
        np.sqrt(np.mean(after**2, axis=1)),
        expected_size(att, [square]),
        places(data, sets, donors),
        gap,
        False,
    )


def valid(found: list[Found], what: str) -> list[bool]:
    """Return whether intervals offered as valid reject no effect, or cover the known one."""
    return [getattr(one, what) for one in found if one.valid]


@pytest.mark.parametrize("effect", [0.0, 3.0])
def test_placebos_put_together_for_speed_are_those_of_the_design(effect):
    event = next(events(4))
    fast = next(without_each(event.data, [5], effect))
    value = event.data.value.copy()
    value[5, event.data.cut :] += effect
    donors = np.delete(np.arange(len(value)), 5)
    slow = placebos_in_space("sc", replace(event.data, value=value), np.array([5]), donors)
    assert fast.att == pytest.approx(slow.att, abs=1e-8)
    assert fast.scale == pytest.approx(slow.scale, abs=1e-8)
    assert fast.place == pytest.approx(slow.place)


@pytest.mark.parametrize(("method", "step", "units"), [("sc", 6, 40), ("sdid", 6, 10), ("did", 6, 60)])
def test_under_no_effect_intervals_reject_as_often_as_they_say(method, step, units):
    found = []
    for event in events(step):
        n = len(event.data.value)
        found += judge_each(method, event.data, keyed_rng(3, event.name).choice(n, units, replace=False), "any")
    assert sum(one.valid for one in found) > 0.8 * len(found)
    assert may_be_within(valid(found, "rejects"), 0.03, 0.07)


@pytest.mark.parametrize(("method", "step", "units"), [("sc", 4, 8), ("sdid", 12, 6), ("did", 3, 8)])
def test_under_no_effect_areas_chosen_for_being_the_worst_are_rejected_as_often_or_said_not_to_be_comparable(
    method, step, units
):
    found, very_worst = [], []
    for event in events(step):
        order = {rule: rows[:units].tolist() for rule, rows in event.worst.items()}
        rows = [unit for chosen in order.values() for unit in chosen]
        judgements = judge_each(method, event.data, rows, "worst")
        found += judgements
        very_worst += judgements[::units]
    assert sum(one.valid for one in found) > 0.3 * len(found)
    assert may_be_within(valid(found, "rejects"), 0.03, 0.07)
    assert np.mean([one.valid for one in very_worst]) < 0.2


@pytest.mark.parametrize(("method", "step", "units"), [("sc", 3, 12), ("sdid", 5, 5), ("did", 3, 12)])
def test_a_known_effect_is_recovered_without_bias_and_covered(method, step, units):
    found = []
    for event in events(step):
        rows = keyed_rng(4, method, event.name).choice(len(event.data.value), units, replace=False)
        size = 2 * float(np.diff(event.data.value, axis=1).std())
        found += judge_each(method, event.data, rows, "any", size)
    assert may_be_within(valid(found, "covers"), 0.87, 0.93)
    att = np.array([one.att for one in found])
    assert abs(att.mean()) < 3 * att.std() / np.sqrt(len(att))
    assert abs(att.mean()) < 0.15


@pytest.mark.parametrize("method", ["sc", "did"])
def test_in_the_smallest_panels_under_no_effect_intervals_reject_as_often_as_they_say(method):
    found, n = [], 20
    for event in events(6):
        for draw in range(60):
            rows = keyed_rng(11, event.name, str(draw)).choice(len(event.data.value), n, replace=False)
            value = event.data.value[rows]
            data = Data(value, event.data.cut, value[:, : event.data.cut].copy())
            placebos = placebos_in_space(method, data, np.array([0]), np.arange(1, n))
            found.append(judged(placebos, "any"))
    assert sum(one.valid for one in found) > 0.6 * len(found)
    assert may_be_within(valid(found, "rejects"), 0.03, 0.07)
