"""The lock of the test environment says what pyproject.toml asks for, exactly, on both generations of Python."""

from __future__ import annotations

import re

import pytest
from locked_versions import LOCK, NOT_LOCKED, asked, installed, lock_text, needs
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PYTHONS = ("3.11", "3.13")


def locked(python: str) -> dict[str, str]:
    """Return name and version of every line of the lock that holds for a Python."""
    found = {}
    for line in LOCK.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        one = Requirement(line)
        (version,) = one.specifier
        assert version.operator == "==" and "*" not in version.version, line
        if one.marker is None or one.marker.evaluate({"python_version": python}):
            assert canonicalize_name(one.name) not in found, line
            found[canonicalize_name(one.name)] = version.version
    return found


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_has_a_version_of_everything_asked_for_that_is_allowed(python):
    found = locked(python)
    for one in asked():
        if one.marker is not None and not one.marker.evaluate({"python_version": python, "extra": ""}):
            continue
        name = canonicalize_name(one.name)
        assert name in found, f"{one} is in pyproject.toml and not in .ci/tests.lock"
        assert one.specifier.contains(Version(found[name]), prereleases=True), f"{one}, locked {found[name]}"


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_is_no_older_than_the_oldest_versions_promised(python):
    oldest = [
        Requirement(line) for line in (LOCK.parent / "oldest.txt").read_text("utf-8").splitlines() if line[0] != "#"
    ]
    found = locked(python)
    for one in oldest:
        (version,) = one.specifier
        assert Version(found[canonicalize_name(one.name)]) >= Version(version.version), one


def test_each_package_of_the_lock_that_is_here_asks_for_nothing_that_the_lock_lacks():
    """Held against the packages of this environment that have the locked version, whatever the others are."""
    names = {
        canonicalize_name(Requirement(line).name) for line in LOCK.read_text("utf-8").splitlines() if line[0] != "#"
    }
    versions = [locked(python) for python in PYTHONS]
    found, checked = installed(), 0
    for name, version in found.items():
        if any(one.get(name) == version for one in versions):
            checked += 1
            asks = {canonicalize_name(one.name) for one in needs(Requirement(name))} - NOT_LOCKED
            assert asks <= names, (name, asks - names)
    assert checked > 10


def test_the_lock_names_no_host_no_path_and_each_package_in_order():
    lines = [line for line in LOCK.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert not [line for line in lines if re.search(r"://|@|--|/", line)]
    assert lines == sorted(lines, key=lambda line: (re.split("==", line)[0], "<" not in line))


def test_a_lock_is_written_with_a_marker_where_the_two_generations_differ():
    text = lock_text({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "3"})
    assert [line for line in text.splitlines() if line[0] != "#"] == [
        "a==1",
        "b==1 ; python_version < '3.12'",
        "b==2 ; python_version >= '3.12'",
        "c==1 ; python_version < '3.12'",
        "d==3 ; python_version >= '3.12'",
    ]
