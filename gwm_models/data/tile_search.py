"""Where each tile goes: points pushed apart, assigned to cells of a grid, then improved by swaps.

The first step is a Dorling cartogram with directed links; the second the assignment problem; the third a descent on a
stated cost. Everything is deterministic, and depends on the points in the order given.

References
----------
Dorling (1996), Area cartograms: their use and creation, Concepts and Techniques in Modern Geography 59.
Kuhn (1955), The Hungarian method for the assignment problem, Naval Research Logistics Quarterly.
Meulemans et al. (2017), Small multiples with gaps, IEEE Transactions on Visualization and Computer Graphics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Cell = tuple[int, int]

STEPS, STILL = 400, 1e-3
"""Most steps, and the largest force, in tiles, at which they end."""
LINK, PUSH, HOME, FARTHEST = 0.24, 0.35, 0.02, 0.3
"""Strength of a link, of an overlap and of the pull to the true place; most tiles moved in a step."""
GOLDEN = 2.399963229728653
"""Angle that spreads points which share a place: pi (3 - sqrt 5)."""
OFFSETS = (0.0, 0.25, 0.5, 0.75)
SCALES = (0.96, 0.9, 1.02)
STARTS = 8
BORDER, GAP, APART = 1.0, 0.7, 1000.0
"""Cost of each tile of distance of a border beyond one, of an empty cell with tiles on three sides or four, of a region
in two parts; a tile's squared displacement costs 1 a tile."""
SIDES: tuple[Cell, ...] = ((1, 0), (0, 1), (-1, 0), (0, -1))
REACH: tuple[Cell, ...] = tuple(
    (x, y) for x in range(-2, 3) for y in range(-2, 3) if (x, y) != (0, 0) and abs(x) + abs(y) <= 3
)
PASSES = 60
LARGE = 250
"""Above so many points only one start is tried."""
HOPELESS = 3
"""Parts too many of a region, on average, that moves and swaps are not asked to join."""
LEAST = 1e-9
"""Smallest fall of the cost that counts."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Points to be placed, in units of a tile, y upwards.

    Attributes
    ----------
    target : ndarray, shape (n, 2)
    region : ndarray of int, shape (n,)
    borders : ndarray of int, shape (n_borders, 2)
    closed : frozenset of cell
        Cells that stay empty.
    """

    target: Floats
    region: Ints
    borders: Ints
    closed: frozenset[Cell]


def spread(points: Floats, links: Ints, radius: Floats) -> Floats:
    """Push points apart until discs about them hardly overlap, while links keep their direction and near length.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        In units of a tile.
    links : ndarray of int, shape (n_links, 2)
    radius : ndarray, shape (n,)
        Of the discs, tiles.

    Returns
    -------
    ndarray, shape (n, 2)
    """
    from scipy.spatial import cKDTree

    n = len(points)
    turn = GOLDEN * np.arange(n)
    home = points + 1e-6 * np.column_stack([np.cos(turn), np.sin(turn)])
    first, second = links.T
    step = home[second] - home[first]
    step = step / np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-12)
    step *= (radius[first] + radius[second])[:, None] * 1.05
    share = LINK / (1.0 + np.bincount(links.ravel(), minlength=n))[:, None]
    place = home.copy()
    widest = float(2 * radius.max())
    for _ in range(STEPS):
        force = HOME * (home - place) + share * _sums(n, links, place[second] - place[first] - step)
        near = np.sort(cKDTree(place).query_pairs(widest, output_type="ndarray"), axis=1)
        near = near[np.lexsort(near.T)] if len(near) else near.reshape(0, 2)
        apart = place[near[:, 1]] - place[near[:, 0]]
        distance = np.maximum(np.linalg.norm(apart, axis=1), 1e-9)
        overlap = np.clip(radius[near].sum(axis=1) - distance, 0.0, None)
        force -= _sums(n, near, PUSH * apart * (overlap / distance)[:, None])
        place = place + np.clip(force, -FARTHEST, FARTHEST)
        if np.abs(force).max() < STILL:
            break
    return np.asarray(place)


def _sums(n: int, pairs: Ints, pull: Floats) -> Floats:
    """Add up what pulls the first of each pair forward and the second back."""
    total = np.zeros((n, 2))
    for k in (0, 1):
        total[:, k] = np.bincount(pairs[:, 0], pull[:, k], n) - np.bincount(pairs[:, 1], pull[:, k], n)
    return total


