"""What the next edition would print, between bounds that move: three areas worked by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from gwm_models.scenarios.engine_parts import Effects
from gwm_models.scenarios.projection import _before_the_scale
from gwm_models.scenarios.renormalised import renormalised_change

AREAS, DRAWS = 3, 3
POINTS = np.array([[5.0, -12.0, 1.0]])


def made_edition(total=(215.0, 100.0, 150.0)):
    """Two domains: one of two indicators, of which the second is better low; one of an indicator in points."""
    indicators = (
        SimpleNamespace(direction=1, unit="percent"),
        SimpleNamespace(direction=-1, unit="percent"),
        SimpleNamespace(direction=1, unit="points"),
    )
    spec = SimpleNamespace(indicators=indicators, scale=(1, 100), domains=("a", "b"), domain_of=lambda: (0, 0, 1))
    return SimpleNamespace(
        spec=spec,
        values=np.array([[60.0, 4, np.nan], [70, 6, np.nan], [80, 8, np.nan]]),
        domain_scores=np.array([[110.0, 40], [100, 30], [150, 50]]),
        total=np.array(total),
    )


def printed(level, *, edition=None, condition=None, trend=None, block=500):
    """Return the printed change of every draw; what a condition changes of the domains is added to their change."""
    moved = np.broadcast_to(np.asarray(level, dtype=float), (DRAWS, AREAS, 3))
    domain = np.stack([(moved[..., :2] * POINTS[0, :2]).sum(axis=2), moved[..., 2]], axis=2)
    domain = domain if condition is None else domain + condition
    before = np.zeros((DRAWS, AREAS, 3)) if trend is None else np.broadcast_to(trend, (DRAWS, AREAS, 3))
    drawn = np.broadcast_to([[70.0], [55.0], [90.0]], (DRAWS, AREAS, 3))
    effects = SimpleNamespace(total=domain.sum(axis=2), domain=domain, level=moved, level_before=drawn + before)
    reached = [j for j in range(3) if moved[..., j].any()]
    layers = SimpleNamespace(
        points=np.broadcast_to(POINTS, (DRAWS, 3)),
        level=drawn,
        slopes=(*(None for _ in reached), *([] if condition is None else [np.ones((DRAWS, 2))])),
        trend=None if trend is None else object(),
    )
    plans = [SimpleNamespace(quantity=j) for j in (*reached, *([] if condition is None else [3]))]
    return renormalised_change(edition or made_edition(), effects, layers, plans, block=block)


def test_every_area_is_scored_anew_between_the_ends_that_are_left():
    """The first rises from 60 to 72: 0, 1/2 and 1 of the way from 60 to 80 become 1/5, 0 and 1 of that from 70."""
    found = printed([[12.0, 0, 0], [0, 0, 0], [0, 0, 0]])
    assert found == pytest.approx(np.tile(99 * np.array([0.2, -0.5, 0]), (DRAWS, 1)))


def test_less_of_what_is_bad_scores_more_and_bounds_close_in():
    """The third falls from 8 to 6, so the worst is 6: 1, 1/2 and 0 become 1, 0 and 0."""
    found = printed([[0.0, 0, 0], [0, 0, 0], [0, -2, 0]])
    assert found == pytest.approx(np.tile([0, -49.5, 0], (DRAWS, 1)))


def test_an_indicator_in_points_keeps_its_change():
    assert printed([[0.0, 0, 4], [0, 0, -3], [0, 0, 0]])[0].tolist() == [4, -3, 0]


def test_printed_domains_and_totals_stay_in_their_scale():
    """To 80, and from 8 to 6: 99 more and 99 less. A domain of two has 2 to 200, so 90 of 110 and 98 of 100 are left.

    A total has 3 to 300: of 215 and 90 more 85 are left, and of 100 and 98 less 97.
    """
    level = [[20.0, 0, 0], [0, 0, 0], [0, -2, 0]]
    assert printed(level, edition=made_edition((100.0, 200.0, 150.0)))[0].tolist() == [90, -98, 0]
    assert printed(level)[0].tolist() == [85, -97, 0]


def test_what_is_printed_beyond_the_scale_and_does_not_move_stays():
    edition = made_edition((301.0, 100.0, 150.0))
    edition.domain_scores[0, 0] = 201.0
    found = printed([[0.0, 0, 0], [0, 0, 0], [0, -2, 0]], edition=edition)
    assert found[0].tolist() == [0, -49.5, 0]


def test_what_a_condition_adds_to_a_domain_is_printed_as_it_is():
    condition = np.zeros((DRAWS, AREAS, 2))
    condition[:, 1] = [3.0, 5.0]
    assert printed(np.zeros((AREAS, 3)), condition=condition)[0].tolist() == [0, 8, 0]
    both = printed([[12.0, 0, 0], [0, 0, 2], [0, 0, 0]], condition=condition)
    assert both[0] == pytest.approx([99 * 0.2, -49.5 + 3 + 2 + 5, 0])
    beside = printed([[12.0, 0, 0], [0, 0, 0], [0, 0, 0]], condition=condition)
    assert beside[0] == pytest.approx([99 * 0.2, -49.5 + 3 + 5, 0])


def test_bounds_move_with_a_trend_before_the_change():
    """Trends of 8 and 2 take the first to 68 and the third to 82; 7 more take the first to 75, so 70 is the lowest."""
    trend = np.zeros((AREAS, 3))
    trend[0, 0], trend[2, 0] = 8.0, 2.0
    found = printed([[7.0, 0, 0], [0, 0, 0], [0, 0, 0]], trend=trend)
    before, after = np.array([0, 2 / 14, 1]), np.array([5 / 12, 0, 1])
    assert found[0] == pytest.approx(99 * (after - before))


@pytest.mark.parametrize("block", [1, 2])
def test_the_size_of_a_block_changes_no_byte(block):
    level = np.zeros((DRAWS, AREAS, 3))
    level[:, 0, 0], level[:, 2, 1] = [12.0, 0.0, 20.0], [0.0, -2.0, -1.0]
    assert np.array_equal(printed(level, block=block), printed(level))
    assert printed(level, block=block)[1].tolist() == [0, -49.5, 0]


def test_what_a_condition_adds_counts_in_full_where_the_frozen_scale_cut_it():
    """2, -1 and 4 of level are 10 + 12 and 4 points; 3 of a condition at 1.5 and -2 points are 4.5 and -6 more."""
    level, none = np.array([[[2.0, -1, 4]]]), np.zeros((1, 1))
    effects = Effects(
        total=none,
        domain=np.zeros((1, 1, 2)),
        level=level,
        asked=(none, none),
        delivered=(none + 9, none + 3),
        clamped=(none > 0, none > 0),
        beyond=np.array([[[False, True]]]),
        history=(),
        people=(None, None),
        full=(),
        stated=(),
        level_before=level,
        score_before=np.zeros((1, 1, 2)),
    )
    slopes = SimpleNamespace(points=POINTS, slopes=(None, np.array([[1.5, -2.0]])))
    found = _before_the_scale(effects, slopes, made_edition())
    assert found.domain.tolist() == [[[26.5, -2.0]]] and found.level is level
    inside = replace(effects, beyond=np.zeros((1, 1, 2), dtype=bool))
    assert _before_the_scale(inside, slopes, made_edition()) is inside
    assert _before_the_scale(effects, SimpleNamespace(points=POINTS, slopes=(None, None)), made_edition()) is effects
