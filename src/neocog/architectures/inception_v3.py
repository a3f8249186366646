"""Inception-v3 (Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2015, arXiv:1512.00567). Table 1, figures 5 to 8 and 10.

What the paper leaves open, and the names of the blocks, are as in TensorFlow's slim and in torchvision.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from torch import nn

from neocog.core.registry import Errors, network
from neocog.nn.auxiliary import GridPool, WithHeads
from neocog.nn.branch_names import chain_conv_names, conv_names, keras_names, with_norms
from neocog.nn.branches import Branch, Branches, Conv, Fork, chain, conv_bn_relu, outputs_of
from neocog.nn.padding import way_of

DROPOUT = 0.5
AUXILIARY_WEIGHT = 0.4  # tensorflow/models research/slim/train_image_classifier.py
AUXILIARY_GRID = 5
AUXILIARY_AFTER = "mixed6e"

Table = tuple[Branch, ...]

average = partial(nn.AvgPool2d, 3, 1, padding=1)
maximum = partial(nn.MaxPool2d, 3, 2)

STEM: Branch = (
    Conv(32, 3, 2, valid=True),  # Conv2d_1a: (B, 32, 149, 149)
    Conv(32, 3, valid=True),  # Conv2d_2a: (B, 32, 147, 147)
    Conv(64, 3),  # Conv2d_2b: (B, 64, 147, 147)
    maximum,  # (B, 64, 73, 73)
    Conv(80),  # Conv2d_3b: (B, 80, 73, 73)
    Conv(192, 3, valid=True),  # Conv2d_4a: (B, 192, 71, 71)
    maximum,  # (B, 192, 35, 35)
)
STEM_OUTPUTS = 192


def _figure_5(project: int) -> Table:
    """The 5x5 of GoogLeNet, one of them as two 3x3."""
    return (Conv(64),), (Conv(48), Conv(64, 5)), (Conv(64), Conv(96, 3), Conv(96, 3)), (average, Conv(project))


def _figure_6(maps: int) -> Table:
    """Kernels of 7x7 as 1x7 and 7x1, one branch with two of them."""
    across, down = Conv(maps, (1, 7)), Conv(maps, (7, 1))
    return (
        (Conv(192),),
        (Conv(maps), across, Conv(192, (7, 1))),
        (Conv(maps), down, across, down, Conv(192, (1, 7))),
        (average, Conv(192)),
    )


def _figure_7() -> Table:
    """Branches that end in 1x3 and 3x1 side by side, to widen the last maps."""
    fork = Fork(Conv(384, (1, 3)), Conv(384, (3, 1)))
    return (Conv(320),), (Conv(384), fork), (Conv(448), Conv(384, 3), fork), (average, Conv(192))


# Figure 10: convolutions at stride 2 beside the pool.
REDUCE_6A: Table = ((Conv(384, 3, 2, valid=True),), (Conv(64), Conv(96, 3), Conv(96, 3, 2, valid=True)), (maximum,))
REDUCE_7A: Table = (
    (Conv(192), Conv(320, 3, 2, valid=True)),
    (Conv(192), Conv(192, (1, 7)), Conv(192, (7, 1)), Conv(192, 3, 2, valid=True)),
    (maximum,),
)

TABLE_1: dict[str, Table] = {
    "mixed5b": _figure_5(32),  # (B, 256, 35, 35)
    "mixed5c": _figure_5(64),  # (B, 288, 35, 35)
    "mixed5d": _figure_5(64),  # (B, 288, 35, 35)
    "mixed6a": REDUCE_6A,  # (B, 768, 17, 17)
    "mixed6b": _figure_6(128),  # (B, 768, 17, 17)
    "mixed6c": _figure_6(160),  # (B, 768, 17, 17)
    "mixed6d": _figure_6(160),  # (B, 768, 17, 17)
    "mixed6e": _figure_6(192),  # (B, 768, 17, 17)
    "mixed7a": REDUCE_7A,  # (B, 1280, 8, 8)
    "mixed7b": _figure_7(),  # (B, 2048, 8, 8)
    "mixed7c": _figure_7(),  # (B, 2048, 8, 8)
}

# Figure 8: the auxiliary classifier's convolutions, after its pool.
AUXILIARY: Branch = (partial(GridPool, AUXILIARY_GRID), Conv(128), Conv(768, AUXILIARY_GRID, valid=True))


def _auxiliary_head(inputs: int, classes: int) -> nn.Sequential:
    """Takes (B, inputs, 17, 17); of other sizes it pools windows of another size to the same 5x5."""
    return nn.Sequential(
        OrderedDict(
            **chain(inputs, AUXILIARY, conv_bn_relu),  # (B, 768, 1, 1)
            flatten=nn.Flatten(),  # (B, 768)
            head=nn.Linear(768, classes),  # (B, classes)
        )
    )


def _layers(classes: int, channels: int, dropout: float | None, *, auxiliary: bool) -> dict[str, nn.Module]:
    layers = chain(channels, STEM, conv_bn_relu)  # (B, 192, 35, 35)
    inputs = STEM_OUTPUTS
    for name, branches in TABLE_1.items():
        layers[name] = Branches(inputs, branches, conv_bn_relu)
        inputs = outputs_of(inputs, branches)
        if auxiliary and name == AUXILIARY_AFTER:
            layers["aux1"] = _auxiliary_head(inputs, classes)
    return layers | {
        "avgpool": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),  # (B, 2048)
        "dropout": nn.Dropout(DROPOUT if dropout is None else dropout),
        "head": nn.Linear(inputs, classes),  # (B, classes)
    }


STEM_NAMES = ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3")
# torchvision's names within a block, by the number of the block's convolutions: figures 5 to 7, then 6a and 7a.
TRIPLE = ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3")
SEVENS = tuple(f"branch7x7dbl_{number}" for number in range(1, 6))
BLOCK_NAMES = {
    7: ("branch1x1", "branch5x5_1", "branch5x5_2", *TRIPLE, "branch_pool"),
    10: ("branch1x1", "branch7x7_1", "branch7x7_2", "branch7x7_3", *SEVENS, "branch_pool"),
    9: (
        *("branch1x1", "branch3x3_1", "branch3x3_2a", "branch3x3_2b"),
        *("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3a", "branch3x3dbl_3b", "branch_pool"),
    ),
    4: ("branch3x3", *TRIPLE),
    6: ("branch3x3_1", "branch3x3_2", *(f"branch7x7x3_{number}" for number in range(1, 5))),
}


def _convolutions() -> dict[str, str]:
    """Returns the names of the convolutions in torchvision, and ours for each, in order."""
    names = dict(zip(STEM_NAMES, chain_conv_names(STEM), strict=True))
    for name, branches in TABLE_1.items():
        ours = conv_names(branches)
        block = name.replace("mixed", "Mixed_")
        pairs = zip(BLOCK_NAMES[len(ours)], ours, strict=True)
        names.update({f"{block}.{their}": f"{name}.{our}" for their, our in pairs})
    return names


def _torchvision_names() -> dict[str, str]:
    """Returns torchvision's module names, which are also timm's, and ours for each."""
    return with_norms(_convolutions()) | {"fc": "head"}


def _auxiliary_names() -> dict[str, str]:
    names = with_norms({"AuxLogits.conv0": "aux1.conv1", "AuxLogits.conv1": "aux1.conv2"})
    return _torchvision_names() | names | {"AuxLogits.fc": "aux1.head"}


def _keras_names() -> dict[str, str]:
    """Returns Keras's layer names and ours for each: layers without names, counted in the order of the branches."""
    return keras_names(list(_convolutions().values())) | {"predictions": "head"}


