"""Trained weights that a network can start from, and what inputs they expect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Weights:
    """Trained weights that a network can start from, and the preprocessing that they expect.

    ``mean`` and ``std`` are for inputs scaled to [0, 1], in the channels' ``order``. Weights that come with a
    dependency have ``load``, which returns a state dict in the network's own naming; those that are downloaded have the
    ``address`` of a file in the ``naming`` of another library, its name with the first digits of its SHA-256.
    """

    name: str
    classes: int
    size: int
    resize: int
    filter: str
    mean: Numbers
    std: Numbers
    source: str
    load: Callable[[], Mapping[str, Any]] | None = None
    address: str = ""
    naming: str = ""
    order: str = "RGB"

    @property
    def bundled(self) -> bool:
        """Whether the weights come with the installation, so that nothing has to be downloaded."""
        return self.load is not None


# What torchvision's ImageNet weights expect, for weights from a file whose record does not say.
IMAGENET = Weights(
    name="imagenet",
    classes=1000,
    size=224,
    resize=256,
    filter="bilinear",
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    source="the ImageNet statistics that torchvision's weights expect",
)
# Inputs from -1 to 1, which networks that were trained with TensorFlow expect.
HALVES = replace(IMAGENET, mean=(0.5,) * 3, std=(0.5,) * 3, source="inputs from -1 to 1, as TensorFlow's networks have")
# Caffe's: blue first, the mean colour of ImageNet taken off, values up to 255.
CAFFE = replace(
    IMAGENET,
    mean=(123.68 / 255, 116.779 / 255, 103.939 / 255),
    std=(1 / 255,) * 3,
    order="BGR",
    source="Caffe's preprocessing, which keras.applications has for this network",
)

_TRAINED_IN_TENSORFLOW = ("inception_v4", "inception_resnet", "xception", "mobilenet_v1", "efficientnet_lite")
_HALVES_IN_KERAS = (*_TRAINED_IN_TENSORFLOW, "inception", "mobilenet", "resnet50_v2", "resnet101_v2", "resnet152_v2")
_CAFFE_IN_KERAS = ("vgg", "resnet")


def expected(network: str, weights: tuple[Weights, ...], spec: str, naming: str, side: int) -> Weights:
    """Returns what weights from ``spec`` expect: their own record's numbers where there is one.

    For a file in a ``naming`` it is what the library usually feeds this ``network``: in Keras as keras.applications
    has it, else as the network's known ``weights`` (its record's), else the customary at the published ``side``.
    """
    named = next((each for each in weights if each.name == spec), None)
    if named is not None:
        return named
    if naming == "keras":
        return replace(_in_keras(network), size=side, resize=round(side * 8 / 7))
    if weights:
        return weights[0]
    usual = HALVES if network.startswith(_TRAINED_IN_TENSORFLOW) else IMAGENET
    return replace(usual, size=side, resize=round(side * 8 / 7))


def _in_keras(network: str) -> Weights:
    if network.startswith(_HALVES_IN_KERAS):
        return HALVES
    return CAFFE if network.startswith(_CAFFE_IN_KERAS) else IMAGENET
