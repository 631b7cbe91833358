"""Speed beside peers and its growth with size, measured on this machine: one command, one table.

    python tests/bench/table.py [--only peers|curves] [--out FOLDER] [--quick]

Run it from the checkout with the environment of the tests and the peers (pip install -e .[test,peers]),
on a machine that does nothing else. It prints one table of ratios and writes ``peers.csv``, ``curves.csv``,
``slopes.csv``, ``limits.csv`` and ``machine.json``, whole or not at all. One thread; CPU seconds. A peer that is not
installed is a row that says so. Ends with 1 only where answers of a pair disagree.

GWM_KNOWN names the folder of ``prop99_cigarette_sales.csv`` (columns state, year, cigsale), which is no part of the
project; else it is looked for in ``../shared/known``. Without it those pairs say so.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "RAYON_NUM_THREADS")
ROOMS = ("startup", "ranks", "index", "control", "panel", "scenario", "posterior")
"""Modules of pairs, in the order of the table: ``pairs_startup`` and so on."""
FILES = ("coverage.csv", "curves.csv", "limits.csv", "machine.json", "peers.csv", "slopes.csv")
INVOLVED = (
    *("numpy", "scipy", "pandas", "statsmodels", "scikit-learn", "pydantic", "typer"),
    *("SALib", "arviz", "diff-diff", "linearmodels", "multiple-inference", "pymc", "pysyncon", "pytensor"),
)
GIGABYTE = 10**9
BUSY = 0.5
"""Processes that want a core before anything is measured, from which on the machine does something else."""


def all_pairs() -> list[Any]:
    """Return every pair that the command knows, in the order of the table."""
    return [pair for room in ROOMS for pair in importlib.import_module(f"pairs_{room}").PAIRS]


def machine() -> dict[str, object]:
    """Return what the figures were measured on and with: no name of a host or a person, no path."""
    from pairs import peer_version

    from gwm_models import __version__

    versions = {name: peer_version(name) or "not installed" for name in INVOLVED}
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": _memory(),
        "system": _system(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "threads": 1,
        "versions": {"gwm-models": __version__, **versions},
    }


def load() -> float | None:
    """Return how many processes wanted a core over the last minute; a warning goes out where others may be at work."""
    try:
        found = round(os.getloadavg()[0], 2)
    except OSError:
        return None
    if found > BUSY:
        _progress(f"this machine is busy (load {found:g} before anything is measured): do not keep these figures")
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _memory() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIGABYTE, 1)
    except (AttributeError, ValueError, OSError):
        return None


def _system() -> str:
    try:
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']}, {platform.system()} {platform.release()}"
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"


def peers_table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the rows of pairs as one table of ratios, theirs over ours, with the spread over rounds."""
    cells = [("pair", "peer", "ours", "theirs", "ratio", "spread", "rounds", "largest difference")]
    cells += [_cells(row) for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    peer = f"{row['peer']} {row['peer_version'] or ''}".strip()
    apart = "" if row["difference"] is None else f"{row['difference']:.2g} of {row['tolerance']:.2g}"
    if row["status"] != "measured":
        return (row["pair"], peer, "", "", row["status"], "", "", apart)
    return (
        row["pair"],
        peer,
        f"{row['ours_median']:.3g}",
        f"{row['theirs_median']:.3g}",
        f"{row['ratio']:.3g}",
        f"{row['ratio_min']:.3g} to {row['ratio_max']:.3g}",
        str(row["rounds"]),
        apart,
    )


def measure_peers(pairs: Sequence[Any], *, quick: bool, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """Measure pair after pair."""
    from pairs import measure

    rows = []
    for place, pair in enumerate(pairs, 1):
        progress(f"{place} of {len(pairs)}: {pair.name}")
        rows.append(measure(pair, quick=quick))
        progress("  ".join(_cells(rows[-1])[2:6]))
    return rows


def write_results(out: Path, files: Mapping[str, str], found: Mapping[str, object]) -> None:
    """Replace files of a folder of benchmarks, and its machine, and keep the others; whole or not at all."""
    from gwm_models.files import json_text, write_folder

    kept = {name: (out / name).read_text(encoding="utf-8") for name in FILES if (out / name).is_file()}
    before = json.loads(kept["machine.json"]) if "machine.json" in kept else {}
    made = {"schema": "gwm-benchmarks/1", **{name: part for name, part in before.items() if name != "schema"}, **found}
    adopt(out)
    write_folder(out, folder_kind(), {**kept, **files, "machine.json": json_text(made)})


def adopt(out: Path) -> None:
    """Mark a folder as one of benchmarks where it holds some of their files alone, such as curves."""
    from gwm_models.files import json_text, write_text

    held = {path.name for path in out.iterdir()} if out.is_dir() else set()
    if held and held < set(FILES) and "machine.json" not in held:
        write_text(out / "machine.json", json_text({"schema": "gwm-benchmarks/1"}))


def folder_kind() -> Any:
    """Return what a folder of benchmarks may hold."""
    from gwm_models.files import FolderKind

    return FolderKind("benchmarks", "machine.json", '"gwm-benchmarks/1"', FILES)


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", choices=("peers", "curves"), help="measure one part, keep the files of the other")
    parser.add_argument("--out", type=Path, help="folder to write (default results/benchmarks; with --quick none)")
    parser.add_argument("--quick", action="store_true", help="few rounds and small sizes, to see whether it works")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print, write; return the exit code."""
    options = _options(words)
    prepare()
    from columns import EXPLAINED
    from pairs import COLUMNS, DIFFERENT

    from gwm_models.files import check_folder, csv_text

    out = options.out or (None if options.quick else CHECKOUT / "results" / "benchmarks")
    if out is not None:
        adopt(out)
        check_folder(out, folder_kind())
    files, found, disagree, before = {}, {"columns": EXPLAINED}, False, {"load_before": load()}
    if options.only != "curves":
        rows = measure_peers(all_pairs(), quick=options.quick, progress=_progress)
        print(peers_table(rows))
        files["peers.csv"], found["peers"] = csv_text(rows, COLUMNS), machine() | before
        disagree = any(row["status"] == DIFFERENT for row in rows)
    if options.only != "peers":
        curves = importlib.import_module("curves").measure(options.quick, _progress)
        for name in ("points", "slopes", "limits"):
            files["curves.csv" if name == "points" else f"{name}.csv"] = csv_text(getattr(curves, name))
        found["curves"] = machine() | before
    if out is not None:
        write_results(out, files, found)
    return int(disagree)


def prepare() -> None:
    """Keep libraries to one thread, let children keep compiled code, and take the toolkit from this checkout."""
    for name in THREADS:
        os.environ[name] = "1"
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    for folder in (str(CHECKOUT), str(HERE)):
        if folder not in sys.path:
            sys.path.insert(0, folder)


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
