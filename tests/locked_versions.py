"""The versions that an environment of the tests holds, and the lock file that keeps them.

Run ``python tests/locked_versions.py OTHER_PYTHON > .ci/tests.lock`` with the Python of an environment that has the
toolkit's extra ``test``, naming that of another one, to write the lock anew.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / ".ci" / "tests.lock"
EXTRAS = ("test", "dask", "parquet")
NOT_LOCKED = {"pip", "setuptools"}
"""What comes with an environment."""
HEAD = """\
# The exact versions with which the tests pass: on Python 3.11, and on 3.13 where these differ. Install them again with
#   python -m pip install -c .ci/tests.lock --editable '.[test]'
# The oldest versions are in oldest.txt. tests/locked_versions.py writes this file, and a test says when pyproject.toml
# asks for something else. No hashes: with them pip refuses to install the checkout itself.
"""


def asked() -> list[Requirement]:
    """Return what pyproject.toml asks for, the extras of the tests included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [Requirement(line) for line in (*project["dependencies"], *(one for name in EXTRAS for one in extras[name]))]


def needs(requirement: Requirement) -> list[Requirement]:
    """Return what an installed package asks for here, with the extras named."""
    found = [Requirement(line) for line in distribution(requirement.name).requires or []]
    extras = ("", *requirement.extras)
    return [one for one in found if one.marker is None or any(one.marker.evaluate({"extra": each}) for each in extras)]


def installed() -> dict[str, str]:
    """Return the version of every package that the tests need here, however far down; what is missing is left out."""
    waiting, seen, found = asked(), set(), {}
    while waiting:
        one = waiting.pop()
        key = (canonicalize_name(one.name), frozenset(one.extras))
        if key in seen or key[0] in NOT_LOCKED or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        seen.add(key)
        try:
            found[key[0]] = distribution(one.name).version
            waiting += needs(one)
        except PackageNotFoundError:
            continue
    return found


def lock_text(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """Write a lock of two environments: before Python 3.12, and from there on."""
    lines = []
    for name in sorted({*old, *new}):
        if old.get(name) == new.get(name):
            lines.append(f"{name}=={old[name]}")
        else:
            lines += [f"{name}=={old[name]} ; python_version < '3.12'"] if name in old else []
            lines += [f"{name}=={new[name]} ; python_version >= '3.12'"] if name in new else []
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(json.dumps(installed()))
    else:
        other = json.loads(subprocess.run([sys.argv[1], __file__], check=True, capture_output=True, text=True).stdout)
        print(lock_text(*((installed(), other) if sys.version_info < (3, 12) else (other, installed()))), end="")
