"""``generate``: text that a language model writes, behind a prompt or from the start of a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from neocog.core.errors import UsageError
from neocog.data.language_preprocess import LINE_END, LanguagePreprocessing
from neocog.tasks.generation import Sampling, written
from neocog.tasks.language_modelling import NAME
from neocog.tasks.language_prediction import LanguagePredictor
from neocog.tasks.model import Model, load

LENGTH = 500
NAMED = 5  # unknown tokens of a prompt in an error


@dataclass(frozen=True)
class Generated:
    """A text that a model wrote: ``text`` without the ``prompt``, ``seed`` by which it comes out again."""

    prompt: str
    text: str
    seed: int

    def __str__(self) -> str:
        """The prompt and what was written behind it."""
        return self.prompt + self.text


def generate(
    model: str | Path | Model,
    *,
    prompt: str = "",
    length: int = LENGTH,
    temperature: float = 1.0,
    top: int | None = None,
    seed: int = 0,
    count: int = 1,
    device: str | None = None,
    net: str | None = None,
) -> list[Generated]:
    """Returns ``count`` texts of ``length`` tokens (characters or words) that a language model writes.

    ``model`` is a model file or a loaded model. ``prompt`` is how each begins; without one it is the start of a line.
    ``temperature`` divides the logits: 1 is as learned, lower keeps to what is likely, 0 takes the likeliest; ``top``
    draws among so many of the likeliest alone. The texts have the seeds ``seed``, ``seed`` + 1, ..., and one seed gives
    one text. ``net`` is the ``module:function`` of a network of your own, whose code then runs.

    Raises ModelFileError for a bad model file; UsageError for a model that is no language model, for a prompt with
    tokens that it does not know, by name, and for numbers out of range.
    """
    writer = opened(model, device=device, net=net)
    sampling = Sampling(temperature, top)
    texts = []
    for each in seeds(seed, count):
        pieces = stream(writer, prompt=prompt, length=length, sampling=sampling, seed=each)
        texts.append(Generated(prompt, "".join(pieces), each))
    return texts


def opened(model: str | Path | Model, *, device: str | None = None, net: str | None = None) -> Model:
    """Returns a language model; raises UsageError for a model of another task."""
    loaded = model if isinstance(model, Model) else load(model, device, net=net, fold=True)
    if loaded.contract.task != NAME:
        raise UsageError(
            f"{loaded.contract.network} is for {loaded.contract.task} and writes no text; "
            "train a language model: `neocog train TEXT --task language`."
        )
    return loaded


def seeds(first: int, count: int) -> range:
    """Returns the seeds of ``count`` texts; raises UsageError for none."""
    if count < 1:
        raise UsageError(f"--count must be at least 1; got {count}")
    return range(first, first + count)


def stream(model: Model, *, prompt: str, length: int, sampling: Sampling, seed: int) -> Iterator[str]:
    """Yields what the model writes behind a prompt, token by token; all together is the text.

    Raises UsageError, before the first token, as `generate` does.
    """
    if length < 1:
        raise UsageError(f"--length must be at least 1; got {length}")
    assert isinstance(model.predictor, LanguagePredictor)
    made = model.predictor.preprocessing
    numbers = written(
        model.network, _begun(made, prompt), length=length, sampling=sampling, seed=seed, device=model.device
    )
    return _spelled(made, (made.words[number - 1] for number in numbers), prompt)


def _begun(made: LanguagePreprocessing, prompt: str) -> Tensor:
    """Returns what the model reads first: the start of a line, then the prompt."""
    tokens = made.tokens(prompt)
    unknown = [token for token in dict.fromkeys(tokens) if made.index.get(token, 1) == 1]
    if unknown:
        shown = ", ".join(map(repr, unknown[:NAMED])) + (", ..." if len(unknown) > NAMED else "")
        raise UsageError(
            f"--prompt: the model does not know {'the' if len(unknown) == 1 else 'these'} {made.unit}"
            f"{'' if len(unknown) == 1 else 's'}: {shown}; it knows {len(made.words) - 1:,} different ones."
        )
    return torch.tensor([made.index.get(LINE_END, 0), *(made.index[token] for token in tokens)])


def _spelled(made: LanguagePreprocessing, tokens: Iterator[str], prompt: str) -> Iterator[str]:
    """Yields tokens as they are spelled: words with a space before them, but for the first of a line."""
    starts = made.by_character or not prompt or prompt[-1].isspace()
    for token in tokens:
        spaced = not (starts or made.by_character or token == LINE_END)
        yield f" {token}" if spaced else token
        starts = token == LINE_END
