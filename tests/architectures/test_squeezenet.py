"""SqueezeNet: table 1's sizes and counts, and torchvision's names."""

from __future__ import annotations

import pytest
import torch
from foreign_names import assert_names_every_layer
from torch import nn

from neocog.architectures import create, record
from neocog.core.layers import layer_table


def rows_of(name: str, side: int) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        network = create(name)
    return {row.name.split(".")[0]: row.output_shape for row in layer_table(network, (3, side, side))}


def test_the_sizes_of_table_1() -> None:
    # Table 1 says 224, but its 111 behind a 7x7 kernel of stride 2 without padding needs the 227 of the authors' file.
    made = rows_of("squeezenet1_0", 227)
    assert [made[name] for name in ("conv1", "pool1", "pool4", "pool8")] == [
        (96, 111, 111), (96, 55, 55), (256, 27, 27), (512, 13, 13)
    ]  # fmt: skip
    assert [made[f"fire{number}"][1] for number in range(2, 10)] == [55, 55, 55, 27, 27, 27, 27, 13]
    assert made["head"] == (1000, 13, 13)


@pytest.mark.parametrize(
    ("name", "maps", "kernel", "sides"),
    [
        ("squeezenet1_0", 96, 7, (109, 54, 54, 54, 27, 27, 27, 27, 13, 13)),
        ("squeezenet1_1", 64, 3, (111, 55, 55, 27, 27, 13, 13, 13, 13, 13)),
    ],
)
def test_counts_by_the_arithmetic_of_the_table(name: str, maps: int, kernel: int, sides: tuple[int, ...]) -> None:
    params, macs = (3 * kernel**2 + 1) * maps, 3 * kernel**2 * maps * sides[0] ** 2
    for (squeeze, expand), side in zip(
        [(16, 64)] * 2 + [(32, 128)] * 2 + [(48, 192)] * 2 + [(64, 256)] * 2, sides[1:9], strict=True
    ):
        params += (maps + 1) * squeeze + (squeeze + 1) * expand + (9 * squeeze + 1) * expand
        macs += (maps * squeeze + 10 * squeeze * expand) * side**2
        maps = 2 * expand
    entry = record(name)
    assert (entry.params, entry.macs) == (params + 513 * 1000, macs + 512 * 1000 * sides[9] ** 2)


def test_dropout_is_half_and_an_option() -> None:
    for options, rate in (({}, 0.5), ({"dropout": 0.1}, 0.1)):
        network = create("squeezenet1_1", **options)
        assert [module.p for module in network.modules() if isinstance(module, nn.Dropout)] == [rate]


@pytest.mark.parametrize(("name", "index"), [("squeezenet1_0", 12), ("squeezenet1_1", 12)])
def test_torchvisions_names(name: str, index: int) -> None:
    table = assert_names_every_layer(name, "torchvision")
    assert table[f"features.{index}"] == "fire9"
    assert table["features.5" if name == "squeezenet1_0" else "features.6"] == "fire4"
