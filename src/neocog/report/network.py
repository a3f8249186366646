"""The network: its table of layers, and the filters that its first layer learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neocog.report.markup import Column, Html, disclosure, join, name, number, paragraph, plural, table, text
from neocog.report.page import Section
from neocog.report.thumbnails import Pixels, exact_uri

OPEN_ROWS = 24
MOST_FILTERS = 128
MOST_MAPS = 16
MOST_PIXELS = 150_000


@dataclass(frozen=True)
class LayerRow:
    """One layer: ``output`` the shape of one sample; what a layer does not have is empty or None.

    ``kernel`` and ``stride`` are written as the layer has them (``"3x3"``, ``"2"``); ``macs`` a sample;
    ``receptive_field`` in input pixels.
    """

    layer: str
    kind: str
    output: Sequence[int]
    kernel: str = ""
    stride: str = ""
    params: int = 0
    macs: int | None = None
    receptive_field: str = ""


@dataclass(frozen=True)
class NetworkTable:
    """A network's layers in order; ``input`` the shape of one sample, ``params`` and ``macs`` the totals."""

    network: str
    input: Sequence[int]
    layers: Sequence[LayerRow]
    params: int
    macs: int | None


_COLUMNS = (
    Column("Layer"),
    Column("Kind"),
    Column("Output", True),
    Column("Kernel", True),
    Column("Stride", True),
    Column("Parameters", True),
    Column("MACs", True),
    Column("Sees", True),
)


def network_section(network: NetworkTable) -> Section:
    """Returns the table with its totals; more than 24 layers are folded away."""
    lead = (
        f"{network.network} on inputs of {_shape(network.input)}: {plural(network.params, 'parameter')}"
        f"{_in_macs(network.macs)}. A MAC is one multiplication with its addition; a unit of the layer sees so many "
        "pixels of the input (its receptive field)."
    )
    total = (Html("Total"), *(Html(""),) * 4, text(number(network.params)), _optional(network.macs), Html(""))
    shown = table(f"Layers of {network.network}", _COLUMNS, [_cells(row) for row in network.layers], footer=total)
    if len(network.layers) > OPEN_ROWS:
        shown = disclosure(f"All {len(network.layers):,} layers", shown)
    return Section("Network", join((paragraph(lead, class_="lead"), shown)))


def _cells(row: LayerRow) -> tuple[Html, ...]:
    return (
        Html(name(row.layer).replace(".", ".<wbr>")),  # long module names break at their dots
        text(row.kind),
        text(_shape(row.output)),
        text(row.kernel.replace("x", " × ")),
        text(row.stride),
        text(f"{row.params:,}") if row.params else Html(""),
        _optional(row.macs),
        text(row.receptive_field),
    )


def _optional(count: int | None) -> Html:
    return text(f"{count:,}") if count else Html("")


def _in_macs(macs: int | None) -> str:
    return f", {macs:,} MACs a sample" if macs else ""


def _shape(shape: Sequence[int]) -> str:
    return " × ".join(str(size) for size in shape)


def filters_section(layer: str, kernels: NDArray[Any]) -> Section:
    """Returns the filters of a layer as small pictures.

    ``kernels`` (K, C, h, w), or (K, C, w) for one dimension: in colour where C is 3, else a row of C gray maps each.
    """
    weights = np.asarray(kernels, np.float64)
    weights = weights[:, :, None] if weights.ndim == 3 else weights
    if weights.ndim != 4 or not weights.size:
        return Section("What the first layer learned", paragraph("The first layer has no filters to show."))
    pictures = filter_pictures(weights[: max(1, min(MOST_FILTERS, MOST_PIXELS // max(1, weights[0, :MOST_MAPS].size)))])
    images = join(
        Html(f'<img class="px" src="{exact_uri(picture)}" alt="filter {index}" {_displayed(picture)}>')
        for index, picture in enumerate(pictures)
    )
    lead = paragraph(_filters_said(layer, weights, len(pictures)), class_="lead")
    return Section("What the first layer learned", join((lead, Html(f'<div class="filters">{images}</div>'))))


def filter_pictures(weights: NDArray[np.float64]) -> list[Pixels]:
    """Returns one uint8 picture a filter, zero as middle gray, on one scale for the whole set.

    ``weights`` (K, C, h, w); a picture is (h, w, 3) where C is 3, else (h, C * w + C - 1) with white between the maps.
    """
    known = np.nan_to_num(weights, nan=0.0, posinf=0.0, neginf=0.0)
    largest = float(np.abs(known).max()) or 1.0
    pixels = np.round(127.5 + 127.5 * known / largest).astype(np.uint8)  # (K, C, h, w)
    if weights.shape[1] == 3:
        return list(pixels.transpose(0, 2, 3, 1))  # K times (h, w, 3)
    return [_side_by_side(maps) for maps in pixels[:, :MOST_MAPS]]


def _side_by_side(maps: Pixels) -> Pixels:
    channels, height, width = maps.shape
    row = np.full((height, channels * (width + 1) - 1), 255, np.uint8)
    for channel in range(channels):
        start = channel * (width + 1)
        row[:, start : start + width] = maps[channel]
    return row


def _displayed(picture: Pixels) -> str:
    height, width = picture.shape[:2]
    scale = max(1, round(48 / max(height, 1))) if height > 1 else 10
    scale = min(scale, max(1, 320 // width))
    return f'width="{width * scale}" height="{height * scale}"'


def _filters_said(layer: str, weights: NDArray[np.float64], shown: int) -> str:
    count, channels, height, width = weights.shape
    which = f"The {count:,}" if shown == count else f"The first {shown} of {count:,}"
    maps = "in colour (red, green, blue weights)" if channels == 3 else "light for positive, dark for negative weights"
    cut = f", the first {MOST_MAPS} of {channels:,} input maps side by side" if channels > MOST_MAPS else ""
    word = "filter" if count == 1 else "filters"
    return f"{which} {word} of {layer}, {height} × {width}, {maps}; middle gray is zero{cut}."
