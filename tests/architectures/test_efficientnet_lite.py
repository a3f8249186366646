"""EfficientNet-Lite 0 to 4: the scaling of the table, the ways of padding, and timm's names."""

from __future__ import annotations

import pytest
import torch
from foreign_names import assert_names_every_layer
from torch import nn

from neocog.architectures import create, record
from neocog.nn.conv import SameConv2d

NAMES = tuple(f"efficientnet_lite{scale}" for scale in range(5))


def on_paper(name: str, **options: object) -> nn.Module:
    with torch.device("meta"):
        return create(name, **options)


@pytest.mark.parametrize(
    ("name", "repeats", "widths"),
    [
        ("efficientnet_lite0", (1, 2, 2, 3, 3, 4, 1), (16, 24, 40, 80, 112, 192, 320)),
        ("efficientnet_lite1", (1, 3, 3, 4, 4, 5, 1), (16, 24, 40, 80, 112, 192, 320)),
        ("efficientnet_lite2", (1, 3, 3, 4, 4, 5, 1), (16, 24, 48, 88, 120, 208, 352)),
        ("efficientnet_lite3", (1, 3, 3, 5, 5, 6, 1), (24, 32, 48, 96, 136, 232, 384)),
        ("efficientnet_lite4", (1, 4, 4, 6, 6, 8, 1), (24, 32, 56, 112, 160, 272, 448)),
    ],
)
def test_stages_at_every_scale(name: str, repeats: tuple[int, ...], widths: tuple[int, ...]) -> None:
    network = on_paper(name)
    stages = [network.get_submodule(f"stage{number}") for number in range(2, 9)]
    assert tuple(len(stage) for stage in stages) == repeats
    assert tuple(stage[-1].body.project.out_channels for stage in stages) == widths
    assert (network.stem.out_channels, network.last.out_channels) == (32, 1280)


@pytest.mark.parametrize(
    ("name", "size", "rate"),
    [(NAMES[0], 224, 0.2), (NAMES[1], 240, 0.2), (NAMES[2], 260, 0.3), (NAMES[3], 280, 0.3), (NAMES[4], 300, 0.3)],
)
def test_sizes_and_dropout(name: str, size: int, rate: float) -> None:
    assert record(name).input == (3, size, size)
    assert [module.p for module in on_paper(name).modules() if isinstance(module, nn.Dropout)] == [rate]


@pytest.mark.parametrize("name", NAMES)
def test_timms_names(name: str) -> None:
    table = assert_names_every_layer(name, "timm")
    assert table["blocks.0.0.conv_pw"] == "stage2.0.body.project"
    assert table["blocks.6.0.conv_pw"] == "stage8.0.body.expand"
    assert record(f"tf_{name}").name == name


def test_the_other_padding_is_an_option() -> None:
    strided = [m for m in on_paper("efficientnet_lite1").modules() if isinstance(m, SameConv2d)]
    assert len(strided) == 5
    other = on_paper("efficientnet_lite1", padding="symmetric")
    assert not any(isinstance(module, SameConv2d) for module in other.modules())
    assert set(other.state_dict()) == set(on_paper("efficientnet_lite1").state_dict())
