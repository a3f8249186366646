"""Squeeze-and-excitation: a gate by hand-set weights, and the structure of the authors' models."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from neocog.architectures import create, record
from neocog.core.layers import layer_table
from neocog.core.randomness import generator
from neocog.nn.residual import Bottleneck
from neocog.nn.squeeze import SqueezeExcitation


def on_paper(name: str, **options: object) -> nn.Module:
    with torch.device("meta"):
        return create(name, **options)


def test_a_gate_weighs_each_map_by_what_all_averages_say():
    gate = SqueezeExcitation(2, reduction=2)
    with torch.no_grad():
        gate.fc1.weight.copy_(torch.tensor([1.0, 2.0]).view(1, 2, 1, 1))
        gate.fc1.bias.fill_(-3)
        gate.fc2.weight.copy_(torch.tensor([1.0, -1.0]).view(2, 1, 1, 1))
        gate.fc2.bias.copy_(torch.tensor([0.0, 1.0]))
    x = torch.tensor([[[1.0, 3.0]], [[0.0, 4.0]]])[None]  # averages 2 and 2: one unit of 2 + 4 - 3 = 3
    first, second = 1 / (1 + math.exp(-3)), 1 / (1 + math.exp(2))
    expected = torch.tensor([[[first, 3 * first]], [[0.0, 4 * second]]])[None]
    torch.testing.assert_close(gate(x), expected)
    unit_off = torch.tensor([[[-1.0, 1.0]], [[0.0, 2.0]]])[None]  # 0 + 2 - 3 < 0: the biases alone decide
    expected = torch.tensor([[[-0.5, 0.5]], [[0.0, 2 / (1 + math.exp(-1))]]])[None]
    torch.testing.assert_close(gate(unit_off), expected)


def test_the_gate_is_on_the_residual_and_not_on_the_shortcut():
    block = Bottleneck(4, 4, width=2, gate=lambda maps: SqueezeExcitation(maps, 2)).eval()
    nn.init.zeros_(block.gate.fc2.weight)
    nn.init.constant_(block.gate.fc2.bias, -1e4)  # a gate that is shut
    x = torch.randn(2, 4, 5, 5, generator=generator(1))
    assert torch.equal(block(x), x.relu())


@pytest.mark.parametrize(("name", "plain"), [("se_resnet50", "resnet50_v1"), ("se_resnext50_32x4d", "resnext50_32x4d")])
def test_gates_are_all_that_is_added(name, plain):
    widths = [(256, 3), (512, 4), (1024, 6), (2048, 3)]
    weights = sum(blocks * (2 * maps * maps // 16) for maps, blocks in widths)
    biases = sum(blocks * (maps + maps // 16) for maps, blocks in widths)
    assert record(name).params - record(plain).params == weights + biases
    # SE-ResNeXt's multiply-accumulates, like SE-ResNet's, grow by the gates' weights alone.
    assert record(name).macs - record(plain).macs == weights


def test_shallow_ports_rectify_before_they_squeeze():
    block = create("se_resnet18", classes=2).get_submodule("layer1.0")
    assert [key for key, _ in block.gate.named_children()] == ["relu", "squeeze"]


def test_senet154_is_as_its_authors_have_it():
    network = on_paper("senet154")
    assert network.dropout.p == 0.2
    assert [network.get_submodule(f"conv{number}").stride for number in (1, 2, 3)] == [(2, 2), (1, 1), (1, 1)]
    kernels = [network.get_submodule(f"layer{stage}.0.downsample.0").kernel_size[0] for stage in (1, 2, 3, 4)]
    assert kernels == [1, 3, 3, 3]
    block = network.get_submodule("layer2.1")
    assert (block.conv1.out_channels, block.conv2.out_channels, block.conv2.groups) == (256, 512, 64)
    assert on_paper("senet154", dropout=0.5).dropout.p == 0.5


def test_pooling_rounds_up_without_padding():
    rows = {row.name: row for row in layer_table(on_paper("se_resnet50"), (3, 224, 224))}
    assert rows["maxpool"].padding == (0, 0)
    assert rows["maxpool"].output_shape == (64, 56, 56)  # 55 if it rounded down


@pytest.mark.parametrize("name", ["se_resnet18", "se_resnet50", "se_resnext50_32x4d", "senet154"])
def test_every_gate_and_the_stem_are_renamed(name):
    names = record(name).renames["timm"]
    modules = dict(on_paper(name).named_modules())
    gates = {key for key, module in modules.items() if isinstance(module, SqueezeExcitation)}
    assert {ours for theirs, ours in names.items() if theirs.endswith("se_module")} == gates
    assert names["layer0.conv1"] == "conv1"
    assert names["last_linear"] == "head"
