"""Kim's network in Keras 3, by ``model.fit`` on the backend that KERAS_BACKEND names."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from peers import sentences
from peers.sentences import DROPOUT, EPSILON, MAPS, MAX_NORM, RHO, WINDOWS, Answer, Clock, Sentences


class Laps(keras.callbacks.Callback):  # type: ignore[misc]
    """Takes the time of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Ends an epoch; by then Keras has the loss as a number."""
        self.clock.lap()


def build(data: Sentences, length: int) -> Any:
    """Returns the network over sentences of one length, its word vectors moving (the mode non-static)."""
    tokens = layers.Input((length,), dtype="int32")
    start = keras.initializers.Constant(data.vectors)
    vectors = layers.Embedding(*data.vectors.shape, embeddings_initializer=start)(tokens)
    small = keras.initializers.RandomUniform(-0.01, 0.01)
    pooled = [
        layers.GlobalMaxPooling1D()(layers.Conv1D(MAPS, width, activation="relu", kernel_initializer=small)(vectors))
        for width in WINDOWS
    ]
    dropped = layers.Dropout(DROPOUT)(layers.Concatenate()(pooled))
    bound = keras.constraints.MaxNorm(MAX_NORM, axis=0)
    return keras.Model(tokens, layers.Dense(2, kernel_initializer="zeros", kernel_constraint=bound)(dropped))


def main() -> None:
    orders = sentences.orders()
    data = sentences.load(orders)
    keras.utils.set_random_seed(orders.seed)
    train, test = data.padded(data.train), data.padded(data.test)
    model = build(data, train.shape[1])
    model.compile(
        keras.optimizers.Adadelta(1.0, rho=RHO, epsilon=EPSILON),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    laps, labels = Laps(), np.array(data.train_labels)
    model.fit(train, labels, batch_size=orders.batch, epochs=orders.epochs, verbose=0, callbacks=[laps])
    logits = model.predict(test, batch_size=orders.batch, verbose=0)
    accuracy = float((logits.argmax(1) == np.array(data.test_labels)).mean())
    backend = __import__(keras.backend.backend())
    versions = {"keras": keras.__version__, f"{backend.__name__} (Keras)": backend.__version__}
    sentences.answer(Answer(model.count_params(), versions, accuracy, laps.clock.wall, laps.clock.cpu))


if __name__ == "__main__":
    main()
