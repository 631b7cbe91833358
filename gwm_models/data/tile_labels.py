"""Short labels for tiles: three or four letters of a name, no two alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

MOST = 4
"""Letters of a label."""
CUSTOMARY = {"Kingston upon Hull": "Hull", "Isle of Wight": "IoW", "County Durham": "Durh", "Milton Keynes": "MK"}
"""Names that are known by something other than their first letters."""
TAIL = re.compile(r",.*$|(?:[ -](?:upon|on)[ -].*$)")
SMALL = {"and", "of", "the", "with", "upon", "on", "in"}
COMPASS = {"North", "East", "South", "West", "Central"}
VOWELS = frozenset("aeiou")


def short_labels(names: Mapping[str, str]) -> dict[str, str]:
    """Give every area a label of at most four letters, no two alike whatever their case.

    Shorter names choose first, and names of equal length by code.

    Parameters
    ----------
    names : mapping of str to str
        Name by code.

    Returns
    -------
    dict of str to str
        Label by code, in the order of `names`.

    Examples
    --------
    >>> short_labels({"a": "Derby", "b": "Derbyshire", "c": "North East Lincolnshire", "d": "West Sussex"})
    {'a': 'Derb', 'b': 'Ders', 'c': 'NEL', 'd': 'WSus'}
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for code in sorted(names, key=lambda one: (len(names[one]), one)):
        found[code] = next(label for label in _candidates(names[code]) if label.casefold() not in taken)
        taken.add(found[code].casefold())
    return {code: found[code] for code in names}


def _candidates(name: str) -> Iterator[str]:
    """Give the labels that a name may have, the best first; they never end."""
    bare = re.sub(r",.*$", "", name).strip()
    if bare in CUSTOMARY:
        yield CUSTOMARY[bare]
    bare = TAIL.sub("", bare)
    words = [word for word in re.findall(r"[^\W_]+", bare) if word.casefold() not in SMALL] or ["?"]
    if len(words) > 2:
        yield "".join(word[0] for word in words)[:MOST]
    if len(words) == 2:
        first, second = words
        yield first[0] + second[:3] if first in COMPASS else first[:2] + second[:2]
    letters = "".join(words)
    yield letters[:MOST]
    if letters.endswith("shire"):
        yield letters[:3] + "s"
    bones = letters[0] + "".join(letter for letter in letters[1:] if letter not in VOWELS)
    yield bones[:MOST]
    for start in (bones[:3], letters[:3], letters[:2]):
        for letter in letters[3:]:
            yield start + letter
    count = 2
    while True:
        yield f"{letters[: max(1, MOST - len(str(count)))]}{count}"
        count += 1
