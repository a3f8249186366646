"""torchvision's network definitions beside a CPU build of torch, whose operators its own binary does not register."""

from __future__ import annotations

import importlib
from typing import Any

import torch

# What torchvision's Python files ask torch for when they are imported; none of it is called by a classifier.
OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "roi_align(Tensor input, Tensor rois, float spatial_scale, int pooled_height, int pooled_width, "
    "int sampling_ratio, bool aligned) -> Tensor",
    "roi_pool(Tensor input, Tensor rois, float spatial_scale, int pooled_height, int pooled_width) -> (Tensor, Tensor)",
    "ps_roi_align(Tensor input, Tensor rois, float spatial_scale, int pooled_height, int pooled_width, "
    "int sampling_ratio) -> (Tensor, Tensor)",
    "ps_roi_pool(Tensor input, Tensor rois, float spatial_scale, int pooled_height, int pooled_width) "
    "-> (Tensor, Tensor)",
    "deform_conv2d(Tensor input, Tensor weight, Tensor offset, Tensor mask, Tensor bias, int stride_h, int stride_w, "
    "int pad_h, int pad_w, int dilation_h, int dilation_w, int groups, int offset_groups, bool use_mask) -> Tensor",
)
_library: list[torch.library.Library] = []  # the declarations live as long as this object


def models() -> Any:
    """Returns ``torchvision.models``, its operators declared first where they are missing."""
    if not _library:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for operator in OPERATORS:
            if not hasattr(torch.ops.torchvision, operator.split("(")[0]):
                library.define(operator)
        _library.append(library)
    return importlib.import_module("torchvision").models
