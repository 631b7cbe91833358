"""Fuzz a reader, guided by coverage: ``python tests/fuzz/run.py TARGET --seconds N``; needs ``pip install atheris``.

Inputs that reach new code are kept in a folder that ``--work`` names. ``--keep`` cuts them down to a few that reach as
much and writes those to ``tests/fuzz/corpus/TARGET/found.txt``. An input that breaks a promise is printed as the line
to add to ``corpus/TARGET/mended.txt`` once it is mended. Exit code 1 if there is any.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

NAMES = ("scenario", "edition", "panel", "manifest", "form")
LONGEST = 6_000
"""Of an input that the fuzzer makes, in bytes."""
MOST_SECONDS, MOST_WAITED, MOST_GROWTH = 5, 300, 400
"""For one input, of a few kilobytes: seconds of CPU, and on the clock; MB by which it may raise the peak of memory."""
MOST_TRACED, MOST_KEPT, LONGEST_KEPT = 400, 40, 1_500
"""Inputs that are looked at to choose those that are kept, those kept, and the bytes of each."""
SEED = "seed-"
"""What the names of the inputs begin with that the fuzzer was given: they are kept elsewhere."""
PIECES = [
    *(b"&a ", b"*a", b"<<: ", b"!!python/object ", b"!!binary ", b"? ", b"---\n", b"%YAML 1.1\n", b"\t", b"\x00"),
    *(b"1e400", b".nan", b"-.inf", b"9" * 30, b"-0", b"0x1F", b"1_000", b"true", b"null", b"~", b"nan", b"inf", b"NA"),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xe2\x80\x8b", b"\xe2\x80\xae", b"\xd0\xb0", b"\xed\xa0\x80", b"\\ud800", b"\r"),
    *(b'"', b"'", b"[", b"]", b"{", b"}", b",", b";", b":", b": ", b"- ", b"#", b"=1+1", b"../../etc/passwd"),
    *(b"2001Q1", b"Q1 2001", b"2001-13", b"31/12/2001", b"-1", b"0", b"1e308", b"5e-324", b"E06000001", b"Hartlepool"),
    *(b"\n%%\n", b"\\u0000"),
]


class Hang(BaseException):
    """An input takes longer than any reader may; no error that a reader could answer."""


def main() -> int:
    """Fuzz one target, or all in turn; return the number of those that broke."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=(*NAMES, "all"))
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="folder in which what was found is kept between runs")
    parser.add_argument(
        "--keep", action="store_true", help="write the shortest inputs that reach as much to the corpus"
    )
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        work(asked.target, asked.worker, asked.seconds, asked.seed)
    names = NAMES if asked.target == "all" else (asked.target,)
    with tempfile.TemporaryDirectory(prefix="gwm-fuzz.") as own:
        broken = [name for name in names if not fuzz(name, asked.work or Path(own), asked.seconds, asked.seed)]
        if asked.keep:
            for name in names:
                keep(name, (asked.work or Path(own)) / name)
    return min(len(broken), 1)


def fuzz(name: str, place: Path, seconds: int, seed: int) -> bool:
    """Fuzz a target in a process of its own; print what came of it, and tell whether all promises held."""
    from fuzz.seeds import SEEDS
    from fuzz.targets import as_line, kept_inputs

    folder, crashes = place / name, place / f"{name}-crashes"
    for made in (folder, crashes):
        made.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as more:
        inputs = [*SEEDS[name](Path(more)), *kept_inputs(name)]
    for number, raw in enumerate(inputs):
        (folder / f"{SEED}{number:04}").write_bytes(raw)
    words = [sys.executable, __file__, name, "--worker", str(place), "--seconds", str(seconds), "--seed", str(seed)]
    told = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False).stderr
    last = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", told)
    runs = re.findall(r"number_of_executed_units: (\d+)", told) or re.findall(r"^#(\d+)", told, re.MULTILINE)
    edges, features, kept = last[-1] if last else ("?", "?", "?")
    found = sorted(crashes.iterdir())
    number = runs[-1] if runs else 0
    print(f"{name}: {number} runs, {edges} edges, {features} features, {kept} inputs, {len(found)} broken")
    for path in found:
        print(f"# {path.name}\n{as_line(path.read_bytes())}")
    if not last:
        print("\n".join(told.splitlines()[-40:]))
    return bool(last) and not found


