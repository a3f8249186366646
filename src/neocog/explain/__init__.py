"""What a network sees: explanations that take any module and its inputs, give tensors, and leave nothing behind.

One method a file. They are imported here at once, so that a name that a method shares with its file is the method's.
"""

from neocog.explain.deconvnet import deconvnet as deconvnet
from neocog.explain.guided import guided_backpropagation as guided_backpropagation
from neocog.explain.saliency import gradient as gradient
from neocog.explain.saliency import saliency as saliency

__all__ = [
    "deconvnet",
    "gradient",
    "guided_backpropagation",
    "saliency",
]
