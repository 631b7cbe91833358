"""A look at one part of a file that may be half wrong: what is sound is returned, the rest is absent."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gwm_models.data.vocabulary import Vocabulary
from gwm_models.scenarios.findings import Findings, Keys, value_at

LARGEST = sys.float_info.max


@dataclass(frozen=True)
class View:
    """One part of the content.

    Attributes
    ----------
    findings : Findings
        The file, and where its faults go.
    vocabulary : Vocabulary
        The words it may use.
    bad : frozenset of tuple
        Keys of values that are unsound already.
    keys : tuple
        Where this part stands.
    """

    findings: Findings
    vocabulary: Vocabulary
    bad: frozenset[Keys]
    keys: Keys = ()

    @property
    def value(self) -> Any:
        """What stands here, None if nothing sound does."""
        return None if self.keys in self.bad else value_at(self.findings.data, self.keys)

    def __truediv__(self, key: str | int) -> View:
        """Return the part under a key, whether it exists or not."""
        return View(self.findings, self.vocabulary, self.bad, (*self.keys, key))

    def __contains__(self, key: str) -> bool:
        """Tell whether a key is given here with any value, sound or not."""
        return value_at(self.findings.data, (*self.keys, key)) is not None

    def own_number(self) -> float | None:
        """Return the finite number that stands here, None if there is none."""
        value = self.value
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return value if is_number and abs(value) <= LARGEST else None

    def number(self, key: str | int) -> float | None:
        """Return the finite number under a key, None if there is none."""
        return (self / key).own_number()

    def whole(self, key: str | int) -> int | None:
        """Return a whole number, None if there is none."""
        value = self.number(key)
        return value if isinstance(value, int) else None

    def text(self, key: str) -> str | None:
        """Return a text, None if there is none."""
        value = (self / key).value
        return value if isinstance(value, str) else None

    def parts(self, key: str) -> Iterator[View]:
        """Yield the items of a list that are mappings."""
        for item in self.items(key):
            if isinstance(item.value, dict):
                yield item

    def items(self, key: str) -> Iterator[View]:
        """Yield the items of the list under a key."""
        return (self / key).own_items()

    def own_items(self) -> Iterator[View]:
        """Yield the items of the list that stands here."""
        value = self.value
        for place in range(len(value) if isinstance(value, list) else 0):
            yield self / place

    def pair(self, key: str) -> tuple[int, int] | None:
        """Return two whole numbers, None if there are not exactly two."""
        values = [item.value for item in self.items(key)]
        if len(values) != 2 or not all(isinstance(value, int) for value in values):
            return None
        return values[0], values[1]

    def need(self, key: str, example: str) -> None:
        """Report a key that has to be here and is missing or empty, unless it is known to stand elsewhere."""
        if key in self or not isinstance(self.value, dict) or (*self.keys[:2], key) in self.findings.misplaced:
            return
        if key in self.value:
            (self / key).error("is empty", f"write it as '{key}: {example}'")
        else:
            (self / key).error(f"missing key '{key}'", f"add '{key}: {example}'")

    def error(self, what: str, fix: str) -> None:
        """Record a fault of this part."""
        self.findings.error(self.keys, what, fix)

    def warning(self, what: str, fix: str) -> None:
        """Record something unusual in this part."""
        self.findings.warning(self.keys, what, fix)