DEVIATIONS = (
    "as torchvision: dropout 0.5 (slim's 0.2); its transform_input is left out, so weights that were trained with it "
    "need their own preprocessing, mean and deviation 0.5"
)


@network(
    paper="1512.00567",
    year=2015,
    task="image classification",
    input=(3, 299, 299),
    params=23_834_568,
    macs=5_713_216_096,
    errors=Errors(22.706, 6.55, "torchvision 0.28 weights IMAGENET1K_V1, single centre crop"),
    renames={"torchvision": _torchvision_names(), "timm": _torchvision_names(), "keras": _keras_names()},
    deviations=DEVIATIONS,
)
def inception_v3(
    classes: int = 1000, channels: int = 3, *, dropout: float | None = None, padding: str = "symmetric"
) -> nn.Module:
    """Inception-v3: large kernels factorised into small and into one-dimensional ones.

    ``dropout`` is the rate before the head, 0.5 as torchvision has it. With ``padding="tensorflow"`` average pools
    leave the padding out of their averages, as in TensorFlow and Keras.
    """
    way_of(padding)  # or an error
    net = nn.Sequential(OrderedDict(_layers(classes, channels, dropout, auxiliary=False)))
    _initialise(net)
    for module in net.modules():
        if isinstance(module, nn.AvgPool2d):
            module.count_include_pad = padding != "tensorflow"
    return net


@network(
    paper="1512.00567",
    year=2015,
    task="image classification",
    input=(3, 299, 299),
    params=27_161_264,
    macs=5_713_216_096,
    renames={"torchvision": _auxiliary_names(), "timm": _auxiliary_names()},
    deviations=f"{DEVIATIONS}; maps of other sizes than 17x17 go into the auxiliary head as 5x5 windows too",
)
def inception_v3_aux(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """Inception-v3 with its auxiliary classifier on the last 17x17 maps, whose loss counts 0.4 in training.

    ``dropout`` is the rate before the head, 0.5 as torchvision has it.
    """
    net = WithHeads(_layers(classes, channels, dropout, auxiliary=True), weight=AUXILIARY_WEIGHT)
    _initialise(net)
    return net


def _initialise(net: nn.Module) -> None:
    """As slim: normal with deviation 0.1, in the auxiliary head 0.01 for the last convolution and 0.001 for the dense.

    Slim cuts them off at two deviations, which takes torch over a second and which the batch norms undo.
    """
    deviations = {"aux1.conv2": 0.01, "aux1.head": 0.001}
    for name, module in net.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(module.weight, std=deviations.get(name, 0.1))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
