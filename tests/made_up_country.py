"""A made-up country of 30 areas with round numbers, as a folder of tables."""

import csv
from itertools import pairwise

N = 30
REGIONS = ("Upland", "Coast", "Plain")
INDEX = """\
schema: gwm-index/1
id: made-up-2030
title: Good work in a made-up country, 2030
publisher: nobody
scale: {low: 0, high: 100}
domains:
  - {id: access, label: Access to work}
  - {id: reward, label: Reward}
indicators:
  - id: jobless
    label: Unemployment rate
    domain: access
    direction: -1
    unit: percent
    period: "2030"
    source: made up
    bounds: {status: stated, low: 0, high: 20}
  - id: active
    label: Activity rate
    domain: access
    direction: 1
    unit: percent
    period: "2030"
    source: made up
    bounds: {from: data}
  - id: pay
    label: Median pay
    domain: reward
    direction: 1
    unit: coins_per_week
    period: "2030"
    source: made up
    bounds: {from: data}
"""


def country(folder, *, regions=REGIONS, working_age=True):
    """Write 30 areas: jobless 2 to 16.5 by halves, active 60 to 89, pay 400 to 690 by tens."""
    folder.mkdir(parents=True)
    areas = [[f"Z{i:02}", f"Town {i}", regions[i % len(regions)], 10_000 + 100 * i, 6_000 + 100 * i] for i in range(N)]
    names = ["area_code", "area_name", "region_name", "population", "population_16_64"]
    write(folder / "areas.csv", [row if working_age else row[:4] for row in [names, *areas]])
    rows = [["area_code", "indicator", "value", "lower_95", "upper_95"]]
    for i in range(N):
        jobless = 2 + (7 * i % N) / 2
        rows.append([f"Z{i:02}", "jobless", jobless, jobless - 0.98, jobless + 0.98])
        rows.append([f"Z{i:02}", "active", 60 + i, 60 + i - 1.96, 60 + i + 1.96])
        rows.append([f"Z{i:02}", "pay", 400 + 10 * (11 * i % N), "", ""])
    write(folder / "indicators.csv", rows)
    write(folder / "borders.csv", [["area_code_1", "area_code_2"], *pairwise(f"Z{i:02}" for i in range(N))])
    (folder / "index.yaml").write_text(INDEX, encoding="utf-8")
    return folder


def write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def replace_line(path, line, text):
    """Put another line, or none, in place of a line of a file, counted from 1."""
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[line - 1 : line] = [] if text is None else [text]
    path.write_text("\n".join(lines), encoding="utf-8")
