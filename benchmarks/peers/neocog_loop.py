"""Neocog's own loop, task and loader, as `neocog train` puts them together for small pictures held in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

import neocog
from neocog.core.randomness import seed_everything
from neocog.core.recipe import Augmentation, Recipe
from neocog.data.loader import BatchLoader
from neocog.data.preprocess import PicturePreprocessing
from neocog.data.sources import ArrayPictures
from neocog.tasks.image_classification import ImageClassification, make_task
from neocog.training.evaluate import evaluate
from neocog.training.loop import fit
from neocog.training.precision import choose_arithmetic
from neocog.training.progress import Silent
from peers import measuring
from peers.measuring import ENDLESS, Answer, Enough, Orders, Pictures, Stopwatch


class Clock(Silent):
    """Stops a run when the stopwatch has enough."""

    def __init__(self, orders: Orders) -> None:
        self.stopwatch = Stopwatch(orders)

    def step(self, done: int, epoch: str, loss: Tensor) -> None:  # noqa: ARG002
        """Counts the step."""
        if self.stopwatch.step(loss.item):
            raise Enough


def recipe(orders: Orders) -> Recipe:
    chosen: Mapping[str, Any] = {"optimiser": orders.optimiser, "precision": orders.variant}
    return Recipe(
        name="benchmark",
        epochs=orders.epochs or ENDLESS,
        batch_size=orders.batch,
        learning_rate=orders.learning_rate,
        momentum=orders.momentum,
        epsilon=orders.epsilon,
        **chosen,
    )


def task(orders: Orders, data: Pictures, chosen: Recipe) -> ImageClassification:
    side = (orders.size, orders.size)
    mean, std = tuple(data.mean.tolist()), tuple(data.std.tolist())
    numbers = PicturePreprocessing(side, 0, "bilinear", mean, std, 3)
    classes = tuple(str(label) for label in range(10))
    return make_task(classes, numbers, chosen, Augmentation(), data.train_labels.tolist())


def train(orders: Orders, data: Pictures, network: nn.Module) -> dict[str, Any]:
    chosen, device = recipe(orders), torch.device(orders.device)
    own_task = task(orders, data, chosen)
    source = ArrayPictures(torch.from_numpy(data.train), data.train_labels.tolist())
    loader = BatchLoader(source, seed=orders.seed, shuffle=True)
    options: dict[str, Any] = {"seed": orders.seed, "device": device}
    if orders.epochs == 0:
        clock = Clock(orders)
        try:
            fit(network, own_task, loader, None, chosen, progress=clock, **options)
        except Enough:
            return clock.stopwatch.rates()
    fit(network, own_task, loader, None, chosen, **options)
    test = BatchLoader(ArrayPictures(torch.from_numpy(data.test), data.test_labels.tolist()))
    arithmetic = choose_arithmetic(network, "fp32", device)
    return {"accuracy": evaluate(network, own_task, test, batch_size=orders.batch, arithmetic=arithmetic)["top1"]}


def main() -> None:
    orders = measuring.orders()
    seed_everything(orders.seed)
    network = neocog.create(orders.network, classes=10, channels=3)
    arithmetic = choose_arithmetic(network, recipe(orders).precision, torch.device(orders.device))
    measured = train(orders, measuring.pictures(orders), network)
    params = sum(parameter.numel() for parameter in network.parameters())
    versions = {"neocog": neocog.__version__, "torch": torch.__version__}
    measuring.answer(Answer(params, versions, precision=arithmetic.precision, **measured))


if __name__ == "__main__":
    main()
