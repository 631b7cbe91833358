"""One number of a projection in every draw: by hand on four made-up areas, and names."""

from types import SimpleNamespace

import numpy as np
import pytest

from gwm_models.data.edition import Areas, load_edition
from gwm_models.data.index_spec import OutcomeSpec
from gwm_models.data.vocabulary import load_vocabulary
from gwm_models.errors import ModelError
from gwm_models.scenarios.inequality import MEASURES, inequality, narrower
from gwm_models.scenarios.measured import better_is, measure_draws, measure_label
from gwm_models.scenarios.spec import Measured

HEALTH = "healthy_life_expectancy_male"


def projection(treated=(True, True, False, False), deprivation=(40.0, 30, 20, 10)):
    """Two draws of four areas with 1, 3, 2 and 4 residents, two in each of two regions; two domains."""
    areas = Areas(
        code=("X1", "X2", "X3", "X4"),
        name=("Ashby", "Birch", "Coldwater", "Dunmere"),
        region=("North", "North", "South", "South"),
        unit=("X1", "X2", "X3", "X4"),
        population=np.array([1.0, 3, 2, 4]),
        population_16_64=np.array([1.0, 2, 1, 3]),
        deprivation=np.array(deprivation),
        borders=np.empty((0, 2), dtype=np.int64),
    )
    outcome = OutcomeSpec(
        HEALTH, "Healthy life expectancy, male", "years", "2016-18", "healthy_life_expectancy", "Male"
    )
    spec = SimpleNamespace(
        domain_ids=("access", "pay"), domains=(("access", "Access"), ("pay", "Pay")), outcomes=(outcome,)
    )
    score = np.array([[[10.0, 10], [20, 10], [30, 20], [40, 20]], [[12, 10], [18, 10], [30, 20], [40, 22]]])
    moved = np.zeros_like(score)
    moved[:, :2, 0] = [[4, 2], [6, 0]]
    effect = SimpleNamespace(
        link=SimpleNamespace(outcome=HEALTH),
        model=SimpleNamespace(outcome=outcome),
        published=np.array([60.0, 62, 64, 66]),
        baseline=np.array([[60.5, 62, 64, np.nan], [59.5, 62, 64, np.nan]]),
        stated=np.array([[0.4, 0.2, 0, 0], [0.6, 0, 0, 0]]),
    )
    return SimpleNamespace(
        edition=SimpleNamespace(areas=areas, spec=spec),
        treated=np.array(treated),
        score_before=score,
        total_before=score.sum(axis=2),
        domain_change=moved,
        change=moved.sum(axis=2),
        rank_before=np.array([[4, 3, 2, 1], [4, 3, 2, 1]]),
        rank_after=np.array([[4, 3, 2, 1], [3, 4, 2, 1]]),
        health=(effect,),
    )


def draws(quantity, group="target areas", state="difference", **changes):
    return measure_draws(projection(**changes), Measured(quantity=quantity, group=group, state=state)).tolist()


def test_scores_weigh_areas_the_same():
    assert draws("total") == [3.0, 3.0]
    assert draws("total", state="scenario") == [28.0, 28.0]
    assert draws("total", state="percent_change") == pytest.approx([12.0, 12.0])
    assert draws("total", "all areas") == [1.5, 1.5]
    assert draws("access", "North", "scenario") == [18.0, 18.0]
    assert draws("pay", "birch", "scenario") == [10.0, 10.0]


def test_an_area_goes_by_name_or_code_and_a_region_by_name_whatever_the_case():
    assert draws("total", "x1") == draws("total", "  ASHBY ") == [4.0, 6.0]
    assert draws("total", "south") == [0.0, 0.0]


def test_ranks_are_means_of_ranks_and_a_climb_is_negative():
    assert draws("rank", "Ashby") == [0.0, -1.0]
    assert draws("rank", "target areas", "scenario") == [3.5, 3.5]


def test_health_weighs_residents_and_an_area_without_limits_keeps_its_published_value():
    assert draws(HEALTH) == pytest.approx([(0.4 + 3 * 0.2) / 4, 0.6 / 4])
    assert draws(HEALTH, "Dunmere", "scenario") == [66.0, 66.0]
    assert draws(HEALTH, "Ashby", "percent_change") == pytest.approx([100 * 0.4 / 60.5, 100 * 0.6 / 59.5])


