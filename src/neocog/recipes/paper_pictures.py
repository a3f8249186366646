"""The recipes of the papers on pictures, as far as numbers can say them; each names what it says otherwise.

A function has its network's name. The preprocessing is the network's, so a paper's input scaling is not here.
"""

from __future__ import annotations

from neocog.core.recipe import Augmentation, Recipe
from neocog.recipes.falls import every


def lenet5() -> Recipe:
    """LeCun et al. 1998, section III-B: 20 passes, one digit at a time, five global rates.

    Deviations: plain stochastic gradient descent stands for the stochastic diagonal Levenberg-Marquardt method, with a
    rate inside the range that the paper reports for its own (0.00007 to 0.016); the paper's rates fall by factors of
    0.4, 0.5, 0.5 and 0.2 after 2, 5, 8 and 12 passes, here by 0.4 each; cross-entropy stands for equation 9.
    """
    return Recipe(
        name="paper: lenet5",
        epochs=20,
        batch_size=1,
        optimiser="sgd",
        learning_rate=0.005,
        momentum=0.0,
        schedule="step",
        step_at=(2 / 20, 5 / 20, 8 / 20, 12 / 20),
        step_factor=0.4,
        source="LeCun et al. 1998, section III-B",
    )


def keras_cifar() -> Recipe:
    """Keras 2.x, examples/cifar10_cnn.py: RMSprop at 1e-4 with decay 1e-6, batches of 32, 100 epochs.

    Deviations: pixels that a shift moves in are padding, not the nearest edge; a shift is of whole pixels, up to 3 of
    32 (the example: a tenth of the width and of the height).
    """
    return Recipe(
        name="paper: keras_cifar",
        epochs=100,
        batch_size=32,
        optimiser="rmsprop",
        learning_rate=1e-4,
        momentum=0.0,
        alpha=0.9,
        epsilon=1e-7,
        schedule="inverse-time",
        time_decay=1e-6,
        augmentation=Augmentation(shift=3, horizontal_flip=True),
        source="keras-team/keras 2.x, examples/cifar10_cnn.py",
    )


def resnet18() -> Recipe:
    """He et al. 2016, section 3.4: SGD at 0.1, batches of 256, momentum 0.9, decay 1e-4, the rate divided by 10.

    Deviations: the paper divides when the error stays level and stops after 600,000 iterations; here after a quarter
    and half of as many (about 120 epochs of ImageNet), where figure 4 shows the drops. A square crop of random area
    stands for the 224 crop of a picture whose short side is 256 to 480; norms and biases are spared from the decay;
    without AlexNet's colour shift.
    """
    return Recipe(
        name="paper: resnet18",
        epochs=120,
        batch_size=256,
        optimiser="sgd",
        learning_rate=0.1,
        momentum=0.9,
        decay=1e-4,
        schedule="step",
        step_at=(0.25, 0.5),
        step_factor=0.1,
        augmentation=Augmentation(crop_scale=(0.22, 0.77), crop_ratio=(1.0, 1.0), horizontal_flip=True),
        source="He et al. 2016, section 3.4",
    )


def mobilenet_v2() -> Recipe:
    """Sandler et al. 2018, section 6.1: RMSprop, momentum and its decay 0.9, rate 0.045 times 0.98 each epoch.

    Deviations: one process with batches of 96 stands for 16 asynchronous ones; the paper gives neither the epochs (here
    300) nor RMSprop's epsilon (here 1, the default of the authors' TF-slim script, which adds it under the root).
    """
    epochs = 300
    return Recipe(
        name="paper: mobilenet_v2",
        epochs=epochs,
        batch_size=96,
        optimiser="rmsprop",
        learning_rate=0.045,
        momentum=0.9,
        alpha=0.9,
        epsilon=1.0,
        decay=4e-5,
        schedule="step",
        step_at=every(1, epochs),
        step_factor=0.98,
        augmentation=Augmentation(crop_scale=(0.08, 1.0), horizontal_flip=True),
        source="Sandler et al. 2018, section 6.1",
    )


def efficientnet_lite0() -> Recipe:
    """Tan and Le 2019, section 5.2, which the Lite networks follow: RMSprop, rate 0.256 times 0.97 every 2.4 epochs.

    The batch of 4096, five epochs of warm-up, 350 epochs, epsilon 1e-3, label smoothing 0.1 and the running average
    of 0.9999 are the authors' code. Deviations: no AutoAugment, no stochastic depth; a user with fewer samples a step
    lowers the rate in proportion (``--batch 256 --lr 0.016``).
    """
    epochs = 350
    return Recipe(
        name="paper: efficientnet_lite0",
        epochs=epochs,
        batch_size=4096,
        optimiser="rmsprop",
        learning_rate=0.256,
        momentum=0.9,
        alpha=0.9,
        epsilon=1e-3,
        decay=1e-5,
        schedule="step",
        step_at=every(2.4, epochs),
        step_factor=0.97,
        warmup=5,
        label_smoothing=0.1,
        ema=0.9999,
        dropout=0.2,
        augmentation=Augmentation(crop_scale=(0.08, 1.0), horizontal_flip=True),
        source="Tan and Le 2019, section 5.2; tensorflow/tpu efficientnet/lite",
    )
