"""`gwm fit`: the outcome models."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from gwm_models.cli.options import MONITOR, EditionOption
from gwm_models.cli.output import Format, emit

if TYPE_CHECKING:
    from gwm_models.models.healthy_life import HealthFit

SHOWN = ("term", "exposure", "estimate", "std_error", "lower", "upper", "n", "n_clusters", "period", "method")


def fit(
    outcome: Annotated[
        str | None, typer.Argument(metavar="[OUTCOME]", help="One outcome; every outcome if left out.")
    ] = None,
    name: EditionOption = MONITOR,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Fit healthy life expectancy on the Monitor: between areas, and within areas over time.

    Example: gwm fit healthy_life_expectancy_male
    """
    from gwm_models.data.descriptor import nearest
    from gwm_models.data.edition import load_edition
    from gwm_models.errors import DataError
    from gwm_models.models.healthy_life import fit_health

    edition = load_edition(name)
    known = [spec.id for spec in edition.spec.outcomes]
    if not known:
        raise DataError(f"Edition {edition.name} holds no health outcomes, so there is nothing to fit.")
    if outcome is not None and outcome not in known:
        raise DataError(f"There is no outcome '{outcome}'.{nearest(outcome, known)}")
    fits = [found for found in fit_health(edition) if outcome in (None, found.outcome.id)]
    if format is not Format.table:
        emit([slope.to_row() for found in fits for slope in found.slopes()], format=format)
        return
    for found in fits:
        title = f"{found.outcome.label}: years per 100 points, 95% intervals"
        emit([slope.to_row() for slope in found.slopes()], format=format, columns=SHOWN, title=title)
        sys.stdout.write(explain(found) + "\n")


def explain(fit: HealthFit) -> str:
    """Say in plain words what was found and what it does not show."""
    between, within, across = fit.between, fit.within_access, fit.between_access
    left_out = f" Left out: {'; '.join(between.excluded)}." if between.excluded else ""
    return (
        f"Found: areas 100 points apart on the Monitor differ by {between.estimate:.2f} years ({between.lower:.2f} "
        f"to {between.upper:.2f}); when an area's own access score moved by 100 points, health moved by "
        f"{within.estimate:.2f} years ({within.lower:.2f} to {within.upper:.2f}), against {across.estimate:.2f} "
        f"between areas.{left_out}\n"
        "Not shown: that better work causes longer healthy life. The slope between areas also carries all that "
        "differs between them, and survey noise pulls the slope within areas towards zero (reliability "
        f"{fit.reliability_within:.2f} if the noise is independent between years).\n"
    )
