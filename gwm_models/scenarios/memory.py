"""How much memory a projection takes, and how many draws may be worked on at a time."""

from __future__ import annotations

from gwm_models.data.edition import Edition
from gwm_models.errors import ModelError
from gwm_models.scenarios.inputs import KEPT
from gwm_models.scenarios.spec import Scenario

GIB = 2**30
PROGRAM = 0.2
"""GiB that the program takes with an edition and its models loaded."""
BLOCKS = (500, 250, 100)
"""Draws worked on at a time: few enough for the processor's cache, no fewer than pays, parts of what a trend draws."""
SHARE = 0.1
"""Share of the memory allowed that one block of draws may take."""


def memory_needed(scenario: Scenario, edition: Edition) -> float:
    """Return the memory that a projection takes at its peak, in GiB, worked out from the arrays it keeps.

    Everything is kept by draw and area, nothing by year: baseline scores and levels, their changes, totals, ranks,
    health, and each action's change as asked and as delivered.
    """
    spec = edition.spec
    d, k, actions, outcomes = len(spec.domains), len(spec.indicators), len(scenario.actions), len(scenario.health)
    kept = 2 * d + 3 * k + 7 + 3 * outcomes + 4 * actions
    trend = 0.0
    if scenario.baseline.counterfactual == "trend":
        kept += d + k + 1
        trend = min(KEPT, 8 * scenario.analysis.draws * len(edition.areas) * _grown(scenario, edition)) / GIB
    return PROGRAM + trend + 8 * scenario.analysis.draws * len(edition.areas) * kept / GIB


def _grown(scenario: Scenario, edition: Edition) -> int:
    """Return how many years of indicators are drawn along a trend.

    All years of the indicators of each domain that actions touch, a condition all; the last year of the others.
    """
    indicators = edition.spec.indicators
    moved = {action.indicator for action in scenario.actions} - {None}
    touched = {indicator.domain for indicator in indicators if indicator.id in moved}
    if any(action.condition is not None for action in scenario.actions):
        touched = {indicator.domain for indicator in indicators}
    n = sum(indicator.domain in touched for indicator in indicators)
    years = scenario.horizon.end - scenario.horizon.start + 1
    return n * years + len(indicators) - n


def block_of_draws(scenario: Scenario, edition: Edition) -> int:
    """Return how many draws are worked on at a time; it changes no result.

    Raises
    ------
    ModelError
        If the results alone take more memory than the scenario allows.
    """
    allowed, needed = scenario.analysis.memory, memory_needed(scenario, edition)
    draws = scenario.analysis.draws
    if needed > allowed:
        by_draw = (needed - PROGRAM) / draws
        fewer = int((allowed - PROGRAM) / by_draw // 100 * 100)
        fix = f"Ask for {fewer:,} draws, or allow" if fewer >= 100 else "Allow"
        raise ModelError(
            f"{scenario.id}: {draws:,} draws need about {needed:.1f} GiB of memory; analysis.memory allows "
            f"{allowed:g}. {fix} {needed:.1f} GiB."
        )
    wide = max(20, _grown(scenario, edition)) if scenario.baseline.counterfactual == "trend" else 20
    most = SHARE * allowed * GIB / (8 * len(edition.areas) * wide)
    return next((block for block in BLOCKS if block <= most), BLOCKS[-1])
