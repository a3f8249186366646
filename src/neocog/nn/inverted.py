"""The inverted residual block of MobileNetV2 and its descendants (Sandler et al. 2018, arXiv:1801.04381)."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from neocog.nn.conv import Convolution, Norm, centred, named_trio


class InvertedResidual(nn.Module):
    """Widen by 1x1, filter each map by itself, narrow by 1x1 without activation (table 1, figure 4 d).

    The input is added where its shape is kept. ``expansion`` is the factor of widening; at 1 that layer is left out.
    ``convolution`` decides on the padding, ``norm`` on the batch norms' numbers.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        expansion: int,
        kernel: int = 3,
        stride: int = 1,
        convolution: Convolution = centred,
        norm: Norm = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        wide = inputs * expansion
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        if expansion > 1:
            layers.update(named_trio("expand", convolution(inputs, wide, 1, 1, 1), norm))
        layers.update(named_trio("depthwise", convolution(wide, wide, kernel, stride, wide), norm))
        layers["project"] = convolution(wide, outputs, 1, 1, 1)
        layers["project_bn"] = norm(outputs)
        self.body = nn.Sequential(layers)
        self.keeps_shape = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:  # (B, inputs, H, W)
        """Returns (B, outputs, ceil(H / stride), ceil(W / stride))."""
        y: Tensor = self.body(x)
        return x + y if self.keeps_shape else y
