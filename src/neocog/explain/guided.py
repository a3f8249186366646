"""Guided backpropagation: the gradient without its negative parts (Springenberg et al. 2014, arXiv:1412.6806).

And guided Grad-CAM, its product with a class activation map (Selvaraju et al. 2016, arXiv:1610.02391).
"""

from __future__ import annotations

from torch import Tensor, nn

from neocog.explain.entry import entry
from neocog.explain.gradcam import grad_cam
from neocog.explain.rest import at_rest
from neocog.explain.rules import backward
from neocog.explain.target import Target, scores


def guided_backpropagation(module: nn.Module, inputs: Tensor, *, target: Target = None) -> Tensor:
    """Returns (B, C, ...): each rectifier passes on what is positive both on the way up and on the way down.

    ``inputs`` (B, C, ...), or words (B, L); ``target`` is the class, the predicted one unless told. Other activations
    than rectifiers pass on their derivative (figure 1 of the paper).

    Raises NetworkError for a network whose activations are all others, or whose rectifiers cannot be told.
    """
    with at_rest(module):
        where = entry(module, inputs)
        values = where.values.clone().requires_grad_()
        score = scores(where.run(values), target)
        return backward(score, values, lambda _, inner: inner.clamp(min=0), method="guided backpropagation")


def guided_grad_cam(module: nn.Module, inputs: Tensor, *, target: Target = None, layer: str | None = None) -> Tensor:
    """Returns guided backpropagation (B, C, ...) times the layer's Grad-CAM, of the inputs' size (section 3.2).

    Arguments and errors are those of `guided_backpropagation` and `grad_cam`.
    """
    heat = grad_cam(module, inputs, target=target, layer=layer)
    return guided_backpropagation(module, inputs, target=target) * heat.unsqueeze(1)
