"""Where the names of a few points go on a scatter, so that they neither run into each other nor out of the chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LETTER, LINE, GAP = 6.1, 13.0, 7.0
"""Pixels of a letter and of a line of a label, and between a point and its label."""
Box = tuple[float, float, float, float]


def plain_name(name: str) -> str:
    """Return the name of an area as it is said, without the rank that official lists put after it.

    Examples
    --------
    >>> plain_name("Kingston upon Hull, City of"), plain_name("Bournemouth, Christchurch and Poole")
    ('Kingston upon Hull', 'Bournemouth, Christchurch and Poole')
    """
    return name.removesuffix(", City of").removesuffix(", County of")


@dataclass(frozen=True, slots=True)
class Placed:
    """A label of one point: on which side it stands, and how far from it in pixels."""

    place: int
    align: str
    dx: float
    dy: float


def place_labels(
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    wanted: Sequence[int],
    *,
    width: float,
    height: float,
) -> list[Placed]:
    """Choose a side for the label of each point that is wanted, the most wanted first; one without room is left out.

    Parameters
    ----------
    points : sequence of (float, float)
        Places in the chart, 0 to 1 from the left and from the top.
    names : sequence of str
    wanted : sequence of int
        Points to name, the most important first.
    width, height : float
        Of the chart, in pixels.

    Returns
    -------
    list of Placed

    Examples
    --------
    >>> place_labels([(0.1, 0.5), (0.95, 0.5)], ["Hull", "York"], [0, 1], width=200, height=100)
    [Placed(place=0, align='left', dx=7.0, dy=0.0), Placed(place=1, align='right', dx=-7.0, dy=0.0)]
    """
    at = [(x * width, y * height) for x, y in points]
    taken: list[Box] = []
    placed = []
    for place in wanted:
        free = [
            (_covered(box, at, place), order, spot, box)
            for order, (spot, box) in enumerate(_spots(place, at[place], LETTER * len(names[place])))
            if _inside(box, width, height) and not any(_meet(box, other) for other in taken)
        ]
        if free:
            _, _, spot, box = min(free, key=lambda one: one[:2])
            taken.append(box)
            placed.append(spot)
    return placed


def _spots(place: int, at: tuple[float, float], length: float) -> list[tuple[Placed, Box]]:
    """Give the sides that a label may take, the best first: right, left, above, below."""
    x, y = at
    half, tall = length / 2, LINE / 2
    return [
        (Placed(place, "left", GAP, 0.0), (x + GAP, y - tall, x + GAP + length, y + tall)),
        (Placed(place, "right", -GAP, 0.0), (x - GAP - length, y - tall, x - GAP, y + tall)),
        (Placed(place, "center", 0.0, -LINE + 1), (x - half, y - 1.5 * LINE, x + half, y - tall)),
        (Placed(place, "center", 0.0, LINE - 1), (x - half, y + tall, x + half, y + 1.5 * LINE)),
    ]


def _inside(box: Box, width: float, height: float) -> bool:
    return box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _covered(box: Box, at: Sequence[tuple[float, float]], own: int) -> int:
    """Count the other points under a label."""
    return sum(
        i != own and box[0] - 3 <= x <= box[2] + 3 and box[1] - 3 <= y <= box[3] + 3 for i, (x, y) in enumerate(at)
    )
