"""The official slope and relative index of inequality: the published example, by hand, closed forms, refusals."""

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gwm_models.errors import DataError
from gwm_models.scenarios.slope_index import slope_index_of_inequality

TENTHS = np.array([7291.0, 7997, 6105, 7666, 5790, 6934, 5918, 5974, 7147, 7534])
Z = 1.959963984540054


def example(known):
    with (known / "slope_index_example.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return (np.array([float(row[name]) for row in rows]) for name in ("population", "life_expectancy", "std_error"))


def middles(population):
    return (np.cumsum(population) - population / 2) / population.sum()


def error_of_slope(population, errors):
    """Return the exact standard error of the fitted slope: it is linear in the values."""
    weight, place = population / population.sum(), middles(population)
    centred = place - weight @ place
    return float(np.sqrt(((weight * centred * errors) ** 2).sum()) / (weight @ centred**2))


def test_the_official_example_is_reproduced_with_its_limits(known):
    population, life, error = example(known)
    found = slope_index_of_inequality(life, population, std_error=error)
    assert found.sii == pytest.approx(6.934616, abs=5e-7)
    assert found.rii == pytest.approx(1.088818, abs=5e-7)
    # The published limits come from a simulation; a thousand samples leave them about 0.17 unsure.
    assert (found.sii_lower, found.sii_upper) == pytest.approx((3.128, 10.759), abs=0.17)
    same = slope_index_of_inequality(life, population, lower=life - Z * error, upper=life + Z * error)
    assert (same.sii_lower, same.rii_upper) == pytest.approx((found.sii_lower, found.rii_upper), abs=1e-6)


def test_five_equal_groups_by_hand():
    """Middles 0.1 to 0.9; the line through 60, 62, 64, 66, 68 rises by 10 and starts at 59."""
    found = slope_index_of_inequality([60, 62, 64, 66, 68], [1] * 5)
    assert (found.sii, found.first, found.last) == pytest.approx((10, 59, 69))
    assert found.rii == pytest.approx(69 / 59)
    assert np.isnan(found.sii_lower) and found.draws == 0


def test_it_is_the_regression_of_scaled_values_on_scaled_middles():
    """The published form: y sqrt(a) on sqrt(a) and b sqrt(a), without a constant."""
    rng = np.random.default_rng(4)
    values, population = rng.normal(70, 5, 10), rng.uniform(1, 9, 10)
    root = np.sqrt(population / population.sum())
    first, slope = np.linalg.lstsq(np.column_stack([root, middles(population) * root]), values * root, rcond=None)[0]
    found = slope_index_of_inequality(values, population)
    assert (found.sii, found.first) == pytest.approx((slope, first))


def test_limits_of_a_mean_are_those_of_the_exact_error_of_the_slope():
    rng = np.random.default_rng(7)
    values, errors = rng.normal(70, 5, 10), rng.uniform(0.5, 3, 10)
    found = slope_index_of_inequality(values, TENTHS, std_error=errors, level=0.9)
    exact = 1.6448536 * error_of_slope(TENTHS, errors)
    assert (found.sii_lower, found.sii_upper) == pytest.approx((found.sii - exact, found.sii + exact), abs=1e-6)
    assert found.rii_lower < found.rii < found.rii_upper


@pytest.mark.parametrize(
    ("kind", "onto", "back"),
    [
        ("rate", np.log, np.exp),
        ("proportion", lambda p: np.log(p / (1 - p)), lambda x: 1 / (1 + np.exp(-x))),
    ],
)
def test_transformed_values_along_a_line_come_back_exactly(kind, onto, back):
    line = onto(0.4) - 0.9 * middles(TENTHS)
    found = slope_index_of_inequality(back(line), TENTHS, kind=kind, transform=True)
    assert (found.first, found.last) == pytest.approx((0.4, back(onto(0.4) - 0.9)))
    assert found.sii == pytest.approx(back(onto(0.4) - 0.9) - 0.4)
    assert found.rii == pytest.approx(back(onto(0.4) - 0.9) / 0.4)
    assert found.transform == {"rate": "log", "proportion": "logit"}[kind]


@pytest.mark.parametrize(
    ("kind", "onto", "back"),
    [
        ("rate", np.log, np.exp),
        ("proportion", lambda p: np.log(p / (1 - p)), lambda x: 1 / (1 + np.exp(-x))),
    ],
)
def test_transformed_limits_turn_the_line_around_its_middle(kind, onto, back):
    """The slope is normal on the transformed scale, so its limits have a closed form."""
    values, error = back(onto(0.3) - 0.8 * middles(TENTHS) + 0.02 * np.cos(np.arange(10))), np.linspace(0.05, 0.2, 10)
    low, high = back(onto(values) - Z * error), back(onto(values) + Z * error)
    found = slope_index_of_inequality(values, TENTHS, lower=low, upper=high, kind=kind, transform=True)
    middle, slope = (onto(found.first) + onto(found.last)) / 2, onto(found.last) - onto(found.first)
    ends = slope + np.array([-Z, Z]) * error_of_slope(TENTHS, error)
    sii = back(middle + ends / 2) - back(middle - ends / 2)
    rii = back(middle + ends / 2) / back(middle - ends / 2)
    assert (found.sii_lower, found.sii_upper) == pytest.approx(tuple(sii), abs=1e-9)
    assert (found.rii_lower, found.rii_upper) == pytest.approx(tuple(rii), abs=1e-9)
    assert found.draws == 0


def test_a_rate_without_transform_is_fitted_as_it_is_and_drawn_on_the_log_scale():
    rates, error = np.linspace(900, 500, 10), np.full(10, 0.08)
    found = slope_index_of_inequality(rates, TENTHS, std_error=error, kind="rate")
    assert found.sii == slope_index_of_inequality(rates, TENTHS).sii
    # Lognormal values have mean exp(s^2/2) times the rate and that spread of it.
    spread = rates * np.exp(error**2 / 2) * np.sqrt(np.expm1(error**2))
    centre = slope_index_of_inequality(rates * np.exp(error**2 / 2), TENTHS).sii
    exact = Z * error_of_slope(TENTHS, spread)
    assert (found.sii_lower, found.sii_upper) == pytest.approx((centre - exact, centre + exact), abs=8)


def test_a_proportion_without_transform_is_drawn_on_the_logit_scale():
    share, error = np.linspace(0.5, 0.2, 10), np.full(10, 0.3)
    found = slope_index_of_inequality(share, TENTHS, std_error=error, kind="proportion", level=0.8, draws=40_000)
    drawn = 1 / (1 + np.exp(-np.random.default_rng(3).normal(np.log(share / (1 - share)), error, (40_000, 10))))
    weight, place = TENTHS / TENTHS.sum(), middles(TENTHS)
    centred = place - weight @ place
    slope = drawn @ (weight * centred) / (weight @ centred**2)
    first = drawn @ weight - slope * (weight @ place)
    tails = [0.1, 0.9]
    assert (found.sii_lower, found.sii_upper) == pytest.approx(np.quantile(slope, tails), abs=0.004)
    assert (found.rii_lower, found.rii_upper) == pytest.approx(np.quantile(1 + slope / first, tails), abs=0.008)
    assert (found.draws, found.level, found.n) == (40_000, 0.8, 10)


def test_a_negative_multiplier_turns_the_limits_of_a_transformed_line_round():
    values = np.linspace(0.5, 0.2, 10)
    options = {"lower": values - 0.05, "upper": values + 0.05, "kind": "proportion", "transform": True}
    plain = slope_index_of_inequality(values, TENTHS, **options)
    turned = slope_index_of_inequality(values, TENTHS, multiplier=-100, **options)
    assert (turned.sii_lower, turned.sii_upper) == pytest.approx((-100 * plain.sii_upper, -100 * plain.sii_lower))
    assert (turned.rii_lower, turned.rii_upper) == pytest.approx((1 / plain.rii_upper, 1 / plain.rii_lower))


def test_numbers_at_the_ends_of_what_is_allowed_are_taken_and_beyond_them_refused():
    values, error = np.linspace(40, 25, 10), np.full(10, 1.0)
    assert slope_index_of_inequality(values, TENTHS, std_error=error, draws=1000).draws == 1000
    for more in ({"draws": 999}, {"level": 0.0}, {"level": 1.0}, {"multiplier": np.inf}):
        with pytest.raises(DataError, match=next(iter(more))):
            slope_index_of_inequality(values, TENTHS, **more)
    none = slope_index_of_inequality(values, TENTHS, std_error=np.zeros(10))
    assert (none.sii_lower, none.sii_upper) == pytest.approx((none.sii, none.sii))
    flat = slope_index_of_inequality([20, 30], [1, 1], lower=[20, 25], upper=[20, 35])
    assert np.isfinite(flat.sii_lower)
    for share in (0.0, 1.0):
        with pytest.raises(DataError, match="above 0 and below 1; group 2"):
            slope_index_of_inequality([0.5, share], [1, 1], kind="proportion")
    with pytest.raises(DataError, match="count / population: expected numbers above 0 and below 1; group 1 has 1"):
        slope_index_of_inequality(None, [10, 10], count=[10, 5], kind="proportion")


def test_a_proportion_may_come_as_counts():
    counts = np.array([700.0, 650, 500, 560, 400, 420, 330, 300, 320, 310])
    found = slope_index_of_inequality(None, TENTHS, count=counts, kind="proportion", multiplier=100)
    assert found.sii == pytest.approx(100 * slope_index_of_inequality(counts / TENTHS, TENTHS).sii)
    assert found.rii == pytest.approx(found.last / found.first)


def test_a_negative_multiplier_turns_the_indices_and_their_limits_round():
    values, error = np.linspace(40, 25, 10), np.full(10, 1.0)
    plain = slope_index_of_inequality(values, TENTHS, std_error=error)
    turned = slope_index_of_inequality(values, TENTHS, std_error=error, multiplier=-1)
    assert (turned.sii, turned.sii_lower, turned.sii_upper) == pytest.approx(
        (-plain.sii, -plain.sii_upper, -plain.sii_lower)
    )
    half = slope_index_of_inequality(values, TENTHS, std_error=error, multiplier=0.5)
    assert (half.sii, half.sii_lower) == pytest.approx((plain.sii / 2, plain.sii_lower / 2))
    assert (half.rii, half.rii_lower, half.rii_upper) == (plain.rii, plain.rii_lower, plain.rii_upper)
    assert (turned.rii, turned.rii_lower, turned.rii_upper) == pytest.approx(
        (1 / plain.rii, 1 / plain.rii_upper, 1 / plain.rii_lower)
    )


@given(arrays(float, 10, elements=st.floats(1, 99)), st.floats(0.1, 10))
def test_the_slope_index_follows_the_scale_and_the_relative_one_does_not(values, scale):
    plain = slope_index_of_inequality(values, TENTHS)
    moved = slope_index_of_inequality(scale * values, TENTHS)
    assert moved.sii == pytest.approx(scale * plain.sii, abs=1e-6)
    assert moved.rii == pytest.approx(plain.rii, rel=1e-6, abs=1e-6)


def test_the_same_seed_gives_the_same_limits_and_another_nearly_the_same():
    values, error = np.linspace(40, 25, 10), np.full(10, 1.0)
    first, again, other = (slope_index_of_inequality(values, TENTHS, std_error=error, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first.sii_lower == other.sii_lower and first.sii_upper == other.sii_upper
    assert first.rii_lower != other.rii_lower
    assert first.rii_lower == pytest.approx(other.rii_lower, abs=0.01)


def test_what_is_left_out_is_a_hundred_thousand_draws_of_one_seed():
    values, error = np.linspace(40, 25, 10), np.full(10, 1.0)
    plain = slope_index_of_inequality(values, TENTHS, std_error=error)
    assert plain.draws == 100_000
    assert plain == slope_index_of_inequality(values, TENTHS, std_error=error, seed=20260101)


def test_a_line_from_nothing_has_no_relative_index():
    """The line through 1 at a quarter and 3 at three quarters starts at 0."""
    found = slope_index_of_inequality([1, 3], [1, 1])
    assert (found.sii, found.first, found.rii) == (4, 0, np.inf)
    assert np.isnan(slope_index_of_inequality([0, 0], [1, 1]).rii)


def test_one_member_with_the_attribute_is_a_count():
    """A tenth and a half of the residents, at a quarter and three quarters: twice 0.4 from end to end."""
    found = slope_index_of_inequality(None, [10, 10], count=[1, 5], kind="proportion")
    assert found.sii == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (((1, 2, 3), (1, 2)), "population 2, value 3"),
        (((1, 2), (1, 0)), "population: expected numbers above 0; group 2 has 0"),
        (((1, np.nan), (1, 1)), "value: expected numbers; group 2 has nan"),
        (((1,), (1,)), "two or more groups"),
        ((("a", 2), (1, 1)), "one number for each group"),
    ],
)
def test_arrays_that_cannot_be_used_are_named(arguments, words):
    with pytest.raises(DataError, match=words):
        slope_index_of_inequality(*arguments)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"kind": "rates"}, "expected mean, rate or proportion"),
        ({"kind": "proportion"}, "above 0 and below 1; group 1 has 20"),
        ({"transform": True}, "a mean is fitted as it is"),
        ({"kind": "rate", "transform": True, "std_error": [1, 1]}, "needs 95% limits"),
        ({"lower": [1, 1]}, "both limits"),
        ({"lower": [30, 1], "upper": [25, 40]}, "lower limit of group 1 is above the upper"),
        ({"kind": "rate", "lower": [0, 1], "upper": [25, 40]}, "lower: expected numbers above 0"),
        ({"std_error": [1, -1]}, "of at least 0; group 2"),
        ({"std_error": [1, 1, 1]}, "value 2, std_error 3"),
        ({"lower": [1, 1, 1], "upper": [40, 40]}, "value 2, lower 3, upper 2"),
        ({"upper": [40, 40]}, "both limits"),
        ({"count": [1, 2]}, "either the groups' values or"),
        ({"level": 95}, "probability between 0 and 1"),
        ({"draws": 10}, "1000 or more"),
        ({"multiplier": 0}, "other than zero"),
    ],
)
def test_options_that_cannot_be_used_are_refused(more, words):
    with pytest.raises(DataError, match=words):
        slope_index_of_inequality([20, 30], [1, 1], **more)


def test_counts_are_one_for_each_group():
    with pytest.raises(DataError, match="population 2, count 3"):
        slope_index_of_inequality(None, [10, 10], count=[1, 2, 3], kind="proportion")


def test_counts_give_proportions_only():
    with pytest.raises(DataError, match="Give values instead"):
        slope_index_of_inequality(None, [10, 10], count=[1, 2])
