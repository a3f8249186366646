"""How much each word counts, from any attribution, and the sentence in colours: in a terminal, or as HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from neocog.core.errors import UsageError

Attribute = Callable[[nn.Module, Tensor], Tensor]
Over = Literal["norm", "sum"]
Colour = tuple[int, int, int]

# What speaks for the class and what speaks against it; told apart by those who see no red or no green.
FOR, AGAINST = (230, 120, 0), (40, 110, 220)
PAPER: Colour = (255, 255, 255)
STRONGEST = 0.75  # of the colour, so that the words stay readable on it

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def word_saliency(attribute: Attribute, module: nn.Module, tokens: Tensor, *, over: Over = "norm") -> Tensor:
    """Returns how much each word counts (B, L), for words (B, L) as whole numbers.

    ``attribute(module, tokens)`` is any explanation, (B, E, L) along the embedding or (B, L) already. ``over`` the
    embedding it is the Euclidean norm, which is never negative, or the sum, which keeps the sign: for gradient x input
    or integrated gradients what the word adds to the score.

    Raises UsageError for an unknown ``over``, and for an attribution that does not have the words' places.
    """
    if over not in ("norm", "sum"):
        raise UsageError(f"over is norm or sum; got {over!r}.")
    found = attribute(module, tokens)
    if found.shape == tokens.shape:
        return found
    if found.dim() != 3 or (len(found), found.shape[2]) != tuple(tokens.shape):
        raise UsageError(
            f"an attribution of words {tuple(tokens.shape)} should be (B, E, L) or (B, L), got {tuple(found.shape)}."
        )
    return found.norm(dim=1) if over == "norm" else found.sum(1)


def words_in_ansi(words: Sequence[str], scores: Sequence[float] | Tensor, *, between: str = " ") -> str:
    """Returns the words in one line for a terminal with 24-bit colours, each on the colour of its score.

    Orange speaks for the class and blue against it; the greatest magnitude is the full colour. ``between`` two words
    there is a space, between characters nothing.

    Raises UsageError where there is not one finite score a word.
    """
    painted = []
    for word, share in zip(words, _shares(words, scores), strict=True):
        back = _mixed(share)
        painted.append(f"\x1b[48;2;{back[0]};{back[1]};{back[2]};38;2;0;0;0m{plain_word(word)}\x1b[0m")
    return between.join(painted)


def words_in_html(
    words: Sequence[str], scores: Sequence[float] | Tensor, *, between: str = " ", labels: Sequence[str] = ()
) -> str:
    """Returns the words as HTML spans on the colours of their scores, which are their titles too; words are escaped.

    ``labels``, where there are any, are one a word, and stand low behind it; an empty one does not.

    Raises UsageError where there is not one finite score a word.
    """
    numbers = [float(score) for score in scores]
    spans = []
    below = [f"<sub>{html.escape(plain_word(label))}</sub>" if label else "" for label in labels or [""] * len(words)]
    for word, share, number, label in zip(words, _shares(words, scores), numbers, below, strict=True):
        red, green, blue = FOR if share >= 0 else AGAINST
        style = f"background-color:rgba({red},{green},{blue},{abs(share) * STRONGEST:.3f})"
        inner = html.escape(plain_word(word)) + label
        spans.append(f'<span class="word" style="{style}" title="{number:+.4g}">{inner}</span>')
    return between.join(spans)


def _shares(words: Sequence[str], scores: Sequence[float] | Tensor) -> list[float]:
    """Returns the scores as shares of the greatest magnitude, -1 to 1; all 0 where they are."""
    values = torch.as_tensor(scores, dtype=torch.float64).reshape(-1)
    if len(values) != len(words) or not values.isfinite().all():
        raise UsageError(f"expected a finite score for each of {len(words)} words, got {len(values)} scores.")
    peak = float(values.abs().max()) if len(values) else 0.0
    return [value / peak if peak else 0.0 for value in values.tolist()]


def _mixed(share: float) -> Colour:
    full, strength = (FOR if share >= 0 else AGAINST), abs(share) * STRONGEST
    red, green, blue = (round(paper + (colour - paper) * strength) for paper, colour in zip(PAPER, full, strict=True))
    return red, green, blue


def plain_word(word: str) -> str:
    """Returns a word from the data so that it moves no cursor and turns no direction of writing."""
    return _CONTROLS.sub("\ufffd", word)
