"""Predicting for texts: strings, through the tokeniser and the words of the model file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from neocog.core.errors import UnreadableInput
from neocog.core.outputs import primary
from neocog.core.task import Inputs
from neocog.data.text_lines import LONGEST
from neocog.data.text_preprocess import TextPreprocessing
from neocog.tasks.prediction import Answer, ranked

TOGETHER = 64  # texts of similar length that the network sees at once, unless it knows better
TOGETHER_TOKENS = 1 << 17  # and at most so many tokens in all


@dataclass(frozen=True)
class TextPredictor:
    """`neocog.tasks.prediction.Predictor` for texts, which are strings."""

    preprocessing: TextPreprocessing
    instant: ClassVar[bool] = True
    batches: ClassVar[tuple[int, int]] = (1024, 1024)

    @classmethod
    def from_contract(cls, contract: Mapping[str, Any]) -> TextPredictor:
        """Returns the predictor that follows a model file's preprocessing; raises TypeError for unknown entries."""
        return cls(TextPreprocessing.from_contract(contract))

    def singles(self, inputs: Any) -> Iterable[Any]:
        """Returns the texts one by one."""
        return [inputs] if isinstance(inputs, str) else inputs

    def read(self, raw: Any) -> Tensor:
        """Returns a text as the numbers of its tokens (L,) int64.

        Raises UnreadableInput for what is no string, for an empty text, and for one of which no token is left.
        """
        if not isinstance(raw, str):
            raise UnreadableInput(f"expected a text, got {type(raw).__name__}")
        if not raw.strip():
            raise UnreadableInput("the text is empty")
        if len(raw) > LONGEST:
            raise UnreadableInput(f"{len(raw):,} characters in one text, more than {LONGEST:,}")
        numbers = self.preprocessing.numbers(raw)
        if not numbers.numel():
            raise UnreadableInput(f"the tokeniser {self.preprocessing.tokeniser!r} leaves no word of this text")
        return numbers

    def collate(self, samples: Sequence[Tensor]) -> Tensor:
        """Returns int64 (B, L)."""
        return self.preprocessing.batch(samples)

    def outputs(self, network: nn.Module, inputs: Inputs) -> Tensor:
        """Returns log-probabilities (B, K) for int64 (B, L).

        Texts of similar length go through the network together, cut to the longest of them and its margin: an answer
        does not depend on the padding behind a text. A network may say how many (``texts_together``).
        """
        if not isinstance(inputs, Tensor):
            raise TypeError(f"expected one tensor of tokens, got {len(inputs)}")
        if self.preprocessing.length:
            together = max(1, TOGETHER_TOKENS // inputs.shape[1])
            return torch.cat([_answers(network, piece) for piece in torch.split(inputs, together)]).cpu()
        ends = ((inputs != 0) * torch.arange(1, inputs.shape[1] + 1, device=inputs.device)).amax(1)
        ends = ends.clamp_min(self.preprocessing.margin[0] + 1) + self.preprocessing.margin[1]
        order = ends.argsort(descending=True, stable=True)
        most = int(getattr(network, "texts_together", TOGETHER))
        places: list[Tensor] = []
        while len(order):
            longest = int(ends[order[0]])
            count = max(1, min(most, TOGETHER_TOKENS // longest))
            places.append(order[:count])
            order = order[count:]
        found = [_answers(network, inputs[rows, : int(ends[rows[0]])]) for rows in places]
        return torch.cat(found)[torch.cat(places).argsort()].cpu()

    def nothing(self, classes: int) -> Tensor:
        """Returns the log-probabilities (0, K) of no samples."""
        return torch.empty(0, classes)

    def answers(self, outputs: Tensor, classes: Sequence[str], top: int) -> list[Answer]:
        """Returns the most probable classes of each text."""
        return ranked(outputs, classes, top)


def _answers(network: nn.Module, inputs: Tensor) -> Tensor:
    return primary(network(inputs)).float().log_softmax(1)
