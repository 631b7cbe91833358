"""A change of a condition against the figures of the areas reached: those without one, those it takes far."""

from __future__ import annotations

from gwm_models.data.index_spec import IndicatorSpec
from gwm_models.scenarios.checks_size import CHANGE_UNITS
from gwm_models.scenarios.findings import number_text
from gwm_models.scenarios.known import condition, condition_levels
from gwm_models.scenarios.view import View

FROM_LEVEL = ("relative", "target", "close_gap", "to_quantile")
"""Kinds of change that are worked out from the level of the area."""
MOST_NAMED = 3
"""Areas without a figure that are named; the fix has them all."""


def check_figures(action: View, reached: set[str] | None) -> None:
    """Check a change that is worked out from the figures of a condition.

    Parameters
    ----------
    action : View
    reached : set of str or None
        Codes of the areas that the action reaches, None where that is not known.
    """
    spec, kind = condition(action.text("condition") or ""), (action / "change").text("kind")
    if spec is None or "indicator" in action or kind not in FROM_LEVEL or reached is None:
        return
    levels = condition_levels(spec.id, action.vocabulary)
    if levels is None:
        return
    missing = sorted(action.vocabulary.areas[code] for code in reached - set(levels))
    if missing:
        named = missing[:MOST_NAMED] if len(missing) > MOST_NAMED + 1 else missing
        more = f" and {len(missing) - len(named)} other areas reached" if len(named) < len(missing) else ""
        what = f"no figure of {spec.id} for {_joined(named) if not more else ', '.join(named) + more}"
        whole = ", ".join(f"'{name}'" if "," in name else name for name in missing)
        fix = f"write kind: absolute, or add to target.exclude: {whole}"
        (action / "condition").error(f"{what}, and a change of kind '{kind}' is worked out from it", fix)
    elif kind == "target":
        _check_furthest(action, spec, {code: levels[code] for code in reached})


def _joined(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _check_furthest(action: View, spec: IndicatorSpec, levels: dict[str, float]) -> None:
    """Warn of a target that takes some area further than one usually moves in a year."""
    change = action / "change"
    value = change.number("value")
    if value is None or not levels or change.findings.has_error((*change.keys, "value")):
        return
    moves = {code: spec.direction * (value - level) for code, level in levels.items()}
    furthest = max(moves, key=lambda code: moves[code])
    if moves[furthest] <= spec.usual_change:
        return
    far = sum(move > spec.usual_change for move in moves.values())
    unit = CHANGE_UNITS.get(spec.unit, spec.unit)
    what = (
        f"takes {action.vocabulary.areas[furthest]} by {number_text(float(f'{moves[furthest]:.3g}'))} {unit}, and "
        f"{far} of {len(levels)} areas further than 99 of 100 yearly changes of {spec.id} go, "
        f"{number_text(spec.usual_change)} {unit}"
    )
    (change / "value").warning(what, "check it, or keep it")
