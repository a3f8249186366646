"""Inception-ResNet v1 and v2 (Szegedy, Ioffe, Vanhoucke, Alemi 2016, arXiv:1602.07261). Figures 7 and 10 to 20.

The repetitions are those of TensorFlow's slim (v2) and of FaceNet's ports (v1), in which known weights were trained.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from neocog.core.registry import Errors, network
from neocog.nn.branch_names import chain_conv_names, conv_names, indexed_names, keras_names, with_norms
from neocog.nn.branches import Branch, Branches, Conv, branch_outputs, chain, conv_bn_relu, named, outputs_of
from neocog.nn.slim_init import he_fan_in

DROPOUT = 0.2
EMBEDDING, LAST = 512, 1536

Table = tuple[Branch, ...]

average = partial(nn.AvgPool2d, 3, 1, padding=1, count_include_pad=False)
maximum = partial(nn.MaxPool2d, 3, 2)


class Residual(nn.Module):
    """An inception whose maps, brought back to the input's number by 1x1, are scaled and added to the input.

    The scale keeps wide networks from dying early in training (section 3.3). ``active`` is whether a ReLU follows.
    """

    def __init__(self, maps: int, branches: Table, scale: float, *, active: bool = True) -> None:
        super().__init__()
        self.branches = Branches(maps, branches, conv_bn_relu)
        self.project = nn.Conv2d(outputs_of(maps, branches), maps, 1)
        self.relu = nn.ReLU() if active else nn.Identity()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:  # (B, maps, H, W)
        """Returns a tensor of x's shape."""
        residual = self.project(self.branches(x))  # (B, maps, H, W)
        return self.relu(torch.add(x, residual, alpha=self.scale))  # type: ignore[no-any-return]


class Blocks(NamedTuple):
    """Residual blocks: their branches, their scale, how many of them, and whether a ReLU follows each."""

    branches: Table
    scale: float
    repeats: int
    active: bool = True


Scheme = Mapping[str, Table | Blocks]

# Figure 14, which v2 has too in slim, but for its last convolution.
STEM: Branch = (
    Conv(32, 3, 2, valid=True),  # (B, 32, 149, 149)
    Conv(32, 3, valid=True),  # (B, 32, 147, 147)
    Conv(64, 3),  # (B, 64, 147, 147)
    maximum,  # (B, 64, 73, 73)
    Conv(80),  # (B, 80, 73, 73)
    Conv(192, 3, valid=True),  # (B, 192, 71, 71)
)
STEM_V1: Branch = (*STEM, Conv(256, 3, 2, valid=True))  # (B, 256, 35, 35)
STEM_V2: Branch = (*STEM, maximum)  # (B, 192, 35, 35)


def _reduction_a(k: int, l: int, m: int, n: int) -> Table:
    """Figure 7; the letters are table 1's."""
    return (Conv(n, 3, 2, valid=True),), (Conv(k), Conv(l, 3), Conv(m, 3, 2, valid=True)), (maximum,)


def _reduction_b(second: int, third: int, last: int) -> Table:
    """Figures 12 and 18: maps of the second branch's 3x3, and of the third's two."""
    return (
        (Conv(256), Conv(384, 3, 2, valid=True)),
        (Conv(256), Conv(second, 3, 2, valid=True)),
        (Conv(256), Conv(third, 3), Conv(last, 3, 2, valid=True)),
        (maximum,),
    )


A_V1: Table = ((Conv(32),), (Conv(32), Conv(32, 3)), (Conv(32), Conv(32, 3), Conv(32, 3)))  # figure 10
B_V1: Table = ((Conv(128),), (Conv(128), Conv(128, (1, 7)), Conv(128, (7, 1))))  # figure 11
C_V1: Table = ((Conv(192),), (Conv(192), Conv(192, (1, 3)), Conv(192, (3, 1))))  # figure 13
A_V2: Table = ((Conv(32),), (Conv(32), Conv(32, 3)), (Conv(32), Conv(48, 3), Conv(64, 3)))  # figure 16
B_V2: Table = ((Conv(192),), (Conv(128), Conv(160, (1, 7)), Conv(192, (7, 1))))  # figure 17
C_V2: Table = ((Conv(192),), (Conv(192), Conv(224, (1, 3)), Conv(256, (3, 1))))  # figure 19
# In slim it stands where the paper's v2 has the stem of Inception-v4.
MIXED_5B: Table = (
    (Conv(96),),
    (Conv(48), Conv(64, 5)),
    (Conv(64), Conv(96, 3), Conv(96, 3)),
    (average, Conv(64)),
)

