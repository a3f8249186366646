"""ShuffleNet v1 and v2: their tables, what a unit does to its maps, and torchvision's names."""

from __future__ import annotations

import pytest
import torch
from foreign_names import assert_names_every_layer
from torch import nn

from neocog.architectures import create, record, shufflenet_v1, shufflenet_v2
from neocog.core.layers import layer_table

V1 = (1, 2, 3, 4, 8)
V2 = ("x0_5", "x1_0", "x1_5", "x2_0")


def on_paper(name: str) -> nn.Module:
    with torch.device("meta"):
        return create(name)


@pytest.mark.parametrize("groups", V1)
def test_v1_by_the_arithmetic_of_its_table(groups: int) -> None:
    widths = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
    side, maps = 56, 24
    params, macs = 27 * 24 + 48, 27 * 24 * 112**2
    for stage, repeats in enumerate((4, 8, 4)):
        wide = widths[groups] * 2**stage
        for unit in range(repeats):
            narrow, made = wide // 4, wide - maps if unit == 0 else wide
            first = 1 if stage == unit == 0 else groups
            reduce, expand = maps * narrow // first, narrow * made // groups
            params += reduce + 2 * narrow + 9 * narrow + 2 * narrow + expand + 2 * made
            macs += reduce * side**2
            side = side // 2 if unit == 0 else side
            macs += (9 * narrow + expand) * side**2
            maps = wide
    entry = record(f"shufflenet_v1_g{groups}")
    assert (entry.params, entry.macs) == (params + maps * 1000 + 1000, macs + maps * 1000)


@pytest.mark.parametrize("name", [*(f"shufflenet_v1_g{groups}" for groups in V1), *(f"shufflenet_v2_{x}" for x in V2)])
def test_stages_halve_the_sides(name: str) -> None:
    made = {row.name.split(".")[0]: row.output_shape for row in layer_table(on_paper(name), (3, 224, 224))}
    assert [made[stage][1:] for stage in ("maxpool", "stage2", "stage3", "stage4")] == [
        (56, 56), (28, 28), (14, 14), (7, 7)
    ]  # fmt: skip
    assert made["stage4"][0] == 4 * made["stage2"][0]


def test_one_group_is_not_shuffled() -> None:
    shuffles = {groups: str(on_paper(f"shufflenet_v1_g{groups}")).count("ChannelShuffle(") for groups in V1}
    assert shuffles == {1: 0, 2: 16, 3: 16, 4: 16, 8: 16}


def test_half_of_the_maps_pass_a_unit_of_v2_and_lie_apart_behind_it() -> None:
    unit = shufflenet_v2.Unit(8).eval()
    inputs = torch.randn(2, 8, 5, 5)
    with torch.inference_mode():
        outputs = unit(inputs)
        assert torch.equal(outputs[:, 0::2], inputs[:, :4])
        assert torch.equal(outputs[:, 1::2], unit.right(inputs[:, 4:]))


def test_a_strided_unit_of_v1_keeps_the_pooled_input() -> None:
    unit = shufflenet_v1.StridedUnit(4, 16, groups=2, first_groups=1).eval()
    inputs = torch.rand(2, 4, 6, 6)
    with torch.inference_mode():
        outputs = unit(inputs)
    assert outputs.shape == (2, 16, 3, 3)
    assert torch.allclose(outputs[:, :4, 1, 1], inputs[:, :, 1:4, 1:4].mean((2, 3)))
    assert outputs.min() >= 0


@pytest.mark.parametrize("name", [f"shufflenet_v2_{x}" for x in V2])
def test_torchvisions_names(name: str) -> None:
    table = assert_names_every_layer(name, "torchvision")
    assert table["stage2.0.branch1.2"] == "stage2.0.left.pointwise"
    assert table["stage3.7.branch2.5"] == "stage3.7.right.pointwise2"


def test_the_receptive_field_is_known_through_the_branches() -> None:
    rows = layer_table(on_paper("shufflenet_v2_x1_0"), (3, 224, 224))
    # Stem and pool see 7 pixels, 4 apart; then each 3x3 adds two jumps: 4, 3 x 8, 8, 7 x 16, 16, 3 x 32.
    expected = 7 + 2 * (4 + 3 * 8 + 8 + 7 * 16 + 16 + 3 * 32)
    assert {row.name: row.receptive_field for row in rows}["conv5"] == (expected, expected)
