"""The command line: words in, an exit code out."""

from __future__ import annotations

import errno
import gc
import os
import sys
import traceback
from io import TextIOWrapper

# The arrays are small: one thread is faster than two, and gives the same bits on any number of cores.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

DONE, BAD_INPUT, OUR_FAULT, STOPPED = 0, 1, 3, 130
OBJECTS = 50_000
"""Objects made between two searches for unreachable ones: importing makes many, and leaves none behind."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run_command())


def run_command() -> int:
    """Run the command line on ``sys.argv``.

    Returns
    -------
    int
        0 done, 1 bad input, 2 asked for the impossible, 3 a fault of the toolkit (with its traceback), 130 stopped by
        the user.
    """
    gc.set_threshold(OBJECTS)
    from gwm_models.cli.app import app_for
    from gwm_models.cli.encoding import HANDLER
    from gwm_models.errors import GwmError, printable

    _open_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=HANDLER)
    try:
        app_for(sys.argv[1:])()
        sys.stdout.flush()
    except GwmError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except SystemExit as left:
        # The parser leaves with 2 for a wrong word on the command line, which is bad input.
        if left.code == STOPPED:
            return _stopped()
        return BAD_INPUT if left.code not in (None, DONE) else DONE
    except KeyboardInterrupt:
        return _stopped()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:  # wherever it is looked at first, it is the user who gave the name
            sys.stderr.write(f"{printable(str(error.filename), 200)}: the name is too long. Give a shorter one.\n")
            return BAD_INPUT
        if error.filename is not None:
            return _our_fault(error)
        sys.stderr.write(f"The output cannot be written ({error.strerror}).\n")
        return BAD_INPUT
    except Exception as fault:
        return _our_fault(fault)
    return DONE


def _open_closed() -> None:
    """Give a program that was started without an output one that leads nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (until the program ends)


def _stopped() -> int:
    """Say that the user stopped it: folders of results are written whole or not at all."""
    sys.stderr.write("Stopped; no results were written.\n")
    return STOPPED


def _our_fault(fault: Exception) -> int:
    """Print a fault of the toolkit with its traceback."""
    traceback.print_exception(fault)
    sys.stderr.write("This is a fault of the toolkit, not of your input. Please report it with the lines above.\n")
    return OUR_FAULT