# Figure 15, with the ports' repetitions and a last block that is neither scaled nor followed by a ReLU.
SCHEME_V1: Scheme = {
    "blocks_a": Blocks(A_V1, 0.17, 5),  # (B, 256, 35, 35)
    "reduction_a": _reduction_a(192, 192, 256, 384),  # (B, 896, 17, 17)
    "blocks_b": Blocks(B_V1, 0.1, 10),  # (B, 896, 17, 17)
    "reduction_b": _reduction_b(256, 256, 256),  # (B, 1792, 8, 8)
    "blocks_c": Blocks(C_V1, 0.2, 5),  # (B, 1792, 8, 8)
    "last_block": Blocks(C_V1, 1.0, 1, active=False),  # (B, 1792, 8, 8)
}
SCHEME_V2: Scheme = {
    "mixed5b": MIXED_5B,  # (B, 320, 35, 35)
    "blocks_a": Blocks(A_V2, 0.17, 10),  # (B, 320, 35, 35)
    "reduction_a": _reduction_a(256, 256, 384, 384),  # (B, 1088, 17, 17)
    "blocks_b": Blocks(B_V2, 0.1, 20),  # (B, 1088, 17, 17)
    "reduction_b": _reduction_b(288, 288, 320),  # (B, 2080, 8, 8)
    "blocks_c": Blocks(C_V2, 0.2, 9),  # (B, 2080, 8, 8)
    "last_block": Blocks(C_V2, 1.0, 1, active=False),  # (B, 2080, 8, 8)
}


def _trunk(channels: int, stem: Branch, scheme: Scheme) -> tuple[dict[str, nn.Module], int]:
    """Returns the layers up to the last block, and the number of maps that it gives."""
    layers = chain(channels, stem, conv_bn_relu)
    maps = branch_outputs(channels, stem)
    for name, row in scheme.items():
        if isinstance(row, Blocks):
            blocks = (Residual(maps, row.branches, row.scale, active=row.active) for _ in range(row.repeats))
            layers[name] = nn.Sequential(*blocks)
        else:
            layers[name] = Branches(maps, row, conv_bn_relu)
            maps = outputs_of(maps, row)
    return layers, maps


STEM_NAMES = ("conv2d_1a", "conv2d_2a", "conv2d_2b", "conv2d_3b", "conv2d_4a")
# A part of v2 in timm, and in Keras where that has names for its residual blocks, counted from 1.
SCHEME_NAMES = ("mixed_5b", "repeat", "mixed_6a", "repeat_1", "mixed_7a", "repeat_2", "block8")
KERAS_BLOCKS = {"blocks_a": "block35", "blocks_b": "block17", "blocks_c": "block8"}


def _parts() -> list[tuple[str, str, Table]]:
    """Returns for each inception of v2 timm's name, ours, and its branches; a residual block's are in ``branches``."""
    parts: list[tuple[str, str, Table]] = []
    for theirs, (ours, row) in zip(SCHEME_NAMES, SCHEME_V2.items(), strict=True):
        if isinstance(row, Blocks):
            single = row.repeats == 1
            places = [(theirs if single else f"{theirs}.{number}", number) for number in range(row.repeats)]
            parts += [(their, f"{ours}.{number}.branches", row.branches) for their, number in places]
        else:
            parts.append((theirs, ours, row))
    return parts


