"""The picture of a network: blocks from left to right, as high as their maps and as wide as there are maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from neocog.core.graph import Node
from neocog.report.folding import Unit, drawn_nodes, fold, insides
from neocog.report.markup import text
from neocog.report.placing import ARC, GAP, Box, Edge, Row, Size, rows

WIDTH, MARGIN, NARROWEST_PAGE = 1240.0, 28.0, 860.0
HIGHEST, LOWEST = 104.0, 9.0  # of a block; in between by the root of its maps' side
HIGHEST_INSIDE = 64.0
WIDEST, NARROWEST = 46.0, 4.0  # by the root of the number of maps
LINE, LETTER = 14.0, 7.0  # of a label: the height of a line, the width of a letter
MOST_INSIDES = 8
LONGEST_LABEL = 20
SIGNS = ("+", "×", "-")  # joins that are drawn as a circle
_ROLES = {"convolution": "conv", "pooling": "pool", "dense": "dense", "input": "data"}
_LEGEND = (("conv", "convolution"), ("pool", "pooling"), ("dense", "dense"), ("fold", "several layers, drawn below"))

_STYLE = """
text { font: 11px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
text { fill: #1b1f24; } .title { font-size: 17px; font-weight: 600; } .head { font-size: 13px; font-weight: 600; }
.soft { fill: #59626d; } .name { font-weight: 600; } .mid { text-anchor: middle; } .paper { fill: #fdfdfc; }
.edge { fill: none; stroke: #6b7480; stroke-width: 1.2; } .arc { stroke: #a0a8b2; } .tip { fill: #6b7480; }
.conv { fill: #cfe1f7; stroke: #1f5fae; } .pool { fill: #f9e0c6; stroke: #a85400; }
.dense { fill: #d7eed5; stroke: #3a7a35; } .fold { fill: #e4dff5; stroke: #5f4bb0; }
.data { fill: #eceef0; stroke: #7a838d; } .join { fill: #fdfdfc; stroke: #59626d; }
@media (prefers-color-scheme: dark) {
text { fill: #e6e8eb; } .soft { fill: #a3acb7; } .paper { fill: #15181c; }
.edge { stroke: #8b95a1; } .arc { stroke: #5d6772; } .tip { fill: #8b95a1; }
.conv { fill: #1d3d63; stroke: #7db2f2; } .pool { fill: #57361a; stroke: #f0a35c; }
.dense { fill: #234a24; stroke: #86c981; } .fold { fill: #3a3166; stroke: #b3a4f2; }
.data { fill: #2b3036; stroke: #8b95a1; } .join { fill: #15181c; stroke: #a3acb7; }
}
"""


def network_svg(title: str, lead: str, nodes: Sequence[Node]) -> str:
    """Returns the picture as a whole SVG document that follows the reader's light or dark setting.

    ``title`` and ``lead`` are plain text over it. A network of more layers than fit is folded into its modules, and one
    of each build of module is drawn below, opened.
    """
    graph = drawn_nodes(nodes)
    units = fold(graph)
    parts = [_text(MARGIN, 38, title, "title"), _text(MARGIN, 58, lead, "soft")]
    page = _Page(parts, graph)
    bottom = page.draw(units)
    parts += _legend(bottom + 18, folded=any(unit.folded for unit in units))
    height, wide = bottom + 60, max(page.right, NARROWEST_PAGE) + MARGIN
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {height:g}" role="img" '
        f'width="{wide:g}" height="{height:g}" aria-labelledby="t d">'
    )
    labels = f'<title id="t">{text(title)}</title><desc id="d">{text(lead)} {text(_said(units))}</desc>'
    tip = (
        '<defs><marker id="tip" viewBox="0 0 6 6" refX="5.5" refY="3" markerWidth="6" markerHeight="6" orient="auto">'
        '<path class="tip" d="M0 0.6 6 3 0 5.4z"/></marker></defs>'
    )
    paper = '<rect class="paper" width="100%" height="100%"/>'
    return "\n".join((opening, labels, f"<style>{_STYLE}</style>{tip}{paper}", *parts, "</svg>")) + "\n"


def _said(units: Sequence[Unit]) -> str:
    """Returns the picture in words: each block with its shape, in order."""
    return ", ".join(
        f"{unit.name} {unit.kind}{f' times {unit.repeats}' if unit.repeats > 1 else ''} {_times(unit.shape)}"
        for unit in units
    )


@dataclass
class _Page:
    """Draws rows one below the other into ``parts``."""

    parts: list[str]
    graph: tuple[Node, ...]
    y: float = 84.0
    right: float = 0.0

    def draw(self, units: Sequence[Unit]) -> float:
        """Draws the network, then what its folded blocks are made of; returns where the picture ends."""
        for row in _rows(self.graph, units):
            self._row(row, MARGIN, "")
        x, lowest = MARGIN, 0.0
        for unit, inner in insides(self.graph, units, most=MOST_INSIDES):
            prefix = f"{unit.name}."
            inside = _rows(self.graph, inner, highest=HIGHEST_INSIDE, prefix=prefix)
            heading = f"{unit.name}: {unit.kind}" if unit.kind else unit.name
            wide = max(*(row.width for row in inside), LETTER * 1.25 * len(heading))
            if x > MARGIN and x + wide > MARGIN + WIDTH:
                x, self.y, lowest = MARGIN, lowest, 0.0
            top = self.y
            self.parts.append(_text(x, top + 24, heading, "head"))
            self.y += 40
            for row in inside:
                self._row(row, x, prefix)
            lowest, self.y = max(lowest, self.y), top
            x += wide + 3 * GAP
        return max(lowest, self.y)

    def _row(self, row: Row, x: float, prefix: str) -> None:
        self.parts.append(f'<g transform="translate({x:g} {self.y:g})">')
        self.parts += [_edge(row, edge) for edge in row.edges]
        for box in row.boxes:
            self.parts += _block(self.graph, box, prefix)
        self.parts.append("</g>")
        self.y += row.height + 22
        self.right = max(self.right, x + row.width)


def _rows(graph: Sequence[Node], units: Sequence[Unit], *, highest: float = HIGHEST, prefix: str = "") -> list[Row]:
    most_maps = max((unit.shape[0] for unit in units), default=1)
    longest = max((_side(unit.shape) for unit in units), default=1)

    def size(unit: Unit) -> Size:
        if unit.kind == "continued" or unit.kind in SIGNS:
            return 18.0, 18.0
        if _is_join(graph, unit):
            return 8.0, 34.0
        return (
            NARROWEST + (WIDEST - NARROWEST) * (unit.shape[0] / most_maps) ** 0.5,
            LOWEST + (highest - LOWEST) * (_side(unit.shape) / longest) ** 0.5,
        )

    def room(unit: Unit) -> Size:
        above, below = _labels(graph, unit, prefix)
        wide = max((LETTER * len(line) for line in (*above, *below)), default=0)
        width, height = size(unit)
        most = max(len(above), len(below))  # as much above as below, so that blocks of a lane share their middle
        return max(width + 8, wide), height + 2 * (most * LINE + 10)

    return rows(units, size, room, WIDTH)


def _side(shape: Sequence[int]) -> float:
    axes = shape[1:]
    return float(prod(axes) ** (1 / len(axes))) if axes and min(axes) else 1.0


def _is_join(graph: Sequence[Node], unit: Unit) -> bool:
    return len(unit.nodes) == 1 and graph[unit.nodes[0]].role == "join"


def _labels(graph: Sequence[Node], unit: Unit, prefix: str) -> tuple[list[str], list[str]]:
    """Returns the lines over a block (what it does) and below it (its name without ``prefix``, its output's shape)."""
    if unit.kind == "continued" or unit.kind in SIGNS:
        return [], []
    name, shape = _end(unit.name.removeprefix(prefix)), _times(unit.shape)
    times = f" ×{unit.repeats}" if unit.repeats > 1 else ""
    if unit.folded:
        kernels = list(dict.fromkeys(_kernel(graph[place]) for place in unit.nodes if _kernel(graph[place])))
        above = [f"{unit.kind}{times}".strip(), " ".join(kernels[:3]) + (" …" if len(kernels) > 3 else "")]
        return [line for line in above if line], [name, shape]
    if not unit.nodes:
        return [], [name, shape]
    if _is_join(graph, unit):
        return [f"{unit.kind.lower()}{times}"], [shape]
    return [f"{_does(graph[unit.nodes[0]])}{times}"], [name, shape]


def _end(name: str) -> str:
    """Returns a dotted name without as many of its first parts as make it too long for a label."""
    parts, left_out = name.split("."), ""
    while len(parts) > 1 and len(".".join(parts)) > LONGEST_LABEL:
        parts, left_out = parts[1:], "…"
    return left_out + ".".join(parts)


def _kernel(node: Node) -> str:
    return _times(node.kernel) if node.kernel and node.role == "convolution" else ""


def _does(node: Node) -> str:
    """Returns what a layer does in a word: ``7×7 /2``, ``max 3×3 /2``, ``avg``, ``dense``."""
    if node.role == "input":
        return ""
    if node.role == "dense":
        return "dense"
    word = ""
    if node.role == "pooling":
        kind = node.kind.lower()
        word = "max" if "max" in kind else "avg" if "avg" in kind or kind == "mean" else node.kind
    kernel = _times(node.kernel) if node.kernel else ""
    stride = node.stride or ()
    by = "" if not stride or set(stride) == {1} else f"/{stride[0]}" if len(set(stride)) == 1 else f"/{_times(stride)}"
    split = "" if node.groups == 1 else "depthwise" if node.groups == node.shape[0] else f"in {node.groups} groups"
    return " ".join(part for part in (word, kernel, by, split) if part)


def _times(numbers: Sequence[int]) -> str:
    return "×".join(map(str, numbers))


def _block(graph: Sequence[Node], box: Box, prefix: str) -> list[str]:
    unit = box.unit
    left, top = box.x - box.width / 2, box.y - box.height / 2
    above, below = _labels(graph, unit, prefix)
    shape = _times(unit.shape)
    shifts = (6, 3, 0) if unit.repeats > 1 else (0,)  # a stack, the first of which is in front
    words = [
        _text(box.x, top - shifts[0] - 8 - LINE * (len(above) - 1 - line), words, "mid soft")
        for line, words in enumerate(above)
    ]
    words += [
        _text(box.x, top + box.height + LINE * (line + 1), words, "mid name" if words != shape else "mid")
        for line, words in enumerate(below)
    ]
    if unit.kind == "continued":
        return [f'<circle class="data" cx="{box.x:g}" cy="{box.y:g}" r="3"/>']
    if unit.kind in SIGNS:
        circle = f'<circle class="join" cx="{box.x:g}" cy="{box.y:g}" r="9"/>'
        return [circle, _text(box.x, box.y + 4, unit.kind, "mid")]
    kind = _ROLES.get(graph[unit.nodes[0]].role, "join") if len(unit.nodes) == 1 else "fold" if unit.nodes else "data"
    return [
        f'<rect class="{kind}" x="{left + shift:g}" y="{top - shift:g}" width="{box.width:g}" '
        f'height="{box.height:g}" rx="1.5"/>'
        for shift in shifts
    ] + words


def _edge(row: Row, edge: Edge) -> str:
    source, target = row.boxes[edge.source], row.boxes[edge.target]
    x1, y1, x2, y2 = source.x + source.width / 2, source.y, target.x - target.width / 2, target.y
    turn = target.left - GAP
    if edge.level:
        return _arc(row, edge, x1, x2)
    if abs(y1 - y2) < 0.5:
        path = f"M{x1:.1f} {y1:.1f}H{x2:.1f}"
    else:
        end, middle = target.left - 2, target.left - GAP / 2
        path = (
            f"M{x1:.1f} {y1:.1f}H{max(x1, turn):.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {end:.1f} {y2:.1f}"
            f"H{max(x2, end):.1f}"
        )
    return f'<path class="edge" d="{path}" marker-end="url(#tip)"/>'


def _arc(row: Row, edge: Edge, x1: float, x2: float) -> str:
    """Returns a skip connection: up behind its source, over everything between, down in front of its target."""
    source, target = row.boxes[edge.source], row.boxes[edge.target]
    high, out, bend = row.top - ARC * edge.level, source.right + 5, 5.0
    up = f"H{out - bend:.1f}q{bend} 0 {bend} {-bend}V{high + bend:.1f}q0 {-bend} {bend} {-bend}"
    path = f"M{x1:.1f} {source.y:.1f}{up}"
    if target.unit.kind in SIGNS:
        path += f"H{target.x - bend:.1f}q{bend} 0 {bend} {bend}V{target.y - 9:.1f}"
    else:
        down = target.left - 7
        path += f"H{down - bend:.1f}q{bend} 0 {bend} {bend}V{target.y - bend:.1f}q0 {bend} {bend} {bend}H{x2:.1f}"
    return f'<path class="edge arc" d="{path}" marker-end="url(#tip)"/>'


def _legend(y: float, *, folded: bool) -> list[str]:
    parts, x = [], MARGIN
    for kind, words in _LEGEND if folded else _LEGEND[:-1]:
        parts.append(f'<rect class="{kind}" x="{x:g}" y="{y - 9:g}" width="11" height="11" rx="1.5"/>')
        parts.append(_text(x + 17, y, words, "soft"))
        x += 17 + LETTER * len(words) + 14
    said = "height: side of the maps, width: number of maps, both by square root, to the largest of the row; /2: stride"
    return [*parts, _text(MARGIN, y + 20, said, "soft")]


def _text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{text(words)}</text>'
