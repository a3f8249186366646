"""The names that timm gives to the blocks of `neocog.nn.inverted`."""

from __future__ import annotations

from collections.abc import Iterable

_WIDENED = {
    "conv_pw": "expand", "bn1": "expand_bn", "conv_dw": "depthwise", "bn2": "depthwise_bn",
    "conv_pwl": "project", "bn3": "project_bn",
}  # fmt: skip
# Without the layer that widens, a block is a "depthwise separable" one there, whose 1x1 layer has another name.
_NOT_WIDENED = {"conv_dw": "depthwise", "bn1": "depthwise_bn", "conv_pw": "project", "bn2": "project_bn"}


def timm_block_names(stages: Iterable[tuple[str, int, int]]) -> dict[str, str]:
    """Returns timm's module names and ours for stages of inverted residuals.

    A stage is our name for it, the factor by which its blocks widen, and their number.
    """
    names = {}
    for index, (stage, expansion, repeats) in enumerate(stages):
        for block in range(repeats):
            for theirs, ours in (_WIDENED if expansion > 1 else _NOT_WIDENED).items():
                names[f"blocks.{index}.{block}.{theirs}"] = f"{stage}.{block}.body.{ours}"
    return names
