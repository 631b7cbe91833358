"""A small copy of the shipped data package, for tests to corrupt."""

import csv
import json
import shutil

from gwm_models.data.home import data_home

KEPT = {  # the figures a small copy keeps: enough for every check, quick to read
    "indicators": {"unemployment_rate_16_64": "2018-01/2018-12", "imd2019_average_score": "2019"},
    "outcomes": {"healthy_life_expectancy_at_birth": "2016-18", "life_satisfaction_mean": "2018/19"},
}


def read_rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def write_rows(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def make_small(home):
    """Write a small copy of the shipped package, without the hashes that any change would break."""
    shutil.copytree(data_home(), home)
    variables = {variable: period for kept in KEPT.values() for variable, period in kept.items()}
    for name, variable, period in (("indicators", 1, 3), ("outcomes", 1, 3), ("periods", 0, 1)):
        rows = read_rows(home / f"{name}.csv")
        kept = [row for row in rows[1:] if variables.get(row[variable]) == row[period]]
        write_rows(home / f"{name}.csv", [rows[0], *kept])
    rows = read_rows(home / "variables.csv")
    write_rows(home / "variables.csv", [rows[0], *(row for row in rows if row[0] in variables)])
    described = json.loads((home / "datapackage.json").read_text(encoding="utf-8"))
    for resource in described["resources"]:
        del resource["hash"], resource["bytes"]
    (home / "datapackage.json").write_text(json.dumps(described), encoding="utf-8")
    return home


def replace_line(path, line, old, new):
    """Replace text in one line (from 1) of a file; it must be there."""
    lines = path.read_text(encoding="utf-8").split("\n")
    assert old in lines[line - 1], lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    path.write_text("\n".join(lines), encoding="utf-8")