def place_tiles(points: Floats, region: Ints, borders: Ints, holes: Sequence[tuple[Floats, int]] = ()) -> Ints:
    """Give each point a cell of its own: near its place, borders kept, each region in one piece.

    Several shifts and scales of the grid are tried. Each is an assignment with the least sum of squared displacements,
    improved by moves and swaps as long as the cost falls. If a region is still in parts after that, all regions are
    grown one after the other as pieces, and improved again.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        In units of a tile, pushed apart.
    region : ndarray of int, shape (n,)
    borders : ndarray of int, shape (n_borders, 2)
    holes : sequence of (place, number of cells)
        Places around which cells stay empty.

    Returns
    -------
    ndarray of int, shape (n, 2)
        Column and row (upwards) of each point.
    """
    large = len(points) > LARGE
    starts: list[tuple[float, int, Problem, Ints]] = []
    for scale in SCALES[:1] if large else SCALES:
        for right, up in product(OFFSETS[:1] if large else OFFSETS, repeat=2):
            shift = np.array([right, up])
            closed = frozenset(cell for at, n in holes for cell in _nearest_cells(at * scale + shift, n))
            problem = Problem(points * scale + shift, region, borders, closed)
            cells = _assign(problem)
            starts.append((cost(problem, cells), len(starts), problem, cells))
    starts.sort(key=lambda one: one[:2])
    least, _, problem, cells = starts[0]
    if least < APART * HOPELESS * len(set(region.tolist())):
        ends = [(improve(one, start), one) for _, _, one, start in starts[:STARTS]]
        least, _, cells, problem = min((cost(one, end), i, end, one) for i, (end, one) in enumerate(ends))
        if least < APART:
            return cells
    return improve(problem, _grow(problem))


def _nearest_cells(place: Floats, n: int) -> list[Cell]:
    """Return the cells nearest to a place."""
    x, y = (int(v) for v in np.floor(place))
    near = [(x + i, y + j) for i in range(-n, n + 2) for j in range(-n, n + 2)]
    return sorted(near, key=lambda cell: (round((cell[0] - place[0]) ** 2 + (cell[1] - place[1]) ** 2, 9), cell))[:n]


def _assign(problem: Problem) -> Ints:
    """Give each point one of the cells about the points, with the least sum of squared displacements."""
    from scipy.optimize import linear_sum_assignment

    cells = _open_cells(problem)
    squares = ((problem.target[:, None] - cells[None]) ** 2).sum(axis=2)
    chosen: Ints = cells[linear_sum_assignment(squares)[1]]
    return chosen


def _open_cells(problem: Problem) -> Ints:
    """Return the cells about the points, at least as many as points."""
    margin = 2
    low, high = np.floor(problem.target.min(axis=0)), np.ceil(problem.target.max(axis=0))
    while True:
        (x0, y0), (x1, y1) = (low - margin).astype(int), (high + margin).astype(int)
        cells = [(x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1) if (x, y) not in problem.closed]
        if len(cells) >= len(problem.target):
            return np.array(cells, dtype=np.int64)
        margin *= 2


def cost(problem: Problem, cells: Ints) -> float:
    """Return the cost of a layout: squared displacement, borders lost, gaps, regions in parts."""
    held = {(int(x), int(y)): i for i, (x, y) in enumerate(cells)}
    away = float(((problem.target - cells) ** 2).sum())
    first, second = problem.borders.T
    lost = float(np.clip(np.abs(cells[first] - cells[second]).sum(axis=1) - 1, 0, None).sum())
    empty = {(x + i, y + j) for x, y in held for i, j in SIDES} - held.keys() - problem.closed
    gaps = sum(sum((x + i, y + j) in held for i, j in SIDES) >= 3 for x, y in empty)
    apart = sum(
        pieces([held_cell for held_cell, i in held.items() if problem.region[i] == name]) - 1
        for name in np.unique(problem.region)
    )
    return away + BORDER * lost + GAP * gaps + APART * apart


def pieces(cells: Sequence[Cell]) -> int:
    """Count the pieces of a set of cells, joined by sides.

    Examples
    --------
    >>> pieces([(0, 0), (1, 0), (2, 1)])
    2
    """
    left, found = set(cells), 0
    while left:
        found += 1
        waiting = [left.pop()]
        while waiting:
            x, y = waiting.pop()
            for i, j in SIDES:
                if (x + i, y + j) in left:
                    left.remove((x + i, y + j))
                    waiting.append((x + i, y + j))
    return found


def improve(problem: Problem, cells: Ints) -> Ints:
    """Move tiles to empty cells and swap them, as long as the cost falls."""
    return _Descent(problem, cells).run()


