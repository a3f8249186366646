"""A linear-chain conditional random field: the likelihood of a whole sentence of tags, and its best tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from neocog.core.errors import NetworkError, near_names
from neocog.core.spans import Scheme, may_follow

LIKELIHOODS = ("word", "sentence")
PADDING = -1  # the tag of a place behind a sentence's end


class Constraints(NamedTuple):
    """Which tags may begin a sentence (K,), follow each other (K, K) from row to column, and end it (K,), boolean."""

    start: Tensor
    transitions: Tensor
    end: Tensor


class Decoded(NamedTuple):
    """The best tags (B, L), `PADDING` behind each sentence's end, and their scores (B,)."""

    tags: Tensor
    scores: Tensor


def transitions(tags: int, likelihood: str) -> LinearChainCRF | None:
    """Returns what scores the transitions of a tagger that learns the likelihood of a ``sentence``, None of a ``word``.

    Collobert et al. 2011, equations 13 and 12. Raises NetworkError for another likelihood.
    """
    if likelihood not in LIKELIHOODS:
        near = near_names(likelihood, LIKELIHOODS)
        raise NetworkError(f"taggers have no likelihood {likelihood!r}.{near} There are {', '.join(LIKELIHOODS)}.")
    return LinearChainCRF(tags) if likelihood == "sentence" else None


def constraints(tags: Sequence[str], scheme: Scheme) -> Constraints:
    """Returns what a scheme of span tags allows; raises DataError for what is no tag of the scheme."""
    return Constraints(
        torch.tensor([may_follow(None, tag, scheme) for tag in tags]),
        torch.tensor([[may_follow(before, tag, scheme) for tag in tags] for before in tags]),
        torch.tensor([may_follow(tag, None, scheme) for tag in tags]),
    )


