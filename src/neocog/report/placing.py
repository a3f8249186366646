"""Where the blocks of a network's picture stand: columns by order, lanes by branch, rows where the line is full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from neocog.report.folding import Unit

GAP = 22.0  # between two columns, where the edges turn
ARC = 11.0  # between two skip connections, one above the other
SHORTEST = 0.4  # of a full line is what a line is cut at, where there is room for more

Size = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A unit's block: its middle, its size, and the left and right end of the column it stands in."""

    unit: Unit
    x: float
    y: float
    width: float
    height: float
    left: float
    right: float


@dataclass(frozen=True)
class Edge:
    """What one block reads of another, by their places; ``level`` is 0 for a line between lanes, from 1 for an arc."""

    source: int
    target: int
    level: int = 0


@dataclass(frozen=True)
class Row:
    """Blocks and edges of one line of the picture; ``top`` is where the boxes begin, below the arcs."""

    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    width: float
    height: float
    top: float


def rows(units: Sequence[Unit], size: Callable[[Unit], Size], room: Callable[[Unit], Size], most: float) -> list[Row]:
    """Returns the lines of a picture of the units, each at most ``most`` wide where the network can be cut.

    ``size`` gives the width and height of a unit's block, ``room`` those of the block with its labels.
    """
    ranks = _ranks(units)
    widths = [0.0] * (max(ranks, default=0) + 1)
    for unit, rank in zip(units, ranks, strict=True):
        widths[rank] = max(widths[rank], room(unit)[0] + GAP)
    carried = room(Unit("", "continued", (), (), (1,)))[0] + GAP
    pieces = _pieces(units, ranks, widths, most, carried)
    return [_row(piece, size, room) for piece in pieces]


def _ranks(units: Sequence[Unit]) -> list[int]:
    ranks: list[int] = []
    for unit in units:
        ranks.append(max((ranks[source] + 1 for source in unit.sources), default=0))
    return ranks


def _pieces(
    units: Sequence[Unit], ranks: list[int], widths: list[float], most: float, carried: float
) -> list[list[Unit]]:
    """Cuts where a single unit feeds all that follows; the next line begins with that unit's output."""
    count = max(1, -(-int(sum(widths)) // int(most)))
    full = min(most, sum(widths) / count * 1.1)
    pieces: list[tuple[int, int]] = []
    first, width = 0, 0.0
    last_cut, until_cut = -1, 0.0  # the last place to cut at, and how wide the line is up to there
    for rank, own in enumerate(widths):
        worth_it = until_cut > SHORTEST * full or width + own > most
        ends_here = width + sum(widths[rank:]) <= most and bool(pieces)  # no line for a last block or two
        if width + own > full and last_cut >= first and worth_it and not ends_here:
            pieces.append((first, last_cut))
            first, width = last_cut + 1, carried + width - until_cut
        width += own
        if _can_cut(units, ranks, rank):
            last_cut, until_cut = rank, width
    pieces.append((first, len(widths) - 1))
    return [_piece(units, ranks, start, stop) for start, stop in pieces]


def _can_cut(units: Sequence[Unit], ranks: list[int], rank: int) -> bool:
    crossing = {
        source for target, unit in enumerate(units) for source in unit.sources if ranks[source] <= rank < ranks[target]
    }
    return len(crossing) == 1 and ranks[next(iter(crossing))] == rank


def _piece(units: Sequence[Unit], ranks: list[int], start: int, stop: int) -> list[Unit]:
    inside = [index for index, rank in enumerate(ranks) if start <= rank <= stop]
    entering = {source for index in inside for source in units[index].sources if ranks[source] < start}
    first = [Unit("", "continued", (), (), units[source].shape) for source in entering]
    place = dict.fromkeys(entering, 0) | {index: number for number, index in enumerate(inside, len(first))}
    return first + [
        replace(units[index], sources=tuple(place[source] for source in units[index].sources)) for index in inside
    ]


def _row(units: Sequence[Unit], size: Callable[[Unit], Size], room: Callable[[Unit], Size]) -> Row:
    ranks = _ranks(units)
    lanes, alone = _lanes(units, ranks)
    edges = _edges(units, ranks)
    columns = _columns(units, ranks, room)
    heights = [
        max(room(unit)[1] for unit, own in zip(units, lanes, strict=True) if own == lane)
        for lane in range(max(lanes) + 1)
    ]
    top = ARC * max((edge.level for edge in edges), default=0) + (GAP / 2 if any(edge.level for edge in edges) else 0)
    boxes = []
    for unit, rank, lane in zip(units, ranks, lanes, strict=True):
        left, right = columns[rank]
        middle = sum(heights) / 2 if rank in alone else sum(heights[:lane]) + heights[lane] / 2
        boxes.append(Box(unit, (left + right) / 2, top + middle, *size(unit), left, right))
    return Row(tuple(boxes), tuple(edges), columns[-1][1], top + sum(heights), top)


def _columns(units: Sequence[Unit], ranks: list[int], room: Callable[[Unit], Size]) -> list[tuple[float, float]]:
    columns = []
    left = 0.0
    for rank in range(max(ranks) + 1):
        wide = max(room(unit)[0] for unit, own in zip(units, ranks, strict=True) if own == rank)
        columns.append((left, left + wide))
        left += wide + GAP
    return columns


def _readers(units: Sequence[Unit]) -> list[list[int]]:
    readers: list[list[int]] = [[] for _ in units]
    for target, unit in enumerate(units):
        for source in unit.sources:
            readers[source].append(target)
    return readers


def _lanes(units: Sequence[Unit], ranks: list[int]) -> tuple[list[int], set[int]]:
    """Returns each unit's lane, and the ranks where a single lane is in use.

    A unit holds its lane until it is read, so that a short branch beside a long one runs straight to their join.
    """
    readers = _readers(units)
    taken: set[tuple[int, int]] = set()
    lanes: list[int] = []
    for index, unit in enumerate(units):
        until = min((ranks[reader] for reader in readers[index]), default=ranks[index] + 1)
        span = range(ranks[index], until)
        liked = sorted({lanes[source] for source in unit.sources})
        lane = next(
            lane for lane in (*liked, *range(len(units) + 1)) if not any((rank, lane) in taken for rank in span)
        )
        taken |= {(rank, lane) for rank in span}
        lanes.append(lane)
    used = [rank for rank, _ in taken]
    return lanes, {rank for rank in used if used.count(rank) == 1}


def _edges(units: Sequence[Unit], ranks: list[int]) -> list[Edge]:
    readers = _readers(units)
    edges: list[tuple[int, int]] = []
    arcs: list[tuple[int, int]] = []
    for target, unit in enumerate(units):
        for source in unit.sources:
            nearest = min(ranks[reader] for reader in readers[source])
            (edges if ranks[target] == nearest else arcs).append((source, target))
    levels: dict[tuple[int, int], int] = {}
    for arc in sorted(arcs, key=lambda arc: (ranks[arc[1]] - ranks[arc[0]], arc)):
        crossed = {level for other, level in levels.items() if _overlap(ranks, arc, other)}
        levels[arc] = next(level for level in range(1, len(arcs) + 1) if level not in crossed)
    return [Edge(*edge) for edge in edges] + [Edge(*arc, level) for arc, level in levels.items()]


def _overlap(ranks: list[int], one: tuple[int, int], other: tuple[int, int]) -> bool:
    return ranks[one[0]] < ranks[other[1]] and ranks[other[0]] < ranks[one[1]]
