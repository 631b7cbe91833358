"""Colours of maps: classes from low to high, classes on both sides of zero, and groups; each with a colour for text.

Sequential classes are one blue, from near the paper to far from it. Diverging classes run from orange to blue, which
the colour-blind can tell apart; groups are close to those of Okabe and Ito.

References
----------
Okabe & Ito (2008), Color universal design: how to make figures and presentations that are friendly to
colorblind people.
Brewer (1994), Color use guidelines for mapping and visualization, in Visualization in Modern Cartography.
"""

from __future__ import annotations

INK, WHITE = "#10171e", "#ffffff"
SEQUENTIAL, SIDE, GROUPS = 7, 4, 8
"""Most classes from low to high, on one side of zero, and groups."""
SHADES: dict[str, dict[str, tuple[str, ...]]] = {
    "light": {
        "seq": ("#dbe8f5", "#bcd6ee", "#94bde2", "#64a0d2", "#2f76b5", "#12568f", "#08325c"),
        "below": ("#fadcc0", "#f5bd8c", "#e08a43", "#a64700"),
        "zero": ("#e2e6ea",),
        "above": ("#cfe1f2", "#94bde2", "#5a9bd0", "#0f5490"),
        "group": ("#0072b2", "#e69f00", "#18a67d", "#d58bb4", "#56b4e9", "#b54c00", "#f0e442", "#5f6871"),
    },
    "dark": {
        "seq": ("#20384c", "#1f4768", "#1f5c8b", "#2b70a9", "#639fd0", "#9cc8ec", "#d9ecfc"),
        "below": ("#4a2c12", "#82470f", "#de9347", "#fbd2a3"),
        "zero": ("#333d47",),
        "above": ("#1b3d5a", "#27679c", "#6caee0", "#c3e1fa"),
        "group": ("#1776b3", "#e69f00", "#18a67d", "#d58bb4", "#56b4e9", "#b85205", "#f0e442", "#929ca6"),
    },
}


def luminance(shade: str) -> float:
    """Return the relative luminance of a colour #rrggbb, 0 to 1, as WCAG 2.2 defines it."""
    parts = [int(shade[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours, 1 to 21.

    Examples
    --------
    >>> contrast("#ffffff", "#000000")
    21.0
    """
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def readable(ground: str) -> str:
    """Return the colour of text, dark or white, that stands out from a ground."""
    return INK if contrast(INK, ground) >= contrast(WHITE, ground) else WHITE


def _named() -> dict[str, dict[str, str]]:
    """Name the shades of each theme ``seq-1`` and so on, and the text on them ``seq-1-text``."""
    named: dict[str, dict[str, str]] = {}
    for theme, families in SHADES.items():
        named[theme] = {f"{name}-{i}": shade for name, row in families.items() for i, shade in enumerate(row, start=1)}
        named[theme] |= {f"{name}-text": readable(shade) for name, shade in named[theme].items()}
    return named


MAP_COLOURS = _named()
"""Colours by theme and name, to be joined to those of the charts."""
