"""What people call an area: full names in any spelling, short forms, parts of a name, and what to say of the rest."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from gwm_models.data.home import data_home
from gwm_models.data.vocabulary import EDITIONS
from gwm_models.errors import DataError

if TYPE_CHECKING:
    from gwm_models.data.edition import Areas

LONGEST = 120
"""Characters of a text that are looked at."""
SHOWN = 60
NEAR, SURELY_NEAR, NEARLY = 0.75, 0.85, 0.1
"""Likeness of a name that is suggested, of one that needs no more words, and how far others lie behind the best."""
OFFICE = frozenset(
    ["authority", "borough", "city", "council", "district", "metropolitan", "of", "royal", "the", "unitary"]
)
"""Words of an authority's style that are no part of a place's name."""
STYLE = OFFICE | {"county"}
SMALL = STYLE | frozenset(["and", "in", "on", "under", "upon", "with"])
SHORT = {
    "bcp": "bournemouth christchurch and poole",
    "banes": "bath and north east somerset",
    "beds": "bedfordshire",
    "berks": "berkshire",
    "bucks": "buckinghamshire",
    "cambs": "cambridgeshire",
    "co": "county",
    "derbys": "derbyshire",
    "e": "east",
    "glos": "gloucestershire",
    "hants": "hampshire",
    "herts": "hertfordshire",
    "iow": "isle of wight",
    "lancs": "lancashire",
    "leics": "leicestershire",
    "lincs": "lincolnshire",
    "mk": "milton keynes",
    "n": "north",
    "ne": "north east",
    "northants": "northamptonshire",
    "notts": "nottinghamshire",
    "oxon": "oxfordshire",
    "s": "south",
    "salop": "shropshire",
    "saint": "st",
    "staffs": "staffordshire",
    "w": "west",
    "warks": "warwickshire",
    "wilts": "wiltshire",
    "worcs": "worcestershire",
    "yorks": "yorkshire",
}
"""Short forms in common use, and the words that they stand for."""
COVERAGE = (
    "Shipped editions have upper-tier authorities of England outside London only: no London borough, no district "
    "within a county, no place elsewhere"
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a text means among the areas of an edition.

    Attributes
    ----------
    code : str or None
        The one area that is meant; None where that is not clear.
    sure : bool
        Whether it is the area's own code or name, whatever its case, accents and punctuation.
    names : tuple of str
        Without `code`: the areas that may be meant, the likeliest first.
    several : bool
        Whether the text fits each of `names`; otherwise they are only like it.
    note : str
        Without `code`: what else is known of the text, as a sentence without its full stop; may be empty.
    """

    code: str | None = None
    sure: bool = False
    names: tuple[str, ...] = ()
    several: bool = False
    note: str = ""


def meaning_of(text: str, areas: Mapping[str, str], *, edition: str, regions: Iterable[str] = ()) -> Meaning:
    """Return the area that a text means.

    In this order: a code or name; a name without its style ("Durham", "City of Bristol"); a short form ("N Lincs"); a
    name of other boundaries; a region; words of one name alone ("Hull"); the beginning of one name alone. A likely slip
    of the pen is suggested, never taken. A name that goes on with "shire" is another place, so it is only suggested.

    Parameters
    ----------
    text : str
    areas : mapping of str to str
        Area code to area name.
    edition : str
        The name of their edition: only of a shipped one is it known which boundaries others have.
    regions : iterable of str
        Its regions.

    Examples
    --------
    >>> areas = {"E06000010": "Kingston upon Hull, City of", "E08000029": "Solihull", "E08000013": "St. Helens"}
    >>> meaning_of("hull", areas, edition="mine").code, meaning_of("ST HELENS", areas, edition="mine").sure
    ('E06000010', True)
    >>> meaning_of("Solihul1", areas, edition="mine").names
    ('Solihull',)
    """
    wanted = text[:LONGEST]
    keys = {code: words_of(name) for code, name in areas.items()}
    said = words_of(wanted)
    found = _exact(wanted, areas) or _same(said, keys)
    if found:
        return _one_of(found, areas, sure=True)
    full = tuple(word for part in said for word in SHORT.get(part, part).split())
    shipped = edition in EDITIONS
    found = _same(full, keys) if full != said else []
    if found:
        return _one_of(found, areas, sure=False)
    elsewhere = _other_boundaries(wanted, full, areas) if shipped else None
    if elsewhere is not None:
        return elsewhere
    for region in regions:
        if full and words_of(region) == full:
            return Meaning(note=f"{region} is a region; name one of its areas")
    found = [code for code, words in keys.items() if _holds(words, full)]
    if found:
        return _one_of(found, areas, sure=False)
    for part in dict.fromkeys((said, full, _without(full, STYLE))):
        begun = _begun(part, keys, areas, shipped)
        if begun is not None:
            return begun
    return _alike(full, areas, shipped)


