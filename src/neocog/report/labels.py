"""Labels beside the points of a chart, so that none lies on another; a thin line leads to those further away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Frame = tuple[float, float, float, float]  # left, bottom, right, top

_ROUNDS = 8
_ANGLES = np.deg2rad([0, 180, 90, 270, 30, 330, 150, 210, 60, 300, 120, 240, 15, 345, 165, 195, 75, 105, 255, 285])
_DISTANCES = (1.0, 4.0, 10.0, 20.0, 34.0, 55.0, 80.0)
_LEADER_FROM = 5.0  # points between a label and its bubble's edge
_DOT = 2.5  # the radius of a bubble's middle, which no label hides
# What a point of area costs that a label shares with another label, a bubble, its own, the margin outside, a middle;
# and what it costs that a line to a label crosses another line, or runs through another label.
_LABEL, _BUBBLE, _OWN, _OUTSIDE, _MIDDLE = 40.0, 0.6, 0.1, 60.0, 8.0
_CROSSING, _THROUGH = 60.0, 90.0


@dataclass(frozen=True)
class Label:
    """The words for a point in data coordinates, the point's radius (in points) and the words' colour and size."""

    words: str
    x: float
    y: float
    radius: float
    colour: str
    size: float = 9.0


@dataclass(frozen=True)
class Scene:
    """What labels are placed in, all in one unit.

    ``centres`` (N, 2) and ``radii`` (N,) are the points, ``sizes`` (N, 2) their labels' widths and heights;
    ``obstacles`` (M, 4) are boxes that labels keep clear of, within ``frame``.
    """

    centres: Floats
    radii: Floats
    sizes: Floats
    frame: Frame
    obstacles: Floats


def freeze(figure: Any) -> None:
    """Lays the figure out for good, a pixel being a point, so that labels stay where they are put."""
    figure.set_dpi(72)
    measuring(figure)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def measuring(figure: Any) -> Any:
    """Returns what tells how large a figure's words and boxes are."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    return canvas.get_renderer()


def write_labels(axes: Axes, labels: Sequence[Label], *, obstacles: Sequence[Frame] = ()) -> None:
    """Writes the labels on axes with their final limits, in a figure that was frozen.

    ``obstacles`` are boxes in points within the figure that labels keep clear of.
    """
    if not labels:
        return
    frame = axes.get_window_extent()
    scene = Scene(
        centres=axes.transData.transform([(label.x, label.y) for label in labels]),
        radii=np.array([label.radius for label in labels]),
        sizes=_sizes(axes, labels),
        frame=(frame.x0, frame.y0, frame.x1, frame.y1),
        obstacles=np.array(obstacles, float).reshape(-1, 4),
    )
    for index, (label, offset) in enumerate(zip(labels, place(scene), strict=True)):
        _write(axes, label, offset, leader=_needs_leader(scene, index, offset))


def _sizes(axes: Axes, labels: Sequence[Label]) -> Floats:
    renderer = measuring(axes.figure)
    sizes = []
    for label in labels:
        trial = axes.text(0, 0, label.words, fontsize=label.size)
        sizes.append((trial.get_window_extent(renderer).width + 2, label.size * 1.15))
        trial.remove()
    return np.array(sizes, float)


def place(scene: Scene) -> Floats:
    """Returns (N, 2) where the middle of each label lies relative to its point.

    Each label in turn takes the cheapest of its places given the others', until none moves.
    """
    choices = [_choices(radius, size) for radius, size in zip(scene.radii, scene.sizes, strict=True)]
    chosen = np.full(len(choices), -1)
    middles = scene.centres.copy()
    for _ in range(_ROUNDS):
        before = chosen.copy()
        for index in _most_crowded_first(scene.centres):
            placed = (chosen >= 0) & (np.arange(len(choices)) != index)
            chosen[index] = np.argmin(_costs(scene, index, choices[index], middles, placed))
            middles[index] = scene.centres[index] + choices[index][0][chosen[index]]
        if np.array_equal(chosen, before):
            break
    return middles - scene.centres


def _most_crowded_first(centres: Floats) -> list[int]:
    """Returns the points in the order of the distance to their third neighbour."""
    apart = np.sort(np.hypot(*(centres[:, None] - centres[None]).transpose(2, 0, 1)), 1)
    order: list[int] = np.argsort(apart[:, min(3, len(centres) - 1)], kind="stable").tolist()
    return order


