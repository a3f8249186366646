"""A network's graph folded into as few blocks as a picture has room for, along the network's own modules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from neocog.core.graph import Node

# A module may be drawn as so many blocks; a larger one is folded into the modules that it is made of.
MOST_UNITS, MOST_INSIDE = 24, 14
DEEPEST = 32  # levels of modules within modules
_DRAWN = ("input", "convolution", "pooling", "dense", "join")


@dataclass(frozen=True)
class Unit:
    """What is drawn as one block.

    ``nodes`` are the places of its nodes in the graph, of one layer, one join or all of a module's; ``sources`` the
    places of the units that it reads; ``name`` and ``kind`` those of the layer or the module. ``repeats`` equal units
    follow each other and are drawn once; ``nodes`` are the first one's.
    """

    name: str
    kind: str
    nodes: tuple[int, ...]
    sources: tuple[int, ...]
    shape: tuple[int, ...]
    repeats: int = 1

    @property
    def folded(self) -> bool:
        """Whether several layers are in it."""
        return len(self.nodes) > 1


def drawn_nodes(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Returns the graph without what is drawn with the layer before it: norms, activations, dropout, reshaping."""
    place: dict[int, int] = {}
    kept: list[Node] = []
    for index, node in enumerate(nodes):
        sources = tuple(dict.fromkeys(place[source] for source in node.sources))
        if node.role in _DRAWN and not (node.role == "join" and len(sources) < 2):
            place[index] = len(kept)
            kept.append(replace(node, sources=sources))
        else:
            place[index] = sources[0] if sources else 0
    return tuple(kept)


def fold(nodes: Sequence[Node], within: Sequence[int] | None = None, *, most: int = MOST_UNITS) -> tuple[Unit, ...]:
    """Returns the units of a graph, or of those of its nodes that are ``within`` one unit, at most ``most`` if it goes.

    The finest fold that fits is taken: the network's modules are opened level by level. Units that repeat become one.
    """
    chosen = tuple(range(len(nodes))) if within is None else tuple(within)
    deepest = max((len(_path(nodes[place])) for place in chosen), default=1)
    least = _least_depth(nodes, chosen)
    for depth in range(deepest, least - 1, -1):
        units = _merged(nodes, _units(nodes, chosen, depth), singles=False)
        if len(units) <= most:
            return units
    return _merged(nodes, _units(nodes, chosen, least), singles=True)


def _least_depth(nodes: Sequence[Node], chosen: Sequence[int]) -> int:
    """Returns the first depth at which the nodes are told apart."""
    depth = 1
    while depth < DEEPEST and len({_group(nodes[place], place, depth) for place in chosen}) < 2:
        depth += 1
    return depth


def _path(node: Node) -> tuple[str, ...]:
    name = node.name or (node.owners[-1][0] if node.owners else "")
    return tuple(name.split(".")) if name else ()


def _group(node: Node, place: int, depth: int) -> Hashable:
    """Returns what the nodes of one unit have in common: the module at that depth; a layer above it is alone."""
    path = _path(node)
    own = len(path) + (0 if node.name else 1)
    return path[:depth] if own > depth and node.role != "input" else (place,)


def _units(nodes: Sequence[Node], chosen: Sequence[int], depth: int) -> list[Unit]:
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for place in chosen:
        groups[_group(nodes[place], place, depth)].append(place)
    inside = set(chosen)
    outside = [source for place in chosen for source in nodes[place].sources if source not in inside]
    first = [Unit("in", "input", (), (), nodes[outside[0]].shape)] if outside else []
    number = dict.fromkeys(outside, 0)
    numbered = list(enumerate(groups.values(), len(first)))
    number |= {place: index for index, group in numbered for place in group}
    return first + [_unit(nodes, tuple(group), number, index, depth) for index, group in numbered]


def _unit(nodes: Sequence[Node], group: tuple[int, ...], number: dict[int, int], own: int, depth: int) -> Unit:
    sources = {number[source] for place in group for source in nodes[place].sources}
    # A module that is left and entered again would make a circle; it is drawn where it is entered first.
    before = tuple(sorted(source for source in sources if source < own))
    first, last = nodes[group[0]], nodes[group[-1]]
    if len(group) == 1:
        return Unit(last.name or last.kind, last.kind, group, before, last.shape)
    name = ".".join(_path(first)[:depth])
    kind = dict(first.owners).get(name, "")
    return Unit(name, "" if kind == "Sequential" else kind, group, before, last.shape)


def _merged(nodes: Sequence[Node], units: Sequence[Unit], *, singles: bool) -> tuple[Unit, ...]:
    """Returns the units with runs of equal ones as one; single layers are merged only where there is no room."""
    readers: dict[int, set[int]] = defaultdict(set)
    for index, unit in enumerate(units):
        for source in unit.sources:
            readers[source].add(index)
    kept: list[Unit] = []
    place: dict[int, int] = {}
    for index, unit in enumerate(units):
        follows = unit.sources == (index - 1,) and readers[index - 1] == {index}
        alike = follows and (unit.folded or singles) and _build(nodes, units[index - 1]) == _build(nodes, unit)
        if alike:
            kept[-1] = replace(kept[-1], repeats=kept[-1].repeats + 1)
        else:
            kept.append(replace(unit, sources=tuple(dict.fromkeys(place[source] for source in unit.sources))))
        place[index] = len(kept) - 1
    return tuple(kept)


def _build(nodes: Sequence[Node], unit: Unit) -> Hashable:
    """Returns what two units have in common when they are built alike and give maps of the same size."""
    place: dict[int, object] = {node: index for index, node in enumerate(unit.nodes)}
    return tuple(
        (
            node.kind,
            node.kernel,
            node.stride,
            node.groups,
            node.shape,
            tuple(place.get(source, nodes[source].shape) for source in node.sources),
        )
        for node in (nodes[each] for each in unit.nodes)
    )


def insides(
    nodes: Sequence[Node], units: Sequence[Unit], *, most: int, largest: int = MOST_INSIDE
) -> list[tuple[Unit, tuple[Unit, ...]]]:
    """Returns one folded unit of each build with the units inside it, and of those inside these in turn.

    At most ``most``, first those of the units given. Of several builds of one class that differ in how often something
    At most ``most``, first those of the units given. A unit of more than ``largest`` is left out where another of its
    class was found, so that a dense block of 24 layers is shown by one of 6.
    """
    found: list[tuple[Unit, tuple[Unit, ...]]] = []
    seen: set[Hashable] = set()
    waiting = [unit for unit in units if unit.folded]
    while waiting and len(found) < most:
        unit = waiting.pop(0)
        inner = fold(nodes, unit.nodes, most=largest)
        build = tuple((each.kind, each.sources) for each in inner)
        large = len(inner) > largest and any(unit.kind == other.kind for other, _ in found)
        if build in seen or large:
            continue
        seen.add(build)
        found.append((unit, inner))
        waiting += [each for each in inner if each.folded]
    return found
