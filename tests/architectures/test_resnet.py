"""Residual networks: shortcuts by hand-set weights, strides where the names say, counts by the papers' arithmetic."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from neocog.architectures import create, record
from neocog.architectures.cifar_resnet import PaddedShortcut, option_a
from neocog.architectures.preact_resnet import PreActivationBottleneck, ZeroPaddedMaxPool
from neocog.architectures.wide_resnet import PreActivationBlock
from neocog.core.layers import layer_table
from neocog.core.randomness import generator, seed_everything
from neocog.nn.fold import folded
from neocog.nn.residual import BasicBlock, Bottleneck, projection


def on_paper(name: str) -> nn.Module:
    with torch.device("meta"):
        return create(name)


def silenced(block: nn.Module, norm: str) -> nn.Module:
    """Returns the block in evaluation mode, its residual function made zero by the last norm."""
    nn.init.zeros_(block.get_submodule(norm).weight)
    nn.init.zeros_(block.get_submodule(norm).bias)
    return block.eval()


def test_option_a_takes_every_second_pixel_and_adds_maps_of_zeros_behind():
    x = torch.arange(2 * 4 * 5.0).view(1, 2, 4, 5)
    y = option_a(2, 4, 2)(x)
    assert y.shape == (1, 4, 2, 3)
    assert y[0, 0].tolist() == [[0, 2, 4], [10, 12, 14]]
    assert y[0, 1].tolist() == [[20, 22, 24], [30, 32, 34]]
    assert not y[0, 2:].any()
    assert not list(PaddedShortcut(2, 4, 2).parameters())
    assert isinstance(option_a(4, 4, 1), nn.Identity)


@pytest.mark.parametrize(
    ("block", "norm"),
    [(BasicBlock(4, 4), "bn2"), (Bottleneck(4, 4, width=2), "bn3"), (Bottleneck(4, 4, width=2, groups=2), "bn3")],
)
def test_a_block_without_a_residual_is_the_relu_of_its_input(block, norm):
    x = torch.randn(2, 4, 5, 5, generator=generator(1))
    assert torch.equal(silenced(block, norm)(x), x.relu())


def test_a_projection_stands_where_the_shape_changes():
    assert isinstance(projection(4, 4, 1), nn.Identity)
    for changed in (projection(4, 8, 1), projection(4, 4, 2)):
        assert [type(layer) for layer in changed] == [nn.Conv2d, nn.BatchNorm2d]
    convolution = projection(2, 1, 2)[0]
    with torch.no_grad():
        convolution.weight.copy_(torch.tensor([10.0, 1.0]).view(1, 2, 1, 1))
    x = torch.arange(2 * 9.0).view(1, 2, 3, 3)
    assert convolution(x)[0, 0].tolist() == [[9, 31], [75, 97]]  # 10 x + (x + 9) at the corners


def test_v1_strides_on_the_first_convolution_and_v1_5_on_the_second():
    for early, strides in ((True, [2, 1, 1]), (False, [1, 2, 1])):
        block = Bottleneck(8, 16, 2, width=4, early=early)
        assert [layer.stride[0] for layer in (block.conv1, block.conv2, block.conv3)] == strides
        assert block.downsample[0].stride == (2, 2)
    # A v1 block sees every second pixel through its 1x1 convolution, so an odd pixel changes nothing; v1.5 sees all.
    x = torch.zeros(1, 2, 4, 4)
    x[..., 1, 1] = 1
    changed = []
    for early in (True, False):
        block = Bottleneck(2, 2, 2, width=2, early=early).eval()
        for convolution in (block.conv1, block.conv2, block.conv3):
            nn.init.ones_(convolution.weight)
        changed.append(not torch.equal(block(x), block(torch.zeros_like(x))))
    assert changed == [False, True]


@pytest.mark.parametrize(("name", "later"), [("resnet50", "resnet50_v1"), ("resnet101", "resnet101_v1")])
def test_the_strides_change_no_weight_but_the_multiply_accumulates(name, later):
    shapes = [{key: tensor.shape for key, tensor in on_paper(each).state_dict().items()} for each in (name, later)]
    assert shapes[0] == shapes[1]
    # Three 1x1 convolutions work on a quarter of the places: 256 x 128, 512 x 256 and 1024 x 512 weights.
    saved = sum(w * 3 * side**2 for w, side in ((256 * 128, 28), (512 * 256, 14), (1024 * 512, 7)))
    assert record(name).macs - record(later).macs == saved
    assert not record(later).renames  # torchvision's weights would fit and be wrong


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 110])
def test_cifar_networks_by_the_arithmetic_of_section_4_2(depth):
    blocks, maps, side = (depth - 2) // 6, 16, 32
    params, macs = 27 * 16 + 2 * 16, 27 * 16 * side**2
    for wide in (16, 32, 64):
        side = side if wide == maps else side // 2
        for block in range(blocks):
            weights = 9 * (maps if block == 0 else wide) * wide + 9 * wide * wide
            params, macs = params + weights + 4 * wide, macs + weights * side**2
        maps = wide
    entry = record(f"resnet{depth}")
    assert (entry.params, entry.macs) == (params + 650, macs + 640)
    layers = [row for row in layer_table(on_paper(f"resnet{depth}"), entry.input) if row.kind in ("Conv2d", "Linear")]
    assert len(layers) == depth


@pytest.mark.parametrize("depth", [20, 110])
def test_projections_cost_what_two_1x1_convolutions_and_norms_do(depth):
    plain, projecting = record(f"resnet{depth}"), record(f"resnet{depth}_cifar10")
    assert projecting.params - plain.params == 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64
    assert projecting.macs - plain.macs == 16 * 32 * 16**2 + 32 * 64 * 8**2


def test_wide_networks_have_as_many_layers_as_their_names_say():
    for name, depth in (("wrn28_10_cifar10", 28), ("wrn16_10_cifar10", 16), ("wrn40_8_cifar10", 40)):
        rows = layer_table(on_paper(name), record(name).input)
        weighted = [row for row in rows if row.kind in ("Conv2d", "Linear") and not row.name.endswith("shortcut")]
        # The paper counts the three shortcuts, not the head: 6 n + 4 convolutions.
        assert len(weighted) + 3 - 1 == depth


def test_dropout_of_wide_networks_lies_between_the_convolutions():
    assert [m.p for m in create("wrn16_10_cifar10", classes=2).modules() if isinstance(m, nn.Dropout)] == [0.0] * 6
    names = [name for name, _ in PreActivationBlock(4, 8, 2, dropout=0.3).named_children()]
    assert names == ["bn1", "relu1", "conv1", "bn2", "relu2", "dropout", "conv2", "shortcut"]
    block = PreActivationBlock(4, 4, 1, dropout=1.0).train()
    x = torch.randn(2, 4, 5, 5, generator=generator(1))
    assert torch.equal(block(x), x)  # all of the residual function is dropped, and nothing follows the addition


def test_pre_activation_projects_the_activated_input_and_passes_the_raw_one():
    x = torch.randn(2, 8, 6, 6, generator=generator(1))
    same = PreActivationBottleneck(8, 2, 2).eval()
    for convolution in (same.conv3,):
        nn.init.zeros_(convolution.weight)
        nn.init.zeros_(convolution.bias)
    assert torch.equal(same(x), x[..., ::2, ::2])
    other = PreActivationBottleneck(8, 4, 1).eval()
    nn.init.zeros_(other.conv3.weight)
    nn.init.zeros_(other.conv3.bias)
    active = (x / (1 + 1.001e-5) ** 0.5).relu()
    torch.testing.assert_close(other(x), other.shortcut(active))


def test_zeros_around_the_picture_take_part_in_kerass_pooling():
    y = ZeroPaddedMaxPool()(-torch.arange(1, 17.0).view(1, 1, 4, 4))
    assert y[0, 0].tolist() == [[0, 0], [0, -6]]
    assert y.shape == nn.MaxPool2d(3, 2, padding=1)(torch.zeros(1, 1, 4, 4)).shape


@pytest.mark.parametrize("name", ["resnet50_v2", "resnet152_v2"])
def test_every_weight_has_a_name_in_keras(name):
    ours = {key.rpartition(".")[0] for key in on_paper(name).state_dict()}
    names = record(name).renames["keras"]
    assert set(names.values()) == ours
    assert len(names) == len(ours)
    assert names["conv3_block1_0_conv"] == "layer2.0.shortcut"


@pytest.mark.parametrize(
    "block",
    [
        BasicBlock(4, 8, 2),
        Bottleneck(4, 8, 2, width=4, groups=2),
        PreActivationBlock(4, 8, 2, dropout=0.5),
        PreActivationBottleneck(8, 2, 2),
    ],
)
def test_folded_blocks_give_the_same_values_with_fewer_norms(block):
    seed_everything(1)
    block = copy.deepcopy(block)
    for module in block.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    x = torch.randn(2, next(block.parameters()).shape[1 if hasattr(block, "downsample") else 0], 6, 6)
    single = folded(block)
    torch.testing.assert_close(single(x), block.eval()(x), rtol=1e-4, atol=1e-5)
    norms = [sum(isinstance(module, nn.BatchNorm2d) for module in each.modules()) for each in (single, block)]
    assert norms[0] == norms[1] - len(block.folds) - hasattr(block, "downsample")
