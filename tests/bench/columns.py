"""What the columns of the tables of benchmarks mean; ``machine.json`` keeps it beside them."""

from __future__ import annotations

PEERS = {
    "pair": "name of the comparison; text quotes it",
    "compared": "what both sides work out",
    "size": "how much of it",
    "unit": "of ours_* and theirs_*: CPU s is user plus system time of all threads and processes, once",
    "ours_median": "cost of the toolkit, median over rounds; ours_min and ours_max the extremes",
    "theirs_median": "cost of the peer, median over rounds; theirs_min and theirs_max the extremes",
    "ratio": "theirs_median / ours_median: above 1 the toolkit takes less, below 1 it takes more",
    "ratio_min": "smallest ratio of one round, theirs / ours; ratio_max the largest",
    "rounds": "turns of each side that were timed, in alternation",
    "checked": "which answers were compared before any timing, and in what unit they differ",
    "tolerance": "largest difference of answers that passes for equal, in the unit of checked",
    "difference": "largest difference found, in the unit of checked",
    "peer": "distribution compared with",
    "peer_version": "its version",
    "status": "measured; or why there are no figures",
    "notes": "what one side does and the other does not",
}
POINTS = {
    "curve": "the work",
    "axis": "what varies: areas, draws, actions, points of a sweep or workers",
    "setting": "what does not vary",
    "size": "how many of the axis",
    "rounds": "times the work was timed",
    "cpu_seconds": "CPU seconds of all processes, median over rounds; cpu_min and cpu_max the extremes",
    "wall_seconds": "seconds by the clock, median over rounds",
    "start_mib": "memory of the process when all is loaded, MiB",
    "peak_mib": "largest memory during the first round, MiB (resident; workers added up)",
    "above_start_mib": "peak_mib - start_mib",
    "left_out": "why a size was not measured",
}
SLOPES = {
    "curve": "as in curves.csv, with axis and setting",
    "cost": "the column of curves.csv that is fitted",
    "sizes": "sizes that the slope is fitted to",
    "slope": "least squares of log cost on log size: 1 is proportional, 2 quadratic",
    "std_error": "of the slope",
    "slope_at_end": "slope between the two largest sizes",
    "from": "smallest size fitted; to the largest",
    "note": "why there is no slope",
}
LIMITS = {
    "work": "what the toolkit does",
    "limit": "the least that the work could take: the same array sorted, the same bytes copied or read",
    "setting": "how much of it",
    "seconds": "of the work, median over rounds: CPU seconds, or by the clock where the work says wall seconds",
    "limit_seconds": "of the limit, likewise",
    "times_limit": "seconds / limit_seconds, median over rounds; times_limit_min and times_limit_max the extremes",
    "rounds": "turns of each that were timed, in alternation",
}
EXPLAINED = {"peers.csv": PEERS, "curves.csv": POINTS, "slopes.csv": SLOPES, "limits.csv": LIMITS}
"""Table to column to meaning; an extreme and an end are explained with the column before them."""


def unexplained(table: str, columns: tuple[str, ...]) -> list[str]:
    """Return columns of a table that are named nowhere in its explanations."""
    words = " ".join([*EXPLAINED[table], *EXPLAINED[table].values()])
    known = {word.strip(";:,.") for word in words.split()}
    return [name for name in columns if name not in known]