def _choices(radius: float, size: Floats) -> tuple[Floats, Floats]:
    """Returns (K, 2) places for the middle of a label around its point, and how little each is liked (K,)."""
    directions = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], 1)  # (A, 2)
    # The box lies outside the ring of each distance and touches it.
    rings = [directions * (radius + distance) + np.clip(1.6 * directions, -1, 1) * size / 2 for distance in _DISTANCES]
    liked = [10.0 * far + 0.35 * np.arange(len(_ANGLES)) for far in range(len(_DISTANCES))]
    if radius > size[0] / 2:  # a large bubble holds its own label
        rings.append(np.zeros((1, 2)))
        liked.append(np.zeros(1))
    return np.concatenate(rings), np.concatenate(liked)


def _boxes(middles: Floats, size: Floats) -> Floats:
    return np.concatenate([middles - size / 2, middles + size / 2], -1)


def _costs(scene: Scene, index: int, choice: tuple[Floats, Floats], middles: Floats, placed: Mask) -> Floats:
    """Returns what each of a label's places (K,) costs beside the labels that are ``placed`` (N,) at ``middles``."""
    size, centre = scene.sizes[index], scene.centres[index]
    boxes, others = _boxes(centre + choice[0], size), _boxes(middles, scene.sizes)[placed]  # (K, 4), (L, 4)
    inside = _shared(boxes, np.array([scene.frame]))[:, 0]
    weights = np.full(len(scene.centres), _BUBBLE)
    weights[index] = _OWN
    reach = 0.9 * scene.radii[:, None]  # a disc as a box, without the corners that it does not fill
    discs = np.concatenate([scene.centres - reach, scene.centres + reach], 1)
    ends = centre + choice[0]
    costs: Floats = (
        choice[1]
        + _OUTSIDE * (float(np.prod(size)) - inside)
        + (_shared(boxes, discs) * weights).sum(1)
        + _MIDDLE * _shared(boxes, np.concatenate([scene.centres - _DOT, scene.centres + _DOT], 1)).sum(1)
        + _LABEL * _shared(boxes, others).sum(1)
        + _LABEL * _shared(boxes, scene.obstacles).sum(1)
        + _THROUGH * _through(centre, ends, others).sum(1)
        + _CROSSING * _crossing(centre, ends, scene.centres[placed], middles[placed]).sum(1)
    )
    return costs


def _through(start: Floats, ends: Floats, boxes: Floats) -> Mask:
    """Returns (K, L) whether the line from ``start`` (2,) to each of ``ends`` (K, 2) runs through each box (L, 4)."""
    steps = np.linspace(0.0, 1.0, 9)[:, None, None]
    points = start + steps * (ends - start)  # (S, K, 2)
    low, high = points[:, :, None] > boxes[:, :2], points[:, :, None] < boxes[:, 2:]  # (S, K, L, 2)
    inside: Mask = np.any(np.all(np.logical_and(low, high), axis=3), axis=0)
    return inside


def _crossing(start: Floats, ends: Floats, starts: Floats, others: Floats) -> Mask:
    """Returns (K, L) whether lines from ``start`` (2,) to ``ends`` (K, 2) cross those from ``starts`` to ``others``."""

    def side(a: Floats, b: Floats, c: Floats) -> Floats:
        return np.sign((b - a)[..., 0] * (c - a)[..., 1] - (b - a)[..., 1] * (c - a)[..., 0])

    one, other = ends[:, None], others[None]
    apart: Floats = side(start, one, starts[None]) * side(start, one, other)
    over: Floats = side(starts[None], other, start) * side(starts[None], other, one)
    return np.logical_and(apart < 0, over < 0)


def _shared(boxes: Floats, others: Floats) -> Floats:
    """Returns (K, N) the area that each box shares with each other."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared: Floats = np.clip(high - low, 0, None).prod(2)
    return shared


def _needs_leader(scene: Scene, index: int, offset: Floats) -> bool:
    """Returns whether a label is away from its bubble, or nearer to the middle of another."""
    away = np.abs(scene.centres[index] + offset - scene.centres) - scene.sizes[index] / 2  # (N, 2)
    distances = np.hypot(*np.clip(away, 0, None).T)
    return bool(distances[index] > scene.radii[index] + _LEADER_FROM or distances.min() < distances[index])


def _write(axes: Axes, label: Label, offset: Floats, *, leader: bool) -> None:
    line = {"arrowstyle": "-", "color": label.colour, "lw": 0.6, "alpha": 0.8, "shrinkA": 0, "shrinkB": 0}
    axes.annotate(
        label.words,
        (label.x, label.y),
        xytext=(float(offset[0]), float(offset[1])),
        textcoords="offset points",
        ha="center",
        va="center_baseline",
        fontsize=label.size,
        color=label.colour,
        arrowprops=line if leader else None,
    )