class _Descent:
    """A layout that changes by moves and swaps that lower its cost."""

    def __init__(self, problem: Problem, cells: Ints) -> None:
        self.closed = problem.closed
        self.target = [(float(x), float(y)) for x, y in problem.target]
        self.region = [int(one) for one in problem.region]
        self.at: list[Cell] = [(int(x), int(y)) for x, y in cells]
        self.held = {cell: i for i, cell in enumerate(self.at)}
        self.near: list[list[int]] = [[] for _ in self.at]
        for first, second in problem.borders.tolist():
            self.near[first].append(second)
            self.near[second].append(first)
        self.members: dict[int, list[int]] = {}
        for i, name in enumerate(self.region):
            self.members.setdefault(name, []).append(i)
        self.parts = {name: pieces([self.at[k] for k in who]) for name, who in self.members.items()}

    def run(self) -> Ints:
        """Try every tile in every direction until nothing helps."""
        for _ in range(PASSES):
            if not sum(self._try(i, step) for i in range(len(self.at)) for step in REACH):
                break
        return np.array(self.at, dtype=np.int64)

    def _try(self, i: int, step: Cell) -> bool:
        """Move a tile, or swap it with the one that is there, if that lowers the cost."""
        old = self.at[i]
        new = (old[0] + step[0], old[1] + step[1])
        if new in self.closed:
            return False
        j = self.held.get(new, -1)
        moved = [i] if j < 0 else [i, j]
        about = () if j >= 0 else (old, new)
        regions = {self.region[k] for k in moved} if j < 0 or self.region[i] != self.region[j] else set()
        before = self._own(moved) + self._gaps(*about)
        self._put(i, old, new, j)
        change = self._own(moved) + self._gaps(*about) - before
        parts = {name: self.parts[name] for name in regions}
        if change - APART * (sum(parts.values()) - len(parts)) < -LEAST:
            parts = {name: pieces([self.at[k] for k in self.members[name]]) for name in regions}
            if change + APART * sum(parts[name] - self.parts[name] for name in regions) < -LEAST:
                self.parts |= parts
                return True
        self._put(i, new, old, j)
        return False

    def _put(self, i: int, old: Cell, new: Cell, j: int) -> None:
        del self.held[old]
        self.at[i], self.held[new] = new, i
        if j >= 0:
            self.at[j], self.held[old] = old, j

    def _own(self, moved: list[int]) -> float:
        """Give what the cost owes to some tiles; a border between two of them is counted twice before and after."""
        total = 0.0
        for k in moved:
            x, y = self.at[k]
            total += (x - self.target[k][0]) ** 2 + (y - self.target[k][1]) ** 2
            for other in self.near[k]:
                a, b = self.at[other]
                total += BORDER * max(abs(x - a) + abs(y - b) - 1, 0)
        return total

    def _gaps(self, *about: Cell) -> float:
        """Give the cost of the gaps that a change at some cells can make or close."""
        held, closed = self.held, self.closed
        cells = {(x + i, y + j) for x, y in about for i, j in ((0, 0), *SIDES)}
        return GAP * sum(
            sum((x + i, y + j) in held for i, j in SIDES) >= 3
            for x, y in cells
            if (x, y) not in held and (x, y) not in closed
        )


def _grow(problem: Problem) -> Ints:
    """Lay the regions out one after the other, each as one piece that grows about its middle, the largest first.

    It always ends: if nothing else is free, the cells outside all others are joined and without end.
    """
    from scipy.optimize import linear_sum_assignment

    cells = np.zeros(problem.target.shape, dtype=np.int64)
    taken: set[Cell] = set(problem.closed)
    names, sizes = np.unique(problem.region, return_counts=True)
    for name in names[np.argsort(-sizes, kind="stable")]:
        who = np.flatnonzero(problem.region == name)
        piece = np.array(_piece(problem.target[who], taken), dtype=np.int64)
        squares = ((problem.target[who][:, None] - piece[None]) ** 2).sum(axis=2)
        cells[who] = piece[linear_sum_assignment(squares)[1]]
        taken |= {(int(x), int(y)) for x, y in piece}
    return cells


def _piece(points: Floats, taken: set[Cell]) -> list[Cell]:
    """Grow a piece of one cell a point, outwards from the free cell nearest to their middle that has the room."""
    middle = points.mean(axis=0)
    size = len(points)
    span = max([abs(v) for cell in taken for v in cell], default=0) + size + int(np.abs(middle).max()) + 2
    order = sorted(
        ((x, y) for x in range(-span, span + 1) for y in range(-span, span + 1) if (x, y) not in taken),
        key=lambda cell: (round((cell[0] - middle[0]) ** 2 + (cell[1] - middle[1]) ** 2, 9), cell),
    )
    place = {cell: k for k, cell in enumerate(order)}
    refused: set[Cell] = set()
    for seed in order:
        if seed in refused:
            continue
        piece = _grown(seed, place, size)
        if len(piece) == size:
            return piece
        refused |= set(piece)
    raise AssertionError("the outside of a finite set of cells has room")


def _grown(seed: Cell, place: dict[Cell, int], size: int) -> list[Cell]:
    """Add the free neighbour that comes first in the order, again and again."""
    from heapq import heappop, heappush

    piece: list[Cell] = []
    heap = [(place[seed], seed)]
    seen = {seed}
    while heap and len(piece) < size:
        _, (x, y) = heappop(heap)
        piece.append((x, y))
        for i, j in SIDES:
            cell = (x + i, y + j)
            if cell in place and cell not in seen:
                seen.add(cell)
                heappush(heap, (place[cell], cell))
    return piece
