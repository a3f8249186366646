"""Keras 3's ``model.fit`` on the backend that KERAS_BACKEND names; the variant is the order of the axes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from peers import measuring
from peers.keras_networks import NETWORKS
from peers.measuring import ENDLESS, Answer, Enough, Orders, Pictures, Stopwatch


class Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """Stops a run when the stopwatch has enough."""

    async_safe = True  # it asks for the loss only when the stopwatch wants to wait

    def __init__(self, orders: Orders) -> None:
        super().__init__()
        self.stopwatch = Stopwatch(orders)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Counts the step."""
        if self.stopwatch.step(lambda: float((logs or {})["loss"])):
            raise Enough


def make_optimiser(orders: Orders) -> Any:
    if orders.optimiser == "adam":
        return keras.optimizers.Adam(orders.learning_rate, epsilon=orders.epsilon)
    return keras.optimizers.SGD(orders.learning_rate, momentum=orders.momentum)


def inputs(data: Pictures, pictures: NDArray[np.uint8], variant: str) -> NDArray[np.float32]:
    values = data.normalised(pictures)
    return values if variant == "channels_first" else np.ascontiguousarray(values.transpose(0, 2, 3, 1))


def train(model: Any, orders: Orders, data: Pictures) -> dict[str, Any]:
    x = inputs(data, data.train, orders.variant)
    fixed = {"batch_size": orders.batch, "epochs": orders.epochs or ENDLESS, "verbose": 0}
    if orders.epochs == 0:
        clock = Clock(orders)
        try:
            model.fit(x, data.train_labels, callbacks=[clock], **fixed)
        except Enough:
            return clock.stopwatch.rates()
    model.fit(x, data.train_labels, **fixed)
    logits = model.predict(inputs(data, data.test, orders.variant), batch_size=100, verbose=0)
    return {"accuracy": float((logits.argmax(1) == data.test_labels).mean())}


def main() -> None:
    orders = measuring.orders()
    keras.config.set_image_data_format(orders.variant)
    keras.utils.set_random_seed(orders.seed)
    model = NETWORKS[orders.network](orders.size)
    model.compile(make_optimiser(orders), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    measured = train(model, orders, measuring.pictures(orders))
    params = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    backend = __import__(keras.backend.backend())
    versions = {"keras": keras.__version__, f"{backend.__name__} (Keras)": backend.__version__}
    measuring.answer(Answer(params, versions, **measured))


if __name__ == "__main__":
    main()