class LinearChainCRF(nn.Module):
    """Scores a sentence's tags by a network's score of each and by a learned score of each transition.

    Collobert et al. 2011, section 3.3.2: ``transitions[i, j]`` is the score of j behind i,
    ``start[i]`` that of i at the beginning. All begin at zero, where the tags of words are independent.

    Scores of words are (B, L, K), finite where the boolean mask (B, L) says that there is a word; what stands elsewhere
    changes nothing. A sentence begins at its row's left; one without words has likelihood 1. Half precision is
    reckoned in float32.
    """

    def __init__(self, tags: int) -> None:
        super().__init__()
        if tags < 1:
            raise NetworkError(f"a CRF needs one tag or more; got {tags}")
        self.tags = tags
        self.start = nn.Parameter(torch.zeros(tags))
        self.transitions = nn.Parameter(torch.zeros(tags, tags))

    def forward(self, scores: Tensor, tags: Tensor, mask: Tensor | None = None) -> Tensor:
        """Returns the log-likelihood (B,) of tags (B, L), at most 0; tags where there is no word are not looked at."""
        scores, mask = self._checked(scores, mask)
        if tags.shape != mask.shape:
            raise NetworkError(
                f"tags should be {tuple(mask.shape)}, one for each word's scores; got {tuple(tags.shape)}"
            )
        return self._score(scores, tags.masked_fill(~mask, 0), mask) - _log_sum(self._forwards(scores, mask)[-1], mask)

    def log_partition(self, scores: Tensor, mask: Tensor | None = None) -> Tensor:
        """Returns the logarithm (B,) of the sum over all sequences of tags of the exponential of their score."""
        scores, mask = self._checked(scores, mask)
        return _log_sum(self._forwards(scores, mask)[-1], mask)

    def marginals(self, scores: Tensor, mask: Tensor | None = None) -> Tensor:
        """Returns the probability (B, L, K) of each tag of each word given the sentence; 0 where there is no word."""
        scores, mask = self._checked(scores, mask)
        before = torch.stack(self._forwards(scores, mask), 1)
        return torch.softmax(before + self._backwards(scores, mask), 2).masked_fill(~mask[:, :, None], 0)

    @torch.no_grad()
    def decode(self, scores: Tensor, mask: Tensor | None = None, allowed: Constraints | None = None) -> Decoded:
        """Returns the best tags by Viterbi's algorithm, among those that the constraints allow.

        Raises NetworkError where no allowed sequence of tags has a finite score.
        """
        scores, mask = self._checked(scores, mask)
        start, transitions, end = self._allowed(allowed, scores)
        best = start + scores[:, 0]  # (B, K)
        pointers = []
        for place in range(1, scores.shape[1]):
            step, pointer = (best[:, :, None] + transitions).max(1)
            here = mask[:, place, None]
            best = torch.where(here, step + scores[:, place], best)
            # behind the end a tag points to itself, so that the last word's tag is carried to the row's end
            pointers.append(torch.where(here, pointer, torch.arange(self.tags, device=scores.device)))
        score, last = (best + end).max(1)
        score = torch.where(mask[:, 0], score, 0)
        if not torch.isfinite(score).all():
            raise NetworkError("no allowed sequence of tags has a finite score; look for NaN or infinity in the scores")
        path = [last]
        for pointer in reversed(pointers):
            path.append(pointer.gather(1, path[-1][:, None])[:, 0])
        return Decoded(torch.stack(path[::-1], 1).masked_fill(~mask, PADDING), score)

    def _allowed(self, allowed: Constraints | None, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        start, transitions, end = self.start, self.transitions, scores.new_zeros(self.tags)
        if allowed is None:
            return start, transitions, end
        if any(each.shape[-1] != self.tags for each in allowed):
            raise NetworkError(f"the constraints are for {allowed.end.shape[-1]} tags; the CRF has {self.tags}")
        at_start, between, at_end = (each.to(scores.device) for each in allowed)
        never = -torch.inf
        return (
            start.masked_fill(~at_start, never),
            transitions.masked_fill(~between, never),
            end.masked_fill(~at_end, never),
        )

    def _checked(self, scores: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Returns scores with zeros where there is no word, so that nothing there reaches a sum or a gradient."""
        if scores.dim() != 3 or scores.shape[1] == 0 or scores.shape[2] != self.tags:
            raise NetworkError(f"scores should be (B, L, {self.tags}) with L 1 or more; got {tuple(scores.shape)}")
        if mask is None:
            mask = torch.ones(scores.shape[:2], dtype=torch.bool, device=scores.device)
        if mask.shape != scores.shape[:2]:
            raise NetworkError(
                f"the mask should be {tuple(scores.shape[:2])} as the scores are; got {tuple(mask.shape)}"
            )
        mask = mask.bool()
        if (mask[:, 1:] & ~mask[:, :-1]).any():
            raise NetworkError("a mask should be true from a row's left to the sentence's end; it has a gap")
        if scores.dtype in (torch.float16, torch.bfloat16):
            scores = scores.float()
        return scores.masked_fill(~mask[:, :, None], 0), mask

    def _score(self, scores: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        words = scores.gather(2, tags[:, :, None])[:, :, 0]  # (B, L)
        steps = torch.cat([self.start[tags[:, :1]], self.transitions[tags[:, :-1], tags[:, 1:]]], 1)
        return (words + steps).masked_fill(~mask, 0).sum(1)

    def _forwards(self, scores: Tensor, mask: Tensor) -> list[Tensor]:
        """Returns for each place the log-sums (B, K) over the tags before it; behind the end those of the last word."""
        sums = [self.start + scores[:, 0]]
        for place in range(1, scores.shape[1]):
            step = torch.logsumexp(sums[-1][:, :, None] + self.transitions, 1) + scores[:, place]
            sums.append(torch.where(mask[:, place, None], step, sums[-1]))
        return sums

    def _backwards(self, scores: Tensor, mask: Tensor) -> Tensor:
        """Returns the log-sums (B, L, K) over the tags behind each place; at the last word and behind it 0."""
        sums = [torch.zeros_like(scores[:, 0])]
        for place in range(scores.shape[1] - 1, 0, -1):
            step = torch.logsumexp(self.transitions + (scores[:, place] + sums[-1])[:, None, :], 2)
            sums.append(torch.where(mask[:, place, None], step, sums[-1]))
        return torch.stack(sums[::-1], 1)


def _log_sum(last: Tensor, mask: Tensor) -> Tensor:
    return torch.where(mask[:, 0], torch.logsumexp(last, 1), 0)
