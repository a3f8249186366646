"""Batch norm folded into the convolution before it: the same function of the input in fewer passes over memory."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from neocog.nn.conv import SameConv2d

# The names of a convolution and of the norm that alone takes its result; a block of one's own lists them as ``folds``.
Folds = tuple[tuple[str, str], ...]

FOLDABLE = (nn.Conv2d, SameConv2d)  # exactly these: another subclass may compute something else, or ignore its bias


def folded(network: nn.Module) -> nn.Module:
    """Returns a copy in evaluation mode whose batch norms are part of the convolutions before them.

    ``y = g (W x - m) / s + b`` is the convolution ``(g / s) W x + (b - g m / s)``; results differ by rounding alone.
    Folded is what follows a convolution directly in an `nn.Sequential`, where nothing else can see what lies between,
    and the pairs that a block lists as its ``folds``; every other batch norm stays. A network that knows a faster way
    of its own has a method ``fold``. The copy is for inference: it has no statistics to train.
    """
    clone = copy.deepcopy(network).eval()
    for module in list(clone.modules()):
        _fold_pairs(module)
    own: Any = getattr(clone, "fold", None)
    if callable(own):
        own()
    return clone


def _pairs(module: nn.Module) -> Iterable[tuple[str, str]]:
    listed: Any = getattr(module, "folds", ())
    return pairwise([name for name, _ in module.named_children()]) if isinstance(module, nn.Sequential) else listed


def _fold_pairs(module: nn.Module) -> None:
    for first, second in _pairs(module):
        convolution, norm = module.get_submodule(first), module.get_submodule(second)
        if type(convolution) in FOLDABLE and type(norm) is nn.BatchNorm2d and norm.track_running_stats:
            assert isinstance(convolution, nn.Conv2d)
            setattr(module, first, fuse_conv_bn_eval(convolution, norm))
            setattr(module, second, nn.Identity())
