"""Inception-v4 (Szegedy, Ioffe, Vanhoucke, Alemi 2016, arXiv:1602.07261). Figures 3 to 9."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from torch import nn

from neocog.core.registry import Errors, network
from neocog.nn.branch_names import conv_names, indexed_names, with_norms
from neocog.nn.branches import Branch, Branches, Conv, Fork, chain, conv_bn_relu, outputs_of
from neocog.nn.slim_init import he_fan_in

DROPOUT = 0.2

Table = tuple[Branch, ...]

average = partial(nn.AvgPool2d, 3, 1, padding=1, count_include_pad=False)
maximum = partial(nn.MaxPool2d, 3, 2)

STEM: Branch = (
    Conv(32, 3, 2, valid=True),  # (B, 32, 149, 149)
    Conv(32, 3, valid=True),  # (B, 32, 147, 147)
    Conv(64, 3),  # (B, 64, 147, 147)
)

# Figure 3, after its first three convolutions.
STEM_3A: Table = ((maximum,), (Conv(96, 3, 2, valid=True),))
STEM_4A: Table = (
    (Conv(64), Conv(96, 3, valid=True)),
    (Conv(64), Conv(64, (1, 7)), Conv(64, (7, 1)), Conv(96, 3, valid=True)),
)
STEM_5A: Table = ((Conv(192, 3, 2, valid=True),), (maximum,))

# Figure 4.
INCEPTION_A: Table = (
    (Conv(96),),
    (Conv(64), Conv(96, 3)),
    (Conv(64), Conv(96, 3), Conv(96, 3)),
    (average, Conv(96)),
)
# Figure 7, with table 1's k, l, m, n for Inception-v4: 192, 224, 256, 384.
REDUCTION_A: Table = (
    (Conv(384, 3, 2, valid=True),),
    (Conv(192), Conv(224, 3), Conv(256, 3, 2, valid=True)),
    (maximum,),
)
# Figure 5.
INCEPTION_B: Table = (
    (Conv(384),),
    (Conv(192), Conv(224, (1, 7)), Conv(256, (7, 1))),
    (Conv(192), Conv(192, (7, 1)), Conv(224, (1, 7)), Conv(224, (7, 1)), Conv(256, (1, 7))),
    (average, Conv(128)),
)
# Figure 8.
REDUCTION_B: Table = (
    (Conv(192), Conv(192, 3, 2, valid=True)),
    (Conv(256), Conv(256, (1, 7)), Conv(320, (7, 1)), Conv(320, 3, 2, valid=True)),
    (maximum,),
)
# Figure 6.
FORK = Fork(Conv(256, (1, 3)), Conv(256, (3, 1)))
INCEPTION_C: Table = (
    (Conv(256),),
    (Conv(384), FORK),
    (Conv(384), Conv(448, (3, 1)), Conv(512, (1, 3)), FORK),
    (average, Conv(256)),
)

# Figure 9: the overall scheme.
FIGURE_9: dict[str, Table] = {
    "stem3a": STEM_3A,  # (B, 160, 73, 73)
    "stem4a": STEM_4A,  # (B, 192, 71, 71)
    "stem5a": STEM_5A,  # (B, 384, 35, 35)
    **{f"inception_a{number}": INCEPTION_A for number in range(1, 5)},  # (B, 384, 35, 35)
    "reduction_a": REDUCTION_A,  # (B, 1024, 17, 17)
    **{f"inception_b{number}": INCEPTION_B for number in range(1, 8)},  # (B, 1024, 17, 17)
    "reduction_b": REDUCTION_B,  # (B, 1536, 8, 8)
    **{f"inception_c{number}": INCEPTION_C for number in range(1, 4)},  # (B, 1536, 8, 8)
}

# timm's names in the blocks where a pool leaves a single convolution, or where branches fork.
OWN_NAMES = {
    "stem3a": ("conv",),
    "stem5a": ("conv",),
    "inception_c": (
        *("branch0", "branch1_0", "branch1_1a", "branch1_1b"),
        *("branch2_0", "branch2_1", "branch2_2", "branch2_3a", "branch2_3b", "branch3.1"),
    ),
}


def _timm_names() -> dict[str, str]:
    """Returns timm's module names, which count all blocks in one row, and ours for each."""
    convolutions = {f"features.{number}": f"conv{number + 1}" for number in range(len(STEM))}
    for number, (name, branches) in enumerate(FIGURE_9.items(), len(STEM)):
        theirs = OWN_NAMES.get(name.rstrip("123"), OWN_NAMES.get(name)) or indexed_names(branches)
        pairs = zip(theirs, conv_names(branches), strict=True)
        convolutions.update({f"features.{number}.{their}": f"{name}.{our}" for their, our in pairs})
    return with_norms(convolutions) | {"last_linear": "head"}


@network(
    paper="1602.07261",
    year=2016,
    task="image classification",
    input=(3, 299, 299),
    params=42_679_816,
    macs=12_253_974_624,
    errors=Errors(19.856, 5.018, "timm results-imagenet.csv, inception_v4.tf_in1k at 299, single crop"),
    renames={"timm": _timm_names()},
)
def inception_v4(classes: int = 1000, channels: int = 3, *, dropout: float | None = None) -> nn.Module:
    """Inception-v4: the inceptions of v3 made uniform, with a stem of branches, without residual connections.

    ``dropout`` is the rate before the head, 0.2 as published (of the values, 0.8 are kept).
    """
    layers = chain(channels, STEM, conv_bn_relu)  # (B, 64, 147, 147)
    inputs = 64
    for name, branches in FIGURE_9.items():
        layers[name] = Branches(inputs, branches, conv_bn_relu)
        inputs = outputs_of(inputs, branches)
    net = nn.Sequential(
        OrderedDict(
            **layers,  # (B, 1536, 8, 8)
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),  # (B, 1536)
            dropout=nn.Dropout(DROPOUT if dropout is None else dropout),
            head=nn.Linear(inputs, classes),  # (B, classes)
        )
    )
    he_fan_in(net)
    return net
