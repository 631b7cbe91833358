"""Why no set of options keeps to a budget and its constraints."""

from __future__ import annotations

from math import ceil

import numpy as np

from gwm_models.errors import some
from gwm_models.evaluation.portfolio_menu import Menu
from gwm_models.evaluation.portfolio_programme import solve
from gwm_models.evaluation.portfolio_rules import OF_YEAR, TOTAL, Rules


def what_binds(menu: Menu, rules: Rules) -> str:
    """Say which rule is to be eased for there to be a choice at all, in one line.

    Each rule is left out in turn; a rule without which some set of choices is possible binds by itself.
    """
    n = len(menu.option)
    eased = [name for name in dict.fromkeys(rules.names) if _possible(rules.without([name]), n)]
    said = f"Out of reach: no set of the {len(menu.options)} options of {menu.scenario.id} keeps to all constraints."
    if not eased:
        return f"{said} No single one of them is the reason: {some(list(dict.fromkeys(rules.names)), 6)}. Ease several."
    said += f" What binds, each by itself: {some(eased, 6)}."
    if TOTAL in eased:
        cheapest = solve(-menu.cost, 0.0, rules.without([TOTAL]), n)
        if cheapest is not None:
            said += f" The least that would do costs {ceil(float(menu.cost @ cheapest.chosen)):,} pounds."
    if any(name.startswith(OF_YEAR) for name in eased):
        said += " A year's budget holds against what is paid in it, not discounted."
    return said


def _possible(rules: Rules, n: int) -> bool:
    return solve(np.zeros(n), 0.0, rules, n) is not None
