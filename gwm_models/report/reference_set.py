"""All reference results as one set: written together, so that a folder never holds some of today and some of before."""

from __future__ import annotations

from pathlib import Path

from gwm_models.files import RUN, check_file
from gwm_models.files.together import written_together
from gwm_models.report.backtest import write_backtest
from gwm_models.report.reference import SCENARIO, write_results
from gwm_models.report.reference_fits import add_fits


def write_reference(folder: Path) -> int:
    """Write posteriors, scores, points per unit, models, ranks, one scenario run and the back-test into a folder.

    Parameters
    ----------
    folder : Path
        What else it holds is left alone.

    Returns
    -------
    int
        Posteriors fitted anew.

    Raises
    ------
    OutputError
        If the folder cannot be written; what it held is then there still.
    """
    check_file(folder / "scores.csv")
    with written_together(folder) as new:
        made = add_fits(folder, new)
        write_results(new.files)
        write_backtest(new.files)
        new.gone |= {f"{SCENARIO}/{name}" for name in RUN.files}
    return made
