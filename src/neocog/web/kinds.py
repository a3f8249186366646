"""What a model takes, pictures or texts: how it is read, and how the network is given it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from neocog.core.errors import UnreadableInput, UsageError
from neocog.data.decode import open_picture
from neocog.data.resize import normalise
from neocog.tasks.model import Model
from neocog.tasks.picture_prediction import PicturePredictor
from neocog.tasks.text_prediction import TextPredictor
from neocog.verbs.look_kinds import is_of_texts
from neocog.verbs.look_words import SeenText, preprocessing_of, seen_text

MOST_PIXELS = 64_000_000
MOST_TOKENS = 4000
# A sample as it was read: a picture's pixels, uint8 (C, H, W), or a text's tokens.
Read = Tensor | SeenText


@dataclass(frozen=True, eq=False)
class Shown:
    """An input as the network sees it: ``inputs`` (1, C, H, W), normalised, or tokens (1, L).

    ``read`` is what it was read as. ``sample`` is its place in the data, None for the user's own; ``label`` its true
    class where it is known.
    """

    id: int
    read: Read
    inputs: Tensor
    sample: int | None = None
    label: str | None = None

    @property
    def pixels(self) -> Tensor:
        """The pixels of a picture, uint8 (C, H, W)."""
        assert isinstance(self.read, Tensor)
        return self.read

    @property
    def text(self) -> SeenText:
        """The tokens of a text."""
        assert isinstance(self.read, SeenText)
        return self.read


class Pictures:
    """Pictures, by the model's own preprocessing with a bound to their pixels."""

    name = "picture"

    def __init__(self, model: Model) -> None:
        assert isinstance(model.predictor, PicturePredictor)
        numbers = model.predictor.preprocessing
        self.numbers = replace(numbers, max_pixels=min(numbers.max_pixels, MOST_PIXELS))
        self.shape: tuple[int, ...] = (numbers.channels, *numbers.size)
        self._predictor, self._device = PicturePredictor(self.numbers), model.device
        self.note = (
            "`neocog predict` averages the answer with the mirror image's; this page shows one pass."
            if numbers.flip_average
            else ""
        )

    def example(self) -> Tensor:
        """Returns a grey picture as the network takes it."""
        return self.batch([torch.full(self.shape, 128, dtype=torch.uint8)])

    def read(self, raw: Any) -> Read:
        """Reads a file's bytes, or an array (H, W[, 1|3]); raises UnreadableInput, UsageError for a text."""
        if isinstance(raw, str):
            raise UsageError("this model takes pictures, not text.")
        if isinstance(raw, bytes):
            open_picture(raw, max_pixels=self.numbers.max_pixels)  # the pixels are counted before all else
        return self._predictor.read(raw)

    def batch(self, reads: Sequence[Read]) -> Tensor:
        """Returns the network's input (B, C, H, W), on its device."""
        pixels = torch.stack([each for each in reads if isinstance(each, Tensor)])
        return normalise(pixels.to(self._device), self.numbers).contiguous(memory_format=torch.channels_last)


class Texts:
    """Texts, by the model's own tokeniser with a bound to their length; each has the length that it has."""

    name = "text"
    note = ""

    def __init__(self, model: Model) -> None:
        self._model = model
        told = preprocessing_of(model)
        length = told.length or max(told.usual - sum(told.margin), 1)
        self.shape: tuple[int, ...] = (1, sum(told.margin) + length)

    def example(self) -> Tensor:
        """Returns a text of unknown words of a usual length."""
        return torch.zeros(self.shape, dtype=torch.int64, device=self._model.device)

    def read(self, raw: Any) -> Read:
        """Reads a text; raises UnreadableInput, UsageError for what is none."""
        if not isinstance(raw, str):
            raise UsageError("this model takes texts, not pictures.")
        seen = seen_text(self._model, raw)
        if len(seen.tokens) > MOST_TOKENS:
            raise UnreadableInput(f"{len(seen.tokens):,} words in one text, more than the {MOST_TOKENS:,} of this page")
        return seen

    def batch(self, reads: Sequence[Read]) -> Tensor:
        """Returns the network's input (B, L), on its device; shorter texts end in padding."""
        seen = [each.inputs[0] for each in reads if isinstance(each, SeenText)]
        return torch.nn.utils.rnn.pad_sequence(seen, batch_first=True)


Kind = Pictures | Texts


def kind_of(model: Model) -> Kind:
    """Returns what the model takes; raises UsageError for a model of anything else."""
    if isinstance(model.predictor, PicturePredictor):
        return Pictures(model)
    if isinstance(model.predictor, TextPredictor):
        return Texts(model)
    instead = "; `neocog look` takes it" if is_of_texts(model) else ""
    raise UsageError(
        f"explore takes models of pictures and of texts; this one's task is {model.contract.task}{instead}."
    )