def area_place(areas: Areas, text: str, *, edition: str, where: str = "") -> tuple[int, bool]:
    """Return the place of the area that a text means among those of an edition, and whether that is its own name.

    `where` names the edition to a reader; its name if left out.

    Raises
    ------
    DataError
        If it is not clear which one is meant; the message has the areas that it may be.
    """
    names = dict(zip(areas.code, areas.name, strict=True))
    meant = meaning_of(text, names, edition=edition, regions=dict.fromkeys(areas.region))
    if meant.code is None:
        raise DataError(refusal(text, meant, where or edition))
    return areas.code.index(meant.code), meant.sure


def refusal(text: str, meant: Meaning, where: str) -> str:
    """Return why no area is taken for a text, and what to write instead, on one line."""
    name = shown(text)
    if not text.strip():
        return "The name of the area is empty. Write a name or a code; gwm index scores lists them."
    if meant.several:
        return f"'{name}' may be {either(meant.names)}. Name one of them."
    asked = f" Did you mean {either(meant.names)}?" if meant.names else ""
    return f"There is no area '{name}' in {where}.{asked}{f' {meant.note}.' if meant.note else ''}"


def either(names: Sequence[str], most: int = 8) -> str:
    """Join names with commas and a last "or"; long lists are cut, names with a comma stand in quotes."""
    quoted = [f'"{name}"' if "," in name else name for name in names]
    if len(quoted) > most:
        return f"{', '.join(quoted[:most])} or {len(quoted) - most} more"
    return " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]])) if quoted else ""


def shown(text: str) -> str:
    """Return a text as a message quotes it: short, on one line, hidden characters spelled out."""
    short = text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in short)


@lru_cache(maxsize=1024)
def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a name without case, accents and punctuation.

    Examples
    --------
    >>> words_of("St. Helens"), words_of("Brístol, City of"), words_of("Bath & N.E. Somerset")
    (('st', 'helens'), ('bristol', 'city', 'of'), ('bath', 'and', 'ne', 'somerset'))
    """
    letters = unicodedata.normalize("NFKD", text.replace("&", " and "))
    plain = "".join(char for char in letters if not unicodedata.combining(char)).casefold()
    return tuple(re.findall(r"[^\W_]+", re.sub(r"[.'\u2019]", "", plain)))


def _exact(text: str, areas: Mapping[str, str]) -> list[str]:
    key = " ".join(text.casefold().split())
    return [code for code, name in areas.items() if key in (code.casefold(), " ".join(name.casefold().split()))][:1]


def _same(said: tuple[str, ...], keys: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the areas of these words in any order, or else those whose words without style are the same."""
    found = [code for code, words in keys.items() if said and sorted(words) == sorted(said)]
    core = _without(said, STYLE)
    if found or not core or ("county" in said and any(words == (f"{' '.join(core)}shire",) for words in keys.values())):
        return found
    return [code for code, words in keys.items() if _without(words, STYLE) == core]


