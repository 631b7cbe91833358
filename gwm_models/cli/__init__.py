"""The command line: words in, an exit code out."""

from __future__ import annotations

import os
import sys
import traceback
from io import TextIOWrapper

# The arrays are small: one thread is faster than two, and gives the same bits on any number of cores.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

DONE, BAD_INPUT, OUR_FAULT = 0, 1, 3


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run_command())


def run_command() -> int:
    """Run the command line on ``sys.argv``.

    Returns
    -------
    int
        0 done, 1 bad input, 3 a fault of the toolkit (with its traceback).
    """
    from gwm_models.cli.app import app
    from gwm_models.errors import GwmError

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app()
        sys.stdout.flush()
    except GwmError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except SystemExit as left:
        # The parser leaves with 2 for a wrong word on the command line, which is bad input.
        return BAD_INPUT if left.code not in (None, DONE) else DONE
    except OSError as error:
        if error.filename is not None:
            return _our_fault(error)
        sys.stderr.write(f"The output cannot be written ({error.strerror}).\n")
        return BAD_INPUT
    except Exception as fault:
        return _our_fault(fault)
    return DONE


def _our_fault(fault: Exception) -> int:
    """Print a fault of the toolkit with its traceback."""
    traceback.print_exception(fault)
    sys.stderr.write("This is a fault of the toolkit, not of your input. Please report it with the lines above.\n")
    return OUR_FAULT
