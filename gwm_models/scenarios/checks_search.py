"""What a goal or a sweep must mean: numbers that can be varied, designs that can be run, measures that exist."""

from __future__ import annotations

import math

from gwm_models.scenarios.findings import advice, escaped, listed, number_text, suggestion
from gwm_models.scenarios.known import GROUPS, MEASURES, outcomes_of, spelled
from gwm_models.scenarios.spec import DEFAULT_HEALTH
from gwm_models.scenarios.vary import MOST_RUNS, PathError, find_number
from gwm_models.scenarios.view import View

KINDS = ("scenario", "goal", "sweep", "portfolio")
DESIGNS = ("grid", "sobol", "latin_hypercube")
EXAMPLES = {
    "goal": "{vary: {path: actions.participation.change.value, low: 0, high: 10}, measure: {quantity: total}, "
    "at_least: 5}",
    "sweep": "{vary: [{path: actions.participation.change.value, values: [1, 2, 3]}]}",
    "portfolio": "{options: [{id: a, actions: [participation]}], budget: {total: 100000000, price_base: 2025}, "
    "objective: {measure: {quantity: total, group: all areas}}}",
}


def check_search(scenario: View) -> None:
    """Check that the kind and the blocks of a scenario agree, and what the block says."""
    kind = (scenario.text("kind") or "") if "kind" in scenario else "scenario"
    for block, example in EXAMPLES.items():
        if block in scenario and kind in KINDS and kind != block:
            what = f"'{block}' has no meaning for kind '{kind}'"
            (scenario / block).error(what, f"write kind: {block}, or remove it")
        elif kind == block:
            scenario.need(block, example)
    _check_goal(scenario / "goal", scenario)
    _check_sweep(scenario / "sweep", scenario)


def _check_goal(goal: View, scenario: View) -> None:
    if not isinstance(goal.value, dict):
        return
    vary = goal / "vary"
    if isinstance(vary.value, dict):
        _check_path(vary, scenario)
        if "values" in vary:
            (vary / "values").error("'values' is for sweeps", "write low and high")
        vary.need("low", "0.0")
        vary.need("high", "10.0")
        _check_ends(vary)
    given = [key for key in ("at_least", "at_most") if key in goal]
    if not given:
        goal.error("has no goal to reach", "add at_least or at_most")
    elif len(given) == 2:
        goal.error("has both at_least and at_most", "keep one of the two")
    check_measured(goal / "measure", scenario)


def _check_sweep(sweep: View, scenario: View) -> None:
    if not isinstance(sweep.value, dict):
        return
    design = (sweep.text("design") or "") if "design" in sweep else "grid"
    seen: dict[str, int] = {}
    for place, vary in enumerate(sweep.parts("vary"), start=1):
        _check_path(vary, scenario)
        path = vary.text("path")
        if path is not None and path in seen:
            (vary / "path").error(f"'{escaped(path)}' is varied twice (also in place {seen[path]})", "remove one")
        seen.setdefault(path or "", place)
        _check_values(vary, design)
    if design == "grid":
        _check_grid(sweep)
    elif design in DESIGNS[1:]:
        _check_points(sweep, design)
    measures: list[object] = []
    for measure in sweep.parts("measures"):
        check_measured(measure, scenario)
        if measure.value in measures:
            measure.error("is recorded twice", "remove one of the two")
        measures.append(measure.value)


def _check_path(vary: View, scenario: View) -> None:
    path = vary.text("path")
    if path is None or not path.strip() or not isinstance(scenario.findings.data, dict):
        return
    if path in {scenario.findings.named(keys) for keys in scenario.bad}:
        return
    try:
        find_number(scenario.findings.data, path)
    except PathError as fault:
        (vary / "path").error(fault.what, fault.fix)


def _check_ends(vary: View) -> None:
    low, high = vary.number("low"), vary.number("high")
    if low is not None and high is not None and low >= high:
        what = f"low {number_text(low)} is not below high {number_text(high)}"
        (vary / "low").error(what, "swap low and high" if low > high else "write a larger high")


def _check_values(vary: View, design: str) -> None:
    """Check that a number of a sweep has either values or two ends, as the design needs."""
    if "values" in vary:
        for key in ("low", "high"):
            if key in vary:
                (vary / key).error(f"'{key}' and 'values' exclude each other", "keep low and high, or values")
        if design in DESIGNS[1:]:
            (vary / "values").error(f"'values' is for a grid; {design} spreads points", "write low and high")
    elif design in DESIGNS:
        vary.need("low", "0.0")
        vary.need("high", "10.0")
    _check_ends(vary)
    seen: set[float] = set()
    for item in vary.items("values"):
        number = item.own_number()
        if number is not None and number in seen:
            item.error(f"{number_text(number)} is tried twice", "remove one of the two")
        if number is not None:
            seen.add(number)


