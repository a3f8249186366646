"""The recipes of the papers, as far as this table of numbers can say them; each names what it says otherwise.

A function has its network's name. The preprocessing is the network's, so a paper's input scaling is not here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from neocog.core.errors import UsageError
from neocog.core.recipe import Augmentation, Recipe


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
        step_at=_each(1, epochs),
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
        step_at=_each(2.4, epochs),
        step_factor=0.97,
        warmup=5,
        label_smoothing=0.1,
        ema=0.9999,
        dropout=0.2,
        augmentation=Augmentation(crop_scale=(0.08, 1.0), horizontal_flip=True),
        source="Tan and Le 2019, section 5.2; tensorflow/tpu efficientnet/lite",
    )


def kim_cnn() -> Recipe:
    """Kim 2014, sections 3.1 and 3.2, and the authors' code: AdaDelta, batches of 50, 25 epochs, the best on dev.

    The norm of a class's weights is at most 3, of the weights as they are in training; dropout is 0.5, and it is the
    test that scales. Deviations: a batch holds sentences of similar length, and the last one is not filled up.
    """
    return Recipe(
        name="paper: kim_cnn",
        epochs=25,
        batch_size=50,
        optimiser="adadelta",
        learning_rate=1.0,
        alpha=0.95,
        epsilon=1e-6,
        max_norm=3.0,
        dropout=0.5,
        source="Kim 2014, section 3",
    )


def collobert_window() -> Recipe:
    """Collobert et al. 2011, section 4.6: a sentence a step, rate 0.01; the number of epochs is chosen on a dev part.

    Deviation: the paper divides the rate by each layer's inputs.
    """
    return Recipe(
        name="paper: collobert_window",
        epochs=20,
        batch_size=1,
        optimiser="sgd",
        learning_rate=0.01,
        momentum=0.0,
        source="Collobert et al. 2011, section 4.6",
    )


def collobert_sentence() -> Recipe:
    """As `collobert_window`."""
    return replace(collobert_window(), name="paper: collobert_sentence")


def zeng_cnn() -> Recipe:
    """Zeng et al. 2014, table 2: stochastic gradient descent at a rate of 0.01.

    The paper gives neither the batch nor the epochs (here one sentence at a time, 25 times), nor any dropout.
    """
    return Recipe(
        name="paper: zeng_cnn",
        epochs=25,
        batch_size=1,
        optimiser="sgd",
        learning_rate=0.01,
        momentum=0.0,
        source="Zeng et al. 2014, table 2",
    )


def pcnn() -> Recipe:
    """Zeng et al. 2015, table 1: AdaDelta with rho 0.95 and epsilon 1e-6, batches of 50, dropout of 0.5.

    Deviations: the paper's batches are of bags, of which one sentence each learns; it gives no epochs (here 25).
    """
    return Recipe(
        name="paper: pcnn",
        epochs=25,
        batch_size=50,
        optimiser="adadelta",
        learning_rate=1.0,
        alpha=0.95,
        epsilon=1e-6,
        dropout=0.5,
        source="Zeng et al. 2015, table 1",
    )


def pcnn_attention() -> Recipe:
    """Lin et al. 2016, table 1: stochastic gradient descent at a rate of 0.01, batches of 160 bags, dropout of 0.5.

    Deviations: the paper gives no epochs (here 15, as the authors' code).
    """
    return Recipe(
        name="paper: pcnn_attention",
        epochs=15,
        batch_size=160,
        optimiser="sgd",
        learning_rate=0.01,
        momentum=0.0,
        dropout=0.5,
        source="Lin et al. 2016, table 1",
    )


def cnn_attention() -> Recipe:
    """The recipe of `pcnn_attention`, of the same table."""
    return replace(pcnn_attention(), name="paper: cnn_attention")


def published() -> dict[str, Callable[[], Recipe]]:
    """Returns the recipes by the network's name."""
    recipes = (
        lenet5, keras_cifar, resnet18, mobilenet_v2, efficientnet_lite0, kim_cnn, collobert_window,
        collobert_sentence, zeng_cnn, pcnn, pcnn_attention, cnn_attention,
    )  # fmt: skip
    return {recipe.__name__: recipe for recipe in recipes}


def find(network: str) -> Recipe:
    """Returns the recipe of a network's paper; raises UsageError where there is none, with those that have one."""
    recipes = published()
    if network not in recipes:
        raise UsageError(
            f"{network} has no paper recipe here, use --recipe fast; these have one: {', '.join(recipes)}."
        )
    return recipes[network]()


def _each(every: float, epochs: int) -> tuple[float, ...]:
    """Returns the fractions of a run of ``epochs`` at which another ``every`` epochs have passed."""
    return tuple(number * every / epochs for number in range(1, int((epochs - 1) / every) + 1))