def _without(words: tuple[str, ...], style: frozenset[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in style)


def _holds(words: tuple[str, ...], said: tuple[str, ...]) -> bool:
    """Tell whether a name holds these words one after another; small words alone count only with others of a style."""
    if not said or (len(said) == 1 and said[0] in SMALL):
        return False
    return any(words[start : start + len(said)] == said for start in range(len(words) - len(said) + 1))


def _one_of(codes: Sequence[str], areas: Mapping[str, str], *, sure: bool) -> Meaning:
    if len(codes) == 1:
        return Meaning(code=codes[0], sure=sure)
    return Meaning(names=tuple(areas[code] for code in codes), several=True)


def _begun(
    said: tuple[str, ...], keys: Mapping[str, tuple[str, ...]], areas: Mapping[str, str], shipped: bool
) -> Meaning | None:
    """Return the area with a name that goes on where the text ends; None if there is none."""
    if len("".join(said)) < 3:
        return None
    *whole, last = said
    ends: dict[str, str] = {}
    for code, words in keys.items():
        for start in range(len(words) - len(whole)):
            word = words[start + len(whole)]
            if words[start : start + len(whole)] == tuple(whole) and word.startswith(last):
                ends.setdefault(code, word[len(last) :])
    if ends and set(ends.values()) == {"shire"}:
        note = "A district within a county has no figure of its own" if shipped else ""
        return Meaning(names=tuple(areas[code] for code in ends), note=note)
    return _one_of(list(ends), areas, sure=False) if ends else None


def _alike(said: tuple[str, ...], areas: Mapping[str, str], shipped: bool) -> Meaning:
    """Return the names most like a text, or what the edition covers."""
    from difflib import SequenceMatcher

    coverage = COVERAGE if shipped else ""
    text = " ".join(said)
    if not text:
        return Meaning(note=coverage)
    like: dict[str, float] = {}
    for name in areas.values():
        words = words_of(name)
        runs = {words, *(words[start : start + len(said)] for start in range(len(words)))}
        like[name] = max(SequenceMatcher(None, " ".join(run), text).ratio() for run in runs)
    best = max(like.values(), default=0.0)
    near = sorted((name for name in like if like[name] >= max(NEAR, best - NEARLY)), key=lambda name: -like[name])
    return Meaning(names=tuple(near[:3]), note="" if best >= SURELY_NEAR else coverage)


def _other_boundaries(text: str, said: tuple[str, ...], areas: Mapping[str, str]) -> Meaning | None:
    """Return what stands for an area of other boundaries, the Monitor's or those of April 2019; None if it is none."""
    code = text.strip().upper()
    for other, name, here in _boundaries(tuple(areas)):
        words = words_of(name)
        if code == other or words == said or (_holds(words, said) and not _named_here(said, areas)):
            names = tuple(areas[each] for each in here)
            which = "has other boundaries here" if name in names else "is not an area of its own here"
            return Meaning(names=names, note=f"{name} ({other}) {which}")
    return None


def _named_here(said: tuple[str, ...], areas: Mapping[str, str]) -> bool:
    return any(_holds(words_of(name), said) for name in areas.values())


@lru_cache(maxsize=8)
def _boundaries(codes: tuple[str, ...]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Return code and name of each area of other boundaries, and the areas among `codes` with the same figures."""
    with (data_home() / "areas.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (data_home() / "units.csv").open(encoding="utf-8", newline="") as file:
        units = {row["unit_code"]: row["unit_name"] for row in csv.DictReader(file) if row["unit_level"] != "country"}
    found = {row["area_code"]: (row["area_name"], row["unit_code"]) for row in rows}
    found |= {code: (name, code) for code, name in units.items() if code not in found}
    listed = set(codes)
    others = {code: pair for code, pair in found.items() if code not in listed}
    here = {unit: tuple(each for each in codes if found.get(each, ("", ""))[1] == unit) for _, unit in others.values()}
    return tuple((code, name, here[unit]) for code, (name, unit) in others.items() if here[unit])
