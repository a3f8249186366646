"""The benchmark's networks in Keras 3, layer by layer those of `neocog.architectures`, in Keras's own padding."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

CLASSES = 10


def channel_axis() -> int:
    return 1 if keras.config.image_data_format() == "channels_first" else -1


def input_shape(size: int) -> tuple[int, int, int]:
    return (3, size, size) if channel_axis() == 1 else (size, size, 3)


def keras_cifar(size: int) -> Any:
    """keras-team/keras 2.x, examples/cifar10_cnn.py, with logits."""
    return keras.Sequential(
        [
            keras.Input(input_shape(size)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(512, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(CLASSES),
        ]
    )


def resnet18(size: int) -> Any:
    """He et al. 2016, table 1, 18 layers, option B."""
    inputs = keras.Input(input_shape(size))
    x = layers.ReLU()(_conv_bn(inputs, 64, 7, 2))
    x = layers.MaxPooling2D(3, 2, padding="same")(x)
    for width, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        x = _block(_block(x, width, stride), width, 1)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(CLASSES)(x))


def _block(x: Any, width: int, stride: int) -> Any:
    y = layers.ReLU()(_conv_bn(x, width, 3, stride))
    y = _conv_bn(y, width, 3, 1)
    shortcut = x if stride == 1 and x.shape[channel_axis()] == width else _conv_bn(x, width, 1, stride)
    return layers.ReLU()(layers.Add()([y, shortcut]))


def _conv_bn(x: Any, width: int, kernel: int, stride: int) -> Any:
    start = keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")
    x = layers.Conv2D(width, kernel, stride, padding="same", use_bias=False, kernel_initializer=start)(x)
    return layers.BatchNormalization(axis=channel_axis(), momentum=0.9, epsilon=1e-5)(x)


NETWORKS = {"keras_cifar": keras_cifar, "resnet18": resnet18}
