"""Predicting for texts with a language model: how well it tells each, in bits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from neocog.core.errors import UnreadableInput
from neocog.core.task import Inputs
from neocog.data.language_preprocess import LINE_END, LanguagePreprocessing
from neocog.data.text_lines import LONGEST
from neocog.tasks.language_scores import token_costs
from neocog.tasks.prediction import Answer


@dataclass(frozen=True)
class LanguagePredictor:
    """`neocog.tasks.prediction.Predictor` for texts: the answer is what their tokens cost, in bits.

    A text is told as if a line began with it. Its label is e.g. ``2.131 bits per character`` and its probability the
    geometric mean of what the tokens that came were given.
    """

    preprocessing: LanguagePreprocessing
    instant: ClassVar[bool] = True
    batches: ClassVar[tuple[int, int]] = (64, 64)

    @classmethod
    def from_contract(cls, contract: Mapping[str, Any]) -> LanguagePredictor:
        """Returns the predictor that follows a model file's preprocessing."""
        return cls(LanguagePreprocessing.from_contract(contract))

    def singles(self, inputs: Any) -> Iterable[Any]:
        """Returns the texts one by one."""
        return [inputs] if isinstance(inputs, str) else inputs

    def read(self, raw: Any) -> Tensor:
        """Returns the numbers (L,) int64 of a text's tokens.

        Raises UnreadableInput for what is no string and for a text without a token.
        """
        if not isinstance(raw, str):
            raise UnreadableInput(f"expected a text, got {type(raw).__name__}")
        if len(raw) > LONGEST:
            raise UnreadableInput(f"{len(raw):,} characters in one text, more than {LONGEST:,}; `neocog test` takes it")
        numbers = self.preprocessing.numbers(raw)
        if not len(numbers):
            raise UnreadableInput("the text is empty")
        return numbers

    def collate(self, samples: Sequence[Tensor]) -> Tensor:
        """Returns int64 (B, L), zeros behind each text."""
        return nn.utils.rnn.pad_sequence(list(samples), batch_first=True)

    def outputs(self, network: nn.Module, inputs: Inputs) -> Tensor:
        """Returns mean nats a token and the number of unknown ones (B, 2) float64."""
        assert isinstance(inputs, Tensor)
        start = inputs.new_tensor([self.preprocessing.index.get(LINE_END, 0)])
        made = []
        for row in inputs:
            tokens = row[row != 0]
            found = token_costs(network, torch.cat([start, tokens]).cpu(), self.preprocessing.window, device=row.device)
            made.append(torch.stack([found[1:].mean(), (tokens == 1).sum().cpu().double()]))
        return torch.stack(made)

    def nothing(self, classes: int) -> Tensor:
        """Returns the outputs of no samples."""
        del classes
        return torch.empty(0, 2, dtype=torch.float64)

    def answers(self, outputs: Tensor, classes: Sequence[str], top: int) -> list[Answer]:
        """Returns bits a token as label, and the mean probability of a token."""
        del classes, top
        unit = self.preprocessing.unit
        return [
            Answer((f"{nats / math.log(2):.3f} bits per {unit}{_but(int(unknown), unit)}",), (math.exp(-nats),))
            for nats, unknown in outputs.tolist()
        ]


def _but(unknown: int, unit: str) -> str:
    if not unknown:
        return ""
    return f" ({unknown} unknown {unit}{'s' if unknown > 1 else ''})"