def work(name: str, place: Path, seconds: int, seed: int) -> None:
    """Run the fuzzer itself; it ends the process."""
    import atheris

    with atheris.instrument_imports(include=["gwm_models"]):
        from fuzz.targets import TARGETS

    target = lasting(TARGETS[name], place / f"{name}-crashes")
    options = [f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={LONGEST}", f"-timeout={MOST_WAITED}"]
    options += [f"-report_slow_units={MOST_WAITED}"]  # by the clock: a machine that is busy makes any unit slow
    options += [f"-artifact_prefix={place / f'{name}-crashes'}{os.sep}", "-rss_limit_mb=2500", "-print_final_stats=1"]
    options += ["-len_control=0", "-reload=0", "-verbosity=1"]
    # Looked up late: Setup puts another function in its place.
    changed = mutator(lambda raw, most: bytes(atheris.Mutate(raw, most)))
    atheris.Setup([sys.argv[0], *options, str(place / name)], target, custom_mutator=changed)
    atheris.Fuzz()


def lasting(target: Callable[[bytes], None], crashes: Path) -> Callable[[bytes], None]:
    """Return a target that keeps the shortest input for each place at which it breaks, and goes on.

    It breaks as well where it takes more time or memory than a file of some kilobytes can need.
    """
    import resource
    import signal

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def hang(*_: object) -> None:
        raise Hang(f"{MOST_SECONDS} seconds of CPU")

    def go_on(raw: bytes) -> None:
        before, earlier = peak(), signal.signal(signal.SIGVTALRM, hang)
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS)
            target(raw)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            grown = peak() - before
            assert grown < MOST_GROWTH, f"{grown:.0f} MB"
        except (Exception, Hang) as error:  # whatever it is, it is what is looked for
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            calls = traceback.extract_tb(error.__traceback__)
            ours = [call for call in calls if f"{os.sep}gwm_models{os.sep}" in call.filename] or calls
            where = f"{type(error).__name__}-{calls[-1].lineno}-{Path(ours[-1].filename).stem}-{ours[-1].lineno}"
            path = crashes / where
            if not path.exists() or path.stat().st_size > len(raw):
                path.write_bytes(raw)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, earlier)

    return go_on


def mutator(bytewise: Callable[[bytes, int], bytes]) -> Callable[[bytes, int, int], bytes]:
    """Return a function that changes an input by bytes or, as often, by lines, words and pieces known to do harm."""

    def change(raw: bytes, most: int, seed: int) -> bytes:
        draw = random.Random(seed)  # noqa: S311
        if draw.random() < 0.4:
            return bytewise(raw, most)
        for _ in range(draw.choice((1, 1, 2, 4))):
            raw = _changed(raw, draw)
        return raw[:most]

    return change


def _changed(raw: bytes, draw: random.Random) -> bytes:
    lines = raw.split(b"\n")
    here, there = draw.randrange(len(lines)), draw.randrange(len(lines))
    match draw.randrange(7):
        case 0:
            del lines[here : here + draw.choice((1, 1, 3))]
        case 1:
            lines.insert(here, lines[there])
        case 2:
            lines[here], lines[there] = lines[there], lines[here]
        case 3:
            indent = len(lines[here]) - len(lines[here].lstrip())
            lines[here] = b" " * max(0, indent + draw.choice((-2, 2))) + lines[here].lstrip()
        case 4:
            words = re.split(rb"([\s,:;\[\]{}\"]+)", lines[here])
            words[draw.randrange(len(words))] = draw.choice(PIECES)
            lines[here] = b"".join(words)
        case 5:
            place = draw.randrange(len(raw) + 1)
            return raw[:place] + draw.choice(PIECES) + raw[place:]
        case _:
            words = re.findall(rb"[\w.-]+", raw) or [b""]
            lines[here] = lines[here].replace(draw.choice(words), draw.choice(words), 1)
    return b"\n".join(lines)


def keep(name: str, folder: Path) -> None:
    """Write the short inputs of a folder that reach most to the corpus: each adds lines that none before it reached.

    Those that were found before are chosen from as well: what begins a search is not counted among what it finds.
    """
    from fuzz.targets import CORPUS, TARGETS, as_bytes, as_line

    file = CORPUS / name / "found.txt"
    earlier = [as_bytes(line) for line in file.read_text("ascii").splitlines()] if file.exists() else []
    found = sorted({raw for path in folder.iterdir() if not path.name.startswith(SEED) and (raw := path.read_bytes())})
    short = [raw for raw in found if len(raw) <= LONGEST_KEPT]
    drawn = random.Random(1).sample(short, min(len(short), MOST_TRACED))  # noqa: S311
    inputs = sorted({*earlier, *drawn}, key=lambda raw: (len(raw), raw))
    reached = [(raw, _lines_reached(TARGETS[name], raw)) for raw in inputs]
    chosen, known = [], set()
    while reached and len(chosen) < MOST_KEPT:
        raw, lines = max(reached, key=lambda one: len(one[1] - known))
        if not lines - known:
            break
        chosen.append(raw)
        known |= lines
    text = "".join(f"{as_line(raw)}\n" for raw in sorted(chosen, key=lambda raw: (len(raw), raw)))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="ascii")
    print(f"{name}: {len(chosen)} of {len(found)} inputs kept, {len(known)} lines, {len(text)} bytes")


def _lines_reached(target: Callable[[bytes], None], raw: bytes) -> set[tuple[str, int]]:
    """Return the lines of the toolkit that an input reaches."""
    found: set[tuple[str, int]] = set()

    def inside(frame: FrameType, event: str, argument: Any) -> Any:
        found.add((frame.f_code.co_filename, frame.f_lineno))
        return inside

    def entered(frame: FrameType, event: str, argument: Any) -> Any:
        return inside if f"{os.sep}gwm_models{os.sep}" in frame.f_code.co_filename else None

    sys.settrace(entered)
    try:
        target(raw)
    finally:
        sys.settrace(None)
    return found


if __name__ == "__main__":
    sys.exit(main())
