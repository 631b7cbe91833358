"""Links between conditions and scores: slopes by hand, the share that moves within areas, the Monitor's areas."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwm_models.data.edition import Edition, load_edition
from gwm_models.errors import ModelError
from gwm_models.models.conditions_link import (
    ConditionLinks,
    between_slopes,
    condition_links,
    draw_condition_slopes,
)
from gwm_models.models.conditions_within import WithinSlope, domain_by_year, pooled_share, within_slope
from gwm_models.models.yearly import yearly_series


@pytest.fixture(scope="module")
def edition() -> Edition:
    return load_edition()


@pytest.fixture(scope="module")
def links(edition: Edition) -> ConditionLinks:
    return condition_links(edition)


def made_up(slope: float, *, reliability: float = 1.0, same: bool = False, name: str = "skills") -> WithinSlope:
    square = np.array([4.0, 2, 1, 1])
    off = np.array([0.2, -0.2, 0.1, -0.1])
    return WithinSlope(
        name, "access", (2017, 2018, 2019), slope * square + off, square, (1 - reliability) * square, same
    )


def full(value: float, *names: str) -> tuple[dict[tuple[str, str], float], dict[tuple[str, str], np.ndarray]]:
    keys = [(name, "access") for name in names]
    return dict.fromkeys(keys, value), dict.fromkeys(keys, np.array([0.1, 0.1, -0.1, -0.1]))


def test_a_slope_between_areas_of_one_region_by_hand():
    level = np.array([1.0, 2, 3, 11, 12, 13])
    region = np.array([0, 0, 0, 1, 1, 1])
    scores = np.column_stack([2 * level + 100 * region, [1.0, 0, -1, 5, 5, 5]])
    slope, influence = between_slopes(scores, level, region)
    assert slope.tolist() == pytest.approx([2, -0.5])
    assert np.abs(influence[0]).max() < 1e-12
    left = np.array([1, 0, -1, 0, 0, 0]) - -0.5 * np.array([-1, 0, 1, -1, 0, 1])
    jackknifed = left / (1 - np.array([7, 4, 7, 7, 4, 7]) / 12)
    assert influence[1].tolist() == pytest.approx((np.array([-1, 0, 1, -1, 0, 1]) / 4 * jackknifed).tolist())


def test_standard_errors_are_those_of_statsmodels(edition, links):
    import statsmodels.api as sm

    unit, weights = edition.areas.units()
    region = dict(zip(edition.areas.unit, edition.areas.region, strict=True))
    names = sorted(set(region.values()))
    dummies = np.array([[float(region[code] == name) for name in names] for code in unit])
    c = links.place("nvq4plus_share")
    first = [edition.areas.unit.index(code) for code in unit]
    fit = sm.OLS(weights @ edition.domain_scores[:, 1], np.column_stack([links.level[first, c], dummies])).fit()
    assert links.between[c, 1] == pytest.approx(fit.params[0])
    assert links.between_error[c, 1] == pytest.approx(fit.HC3_se[0])


@given(st.integers(0, 10**6), st.floats(0.001, 1000), st.floats(-50, 50))
@settings(max_examples=25)
def test_a_slope_is_per_unit_of_its_condition_wherever_its_zero_is(seed, factor, shift):
    rng = np.random.default_rng(seed)
    level, scores = rng.standard_normal(30), rng.standard_normal((30, 2))
    region = rng.integers(0, 3, 30)
    one, other = between_slopes(scores, level, region), between_slopes(scores, factor * level + shift, region)
    assert np.allclose(other[0] * factor, one[0], rtol=1e-6, atol=1e-9)


def test_a_unit_without_a_figure_adds_nothing():
    rng = np.random.default_rng(4)
    level, scores, region = rng.standard_normal(20), rng.standard_normal((20, 2)), np.repeat([0, 1], 10)
    gap = level.copy()
    gap[3] = np.nan
    slope, influence = between_slopes(scores, gap, region)
    kept = np.arange(20) != 3
    assert slope.tolist() == pytest.approx(between_slopes(scores[kept], level[kept], region[kept])[0].tolist())
    assert influence[:, 3].tolist() == [0, 0]


def test_noise_from_another_source_is_taken_out_of_a_share():
    between, influence = full(2.0, "skills", "firms")
    share = pooled_share([made_up(0.5, reliability=0.5), made_up(1.0, name="firms")], between, influence)
    assert [row["share"] for row in share.rows] == pytest.approx([0.5, 0.5])
    assert share.mean == pytest.approx(0.5)
    assert share.spread == 0


def test_noise_that_the_scores_share_counts_for_nothing():
    between, influence = full(2.0, "skills", "firms")
    noise_alone = made_up(0.5 * 2.0, reliability=0.5, same=True)
    all_of_it = made_up(2.0, reliability=0.5, same=True, name="firms")
    rows = pooled_share([noise_alone, all_of_it], between, influence).rows
    assert [row["share"] for row in rows] == pytest.approx([0.0, 1.0])


def test_a_slope_that_may_be_zero_has_no_share():
    between, influence = full(2.0, "skills", "firms", "unclear")
    between["unclear", "access"] = 0.3
    slopes = [made_up(1.0), made_up(1.0, name="firms"), made_up(9.0, name="unclear")]
    share = pooled_share(slopes, between, influence)
    assert [row["counts"] for row in share.rows] == [True, True, False]
    assert share.mean == pytest.approx(0.5)
    with pytest.raises(ModelError, match="Fewer than two"):
        pooled_share(slopes[1:], between, influence)


def test_the_error_of_a_share_counts_both_slopes_and_what_units_add_to_both():
    between, influence = full(2.0, "skills", "firms")
    row = pooled_share([made_up(1.0), made_up(1.0, name="firms")], between, influence).rows[0]
    one, other = np.array([0.2, -0.2, 0.1, -0.1]) / 8, np.array([0.1, 0.1, -0.1, -0.1])
    assert row["within_std_error"] == pytest.approx(np.sqrt((one**2).sum()))
    assert row["share_std_error"] == pytest.approx(np.sqrt(((one / 2 - 0.5 * other / 2) ** 2).sum()))


def test_draws_have_the_slopes_errors_and_correlations_that_were_fitted(links):
    between, within = draw_condition_slopes(links, 20_000, 1)
    assert between.shape == within.shape == (20_000, 8, 3)
    assert np.allclose(between.mean(axis=0), links.between, atol=0.04 * links.between_error.max(axis=1)[:, None])
    assert np.allclose(between.std(axis=0), links.between_error, rtol=0.03)
    cov = links.between_root @ links.between_root.T
    expected = cov / np.outer(np.sqrt(np.diag(cov)), np.sqrt(np.diag(cov)))
    assert np.allclose(np.corrcoef(between.reshape(20_000, -1), rowvar=False), expected, atol=0.04)


def test_the_share_within_is_drawn_as_it_was_measured_so_a_loss_is_as_likely_as_the_figures_say(links):
    between, within = draw_condition_slopes(links, 20_000, 1)
    share = within / between
    assert np.allclose(share, share[..., :1])
    assert share[..., 0].mean(axis=0).tolist() == pytest.approx([links.share.mean] * 8, abs=0.005)
    assert share[..., 0].std(axis=0).tolist() == pytest.approx([links.share.sd] * 8, rel=0.03)
    c = links.place("nvq4plus_share")
    below = NormalDist(links.share.mean, links.share.sd).cdf(0)
    assert (within[:, c, 0] < 0).mean() == pytest.approx(below, abs=0.015)
    assert below > 0.3
    assert any("a gain by the link within is not found" in words for words in links.words())


def test_the_same_seed_gives_the_same_bytes(links):
    one, other = draw_condition_slopes(links, 100, 5), draw_condition_slopes(links, 100, 5)
    assert one[0].tobytes() == other[0].tobytes()
    assert one[1].tobytes() == other[1].tobytes()
    assert not np.allclose(one[0], draw_condition_slopes(links, 100, 6)[0])


def test_central_slopes_are_one_draw(links):
    between, within = links.central()
    assert between.shape == within.shape == (1, 8, 3)
    assert np.allclose(within, links.share.mean * between)


def test_scores_go_with_qualifications_between_areas_and_hardly_within(links):
    c = links.place("nvq4plus_share_16_64")
    assert c == links.place("nvq4plus_share")
    assert (links.between[c] > 5 * links.between_error[c]).all()
    assert links.share.mean < 0.3
    assert links.share.sd < 0.3


def test_conditions_are_those_that_open_figures_stand_in_for(edition, links):
    assert len(links.conditions) == 8
    assert links.units[links.place("gva_per_head")] == "GBP"
    assert links.direction[links.place("deprivation_spread")] == -1
    place = [edition.areas.name.index(name) for name in ("Bournemouth", "Poole")]
    assert np.array_equal(links.level[place[0]], links.level[place[1]], equal_nan=True)
    assert np.isnan(links.level[edition.areas.name.index("Dorset"), links.place("business_births")])
    assert links.limits[links.place("nvq4plus_share")].tolist() == [0, 100]
    with pytest.raises(ValueError, match="no condition 'sunshine'"):
        links.place("sunshine")


def test_words_say_that_the_figures_are_an_association(links):
    words = " ".join(links.words())
    assert "association" in words
    assert "from year to year" in words
    assert len(links.rows()) == 24


def test_pay_by_year_is_on_the_points_of_its_edition(edition):
    years, points, survey = domain_by_year(edition, "pay")
    assert not survey
    series = yearly_series(edition, "median_gross_weekly_pay")
    assert years == series.year
    moved = np.abs(series.value) > 1
    ratio = points[moved] / series.value[moved]
    assert ratio.min() == pytest.approx(ratio.max())
    assert domain_by_year(edition, "access")[2]


def test_a_condition_that_moves_with_scores_has_its_slope_back(edition):
    years, points, _ = domain_by_year(edition, "access")
    series = yearly_series(edition, "gva_per_head_current")
    shared = [year for year in years if year in series.year]
    columns = [years.index(year) for year in shared]
    made = replace(
        series,
        year=tuple(shared),
        value=points[:, columns] / 3 + np.arange(117)[:, None] + np.arange(len(shared)),
        error=np.zeros((117, len(shared))),
    )
    found = within_slope(edition, "gva_per_head", made, "access")
    assert found is not None
    assert found.slope == pytest.approx(3)
    assert found.std_error < 1e-9
    assert found.reliability == 1


def test_figures_whose_noise_nobody_knows_tell_nothing_within_areas(edition):
    series = yearly_series(edition, "industry_hhi_9groups_residents")
    assert within_slope(edition, "industry_concentration", series, "access") is None


def test_an_edition_elsewhere_has_no_conditions(edition):
    elsewhere = replace(edition.areas, unit=tuple(f"X{i:08d}" for i in range(118)))
    with pytest.raises(ModelError, match="too few figures of the conditions"):
        condition_links(replace(edition, name="elsewhere", areas=elsewhere))


@pytest.mark.slow
def test_with_noise_that_scores_share_the_share_is_found_again():
    """Chance moves condition and scores alike: the share comes back where it does so as true differences do."""
    found = []
    for run in range(200):
        rng = np.random.default_rng([7, run])
        n, years, share, slope = 117, 5, 0.3, 4.0
        move, noise = 0.8 * rng.standard_normal((n, years)), 0.9 * rng.standard_normal((n, years))
        x = rng.standard_normal((n, 1)) * 7 + move + noise
        y = slope * (share * move + noise) + 3 * rng.standard_normal((n, years))
        left = x - x.mean(axis=1, keepdims=True)
        left -= left.mean(axis=0)
        square, lost = (left**2).sum(axis=1), np.full(n, 0.81 * (n - 1) / n * (years - 1))
        one = WithinSlope("skills", "access", (1, 2), (left * y).sum(axis=1), square, lost, True)
        found.append(one.share_of(slope, np.zeros(n)))
    assert np.mean([share for share, _ in found]) == pytest.approx(0.3, abs=0.02)
    inside = [abs(share - 0.3) < 1.96 * np.sqrt((moved**2).sum()) for share, moved in found]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.04)
