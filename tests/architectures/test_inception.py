"""The later inceptions against their papers' figures, and against other people's names."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from neocog.architectures import create, inception_resnet, record, xception
from neocog.core.errors import NetworkError
from neocog.core.layers import LayerRow, layer_table
from neocog.core.outputs import WithAuxiliary
from neocog.core.randomness import generator

# What follows each block, (maps, side), from the papers' tables and figures.
SCHEMES = {
    "bn_inception": {
        "inception3a": (256, 28), "inception3b": (320, 28), "inception3c": (576, 14), "inception4a": (576, 14),
        "inception4b": (576, 14), "inception4c": (608, 14), "inception4d": (608, 14), "inception4e": (1056, 7),
        "inception5a": (1024, 7), "inception5b": (1024, 7),
    },
    "inception_v3": {
        "mixed5b": (256, 35), "mixed5c": (288, 35), "mixed5d": (288, 35), "mixed6a": (768, 17), "mixed6b": (768, 17),
        "mixed6e": (768, 17), "mixed7a": (1280, 8), "mixed7b": (2048, 8), "mixed7c": (2048, 8),
    },
    "inception_v4": {
        "stem3a": (160, 73), "stem4a": (192, 71), "stem5a": (384, 35), "inception_a4": (384, 35),
        "reduction_a": (1024, 17), "inception_b7": (1024, 17), "reduction_b": (1536, 8), "inception_c3": (1536, 8),
    },
    "inception_resnet_v1": {
        "conv6": (256, 35), "blocks_a": (256, 35), "reduction_a": (896, 17), "blocks_b": (896, 17),
        "reduction_b": (1792, 8), "blocks_c": (1792, 8), "last_block": (1792, 8),
    },
    "inception_resnet_v2": {
        "pool2": (192, 35), "mixed5b": (320, 35), "blocks_a": (320, 35), "reduction_a": (1088, 17),
        "blocks_b": (1088, 17), "reduction_b": (2080, 8), "last_block": (2080, 8), "last": (1536, 8),
    },
    "xception": {
        "block1": (64, 147), "block2": (128, 74), "block3": (256, 37), "block4": (728, 19), "block12": (728, 19),
        "block13": (1024, 10), "block14": (2048, 10),
    },
}  # fmt: skip
AUXILIARY = ("inception_v3_aux",)
every_scheme = pytest.mark.parametrize("name", SCHEMES)


def on_paper(name: str, **options: object) -> nn.Module:
    """Returns the network with whatever memory holds for weights, to be run on no samples: shapes are computed."""
    with torch.device("meta"):
        network = create(name, **options)
    return network.to_empty(device="cpu")


def made_of(network: nn.Module, height: int, width: int | None = None) -> torch.Tensor:
    """Returns what the network makes of a picture, shapes alone."""
    with torch.no_grad():
        return network(torch.empty(0, 3, height, width or height))


@every_scheme
def test_maps_and_sizes_after_each_block(name):
    network = on_paper(name).eval()
    made: dict[str, tuple[int, ...]] = {}
    for key, child in network.named_children():
        child.register_forward_hook(lambda _, __, output, key=key: made.update({key: tuple(output.shape[1:])}))
    made_of(network, record(name).input[-1])
    assert {key: made[key] for key in SCHEMES[name]} == {
        key: (maps, side, side) for key, (maps, side) in SCHEMES[name].items()
    }


@pytest.mark.parametrize("name", ["inception_v3", "inception_v4", "inception_resnet_v2"])
def test_the_smallest_input_is_75_as_the_libraries_have_it(name):
    network = on_paper(name).eval()
    assert made_of(network, 75).shape == (0, 1000)
    with pytest.raises(RuntimeError, match=r"too small|greater than actual input size"):
        made_of(network, 75, 74)


@pytest.mark.parametrize(
    ("name", "options"), [("bn_inception", {}), ("xception", {}), ("xception", {"padding": "tensorflow"})]
)
def test_branches_and_shortcuts_meet_at_odd_sizes_too(name, options):
    network = on_paper(name, classes=4, **options).eval()
    for side in (33, 40, 197, 198, 199, 200):
        assert made_of(network, side).shape == (0, 4)


def test_padding_as_tensorflow_has_it():
    xceptions = [on_paper("xception", padding=padding) for padding in ("symmetric", "tensorflow")]
    assert [type(network.block2.body.pool).__name__ for network in xceptions] == ["MaxPool2d", "SameMaxPool2d"]
    for network, eps in zip(xceptions, (1e-5, 1e-3), strict=True):
        assert {module.eps for module in network.modules() if isinstance(module, nn.BatchNorm2d)} == {eps}
    for padding, counted in (("symmetric", True), ("tensorflow", False)):
        network = on_paper("inception_v3", padding=padding)
        pools = [module for module in network.modules() if isinstance(module, nn.AvgPool2d)]
        assert [module.count_include_pad for module in pools] == [counted] * 9
    for name in ("xception", "inception_v3"):
        with pytest.raises(NetworkError, match="padding should be one of symmetric, tensorflow; got 'same'"):
            on_paper(name, padding="same")


def convolutions(name: str) -> list[LayerRow]:
    return [row for row in layer_table(on_paper(name), record(name).input) if row.kind == "Conv2d"]


def test_inception_v3_has_94_convolutions_of_the_paper_s_kernels():
    rows = convolutions("inception_v3")
    assert len(rows) == 94
    count = {kernel: sum(row.kernel == kernel for row in rows) for kernel in ((1, 7), (7, 1), (1, 3), (3, 1), (5, 5))}
    assert count == {(1, 7): 13, (7, 1): 13, (1, 3): 4, (3, 1): 4, (5, 5): 3}
    assert max(max(row.kernel) for row in rows) == 7


def test_bn_inception_s_biases_are_the_oracle_s():
    network = on_paper("bn_inception")
    biases = sum(module.bias.numel() for module in network.modules() if isinstance(module, nn.Conv2d))
    assert biases == 10_016


def test_the_auxiliary_head_takes_every_size_that_the_network_takes():
    network = on_paper("inception_v3_aux", classes=9).train()
    for side in (75, 128, 299, 400):
        outputs = made_of(network, side)
        assert isinstance(outputs, WithAuxiliary)
        assert [each.shape for each in (outputs.logits, *outputs.auxiliary)] == [(0, 9)] * 2
        assert outputs.weight == 0.4


def test_the_auxiliary_head_of_inception_v3():
    rows = layer_table(on_paper("inception_v3_aux"), (3, 299, 299), auxiliary=True)
    head = [row for row in rows if row.name.startswith("aux1.")]
    assert sum(row.params for row in head) == 3_326_696
    shapes = [row.output_shape for row in head if row.params and row.kind != "BatchNorm2d"]
    assert (head[0].input_shape, head[0].output_shape) == ((768, 17, 17), (768, 5, 5))
    assert shapes == [(128, 5, 5), (768, 1, 1), (1000,)]
    order = [row.name.split(".")[0] for row in rows]
    assert order.index("mixed6e") < order.index("aux1") < order.index("mixed7a")


def test_residual_blocks_add_a_scaled_inception():
    block = inception_resnet.Residual(8, inception_resnet.A_V1, 0.17).eval()
    inputs = torch.randn(2, 8, 5, 5, generator=generator(0))
    with torch.inference_mode():
        residual = block.project(block.branches(inputs))
        assert torch.allclose(block(inputs), (inputs + 0.17 * residual).relu(), atol=1e-6)
        last = inception_resnet.Residual(8, inception_resnet.A_V1, 1.0, active=False).eval()
        assert (last(inputs) < 0).any()


def test_inception_resnets_end_with_an_unscaled_block():
    for name, repeats in (("inception_resnet_v1", (5, 10, 5)), ("inception_resnet_v2", (10, 20, 9))):
        network = on_paper(name)
        assert tuple(len(network.get_submodule(f"blocks_{stage}")) for stage in "abc") == repeats
        scales = [block.scale for block in network.modules() if isinstance(block, inception_resnet.Residual)]
        assert scales == [0.17] * repeats[0] + [0.1] * repeats[1] + [0.2] * repeats[2] + [1.0]


def test_xception_has_36_convolutions_in_14_modules():
    blocks = [key for key, _ in on_paper("xception").named_children() if key.startswith("block")]
    assert len(blocks) == 14  # section 4
    rows = convolutions("xception")
    assert len([row for row in rows if row.name.endswith(("pointwise", "conv1", "conv2"))]) == 36
    assert len([row for row in rows if row.name.endswith("skip.conv")]) == 4


def test_nothing_stands_between_the_two_parts_of_a_separable_convolution():
    layer = xception.separable(2, 3, nn.BatchNorm2d).eval()
    inputs = torch.randn(1, 2, 4, 4, generator=generator(0))
    with torch.inference_mode():
        depthwise = torch.cat(
            [functional.conv2d(inputs[:, i : i + 1], layer.depthwise.weight[i : i + 1], padding=1) for i in (0, 1)], 1
        )
        expected = torch.einsum("bchw,oc->bohw", depthwise, layer.pointwise.weight[:, :, 0, 0])
        assert torch.allclose(layer(inputs), layer.bn(expected), atol=1e-6)


TABLES = [(name, library) for name in (*SCHEMES, *AUXILIARY) for library in record(name).renames]


@pytest.mark.parametrize(("name", "library"), TABLES)
def test_rename_tables_name_every_layer_once(name, library):
    """Each table's right side is the network's layers with weights, none missing and none twice."""
    table = record(name).renames[library]
    network = on_paper(name)
    holders = [
        key for key, module in network.named_modules() if next(module.parameters(recurse=False), None) is not None
    ]
    if library == "keras":  # a separable convolution is one layer there
        holders = [key.removesuffix(".pointwise") for key in holders if not key.endswith(".depthwise")]
    assert sorted(table.values()) == sorted(holders)


def test_names_of_torchvision_and_keras_that_people_know():
    table = record("inception_v3_aux").renames["torchvision"]
    assert table["Mixed_7b.branch3x3dbl_3b.conv"] == "mixed7b.branch3.fork.right.conv"
    assert table["Mixed_6b.branch7x7dbl_5.bn"] == "mixed6b.branch3.conv5_bn"
    assert table["AuxLogits.conv1.conv"] == "aux1.conv2"
    keras = record("xception").renames["keras"]
    assert keras["block13_sepconv2_bn"] == "block13.body.sepconv2.bn"
    assert (keras["conv2d"], keras["conv2d_3"]) == ("block2.skip.conv", "block13.skip.conv")
    assert keras["batch_normalization_1"] == "block3.skip.bn"
    keras = record("inception_v3").renames["keras"]
    assert (keras["conv2d"], keras["batch_normalization_93"]) == ("conv1", "mixed7c.branch4.conv1_bn")
    keras = record("inception_resnet_v2").renames["keras"]
    assert (keras["block8_10_conv"], keras["block17_20_conv"]) == ("last_block.0.project", "blocks_b.19.project")
    assert keras["conv2d_202"] == "last_block.0.branches.branch2.conv3"
