"""Predicting relations: sentences with marked entities, or bags of them, through the words of the model file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from neocog.core.errors import DataError, UnreadableInput
from neocog.core.task import Inputs
from neocog.data.bags import Bag
from neocog.data.relation_preprocess import RelationPreprocessing
from neocog.data.semeval import RelationSentence, marked_sentence
from neocog.nn.marked import is_token
from neocog.tasks.prediction import Answer, ranked

TOGETHER = 64  # samples of similar size that the network sees at once


@dataclass(frozen=True)
class RelationPredictor:
    """`neocog.tasks.prediction.Predictor` for relations.

    An input is a text with the marks ``<e1>..</e1>`` and ``<e2>..</e2>``, a `RelationSentence`, or, of a model for
    bags, a `Bag`; a sentence by itself is a bag of one there.
    """

    preprocessing: RelationPreprocessing
    instant: ClassVar[bool] = True
    batches: ClassVar[tuple[int, int]] = (1024, 1024)

    @classmethod
    def from_contract(cls, contract: Mapping[str, Any]) -> RelationPredictor:
        """Returns the predictor that follows a model file's preprocessing; raises TypeError for unknown entries."""
        return cls(RelationPreprocessing.from_contract(contract))

    def singles(self, inputs: Any) -> Iterable[Any]:
        """Returns the inputs one by one."""
        return [inputs] if isinstance(inputs, (str, RelationSentence, Bag)) else inputs

    def read(self, raw: Any) -> Tensor:
        """Returns the numbers (L, 3) of a sentence or (S, L, 3) of a bag, int64.

        Raises UnreadableInput for what is none, for a text without its marks, and for a bag where a sentence is wanted.
        """
        if isinstance(raw, str):
            try:
                raw = marked_sentence(raw, "the text")
            except DataError as error:
                raise UnreadableInput(str(error)) from error
        if not isinstance(raw, (RelationSentence, Bag)):
            raise UnreadableInput(f"expected a text with marked entities, got {type(raw).__name__}")
        if isinstance(raw, Bag) and not self.preprocessing.bags:
            raise UnreadableInput(f"a bag of {len(raw.sentences)} sentences; this model takes single sentences")
        return self.preprocessing.numbers(raw)

    def collate(self, samples: Sequence[Tensor]) -> Tensor:
        """Returns int64 (B, L, 3), of bags (B, S, L, 3)."""
        return self.preprocessing.batch(samples)

    def outputs(self, network: nn.Module, inputs: Inputs) -> Tensor:
        """Returns log-probabilities (B, K) on the CPU; samples of similar size go through the network together."""
        if not isinstance(inputs, Tensor):
            raise TypeError(f"expected one tensor of tokens, got {len(inputs)}")
        order = is_token(inputs).flatten(1).sum(1).argsort(stable=True)
        found = [network(cropped(inputs[some])).float().log_softmax(1) for some in torch.split(order, TOGETHER)]
        return torch.cat(found)[order.argsort()].cpu()

    def nothing(self, classes: int) -> Tensor:
        """Returns the log-probabilities (0, K) of no samples."""
        return torch.empty(0, classes)

    def answers(self, outputs: Tensor, classes: Sequence[str], top: int) -> list[Answer]:
        """Returns the most probable relations of each sample."""
        return ranked(outputs, classes, top)


def cropped(samples: Tensor) -> Tensor:
    """Returns samples (B, L, 3) or (B, S, L, 3) without the padding that all of them have."""
    there = is_token(samples).any(0)  # ([S,] L)
    tokens = int((there if there.dim() == 1 else there.any(0)).sum())
    return samples[:, :tokens] if there.dim() == 1 else samples[:, : int(there.any(1).sum()), :tokens]
