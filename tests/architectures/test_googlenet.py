"""GoogLeNet against its paper's table 1, row by row; PoseNet on top of it; auxiliary heads and their losses."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from neocog.architectures import create, record
from neocog.core.layers import LayerRow, count_macs, count_parameters, layer_table
from neocog.core.outputs import WithAuxiliary
from neocog.core.randomness import generator, seed_everything
from neocog.core.task import Batch
from neocog.nn.googlenet import TABLE_1
from neocog.tasks.classification import ClassificationLoss, network_loss

# Of each row of table 1: maps, height and width, weights without biases, biases, multiply-accumulates.
ROWS = {
    "conv1": (64, 112, 9_408, 64, 118_013_952),
    "conv2": (192, 56, 114_688, 256, 359_661_568),
    "inception3a": (256, 28, 163_328, 368, 128_049_152),
    "inception3b": (480, 28, 388_096, 640, 304_267_264),
    "inception4a": (512, 14, 375_552, 624, 73_608_192),
    "inception4b": (512, 14, 448_512, 648, 87_908_352),
    "inception4c": (512, 14, 509_440, 664, 99_850_240),
    "inception4d": (528, 14, 604_672, 704, 118_515_712),
    "inception4e": (832, 14, 867_328, 1_024, 169_996_288),
    "inception5a": (832, 7, 1_042_432, 1_024, 51_079_168),
    "inception5b": (1024, 7, 1_442_816, 1_264, 70_697_984),
    "head": (1000, None, 1_024_000, 1_000, 1_024_000),
}


def on_paper(name: str, **options: object) -> nn.Module:
    """Returns the network with whatever memory holds for weights, to be run on no samples: shapes are computed."""
    with torch.device("meta"):
        network = create(name, **options)
    return network.to_empty(device="cpu")


def of(rows: list[LayerRow], part: str) -> list[LayerRow]:
    """Returns the layers of a row of the table; conv2 is a 1x1 and a 3x3."""
    return [row for row in rows if row.name.split(".")[0] in (part, f"{part}_reduce", f"{part}_depthwise")]


@pytest.fixture(scope="module")
def rows() -> list[LayerRow]:
    return layer_table(on_paper("googlenet"), (3, 224, 224))


@pytest.mark.parametrize("part", ROWS)
def test_each_row_of_table_1(part, rows):
    maps, side, weights, biases, macs = ROWS[part]
    layers = of(rows, part)
    assert sum(layer.params for layer in layers) == weights + biases
    assert sum(layer.macs for layer in layers) == macs
    outputs = [layer for layer in layers if layer.name.endswith((".conv1", ".conv2")) or "." not in layer.name]
    last = outputs[-1].output_shape
    assert last[1:] == ((side, side) if side else ())
    if part.startswith("inception"):
        row = next(row for row in TABLE_1 if part.endswith(row.name))
        assert row.conv1 + row.conv3 + row.conv5 + row.project == maps
    else:
        assert last[0] == maps


def test_the_table_is_all_there_is():
    assert sum(weights + biases for _, _, weights, biases, _ in ROWS.values()) == record("googlenet").params
    assert sum(macs for *_, macs in ROWS.values()) == record("googlenet").macs


def test_the_maps_that_follow_each_inception(rows):
    given = {row.name: row.input_shape[0] for row in rows if row.name.endswith("branch1.conv1")}
    head = next(row for row in rows if row.name == "head")
    assert [*given.values(), head.input_shape[0]] == [192, 256, 480, 512, 512, 512, 528, 832, 832, 1024]


def test_pools_round_up(rows):
    pools = [row for row in rows if row.name.startswith("pool")]
    assert [row.input_shape[1] for row in pools] == [112, 56, 28, 14]
    assert [row.output_shape[1] for row in pools] == [56, 28, 14, 7]


def test_the_fives_are_fives(rows):
    kernels = [row.kernel for row in rows if row.name.endswith("branch3.conv2")]
    assert kernels == [(5, 5)] * 9
    ported = layer_table(on_paper("googlenet_torchvision"), (3, 224, 224))
    assert [row.kernel for row in ported if row.name.endswith("branch3.conv2")] == [(3, 3)] * 9


def test_the_separable_stem_has_the_weights_that_the_table_prints():
    network = on_paper("googlenet", separable_stem=True)
    rows = layer_table(network, (3, 224, 224))
    stem = of(rows, "conv1")
    assert sum(row.params for row in stem) - 64 == 7 * 7 * 3 * 8 + 24 * 64 == 2_712  # "2.7K"
    assert sum(row.macs for row in stem) == 2_712 * 112**2 == 34_019_328  # "34M"
    assert stem[-1].output_shape == (64, 112, 112)
    assert round(sum(row.macs for row in rows) / 1e6, 1) == 1_498.7
    assert count_parameters(network) == record("googlenet").params - 9_408 + 2_712
    assert on_paper("googlenet", separable_stem=True, channels=1).conv1_depthwise.weight.shape == (8, 1, 7, 7)
    assert count_parameters(on_paper("googlenet_aux", separable_stem=True)) == 13_378_280 - 9_408 + 2_712


def test_auxiliary_heads_by_the_paper():
    rows = layer_table(on_paper("googlenet_aux"), (3, 224, 224), auxiliary=True)
    for name, maps, params in (("aux1", 512, 3_188_840), ("aux2", 528, 3_190_888)):
        head = of(rows, name)
        assert head[0].input_shape == (maps, 14, 14)
        assert head[0].output_shape == (maps, 4, 4)
        assert sum(row.params for row in head) == params
    order = [row.name.split(".")[0] for row in rows]
    assert order.index("inception4a") < order.index("aux1") < order.index("inception4b")
    assert order.index("inception4d") < order.index("aux2") < order.index("inception4e")
    without = layer_table(on_paper("googlenet_aux"), (3, 224, 224))
    assert not [row.name for row in without if row.name.startswith("aux")]


@pytest.mark.parametrize("name", ["googlenet_aux", "googlenet_torchvision_aux", "posenet_aux"])
def test_auxiliary_heads_take_every_size(name):
    network = on_paper(name, classes=9)
    for side in (32, 100, 224, 301):
        inputs = torch.empty(0, 3, side, side)
        with torch.no_grad():
            outputs = network.train()(inputs)
            assert network.eval()(inputs).shape == (0, 9)
        assert isinstance(outputs, WithAuxiliary)
        assert [each.shape for each in (outputs.logits, *outputs.auxiliary)] == [(0, 9)] * 3
        assert outputs.weight == 0.3


def test_auxiliary_losses_count_three_tenths():
    seed_everything(0)
    network = create("googlenet_aux", classes=5, dropout=0.0)
    inputs = torch.randn(4, 3, 32, 32, generator=generator(0))
    targets = torch.tensor([0, 1, 2, 3])
    outputs = network(inputs)
    losses = [functional.cross_entropy(each, targets) for each in (outputs.logits, *outputs.auxiliary)]
    total = network_loss(ClassificationLoss(), network, Batch(inputs, targets, torch.arange(4)))
    assert torch.allclose(total, losses[0] + 0.3 * (losses[1] + losses[2]))
    network.eval()
    alone = network_loss(ClassificationLoss(), network, Batch(inputs, targets, torch.arange(4)))
    assert torch.allclose(alone, losses[0], atol=1e-5)


def test_auxiliary_losses_reach_the_layers_below_their_heads_only():
    seed_everything(0)
    network = create("googlenet_torchvision_aux", classes=3, dropout=0.0)
    outputs = network(torch.randn(4, 3, 64, 64, generator=generator(0)))
    outputs.auxiliary[0].square().sum().backward()
    reached = {key for key, child in network.named_children() if any(w.grad is not None for w in child.parameters())}
    assert {"conv1", "conv2", "inception4a", "aux1"} <= reached
    assert not reached & {"inception4b", "inception4d", "aux2", "head"}


def test_one_dropout_rate_for_all_heads_and_the_published_ones():
    def rates(network):
        return [module.p for module in network.modules() if isinstance(module, nn.Dropout)]

    assert rates(on_paper("googlenet_aux")) == [0.7, 0.7, 0.4]
    assert rates(on_paper("posenet_aux")) == [0.7, 0.7, 0.5]
    assert rates(on_paper("googlenet_torchvision_aux")) == [0.7, 0.7, 0.2]
    assert rates(on_paper("googlenet_aux", dropout=0.1)) == [0.1] * 3


def test_local_response_norms_stand_where_the_paper_has_them():
    names = [key for key, _ in on_paper("googlenet").named_children()]
    assert names[:10] == [
        *("conv1", "conv1_relu", "pool1", "norm1"),
        *("conv2_reduce", "conv2_reduce_relu", "conv2", "conv2_relu", "norm2", "pool2"),
    ]
    assert not any(isinstance(module, nn.BatchNorm2d) for module in on_paper("googlenet").modules())


def test_posenet_is_googlenet_with_a_pose_for_classes():
    network = on_paper("posenet")
    trunk = count_parameters(on_paper("googlenet")) - 1_025_000
    assert count_parameters(network) == trunk + 1024 * 2048 + 2048 + 2048 * 3 + 3 + 2048 * 4 + 4
    assert count_macs(network, (3, 224, 224)) == record("googlenet").macs - 1_024_000 + 2048 * (1024 + 7)
    assert network.eval()(torch.empty(0, 3, 224, 224)).shape == (0, 7)
    assert record("posenet").task == record("posenet_aux").task == "pose regression"


def test_posenet_starts_with_wide_coordinates_and_a_narrow_quaternion():
    seed_everything(0)
    head = create("posenet").head.weight
    assert head[:3].std().item() == pytest.approx(0.5, rel=0.05)
    assert head[3:].std().item() == pytest.approx(0.01, rel=0.05)
