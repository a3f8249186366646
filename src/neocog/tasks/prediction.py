"""Predicting with a trained network, whatever its inputs are: the protocol that a task fills in, and its answer."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor, nn

from neocog.core.contract import ModelContract
from neocog.core.errors import ModelFileError, UnreadableInput
from neocog.core.task import Inputs

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Prediction:
    """The answer for one input: the most probable classes first.

    ``input`` is the input's name; ``labels`` and ``probabilities`` (in [0, 1]) have as many entries as were asked for.
    Where the input was refused both are empty and ``error`` says why. Where the answer is for each of ``words``, labels
    and probabilities are theirs, in order.
    """

    input: str
    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    error: str | None = None
    words: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The most probable class, empty where the input was refused."""
        return self.labels[0] if self.labels else ""

    @property
    def probability(self) -> float | None:
        """The probability of `label`."""
        return self.probabilities[0] if self.probabilities else None


class Answer(NamedTuple):
    """What a `Prediction` holds beside the input's name."""

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]


class Predictor(Protocol):
    """What predicting needs of a task: raw input in, what the network makes of it out, and what that means."""

    @property
    def instant(self) -> bool:
        """Whether reading is so cheap that threads would only cost."""

    @property
    def batches(self) -> tuple[int, int]:
        """How many inputs go at once, on a CPU and on a GPU."""

    def singles(self, inputs: Any) -> Iterable[Any]:
        """Returns the inputs one by one, also where a user gave only one, or a stack of them."""

    def read(self, raw: Any) -> Tensor:
        """Returns one raw input as the model takes it, without the batch; called from several threads.

        Raises UnreadableInput, whose text is the reason alone.
        """

    def collate(self, samples: Sequence[Tensor]) -> Inputs:
        """Returns what `read` made as one batch."""

    def outputs(self, network: nn.Module, inputs: Inputs) -> Any:
        """Returns what the network makes of a batch already on its device, on the CPU; classifiers: log-probabilities.

        Those are (B, K). Whatever it is, its length is B, and that of no samples is 0.
        """

    def nothing(self, classes: int) -> Any:
        """Returns the outputs of no samples."""

    def answers(self, outputs: Any, classes: Sequence[str], top: int) -> Iterable[Answer]:
        """Returns the answer for each sample of a batch's outputs, with ``top`` classes where a sample has one."""


def ranked(logs: Tensor, classes: Sequence[str], top: int) -> list[Answer]:
    """Returns the ``top`` classes of each row of log-probabilities (B, K); of equal ones the first comes first."""
    ordered, places = torch.sort(logs, dim=1, descending=True, stable=True)
    return [
        Answer(tuple(classes[place] for place in row), tuple(chances))
        for row, chances in zip(places[:, :top].tolist(), ordered[:, :top].double().exp().tolist(), strict=True)
    ]


def predictor_for(contract: ModelContract) -> Predictor:
    """Returns the predictor of the contract's task.

    Raises ModelFileError for a task that this version does not have, or preprocessing that it cannot read.
    """
    from neocog.tasks.language_prediction import LanguagePredictor
    from neocog.tasks.picture_prediction import PicturePredictor
    from neocog.tasks.relation_prediction import RelationPredictor
    from neocog.tasks.tag_prediction import TagPredictor
    from neocog.tasks.text_prediction import TextPredictor

    makers: dict[str, Callable[[Mapping[str, Any]], Predictor]] = {
        "image classification": PicturePredictor.from_contract,
        "text classification": TextPredictor.from_contract,
        "language modelling": LanguagePredictor.from_contract,
        "relation classification": RelationPredictor.from_contract,
        "tagging": lambda numbers: TagPredictor.from_contract(numbers, contract.classes),
    }
    if contract.task not in makers:
        raise ModelFileError(f"the model's task {contract.task!r} is unknown to this version; update Neocog.")
    try:
        return makers[contract.task](contract.preprocessing)
    except (TypeError, ValueError, KeyError) as error:
        raise ModelFileError(f"the model's preprocessing cannot be followed ({error}); update Neocog.") from error


def read_ahead(
    read: Callable[[Given], Made], items: Iterable[Given], *, workers: int | None, ahead: int
) -> Iterator[tuple[Given, Made | UnreadableInput]]:
    """Yields each item with what ``read`` made of it, or why it could not, in the items' order.

    ``workers`` threads read (None: one a core; 0: no threads), at most ``ahead`` items before the one that is wanted,
    so that memory stays bounded however long ``items`` is.
    """

    def attempt(item: Given) -> Made | UnreadableInput:
        try:
            return read(item)
        except UnreadableInput as error:
            return error

    threads = cores() if workers is None else workers
    if threads == 0:
        yield from ((item, attempt(item)) for item in items)
        return
    pending: deque[tuple[Given, Future[Made | UnreadableInput]]] = deque()
    pool = ThreadPoolExecutor(threads, "neocog-reader")
    try:
        for item in items:
            pending.append((item, pool.submit(attempt, item)))
            if len(pending) > ahead:
                first, made = pending.popleft()
                yield first, made.result()
        while pending:
            first, made = pending.popleft()
            yield first, made.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def cores() -> int:
    """Returns the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