def test_inequality_is_over_all_areas_whatever_the_group():
    assert draws("gap_10_10", "Ashby") == draws("gap_10_10") == [-4.0, -6.0]
    assert draws("gap_10_10", state="scenario") == [36.0, 34.0]
    assert draws("gap_10_10", state="percent_change") == pytest.approx([-10.0, -15.0])


def test_every_measure_of_inequality_by_hand():
    """Scores 20, 30, 50, 60 of 1, 3, 2, 4 residents, the most deprived first; regional means 27.5 and 170/3, of 45."""
    areas, scores = projection().edition.areas, np.array([[20.0, 30, 50, 60]])
    north, south, log = 27.5, 170 / 3, np.log
    parts = {
        # Middles 0.05, 0.25, 0.5 and 0.8: covariance 4.05, variance 0.075, so a slope of 54 from 18 to 72.
        "sii": 54,
        "rii": 4,
        "gap_10_10": 40,
        # Worst fifth: a tenth at 20 and a tenth at 30; best: two tenths at 60.
        "ratio_80_20": 60 / 25,
        "cv": np.sqrt(250) / 40,
        "theil_region": (11 * log(north / 45) + 34 * log(south / 45)) / 45,
        "theil_within": (2 * log(20 / north) + 9 * log(30 / north) + 10 * log(50 / south) + 24 * log(60 / south)) / 45,
    }
    assert {name: inequality(name, scores, areas)[0] for name in MEASURES} == pytest.approx(parts)


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_of_inequality_has_a_number_that_falls_when_the_worst_gain(name):
    found = np.array(draws(name))
    assert np.isfinite(found).all()
    assert found[0] < 0


def test_a_scenario_without_target_areas_changes_nothing_there_and_has_no_level():
    nobody = (False, False, False, False)
    assert draws("total", treated=nobody) == [0.0, 0.0]
    with pytest.raises(ModelError, match="no target areas"):
        draws("total", state="scenario", treated=nobody)


@pytest.mark.parametrize(
    ("quantity", "group", "words"),
    [
        ("sunshine", "all areas", "no 'sunshine'; it has total"),
        ("total", "Atlantis", "'Atlantis' is no group of areas"),
    ],
)
def test_what_the_projection_does_not_have_is_refused(quantity, group, words):
    with pytest.raises(ModelError, match=words):
        draws(quantity, group)


def test_measures_by_deprivation_are_refused_where_there_is_none():
    with pytest.raises(ModelError, match="orders areas by deprivation"):
        draws("sii", deprivation=(np.nan,) * 4)
    with pytest.raises(ModelError, match="orders areas by deprivation"):
        draws("rii", deprivation=(40.0, 30, np.nan, 10))
    assert draws("cv", deprivation=(np.nan,) * 4) == draws("cv")


def test_labels_are_the_same_from_an_edition_and_from_its_words_alone():
    known, words = load_edition(), load_vocabulary()
    for asked in (
        Measured(quantity="total"),
        Measured(quantity="access", group="all areas", state="percent_change"),
        Measured(quantity=HEALTH, group="North East", state="scenario"),
        Measured(quantity="sii", group="blackpool"),
        Measured(quantity="rank", group="E06000009"),
    ):
        assert measure_label(known, asked) == measure_label(words, asked)
    assert measure_label(words, Measured(quantity="rank", group="e06000009")) == (
        "Rank (1 is best), Blackpool: change",
        "ranks",
    )
    assert measure_label(words, Measured(quantity="access")) == (
        "Labour market access, mean of the target areas: change",
        "points",
    )


def test_less_is_better_for_ranks_gaps_and_harm():
    names = ("rank", "gap_10_10", "suicide_asmr", "total", "access", HEALTH)
    assert [better_is(Measured(quantity=name)) for name in names] == [-1, -1, -1, 1, 1, 1]


def test_a_gap_narrows_towards_zero_and_a_ratio_towards_one():
    before, after = np.array([-5.0, 5.0]), np.array([-4.0, 6.0])
    assert narrower("sii", before, after).tolist() == [True, False]
    assert narrower("rii", np.array([0.5, 2.0]), np.array([1.5, 0.4])).tolist() == [True, False]
    for name in MEASURES:
        assert narrower(name, np.array([2.0, 0.5]), np.array([2.0, 0.5])).tolist() == [False, False]
    # From 2 to 0.6 a ratio comes nearer to 1 and a gap to 0; from 0.9 to 0.5 only a gap comes nearer.
    moves = [narrower(name, np.array([2.0, 0.9]), np.array([0.6, 0.5])).tolist() for name in ("ratio_80_20", "cv")]
    assert moves == [[True, False], [True, True]]
