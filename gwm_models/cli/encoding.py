"""Characters that a terminal or a pipe cannot write, in those that it can."""

from __future__ import annotations

import codecs
import unicodedata

PLAIN = {
    "−": "-",
    "–": "-",
    "—": "-",
    "\u2018": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "×": "x",
    "·": ".",
    "…": "...",
    "≤": "<=",
    "≥": ">=",
    "±": "+/-",
    "→": "->",
    "£": "GBP ",
    "©": "(c)",
}
"""A minus sign that became a question mark would change a number."""
HANDLER = "gwm-plain"


def plain_characters(text: str) -> str:
    """Return a text in ASCII: the same signs in plain form, letters without accents, a question mark for the rest.

    Examples
    --------
    >>> plain_characters("−2 to 1: Brístol")
    '-2 to 1: Bristol'
    """
    return "".join(_plain(char) for char in text)


def _plain(char: str) -> str:
    if char in PLAIN or char.isascii():
        return PLAIN.get(char, char)
    bare = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
    return bare if bare.isprintable() and bare else "?"


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return plain_characters(error.object[error.start : error.end]), error.end


codecs.register_error(HANDLER, _replace)
