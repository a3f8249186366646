"""Kim's network by Neocog's own loop, task and loader, as ``neocog train --recipe paper`` puts them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

import neocog
from neocog import recipes
from neocog.core.randomness import seed_everything
from neocog.data.dataset import Part
from neocog.data.loader import BatchLoader
from neocog.data.text_items import TextItems
from neocog.data.text_preprocess import TextPreprocessing
from neocog.data.text_source import TextSource
from neocog.tasks.text_classification import make_task
from neocog.training.evaluate import evaluate
from neocog.training.loop import fit
from neocog.training.precision import choose_arithmetic
from neocog.training.progress import Silent
from peers import sentences
from peers.sentences import DROPOUT, MARGIN, Answer, Clock, Sentences


class Laps(Silent):
    """Takes the time of each epoch."""

    def __init__(self) -> None:
        self.clock = Clock()

    def epoch(self, row: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Ends an epoch."""
        self.clock.lap()


def sources(data: Sentences) -> tuple[TextSource, TextSource]:
    numbers = TextPreprocessing("whitespace", tuple(data.words), (MARGIN, MARGIN + 1))
    parts = ((data.train, data.train_labels), (data.test, data.test_labels))
    return tuple(TextSource(Part(TextItems(texts, texts), tuple(labels)), numbers) for texts, labels in parts)  # type: ignore[return-value]


def main() -> None:
    orders = sentences.orders()
    data = sentences.load(orders)
    recipe = replace(recipes.find("paper", "kim_cnn"), epochs=orders.epochs, batch_size=orders.batch)
    seed_everything(orders.seed)
    words, dimension = len(data.words), data.vectors.shape[1]
    network = neocog.create(
        "kim_cnn", classes=2, channels=words, dimension=dimension, mode="non-static", dropout=DROPOUT
    )
    with torch.no_grad():
        network.words.weight.copy_(torch.from_numpy(data.vectors))  # type: ignore[union-attr, operator]
    train, test = sources(data)
    task, laps = make_task(("0", "1"), recipe, data.train_labels), Laps()
    fit(network, task, BatchLoader(train, seed=orders.seed, shuffle=True, lengths=train.lengths), None, recipe,
        seed=orders.seed, progress=laps)  # fmt: skip
    arithmetic = choose_arithmetic(network, recipe.precision, torch.device("cpu"))
    measured = evaluate(network, task, BatchLoader(test), batch_size=orders.batch, arithmetic=arithmetic)
    params = sum(parameter.numel() for parameter in network.parameters())
    versions = {"neocog": neocog.__version__, "torch": torch.__version__}
    sentences.answer(Answer(params, versions, measured["top1"], laps.clock.wall, laps.clock.cpu))


if __name__ == "__main__":
    main()
