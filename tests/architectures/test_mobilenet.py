"""MobileNet v1 and v2: widths, padding by framework, and other libraries' names."""

from __future__ import annotations

import pytest
import torch
from foreign_names import assert_names_every_layer
from torch import nn

from neocog.architectures import create, record
from neocog.core.errors import NetworkError
from neocog.core.layers import layer_table
from neocog.nn.conv import SameConv2d

V1 = ("mobilenet_v1", "mobilenet_v1_075", "mobilenet_v1_050", "mobilenet_v1_025")
V2 = ("mobilenet_v2", "mobilenet_v2_050", "mobilenet_v2_140")


def on_paper(name: str, **options: object) -> nn.Module:
    with torch.device("meta"):
        return create(name, **options)


@pytest.mark.parametrize(
    ("name", "alpha"), [("mobilenet_v1", 1.0), ("mobilenet_v1_075", 0.75), ("mobilenet_v1_025", 0.25)]
)
def test_v1_by_the_arithmetic_of_its_table(name: str, alpha: float) -> None:
    table = [(1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), *[(1, 512)] * 5, (2, 1024), (1, 1024)]
    side, maps = 112, int(32 * alpha)
    params, macs = 27 * maps + 2 * maps, 27 * maps * side**2
    for stride, outputs in table:
        side, wide = side // stride, int(outputs * alpha)
        params += 9 * maps + 2 * maps + maps * wide + 2 * wide
        macs += (9 * maps + maps * wide) * side**2
        maps = wide
    entry = record(name)
    assert (entry.params, entry.macs) == (params + maps * 1000 + 1000, macs + maps * 1000)


def test_v1_halves_five_times_and_ends_at_seven() -> None:
    rows = {row.name: row for row in layer_table(on_paper("mobilenet_v1"), (3, 224, 224))}
    assert [rows[f"block{number}.pointwise"].output_shape[-1] for number in range(1, 14)] == [
        112, 56, 56, 28, 28, 14, 14, 14, 14, 14, 14, 7, 7
    ]  # fmt: skip
    assert rows["block13.pointwise"].output_shape == (1024, 7, 7)
    assert rows["block13.depthwise"].stride == (1, 1)


@pytest.mark.parametrize(("name", "stem", "last"), [("mobilenet_v2_050", 16, 1280), ("mobilenet_v2_140", 48, 1792)])
def test_v2_narrows_its_stem_but_not_its_last_layer(name: str, stem: int, last: int) -> None:
    network = on_paper(name)
    assert (network.stem.out_channels, network.last.out_channels) == (stem, last)


@pytest.mark.parametrize("name", [*V1, *V2])
def test_tensorflows_padding_and_norms(name: str) -> None:
    network = on_paper(name, padding="tensorflow")
    strided = [module for module in network.modules() if getattr(module, "stride", None) == (2, 2)]
    assert len(strided) == 5
    assert all(isinstance(module, SameConv2d) for module in strided)
    assert {module.eps for module in network.modules() if isinstance(module, nn.BatchNorm2d)} == {1e-3}
    assert not any(isinstance(module, SameConv2d) for module in on_paper(name).modules())
    assert set(network.state_dict()) == set(on_paper(name).state_dict())
    with pytest.raises(NetworkError, match="padding should be one of"):
        create(name, padding="same")


@pytest.mark.parametrize("name", [*V1, *V2])
def test_timms_and_kerass_names(name: str) -> None:
    version = 2 if name in V2 else 1
    theirs, keras = (assert_names_every_layer(name, library) for library in ("timm", "keras"))
    assert theirs["conv_stem"] == keras["conv1" if version == 1 else "Conv1"] == "stem"
    if version == 1:
        assert theirs["blocks.3.5.conv_pw"] == keras["conv_pw_11"] == "block11.pointwise"
        assert theirs["blocks.4.0.bn1"] == keras["conv_dw_12_bn"] == "block12.depthwise_bn"
    else:
        torchvision = assert_names_every_layer(name, "torchvision")
        assert theirs["blocks.0.0.conv_pw"] == keras["expanded_conv_project"] == "stage1.0.body.project"
        assert torchvision["features.1.conv.1"] == "stage1.0.body.project"
        assert theirs["blocks.5.2.conv_pwl"] == keras["block_15_project"] == "stage6.2.body.project"
        assert torchvision["features.16.conv.2"] == "stage6.2.body.project"


def test_timms_names_of_the_networks() -> None:
    assert record("mobilenetv1_100").name == "mobilenet_v1"
    assert [record(f"mobilenetv2_{width}").name for width in ("050", "100", "140")] == [V2[1], V2[0], V2[2]]