def _check_grid(sweep: View) -> None:
    if "points" in sweep:
        (sweep / "points").error("'points' is for sobol and latin_hypercube", "write steps, or design: sobol")
    parts = list(sweep.parts("vary"))
    if not parts:
        return
    if any("values" not in vary for vary in parts):
        sweep.need("steps", "11")
    elif "steps" in sweep:
        (sweep / "steps").warning("'steps' changes nothing: every number has its values", "remove it, or keep it")
    sizes = [len(list(vary.items("values"))) or sweep.whole("steps") or 1 for vary in parts]
    _check_runs(sweep, math.prod(sizes), " x ".join(map(str, sizes)))


def _check_points(sweep: View, design: str) -> None:
    if "steps" in sweep:
        (sweep / "steps").error(f"'steps' is for a grid, not for {design}", "write points, or design: grid")
    sweep.need("points", "256")
    points = sweep.whole("points")
    if points is None:
        return
    _check_runs(sweep / "points", points, "")
    if design == "sobol" and points >= 2 and points & (points - 1):
        near = 2 ** round(math.log2(points))
        what = f"{points} points is no power of two, so the Sobol sequence is not balanced"
        (sweep / "points").warning(what, f"write {near}, or keep it")


def _check_runs(at: View, runs: int, sizes: str) -> None:
    if runs > MOST_RUNS:
        product = f" ({sizes})" if " x " in sizes else ""
        what = f"asks for {runs} runs{product}, more than {MOST_RUNS}"
        at.error(what, "give fewer values or steps, or use design: sobol with points")


def check_measured(measured: View, scenario: View, *, more: tuple[str, ...] = (), targets: bool = True) -> None:
    """Check that a measure names a quantity and a group that are there.

    Parameters
    ----------
    measured : View
    scenario : View
        The whole file.
    more : tuple of str
        Quantities it may name besides the usual ones.
    targets : bool
        Whether the actions of the file are all there are, so that none means no target areas.
    """
    quantity, group = measured.text("quantity"), measured.text("group")
    if quantity is not None and quantity.strip():
        outcomes = _outcomes(scenario)
        known = ["total", *scenario.vocabulary.domains, "rank", *outcomes, *MEASURES, *more]
        if quantity not in known and quantity in outcomes_of(scenario.vocabulary):
            what = f"'{escaped(quantity)}' is not among the health outcomes of this scenario"
            (measured / "quantity").error(what, "add it to health")
        elif quantity not in known:
            what = f"unknown quantity '{escaped(quantity)}'{suggestion(quantity, known)}"
            fix = advice(quantity, known) if suggestion(quantity, known) else f"use one of {listed(known, len(known))}"
            (measured / "quantity").error(what, fix)
    if group is not None and group.strip():
        _check_group(measured / "group", group, quantity or "")
    if quantity == "rank" and measured.text("state") == "percent_change":
        (measured / "state").warning("a percentage of a rank means little", "write difference, or keep it")
    if targets:
        _check_targets(measured, scenario)


def _outcomes(scenario: View) -> list[str]:
    if "health" not in scenario:
        return [link.outcome for link in DEFAULT_HEALTH if link.outcome in scenario.vocabulary.outcomes]
    return [name for link in scenario.parts("health") if (name := link.text("outcome")) is not None]


def _check_group(at: View, group: str, quantity: str) -> None:
    words = at.vocabulary
    if spelled(group, (*GROUPS, *words.regions)) is None and words.area_code(group) is None:
        known = [*GROUPS, *words.regions, *words.areas.values()]
        meant = suggestion(group, known, cutoff=0.7)
        fix = advice(group, known) if meant else f"use {listed(GROUPS)}, a region or an area"
        at.error(f"unknown group '{escaped(group)}'{meant}", fix)
    elif quantity in MEASURES and spelled(group, GROUPS) is None:
        what = f"{quantity} is over all areas, so it cannot be measured in '{escaped(group)}'"
        at.error(what, "remove group, or measure the total of it")
    elif quantity in MEASURES:
        at.warning(f"'group' has no meaning for {quantity}, which is over all areas", "remove it, or keep it")


def _check_targets(measured: View, scenario: View) -> None:
    """Report target areas that do not exist, since no action has any."""
    quantity, actions = measured.text("quantity"), (scenario / "actions").value
    group = measured.text("group") if "group" in measured else GROUPS[0]
    if quantity is None or quantity in MEASURES or actions != [] or group is None:
        return
    if spelled(group, GROUPS[:1]):
        measured.error("there are no target areas, since there is no action", f"write group: {GROUPS[1]}")
