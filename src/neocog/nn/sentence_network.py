"""Filters over a sentence for each of its words in turn, which see how far each place is from that word."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from neocog.core.arithmetic import convolution_macs

POSITIONS = 5  # numbers in the vector of a distance: Collobert et al. 2011, table 5
LARGEST = 1 << 24  # answers that are in memory at once


class StrongestForEach(nn.Module):
    """Vectors (B, L, E) to the largest answers (B, L, M): of each filter over the sentence, for each word in turn.

    Collobert et al. 2011, section 3.3.1, equations 10 and 11, with the distance to the word in question as a
    further feature of each place (section 3.3.2). The convolution is linear, so that the words' part is computed once
    for all words in question, and the distances' part once for all sentences. Distances beyond ``reach`` count as
    ``reach``.
    """

    def __init__(self, dimension: int, maps: int, width: int, reach: int) -> None:
        super().__init__()
        self.reach, self.dimension = reach, dimension
        filters = nn.Conv1d(dimension + POSITIONS, maps, width)  # for its initial weights
        assert filters.bias is not None
        self.weight, self.bias = filters.weight, filters.bias
        self.distances = nn.Parameter(torch.empty(2 * reach + 1, POSITIONS).uniform_(-0.25, 0.25))

    def macs(self, output_shape: tuple[int, ...]) -> int:
        """Returns the multiply-accumulates for an output (L, M)."""
        length, maps = output_shape
        width = self.weight.shape[2]
        words = convolution_macs(self.dimension, maps, (width,), (length,))
        return words + convolution_macs(POSITIONS, maps, (width,), (2 * length - 1,))

    def forward(self, vectors: Tensor, inside: Tensor, word: int | None = None) -> Tensor:
        """Returns (B, L, M); places that are not ``inside`` (B, L) are no part of the sentence.

        With ``word``, the place of one, the answers are for it alone, (B, 1, M).
        """
        length = vectors.shape[1]
        answers = functional.conv1d(
            vectors.transpose(1, 2), self.weight[:, : self.dimension], self.bias, padding="same"
        )  # (B, M, L)
        answers = answers.masked_fill(~inside.unsqueeze(1), -torch.inf)
        by_distance = self._by_distance(length)  # (M, 2 L - 1)
        places = torch.arange(length, device=vectors.device)
        asked = places if word is None else places[word : word + 1]
        offsets = places - asked.unsqueeze(1) + length - 1  # (L, L): the word in question, the place
        together = max(1, LARGEST // max(1, answers.numel()))
        found = []
        for some in torch.split(offsets, together):
            added = answers.unsqueeze(1) + by_distance[:, some].transpose(0, 1)  # (B, T, M, L)
            found.append(added.amax(3) if not added.requires_grad else added.max(3).values)
        strongest = torch.cat(found, 1) if found else answers.transpose(1, 2)
        return strongest.masked_fill(~inside[:, asked].unsqueeze(2), 0)

    def _by_distance(self, length: int) -> Tensor:
        """Returns what the filters' part over the distances gives (M, 2 L - 1) at the distances 1 - L to L - 1."""
        half = self.weight.shape[2] // 2
        around = torch.arange(1 - length - half, length + half, device=self.distances.device)
        vectors = self.distances[around.clamp(-self.reach, self.reach) + self.reach]  # (2 L - 1 + 2 half, P)
        return functional.conv1d(vectors.t().unsqueeze(0), self.weight[:, self.dimension :])[0]
