"""Batch norm folded into the convolution before it: the same function of the input in fewer passes over memory."""

from __future__ import annotations

import copy
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from neocog.nn.conv import SameConv2d

FOLDABLE = (nn.Conv2d, SameConv2d)  # exactly these: another subclass may compute something else, or ignore its bias


def folded(network: nn.Module) -> nn.Module:
    """Returns a copy in evaluation mode whose batch norms are part of the convolutions before them.

    ``y = g (W x - m) / s + b`` is the convolution ``(g / s) W x + (b - g m / s)``; results differ by rounding alone.
    Folded is what follows a convolution directly in an `nn.Sequential`, where nothing else can see what lies between;
    every other batch norm stays. The copy is for inference: it has no statistics to train.
    """
    clone = copy.deepcopy(network).eval()
    for module in list(clone.modules()):
        if isinstance(module, nn.Sequential):
            _fold_neighbours(module)
    return clone


def _fold_neighbours(sequence: nn.Sequential) -> None:
    names = [name for name, _ in sequence.named_children()]
    for first, second in pairwise(names):
        convolution, norm = sequence.get_submodule(first), sequence.get_submodule(second)
        if type(convolution) in FOLDABLE and type(norm) is nn.BatchNorm2d and norm.track_running_stats:
            assert isinstance(convolution, nn.Conv2d)
            setattr(sequence, first, fuse_conv_bn_eval(convolution, norm))
            setattr(sequence, second, nn.Identity())
