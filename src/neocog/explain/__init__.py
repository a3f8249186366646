"""What a network sees: explanations that take any module and its inputs, give tensors, and leave nothing behind.

One method a file. They are imported here at once, so that a name that a method shares with its file is the method's.
"""

from neocog.explain.deconvnet import deconvnet as deconvnet
from neocog.explain.gradient_input import gradient_times_input as gradient_times_input
from neocog.explain.guided import guided_backpropagation as guided_backpropagation
from neocog.explain.guided import guided_grad_cam as guided_grad_cam
from neocog.explain.integrated import integrated_gradients as integrated_gradients
from neocog.explain.relevance import relevance as relevance
from neocog.explain.saliency import gradient as gradient
from neocog.explain.saliency import saliency as saliency
from neocog.explain.smoothgrad import smoothgrad as smoothgrad

__all__ = [
    "deconvnet",
    "gradient",
    "gradient_times_input",
    "guided_backpropagation",
    "guided_grad_cam",
    "integrated_gradients",
    "relevance",
    "saliency",
    "smoothgrad",
]