def _convolutions() -> dict[str, str]:
    """Returns timm's names of v2's convolutions with norms, up to the last block, and ours for each, in order."""
    names = dict(zip(STEM_NAMES, chain_conv_names(STEM_V2), strict=True))
    for theirs, ours, branches in _parts():
        pairs = zip(indexed_names(branches), conv_names(branches), strict=True)
        names.update({f"{theirs}.{their}": f"{ours}.{our}" for their, our in pairs})
    return names


def _timm_names() -> dict[str, str]:
    """Returns timm's module names of v2, and ours for each."""
    blocks = [(theirs, ours.removesuffix(".branches")) for theirs, ours, _ in _parts() if ours.endswith(".branches")]
    projections = {f"{theirs}.conv2d": f"{ours}.project" for theirs, ours in blocks}
    return with_norms(_convolutions() | {"conv2d_7b": "last"}) | projections | {"classif": "head"}


def _keras_names() -> dict[str, str]:
    """Returns Keras's layer names of v2, and ours for each."""
    names = keras_names(list(_convolutions().values()))
    for stage, block in KERAS_BLOCKS.items():
        row = SCHEME_V2[stage]
        assert isinstance(row, Blocks)
        names |= {f"{block}_{number + 1}_conv": f"{stage}.{number}.project" for number in range(row.repeats)}
        last = f"{block}_{row.repeats + 1}_conv"
    return names | {last: "last_block.0.project", "conv_7b": "last", "conv_7b_bn": "last_bn", "predictions": "head"}


@network(
    paper="1602.07261",
    year=2016,
    task="image classification",
    input=(3, 299, 299),
    params=23_995_624,
    macs=6_308_235_360,
    errors=Errors(21.3, 5.5, "paper, single crop"),
    deviations="as FaceNet's ports: a sixth block C, unscaled and without ReLU, and 512 units with batch norm before "
    "the head",
)
def inception_resnet_v1(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """Inception-ResNet-v1: inceptions that are scaled and added to their input, about as costly as Inception-v3.

    ``dropout`` is the rate after the pooling, 0.2 as published (of the values, 0.8 are kept).
    """
    layers, maps = _trunk(channels, STEM_V1, SCHEME_V1)
    net = nn.Sequential(
        OrderedDict(
            **layers,  # (B, 1792, 8, 8)
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),  # (B, 1792)
            dropout=nn.Dropout(DROPOUT if dropout is None else dropout),
            embedding=nn.Linear(maps, EMBEDDING, bias=False),  # (B, 512)
            embedding_bn=nn.BatchNorm1d(EMBEDDING, eps=1e-3),
            head=nn.Linear(EMBEDDING, classes),  # (B, classes)
        )
    )
    he_fan_in(net)
    return net


@network(
    paper="1602.07261",
    year=2016,
    task="image classification",
    input=(3, 299, 299),
    params=55_843_464,
    macs=13_155_794_016,
    errors=Errors(19.566, 4.688, "timm results-imagenet.csv, inception_resnet_v2.tf_in1k at 299, single crop"),
    renames={"timm": _timm_names(), "keras": _keras_names()},
    deviations="as slim: 10, 20 and 10 blocks for the paper's 5, 10 and 5; v1's stem and a block of branches; "
    "the last block unscaled and without ReLU, 1x1 to 1536 maps before the pooling",
)
def inception_resnet_v2(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """Inception-ResNet-v2: wider and deeper than v1, about as costly as Inception-v4.

    ``dropout`` is the rate before the head, 0.2 as published (of the values, 0.8 are kept).
    """
    layers, maps = _trunk(channels, STEM_V2, SCHEME_V2)
    net = nn.Sequential(
        OrderedDict(
            **layers,  # (B, 2080, 8, 8)
            **named("last", maps, Conv(LAST), conv_bn_relu),  # (B, 1536, 8, 8)
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),  # (B, 1536)
            dropout=nn.Dropout(DROPOUT if dropout is None else dropout),
            head=nn.Linear(LAST, classes),  # (B, classes)
        )
    )
    he_fan_in(net)
    return net
